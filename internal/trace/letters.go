package trace

import (
	"strconv"
	"strings"

	"estab/internal/wire"
)

// Letters names the sequence numbers as textbooks do: x and y are the initial
// ones of the left and of the right end; u is that of the first FIN, v that of
// the segment which acknowledges it, w that of the other FIN. When the pair is
// used again the new initial numbers are x′ and y′, and so on.
func (l *Ladder) Letters() {
	n := namer{base: [2]letter{{name: "x"}, {name: "y"}}}
	for i := range l.Rows {
		r := &l.Rows[i]
		if r.Kind != RowArrow {
			continue
		}
		if r.Mark&MarkArrives != 0 && r.Packet > 0 {
			if d := l.departure(r.Packet); d != nil && d.Seg.SeqName != "" {
				r.Seg.SeqName, r.Seg.AckName = d.Seg.SeqName, d.Seg.AckName
				continue
			}
		}
		n.name(r)
	}
}

// departure is the row in which a packet left.
func (l *Ladder) departure(packet int) *Row {
	for i := range l.Rows {
		if r := &l.Rows[i]; r.Packet == packet && r.Mark&MarkArrives == 0 {
			return r
		}
	}
	return nil
}

// letter is a sequence number that has a name.
type letter struct {
	name string
	at   uint64 // since the initial sequence number
}

// namer follows a conversation and knows the letters so far.
type namer struct {
	base   [2]letter   // of each end: x, y
	close  [2][]letter // then u, or v and w, in order
	which  [2]int      // of the pair's connections
	first  Side        // who sent the first FIN
	closed bool        // somebody did
}

func (n *namer) name(r *Row) {
	me, peer := r.From, r.From.Other()
	s := &r.Seg
	if s.Flags.Any(wire.SYN) && s.seqOf > n.which[me] {
		n.which[me] = s.seqOf
		n.close, n.closed = [2][]letter{}, false
	}
	end := s.RelSeq + uint64(s.Len)
	switch {
	case s.Flags.Any(wire.FIN) && !n.closed:
		n.closed, n.first = true, me
		n.add(me, "u", end)
	case n.closed && me != n.first:
		if s.Flags.Any(wire.FIN) {
			n.add(me, "w", end)
		} else if u := n.close[peer]; len(n.close[me]) == 0 && len(u) > 0 && s.RelAck > u[0].at {
			n.add(me, "v", s.RelSeq)
		}
	}
	s.SeqName = n.text(me, s.seqOf, s.RelSeq, s.Flags.Any(wire.FIN) && s.Len == 0)
	s.AckName = n.text(peer, s.ackOf, s.RelAck, true)
}

func (n *namer) add(s Side, name string, at uint64) {
	for _, k := range n.close[s] {
		if k.name == name {
			return
		}
	}
	n.close[s] = append(n.close[s], letter{name, at})
}

// text is a number as a letter and what is to be added. Where two letters name
// the same number the last is taken if late, otherwise the first.
func (n *namer) text(s Side, which int, rel uint64, late bool) string {
	best := letter{name: n.base[s].name + strings.Repeat("′", which)}
	if which == n.which[s] {
		for _, k := range n.close[s] {
			if k.at <= rel && (k.at > best.at || late) {
				best = k
			}
		}
	}
	if rel == best.at {
		return best.name
	}
	return best.name + "+" + strconv.FormatUint(rel-best.at, 10)
}
