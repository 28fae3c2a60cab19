package trace

import (
	"strings"

	"estab/tcp"
)

// shown is a packet that has a row.
type shown struct {
	Packet
	label Label
}

// Fold is many segments in one row.
type Fold struct {
	First, Last tcp.Time
	Segments    [2]uint64 // with data, by the side that sent them
	Bytes       [2]uint64 // of data; what was sent twice counts twice
	Acks        [2]uint64 // segments without data
	Lost        uint64    // segments that the path lost
	Corrupt     uint64    // that it damaged
	Doubled     uint64    // that it doubled
	Again       uint64    // that were sent again
}

func (f *Fold) add(p *shown) {
	if f.count() == 0 {
		f.First = p.Time
	}
	f.Last = p.Time
	if p.Seg.Len > 0 {
		f.Segments[p.From]++
		f.Bytes[p.From] += uint64(p.Seg.Len)
	} else {
		f.Acks[p.From]++
	}
	switch {
	case p.Corrupt:
		f.Corrupt++
	case p.Copies == 0:
		f.Lost++
	case p.Copies > 1:
		f.Doubled++
	}
	if p.Again {
		f.Again++
	}
}

func (f *Fold) count() uint64 {
	return f.Segments[0] + f.Segments[1] + f.Acks[0] + f.Acks[1]
}

// lines are the text of a fold, for that many columns: what went each way, and
// what went wrong.
func (f *Fold) lines(p *pen, columns int) []string {
	var lines []string
	for s, n := range f.Segments {
		if n > 0 {
			lines = append(lines, p.sent(s, Count(n)+plural(n, " segment")+", "+Size(f.Bytes[s])))
		}
	}
	for s, n := range f.Acks {
		if n > 0 {
			lines = append(lines, p.sent(s, Count(n)+plural(n, " acknowledgement")))
		}
	}
	var wrong []string
	for _, w := range []struct {
		n    uint64
		text string
	}{{f.Lost, " lost"}, {f.Corrupt, " damaged"}, {f.Doubled, " doubled"}, {f.Again, " sent again"}} {
		if w.n > 0 {
			wrong = append(wrong, Count(w.n)+w.text+",")
		}
	}
	if n := len(wrong); n > 0 {
		wrong[n-1] = strings.TrimSuffix(wrong[n-1], ",")
	}
	lines = append(lines, fill(nil, columns-4, wrong)...)
	lines[0] = p.ellipsis + " " + lines[0] + " " + p.ellipsis
	return lines
}

// sent puts an arrow at the side to which something went.
func (p *pen) sent(from int, s string) string {
	if from == int(Left) {
		return s + " " + p.heads[from]
	}
	return p.heads[from] + " " + s
}

func plural(n uint64, s string) string {
	if n == 1 {
		return s
	}
	return s + "s"
}

// run is a stretch of segments that neither open nor close: the first few, a
// fold, and the last few. It folds only what would take more rows than the
// fold itself.
type run struct {
	head, tail []shown
	fold       Fold
}

// leastFold is how many segments a fold stands for at least.
const leastFold = 3

func (r *run) add(p shown, head, tail int) {
	if len(r.head) < head {
		r.head = append(r.head, p)
		return
	}
	r.tail = append(r.tail, p)
	switch {
	case r.fold.count() > 0:
		r.foldFirst(1)
	case len(r.tail) == tail+leastFold:
		r.foldFirst(leastFold)
	}
}

func (r *run) foldFirst(n int) {
	for i := range r.tail[:n] {
		r.fold.add(&r.tail[i])
	}
	r.tail = append(r.tail[:0], r.tail[n:]...)
}

// foldAt is a fold and how many packets are shown before it.
type foldAt struct {
	Fold
	before int
}

// flush ends the run.
func (b *Builder) flush() {
	b.shown = append(b.shown, b.run.head...)
	if b.run.fold.count() > 0 {
		b.folds = append(b.folds, foldAt{b.run.fold, len(b.shown)})
	}
	b.shown = append(b.shown, b.run.tail...)
	b.run = run{}
}
