package lab

import (
	"cmp"
	"slices"
	"strconv"

	"estab/internal/trace"
	"estab/tcp"
)

// Segment is a packet of A or B as a ladder tells it.
type Segment struct {
	Packet
	Label trace.Label
	Again bool // it had been sent before
	Fold  int  // which of the ladder's folds it is in, from 0; -1: it has a row

	// When it left, and when it and its double arrived, in the order of all
	// that happened in the world. Where no event tells of it, it is a fraction
	// more than the order of what was before.
	Order  float64
	Orders [2]float64
}

// Segments are the segments of the conversation that a world tells, and the
// folds of its ladder.
func (r *Run) Segments(p *Play) ([]Segment, []trace.Fold) {
	if !p.pictured() {
		return nil, nil
	}
	l := r.raw(p, 1<<30, 1<<30)
	l.Letters()
	index := p.departures()
	var all []Segment
	for i := range l.Rows {
		row := &l.Rows[i]
		if row.Kind == trace.RowArrow && row.Mark&trace.MarkArrives == 0 {
			all = append(all, Segment{Label: row.Seg, Again: row.Mark&trace.MarkRetransmit != 0, Fold: -1, Packet: p.packetOf(l, row, index)})
		}
	}
	p.order(all)
	slices.SortStableFunc(all, func(a, b Segment) int { return cmp.Compare(a.Order, b.Order) })
	return all, fold(all, r.ladder(p))
}

// order finds when segments left and arrived among all events, and what became
// of them.
func (p *Play) order(all []Segment) {
	events, arrivals := p.merged(), p.arrivals()
	left := map[departure][]int{}
	for _, e := range events {
		if e.Kind == tcp.EventOut {
			d := departure{trace.Side(e.host), e.Time, e.Seg}
			left[d] = append(left[d], e.order)
		}
	}
	// before is the order of what was last before, or at, a time.
	before := func(t tcp.Time) float64 {
		i, _ := slices.BinarySearchFunc(events, t, func(e hostEvent, t tcp.Time) int {
			if e.Time > t {
				return 1
			}
			return -1
		})
		last := 0
		for _, e := range events[:i] {
			last = max(last, e.order)
		}
		return float64(last)
	}
	for i := range all {
		s := &all[i]
		d := departure{s.From, s.Time, s.Seg}
		if n := left[d]; len(n) > 0 {
			s.Order, left[d] = float64(n[0]), n[1:]
		} else {
			s.Order = before(s.Time) + 0.25
		}
		came := arrivals.of(&s.Packet)
		s.Dropped, s.DoubleDropped = came[0].reason, came[1].reason
		for c := range s.Copies {
			if s.Orders[c] = float64(came[c].order); came[c].order == 0 {
				s.Orders[c] = before(s.Arrive[c]) + 0.75
			}
		}
	}
}

// departure finds packets by what a ladder knows of them.
type departure struct {
	from trace.Side
	at   tcp.Time
	seg  tcp.SegHeader
}

// departures are the packets, as indices; those that look the same in order.
func (p *Play) departures() map[departure][]int {
	index := map[departure][]int{}
	for i := range p.Packets {
		k := &p.Packets[i]
		d := departure{k.From, k.Time, k.Seg}
		index[d] = append(index[d], i)
	}
	return index
}

// packetOf is the packet that leaves in a row. Where there are routers the
// ladder, which is made of events, knows better than the path when it came.
func (p *Play) packetOf(l *trace.Ladder, row *trace.Row, index map[departure][]int) Packet {
	d := departure{row.From, l.Began.Add(row.Time), row.Seg.SegHeader}
	found := index[d]
	if len(found) == 0 {
		return Packet{Packet: trace.Packet{From: d.from, Time: d.at, Seg: d.seg}}
	}
	if len(found) > 1 {
		index[d] = found[1:]
	}
	k := p.Packets[found[0]]
	if p.routed() {
		k.Copies, k.Corrupt = 0, row.Mark&trace.MarkCorrupt != 0
		if row.Mark&trace.MarkLost == 0 {
			k.Copies, k.Arrive[0] = 1, l.Began.Add(row.Arrive)
		}
	}
	return k
}

// fold says of each segment in which fold of a ladder it is.
func fold(all []Segment, l *trace.Ladder) []trace.Fold {
	var folds []trace.Fold
	shown := map[*Segment]bool{}
	for i := range l.Rows {
		row := &l.Rows[i]
		switch {
		case row.Kind == trace.RowFold:
			folds = append(folds, *row.Fold)
		case row.Kind == trace.RowArrow && row.Mark&trace.MarkArrives == 0:
			for k := range all {
				s := &all[k]
				if !shown[s] && s.From == row.From && s.Time == l.Began.Add(row.Time) && s.Seg == row.Seg.SegHeader {
					shown[s] = true
					break
				}
			}
		}
	}
	for k := range all {
		for n := range folds {
			if !shown[&all[k]] && all[k].Time >= folds[n].First && all[k].Time <= folds[n].Last {
				all[k].Fold = n
			}
		}
	}
	return folds
}

// ID names a segment as faults do: A:2.
func (s *Segment) ID() string { return string(rune('A'+s.From)) + ":" + strconv.Itoa(s.Nth) }

// Text is the segment's data.
func (s *Segment) Text() []byte { return s.Data[max(len(s.Data)-int(s.Label.Len), 0):] }
