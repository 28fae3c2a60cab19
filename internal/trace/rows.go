package trace

import (
	"cmp"
	"slices"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// moment is something at one end at one time: a packet leaves, a packet
// arrives, a state changes by itself, a note is made. A fold is a moment of
// neither end.
type moment struct {
	at     tcp.Time
	kind   momentKind
	side   Side
	packet *shown // leaving or arriving
	copy   uint8  // which of Packet.Arrive
	fold   *Fold
	text   string
	states [2][]string
	used   bool
}

type momentKind uint8

const (
	leaves momentKind = iota
	arrives
	folded
	noted
	changes
)

// rows puts all moments in order and joins each departure with its arrival
// where that tells no lie.
func (b *Builder) rows() (rows []Row, began tcp.Time) {
	all := b.moments()
	b.attachStates(&all)
	slices.SortStableFunc(all, func(x, y *moment) int { return cmp.Compare(x.at, y.at) })
	for i, m := range all {
		if m.used {
			continue
		}
		began = all[0].at
		r := Row{Time: m.at.Sub(all[0].at), From: m.side, States: m.states}
		switch m.kind {
		case leaves:
			r.arrow(m)
			r.Packet = b.number(m.packet)
			if m.packet.Copies > 0 {
				r.Arrive = m.packet.Arrive[0].Sub(began)
			}
			b.joinArrival(&r, m, all[i+1:])
		case arrives:
			r.arrow(m)
			r.From = m.side.Other()
			r.Packet, r.Arrive = b.number(m.packet), r.Time
			r.Mark |= MarkArrives
			if m.copy > 0 {
				r.Mark |= MarkDuplicate
			}
		case folded:
			r.Kind, r.Fold = RowFold, m.fold
		case noted:
			r.Kind, r.Notes = RowNote, []string{m.text}
		case changes:
			r.Kind = RowNote
		}
		rows = append(rows, r)
	}
	return rows, began
}

// number is which of the packets shown this is, from 1.
func (b *Builder) number(p *shown) int {
	for i := range b.shown {
		if &b.shown[i] == p {
			return i + 1
		}
	}
	return 0
}

func (r *Row) arrow(m *moment) {
	p := m.packet
	dropped := p.Dropped
	if m.kind == arrives && m.copy > 0 {
		dropped = p.DoubleDropped
	}
	r.Seg = p.label
	if p.Again {
		r.Mark |= MarkRetransmit
	}
	if p.Corrupt {
		r.Mark |= MarkCorrupt
		r.Notes = append(r.Notes, "damaged: bad checksum")
	} else if dropped != wire.Accepted {
		r.Mark |= MarkDropped
		r.Notes = append(r.Notes, ReasonText(dropped))
	}
}

// joinArrival makes the row of a departure that of the arrival too, if at the
// other end nothing happens between the two. Otherwise each gets its own row:
// a level arrow would put one of them on the wrong side of what lies between.
func (b *Builder) joinArrival(r *Row, m *moment, later []*moment) {
	if m.packet.Copies == 0 {
		if !m.packet.Corrupt {
			r.Mark |= MarkLost
		}
		return
	}
	for _, a := range later {
		if a.used || a.kind == folded {
			continue
		}
		if a.kind == arrives && a.packet == m.packet {
			a.used = true
			for s := range r.States {
				r.States[s] = append(r.States[s], a.states[s]...)
			}
			return
		}
		if a.side != m.side {
			break
		}
	}
	r.Mark |= MarkDeparts
	r.Mark &^= MarkCorrupt | MarkDropped
	r.Notes = nil
}

// moments lists what happened, in no order.
func (b *Builder) moments() []*moment {
	all := b.noteMoments(true)
	folds := b.folds
	for i := range b.shown {
		for ; len(folds) > 0 && folds[0].before == i; folds = folds[1:] {
			all = append(all, &moment{at: folds[0].First, kind: folded, fold: &folds[0].Fold})
		}
		p := &b.shown[i]
		all = append(all, &moment{at: p.Time, kind: leaves, side: p.From, packet: p})
		for c := range p.Copies {
			all = append(all, &moment{at: p.Arrive[c], kind: arrives, side: p.From.Other(), packet: p, copy: c})
		}
	}
	for i := range folds {
		all = append(all, &moment{at: folds[i].First, kind: folded, fold: &folds[i].Fold})
	}
	return append(all, b.noteMoments(false)...)
}

// noteMoments lists the notes that aren't hidden in a fold.
func (b *Builder) noteMoments(first bool) []*moment {
	var all []*moment
	for _, n := range b.notes {
		hidden := slices.ContainsFunc(b.folds, func(f foldAt) bool { return n.at >= f.First && n.at <= f.Last })
		if n.first == first && !hidden {
			all = append(all, &moment{at: n.at, kind: noted, side: n.side, text: n.text})
		}
	}
	return all
}

// attachStates writes each new state beside what caused it: the arrival of a
// segment, or the sending of a SYN, FIN or RST. Those that neither caused get
// a moment of their own.
func (b *Builder) attachStates(all *[]*moment) {
	var last [2]tcp.State
	var any [2]bool
	for _, c := range b.states {
		if any[c.side] && c.to == last[c.side] {
			continue // a record became a connection: nothing to see
		}
		any[c.side], last[c.side] = true, c.to
		m := b.causeOf(&c, *all)
		if m == nil {
			m = &moment{at: c.at, kind: changes, side: c.side}
			*all = append(*all, m)
		}
		m.states[c.side] = append(m.states[c.side], c.to.String())
	}
}

// slack is how far the clock of an end's events may be off that of the
// packets.
const slack = 2 * time.Millisecond

// causeOf finds the moment at which a state changed, or nil.
func (b *Builder) causeOf(c *stateChange, all []*moment) *moment {
	var best *moment
	for _, m := range all {
		if m.side != c.side || !causes(m, c) || b.exact && m.at != c.at {
			continue
		}
		if best == nil || distance(m.at, c.at) < distance(best.at, c.at) {
			best = m
		}
	}
	return best
}

// causes reports whether the change can have happened at that moment.
func causes(m *moment, c *stateChange) bool {
	switch m.kind {
	case arrives:
		s := &m.packet.Seg
		return c.caused && !m.packet.Corrupt && s.Seq == c.cause.Seq && s.Ack == c.cause.Ack && s.Flags == c.cause.Flags
	case leaves:
		f := m.packet.Seg.Flags
		near := distance(m.at, c.at) <= slack
		switch c.to {
		case tcp.StateSynSent:
			return !c.caused && f.Any(wire.SYN)
		case tcp.StateFinWait1, tcp.StateLastAck:
			return !c.caused && f.Any(wire.FIN) && near
		case tcp.StateClosed:
			return !c.caused && f.Any(wire.RST) && near
		}
	}
	return false
}

func distance(a, b tcp.Time) time.Duration { return max(a.Sub(b), b.Sub(a)) }
