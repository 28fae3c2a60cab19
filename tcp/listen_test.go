package tcp

import (
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

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

// Events tell of records too: the half-open one, what is thrown away, and the
// end of TIME-WAIT.
func TestEventsOfRecords(t *testing.T) {
	r := newRig(t, Config{NoSACK: true, NoWindowScaling: true})
	ring := NewRing(1000, EventAll)
	r.e.SetEvents(ring)
	story := func() string {
		var l []string
		for _, e := range ring.Drain(nil) {
			switch e.Kind {
			case EventState:
				l = append(l, e.From.String()+">"+e.To.String())
			case EventIn:
				l = append(l, "< "+e.Seg.Flags.String())
			case EventOut:
				l = append(l, "> "+e.Seg.Flags.String())
			case EventDrop:
				l = append(l, e.Reason.String())
			case EventTimer:
				l = append(l, "timer "+e.Timer.String())
			}
		}
		return strings.Join(l, " ")
	}
	want := func(want string) {
		t.Helper()
		if got := story(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	r.in("R 1:1(0)")
	want("closed-reset")
	r.listen(ListenOptions{})
	r.in("S 0:0(0) <mss 1000,TS val 5 ecr 0>")
	r.iss = r.sent[0].Seq
	want("< S LISTEN>SYN-RECEIVED > S.")
	r.in(". 100000:100010(10) ack 1 <TS val 5 ecr 0>")
	want("< . sequence > .")
	r.advance(time.Second)
	want("timer synack > S.")
	r.in("R 1:1(0)")
	want("< R SYN-RECEIVED>LISTEN")
	r.sent = nil

	r.in("S 0:0(0) <mss 1000,TS val 5 ecr 0>")
	r.iss = r.sent[0].Seq
	r.in(". 1:1(0) ack 1 <TS val 6 ecr 0>")
	r.accept()
	r.shutdown()
	r.in("F. 1:1(0) ack 2 <TS val 7 ecr 0>")
	r.close(-1)
	story()
	r.in("S 1:1(0) <TS val 7 ecr 0>")
	want("< S syn-challenge > .")
	r.advance(time.Minute)
	want("timer timewait TIME-WAIT>CLOSED")
	r.sent = nil
}
