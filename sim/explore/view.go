package explore

import (
	"estab/internal/wire"
	"estab/tcp"
)

// view is what an end holds of the pair of sockets, in the words of RFC 9293
// §3.3.1 and with canonical numbers: all that an invariant gets to see of an
// engine.
type view struct {
	state   tcp.State // CLOSED: nothing; LISTEN: nothing but a listener
	record  bool      // less than a TCB: half-open, or in TIME-WAIT; its numbers are those it has told
	passive bool
	pair    pairID // 0 before the peer's number is known

	iss, una, nxt    tcp.Num
	irs, rcvNXT      tcp.Num
	sndWND, rcvWND   uint32
	wl1, wl2         tcp.Num
	edge             tcp.Num // how far the windows that were offered reach
	unsent, unread   int     // bytes of the user's that were never sent; bytes its user has not taken
	finSent, finGot  bool
	finAcked         bool
	retries, persist bool // the timer of retransmissions, of zero-window probes runs
	delays           bool // that of a delayed ACK does
}

// look describes what the end holds now.
func (a *actor) look() view {
	l := &a.l
	if l.eng == nil {
		return view{}
	}
	st, err := l.eng.StatusOf(l.now, tuple(l.end))
	if err != 0 || st.State == tcp.StateClosed {
		if l.user.listener != 0 {
			return view{state: tcp.StateListen}
		}
		return view{}
	}
	v := view{state: st.State, passive: st.Passive}
	if st.SMSS == 0 {
		return a.lookAtRecord(v)
	}
	n := &l.num
	v.iss, v.una, v.nxt = n.canonical(st.ISS), n.canonical(st.SndUNA), n.canonical(st.SndNXT)
	v.irs, v.rcvNXT = st.IRS, st.RcvNXT
	v.sndWND, v.rcvWND = st.SndWND, st.RcvWND
	v.wl1, v.wl2 = st.SndWL1, n.canonical(st.SndWL2)
	if x := n.last(); x != nil {
		v.edge = x.edge
	}
	v.unsent, v.unread = st.Unsent, st.ReceiveQueue
	v.finSent, v.finAcked, v.finGot = st.FinSent, st.FinAcked, st.FinReceived
	v.retries = st.Timers[tcp.TimerRetransmit] != tcp.Never
	v.persist = st.Timers[tcp.TimerPersist] != tcp.Never
	v.delays = st.Timers[tcp.TimerDelayedAck] != tcp.Never
	if v.state >= tcp.StateSynReceived {
		v.pair = a.pairs.of(l.end, v.iss, v.irs)
	}
	return v
}

// lookAtRecord completes the view of a record, of which the engine tells the
// state only, with what its end has told last.
func (a *actor) lookAtRecord(v view) view {
	x, n := a.l.num.last(), &a.l.num
	v.record = true
	if v.state == tcp.StateTimeWait {
		// Perhaps not of the latest number: that of an OPEN that came to nothing.
		if t := a.l.user.now(); t != nil && t.pair != 0 {
			p := a.pairs.all[t.pair-1]
			if y := n.of(p[a.l.end]); y != nil && y.iss == p[a.l.end] {
				x, v.pair, v.irs = y, t.pair, p[1-a.l.end]
			}
		}
		v.finSent, v.finAcked, v.finGot = true, true, true
	}
	v.iss, v.una, v.nxt = x.iss, x.iss, x.end
	v.rcvNXT, v.rcvWND, v.edge = x.ack, uint32(x.edge.Diff(x.ack)), x.edge
	if v.state == tcp.StateTimeWait {
		v.una = v.nxt
		return v
	}
	v.irs = x.ack - 1
	v.pair = a.pairs.of(a.l.end, v.iss, v.irs)
	return v
}

// note keeps in the talk what the view says of its numbers, which outlive the
// connection.
func (t *talk) note(v *view) {
	if t == nil || v.pair == 0 || t.pair != v.pair {
		return
	}
	t.una, t.nxt, t.had = uint8(v.una.Diff(v.iss)), max(t.nxt, uint8(v.nxt.Diff(v.iss))), uint8(v.rcvNXT.Diff(v.irs))
	t.fin = v.finGot
}

// synchronised reports whether the end is in ESTABLISHED or beyond.
func (v *view) synchronised() bool { return v.state.Synchronised() }

// same reports whether w is of the same connection.
func (v *view) same(w *view) bool {
	return v.state > tcp.StateListen && w.state > tcp.StateListen && v.iss == w.iss
}

// acceptable is the test of table 6 (§3.10.7.4).
func (v *view) acceptable(g *tcp.Segment) bool {
	in := func(x tcp.Num) bool { return v.rcvNXT.LessEq(x) && x.Less(v.rcvNXT+tcp.Num(v.rcvWND)) }
	switch n := g.Len(); {
	case n == 0 && v.rcvWND == 0:
		return g.Seq == v.rcvNXT
	case n == 0:
		return in(g.Seq)
	case v.rcvWND == 0:
		return false
	default:
		return in(g.Seq) || in(g.Seq+tcp.Num(n)-1)
	}
}

// acks reports whether the segment acknowledges something that was sent and not
// yet acknowledged.
func (v *view) acks(g *tcp.Segment) bool {
	return g.Flags.Has(wire.ACK) && v.una.Less(g.Ack) && g.Ack.LessEq(v.nxt)
}

// acksFIN reports whether the segment acknowledges the end's FIN.
func (v *view) acksFIN(g *tcp.Segment) bool {
	return v.finSent && g.Flags.Has(wire.ACK) && g.Ack == v.nxt
}

// cause says what a step of an end began with.
type cause uint8

const (
	byCall cause = iota // of its user
	bySegment
	byTimer
)

// hop is a change of state that an engine told.
type hop struct {
	from, to tcp.State
	by       cause
	seg      *tcp.Segment // what came last; nil: nothing
}

// doing is a step of one end: what came, what was before and is after, and what
// left.
type doing struct {
	w       *World
	end     int
	by      cause
	call    Op           // byCall: which
	seg     *tcp.Segment // bySegment: it, with canonical numbers
	hops    []hop
	out     []*tcp.Segment
	shrunk  bool   // a segment offered less than one before
	garbled string // what was delivered, if not the next byte

	was, is       *local
	before, after *view
}

// talk is the connection of the view after the step as its user knows it; nil
// if the user knows none, or another.
func (d *doing) talk() *talk {
	t := d.is.user.now()
	if t == nil || d.after.pair == 0 || t.pair != d.after.pair {
		return nil
	}
	return t
}

// sends reports whether a segment left that has all these flags.
func (d *doing) sends(f wire.Flags) bool {
	for _, g := range d.out {
		if g.Flags.Has(f) {
			return true
		}
	}
	return false
}

// acksWith reports whether an acknowledgement of x left.
func (d *doing) acksWith(x tcp.Num) bool {
	for _, g := range d.out {
		if g.Flags.Has(wire.ACK) && !g.Flags.Has(wire.RST) && g.Ack == x {
			return true
		}
	}
	return false
}

// told reports whether the peer is told what is expected. In a world with RFC
// 5961 §7's limit an end may be silent about what has no text, or a SYN, or an ACK that can't be.
func (d *doing) told(x tcp.Num) bool {
	limited := d.w.Ends[d.end].TCP.ChallengeAckWait > 0 && (len(d.seg.Payload) == 0 || d.seg.Flags.Has(wire.SYN) || d.before.acceptable(d.seg))
	return limited || d.acksWith(x)
}

// hopped reports whether the state changed so.
func (d *doing) hopped(from, to tcp.State) bool {
	for _, h := range d.hops {
		if h.from == from && h.to == to {
			return true
		}
	}
	return false
}
