package lab

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// Told is a sentence of the story at its moment.
type Told struct {
	At   tcp.Time
	Text Text

	host   int
	state  tcp.State // the row in which the host enters it, for the nth time
	nth    int
	packet int // or that of this packet, from 1

	segment string // its name in faults
}

// tell finds the moments of the story. Sentences whose moment never came are
// left out. A cue is
//
//	begin, end
//	@2s                since the beginning
//	A TIME-WAIT        A enters the state
//	B sends FIN        a segment leaves; also SYN, SYN-ACK, RST, ACK, data
//	B gets RST         it arrives (not: it is lost)
//	A:2                the second segment that A sends
//	A timer persist    a timer goes off
//	A cwnd timeout     the congestion window changes, and why
//
// and may end in #2: the second time.
func (r *Run) tell(p *Play, story []Beat) []Told {
	var told []Told
	for _, b := range story {
		if x, ok := p.find(b.Cue); ok {
			x.Text = b.Text.fill(&r.Params)
			told = append(told, x)
		}
	}
	slices.SortStableFunc(told, func(a, b Told) int { return cmp.Compare(a.At, b.At) })
	return told
}

// find finds the moment of a cue.
func (p *Play) find(cue string) (Told, bool) {
	x := Told{nth: 1, state: ^tcp.State(0)}
	name, nth, ok := strings.Cut(cue, "#")
	if ok {
		x.nth, _ = strconv.Atoi(nth)
	}
	switch {
	case name == "begin":
		x.At = p.start
		return x, true
	case name == "end":
		x.At = p.End
		return x, true
	case strings.HasPrefix(name, "@"):
		d, err := parseTime(name[1:])
		x.At = p.start.Add(d)
		return x, err == nil
	}
	if host, n, ok := strings.Cut(name, ":"); ok {
		name, x.nth = host+" sends any", 1
		x.nth, _ = strconv.Atoi(n)
	}
	who, what, _ := strings.Cut(name, " ")
	x.host = int(who[0] - 'A')
	verb, object, _ := strings.Cut(what, " ")
	switch verb {
	case "sends", "gets":
		return p.findPacket(x, verb, object)
	case "timer", "cwnd":
		return p.findEvent(x, object)
	}
	for s := tcp.StateClosed; s <= tcp.StateTimeWait; s++ {
		if s.String() == what {
			c, ok := p.entered(x.host, s, x.nth)
			x.At, x.state = c.at, s
			return x, ok
		}
	}
	return x, false
}

func (p *Play) findPacket(x Told, verb, object string) (Told, bool) {
	n := 0
	for i := range p.Packets {
		k := &p.Packets[i]
		from := int(k.From)
		if verb == "gets" {
			from = 1 - from
		}
		if from != x.host || !isKind(&k.Seg, object) || verb == "gets" && k.Copies == 0 {
			continue
		}
		if n++; n == x.nth {
			x.packet, x.At = i+1, k.Time
			x.segment = string(rune('A'+k.From)) + ":" + strconv.Itoa(k.Nth)
			if verb == "gets" {
				x.At = k.Arrive[0]
			}
			return x, true
		}
	}
	return x, false
}

// findEvent finds a timer by its name, or a change of the congestion window by
// its reason.
func (p *Play) findEvent(x Told, name string) (Told, bool) {
	n := 0
	for _, e := range p.Events[x.host] {
		if e.Kind == tcp.EventTimer && e.Timer.String() == name || e.Kind == tcp.EventCwnd && e.Why.String() == name {
			if n++; n == x.nth {
				x.At = e.Time
				return x, true
			}
		}
	}
	return x, false
}

// isKind reports whether a segment is what a cue calls it.
func isKind(s *tcp.SegHeader, kind string) bool {
	f := s.Flags
	switch kind {
	case "any":
		return true
	case "SYN":
		return f.Any(wire.SYN) && !f.Any(wire.ACK)
	case "SYN-ACK":
		return f.Any(wire.SYN) && f.Any(wire.ACK)
	case "FIN":
		return f.Any(wire.FIN)
	case "RST":
		return f.Any(wire.RST)
	case "ACK":
		return !f.Any(wire.SYN|wire.FIN|wire.RST) && s.Len == 0
	case "data":
		return s.Len > 0
	}
	return false
}

// count is how many segments of a kind a host sent.
func (p *Play) count(host int, kind string) int {
	n := 0
	for i := range p.Packets {
		if k := &p.Packets[i]; int(k.From) == host && isKind(&k.Seg, kind) {
			n++
		}
	}
	return n
}

// nth is the n-th segment of a kind that a host sent, from 1; nil if there are
// fewer.
func (p *Play) nth(host int, kind string, n int) *Packet {
	for i := range p.Packets {
		if k := &p.Packets[i]; int(k.From) == host && isKind(&k.Seg, kind) {
			if n--; n == 0 {
				return k
			}
		}
	}
	return nil
}

// caption puts each sentence above the row that it is about, or below it if it
// is about the end of its arrow.
func (p *Play) caption(l *trace.Ladder, lang Lang) {
	for _, x := range p.Story {
		text := "▸ " + x.Text.In(lang)
		i := p.rowOf(l, &x)
		if i < len(l.Rows) && x.below(&l.Rows[i]) {
			i++
		}
		if i < len(l.Rows) {
			l.Rows[i].Caption = append(l.Rows[i].Caption, text)
		} else {
			l.After = append(l.After, text)
		}
	}
}

// end tells, at the ladder's end, that there was more.
func (p *Play) end(l *trace.Ladder, lang Lang) {
	if p.Cut {
		l.After = append(l.After, "▸ "+Phrase(cutText).In(lang))
	}
}

// below reports whether a moment is that of an arrival in the row of the
// departure.
func (x *Told) below(row *trace.Row) bool {
	return row.Kind == trace.RowArrow && row.Mark&(trace.MarkArrives|trace.MarkDeparts) == 0 &&
		x.aimed() && x.host != int(row.From)
}

// aimed reports whether the moment is that of a state or a packet, and not just
// a time.
func (x *Told) aimed() bool { return x.packet > 0 || x.state <= tcp.StateTimeWait }

// rowOf is the index of the row of a moment: that in which the state is
// entered, or the segment leaves or arrives; otherwise the first that is not
// earlier.
func (p *Play) rowOf(l *trace.Ladder, x *Told) int {
	at, n := x.At.Sub(l.Began), 0
	for i := range l.Rows {
		row := &l.Rows[i]
		switch {
		case x.state <= tcp.StateTimeWait:
			for _, s := range row.States[x.host] {
				if s == x.state.String() {
					if n++; n == x.nth {
						return i
					}
				}
			}
		case x.packet > 0:
			if p.isRowOf(row, &p.Packets[x.packet-1], at) {
				return i
			}
		case row.Time >= at:
			return i
		}
	}
	for i := range l.Rows {
		if x.aimed() && l.Rows[i].Time >= at {
			return i
		}
	}
	return len(l.Rows)
}

// isRowOf reports whether a packet leaves or arrives in a row, at a time.
func (p *Play) isRowOf(row *trace.Row, k *Packet, at time.Duration) bool {
	if row.Kind != trace.RowArrow || row.From != k.From || row.Seg.SegHeader != k.Seg {
		return false
	}
	arrives := row.Mark&trace.MarkDeparts == 0 && row.Arrive == at
	return arrives || row.Time == at && row.Mark&trace.MarkArrives == 0
}
