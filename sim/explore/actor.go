package explore

import (
	"fmt"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// actor lets something happen to a copy of a local state.
type actor struct {
	w        *World
	segments *segments
	pairs    *pairs
	figure   *Figure
	ring     *tcp.Ring

	l      local
	out    []uint32      // segments that left
	forged []tcp.Segment // by the shim, to be taken in
	third  []tcp.Segment // and taken in
	logged int           // events logged before the first of them was
	doing  doing         // what happens, for the invariants
	rules  []stepRule
	bad    finding      // what is wrong with it
	log    *[]tcp.Event // if not nil, where the engine's events go, too
	buf    [64]byte
}

func newActor(w *World, s *segments, p *pairs, f *Figure) *actor {
	return &actor{w: w, segments: s, pairs: p, figure: f, rules: stepRules(),
		ring: tcp.NewRing(256, tcp.EventState|tcp.EventClosed|tcp.EventTimer)}
}

// begin makes a copy of l the state to work on.
func (a *actor) begin(l *local) {
	a.l, a.out, a.forged, a.bad = *l, a.out[:0], a.forged[:0], finding{}
	a.third = a.third[:0]
	a.doing = doing{w: a.w, end: l.end, was: l, before: &l.view, hops: a.doing.hops[:0]}
	if l.eng != nil {
		a.l.eng = l.eng.Clone()
		a.l.eng.SetEvents(a.ring)
	}
}

// start makes the first state of an end.
func (a *actor) start(end int) {
	a.begin(&local{end: end, now: boot})
	a.boot()
	a.finish()
}

// boot starts the host.
func (a *actor) boot() {
	c := a.w.config(a.l.end, a.l.boots)
	c.Events = a.ring
	eng, err := tcp.New(c)
	if err != nil {
		a.fail("%v", err)
		return
	}
	a.l.eng = eng
	a.l.boots++
	if a.w.Ends[a.l.end].Listens {
		a.listen()
	}
}

func (a *actor) fail(format string, args ...any) {
	if a.bad.none() {
		a.bad.why = fmt.Sprintf(format, args...)
	}
}

// deliver lets a segment arrive.
func (a *actor) deliver(g *segment) {
	if a.l.eng == nil {
		a.finish()
		return // nobody is there
	}
	a.doing.by, a.doing.seg = bySegment, &g.seg
	a.input(g.seg)
	a.finish()
}

func (a *actor) input(seg tcp.Segment) {
	if seg.Flags.Has(wire.ACK) {
		seg.Ack = a.l.num.own(seg.Ack)
	}
	a.l.eng.Input(a.l.now, &seg)
}

// fire lets the timers go off that are due.
func (a *actor) fire() {
	a.doing.by = byTimer
	if u := &a.l.user; u.pausing && u.pause <= a.l.now {
		u.pausing = false
		u.advance(false)
	}
	if u := &a.l.user; u.late && u.reads <= a.l.now {
		a.readAtLast()
	}
	if a.l.eng != nil {
		a.l.eng.Advance(a.l.now)
	}
	a.finish()
}

// finish lets the engine send, and the user read, until there is nothing more
// to do.
func (a *actor) finish() {
	for again := true; again && a.l.eng != nil; {
		a.pump()
		again = a.closeWhatIsOver()
	}
	a.passOver()
	a.l.view = a.look()
	a.l.user.now().note(&a.l.view)
	back := a.l.reused && a.l.view.state == tcp.StateTimeWait
	a.l.reused = a.l.view.state == tcp.StateSynReceived && (a.l.reused || a.doing.was.view.state == tcp.StateTimeWait)
	if v, g := &a.l.view, a.doing.seg; !back && v.state == tcp.StateTimeWait {
		// "Remain in the TIME-WAIT state. Restart the 2 MSL time-wait timeout."
		if !v.same(a.doing.before) || a.doing.before.state != v.state || g != nil && g.Flags.Has(wire.FIN) && g.End() == v.rcvNXT {
			a.l.waits = a.l.now
		}
	}
	a.l.settle(a.w, a.pairs)
	a.judge()
}

func (a *actor) pump() {
	e := a.l.eng
	for {
		e.Output(a.l.now, a)
		a.readEvents()
		if len(a.forged) > 0 {
			// A step of its own, so to say.
			v, seg := a.look(), a.forged[0]
			a.doing.before, a.doing.seg, a.forged = &v, &seg, a.forged[1:]
			if a.third = append(a.third, seg); a.log != nil && len(a.third) == 1 {
				a.logged = len(*a.log)
			}
			a.input(seg)
			continue
		}
		r, ok := e.NextReady()
		switch {
		case ok && r.Listener != 0:
			a.accept(r.Listener)
		case ok:
			a.read(r.Conn)
		case !e.Pending():
			return
		}
	}
}

// Emit is part of tcp.Sink.
func (a *actor) Emit(seg *tcp.Segment) bool {
	c := *seg
	if a.l.num.leaves(a.w.iss(a.l.end), &c, a.l.now) {
		a.doing.shrunk = true
	}
	if a.w.TwoWay && a.l.end == B && seg.Flags.Has(wire.SYN|wire.ACK) {
		a.forged = append(a.forged, third(&c))
	}
	a.out = append(a.out, a.segments.intern(a.l.end, &c))
	return true
}

// readEvents takes in what the engine tells.
func (a *actor) readEvents() {
	u := &a.l.user
	for e, ok := a.ring.Next(); ok; e, ok = a.ring.Next() {
		if a.log != nil {
			if e.HasSeg && e.Seg.Flags.Has(wire.ACK) {
				e.Seg.Ack = a.l.num.canonical(e.Seg.Ack)
			}
			*a.log = append(*a.log, e)
		}
		if e.Kind == tcp.EventState {
			d := &a.doing
			a.figure.see(&e, d.by == byCall && d.call != Abort)
			d.hops = append(d.hops, hop{e.From, e.To, d.by, d.seg})
		}
		if e.Conn == 0 || e.Conn != u.conn {
			continue
		}
		t := u.now()
		switch e.Kind {
		case tcp.EventState:
			t.state = e.To
			switch {
			case e.To == tcp.StateTimeWait:
				t.closed, t.clean, t.fin, t.una = true, true, true, t.nxt
				if t.pair != 0 {
					t.had = uint8(a.l.num.last().ack.Diff(a.pairs.all[t.pair-1][1-a.l.end]))
				}
			case e.To == tcp.StateClosed:
				t.closed = true
				if e.From == tcp.StateLastAck && a.doing.by == bySegment && !a.doing.seg.Flags.Has(wire.RST) {
					t.clean, t.una = true, t.nxt
				}
			}
		case tcp.EventClosed:
			t.err = e.Err
		}
	}
	a.refresh()
}

// refresh looks at the numbers of the connection.
func (a *actor) refresh() {
	u := &a.l.user
	if u.conn == 0 || !u.open {
		return
	}
	st, err := a.l.eng.Status(a.l.now, u.conn)
	if err != 0 {
		return
	}
	t := u.now()
	t.state, t.acked = st.State, t.acked || st.SndUNA != st.ISS
	if st.State >= tcp.StateSynReceived {
		u.agree(a.pairs.of(a.l.end, a.l.num.canonical(st.ISS), st.IRS))
	}
}

// accept takes a connection from the listener.
func (a *actor) accept(id tcp.ListenerID) {
	u := &a.l.user
	conn, err := a.l.eng.Accept(a.l.now, id)
	if err != 0 {
		return
	}
	if u.open {
		a.giveUp()
	}
	a.begins(conn, true)
	a.refresh()
	a.read(conn)
}

// begins gives the user a connection.
func (a *actor) begins(conn tcp.ConnID, serving bool) {
	u := &a.l.user
	u.begin(conn, serving)
	if late := a.w.Ends[a.l.end].Late; late > 0 {
		u.late, u.reads = true, a.l.now.Add(late)
	}
}

func (a *actor) readAtLast() {
	a.l.user.late = false
	a.read(a.l.user.conn)
}

// read takes what has come.
func (a *actor) read(id tcp.ConnID) {
	u := &a.l.user
	if id != u.conn || !u.open || u.late {
		return
	}
	t := u.now()
	for !t.eof {
		n, err := a.l.eng.Receive(a.l.now, id, a.buf[:], 0)
		switch {
		case err == tcp.ErrEOF:
			t.eof = t.err == 0
			return
		case err != 0 || n == 0:
			return
		}
		if wrong := t.take(a.buf[:n]); wrong != "" {
			a.doing.garbled = wrong
			return
		}
	}
}

// giveUp closes the user's handle.
func (a *actor) giveUp() {
	d := &a.doing
	by, call := d.by, d.call
	d.by, d.call = byCall, Close
	a.l.eng.Close(a.l.now, a.l.user.conn, -1)
	a.readEvents()
	d.by, d.call = by, call
	a.l.user.open = false
}

// closeWhatIsOver gives up a connection that is over, or with which nothing is
// left to do; it reports whether there was one.
func (a *actor) closeWhatIsOver() bool {
	u := &a.l.user
	if !u.open {
		return false
	}
	t := u.now()
	if t.closed && (t.eof || t.err != 0) || t.eof && t.shut && !u.busy(&a.w.Ends[a.l.end]) {
		a.giveUp()
		return true
	}
	return false
}

// passOver passes over steps that wait for nothing, or need a connection that
// is gone.
func (a *actor) passOver() {
	u, e := &a.l.user, &a.w.Ends[a.l.end]
	for _, serve := range [...]bool{false, true} {
		for {
			s, ok := u.next(e, serve)
			if !ok || u.pausing {
				break
			}
			t := u.now()
			switch {
			case s.ofConnection() && !u.open:
			case s.Do == Read && !u.late:
			case s.Do == Await && (t.eof || t.err != 0 || t.closed):
			case s.Do == Pause:
				u.pausing, u.pause = true, a.l.now.Add(time.Duration(s.N)*time.Millisecond)
				continue
			default:
				ok = false
			}
			if !ok {
				break
			}
			u.advance(serve)
		}
	}
}
