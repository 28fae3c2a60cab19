package tcp

import (
	"testing"
	"time"
)

func keptAlive(t *testing.T, c ConnConfig) *rig {
	c.KeepAlive = KeepAlive{On: true, Idle: 10 * time.Second, Interval: 2 * time.Second, Count: 3}
	return slowly(t, plain(), c)
}

// MUST-25: keep-alive is off unless the user asks.
// Shows: RFC 9293 MUST-25.
func TestKeepAliveIsOff(t *testing.T) {
	r := established(t)
	r.advance(1000 * time.Hour)
	r.want()
	if at := r.e.NextDeadline(); at != Never {
		t.Errorf("a timer runs on an idle connection, due %v", at)
	}
}

// RFC 9293 §3.8.4: a probe is "SEG.SEQ = SND.NXT-1" without text. Unanswered ones
// follow each other at the interval, and none by itself means that the
// connection is dead (MUST-27); after the last the peer is told by a RST.
// Shows: RFC 9293 MAY-5, MUST-27, MUST-29, SHLD-12.
func TestKeepAliveUnanswered(t *testing.T) {
	r := keptAlive(t, ConnConfig{})
	r.after(10*time.Second, ". 0:0(0) ack 1")
	r.after(2*time.Second, ". 0:0(0) ack 1")
	r.after(2*time.Second, ". 0:0(0) ack 1")
	r.wantState(StateEstablished)
	r.after(2*time.Second, "R. 1:1(0) ack 1")
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
	r.close(-1)
	r.wantGone()
}

// MUST-26: probes are sent only when nothing was received within the interval;
// an answer, even a bare ACK, begins it anew.
// Shows: RFC 9293 MUST-26.
func TestKeepAliveAnswered(t *testing.T) {
	r := keptAlive(t, ConnConfig{})
	for range 5 {
		r.after(10*time.Second, ". 0:0(0) ack 1")
		r.advance(time.Second)
		r.in(". 1:1(0) ack 1")
	}
	r.after(10*time.Second, ". 0:0(0) ack 1")
	r.after(2*time.Second, ". 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1") // late, but an answer
	r.after(10*time.Second, ". 0:0(0) ack 1")
	r.after(2*time.Second, ". 0:0(0) ack 1")
	r.after(2*time.Second, ". 0:0(0) ack 1")
	r.in(". 1:11(10) ack 1")
	r.want(". 1:1(0) ack 11")
	r.after(10*time.Second, ". 0:0(0) ack 11")
}

// Traffic keeps the timer from going off; the deadline is not moved by each
// segment but found out when it comes.
func TestKeepAliveWithTraffic(t *testing.T) {
	r := keptAlive(t, ConnConfig{})
	next := 1
	for range 30 {
		r.advance(3 * time.Second)
		r.want()
		r.in(". " + segRange(next, 1) + " ack 1")
		next++
		r.advance(50 * ms)
		r.sent = r.sent[:0]
	}
	r.after(10*time.Second-50*ms, ". 0:0(0) ack 31")
}

// While text of ours is in flight its repeats ask the same question: no probe.
// Shows: RFC 9293 MUST-26.
func TestNoKeepAliveWhileTextIsInFlight(t *testing.T) {
	r := keptAlive(t, ConnConfig{})
	r.advance(9900 * ms)
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	for _, d := range []time.Duration{300, 600, 1200, 2400, 4800} {
		r.after(d*ms, "P. 1:11(10) ack 1")
	}
	r.in(". 1:1(0) ack 11")
	r.after(10*time.Second, ". 10:10(0) ack 1")
}

// It can be switched on and off at any time.
// Shows: RFC 9293 MUST-24.
func TestSetKeepAlive(t *testing.T) {
	r := established(t)
	r.advance(time.Hour)
	r.e.SetKeepAlive(r.now, r.id, KeepAlive{On: true, Idle: 2 * time.Hour, Interval: time.Second, Count: 2})
	r.after(time.Hour, ". 0:0(0) ack 1") // an hour of idleness counts
	r.e.SetKeepAlive(r.now, r.id, KeepAlive{})
	r.advance(100 * time.Hour)
	r.want()
	if k, err := r.e.KeepAlive(r.id); err != 0 || k.On || k.Idle != 2*time.Hour || k.Interval != 75*time.Second || k.Count != 9 {
		t.Errorf("KeepAlive = %+v, %v", k, err)
	}
}

// RFC 5482 §4.2's order: a user timeout that is shorter than the probes' course
// ends it.
func TestKeepAliveAndUserTimeout(t *testing.T) {
	r := keptAlive(t, ConnConfig{UserTimeout: 11 * time.Second})
	r.after(10*time.Second, ". 0:0(0) ack 1")
	r.after(2*time.Second, "R. 1:1(0) ack 1")
	r.wantErr(ErrTimeout)
}

// The answer to a peer's keep-alive probe is an ACK, with or without its
// garbage octet (§3.8.4).
func TestAnswerKeepAlive(t *testing.T) {
	r := established(t)
	r.in(". 1:11(10) ack 1")
	r.want(". 1:1(0) ack 11")
	r.in(". 10:10(0) ack 1")
	r.want(". 1:1(0) ack 11")
	r.in(". 10:11(1) ack 1")
	r.want(". 1:1(0) ack 11")
}
