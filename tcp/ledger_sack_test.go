package tcp

import (
	"fmt"
	"testing"
	"time"
)

// sacking is a connection with SACK and without other options.
func sacking(t *testing.T) *rig {
	r := newRig(t, Config{NoTimestamps: true, NoWindowScaling: true, Congestion: "reno"})
	r.connect(ConnConfig{}, "<mss 1000,sackOK>")
	return r
}

// With a gap every ACK reports what lies beyond it: the stretch that has just
// changed first, then those that changed before, as many as fit; text that fills
// a gap moves the ACK and the blocks.
// Shows: RFC 2018 4b, 4d, 4e, 4f.
func TestShowsSACKBlocksOfReceiver(t *testing.T) {
	r := sacking(t)
	r.in(". 1001:2001(1000) ack 1")
	r.want(". 1:1(0) ack 1 <sack 1001:2001>")
	r.in(". 3001:4001(1000) ack 1")
	r.want(". 1:1(0) ack 1 <sack 3001:4001 1001:2001>")
	r.in(". 5001:6001(1000) ack 1")
	r.want(". 1:1(0) ack 1 <sack 5001:6001 3001:4001 1001:2001>")
	r.in(". 7001:8001(1000) ack 1")
	r.want(". 1:1(0) ack 1 <sack 7001:8001 5001:6001 3001:4001 1001:2001>")
	r.in(". 9001:10001(1000) ack 1") // a fifth finds no room: the oldest goes
	r.want(". 1:1(0) ack 1 <sack 9001:10001 7001:8001 5001:6001 3001:4001>")
	r.in(". 4001:5001(1000) ack 1") // joins two
	r.want(". 1:1(0) ack 1 <sack 3001:6001 9001:10001 7001:8001>")
	r.in(". 1:1001(1000) ack 1") // fills the first gap
	r.want(". 1:1(0) ack 2001 <sack 3001:6001 9001:10001 7001:8001>")
	r.write(10) // our text carries them too
	r.want("P. 1:11(10) ack 2001 <sack 3001:6001 9001:10001 7001:8001>")
}

// A segment that came before is reported by a DSACK in front, once: the stretch
// that was repeated, and below the cumulative ACK nothing else.
// Shows: RFC 2883 4a, 4b, 4c, 4.2.
func TestShowsDSACKOfOldText(t *testing.T) {
	r := sacking(t)
	r.in(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1")
	r.want(". 1:1(0) ack 1001 <>", ". 1:1(0) ack 2001 <>")
	r.in(". 501:1001(500) ack 1") // RFC 2883 §4.1.1
	r.want(". 1:1(0) ack 2001 <sack 501:1001>")
	r.in(". 2001:3001(1000) ack 1")
	r.want(". 1:1(0) ack 3001 <>")
	r.in(". 2501:3501(1000) ack 1") // in part: only what was there (§4.2.1)
	r.want(". 1:1(0) ack 3501 <sack 2501:3001>")
	r.in(". 5001:5001(0) ack 1", ". 3501:3601(100) ack 1")
	r.want(". 1:1(0) ack 3601 <>")
}

// Beyond a gap a DSACK stands in front of the stretch that the segment lies in,
// and the others follow.
// Shows: RFC 2883 4d, 4e.
func TestShowsDSACKBeyondAGap(t *testing.T) {
	r := sacking(t)
	r.in(". 1001:2001(1000) ack 1", ". 3001:4001(1000) ack 1", ". 2001:3001(1000) ack 1")
	r.in(". 6001:7001(1000) ack 1")
	r.sent = r.sent[:0]
	r.in(". 2001:3001(1000) ack 1") // §4.1.3
	r.want(". 1:1(0) ack 1 <sack 2001:3001 1001:4001 6001:7001>")
	r.in(". 8001:9001(1000) ack 1")
	r.want(". 1:1(0) ack 1 <sack 8001:9001 1001:4001 6001:7001>")
	// With the ACK of old text, too (§4.1.2).
	r.in(". 1:1001(1000) ack 1")
	r.sent = r.sent[:0]
	r.in(". 1:1001(1000) ack 1")
	r.want(". 1:1(0) ack 4001 <sack 1:1001 8001:9001 6001:7001>")
}

// RFC 2883 §4.2.3, example 6: of two stretches above the ACK that came before,
// the first is reported, and behind it the block that now holds it; likewise
// where the segment fills the gap below them.
// Shows: RFC 2883 4.2.
func TestShowsDSACKOfPartsBeyondAGap(t *testing.T) {
	r := sacking(t)
	r.in(". 1501:2001(500) ack 1", ". 2501:3001(500) ack 1", ". 3501:4001(500) ack 1")
	r.sent = r.sent[:0]
	r.in(". 1501:3001(1500) ack 1")
	r.want(". 1:1(0) ack 1 <sack 1501:2001 1501:3001 3501:4001>")
	r.in(". 1001:1501(500) ack 1") // touches, and repeats nothing
	r.want(". 1:1(0) ack 1 <sack 1001:3001 3501:4001>")
	r.in(". 1:1201(1200) ack 1") // fills the gap, and 200 bytes too much
	r.want(". 1:1(0) ack 3001 <sack 1001:1201 3501:4001>")
}

// In a batch the block around the duplicate comes second, whatever came last.
// Shows: RFC 2883 4d.
func TestShowsDSACKBeforeItsBlockInABatch(t *testing.T) {
	r := sacking(t)
	r.in(". 1001:2001(1000) ack 1")
	r.sent = r.sent[:0]
	r.batch(". 1501:1701(200) ack 1", ". 3001:4001(1000) ack 1")
	r.want(". 1:1(0) ack 1 <sack 1501:1701 1001:2001 3001:4001>", ". 1:1(0) ack 1 <sack 1001:2001 3001:4001>")
}

// Text that leaves room for one block carries the one around the duplicate: a
// duplicate above the ACK by itself would say that no more has arrived.
// Shows: RFC 2883 4d.
func TestShowsNoDSACKWithoutItsBlock(t *testing.T) {
	for _, c := range []struct {
		text int
		sack string
	}{{980, "sack 1501:1701 1001:2001"}, {981, "sack 1001:2001"}, {988, "sack 1001:2001"}} {
		r := sacking(t)
		r.in(". 1001:2001(1000) ack 1")
		r.sent = r.sent[:0]
		r.e.Input(r.now, r.seg(". 1501:1701(200) ack 1"))
		r.write(c.text)
		r.want(fmt.Sprintf("P. %s ack 1 <%s>", segRange(1, c.text), c.sack), fmt.Sprintf(". %s ack 1 <sack 1001:2001>", segRange(1+c.text, 0)))
	}
}

// Before the first byte of the stream there is nothing to report, and as much
// as can be in flight is reported however long the stream is; a segment that PAWS
// refuses is reported too (§4.3).
// Shows: RFC 2883 4a.
func TestShowsDSACKOfEveryAge(t *testing.T) {
	r := sacking(t)
	r.in(". 1:1001(1000) ack 1")
	r.sent = r.sent[:0]
	r.in(". 0:1(1) ack 1", ". 0:1001(1001) ack 1")
	r.want(". 1:1(0) ack 1001 <>", ". 1:1(0) ack 1001 <>")
	c := r.e.conns[0]
	c.rcv.IRS -= 3 << 30 // as if three gigabytes had come before
	r.in(". 1:1001(1000) ack 1")
	r.want(". 1:1(0) ack 1001 <sack 1:1001>")

	r = newRig(t, Config{NoWindowScaling: true})
	r.connect(ConnConfig{}, "<mss 1000,sackOK,TS val 100 ecr 0>")
	r.in(". 1:1001(1000) ack 1 <TS val 101 ecr 0>")
	r.sent = r.sent[:0]
	r.in(". 1:1001(1000) ack 1 <TS val 99 ecr 0>")
	if s := r.sent[0]; len(r.sent) != 1 || s.Options.NSACK != 1 || s.Options.SACK[0].Left != r.irs+1 {
		t.Errorf("sent\n%s", r.show(r.sent, "<"))
	}
	r.sent = r.sent[:0]
}

// One report of text out of order begins no recovery, nor do two; what was
// delivered out of order is acknowledged later and nothing is repeated.
// Shows: RFC 2018 5e.
func TestShowsReorderingIsNotLoss(t *testing.T) {
	r := sacking(t)
	r.write(5000)
	r.sent = r.sent[:0]
	r.in(". 1:1(0) ack 1 <sack 1001:2001>", ". 1:1(0) ack 1 <sack 1001:3001>")
	r.want()
	r.in(". 1:1(0) ack 3001")
	r.want()
	if s := r.status(); s.Recovery != "open" || s.Retrans != 0 {
		t.Errorf("%s, %d bytes repeated", s.Recovery, s.Retrans)
	}
}

// A time-out ends a recovery and begins slow start with what is not SACKed: it
// repeats the holes and not the rest, and three more duplicate ACKs of the same
// data begin no second recovery.
// Shows: RFC 6675 5.1a, 5.1b.
func TestShowsSACKAfterATimeout(t *testing.T) {
	r := sacking(t)
	r.write(6000)
	r.sent = r.sent[:0]
	r.in(". 1:1(0) ack 1 <sack 1001:2001>", ". 1:1(0) ack 1 <sack 1001:3001>", ". 1:1(0) ack 1 <sack 1001:4001>")
	r.want(". 1:1001(1000) ack 1")
	if s := r.status(); s.Recovery != "recovery" {
		t.Fatalf("%s, want recovery", s.Recovery)
	}
	r.advance(r.status().Timers[TimerRetransmit].Sub(r.now))
	r.want(". 1:1001(1000) ack 1") // one segment
	if s := r.status(); s.Recovery != "loss" || s.Cwnd != 1000 {
		t.Fatalf("%s, cwnd %d, want loss and 1000", s.Recovery, s.Cwnd)
	}
	for range 3 {
		r.in(". 1:1(0) ack 1 <sack 1001:4001>")
	}
	r.want()
	if s := r.status(); s.Recovery != "loss" {
		t.Errorf("%s, want loss", s.Recovery)
	}
	r.in(". 1:1(0) ack 4001") // the hole is filled: the next that is missing, not what was SACKed
	r.want(". 4001:5001(1000) ack 1", "P. 5001:6001(1000) ack 1")
	r.in(". 1:1(0) ack 6001")
	r.want()
	if s := r.status(); s.Recovery != "open" {
		t.Errorf("%s, want open", s.Recovery)
	}
}

// Losses in two windows are two signs of congestion.
// Shows: RFC 5681 4.3b.
func TestShowsTwoLossesHalveTwice(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	lose := func(from, to int) {
		t.Helper()
		r.write(to - from)
		r.sent = r.sent[:0]
		for range 3 {
			r.in(". 1:1(0) ack " + itoa(from))
		}
		r.advance(10 * time.Millisecond)
		r.sent = r.sent[:0]
		r.in(". 1:1(0) ack " + itoa(to))
	}
	lose(1, 10001)
	if s := r.status(); s.Ssthresh != 5000 {
		t.Fatalf("ssthresh %d after one loss, want 5000", s.Ssthresh)
	}
	// One byte more, so that what follows lies beyond the first recovery.
	r.write(1)
	r.sent = r.sent[:0]
	r.in(". 1:1(0) ack 10002")
	lose(10002, 14002)
	if s := r.status(); s.Ssthresh != 2000 {
		t.Errorf("ssthresh %d after two losses, want 2000", s.Ssthresh)
	}
}

// With nothing lost that was not repeated, no new text that could go and room in
// the congestion window, the hole below the highest SACK is repeated on less
// evidence than IsLost asks for: once. New text can't go because there is none,
// or because the peer's window holds it back.
// Shows: RFC 6675 4g.
func TestShowsLastResortOfNextSeg(t *testing.T) {
	for _, waiting := range []int{0, 2000} {
		r := sacking(t)
		r.win = 10000
		r.in(". 1:1(0) ack 1")
		r.write(10000 + waiting)
		r.sent = r.sent[:0]
		r.in(". 1:1(0) ack 1 <sack 1001:2001>", ". 1:1(0) ack 1 <sack 1001:3001>", ". 1:1(0) ack 1 <sack 1001:4001>")
		r.want(". 1:1001(1000) ack 1")
		r.in(". 1:1(0) ack 1 <sack 1001:8001>")
		r.want()
		r.in(". 1:1(0) ack 1 <sack 9001:10001 1001:8001>") // one segment above the hole: not lost yet
		if len(r.sent) != 1 || r.sent[0].Seq-r.iss != 8001 || r.sent[0].DataLen() != 1000 {
			t.Fatalf("%d bytes waiting: sent\n%s, want 8001:9001", waiting, r.show(r.sent, ""))
		}
		r.sent = r.sent[:0]
		// SetPipe, (a) and (b): both its copies are in the network, and the first segment's second.
		if p := r.e.conns[0].pipe(); p != 3000 {
			t.Errorf("%d bytes waiting: pipe %d, want 3000", waiting, p)
		}
		r.in(". 1:1(0) ack 1 <sack 9001:10001 1001:8001>")
		r.want()
		r.in(". 1:1(0) ack 1 <sack 1001:10001>")
		if p := r.e.conns[0].pipe(); p != 1000 {
			t.Errorf("%d bytes waiting: pipe %d, want 1000", waiting, p)
		}
	}
}

// Rule 4: the first segment of a flight is lost, and the last, of which no SACK
// can tell. When the ACK has passed what was repeated first, the last is sent
// again, once, and not while anything new can go.
// Shows: RFC 6675 4h.
func TestShowsRescueOfATail(t *testing.T) {
	for _, fin := range []bool{false, true} {
		r := sacking(t)
		r.write(10000)
		if fin {
			r.shutdown()
		}
		r.sent = r.sent[:0]
		r.in(". 1:1(0) ack 1 <sack 1001:2001>", ". 1:1(0) ack 1 <sack 1001:3001>", ". 1:1(0) ack 1 <sack 1001:4001>")
		r.want(". 1:1001(1000) ack 1")
		r.in(". 1:1(0) ack 1 <sack 1001:9001>")
		r.want()
		r.in(". 1:1(0) ack 9001")
		if fin { // the FIN went behind the last segment
			r.want("F. 10001:10001(0) ack 1")
		} else {
			r.want("P. 9001:10001(1000) ack 1")
		}
		r.in(". 2:2(0) ack 9001")
		r.sent = r.sent[:0]
		r.in(". 1:1(0) ack 9001", ". 1:1(0) ack 9001", ". 1:1(0) ack 9001")
		r.want()
	}
	r := sacking(t)
	r.win = 10000
	r.in(". 1:1(0) ack 1")
	r.write(14000)
	r.sent = r.sent[:0]
	r.in(". 1:1(0) ack 1 <sack 1001:2001>", ". 1:1(0) ack 1 <sack 1001:3001>", ". 1:1(0) ack 1 <sack 1001:9001>")
	r.want(". 1:1001(1000) ack 1")
	r.in(". 1:1(0) ack 9001") // the window has moved by nine segments
	r.want(". 10001:11001(1000) ack 1", ". 11001:12001(1000) ack 1", ". 12001:13001(1000) ack 1", "P. 13001:14001(1000) ack 1")
}

// A segment that was repeated because of duplicate ACKs is not repeated again
// before an RTO has passed since, however long the timer had been running.
// Shows: RFC 6298 5.
func TestShowsFastRetransmitRestartsTheTimer(t *testing.T) {
	r := sacking(t)
	r.write(10000)
	r.sent = r.sent[:0]
	rto := r.status().RTO
	r.advance(rto - 10*time.Millisecond)
	r.in(". 1:1(0) ack 1 <sack 1001:2001>", ". 1:1(0) ack 1 <sack 1001:3001>", ". 1:1(0) ack 1 <sack 1001:4001>")
	r.want(". 1:1001(1000) ack 1")
	rto = r.status().RTO // what was SACKed was a sample
	r.after(rto, ". 1:1001(1000) ack 1")
}
