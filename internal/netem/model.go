package netem

import (
	"strconv"
	"strings"
)

// Prob is a probability in units of 1/(2^32-1): 0 is never, MaxProb always.
type Prob uint32

// MaxProb is certainty.
const MaxProb Prob = 1<<32 - 1

// Chance is a probability with netem's correlation: each draw is a mixture of
// fresh luck and, to the part Corr, of the draw before.
type Chance struct{ P, Corr Prob }

// Dist is the shape of the jitter.
type Dist uint8

// The distributions of tc-netem(8). Uniform spreads over delay ± jitter, the
// others have the jitter as their standard deviation (pareto's tail is cut at
// four of them).
const (
	Uniform Dist = iota
	Normal
	Pareto
	ParetoNormal
)

var distNames = [...]string{Uniform: "uniform", Normal: "normal", Pareto: "pareto", ParetoNormal: "paretonormal"}

// Delay is how long a packet is under way.
type Delay struct {
	Mean, Jitter int64 // ns
	Corr         Prob
	Dist         Dist
}

// LossKind is the model by which packets are lost.
type LossKind uint8

// The loss models of tc-netem(8).
const (
	NoLoss      LossKind = iota
	RandomLoss           // P[0], correlated by Corr
	StateLoss            // P is p13, p31, p32, p23, p14 of a chain of four states
	GilbertLoss          // P is p, r, 1-h, 1-k of Gilbert and Elliott's chain of two states
)

// Loss is how packets get lost.
type Loss struct {
	Kind LossKind
	Corr Prob
	P    [5]Prob
}

// Reorder sends a packet at once, ahead of those that are delayed: each with
// the given chance, but only after Gap-1 packets that were delayed.
type Reorder struct {
	Chance
	Gap int // packets; 1 if not said otherwise
}

// Rate makes packets take time to be sent, and wait for the ones before them.
type Rate struct {
	Bits         uint64 // a second; 0 is no limit
	Overhead     int    // bytes added to each packet, may be negative
	Cell         int    // bytes of packet that a cell carries; 0 means no cells
	CellOverhead int    // bytes added to each cell, may be negative
}

// DefaultLimit is how many packets a path holds if nothing else is said.
const DefaultLimit = 1000

// Model describes one direction of a path. The zero Model is a perfect one.
// Models that Parse returns are in a normal form and may be compared with ==.
type Model struct {
	Delay     Delay
	Loss      Loss
	Duplicate Chance
	Corrupt   Chance
	Reorder   Reorder
	Rate      Rate
	Limit     int // packets that are under way at once; more are lost. 0 is DefaultLimit
	MTU       int // bytes; larger packets are lost. 0 lets all pass
}

// Perfect reports whether m leaves every packet alone.
func (m *Model) Perfect() bool { return *m == Model{Limit: m.Limit} }

// Instant reports whether m neither delays nor queues.
func (m *Model) Instant() bool { return m.Delay == Delay{} && m.Rate.Bits == 0 }

func (m *Model) limit() int {
	if m.Limit <= 0 {
		return DefaultLimit
	}
	return m.Limit
}

// String is m in the grammar of Parse, which returns m for it.
func (m Model) String() string {
	var w words
	if m.Limit != 0 && m.Limit != DefaultLimit {
		w.add("limit", strconv.Itoa(m.Limit))
	}
	if m.MTU != 0 {
		w.add("mtu", strconv.Itoa(m.MTU))
	}
	if m.Delay != (Delay{}) {
		w.delay(m.Delay)
	}
	w.loss(m.Loss)
	w.chance("duplicate", m.Duplicate)
	w.chance("corrupt", m.Corrupt)
	w.chance("reorder", m.Reorder.Chance)
	if m.Reorder.Gap > 1 {
		w.add("gap", strconv.Itoa(m.Reorder.Gap))
	}
	if m.Rate.Bits != 0 {
		w.rate(m.Rate)
	}
	return strings.Join(w, " ")
}

// words are the words of a model's text.
type words []string

func (w *words) add(s ...string) { *w = append(*w, s...) }

func (w *words) chance(name string, c Chance) {
	if c.P == 0 {
		return
	}
	w.add(name, formatPercent(c.P))
	if c.Corr != 0 {
		w.add(formatPercent(c.Corr))
	}
}

func (w *words) delay(d Delay) {
	w.add("delay", formatTime(d.Mean))
	if d.Jitter == 0 {
		return
	}
	w.add(formatTime(d.Jitter))
	if d.Corr != 0 {
		w.add(formatPercent(d.Corr))
	}
	if d.Dist != Uniform && int(d.Dist) < len(distNames) {
		w.add("distribution", distNames[d.Dist])
	}
}

func (w *words) loss(l Loss) {
	n := 0
	switch l.Kind {
	case RandomLoss:
		w.chance("loss", Chance{l.P[0], l.Corr})
	case StateLoss:
		w.add("loss", "state")
		n = 5
	case GilbertLoss:
		w.add("loss", "gemodel")
		n = 4
	}
	for _, p := range l.P[:n] {
		w.add(formatPercent(p))
	}
}

func (w *words) rate(r Rate) {
	w.add("rate", formatRate(r.Bits))
	tail := [...]int{r.Overhead, r.Cell, r.CellOverhead}
	n := len(tail)
	for n > 0 && tail[n-1] == 0 {
		n--
	}
	for _, v := range tail[:n] {
		w.add(strconv.Itoa(v))
	}
}
