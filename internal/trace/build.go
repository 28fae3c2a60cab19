package trace

import (
	"cmp"
	"slices"
	"time"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

// Packet is a segment on its way from one end to the other.
type Packet struct {
	From          Side
	Time          tcp.Time    // when its sender gave it to the link
	Arrive        [2]tcp.Time // when it, and its double, reached the other end
	Copies        uint8       // how many reached the other end: entries of Arrive
	Corrupt       bool        // damaged on the way: the receiver will throw it away
	Dropped       wire.Reason // why the receiver threw it away, if it did
	DoubleDropped wire.Reason // and its double
	Again         bool        // a retransmission; what the numbers tell is found without
	Overtook      bool        // it overtook packets that were sent before it
	Seg           tcp.SegHeader
}

// Header is what events and ladders keep of a segment.
func Header(s *tcp.Segment) tcp.SegHeader {
	return tcp.SegHeader{Seq: s.Seq, Ack: s.Ack, Flags: s.Flags, Wnd: s.Wnd, Up: s.Up,
		Len: uint32(s.DataLen()), Options: s.Options}
}

// Builder makes a ladder of what it is told about one connection: the packets
// that crossed the wire, in the order in which they were sent, and the events
// of both ends. Where no packets are given, those that the events speak of
// take their place: what left one end and never came to the other was lost.
//
// Of packets it keeps only what the ladder will show, so that a transfer of
// any length can be told as it goes. Events are kept.
type Builder struct {
	ends   [2]End
	flow   tcp.Tuple // as the left end sees it; zero: everything
	head   int       // rows of data before a fold
	tail   int       // and after it
	stream [2]stream
	totals [2]Totals
	run    run
	shown  []shown
	folds  []foldAt
	states []stateChange
	notes  []note
	outs   [2][]*Packet // of events, in order
	sent   [2]map[tcp.SegHeader][]*Packet
	shift  [2]time.Duration
	direct bool // packets were given
	exact  bool // events and packets have one clock
	timer  [2]lastTimer
}

// lastTimer is the timer of an end that went off last, and its note.
type lastTimer struct {
	kind tcp.TimerKind
	flow tcp.Tuple
	note int // from 1; 0: none
}

// NewBuilder makes a Builder for the connection flow, as the left end sees it;
// of the zero flow, for all that it is given.
func NewBuilder(left, right End, flow tcp.Tuple) *Builder {
	b := &Builder{ends: [2]End{left, right}, flow: flow, head: 2, tail: 1}
	for s := range b.sent {
		b.sent[s] = map[tcp.SegHeader][]*Packet{}
	}
	return b
}

// Keep sets how many segments of a run of data are shown before and after
// those that are folded into one row; 2 and 1 without.
func (b *Builder) Keep(head, tail int) { b.head, b.tail = max(head, 0), max(tail, 0) }

// Exact says that events and packets have one clock: what changed a state is
// then a segment that arrived at just that time, or none.
func (b *Builder) Exact() { b.exact = true }

// Shift says how far the clock of an end's events is behind that of the
// packets.
func (b *Builder) Shift(s Side, d time.Duration) { b.shift[s] = d }

type stateChange struct {
	at       tcp.Time
	side     Side
	from, to tcp.State
	cause    tcp.SegHeader
	caused   bool
}

type note struct {
	at    tcp.Time
	side  Side
	text  string
	first bool // before what happens at the same time
}

// Event takes an event of one end.
func (b *Builder) Event(s Side, e tcp.Event) {
	if b.flow != (tcp.Tuple{}) && !b.concerns(s, e.Tuple) {
		return
	}
	e.Time = e.Time.Add(b.shift[s])
	switch e.Kind {
	case tcp.EventState:
		b.states = append(b.states, stateChange{e.Time, s, e.From, e.To, e.Seg, e.HasSeg})
		b.gaveUp(s, &e)
	case tcp.EventOut:
		p := &Packet{From: s, Time: e.Time, Seg: e.Seg, Again: e.Retransmit}
		b.outs[s] = append(b.outs[s], p)
		b.sent[s][e.Seg] = append(b.sent[s][e.Seg], p)
	case tcp.EventIn:
		b.arrived(s, e, wire.Accepted)
	case tcp.EventDrop:
		b.arrived(s, e, e.Reason)
	case tcp.EventTimer:
		if e.Timer != tcp.TimerDelayedAck {
			b.note(s, e.Time, TimerText(e.Timer), true)
			b.timer[s] = lastTimer{e.Timer, e.Tuple, len(b.notes)}
		}
	case tcp.EventBlocked:
		if e.Why == tcp.WhyZeroWindow {
			b.note(s, e.Time, WhyText(e.Why), false)
		}
	case tcp.EventICMP:
		b.note(s, e.Time, "ICMP: "+e.Err.Error(), false)
	case tcp.EventClosed:
		if e.Err != 0 {
			b.note(s, e.Time, e.Err.Error(), false)
		}
	}
}

// gaveUp corrects what was said of a timer if with it the connection ended.
func (b *Builder) gaveUp(s Side, e *tcp.Event) {
	t := &b.timer[s]
	if e.HasSeg || e.To != tcp.StateClosed && e.To != tcp.StateListen || t.note == 0 || t.flow != e.Tuple {
		return
	}
	if n := &b.notes[t.note-1]; n.at == e.Time {
		n.text = GaveUpText(t.kind)
	}
}

// Note notes something at one end that no event tells, and that was before
// what else happened at that time; NoteAfter what was after it.
func (b *Builder) Note(s Side, at tcp.Time, text string)      { b.note(s, at, text, true) }
func (b *Builder) NoteAfter(s Side, at tcp.Time, text string) { b.note(s, at, text, false) }

func (b *Builder) concerns(s Side, t tcp.Tuple) bool {
	t.Zone = b.flow.Zone
	return s == Left && t == b.flow || s == Right && t.Swap() == b.flow
}

func (b *Builder) note(s Side, at tcp.Time, text string, first bool) {
	b.notes = append(b.notes, note{at, s, text, first})
}

// arrived notes that the other end's packet came in. Of several that look the
// same the latest that has not come is meant, since the others had a reason
// to be repeated; if all have come, this is the double of one.
func (b *Builder) arrived(s Side, e tcp.Event, why wire.Reason) {
	if !e.HasSeg {
		return
	}
	var found *Packet
	for _, p := range b.sent[s.Other()][e.Seg] {
		if why != wire.Accepted && p.Copies > 0 && p.Arrive[p.Copies-1] == e.Time {
			p.Dropped = why // the arrival was told before
			return
		}
		if p.Time <= e.Time && p.Copies < 2 && (found == nil || p.Copies <= found.Copies) {
			found = p
		}
	}
	if found != nil {
		found.Arrive[found.Copies] = e.Time
		found.Copies++
		found.Dropped = why
	}
}

// Packet takes a packet.
func (b *Builder) Packet(p Packet) {
	b.direct = true
	b.take(p)
}

// stream is one direction of the connection: what its sender sent.
type stream struct {
	known    bool
	iss      seq.Num
	high     uint64 // the highest number after what was sent, since iss
	scale    uint8
	offered  bool       // a window scale in its SYN
	syn      bool       // its SYN was seen
	old      []seq.Num  // initial numbers of earlier connections of the pair
	synFlags wire.Flags // of its latest SYN
	synDone  bool       // and acknowledged
	fin      uint64     // the number after its FIN; 0: none yet
	finDone  bool

	lastAck uint64 // its latest acknowledgement, and the window with it
	lastWnd uint16
}

// whose is the initial number of the connection that n belongs to, the nearest
// below it, and which of the pair's connections that is.
func (s *stream) whose(n seq.Num) (iss seq.Num, which int) {
	iss, which = s.iss, len(s.old)
	for i, o := range s.old {
		if uint32(n-o) < uint32(n-iss) {
			iss, which = o, i
		}
	}
	return iss, which
}

// rel is n as a distance from the initial number. The high part, which streams
// of more than 4 GiB have, comes from the highest number seen.
func (s *stream) rel(n seq.Num) uint64 {
	if from, _ := s.whose(n); from != s.iss {
		return uint64(uint32(n - from))
	}
	base := s.iss + seq.Num(s.high)
	d := int64(n.Diff(base))
	if d < 0 && uint64(-d) > s.high {
		return uint64(uint32(n - s.iss))
	}
	return uint64(int64(s.high) + d)
}

// take numbers a packet and decides whether it is shown or folded.
func (b *Builder) take(p Packet) {
	me, peer := &b.stream[p.From], &b.stream[p.From.Other()]
	if !me.known {
		me.known, me.iss = true, p.Seg.Seq
		if !p.Seg.Flags.Any(wire.SYN) {
			me.iss-- // the story begins in the middle
		}
	}
	if me.known && me.syn && p.Seg.Flags.Any(wire.SYN) && p.Seg.Seq != me.iss {
		*me = stream{known: true, iss: p.Seg.Seq, old: append(me.old, me.iss)} // the pair is used again
	}
	if !peer.known && p.Seg.Flags.Any(wire.ACK) {
		peer.known, peer.iss = true, p.Seg.Ack-1
	}
	sh := shown{Packet: p, label: b.label(&p)}
	end := sh.label.RelSeq + uint64(p.Seg.Len)
	if p.Seg.Flags.Any(wire.SYN) {
		end++
		if !me.syn || me.synFlags != p.Seg.Flags {
			me.high = 0 // a SYN that became a SYN,ACK is news (simultaneous open)
		}
		me.syn, me.synFlags = true, p.Seg.Flags
	}
	if p.Seg.Flags.Any(wire.FIN) {
		end++
		me.fin = end
	}
	if end > sh.label.RelSeq && end <= me.high {
		sh.Again = true
	}
	b.totals[p.From].add(&sh, me, peer)
	me.high = max(me.high, end)
	if sh.label.Step = b.step(&sh, peer); sh.label.Step {
		b.flush()
		b.shown = append(b.shown, sh)
		return
	}
	b.run.add(sh, b.head, b.tail)
}

// step reports whether a packet is part of the story of opening and closing:
// SYN, FIN, RST and the first acknowledgement of each.
func (b *Builder) step(p *shown, peer *stream) bool {
	step := p.Seg.Flags.Any(wire.SYN | wire.FIN | wire.RST)
	if p.Seg.Flags.Any(wire.ACK) {
		if peer.syn && !peer.synDone && p.label.RelAck >= 1 {
			peer.synDone, step = true, true
		}
		if peer.fin > 0 && !peer.finDone && p.label.RelAck >= peer.fin {
			peer.finDone, step = true, true
		}
	}
	return step
}

func (b *Builder) label(p *Packet) Label {
	me, peer := &b.stream[p.From], &b.stream[p.From.Other()]
	l := Label{SegHeader: p.Seg, RelSeq: me.rel(p.Seg.Seq), Window: uint64(p.Seg.Wnd)}
	_, l.seqOf = me.whose(p.Seg.Seq)
	_, l.ackOf = peer.whose(p.Seg.Ack)
	if p.Seg.Flags.Any(wire.ACK) {
		l.RelAck = peer.rel(p.Seg.Ack)
	}
	for i, k := range p.Seg.Options.SACK[:min(int(p.Seg.Options.NSACK), wire.MaxSACKBlocks)] {
		l.RelSACK[i] = [2]uint64{peer.rel(k.Left), peer.rel(k.Right)}
	}
	if p.Seg.Flags.Any(wire.SYN) {
		// RFC 7323 §2.2: the window of a SYN is never scaled.
		me.offered = p.Seg.Options.Has(wire.OptWindowScale)
		me.scale = min(p.Seg.Options.WindowScale, 14)
	} else if me.offered && peer.offered {
		l.Window <<= me.scale
	}
	return l
}

// Ladder is what has been told so far.
func (b *Builder) Ladder() *Ladder {
	if !b.direct {
		b.replay()
	}
	b.flush()
	l := &Ladder{Ends: b.ends}
	l.Rows, l.Began = b.rows()
	for s := range l.Ends {
		if l.Ends[s].State == "" {
			l.Ends[s].State = b.first(Side(s))
		}
	}
	return l
}

// first is the state in which an end begins.
func (b *Builder) first(s Side) string {
	for _, c := range b.states {
		if c.side == s {
			return c.from.String()
		}
	}
	return ""
}

// replay takes the packets that the events speak of, in the order of their
// departures.
func (b *Builder) replay() {
	var all []*Packet
	for _, p := range b.outs {
		all = append(all, p...)
	}
	slices.SortStableFunc(all, func(x, y *Packet) int { return cmp.Compare(x.Time, y.Time) })
	b.stream, b.totals, b.shown, b.folds, b.run = [2]stream{}, [2]Totals{}, nil, nil, run{}
	for _, p := range all {
		b.take(*p)
	}
}
