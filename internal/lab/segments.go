package lab

import (
	"cmp"
	"slices"
	"strconv"

	"estab/internal/trace"
	"estab/internal/wire"
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

// order finds when segments left and arrived among all events.
func (p *Play) order(all []Segment) {
	type key struct {
		host, out int
		at        tcp.Time
		seg       tcp.SegHeader
	}
	events := p.merged()
	orders := map[key][]int{}
	for _, e := range events {
		k := key{host: e.host, at: e.Time, seg: e.Seg}
		switch e.Kind {
		case tcp.EventOut:
			k.out = 1
		case tcp.EventIn, tcp.EventDrop:
		default:
			continue
		}
		orders[k] = append(orders[k], e.order)
	}
	take := func(k key) float64 {
		if n := orders[k]; len(n) > 0 {
			orders[k] = n[1:]
			return float64(n[0])
		}
		i, _ := slices.BinarySearchFunc(events, k.at, func(e hostEvent, at tcp.Time) int {
			if e.Time > at {
				return 1
			}
			return -1
		})
		last := 0
		for _, e := range events[:i] {
			last = max(last, e.order)
		}
		return float64(last) + 0.75 - float64(k.out)/2
	}
	for i := range all {
		s := &all[i]
		s.Order = take(key{int(s.From), 1, s.Time, s.Seg})
		for c := range s.Copies {
			s.Orders[c] = take(key{int(s.From.Other()), 0, s.Arrive[c], s.Seg})
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
	k.Dropped, k.DoubleDropped = p.dropOf(&k, 0), p.dropOf(&k, 1)
	return k
}

// dropOf is why the receiver threw a packet, or its double, away, if it did.
func (p *Play) dropOf(k *Packet, which uint8) wire.Reason {
	if k.Copies <= which {
		return wire.Accepted
	}
	return p.drops()[dropKey{int(k.From.Other()), k.Arrive[which], k.Seg}]
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
