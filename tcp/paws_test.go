package tcp

import (
	"fmt"
	"testing"
	"time"
)

// stamped is a connection with timestamps: the peer's SYN said 1000.
func stamped(t *testing.T) *rig {
	r := newRig(t, Config{NoSACK: true, NoWindowScaling: true})
	r.connect(ConnConfig{}, "<mss 1000,TS val 1000 ecr 0>")
	return r
}

const hourMs = 3_600_000 // the rig's clock begins at one hour

// RFC 7323 §5.3 R1: a segment whose timestamp is older than TS.Recent is not
// acceptable: an ACK is sent in reply and it is dropped. Both sides of the
// limit, which lies half the circle back.
// Shows: RFC 7323 5.3a.
func TestPAWS(t *testing.T) {
	for tsval, ok := range map[int64]bool{
		999: false, 1000: true, 1001: true, 1000 + 1<<31 - 1: true, 1000 + 1<<31: false, 1000 - 1<<31: false, 0: false,
	} {
		r := stamped(t)
		r.in(fmt.Sprintf(". 1:11(10) ack 1 <TS val %d ecr 0>", tsval))
		if ok {
			r.want(fmt.Sprintf(". 1:1(0) ack 11 <TS val %d ecr %d>", hourMs, tsval))
		} else {
			r.want(fmt.Sprintf(". 1:1(0) ack 1 <TS val %d ecr 1000>", hourMs))
		}
		if got := r.e.counters.Drops[dropTests["PAWS"].reason]; got != uint64(1-b2n(ok)) {
			t.Errorf("timestamp %d: dropped %d times", tsval, got)
		}
	}
}

// §5.2: "PAWS … RST segments … MUST NOT be … validated by timestamps".
// Shows: RFC 7323 5.2b.
func TestPAWSDoesNotApplyToReset(t *testing.T) {
	r := stamped(t)
	r.in("R 1:1(0) <TS val 1 ecr 0>")
	r.want()
	r.wantState(StateClosed)
	r.wantErr(ErrReset)
}

// §5.5: "TS.Recent … is invalidated if a connection is idle for more than 24
// days": a peer that comes back after its clock has gone half the circle round
// is not locked out. One day earlier the old value still counts.
// Shows: RFC 7323 5.5.
func TestPAWSAfterALongIdleTime(t *testing.T) {
	const day = 24 * time.Hour
	r := stamped(t)
	r.advance(24*day - 1)
	r.in(". 1:11(10) ack 1 <TS val 500 ecr 0>")
	r.dropped(dropTests["PAWS"].reason, 1)
	r.sent = nil

	r = stamped(t)
	r.advance(25 * day)
	late := int64(1000 + 25*day/time.Millisecond) // more than 2^31 above 1000
	if int32(uint32(late)-1000) > 0 {
		t.Fatal("the clock has not gone half the circle")
	}
	r.in(fmt.Sprintf(". 1:11(10) ack 1 <TS val %d ecr 0>", late))
	r.want(fmt.Sprintf(". 1:1(0) ack 11 <TS val %d ecr %d>", int64(hourMs+25*24*hourMs), uint32(late)))
	r.in(fmt.Sprintf(". 11:21(10) ack 1 <TS val %d ecr 0>", late-1)) // and from here it protects again
	r.dropped(dropTests["PAWS"].reason, 1)
	r.sent = nil
}

// A peer that negotiated timestamps and omits them is tolerated and counted (a
// deviation from §3.2's SHOULD drop).
// Shows: RFC 7323 3.2f.
func TestMissingTimestampsAreTolerated(t *testing.T) {
	r := stamped(t)
	r.in(". 1:11(10) ack 1 <>")
	r.want(fmt.Sprintf(". 1:1(0) ack 11 <TS val %d ecr 1000>", hourMs))
	r.in("F. 11:11(0) ack 1 <>")
	r.want(fmt.Sprintf(". 1:1(0) ack 12 <TS val %d ecr 1000>", hourMs))
	if n := r.e.Counters().MissingTimestamps; n != 2 {
		t.Errorf("counted %d times", n)
	}
}

// §4.3 (2): TS.Recent follows a segment only if "SEG.SEQ <= Last.ACK.sent", so
// that one thrown in beyond a gap, with a timestamp of the far future, poisons
// nothing (HOSTILE 33), and delayed ACKs echo the first segment they cover.
// Shows: RFC 7323 4.3a, 4.3b, 4.3c, 5.2a.
func TestTSRecentFollowsTheEdge(t *testing.T) {
	r := stamped(t)
	r.in(". 101:111(10) ack 1 <TS val 900000 ecr 0>")
	r.want(fmt.Sprintf(". 1:1(0) ack 1 <TS val %d ecr 1000>", hourMs))
	r.in(". 1:101(100) ack 1 <TS val 1001 ecr 0>")
	r.want(fmt.Sprintf(". 1:1(0) ack 111 <TS val %d ecr 1001>", hourMs))

	r = stamped(t)
	for i := range maxQuickAcks {
		r.in(fmt.Sprintf(". %s ack 1 <TS val 1000 ecr 0>", segRange(1+100*i, 100)))
	}
	r.sent = r.sent[:0]
	r.in(". 1601:1701(100) ack 1 <TS val 2000 ecr 0>", ". 1701:1801(100) ack 1 <TS val 3000 ecr 0>")
	r.want()
	r.after(40*ms, fmt.Sprintf(". 1:1(0) ack 1801 <TS val %d ecr 2000>", hourMs+40))
}

// A segment that begins before the edge and reaches over it updates TS.Recent
// (§4.3: "SEG.SEQ <= Last.ACK.sent", not "=").
func TestTSRecentOfAnOverlappingSegment(t *testing.T) {
	r := stamped(t)
	r.in(". 1:11(10) ack 1 <TS val 1001 ecr 0>")
	r.want(fmt.Sprintf(". 1:1(0) ack 11 <TS val %d ecr 1001>", hourMs))
	r.in(". 6:21(15) ack 1 <TS val 1005 ecr 0>")
	r.want(fmt.Sprintf(". 1:1(0) ack 21 <TS val %d ecr 1005>", hourMs))
}

// The SYN carries our clock and no echo; every segment after it, resets apart,
// both (§3.2, §4.2).
// Shows: RFC 7323 3.2a, 3.2b, 3.2d.
func TestTimestampsAreOnEverySegment(t *testing.T) {
	r := newRig(t, Config{NoSACK: true, NoWindowScaling: true})
	r.open(ConnConfig{})
	r.want(fmt.Sprintf("S 0:0(0) <mss 1460,TS val %d ecr 0>", hourMs))
	r.advance(50 * ms)
	r.in(fmt.Sprintf("S. 0:0(0) ack 1 <mss 1000,TS val 7 ecr %d>", hourMs))
	r.want(fmt.Sprintf(". 1:1(0) ack 1 <TS val %d ecr 7>", hourMs+50))
	r.write(10)
	r.want(fmt.Sprintf("P. 1:11(10) ack 1 <TS val %d ecr 7>", hourMs+50))
	r.in(". 1:1(0) ack 11 <TS val 8 ecr 0>", "S 1:1(0) <TS val 8 ecr 0>") // a challenge ACK
	r.want(fmt.Sprintf(". 11:11(0) ack 1 <TS val %d ecr 8>", hourMs+50))
	r.shutdown()
	r.want(fmt.Sprintf("F. 11:11(0) ack 1 <TS val %d ecr 8>", hourMs+50))
	r.in("F. 1:1(0) ack 12 <TS val 9 ecr 0>")
	r.want(fmt.Sprintf(". 12:12(0) ack 2 <TS val %d ecr 9>", hourMs+50))
}

// RFC 6691: timestamps take 12 bytes from every segment's text.
func TestTimestampsShortenTheText(t *testing.T) {
	r := stamped(t)
	r.write(2000)
	r.want(". 1:989(988) ack 1", ". 989:1977(988) ack 1", "P. 1977:2001(24) ack 1")
}
