package tcp

import (
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// ready takes the next entry off the ready list; zero if there is none.
func (r *rig) ready() Readiness {
	r.t.Helper()
	x, ok := r.e.NextReady()
	if ok && x.Conn != r.id {
		r.t.Fatalf("NextReady = %+v", x)
	}
	return x.What
}

// What a user hears of, and when. A connection stands in the list once, with
// everything that happened since.
func TestReadiness(t *testing.T) {
	r := established(t)
	r.ready()
	want := func(what Readiness) {
		t.Helper()
		if got := r.ready(); got != what {
			t.Fatalf("ready for %b, want %b", got, what)
		}
	}
	want(0)
	r.in(". 1:11(10) ack 1")
	want(Readable)
	r.in(". 11:21(10) ack 1") // there was something to read already
	want(0)
	r.read(20)
	r.in(". 31:41(10) ack 1") // beyond a gap
	want(0)
	r.in(". 21:31(10) ack 1", ". 41:51(10) ack 1")
	want(Readable)
	want(0)
	r.in("F. 51:51(0) ack 1")
	want(Readable)
	r.sent = nil

	// Writable is said once to somebody who found no room, when half is free.
	r.e.SetSendBuffer(r.now, r.id, 4000)
	r.write(4000)
	r.sent = nil
	if n, err := r.e.Send(r.now, r.id, []byte("x"), 0); n != 0 || err != 0 || r.e.SendSpace(r.id) != 0 {
		t.Fatalf("Send = %d, %v", n, err)
	}
	r.in(". 52:52(0) ack 2000")
	want(0)
	r.in(". 52:52(0) ack 2001")
	want(Writable)
	r.in(". 52:52(0) ack 4001")
	want(0)
	if n := r.e.SendSpace(r.id); n != 4000 {
		t.Errorf("room for %d bytes", n)
	}

	r.shutdown()
	r.sent = nil
	if n := r.e.SendSpace(r.id); n != 0 {
		t.Errorf("room for %d bytes after CLOSE", n)
	}
	r.in(". 52:52(0) ack 4002")
	if got := r.ready(); got&(Drained|Ended) != Drained|Ended {
		t.Errorf("ready for %b at the end", got)
	}
	want(0)
}

// An error wakes readers and writers.
func TestReadinessOnReset(t *testing.T) {
	r := established(t)
	r.ready()
	r.in("R 1:1(0)")
	if got := r.ready(); got != Readable|Writable|Drained|Ended {
		t.Errorf("ready for %b", got)
	}
	if err := r.e.TakeError(r.id); err != ErrReset {
		t.Errorf("TakeError = %v", err)
	}
	if err := r.e.TakeError(r.id); err != 0 {
		t.Errorf("the second TakeError = %v", err)
	}
	r.close(-1)
	if err := r.e.TakeError(r.id); err != ErrNoConnection {
		t.Errorf("TakeError without a connection = %v", err)
	}
}

// Nobody is told about a connection whose user has gone.
func TestNoReadinessForOrphans(t *testing.T) {
	r := established(t)
	r.in(". 1:11(10) ack 1")
	r.read(10)
	r.close(-1)
	r.sent = nil
	if _, ok := r.e.NextReady(); ok {
		t.Error("a closed connection is ready")
	}
	r.in("F. 11:11(0) ack 2")
	r.sent = nil
	if _, ok := r.e.NextReady(); ok {
		t.Error("an orphan is ready")
	}
}

// A handle whose connection is gone, or whose slot holds another one now, does
// nothing.
func TestStaleHandles(t *testing.T) {
	r := established(t)
	old := r.id
	r.close(0)
	r.sent = nil
	r.connect(ConnConfig{}, "<mss 1000>")
	if old.slot() != r.id.slot() || old == r.id {
		t.Fatalf("handles %x and %x: this test wants the slot used again", old, r.id)
	}
	e, now := r.e, r.now
	for name, err := range map[string]Error{
		"Send":           second(e.Send(now, old, []byte("x"), 0)),
		"Receive":        second(e.Receive(now, old, make([]byte, 1), 0)),
		"Shutdown":       e.Shutdown(now, old),
		"ShutdownRead":   e.ShutdownRead(now, old),
		"SetNoDelay":     e.SetNoDelay(now, old, true),
		"SetTag":         e.SetTag(old, 1),
		"SetUserTimeout": e.SetUserTimeout(now, old, time.Second),
		"Tuple":          second(e.Tuple(old)),
		"KeepAlive":      second(e.KeepAlive(old)),
		"Status":         second(e.Status(now, old)),
	} {
		if err != ErrNoConnection {
			t.Errorf("%s: %v", name, err)
		}
	}
	e.Close(now, old, -1)
	e.Abort(now, old)
	if e.Readable(old) != 0 || e.SendSpace(old) != 0 {
		t.Error("a stale handle reads or writes")
	}
	r.output()
	r.want()
	r.wantState(StateEstablished)
	for _, id := range []ConnID{0, 1 << 40, 5, ^ConnID(0)} {
		if err := e.Shutdown(now, id); err != ErrNoConnection {
			t.Errorf("handle %x: %v", id, err)
		}
	}
}

func second[T any](_ T, err Error) Error { return err }

// The tag that a shell gave comes back with readiness.
func TestTags(t *testing.T) {
	r := established(t)
	r.ready()
	r.e.SetTag(r.id, 77)
	r.in(". 1:11(10) ack 1")
	if x, ok := r.e.NextReady(); !ok || x.Tag != 77 {
		t.Errorf("NextReady = %+v", x)
	}
	r.sent = nil
}

// Peek leaves the text where it is, and moves no window.
func TestPeek(t *testing.T) {
	r := established(t)
	r.in(". 1:101(100) ack 1")
	r.sent = nil
	w := r.status().RcvWND
	p := make([]byte, 200)
	for range 3 {
		if n, err := r.e.Receive(r.now, r.id, p, ReceivePeek); n != 100 || err != 0 || string(p[:n]) != string(text(1, 100, false)) {
			t.Fatalf("Receive = %d, %v", n, err)
		}
	}
	if s := r.status(); s.RcvWND != w || s.ReceiveQueue != 100 {
		t.Errorf("window %d, was %d; queue %d", s.RcvWND, w, s.ReceiveQueue)
	}
	r.read(100)
}

// The TOS is on every segment, without the ECN bits.
func TestTOS(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{TOS: 0xff})
	r.in("S. 0:0(0) ack 1 <mss 1000>")
	r.write(10)
	for _, s := range r.sent {
		if s.TOS != 0xfc {
			t.Errorf("%s has TOS %#x", r.line(&s.Segment, ""), s.TOS)
		}
	}
	r.sent = nil
	r.e.SetTOS(r.now, r.id, 0x2b)
	r.in(". 1:11(10) ack 11")
	if tos := r.sent[0].TOS; tos != 0x28 {
		t.Errorf("TOS %#x", tos)
	}
	r.sent = nil
}

// Drop is the administrator's axe: it takes whatever is there, tells the peer of
// a connection by a RST and its user by an error, and nobody about a record.
func TestDrop(t *testing.T) {
	for _, state := range []string{
		"SYN-SENT", "SYN-RECEIVED/passive", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
	} {
		r := refState(t, state, refVariant{})
		if st, err := r.e.StatusOf(r.now, r.tup); err != 0 || !strings.HasPrefix(state, st.State.String()) {
			t.Errorf("%s: StatusOf = %v, %v", state, st.State, err)
		}
		if !r.e.Drop(r.now, r.tup) || r.e.Drop(r.now, r.tup) {
			t.Errorf("%s: Drop says the wrong thing", state)
		}
		r.output()
		rst := len(r.sent) == 1 && r.sent[0].Flags.Has(wire.RST)
		if want := r.id != 0 && state != "SYN-SENT" && state != "TIME-WAIT"; rst != want || !want && len(r.sent) > 0 {
			t.Errorf("%s: sent\n%s", state, r.show(r.sent, ""))
		}
		r.sent = nil
		r.close(-1)
		if r.lid != 0 {
			r.e.Unlisten(r.now, r.lid)
		}
		if _, err := r.e.StatusOf(r.now, r.tup); err != ErrNoConnection {
			t.Errorf("%s: StatusOf = %v", state, err)
		}
		r.wantGone()
	}
}

// Events tell the story of a connection: every transition, every segment, why it
// waits and how it ended.
func TestEventsOfAConnection(t *testing.T) {
	r := newRig(t, plain())
	ring := NewRing(1000, EventAll)
	r.e.SetEvents(ring)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(10)
	r.write(10) // Nagle
	r.in("S 1:1(0)")
	r.advance(300 * ms) // a time-out
	r.in(". 1:1(0) ack 11")
	r.sent = nil
	r.in("R 1:1(0)")
	var story []string
	for _, e := range ring.Drain(nil) {
		switch e.Kind {
		case EventState:
			story = append(story, e.From.String()+">"+e.To.String())
		case EventIn:
			story = append(story, "< "+e.Seg.Flags.String())
		case EventOut:
			story = append(story, "> "+e.Seg.Flags.String())
			if e.Retransmit {
				story = append(story, "again")
			}
		case EventDrop:
			story = append(story, e.Reason.String())
		case EventTimer:
			story = append(story, "timer "+e.Timer.String())
		case EventBlocked, EventCwnd:
			story = append(story, e.Why.String())
		case EventClosed:
			story = append(story, e.Err.Error())
		}
		if e.Time == 0 || e.Tuple != r.tup {
			t.Errorf("event %+v", e)
		}
	}
	want := "CLOSED>SYN-SENT > S < S. SYN-SENT>ESTABLISHED > . > P. nagle < S syn-challenge > . timer on timeout > . again nagle < . recovered > P. < R ESTABLISHED>CLOSED connection reset by peer"
	if got := strings.Join(story, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if ring.Lost != 0 {
		t.Errorf("%d events lost", ring.Lost)
	}
}

// A ring keeps the latest, counts what it lost, and a flood of unverified
// sources gets an eighth of it.
func TestRing(t *testing.T) {
	r := NewRing(16, EventAll)
	for i := range 20 {
		r.Put(Event{Value: int64(i)})
	}
	if got := r.Drain(nil); len(got) != 16 || got[0].Value != 4 || got[15].Value != 19 || r.Lost != 4 {
		t.Errorf("%d events, %d lost", len(got), r.Lost)
	}
	r.Put(Event{Value: 100})
	for range 1000 {
		r.putUnverified(Event{})
	}
	if got := r.Drain(nil); len(got) != 3 || got[0].Value != 100 {
		t.Errorf("a flood takes %d events", len(got)-1)
	}
	var none *Ring
	if none.Wants(EventIn) {
		t.Error("no ring wants events")
	}
	if _, ok := none.Next(); ok {
		t.Error("no ring has events")
	}
	one := NewRing(0, EventState)
	if one.Wants(EventIn) || !one.Wants(EventState) {
		t.Error("the mask does not count")
	}
}

// Names are distinct, and what has none says so.
func TestNamesOfEnums(t *testing.T) {
	distinct := func(what string, n int, name func(int) string) {
		seen := map[string]int{}
		for i := range n {
			s := name(i)
			if j, twice := seen[s]; twice {
				t.Errorf("%s %d and %d are both called %q", what, i, j, s)
			}
			seen[s] = i
		}
		if s := name(200); s == "" || seen[s] > 0 {
			t.Errorf("%s 200 is called %q", what, s)
		}
	}
	distinct("state", int(numStates), func(i int) string { return State(i).String() })
	timers := []TimerKind{TimerRetransmit, TimerPersist, TimerDelayedAck, TimerKeepAlive, TimerUser, TimerTimeWait, TimerSynAck, 200}
	distinct("timer", len(timers)-1, func(i int) string { return timers[min(i, len(timers)-1)].String() })
	distinct("why", int(numWhys), func(i int) string { return Why(i).String() })
	distinct("error", int(ErrEOF)+1, func(i int) string { return Error(i).Error() })
}

// Figure 5 and the text around it: the transitions that are legal.
func TestLegalTransitions(t *testing.T) {
	n := 0
	for from := range numStates {
		for to := range numStates {
			if Legal(from, to) {
				n++
			}
		}
		if Legal(from, from) {
			t.Errorf("%v to itself", from)
		}
		if from != StateClosed && !Legal(from, StateClosed) {
			t.Errorf("%v can't end", from)
		}
	}
	if n != 19+10 {
		t.Errorf("%d transitions", n)
	}
}

// Time: Never stays Never, and nothing overflows.
func TestTimeArithmetic(t *testing.T) {
	if Never.Add(-1) != Never || Never.Add(1) != Never || (Never-1).Add(2) != Never || Time(5).Add(-3) != 2 || Time(1).Add(1<<63-1) != Never {
		t.Error("Add overflows")
	}
	if Time(7).Sub(4) != 3 {
		t.Error("Sub")
	}
}

// DeadlineFloor is never later than NextDeadline.
func TestDeadlineFloor(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	if r.e.DeadlineFloor() > r.e.NextDeadline() {
		t.Error("later")
	}
	for range 20 {
		r.write(100)
		if f := r.e.DeadlineFloor(); f > r.e.NextDeadline() {
			t.Errorf("floor %v, deadline %v", f, r.e.NextDeadline())
		}
		r.advance(50 * ms)
		r.in(". 1:1(0) ack " + itoa(r.wrote+1))
		if f := r.e.DeadlineFloor(); f > r.e.NextDeadline() {
			t.Errorf("floor %v, deadline %v", f, r.e.NextDeadline())
		}
	}
	r.sent = nil
}

// A configuration that can't be is refused, with words.
func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"secret": {}, "congestion": {Secret: testSecret, Congestion: "vegas"}, "ports": {Secret: testSecret, PortFirst: 10, PortLast: 9},
	} {
		if _, err := New(c); err == nil || !strings.HasPrefix(err.Error(), "tcp: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
