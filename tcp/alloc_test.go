package tcp

import (
	"testing"
	"time"
)

// A post is a wire between two engines that allocates nothing itself: what one
// end sends lies in slabs of the other end's pool until it is read.
type post struct {
	e    [2]*Engine
	id   [2]ConnID
	lid  ListenerID
	now  Time
	q    [2][]Segment // for each engine
	box  [2]postbox
	buf  []byte
	sent int
}

// postbox is the link of one end.
type postbox struct {
	p  *post
	to int
}

func (b *postbox) Emit(seg *Segment) bool {
	s := *seg
	s.Tuple, s.Hash, s.Rest = s.Tuple.Swap(), 0, nil
	if n := seg.DataLen(); n > 0 {
		slab := b.p.e[b.to].Pool().Get(n)
		slab.Append(seg.Payload)
		for _, q := range seg.Rest {
			slab.Append(q)
		}
		s.Payload, s.Slab = slab.Bytes(), slab
	}
	b.p.q[b.to] = append(b.p.q[b.to], s)
	b.p.sent++
	return true
}

func newPost(t testing.TB, cfg Config) *post {
	p := &post{now: Time(time.Hour), buf: make([]byte, 64<<10)}
	p.box = [2]postbox{{p, 1}, {p, 0}}
	p.e = [2]*Engine{newEngine(t, cfg), newEngine(t, cfg)}
	var err Error
	if p.lid, err = p.e[1].Listen(p.now, ListenOptions{Port: testTuple4.RemotePort}); err != 0 {
		t.Fatal(err)
	}
	return p
}

// settle delivers until nothing is left to deliver.
func (p *post) settle() {
	for {
		for i, e := range p.e {
			e.Output(p.now, &p.box[i])
		}
		if len(p.q[0])+len(p.q[1]) == 0 {
			return
		}
		for i, e := range p.e {
			for k := range p.q[i] {
				seg := &p.q[i][k]
				e.Input(p.now, seg)
				if seg.Slab != nil {
					e.Pool().Put(seg.Slab)
				}
			}
			p.q[i] = p.q[i][:0]
		}
		p.now = p.now.Add(20 * time.Microsecond)
	}
}

func (p *post) open(t testing.TB) {
	var err Error
	if p.id[0], err = p.e[0].Open(p.now, OpenOptions{Tuple: testTuple4}); err != 0 {
		t.Fatal(err)
	}
	p.settle()
	if p.id[1], err = p.e[1].Accept(p.now, p.lid); err != 0 {
		t.Fatal(err)
	}
	for i, e := range p.e {
		e.SetNoDelay(p.now, p.id[i], true)
	}
}

// exchange sends n bytes from one end to the other.
func (p *post) exchange(t testing.TB, from, n int) {
	for sent, got := 0, 0; got < n; {
		if sent < n {
			k, err := p.e[from].Send(p.now, p.id[from], p.buf[:min(n-sent, len(p.buf))], 0)
			if err != 0 {
				t.Fatalf("Send: %v", err)
			}
			sent += k
		}
		p.settle()
		for {
			k, err := p.e[1-from].Receive(p.now, p.id[1-from], p.buf, 0)
			if err != 0 {
				t.Fatal(err)
			}
			if got += k; k == 0 {
				break
			}
		}
		p.settle()
		for _, e := range p.e {
			for _, ok := e.NextReady(); ok; _, ok = e.NextReady() {
			}
		}
	}
}

// Steady-state transfer allocates nothing per segment, in bulk or small, in one
// direction or both.
func TestTransferAllocatesNothing(t *testing.T) {
	for name, cfg := range map[string]Config{"defaults": {}, "plain": plain(), "slow path": {NoFastPath: true}} {
		p := newPost(t, cfg)
		p.open(t)
		for range 200 { // buffers, rings and windows reach their size
			p.exchange(t, 0, 64<<10)
			p.exchange(t, 1, 64<<10)
		}
		for what, f := range map[string]func(){
			"64 KiB one way":  func() { p.exchange(t, 0, 64<<10) },
			"64 KiB back":     func() { p.exchange(t, 1, 64<<10) },
			"one byte":        func() { p.exchange(t, 0, 1) },
			"a byte each way": func() { p.exchange(t, 0, 1); p.exchange(t, 1, 1) },
		} {
			before := p.sent
			if n := testing.AllocsPerRun(50, f); n != 0 {
				t.Errorf("%s, %s: %v allocations for %d segments", name, what, n, (p.sent-before)/51)
			}
		}
	}
}

// SEND and RECEIVE by themselves allocate nothing.
func TestSendAndReceiveAllocateNothing(t *testing.T) {
	p := newPost(t, Config{})
	p.open(t)
	p.exchange(t, 0, 64<<10)
	send, receive := 0.0, 0.0
	for range 20 {
		send += testing.AllocsPerRun(1, func() { p.e[0].Send(p.now, p.id[0], p.buf[:1000], 0) })
		p.settle()
		receive += testing.AllocsPerRun(1, func() { p.e[1].Receive(p.now, p.id[1], p.buf[:900], 0) })
		p.settle()
	}
	if send != 0 || receive != 0 {
		t.Errorf("SEND allocates %v times, RECEIVE %v", send/20, receive/20)
	}
}

// A connection that is opened, used and closed allocates at most 8 times at
// both ends together, and usually not at all: TCBs, records and buffers come
// from free lists.
func TestOpenUseCloseAllocations(t *testing.T) {
	for name, cfg := range map[string]Config{"with TIME-WAIT": {MSL: time.Millisecond}, "without": {MSL: -1}} {
		p := newPost(t, cfg)
		once := func() {
			p.open(t)
			p.exchange(t, 0, 100)
			p.exchange(t, 1, 100)
			p.e[0].Close(p.now, p.id[0], -1)
			p.settle()
			p.e[1].Close(p.now, p.id[1], -1)
			p.settle()
			p.now = p.now.Add(10 * time.Millisecond)
			for _, e := range p.e {
				e.Advance(p.now)
				for _, ok := e.NextReady(); ok; _, ok = e.NextReady() {
				}
			}
		}
		for range 50 {
			once()
		}
		n := testing.AllocsPerRun(200, once)
		t.Logf("%s: %v allocations", name, n)
		if n > 8 {
			t.Errorf("%s: %v allocations", name, n)
		}
		for _, e := range p.e {
			if c := e.Counts(); c.Conns+c.TimeWait+c.HalfOpen+c.Slabs != 0 {
				t.Errorf("%s: left %+v", name, c)
			}
		}
	}
}

// What nobody asked for costs nothing either: hostile segments in every state
// are answered without an allocation (HOSTILE 2).
func TestHostileSegmentsAllocateNothing(t *testing.T) {
	for state := range refNXT {
		r := refState(t, state, refVariant{})
		if r.lid == 0 {
			r.listen(ListenOptions{})
		}
		segs := []*Segment{
			r.seg("R 5:5(0)"), r.seg("S 5:5(0)"), r.seg(". 5:15(10) ack 9999"), r.seg(". 100000:100010(10) ack 1"), r.seg("- 1:11(10)"),
			r.seg("SF 5:5(0)"),
		}
		for _, s := range segs {
			s.Hash = r.e.Hash(&s.Tuple)
		}
		other := *segs[2]
		other.RemotePort, other.Hash = 99, 0
		segs = append(segs, &other)
		drain := sinkFunc(func(*Segment) bool { return true })
		c := new(Segment)
		play := func() {
			for _, s := range segs {
				*c = *s
				r.e.Input(r.now, c)
			}
			r.e.Output(r.now, drain)
			r.now++
		}
		for range 20 {
			play()
		}
		if n := testing.AllocsPerRun(50, play); n != 0 {
			t.Errorf("%s: %v allocations", state, n)
		}
		r.sent = nil
	}
}

type sinkFunc func(*Segment) bool

func (f sinkFunc) Emit(s *Segment) bool { return f(s) }
