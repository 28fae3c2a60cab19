package tcp

import (
	"testing"
	"time"
)

// stalled is a connection whose peer has a window of 0 while text waits.
func stalled(t *testing.T, c ConnConfig) *rig {
	r := slowly(t, plain(), c)
	r.win = 0
	r.in(". 1:1(0) ack 1 win 0")
	r.write(10)
	r.want()
	return r
}

// SHLD-29: the first probe leaves one RTO after the window closed, the next
// ones at intervals that double up to the ceiling (SHLD-30). A probe is an
// empty segment at SND.UNA-1.
// Shows: RFC 9293 MUST-36, SHLD-29, SHLD-30.
func TestZeroWindowProbes(t *testing.T) {
	r := stalled(t, ConnConfig{})
	for _, d := range []time.Duration{300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, 120000, 120000, 120000} {
		r.after(d*ms, ". 0:0(0) ack 1")
		r.in(". 1:1(0) ack 1") // still 0
		r.want()
	}
	r.in(". 1:1(0) ack 1 win 1000") // and now it opens
	r.want("P. 1:11(10) ack 1")
	r.in(". 1:1(0) ack 11")
	r.advance(time.Hour)
	r.want()
}

// MUST-37: "As long as the receiving TCP peer continues to send acknowledgments
// in response to the probe segments, the sending TCP endpoint MUST allow the
// connection to stay open." Here for 24 hours.
// Shows: RFC 9293 MUST-37; RFC 1122 4.2.2.17.
func TestZeroWindowStaysOpenWhileProbesAreAnswered(t *testing.T) {
	r := stalled(t, ConnConfig{})
	probes := 0
	for end := r.now.Add(24 * time.Hour); r.now < end; {
		r.advance(time.Second)
		for range r.sent {
			probes++
			r.e.Input(r.now, r.seg(". 1:1(0) ack 1"))
		}
		r.sent = r.sent[:0]
	}
	if probes < 24*60/2 || probes > 24*60/2+20 {
		t.Errorf("%d probes in 24 hours", probes)
	}
	r.in(". 1:1(0) ack 1 win 1000")
	r.want("P. 1:11(10) ack 1")
}

// Unanswered, probes count against R2 as repeats of text do.
func TestZeroWindowProbesUnanswered(t *testing.T) {
	r := stalled(t, ConnConfig{})
	for _, d := range []time.Duration{300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, 120000, 120000, 120000, 120000, 120000, 120000} {
		r.after(d*ms, ". 0:0(0) ack 1")
	}
	r.after(120 * time.Second)
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
}

// A user timeout ends the wait although probes are answered (HOSTILE 17).
func TestZeroWindowUserTimeout(t *testing.T) {
	r := stalled(t, ConnConfig{UserTimeout: 10 * time.Second})
	for range 200 {
		r.advance(100 * ms)
		for range r.sent {
			r.e.Input(r.now, r.seg(". 1:1(0) ack 1"))
		}
		r.sent = r.sent[:0]
	}
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
}

// A user timeout that a stall began is over once the window opens.
func TestUserTimeoutEndsWithTheStall(t *testing.T) {
	r := stalled(t, ConnConfig{UserTimeout: 10 * time.Second})
	r.after(300*ms, ". 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1 win 1000")
	r.want("P. 1:11(10) ack 1")
	r.in(". 1:1(0) ack 11 win 1000")
	r.advance(time.Hour)
	r.want()
	r.wantState(StateEstablished)
}

// The window opens by a lost update: the probe's answer brings it.
func TestProbeBringsTheLostWindowUpdate(t *testing.T) {
	r := stalled(t, ConnConfig{})
	r.after(300*ms, ". 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1 win 5")
	r.want() // 5 bytes of 10: less than half of the largest window
	r.after(300*ms, ". 1:6(5) ack 1")
	r.in(". 1:1(0) ack 6 win 1000")
	r.want("P. 6:11(5) ack 1")
}

// A FIN alone waits for the window too, and is probed for.
func TestFinWaitsForTheWindow(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.in(". 1:1(0) ack 1 win 0")
	r.shutdown()
	r.want()
	r.wantState(StateFinWait1)
	r.after(300*ms, ". 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1 win 1")
	r.want("F. 1:1(0) ack 1")
}

// MUST-34: the peer may take its window back; what is in flight beyond it is
// repeated all the same until it is acknowledged, new text waits, and SND.NXT
// does not go back (SHLD-15, SHLD-16).
// Shows: RFC 9293 MUST-34, SHLD-15, SHLD-16, MAY-7; RFC 1122 4.2.2.16; RFC 7323 2.4d.
func TestPeerShrinksItsWindow(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.in(". 1:1(0) ack 1 win 3000")
	r.write(5000)
	r.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1", ". 2001:3001(1000) ack 1")
	r.in(". 1:1(0) ack 1001 win 500") // the edge moves from 3001 to 1501
	r.want()
	if s := r.status(); s.SndNXT-r.iss != 3001 || s.SndWND != 500 {
		t.Errorf("SND.NXT %d, SND.WND %d", s.SndNXT-r.iss, s.SndWND)
	}
	r.advance(r.status().RTO)
	if len(r.sent) == 0 {
		t.Fatal("nothing is repeated")
	}
	r.sent = r.sent[:0]
	r.in(". 1:1(0) ack 3001 win 2000")
	r.want(". 3001:4001(1000) ack 1", "P. 4001:5001(1000) ack 1")
}

// The window shrinks to less than what is first in flight: as long as the peer
// answers the repeats, they do not end the connection; when it falls silent they do.
// Shows: RFC 9293 SHLD-17.
func TestWindowShrinksBelowTextInFlight(t *testing.T) {
	for _, window := range []int{999, 1000} {
		r := slowly(t, plain(), ConnConfig{})
		r.write(1000)
		r.win = window
		r.in(". 1:1(0) ack 1")
		for range 60 {
			if r.state() == StateEstablished {
				r.sent = r.sent[:0]
				r.advance(r.status().RTO)
				r.in(". 1:1(0) ack 1")
			}
		}
		if window == 1000 {
			r.wantState(StateClosed) // what its window takes and it does not acknowledge is lost on the way: R2
		} else {
			r.wantState(StateEstablished)
			r.advance(time.Hour)
			r.wantState(StateClosed)
		}
		r.sent = nil
	}
}

// The peer closes its window while text is in flight: that is repeated by the
// retransmission timer, and as long as ACKs come, no window is no reason to
// give up.
// Shows: RFC 9293 MUST-35, SHLD-17.
func TestWindowClosesOverTextInFlight(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.win = 0
	r.in(". 1:1(0) ack 1")
	for range 60 {
		r.advance(r.status().RTO)
		r.want("P. 1:11(10) ack 1")
		r.in(". 1:1(0) ack 1")
	}
	r.wantState(StateEstablished)
	r.in(". 1:1(0) ack 11 win 1000")
	r.advance(time.Hour)
	r.want()
}
