package netem

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Parse reads a model in the grammar of the package's documentation. The empty
// text is a perfect path. An error is one line that names the word that is
// wrong and says what would be right.
func Parse(s string) (Model, error) {
	p := parser{words: strings.Fields(s)}
	for len(p.words) > 0 {
		if err := p.clause(p.take()); err != nil {
			return Model{}, fmt.Errorf("netem: %w", err)
		}
	}
	if err := p.m.check(); err != nil {
		return Model{}, fmt.Errorf("netem: %w", err)
	}
	p.m.normalise()
	return p.m, nil
}

// parser holds the words not yet read and the model so far.
type parser struct {
	words []string
	seen  []string
	m     Model
}

func (p *parser) take() string {
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// number reports whether the next word looks like one.
func (p *parser) number() bool {
	return len(p.words) > 0 && strings.ContainsRune("0123456789.+-", rune(p.words[0][0]))
}

// arg takes the word that a keyword must have.
func (p *parser) arg(what, want string) (string, error) {
	if len(p.words) == 0 {
		return "", fmt.Errorf("%s: %s is missing", what, want)
	}
	return p.take(), nil
}

const keywords = "limit, delay, loss, duplicate, corrupt, reorder, gap, rate, mtu"

func (p *parser) clause(word string) error {
	switch word { // tc's other names
	case "latency":
		word = "delay"
	case "drop":
		word = "loss"
	}
	if slices.Contains(p.seen, word) {
		return fmt.Errorf("%s: given twice", word)
	}
	p.seen = append(p.seen, word)
	switch word {
	case "limit":
		return p.int(word, "a number of packets", &p.m.Limit, 1, maxLimit)
	case "mtu":
		return p.int(word, "a number of bytes", &p.m.MTU, minMTU, maxPacket)
	case "gap":
		return p.int(word, "a number of packets", &p.m.Reorder.Gap, 1, maxGap)
	case "delay":
		return p.delay()
	case "loss":
		return p.loss()
	case "duplicate":
		return p.chance(word, &p.m.Duplicate)
	case "corrupt":
		return p.chance(word, &p.m.Corrupt)
	case "reorder":
		return p.chance(word, &p.m.Reorder.Chance)
	case "rate":
		return p.rate()
	case "slot", "ecn", "seed", "distribution":
		return fmt.Errorf("%q: not supported%s: valid are %s", word, placeOf(word), keywords)
	}
	return fmt.Errorf("%q: unknown word: valid are %s", word, keywords)
}

func placeOf(word string) string {
	if word == "distribution" {
		return " here, only behind delay TIME JITTER"
	}
	return ""
}

func (p *parser) int(what, want string, v *int, min, max int) error {
	w, err := p.arg(what, want)
	if err == nil {
		*v, err = parseInt(what, w, min, max)
	}
	return err
}

func (p *parser) chance(what string, c *Chance) error {
	w, err := p.arg(what, "a percentage")
	if err != nil {
		return err
	}
	if c.P, err = parsePercent(what, w); err == nil && p.number() {
		c.Corr, err = parsePercent(what+" correlation", p.take())
	}
	return err
}

func (p *parser) delay() error {
	d := &p.m.Delay
	w, err := p.arg("delay", "a time")
	if err != nil {
		return err
	}
	if d.Mean, err = parseTime("delay", w); err != nil {
		return err
	}
	if p.number() {
		if d.Jitter, err = parseTime("delay jitter", p.take()); err != nil {
			return err
		}
		if p.number() {
			if d.Corr, err = parsePercent("delay correlation", p.take()); err != nil {
				return err
			}
		}
	}
	if len(p.words) > 0 && p.words[0] == "distribution" {
		p.take()
		return p.distribution()
	}
	return nil
}

func (p *parser) distribution() error {
	const valid = "uniform, normal, pareto or paretonormal"
	w, err := p.arg("distribution", valid)
	if err != nil {
		return err
	}
	i := slices.Index(distNames[:], w)
	switch {
	case i < 0:
		return fmt.Errorf("distribution %q: want %s", w, valid)
	case p.m.Delay.Jitter == 0:
		return fmt.Errorf("distribution %s: needs a jitter: delay TIME JITTER distribution %s", w, w)
	}
	p.m.Delay.Dist = Dist(i)
	return nil
}

func (p *parser) loss() error {
	l := &p.m.Loss
	if len(p.words) > 0 {
		switch p.words[0] {
		case "random":
			p.take()
		case "state":
			p.take()
			l.Kind = StateLoss
			return p.chain("loss state", "p13", "p31", "p32", "p23", "p14")
		case "gemodel":
			p.take()
			l.Kind = GilbertLoss
			return p.chain("loss gemodel", "p", "r", "1-h", "1-k")
		}
	}
	l.Kind = RandomLoss
	c := Chance{}
	err := p.chance("loss", &c)
	l.P[0], l.Corr = c.P, c.Corr
	return err
}

// chain reads the probabilities of a loss model's chain; the first must be
// there, the others have the defaults of tc-netem(8).
func (p *parser) chain(what string, names ...string) error {
	l := &p.m.Loss
	n := 0
	for ; n < len(names) && (n == 0 || p.number()); n++ {
		w, err := p.arg(what, "the percentage "+names[n])
		if err != nil {
			return err
		}
		if l.P[n], err = parsePercent(what+" "+names[n], w); err != nil {
			return err
		}
	}
	defaults := [5]Prob{1: MaxProb - l.P[0]}
	if l.Kind == StateLoss {
		defaults[3] = MaxProb // p23
	} else {
		defaults[2] = MaxProb // 1-h
	}
	copy(l.P[n:], defaults[n:])
	return nil
}

func (p *parser) rate() error {
	r := &p.m.Rate
	w, err := p.arg("rate", "a rate")
	if err != nil {
		return err
	}
	r.Bits, err = parseRate("rate", w)
	for _, f := range [...]struct {
		what string
		v    *int
		min  int
	}{
		{"rate packet overhead", &r.Overhead, -maxOverhead},
		{"rate cell size", &r.Cell, 0},
		{"rate cell overhead", &r.CellOverhead, -maxOverhead},
	} {
		if err == nil && p.number() {
			*f.v, err = parseInt(f.what, p.take(), f.min, maxOverhead)
		}
	}
	return err
}

// check finds what no single word shows.
func (m *Model) check() error {
	l := &m.Loss
	if l.Kind == StateLoss {
		if uint64(l.P[0])+uint64(l.P[4]) > uint64(MaxProb) {
			return errors.New("loss state: p13 and p14 are more than 100% together")
		}
		if uint64(l.P[1])+uint64(l.P[2]) > uint64(MaxProb) {
			return errors.New("loss state: p31 and p32 are more than 100% together")
		}
	}
	if m.Reorder.P != 0 && m.Delay.Mean == 0 && m.Delay.Jitter == 0 {
		return errors.New("reorder: needs a delay, for packets overtake those that wait")
	}
	if m.Reorder.Gap > 1 && m.Reorder.P == 0 {
		return errors.New("gap: needs reorder PERCENT")
	}
	if m.Rate.CellOverhead != 0 && m.Rate.Cell == 0 {
		return errors.New("rate cell overhead: needs a cell size")
	}
	if m.Rate.Cell != 0 && m.Rate.Cell+m.Rate.CellOverhead < 1 {
		return errors.New("rate cell overhead: leaves less than a byte of a cell")
	}
	return nil
}

// normalise removes what has no effect, so that equal paths are equal models.
func (m *Model) normalise() {
	if m.Limit == DefaultLimit {
		m.Limit = 0
	}
	if m.Delay.Jitter == 0 {
		m.Delay.Corr = 0
	}
	if m.Loss.Kind == RandomLoss && m.Loss.P[0] == 0 {
		m.Loss = Loss{}
	}
	for _, c := range [...]*Chance{&m.Duplicate, &m.Corrupt, &m.Reorder.Chance} {
		if c.P == 0 {
			*c = Chance{}
		}
	}
	if m.Reorder.P == 0 {
		m.Reorder.Gap = 0
	} else if m.Reorder.Gap == 0 {
		m.Reorder.Gap = 1
	}
}
