package tcp

import (
	"fmt"
	"testing"
	"time"
)

// useUpQuickAcks lets the first segments of a connection arrive, which are
// acknowledged at once; it returns the next sequence number.
func (r *rig) useUpQuickAcks(size int) int {
	r.t.Helper()
	next := 1
	for range maxQuickAcks {
		r.in(fmt.Sprintf(". %s ack 1", segRange(next, size)))
		next += size
		r.want(fmt.Sprintf(". 1:1(0) ack %d", next))
		r.read(size)
	}
	r.sent = r.sent[:0] // window updates
	return next
}

// A peer in slow start grows by our ACKs: the first 16 segments are
// acknowledged at once, the next one is not.
func TestFirstSegmentsAreAcknowledgedAtOnce(t *testing.T) {
	r := established(t)
	n := r.useUpQuickAcks(100)
	r.in(fmt.Sprintf(". %s ack 1", segRange(n, 100)))
	r.want()
	r.after(40*time.Millisecond, fmt.Sprintf(". 1:1(0) ack %d", n+100))
}

// SHLD-18, MUST-40: an ACK is delayed, here by 40 ms and never by 500; it
// covers what came meanwhile, and the time runs from the first segment.
// Shows: RFC 9293 SHLD-18, MUST-40; RFC 5681 4.2a, 4.2b.
func TestDelayedAck(t *testing.T) {
	r := established(t)
	n := r.useUpQuickAcks(100)
	for range 3 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(n, 100)))
		r.want()
		r.advance(10 * time.Millisecond)
		n += 100
	}
	r.after(10*time.Millisecond, fmt.Sprintf(". 1:1(0) ack %d", n))
	r.advance(time.Hour)
	r.want()
}

// SHLD-19: "an ACK SHOULD be generated for at least every second full-sized
// segment", 2*RMSS bytes.
// Shows: RFC 9293 SHLD-19; RFC 5681 4.2c.
func TestEverySecondFullSegmentIsAcknowledged(t *testing.T) {
	r := established(t)
	n := r.useUpQuickAcks(1000)
	for range 5 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(n, 1000)))
		r.want()
		r.in(fmt.Sprintf(". %s ack 1", segRange(n+1000, 1000)))
		n += 2000
		r.want(fmt.Sprintf(". 1:1(0) ack %d", n))
		r.read(2000)
		r.want()
	}
	// Three segments that together are one byte short of two full ones wait.
	r.in(fmt.Sprintf(". %s ack 1", segRange(n, 1000)), fmt.Sprintf(". %s ack 1", segRange(n+1000, 999)))
	r.want()
	r.in(fmt.Sprintf(". %s ack 1", segRange(n+1999, 1)))
	r.want(fmt.Sprintf(". 1:1(0) ack %d", n+2000))
}

// Text of ours carries the ACK; none follows by itself.
func TestTextCarriesTheDelayedAck(t *testing.T) {
	r := established(t)
	n := r.useUpQuickAcks(100)
	r.in(fmt.Sprintf("P. %s ack 1", segRange(n, 100)))
	r.want()
	r.advance(39 * time.Millisecond)
	r.write(10)
	r.want(fmt.Sprintf("P. 1:11(10) ack %d", n+100))
	r.in(fmt.Sprintf(". %s ack 11", segRange(n+100, 0)))
	r.advance(time.Hour)
	r.want()
}

// Deviation from SHLD-19: segments that arrive in one batch share an ACK, as
// long as it covers less than 64 KiB.
// Shows: RFC 9293 MUST-58, MUST-59; RFC 1122 4.2.2.20.
func TestSegmentsOfOneBatchShareAnAck(t *testing.T) {
	r := established(t)
	r.e.SetReceiveBuffer(r.now, r.id, 65535)
	var lines []string
	for i := range 65 {
		lines = append(lines, fmt.Sprintf(". %s ack 1", segRange(1+1000*i, 1000)))
	}
	r.batch(lines...)
	r.want(". 1:1(0) ack 65001")
}

func TestLargeBatchIsAcknowledgedEvery64KiB(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoSACK: true, ReceiveBuffer: 1 << 20})
	r.connect(ConnConfig{ReceiveBuffer: 1 << 20}, "<mss 1000,wscale 7>")
	r.in(". 1:2(1) ack 1") // the window grows beyond what a SYN can say
	r.want(". 1:1(0) ack 2")
	var lines []string
	for i := range 150 {
		lines = append(lines, fmt.Sprintf(". %s ack 1", segRange(2+1000*i, 1000)))
	}
	r.batch(lines...)
	r.want(". 1:1(0) ack 66002", ". 1:1(0) ack 132002", ". 1:1(0) ack 150002")
}

// RFC 5681 §4.2: "A TCP receiver SHOULD send an immediate ACK when the incoming
// segment fills in all or part of a gap", and one for each segment beyond it.
// Shows: RFC 9293 SHLD-31, MAY-13; RFC 2018 4c; RFC 5681 3.2a, 3.2b, 4.2d.
func TestGapsAreAcknowledgedAtOnce(t *testing.T) {
	r := established(t)
	n := r.useUpQuickAcks(100)
	for i := range 3 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(n+200+200*i, 100)))
		r.want(fmt.Sprintf(". 1:1(0) ack %d", n))
	}
	r.in(fmt.Sprintf(". %s ack 1", segRange(n, 100)))
	r.want(fmt.Sprintf(". 1:1(0) ack %d", n+100))
	r.in(fmt.Sprintf(". %s ack 1", segRange(n+100, 100)))
	r.want(fmt.Sprintf(". 1:1(0) ack %d", n+300))
	// In one batch each segment beyond the gap has its ACK still: the sender
	// counts them (RFC 5681 §3.2).
	r.batch(fmt.Sprintf(". %s ack 1", segRange(n+800, 100)), fmt.Sprintf(". %s ack 1", segRange(n+900, 100)))
	r.want(fmt.Sprintf(". 1:1(0) ack %d", n+300), fmt.Sprintf(". 1:1(0) ack %d", n+300))
}

// The peer's FIN is acknowledged at once; with DelayFinAck its ACK waits for
// ours to travel with.
func TestAckOfFin(t *testing.T) {
	r := established(t)
	r.in("F. 1:1(0) ack 1")
	r.want(". 1:1(0) ack 2")

	r = newRig(t, plain())
	r.connect(ConnConfig{DelayFinAck: true}, "<mss 1000>")
	r.in("F. 1:1(0) ack 1")
	r.want()
	r.wantState(StateCloseWait)
	r.advance(30 * time.Millisecond)
	r.shutdown()
	r.want("F. 1:1(0) ack 2")
	r.in(". 2:2(0) ack 2")
	r.wantState(StateClosed)

	r = newRig(t, plain())
	r.connect(ConnConfig{DelayFinAck: true}, "<mss 1000>")
	r.in("F. 1:1(0) ack 1")
	r.after(40*time.Millisecond, ". 1:1(0) ack 2")
}

// Off means off, and QuickAck acknowledges what is owed.
func TestNoDelayedAcks(t *testing.T) {
	cfg := plain()
	cfg.DelayedAck = -1
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	for i := range 40 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(1+i, 1)))
		r.want(fmt.Sprintf(". 1:1(0) ack %d", 2+i))
	}

	r = established(t)
	n := r.useUpQuickAcks(100)
	r.in(fmt.Sprintf(". %s ack 1", segRange(n, 100)))
	r.want()
	r.e.SetQuickAck(r.now, r.id, true)
	r.output()
	r.want(fmt.Sprintf(". 1:1(0) ack %d", n+100))
	r.in(fmt.Sprintf(". %s ack 1", segRange(n+100, 100)))
	r.want(fmt.Sprintf(". 1:1(0) ack %d", n+200))
}
