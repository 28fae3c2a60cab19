package tcp

import (
	"testing"
	"time"

	"estab/internal/wire"
)

// Figure 6: the three segments of a handshake, seen from both ends.
func TestThreeWayHandshake(t *testing.T) {
	r := newRig(t, Config{})
	r.open(ConnConfig{})
	r.want("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 3600000 ecr 0,wscale 7>")
	r.wantState(StateSynSent)
	r.advance(30 * ms)
	r.in("S. 0:0(0) ack 1 win 5000 <mss 1400,sackOK,TS val 7 ecr 3600000,wscale 2>")
	r.want(". 1:1(0) ack 1 win 512 <TS val 3600030 ecr 7>")
	r.wantState(StateEstablished)
	if ready, ok := r.e.NextReady(); !ok || ready.Conn != r.id || ready.What&(Connected|Writable) != Connected|Writable {
		t.Errorf("NextReady = %+v, %v", ready, ok)
	}

	r = newRig(t, Config{})
	r.listen(ListenOptions{Tag: 9})
	r.in("S 0:0(0) win 5000 <mss 1400,sackOK,TS val 7 ecr 0,wscale 2>")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 3600000 ecr 7,wscale 7>")
	r.wantState(StateSynReceived)
	if _, ok := r.e.NextReady(); ok {
		t.Error("somebody is ready before the handshake is complete")
	}
	r.in(". 1:1(0) ack 1 win 1250 <TS val 8 ecr 3600000>")
	r.want()
	if ready, ok := r.e.NextReady(); !ok || ready.Listener != r.lid || ready.Tag != 9 || ready.What != Acceptable {
		t.Errorf("NextReady = %+v, %v", ready, ok)
	}
	r.accept()
	if s := r.status(); s.SndWND != 5000 || s.SMSS != 1388 || !s.Passive {
		t.Errorf("%+v", s)
	}
}

// The third segment may carry text and a FIN, all taken in one input.
func TestThirdSegmentWithTextAndFin(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	r.sent = nil
	r.in("FP. 1:101(100) ack 1")
	r.want(". 1:1(0) ack 102")
	r.accept()
	r.wantState(StateCloseWait)
	r.read(100)
	r.wantErr(ErrEOF)
	r.close(-1)
	r.want("F. 1:1(0) ack 102")
	r.in(". 102:102(0) ack 2")
	r.wantGone()
}

// Text on a SYN in LISTEN is left for the peer to send again (a deviation from
// §3.10.7.2), and so it comes through.
func TestTextOnASynIsSentAgain(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:100(100)")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
	r.in(". 1:101(100) ack 1")
	r.accept()
	r.read(100)
	r.sent = nil
}

// Figure 7: both ends open at once; each goes through SYN-RECEIVED, and one
// connection results (MUST-10).
// Shows: RFC 9293 MUST-10.
func TestSimultaneousOpen(t *testing.T) {
	r := newRig(t, Config{})
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	r.advance(20 * ms)
	r.in("S 0:0(0) win 4000 <mss 1000,sackOK,TS val 5 ecr 0,wscale 3>")
	r.want("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 3600020 ecr 5,wscale 7>")
	r.wantState(StateSynReceived)
	r.advance(20 * ms)
	r.in("S. 0:0(0) ack 1 win 4000 <mss 1000,sackOK,TS val 25 ecr 3600000,wscale 3>")
	r.wantState(StateEstablished)
	r.want(". 1:1(0) ack 1 <TS val 3600040 ecr 25>")
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.in("P. 1:11(10) ack 11 win 500 <TS val 30 ecr 3600040>")
	r.read(10)
	if w := r.status().SndWND; w != 4000 {
		t.Errorf("SND.WND %d", w)
	}
	r.sent = nil
}

// In SYN-RECEIVED after a simultaneous open the SYN,ACK is repeated, within the
// limits of a SYN.
func TestSimultaneousOpenRepeatsItsSynAck(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{SynRetries: 3})
	r.want("S 0:0(0)")
	r.in("S 0:0(0)")
	r.want("S. 0:0(0) ack 1")
	r.after(time.Second, "S. 0:0(0) ack 1")
	r.after(2*time.Second, "S. 0:0(0) ack 1")
	r.after(4*time.Second, "S. 0:0(0) ack 1")
	r.after(8 * time.Second)
	r.wantErr(ErrTimeout)
}

// Text written before the handshake ended goes out with its third segment or
// right behind it.
func TestTextBeforeTheHandshakeEnds(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	r.write(1500)
	r.want()
	r.in("S. 0:0(0) ack 1 <mss 1000>")
	r.want(". 1:1001(1000) ack 1", "P. 1001:1501(500) ack 1")
}

// Two engines that open towards each other at once, over the whole range of
// sequence numbers.
func TestSimultaneousOpenOfTwoEngines(t *testing.T) {
	for _, iss := range []Num{0, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		p := newDuo(t, Config{}, Config{Secret: [32]byte{7}})
		p.a.tup = testTuple4
		p.now = Time(uint32(iss-Num(testTuple4.Hash(p.a.e.keys.iss)))) * 4000
		p.delay = 10 * ms
		p.a.open(testTuple4)
		p.b.open(testTuple4.Swap())
		p.run(200 * ms)
		for _, end := range []*end{p.a, p.b} {
			if st := end.status().State; st != StateEstablished {
				t.Fatalf("ISS %d: %v", iss, st)
			}
		}
		p.transfer(p.a, p.b, 5000)
		p.transfer(p.b, p.a, 5000)
	}
}

// A socket that connects to itself opens simultaneously with itself: with one
// engine at both ends of a loopback that works (the layer below drops LAND
// packets that come from a wire).
func TestSelfConnection(t *testing.T) {
	e := newEngine(t, Config{})
	tup := testTuple4
	tup.Remote, tup.RemotePort = tup.Local, tup.LocalPort
	id, err := e.Open(0, OpenOptions{Tuple: tup})
	if err != 0 {
		t.Fatal(err)
	}
	l := &loop{e: e}
	l.run(0)
	if s, _ := e.Status(0, id); s.State != StateEstablished || s.ISS != s.IRS {
		t.Fatalf("%v, ISS %d, IRS %d", s.State, s.ISS, s.IRS)
	}
	want := text(1, 3000, true)
	e.Send(0, id, want, 0)
	l.run(1e9)
	got := make([]byte, 4000)
	n, _ := e.Receive(1e9, id, got, 0)
	if string(got[:n]) != string(want) {
		t.Errorf("%d bytes came back", n)
	}
	e.Shutdown(1e9, id)
	l.run(2e9)
	e.Close(2e9, id, -1)
	l.run(200e9)
	if c := e.Counts(); c.Conns+c.TimeWait+c.Timers+c.Slabs != 0 {
		t.Errorf("left: %+v", c)
	}
	if err := e.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

// loop gives everything that an engine sends back to it.
type loop struct {
	e *Engine
	q []*Segment
	n int
}

func (l *loop) Emit(seg *Segment) bool {
	l.n++
	l.q = append(l.q, copySegment(seg))
	return true
}

func (l *loop) run(now Time) {
	for {
		l.e.Output(now, l)
		if len(l.q) == 0 {
			if at := l.e.NextDeadline(); at <= now {
				l.e.Advance(now)
				continue
			}
			return
		}
		if l.n > 10_000 {
			panic("the loop does not end")
		}
		seg := l.q[0]
		l.q = l.q[1:]
		seg.Tuple = seg.Tuple.Swap()
		l.e.Input(now, seg)
	}
}

// More SYNs than records: the table stays at its limit, what is over it is
// dropped and counted, and everything is given back (HOSTILE 1). Cookies and
// eviction, which would answer, have tests of their own.
func TestSynFlood(t *testing.T) {
	cfg := plain()
	cfg.MaxHalfOpen = 100
	cfg.Defence = Defence{NoCookies: true, NoEviction: true, NoPressure: true, NoSources: true}
	r := newRig(t, cfg)
	r.listen(ListenOptions{})
	for i := range 1000 {
		r.tup.RemotePort = uint16(i)
		r.in("S 0:0(0)")
	}
	if n := r.e.Counts().HalfOpen; n != 100 || len(r.sent) != 100 {
		t.Errorf("%d records, %d SYN,ACKs", n, len(r.sent))
	}
	r.dropped(wire.DropBacklog, 900)
	r.sent = nil
	r.advance(15*time.Second - 1)
	if n := r.e.Counts().HalfOpen; n != 100 || len(r.sent) != 300 {
		t.Errorf("%d records, %d repeats", n, len(r.sent))
	}
	r.advance(1)
	r.sent = nil
	r.wantGone()
	r.in("S 0:0(0)") // and there is room again
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
}

// A SYN that is repeated makes no second record (HOSTILE 43).
func TestRepeatedSynMakesOneRecord(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	for range 10_000 {
		r.in("S 0:0(0)")
	}
	if n := r.e.Counts().HalfOpen; n != 1 {
		t.Errorf("%d records", n)
	}
	r.sent = nil
}

// The accept queue is full when the handshake completes: the record stays, its
// SYN,ACK is repeated, and the peer's answer to that completes it once there is
// room (HOSTILE 42).
func TestAcceptQueueFullKeepsTheRecord(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{Backlog: 1})
	tups := [2]Tuple{r.tup, r.tup}
	tups[1].RemotePort++
	var iss [2]Num
	for i := range 2 {
		r.tup = tups[i]
		r.in("S 0:0(0) <mss 1000>")
		iss[i] = r.sent[i].Seq
	}
	r.sent = nil
	for i := range 2 {
		r.tup, r.iss = tups[i], iss[i]
		r.in(". 1:1(0) ack 1")
	}
	r.want()
	r.wantState(StateSynReceived)
	r.dropped(wire.DropAcceptQueue, 1)
	r.after(time.Second, "S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1") // still no room
	r.wantState(StateSynReceived)
	r.in("P. 1:11(10) ack 1") // text does not help either
	r.want()
	if _, err := r.e.Accept(r.now, r.lid); err != 0 {
		t.Fatal(err)
	}
	r.after(2*time.Second, "S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
	r.wantState(StateEstablished)
	r.in("P. 1:11(10) ack 1")
	r.accept()
	r.read(10)
	r.sent = nil
}

// SYNs are dropped while the accept queue is full.
func TestAcceptQueueFullDropsSyns(t *testing.T) {
	r := newRig(t, plain())
	r.serve(ListenOptions{Backlog: 1}, "<mss 1000>")
	for i := range 5 {
		r.tup.RemotePort = uint16(i)
		r.in("S 0:0(0)")
		if i > 0 {
			continue
		}
		r.iss = r.sent[0].Seq
		r.sent = nil
		r.in(". 1:1(0) ack 1") // fills the queue
	}
	r.want()
	r.dropped(wire.DropAcceptQueue, 4)
}

// DeferAccept: the handshake's bare ACK is not enough, the first text is; the
// SYN,ACK is not repeated meanwhile.
func TestDeferAccept(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{DeferAccept: 10 * time.Second})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
	r.wantState(StateSynReceived)
	r.advance(5 * time.Second)
	r.want()
	if _, ok := r.e.NextReady(); ok {
		t.Error("the listener is ready")
	}
	r.in("P. 1:11(10) ack 1")
	r.want(". 1:1(0) ack 11")
	r.accept()
	r.read(10)
}

// After its time a connection is accepted without text: the SYN,ACK is repeated
// and its answer completes the handshake.
func TestDeferAcceptRunsOut(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{DeferAccept: 2 * time.Second})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
	r.after(3*time.Second, "S. 0:0(0) ack 1") // the repeat at 1 s is left out
	r.in(". 1:1(0) ack 1")
	r.accept()
	r.wantState(StateEstablished)
}

// A peer that completed the handshake and waits for longer than SYN,ACKs are
// repeated is not forgotten before DeferAccept is over.
func TestDeferAcceptLongerThanTheRepeats(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{DeferAccept: 30 * time.Second})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
	r.advance(25 * time.Second)
	r.in("P. 1:11(10) ack 1")
	r.wantState(StateEstablished)
	r.accept()
	r.read(10)
	r.sent = nil
}

// A listener that goes takes its half-open connections along without a word,
// and resets those that nobody accepted.
func TestUnlisten(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	r.sent = nil
	r.in(". 1:1(0) ack 1")
	other := r.tup
	other.RemotePort++
	r.tup, other = other, r.tup
	r.in("S 0:0(0)")
	r.sent = nil
	r.e.Unlisten(r.now, r.lid)
	r.tup = other
	r.output()
	r.want("R. 1:1(0) ack 1")
	r.wantGone()
	if _, err := r.e.Accept(r.now, r.lid); err != ErrNoConnection {
		t.Errorf("Accept = %v", err)
	}
}

// A listener at one address is asked before one at every address of the family,
// and that before one at every address; what would leave a new listener nothing
// is a conflict.
func TestListenersOfOnePort(t *testing.T) {
	e := newEngine(t, Config{})
	listen := func(a wire.Addr) Error { _, err := e.Listen(0, ListenOptions{Addr: a, Port: 80}); return err }
	for _, x := range []struct {
		a    wire.Addr
		want Error
	}{
		{Any4, 0}, {Any4, ErrInUse}, {Any, ErrInUse}, {Any6, 0}, {testTuple4.Local, 0}, {testTuple4.Local, ErrInUse}, {testTuple6.Local, 0},
	} {
		if got := listen(x.a); got != x.want {
			t.Errorf("Listen(%v) = %v, want %v", x.a, got, x.want)
		}
	}
	at := func(a wire.Addr) wire.Addr {
		l := e.listenerFor(&Tuple{Local: a, LocalPort: 80})
		return l.opts.Addr
	}
	other := testTuple4.Remote
	if at(testTuple4.Local) != testTuple4.Local || at(other) != Any4 || at(testTuple6.Remote) != Any6 || at(testTuple6.Local) != testTuple6.Local {
		t.Error("the wrong listener is found")
	}
	if _, err := e.Listen(0, ListenOptions{}); err != ErrInvalid {
		t.Errorf("port 0: %v", err)
	}
}

// The same pair of sockets on two links is two flows (fe80::1 is somebody else on
// each), in every size of connection.
func TestZonesAreKeptApart(t *testing.T) {
	r := newRig(t, plain())
	r.tup = testTuple6
	r.listen(ListenOptions{})
	zones := []uint32{0, 1, 2, 65535}
	var iss [4]Num
	for i, z := range zones {
		r.tup.Zone = z
		r.in("S 0:0(0)")
		iss[i] = r.sent[0].Seq
		r.sent = nil
	}
	if n := r.e.Counts().HalfOpen; n != 4 {
		t.Fatalf("%d records", n)
	}
	for i, z := range zones {
		r.tup.Zone, r.iss = z, iss[i]
		r.in(". 1:1(0) ack 1")
		r.accept()
		r.wantState(StateEstablished)
		r.shutdown()
		r.want("F. 1:1(0) ack 1")
		r.in("F. 1:1(0) ack 2")
		r.want(". 2:2(0) ack 2")
		r.close(-1)
	}
	for i, z := range zones {
		r.tup.Zone, r.iss = z, iss[i]
		r.wantState(StateTimeWait)
		r.in("F. 1:1(0) ack 2")
		r.want(". 2:2(0) ack 2")
	}
	if iss[0] == iss[1] || iss[1] == iss[2] {
		t.Error("zones share an ISS")
	}
}
