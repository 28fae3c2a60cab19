package tcp

import (
	"testing"
	"time"
)

// A duo is two engines and the wire between them, in virtual time.
type duo struct {
	t     testing.TB
	now   Time
	a, b  *end
	delay time.Duration // one way
	q     []flying      // in the order of arrival
	lose  func(from *end, seg *Segment) bool
	calm  bool // no invariants after each segment: for long runs
}

// end is one of the two engines, and its end of the connection.
type end struct {
	p    *duo
	e    *Engine
	peer *end
	tup  Tuple
	id   ConnID
	lid  ListenerID
}

type flying struct {
	at  Time
	to  *end
	seg *Segment
}

func newDuo(t testing.TB, a, b Config) *duo {
	p := &duo{t: t, now: Time(time.Hour)}
	p.a, p.b = &end{p: p, e: newEngine(t, a)}, &end{p: p, e: newEngine(t, b)}
	p.a.peer, p.b.peer = p.b, p.a
	return p
}

// connected is a duo with an open connection; a opened it.
func connected(t testing.TB, a, b Config, ac, bc ConnConfig) *duo {
	t.Helper()
	p := newDuo(t, a, b)
	lid, err := p.b.e.Listen(p.now, ListenOptions{Port: testTuple4.RemotePort, Conn: bc})
	if err != 0 {
		t.Fatal(err)
	}
	p.b.lid = lid
	p.connect(ac)
	return p
}

func (p *duo) connect(ac ConnConfig) {
	p.t.Helper()
	id, err := p.a.e.Open(p.now, OpenOptions{Tuple: testTuple4, Conn: ac})
	if err != 0 {
		p.t.Fatal(err)
	}
	p.a.id, p.a.tup = id, testTuple4
	p.run(3*p.delay + 1)
	if p.b.id, err = p.b.e.Accept(p.now, p.b.lid); err != 0 {
		p.t.Fatal(err)
	}
	p.b.tup = testTuple4.Swap()
}

func (d *end) open(t Tuple) {
	d.p.t.Helper()
	id, err := d.e.Open(d.p.now, OpenOptions{Tuple: t})
	if err != 0 {
		d.p.t.Fatal(err)
	}
	d.id, d.tup = id, t
}

func (d *end) status() Status {
	d.p.t.Helper()
	s, err := d.e.Status(d.p.now, d.id)
	if err != 0 {
		d.p.t.Fatal(err)
	}
	return s
}

// Emit implements Sink.
func (d *end) Emit(seg *Segment) bool {
	p := d.p
	if p.lose != nil && p.lose(d, seg) {
		return true
	}
	c := copySegment(seg)
	c.Tuple = c.Tuple.Swap()
	p.q = append(p.q, flying{p.now.Add(p.delay), d.peer, c})
	return true
}

func copySegment(seg *Segment) *Segment {
	c := *seg
	c.Hash, c.Slab = 0, nil
	c.Payload = append([]byte(nil), seg.Payload...)
	for _, q := range seg.Rest {
		c.Payload = append(c.Payload, q...)
	}
	c.Rest = nil
	return &c
}

func (p *duo) check() {
	if p.calm {
		return
	}
	p.t.Helper()
	for _, e := range []*Engine{p.a.e, p.b.e} {
		if err := e.CheckInvariants(); err != nil {
			p.t.Fatalf("at %v: %v", time.Duration(p.now), err)
		}
		if err := checkRecords(e); err != nil {
			p.t.Fatalf("at %v: %v", time.Duration(p.now), err)
		}
	}
}

// step runs what is due now, and then moves the clock to the next thing that
// happens, at most to end. It reports whether there was one.
func (p *duo) step(end Time) bool {
	p.a.e.Output(p.now, p.a)
	p.b.e.Output(p.now, p.b)
	at := min(p.a.e.NextDeadline(), p.b.e.NextDeadline())
	if len(p.q) > 0 {
		at = min(at, p.q[0].at)
	}
	if at > end {
		p.now = end
		return false
	}
	p.now = max(p.now, at)
	for len(p.q) > 0 && p.q[0].at <= p.now {
		f := p.q[0]
		p.q = p.q[1:]
		f.to.e.Input(p.now, f.seg)
		p.check()
	}
	p.a.e.Advance(p.now)
	p.b.e.Advance(p.now)
	p.check()
	return true
}

// run lets d pass.
func (p *duo) run(d time.Duration) {
	p.t.Helper()
	for end, n := p.now.Add(d), 0; p.step(end); n++ {
		if n > 50_000_000 {
			p.t.Fatal("the two never come to rest")
		}
	}
}

// transfer sends n bytes from one end to the other and compares them.
func (p *duo) transfer(from, to *end, n int) {
	p.t.Helper()
	buf := make([]byte, 64<<10)
	sent, got := 0, 0
	for deadline := p.now.Add(time.Hour); got < n; {
		for sent < n {
			b := buf[:min(len(buf), n-sent)]
			for i := range b {
				b[i] = pattern(Num(sent+i), true)
			}
			k, err := from.e.Send(p.now, from.id, b, 0)
			if err != 0 {
				p.t.Fatalf("Send: %v", err)
			}
			if sent += k; k == 0 {
				break
			}
		}
		p.step(deadline)
		for {
			k, err := to.e.Receive(p.now, to.id, buf, 0)
			if err != 0 {
				p.t.Fatalf("after %d of %d bytes: %v", got, n, err)
			}
			for i := range buf[:k] {
				if buf[i] != pattern(Num(got+i), true) {
					p.t.Fatalf("byte %d differs", got+i)
				}
			}
			if got += k; k == 0 {
				break
			}
		}
		if p.now >= deadline {
			p.t.Fatalf("%d of %d bytes in an hour", got, n)
		}
	}
}

// finish closes both ends and says that nothing is left of them.
func (p *duo) finish() {
	p.t.Helper()
	p.a.e.Close(p.now, p.a.id, -1)
	p.run(10*p.delay + time.Second)
	p.b.e.Close(p.now, p.b.id, -1)
	p.run(1000 * time.Second)
	for name, e := range map[string]*Engine{"a": p.a.e, "b": p.b.e} {
		if c := e.Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Orphans+c.Timers+c.Slabs != 0 {
			p.t.Errorf("%s: left %+v", name, c)
		}
		if at := e.NextDeadline(); at != Never {
			p.t.Errorf("%s: a timer is due at %v", name, time.Duration(at))
		}
	}
}
