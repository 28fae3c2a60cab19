package estabtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// How much of a failed test's network goes to its log.
const (
	mostLadders = 4
	mostLines   = 80 // of each
	mostOneLine = 20 // connections of which only a line is said
)

// NoConnectionLeft fails the test if a connection between hosts isn't over at
// both ends. (Records in TIME-WAIT are no connections.) Call it when what the
// last closing takes has had its time.
func (n *Network) NoConnectionLeft() {
	n.t.Helper()
	var left []string
	for _, f := range n.Conns() {
		if !f.Done() {
			left = append(left, "\n\t"+f.String())
		}
	}
	if len(left) > 0 {
		more := max(len(left)-mostOneLine, 0)
		n.t.Errorf("estabtest: connections left: %d%s", len(left), strings.Join(left[:len(left)-more], ""))
	}
}

// report tells the test's log what happened: the seed, what the test did to
// the network, and the connections that didn't end well, those that broke
// first.
func (n *Network) report() {
	n.t.Helper()
	n.mu.Lock()
	if n.reported {
		n.mu.Unlock()
		return
	}
	n.reported = true
	text := n.reportText()
	n.mu.Unlock()
	n.t.Log(text)
}

func (n *Network) reportText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "estabtest: seed %d (%s=%d replays it); the last packet passed at %v\n",
		n.seed, seedVariable, n.seed, time.Duration(n.latest))
	for _, x := range n.notes {
		fmt.Fprintf(&b, "%12.6f s  %s\n", time.Duration(x.at).Seconds(), x.text)
	}
	bad := n.worst()
	if len(bad) == 0 {
		fmt.Fprintf(&b, "All connections (%d) ended in order.\n", n.conns)
		return b.String()
	}
	fmt.Fprintf(&b, "Of %d connections %d didn't end well:\n", n.conns, len(bad))
	for i, f := range bad[:min(len(bad), mostLadders+mostOneLine)] {
		fmt.Fprintf(&b, "\n%v, began at %.6f s\n", n.snapshot(f), time.Duration(f.began).Seconds())
		if why := f.losses(); why != "" {
			fmt.Fprintf(&b, "lost: %s\n", why)
		}
		if i < mostLadders {
			b.WriteString(shorten(f.ladder()))
		}
	}
	return b.String()
}

// worst are the flows that didn't end well: those that broke, then those that
// are open although the network lost something of them, then the open ones.
func (n *Network) worst() []*flow {
	rank := func(f *flow) int {
		switch {
		case !f.wellEnded():
			return 0
		case f.over():
			return 3
		case f.sides[0].lost+f.sides[1].lost > 0:
			return 1
		}
		return 2
	}
	var bad []*flow
	for _, f := range n.all {
		if rank(f) < 3 {
			bad = append(bad, f)
		}
	}
	slices.SortStableFunc(bad, func(a, b *flow) int { return rank(a) - rank(b) })
	return bad
}

// losses says why how many segments were lost.
func (f *flow) losses() string {
	counts := map[string]int{}
	for _, r := range f.kept() {
		if r.copies == 0 && r.fate != "" {
			counts[r.fate]++
		}
	}
	var parts []string
	for why, c := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", c, why))
	}
	slices.Sort(parts)
	if f.forgotten > 0 {
		parts = append(parts, fmt.Sprintf("(%d segments in the middle are forgotten)", f.forgotten))
	}
	return strings.Join(parts, ", ")
}

// shorten leaves out the middle of a text that is too long.
func shorten(text string) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) <= mostLines {
		return text
	}
	cut := []string{fmt.Sprintf("     … %d lines …\n", len(lines)-mostLines)}
	return strings.Join(slices.Concat(lines[:mostLines/2], cut, lines[len(lines)-mostLines/2:]), "")
}
