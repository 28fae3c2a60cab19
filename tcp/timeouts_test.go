package tcp

import (
	"testing"
	"time"
)

// slowly opens a connection whose handshake took 100 ms: SRTT is 100 ms, RTTVAR
// 50 ms and the RTO 100 + 4*50 = 300 ms (RFC 6298 2.2).
func slowly(t testing.TB, cfg Config, c ConnConfig) *rig {
	t.Helper()
	r := newRig(t, cfg)
	r.open(c)
	r.sent = r.sent[:0]
	r.advance(100 * time.Millisecond)
	r.in("S. 0:0(0) ack 1 <mss 1000>")
	r.want(". 1:1(0) ack 1")
	if rto := r.status().RTO; rto != 300*time.Millisecond {
		t.Fatalf("RTO %v", rto)
	}
	return r
}

const ms = time.Millisecond

// RFC 6298 5.5: the timer backs off by two each time, up to the ceiling of 120 s;
// R2 (SHLD-11: "at least 100 s", here 15 repeats) ends the connection, silently
// for the peer, with an error for the user.
// Shows: RFC 9293 MUST-20, SHLD-10, SHLD-11; RFC 1122 4.2.3.5; RFC 6298 2.5, 5.4, 5.5, 5.6.
func TestR2OfText(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	for _, d := range []time.Duration{300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, 120000, 120000, 120000, 120000, 120000, 120000} {
		r.after(d*ms, "P. 1:11(10) ack 1")
	}
	r.after(120 * time.Second)
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
	r.wantErr(ErrEOF) // the error is told once
	r.close(-1)
	r.wantGone()
	if n := r.e.Counters().Timeouts; n != 1 {
		t.Errorf("%d time-outs counted", n)
	}
}

// Once the user is gone the limit is 8 repeats.
func TestR2OfAnOrphan(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.close(-1)
	r.want("F. 11:11(0) ack 1")
	for _, d := range []time.Duration{300, 600, 1200, 2400, 4800, 9600, 19200, 38400} {
		r.after(d*ms, "P. 1:11(10) ack 1", "F. 11:11(0) ack 1") // one segment's worth of bytes
	}
	r.after(76800 * ms)
	r.wantGone()
}

// RFC 9293 MUST-23: "R2 for a SYN segment MUST be set large enough to provide
// retransmission of the segment for at least 3 minutes."
// Shows: RFC 9293 MUST-22, MUST-23; RFC 6298 2.1.
func TestR2OfASyn(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0) <mss 1460>")
	began := r.now
	for _, d := range []time.Duration{1, 2, 4, 8, 16, 32, 64} {
		r.after(d*time.Second, "S 0:0(0) <mss 1460>")
	}
	r.after(120 * time.Second)
	if d := r.now.Sub(began); d < 3*time.Minute {
		t.Errorf("gave up after %v", d)
	}
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
	r.close(-1)
	r.wantGone()
}

// As many repeats of a SYN as the user wants; negative is none.
func TestSynRetries(t *testing.T) {
	for n, times := range map[int][]time.Duration{1: {1}, 3: {1, 2, 4}, -1: {}} {
		r := newRig(t, plain())
		r.open(ConnConfig{SynRetries: n})
		r.want("S 0:0(0)")
		last := time.Second
		for _, d := range times {
			r.after(d*time.Second, "S 0:0(0)")
			last = 2 * d * time.Second
		}
		r.after(last)
		r.wantErr(ErrTimeout)
	}
}

// The SYN,ACK is repeated three times, and the record goes (a deviation from
// MUST-23 for the passive side: each repeat goes to an unverified source).
func TestSynAckRetries(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1 <mss 1460>")
	for _, d := range []time.Duration{1, 2, 4} {
		r.after(d*time.Second, "S. 0:0(0) ack 1 <mss 1460>")
	}
	r.after(8 * time.Second)
	r.wantGone()
}

// The repeats of a SYN,ACK that the peer's repeated SYNs ask for count too: an
// unverified source gets 1+3 of them, whatever it sends (HOSTILE 47).
func TestSynAcksPerRecordAreLimited(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	for range 50 {
		r.in("S 0:0(0)")
		r.advance(100 * ms)
	}
	r.advance(time.Minute)
	if len(r.sent) != 4 {
		t.Errorf("%d SYN,ACKs left for one record", len(r.sent))
	}
	r.sent = nil
	r.wantGone()
}

// A lost SYN: "the RTO MUST be re-initialized to 3 seconds when data
// transmission begins" (RFC 6298 5.7), and the window starts at one segment
// (RFC 5681 §3.1).
// Shows: RFC 5681 3.1d; RFC 6298 5.7.
func TestAfterALostSyn(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	r.after(time.Second, "S 0:0(0)")
	r.advance(100 * ms)
	r.in("S. 0:0(0) ack 1 <mss 1000>")
	r.want(". 1:1(0) ack 1")
	r.write(3000)
	r.want(". 1:1001(1000) ack 1")
	r.after(3*time.Second, ". 1:1001(1000) ack 1")
	r.in(". 1:1(0) ack 1001")
	r.sent = nil
}

// The same at the passive end, whose SYN,ACK was lost.
func TestAfterALostSynAck(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
	r.after(time.Second, "S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
	r.accept()
	r.write(3000)
	r.want(". 1:1001(1000) ack 1")
	r.after(3*time.Second, ". 1:1001(1000) ack 1")
}

// The user timeout (RFC 9293 §3.9.1.1, RFC 5482) counts from the first
// transmission of what is not acknowledged, whatever is repeated meanwhile.
// Shows: RFC 9293 MUST-21.
func TestUserTimeout(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{UserTimeout: 5 * time.Second})
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.advance(200 * ms)
	r.in(". 1:1(0) ack 11") // acknowledged: nothing runs
	r.advance(time.Hour)
	r.want()
	r.write(10)
	r.want("P. 11:21(10) ack 1")
	sent := r.now
	r.advance(5*time.Second - 1)
	r.wantState(StateEstablished)
	r.advance(1)
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
	if n := r.e.Counters().Retransmits; n != 3 { // after 362.5, 725 and 1450 ms
		t.Errorf("%d repeats in %v", n, r.now.Sub(sent))
	}
	r.sent = nil
}

// It can be set, changed and removed while text is in flight.
// Shows: RFC 9293 MUST-21.
func TestSetUserTimeout(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.sent = nil
	r.e.SetUserTimeout(r.now, r.id, 2*time.Second)
	r.advance(time.Second)
	r.e.SetUserTimeout(r.now, r.id, 0)
	r.advance(time.Minute)
	r.wantState(StateEstablished)
	r.e.SetUserTimeout(r.now, r.id, 3*time.Second)
	r.advance(3*time.Second - 1)
	r.wantState(StateEstablished)
	r.advance(1)
	r.wantState(StateClosed)
	r.sent = nil
}

// R2 of a connection may be longer than Config.Retries2 says, or infinite (§3.8.3
// (c)), with text in flight and with a window of zero that nobody speaks of any more;
// the user can have it back.
// Shows: RFC 9293 MUST-21.
func TestUserTimeoutInPlaceOfR2(t *testing.T) {
	cfg := plain()
	cfg.Retries2 = 3
	for _, window := range []int{1000, 0} {
		for d, ends := range map[time.Duration]time.Duration{3 * time.Hour: 3 * time.Hour, -1: 0} {
			r := newRig(t, cfg)
			r.win = window
			r.connect(ConnConfig{UserTimeout: d}, "<mss 1000>")
			began := r.now
			if window == 0 {
				began = began.Add(r.status().RTO) // the first probe
			}
			r.write(10)
			if ends == 0 {
				r.advance(100 * time.Hour) // more than a counter of eight bits holds
				r.wantState(StateEstablished)
				if n := len(r.sent); n < 1000 {
					t.Errorf("window %d: tried %d times", window, n)
				}
				r.e.SetUserTimeout(r.now, r.id, 0)
				r.advance(time.Hour)
				r.wantState(StateClosed)
			} else {
				r.advance(began.Add(ends).Sub(r.now) - 1)
				r.wantState(StateEstablished)
				r.advance(1)
				r.wantState(StateClosed)
			}
			r.wantErr(ErrTimeout)
			r.sent = nil
		}
	}
}

// FIN-WAIT-2 ends after 60 s if nobody holds the connection, silently; the time
// runs from the ACK of our FIN (HOSTILE 18).
func TestFinWait2OfAnOrphan(t *testing.T) {
	r := established(t)
	r.close(-1)
	r.want("F. 1:1(0) ack 1")
	r.advance(150 * ms)
	r.in(". 1:1(0) ack 2")
	r.wantState(StateFinWait2)
	r.advance(60*time.Second - 1)
	r.wantState(StateFinWait2)
	r.advance(1)
	r.want()
	r.wantGone()
}

// With a user there is no limit: a half-closed connection is in use. It begins
// once the user goes.
func TestFinWait2OfAUserHasNoLimit(t *testing.T) {
	r := established(t)
	r.shutdown()
	r.want("F. 1:1(0) ack 1")
	r.in(". 1:1(0) ack 2")
	r.advance(1000 * time.Hour)
	r.wantState(StateFinWait2)
	r.in(". 1:11(10) ack 2")
	r.want(". 2:2(0) ack 11")
	r.read(10)
	r.close(-1)
	r.advance(60*time.Second - 1)
	r.wantState(StateFinWait2)
	r.advance(1)
	r.want()
	r.wantGone()
}

// linger 0 aborts; RFC 9293 §3.10.5.
func TestCloseWithoutLinger(t *testing.T) {
	r := established(t)
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.close(0)
	r.want("R. 11:11(0) ack 1")
	r.wantGone()
}

// A close that lingers sends what is queued, and what is not acknowledged when
// its time is over goes with a RST.
func TestLingerRunsOut(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.close(time.Second)
	r.want("F. 11:11(0) ack 1")
	r.after(300*ms, "P. 1:11(10) ack 1", "F. 11:11(0) ack 1")
	r.after(600*ms, "P. 1:11(10) ack 1", "F. 11:11(0) ack 1")
	r.after(100*ms, "R. 12:12(0) ack 1")
	r.wantGone()
}

// If everything is acknowledged in time, the connection ends as any other.
func TestLingerSucceeds(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.close(time.Second)
	r.want("F. 11:11(0) ack 1")
	r.advance(200 * ms)
	r.in(". 1:1(0) ack 12")
	r.wantState(StateFinWait2)
	r.advance(30 * time.Second)
	r.want()
	r.in("F. 1:1(0) ack 12")
	r.want(". 12:12(0) ack 2")
	r.wantState(StateTimeWait)
	r.advance(time.Minute)
	r.wantGone()
}

// The peer never closes: FIN-WAIT-2's limit for orphans holds after a close that
// lingered, too, and as silently.
func TestLingerThenFinWait2(t *testing.T) {
	r := established(t)
	r.close(time.Second)
	r.want("F. 1:1(0) ack 1")
	r.in(". 1:1(0) ack 2")
	r.advance(60*time.Second - 1)
	r.wantState(StateFinWait2)
	r.advance(1)
	r.want()
	r.wantGone()
}

// SHLD-3 (RFC 9293 §3.6.1): a close with text that was not read tells the peer
// that it is lost.
// Shows: RFC 9293 MAY-1, SHLD-3.
func TestCloseWithUnreadTextSendsReset(t *testing.T) {
	r := established(t)
	r.in(". 1:11(10) ack 1")
	r.want(". 1:1(0) ack 11")
	r.close(-1)
	r.want("R. 1:1(0) ack 11")
	r.wantGone()
}

// A closed connection that the peer gives no window leaves the state of an open
// one at once and does not stay for ever, although its probes are answered
// (HOSTILE 17, 20).
func TestCloseWithZeroWindow(t *testing.T) {
	r := newRig(t, plain())
	r.win = 0
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(10)
	r.close(-1)
	r.wantState(StateFinWait1)
	for range 40 {
		r.advance(10 * time.Second)
		for range r.sent {
			r.e.Input(r.now, r.seg(". 1:1(0) ack 1"))
		}
		r.sent = r.sent[:0]
	}
	r.wantGone()
}

// The wait in FIN-WAIT-2 can be another one for a connection, or none.
func TestSetFinWait2(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{5 * time.Second: 5 * time.Second, 0: 0, -1: 0} {
		r := established(t)
		r.e.SetFinWait2(r.now, r.id, d)
		r.close(-1)
		r.want("F. 1:1(0) ack 1")
		r.in(". 1:1(0) ack 2")
		if want == 0 {
			r.advance(1000 * time.Hour)
			r.wantState(StateFinWait2)
			continue
		}
		r.advance(want - 1)
		r.wantState(StateFinWait2)
		r.advance(1)
		r.want()
		r.wantGone()
	}
}

// Text that had arrived before the user went is acknowledged again, not reset.
func TestOldTextForAnOrphan(t *testing.T) {
	r := established(t)
	r.in(". 1:11(10) ack 1")
	r.want(". 1:1(0) ack 11")
	r.read(10)
	r.close(-1)
	r.want("F. 1:1(0) ack 11")
	r.in(". 1:11(10) ack 1")
	r.want(". 2:2(0) ack 11")
	r.wantState(StateFinWait1)
	r.in(". 6:16(10) ack 1") // half of it is new
	r.want("R 1:1(0)")
	r.wantGone()
}

// More TCBs come and go than the free list keeps.
func TestManyConnectionsComeAndGo(t *testing.T) {
	e := newEngine(t, Config{})
	for range 3 {
		var ids []ConnID
		for i := range 3 * keepFreeConns {
			tup := testTuple4
			tup.RemotePort = uint16(i + 1)
			id, err := e.Open(0, OpenOptions{Tuple: tup})
			if err != 0 {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		seen := map[ConnID]bool{}
		for _, id := range ids {
			if seen[id] {
				t.Fatal("a handle twice")
			}
			seen[id] = true
			e.Abort(0, id)
		}
		if err := e.CheckInvariants(); err != nil {
			t.Fatal(err)
		}
		if c := e.Counts(); c.Conns+c.Orphans+c.Timers != 0 {
			t.Fatalf("left: %+v", c)
		}
	}
	kept := 0
	for _, c := range e.conns {
		if c != nil {
			kept++
		}
	}
	if kept > keepFreeConns {
		t.Errorf("%d empty TCBs are kept", kept)
	}
}
