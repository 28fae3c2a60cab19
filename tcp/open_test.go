package tcp

import (
	"testing"
	"time"
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
