package tcp

import (
	"fmt"
	"testing"
	"time"
)

// RFC 6298 2.2 and 2.3 by hand: SRTT' = 7/8 SRTT + 1/8 R, RTTVAR' = 3/4 RTTVAR +
// 1/4 |SRTT - R|, RTO = SRTT + max(4 RTTVAR, 200 ms). In microseconds.
var rttTable = []struct{ r, srtt, rttvar, rto time.Duration }{
	{100_000, 100_000, 50_000, 300_000},
	{100_000, 100_000, 37_500, 300_000}, // 4*37.5 = 150: the floor
	{200_000, 112_500, 53_125, 325_000},
	{1_000_000, 223_437, 261_718, 1_270_312}, // 112.5+887.5/8; (3*53.125+887.5)/4
	{50_000, 201_757, 239_648, 1_160_351},
	{50_000, 182_788, 217_675, 1_053_490},
	{50_000, 166_189, 196_453, 952_004},
	{30_000_000, 3_895_416, 7_605_792, 34_318_587},
	{1, 3_408_489, 6_678_198, 30_121_283},
}

// Shows: RFC 6298 2.2, 2.3, 4; RFC 9293 MUST-18.
func TestRTTEstimator(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.sent = nil
	near := func(what string, i int, got, want time.Duration) {
		if d := got - want*time.Microsecond; d < -2*time.Microsecond || d > 4*time.Microsecond {
			t.Errorf("sample %d: %s is %v, want %v", i, what, got, want*time.Microsecond)
		}
	}
	for i, x := range rttTable {
		r.now = r.now.Add(x.r * time.Microsecond) // the timer is not asked: the answer comes first
		if i == 0 {
			r.in("S. 0:0(0) ack 1 <mss 1000>")
		} else {
			r.e.Input(r.now, r.seg(". 1:1(0) ack "+fmt.Sprint(1+i)))
			r.output()
		}
		r.sent = nil
		s := r.status()
		near("SRTT", i, s.SRTT, x.srtt)
		near("RTTVAR", i, s.RTTVar, x.rttvar)
		near("RTO", i, s.RTO, x.rto)
		r.write(1)
		r.sent = nil
	}
}

// RFC 6298 5.2, 5.3: each ACK of new text restarts the timer, and the ACK of
// everything stops it.
// Shows: RFC 6298 5.1, 5.2, 5.3.
func TestAckRestartsTheTimer(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(2000)
	r.want(". 1:1001(1000) ack 1", "P. 1001:2001(1000) ack 1")
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 1001") // SRTT stays 100, RTTVAR is 37.5: RTO 300
	r.after(300*ms, "P. 1001:2001(1000) ack 1")
	r.in(". 1:1(0) ack 2001")
	r.advance(time.Hour)
	r.want()
}

// Karn's rule: what was sent twice gives no sample, and the RTO stays backed off
// until something that was sent once is acknowledged (RFC 6298 3 and 5.5).
// Shows: RFC 9293 MUST-18; RFC 6298 3a.
func TestKarn(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(1000)
	r.want("P. 1:1001(1000) ack 1")
	r.after(300*ms, "P. 1:1001(1000) ack 1")
	r.advance(10 * ms)
	r.in(". 1:1(0) ack 1001")
	s := r.status()
	if s.SRTT != 100*ms || s.RTO != 600*ms {
		t.Errorf("SRTT %v, RTO %v", s.SRTT, s.RTO)
	}
	r.write(1000)
	r.want("P. 1001:2001(1000) ack 1")
	r.after(600*ms, "P. 1001:2001(1000) ack 1")
	r.in(". 1:1(0) ack 2001")
	r.write(1000)
	r.want("P. 2001:3001(1000) ack 1")
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 3001")
	if s := r.status(); s.SRTT != 100*ms || s.RTO != 300*ms {
		t.Errorf("SRTT %v, RTO %v", s.SRTT, s.RTO)
	}
}

// RFC 5681 §3.1 after a time-out: one segment, slow start up to half of what was
// in flight, and everything that was in flight is sent again as ACKs allow.
// Shows: RFC 9293 MUST-19; RFC 5681 3.1a, 3.1k; RFC 6298 5.4; RFC 6582 3.2f.
func TestTimeoutRestartsSlowStart(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.write(8000)
	r.sent = r.sent[:0]
	r.after(300*ms, ". 1:1001(1000) ack 1")
	if s := r.status(); s.Cwnd != 1000 || s.Ssthresh != 4000 || s.Recovery != "loss" {
		t.Errorf("cwnd %d, ssthresh %d, %s", s.Cwnd, s.Ssthresh, s.Recovery)
	}
	r.in(". 1:1(0) ack 1001")
	r.want(". 1001:2001(1000) ack 1", ". 2001:3001(1000) ack 1")
	r.in(". 1:1(0) ack 2001")
	r.want(". 3001:4001(1000) ack 1", ". 4001:5001(1000) ack 1")
	r.in(". 1:1(0) ack 8001") // the others had arrived
	r.advance(time.Hour)
	r.want()
	if s := r.status(); s.Recovery != "open" || s.Lost != 0 || s.Retrans != 0 {
		t.Errorf("%+v", s)
	}
}

// A second time-out of the same segment leaves ssthresh (RFC 5681 §3.1: "the
// value of ssthresh is held constant").
// Shows: RFC 5681 3.1j.
func TestSecondTimeoutKeepsSsthresh(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{NoDelay: true})
	for range 8 { // small segments: large ones would look like a black hole
		r.write(500)
	}
	r.sent = r.sent[:0]
	for _, d := range []time.Duration{300, 600, 1200} {
		r.after(d*ms, ". 1:501(500) ack 1", ". 501:1001(500) ack 1")
		if s := r.status(); s.Ssthresh != 2000 || s.Cwnd != 1000 {
			t.Errorf("cwnd %d, ssthresh %d", s.Cwnd, s.Ssthresh)
		}
	}
}

// RFC 5681 §4.1: after an idle time longer than the RTO the window is the
// initial one again; before it, it stands.
// Shows: RFC 5681 4.1.
func TestRestartAfterIdle(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	next := 1
	for range 3 { // grow the window
		n := int(r.status().Cwnd)
		r.write(n)
		next += n
		r.sent = r.sent[:0]
		r.advance(100 * ms)
		r.in(". 1:1(0) ack " + fmt.Sprint(next))
		r.sent = r.sent[:0]
	}
	grown := r.status().Cwnd
	if grown < 40_000 {
		t.Fatalf("cwnd %d", grown)
	}
	rto := r.status().RTO
	r.advance(rto - 100*ms) // counted from when text was last sent
	r.write(1000)
	if c := r.status().Cwnd; c != grown {
		t.Errorf("after exactly an RTO cwnd is %d, was %d", c, grown)
	}
	r.in(". 1:1(0) ack " + fmt.Sprint(next+1000))
	r.sent = r.sent[:0]
	rto = r.status().RTO
	r.advance(rto + 1)
	r.write(1000)
	if c := r.status().Cwnd; c != 10_000 {
		t.Errorf("after more than an RTO cwnd is %d, want the initial 10000", c)
	}
	r.sent = nil
}
