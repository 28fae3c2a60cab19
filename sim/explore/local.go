package explore

import (
	"encoding/binary"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// local is a state of one end: its engine, its user, and the time. It does not
// change; what happens to it makes another.
type local struct {
	end  int
	eng  *tcp.Engine // nil: the host is down
	now  tcp.Time
	num  numbers
	user user

	boots    uint8
	deadline time.Duration // until the next time-out; never: none
	waits    tcp.Time      // in TIME-WAIT: since the peer's FIN came last
	reused   bool          // in SYN-RECEIVED: a SYN has ended TIME-WAIT
	view     view
	facts    facts
}

const never = time.Duration(1<<63 - 1)

// facts are what the invariants and the search ask of an end.
type facts struct {
	synced pairID // the pair of the connection if it is in ESTABLISHED or beyond, and not over
	half   pairID // the pair of a half-open record, or of a TCB in SYN-RECEIVED
	rest   rest
}

// rest says whether an end has anything left to do.
type rest uint8

const (
	atWork   rest = iota
	standing      // in ESTABLISHED, its user content
	resting       // CLOSED or LISTEN
)

// next is a step of the end's user that may be taken now, if any.
func (l *local) next(w *World, serve bool) (Step, bool) {
	s, ok := l.user.next(&w.Ends[l.end], serve)
	if !ok || l.user.pausing || s.Do == Await || s.Do == Pause {
		return s, false
	}
	if l.eng == nil {
		return s, s.Do == Restart
	}
	t := l.user.now()
	if s.ofConnection() && (t == nil || !l.user.open) {
		return s, false // settle passes over it
	}
	switch s.Do {
	case Open, Cancel, Turn:
		return s, !l.user.open
	case Send, Shutdown:
		return s, t.state == tcp.StateEstablished || t.state == tcp.StateCloseWait || s.Do == Send && t.state.Synchronised() && !t.shut
	case Early:
		return s, t.state != tcp.StateSynSent
	}
	return s, true
}

// fingerprint appends what tells the state from others: the engine's own dump,
// and what that leaves out.
func (l *local) fingerprint(w *World, b []byte) []byte {
	b = append(b, byte(l.end), l.boots)
	if l.eng == nil {
		b = append(b, 'x')
	} else {
		b = l.eng.AppendState(b, l.now)
	}
	b = append(b, l.num.n)
	for i := range l.num.lives[:l.num.n] {
		x := &l.num.lives[i]
		b = binary.BigEndian.AppendUint32(b, uint32(x.iss))
		b = binary.BigEndian.AppendUint32(b, uint32(x.end))
		b = binary.BigEndian.AppendUint32(b, uint32(x.ack))
		b = binary.BigEndian.AppendUint32(b, uint32(x.edge))
	}
	if l.reused {
		b = append(b, 'r')
	}
	if l.reused || l.view.state == tcp.StateTimeWait {
		b = binary.BigEndian.AppendUint64(b, uint64(l.now-l.waits))
	}
	if l.num.n > 0 && w.draws(l.end) {
		// How far the next initial sequence number will lie from the latest.
		b = binary.BigEndian.AppendUint64(b, uint64(min(l.now-l.num.drawn, farTime)))
	}
	return l.user.fingerprint(b, l.now)
}

func (u *user) fingerprint(b []byte, now tcp.Time) []byte {
	flag := func(v bool) {
		if v {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	b = append(b, u.pc, u.spc, u.gen)
	flag(u.conn != 0)
	flag(u.listener != 0)
	flag(u.serving)
	flag(u.open)
	flag(u.late)
	if u.late {
		b = binary.BigEndian.AppendUint64(b, uint64(u.reads-now))
	}
	flag(u.pausing)
	if u.pausing {
		b = binary.BigEndian.AppendUint64(b, uint64(u.pause-now))
	}
	for _, p := range u.pairs {
		b = binary.BigEndian.AppendUint16(b, uint16(p))
	}
	for i := range u.past {
		t := &u.past[i]
		b = append(b, byte(t.pair>>8), byte(t.pair), t.sent, t.got, t.from, byte(t.err), byte(t.state), t.una, t.nxt, t.had)
		for _, v := range [...]bool{t.shut, t.eof, t.early, t.aborted, t.closed, t.clean, t.acked, t.fin} {
			flag(v)
		}
	}
	return b
}

// shift is the state after a time in which nothing happens to it.
func (l *local) shift(d time.Duration) *local {
	n := *l
	n.now = l.now.Add(d)
	if l.deadline != never {
		n.deadline = max(l.deadline-d, 0)
	}
	return &n
}

// settle finds what the search asks of the state.
func (l *local) settle(w *World, pairs *pairs) {
	l.deadline = never
	if l.user.pausing {
		l.deadline = max(l.user.pause.Sub(l.now), 0)
	}
	if l.user.late {
		l.deadline = min(l.deadline, max(l.user.reads.Sub(l.now), 0))
	}
	l.facts = facts{}
	if l.eng == nil {
		if _, ok := l.user.next(&w.Ends[l.end], false); !ok {
			l.facts.rest = resting // gone for good
		}
		return
	}
	if d := l.eng.NextDeadline(); d != tcp.Never {
		l.deadline = min(l.deadline, max(d.Sub(l.now), 0))
	}
	c := l.eng.Counts()
	if c.Conns+c.HalfOpen+c.TimeWait == 0 {
		l.num.forget()
		l.tick(w)
	}
	t := l.user.now()
	live := t != nil && !t.closed
	if live && t.acked && t.state.Synchronised() && t.state != tcp.StateTimeWait {
		l.facts.synced = t.pair
	}
	if live && t.state == tcp.StateSynReceived {
		l.facts.half = t.pair
	} else if c.HalfOpen > 0 {
		x := l.num.last()
		l.facts.half = pairs.of(l.end, x.iss, x.ack-1)
		l.user.hold(l.facts.half)
	}
	l.facts.rest = l.rest(w, c, t)
}

// tick lets the clock run on by the least that passes between two connections.
// The engine holds nothing to which time would matter.
func (l *local) tick(w *World) {
	least := l.num.drawn.Add(w.Tick)
	if w.Tick == 0 {
		least = l.num.drawn + farTime
	}
	if l.num.n == 0 || l.now >= least {
		return
	}
	l.user.pause = l.user.pause.Add(least.Sub(l.now))
	l.now = least
}

func (l *local) rest(w *World, c tcp.Counts, t *talk) rest {
	s, busy := l.user.next(&w.Ends[l.end], false)
	if busy && !(s.ofConnection() && !l.user.open) || l.user.busy(&w.Ends[l.end]) {
		return atWork
	}
	switch {
	case c.Conns+c.HalfOpen+c.TimeWait == 0:
		return resting
	case w.Stay && c.Conns == 1 && c.HalfOpen+c.TimeWait == 0 && t != nil && t.state == tcp.StateEstablished:
		return standing
	}
	return atWork
}

// pairs gives pairs of initial sequence numbers, A's and B's, numbers of their
// own.
type pairs struct {
	all []([2]tcp.Num)
}

// of is the pair that an end has, its own number first.
func (p *pairs) of(end int, iss, irs tcp.Num) pairID {
	x := [2]tcp.Num{iss, irs}
	if end == B {
		x = [2]tcp.Num{irs, iss}
	}
	for i, y := range p.all {
		if x == y {
			return pairID(i + 1)
		}
	}
	p.all = append(p.all, x)
	return pairID(len(p.all))
}

// third is the third segment of a handshake, forged for a SYN,ACK.
func third(synAck *tcp.Segment) tcp.Segment {
	return tcp.Segment{Tuple: synAck.Tuple, Seq: synAck.Ack, Ack: synAck.Seq + 1, Flags: wire.ACK, Wnd: window}
}
