package tcp

import (
	"fmt"
	"strings"
	"testing"
)

// inFlight10 is a connection with ten segments of 1000 bytes in flight, as many
// as the window allows, and ten more to send. RTT 100 ms.
func inFlight10(t *testing.T, sack bool) *rig {
	cfg := plain()
	cfg.NoSACK = !sack
	r := newRig(t, cfg)
	r.open(ConnConfig{})
	r.sent = nil
	r.advance(100 * ms)
	r.in("S. 0:0(0) ack 1 <mss 1000,sackOK>")
	r.want(". 1:1(0) ack 1")
	r.write(20_000)
	r.want(segments(1, 10)...)
	r.advance(100 * ms)
	return r
}

// segments are the lines of n full segments that begin at the given number.
func segments(from, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(". %s ack 1", segRange(from+1000*i, 1000)))
	}
	return lines
}

// dup is a duplicate ACK, with the SACK blocks of a receiver that has these
// segments of 1000 bytes, counted from 1, the newest first.
func dup(ack int, have ...int) string {
	if len(have) == 0 {
		return fmt.Sprintf(". 1:1(0) ack %d", ack)
	}
	var blocks []string
	for i := 0; i+1 < len(have); i += 2 {
		blocks = append(blocks, fmt.Sprintf("%d:%d", 1+1000*(have[i]-1), 1+1000*have[i+1]))
	}
	return fmt.Sprintf(". 1:1(0) ack %d <sack %s>", ack, strings.Join(blocks, " "))
}

// RFC 5681 §3.2: the third duplicate ACK, and not the second, sends the missing
// segment again and halves the window; RFC 3042: the first two each let a new
// segment go, which FlightSize then does not count.
// Shows: RFC 5681 3.2c, 3.2d, 3.2e, 3.2f, 3.2g, 3.2h.
func TestFastRetransmit(t *testing.T) {
	r := inFlight10(t, false)
	r.in(dup(1))
	r.want(segments(10001, 1)...)
	r.in(dup(1))
	r.want(segments(11001, 1)...)
	r.in(dup(1))
	r.want(segments(1, 1)...)
	if s := r.status(); s.Ssthresh != 5000 || s.Recovery != "recovery" {
		t.Errorf("ssthresh %d, %s", s.Ssthresh, s.Recovery)
	}
	// Each further one stands for a segment that left the network: cwnd is
	// ssthresh + 3 + k segments (step 4), and 12 are in flight.
	for range 4 {
		r.in(dup(1))
		r.want()
	}
	for i := range 4 {
		r.in(dup(1))
		r.want(segments(12001+1000*i, 1)...)
	}
	// The ACK of everything (RFC 6582 §3.2 step 3): the window is ssthresh, or
	// what is in flight and one more.
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 12001")
	if s := r.status(); s.Recovery != "open" || s.Cwnd != 5000 || s.FlightSize != 5000 {
		t.Errorf("%s, cwnd %d, flight %d", s.Recovery, s.Cwnd, s.FlightSize)
	}
	r.want(segments(16001, 1)...)
}

// What is not a duplicate ACK by RFC 5681 §2: one with text, one that changes
// the window, one with a FIN, one while nothing is in flight.
// Shows: RFC 5681 3.2c.
func TestNotADuplicateAck(t *testing.T) {
	r := inFlight10(t, false)
	for i := range 5 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(1+10*i, 10)))
		r.in(fmt.Sprintf(". %s ack 1 win %d", segRange(11+10*i, 0), 60000-i))
	}
	if s := r.status(); s.DupAcks != 0 || s.Recovery != "open" {
		t.Errorf("%d duplicate ACKs, %s", s.DupAcks, s.Recovery)
	}
	r.sent = nil

	r = established(t)
	for range 5 {
		r.in(dup(1))
	}
	r.want()
	if s := r.status(); s.DupAcks != 0 {
		t.Errorf("%d duplicate ACKs with nothing in flight", s.DupAcks)
	}
}

// RFC 6582 §3.2: a partial ACK shows the next hole, which is sent again at once,
// and the recovery goes on until everything is acknowledged that was in flight
// when it began.
// Shows: RFC 5681 4.3a; RFC 6582 3.2c, 3.2d, 3.2e.
func TestNewRenoPartialAck(t *testing.T) {
	r := inFlight10(t, false) // the first and the third segment are lost
	r.in(dup(1), dup(1), dup(1))
	r.want(append(segments(10001, 2), segments(1, 1)...)...)
	for range 5 { // of the other eight
		r.in(dup(1))
	}
	r.want(segments(12001, 1)...)
	r.in(dup(1), dup(1)) // of the two that limited transmit sent
	r.want(segments(13001, 2)...)
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 2001")
	if len(r.sent) == 0 {
		t.Fatal("nothing is sent after a partial ACK")
	}
	r.sent = r.sent[:1] // with deflation by 2 and inflation by 1 a new one may follow
	r.want(segments(2001, 1)...)
	if s := r.status(); s.Recovery != "recovery" || s.Ssthresh != 5000 {
		t.Errorf("%s, ssthresh %d", s.Recovery, s.Ssthresh)
	}
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 12001")
	if s := r.status(); s.Recovery != "open" || s.Cwnd > 5000 {
		t.Errorf("%s, cwnd %d", s.Recovery, s.Cwnd)
	}
	r.sent = nil
}

// "retransmit the first unacknowledged segment": a partial ACK does that also
// when so much was lost that the window would not allow it.
// Shows: RFC 6582 3.2d.
func TestNewRenoPartialAckAfterManyLosses(t *testing.T) {
	r := inFlight10(t, false) // 1 and 6 to 10 are lost, and so are 11 and 12
	r.in(dup(1), dup(1), dup(1), dup(1))
	r.want(append(segments(10001, 2), segments(1, 1)...)...)
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 5001")
	r.want(segments(5001, 1)...)
	r.advance(100 * ms)
	r.in(". 1:1(0) ack 6001")
	if len(r.sent) == 0 || r.line(&r.sent[0].Segment, "") != segments(6001, 1)[0] {
		t.Errorf("sent\n%s", r.show(r.sent, ""))
	}
	r.sent = nil
}

// Duplicate ACKs of what was sent before a recovery begin no second one (RFC
// 6582 §3.2 step 2: "recover").
// Shows: RFC 6582 3.2a, 3.2b.
func TestNoSecondFastRetransmitForOldSegments(t *testing.T) {
	r := inFlight10(t, false)
	r.in(dup(1), dup(1), dup(1))
	r.sent = nil
	r.advance(300 * ms) // and the copy is lost: a time-out
	r.sent = nil
	r.in(". 1:1(0) ack 1001")
	r.sent = nil
	for range 8 {
		r.in(dup(1001))
	}
	if n := r.e.Counters().FastRecoveries; n != 1 {
		t.Errorf("%d fast recoveries", n)
	}
	r.sent = nil
}

// "Covers more than recover" means more: duplicate ACKs of recover itself may
// answer what was sent twice. A byte beyond it is enough.
// Shows: RFC 6582 3.2b.
func TestNoFastRetransmitAtRecover(t *testing.T) {
	for _, beyond := range []int{0, 1} {
		r := inFlight10(t, false)
		r.in(dup(1), dup(1), dup(1)) // the first two let 10001 to 12000 go
		r.sent = nil
		r.in(dup(12001)) // and recovery is over
		if s := r.status(); s.Recovery != "open" || s.FlightSize != 2000 {
			t.Fatalf("%s, %d bytes in flight", s.Recovery, s.FlightSize)
		}
		if beyond > 0 {
			r.in(dup(13001))
		}
		for range 4 {
			r.in(dup(12001 + beyond*1000))
		}
		if got := r.e.Counters().FastRecoveries; got != uint64(1+beyond) {
			t.Errorf("%d segments beyond recover: %d fast recoveries", beyond, got)
		}
		r.sent = nil
	}
}

// RFC 6675 §5: with SACK each duplicate ACK brings a block; at the third the
// recovery begins, and holes are found without partial ACKs.
// Shows: RFC 2018 5a; RFC 6675 4a, 4d, 4e, 4f, 5a, 5b, 5c, 5d, 5e, 5f.
func TestSACKRecovery(t *testing.T) {
	r := inFlight10(t, true) // the first and the third segment are lost
	r.in(dup(1, 2, 2))
	r.want(segments(10001, 1)...) // limited transmit: step 3.2
	r.in(dup(1, 4, 4, 2, 2))
	r.want(segments(11001, 1)...)
	r.in(dup(1, 4, 5, 2, 2))
	r.want(segments(1, 1)...)
	if s := r.status(); s.Recovery != "recovery" || s.Ssthresh != 5000 || s.Cwnd != 5000 || s.Sacked != 3000 {
		t.Errorf("%s, ssthresh %d, cwnd %d, sacked %d", s.Recovery, s.Ssthresh, s.Cwnd, s.Sacked)
	}
	// 3000 bytes above the third segment are SACKed: it is lost (IsLost), but
	// 12 - 4 SACKed - 1 lost = 7 segments are in the network, and the window is 5.
	r.in(dup(1, 4, 6, 2, 2))
	r.want()
	if s := r.status(); s.Lost != 1000 {
		t.Errorf("lost %d", s.Lost)
	}
	r.in(dup(1, 4, 7, 2, 2))
	r.want() // 6
	r.in(dup(1, 4, 8, 2, 2))
	r.want() // 5
	r.in(dup(1, 4, 9, 2, 2))
	r.want(segments(2001, 1)...) // 4, and 5 with it
	r.in(dup(1, 4, 10, 2, 2))
	r.want(segments(12001, 1)...)
	r.in(dup(1, 4, 11, 2, 2))
	r.want(segments(13001, 1)...)
	r.advance(100 * ms)
	r.in(dup(2001, 4, 12))
	r.want(segments(14001, 2)...) // 1 and 12 left the network
	r.in(". 1:1(0) ack 12001")
	if s := r.status(); s.Recovery != "open" || s.Cwnd != 5000 || s.Sacked+s.Lost+s.Retrans != 0 {
		t.Errorf("%s, cwnd %d, %d %d %d", s.Recovery, s.Cwnd, s.Sacked, s.Lost, s.Retrans)
	}
	r.sent = nil
}

// RFC 6675 §5 step 2: one ACK with more than two segments' worth of SACK above a
// hole is enough, when the ACKs between were lost.
// Shows: RFC 6675 4c, 5b.
func TestSACKRecoveryByIsLost(t *testing.T) {
	for have, lost := range map[int]bool{3: false, 4: true} { // segments 2 to 3, 2 to 4
		r := inFlight10(t, true)
		r.in(dup(1, 2, have))
		if got := r.status().Recovery == "recovery"; got != lost {
			t.Errorf("%d bytes SACKed above a hole: recovery %v", 1000*(have-1), got)
		}
		if lost {
			r.want(segments(1, 1)...)
		}
		r.sent = nil
	}
}

// Three separate stretches above a hole are enough whatever their size (§4,
// IsLost: "DupThresh discontiguous SACKed sequences").
// Shows: RFC 6675 4c.
func TestSACKRecoveryByThreeStretches(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoWindowScaling: true, Congestion: "reno"})
	r.connect(ConnConfig{NoDelay: true}, "<mss 1000,sackOK>")
	for range 8 {
		r.write(10)
	}
	r.sent = nil
	r.in(". 1:1(0) ack 1 <sack 11:21 31:41>")
	if s := r.status(); s.Recovery != "open" {
		t.Fatalf("two stretches: %s", s.Recovery)
	}
	r.in(". 1:1(0) ack 1 <sack 51:61 31:41 11:21>")
	if s := r.status(); s.Recovery != "recovery" {
		t.Fatalf("three stretches: %s", s.Recovery)
	}
	if got := r.line(&r.sent[0].Segment, ""); got != ". 1:11(10) ack 1" { // and what NextSeg's rule 3 adds
		t.Errorf("sent %s", got)
	}
	r.sent = nil
}

// RFC 2018 §8: the receiver may forget what it SACKed. An ACK that stops in
// front of a SACKed segment shows it; everything is sent again.
// Shows: RFC 2018 8a, 8c; RFC 6675 4b.
func TestSACKReneging(t *testing.T) {
	r := inFlight10(t, true)
	r.in(dup(1, 2, 2), dup(1, 2, 3), dup(1, 2, 10))
	r.sent = nil
	r.in(". 1:1(0) ack 1001") // it has 1 now, and no 2
	if s := r.status(); s.Sacked != 0 || r.e.Counters().Reneges != 1 {
		t.Errorf("sacked %d, counted %d times", s.Sacked, r.e.Counters().Reneges)
	}
	if len(r.sent) == 0 || r.line(&r.sent[0].Segment, "") != segments(1001, 1)[0] {
		t.Fatalf("sent\n%s", r.show(r.sent, ""))
	}
	r.sent = nil
	for ack := 2001; ack <= 20001; ack += 1000 {
		r.in(fmt.Sprintf(". 1:1(0) ack %d", ack))
		r.advance(50 * ms)
	}
	if s := r.status(); s.FlightSize != 0 || s.SendQueue != 0 {
		t.Errorf("flight %d, queue %d", s.FlightSize, s.SendQueue)
	}
	r.sent = nil
}

// RFC 2018 §8: after a time-out what stands at the left edge is sent again,
// "regardless of whether that segment has been SACKed": a peer that reports
// everything and acknowledges nothing.
// Shows: RFC 2018 5c.
func TestSACKedHeadIsRepeatedAfterATimeout(t *testing.T) {
	r := inFlight10(t, true)
	r.in(". 1:1(0) ack 1 <sack 1:10001>")
	r.sent = nil
	r.advance(r.status().RTO)
	r.want(segments(1, 1)...)
}

// A peer that reneges in silence is found by the retransmission timer.
func TestSACKRenegingBeforeATimeout(t *testing.T) {
	r := inFlight10(t, true)
	r.in(dup(1, 2, 10))
	r.sent = nil
	r.advance(r.status().RTO)
	r.sent = nil
	r.in(". 1:1(0) ack 1001")
	for range 40 {
		una := int(r.status().SndUNA - r.iss)
		if una == 20001 {
			break
		}
		r.advance(20 * ms)
		for _, s := range r.sent {
			if s.Seq-r.iss == Num(una) { // this peer takes only what is in order
				r.e.Input(r.now, r.seg(fmt.Sprintf(". 1:1(0) ack %d", una+s.DataLen())))
				una += s.DataLen()
			}
		}
		r.sent = r.sent[:0]
		r.output()
	}
	if una := r.status().SndUNA - r.iss; una != 20001 {
		t.Errorf("stopped at %d", una)
	}
	r.sent = nil
}

// SACK blocks that can't be are ignored: beyond what was sent, turned round,
// below the ACK, empty (CVE-2019-11477's relatives; HOSTILE 11).
// Shows: RFC 2883 5a.
func TestNonsenseSACKBlocks(t *testing.T) {
	for _, b := range []string{"1001:10002", "20001:30001", "5001:4001", "5001:5001", "-2000:-1000", "-2000:3001", "1:1", "-2147483648:0", "2147483647:-1"} {
		r := inFlight10(t, true)
		for range 5 {
			r.in(". 1:1(0) ack 1 <sack " + b + ">")
		}
		if s := r.status(); s.Sacked != 0 || s.Recovery != "open" {
			t.Errorf("block %s: sacked %d, %s", b, s.Sacked, s.Recovery)
		}
		r.want()
	}
}

// Savage's ACK division and RFC 3465: growth counts bytes, so that a segment
// acknowledged in a hundred pieces gains nothing (HOSTILE 25).
func TestAckDivisionGainsNothing(t *testing.T) {
	grown := map[int]uint32{}
	for _, pieces := range []int{1, 10, 100} {
		r := inFlight10(t, false)
		for i := range pieces {
			r.in(fmt.Sprintf(". 1:1(0) ack %d", 1+1000*(i+1)/pieces))
		}
		grown[pieces] = r.status().Cwnd
		r.sent = nil
	}
	if grown[10] != grown[1] || grown[100] != grown[1] || grown[1] != 11_000 {
		t.Errorf("cwnd after one segment, by pieces: %v", grown)
	}
}

// One ACK for very much grows slow start as far as ACKs of each segment would
// (HOSTILE 25: "slow start doubles with one ACK per 64 KiB").
func TestStretchAckDoublesSlowStart(t *testing.T) {
	r := inFlight10(t, false)
	r.in(". 1:1(0) ack 10001")
	if c := r.status().Cwnd; c != 20_000 {
		t.Errorf("cwnd %d", c)
	}
	r.sent = nil
}

// An ACK of what was never sent is answered and changes nothing (HOSTILE 24).
func TestOptimisticAck(t *testing.T) {
	r := inFlight10(t, false)
	r.in(". 1:1(0) ack 10002")
	r.want(". 10001:10001(0) ack 1")
	if s := r.status(); s.Cwnd != 10_000 || s.SndUNA != r.iss+1 {
		t.Errorf("cwnd %d, UNA %d", s.Cwnd, s.SndUNA-r.iss)
	}
}

// Spoofed duplicate ACKs let out no more than the window and three segments
// (HOSTILE 26).
func TestSpoofedDuplicateAcks(t *testing.T) {
	r := inFlight10(t, true)
	for range 100 {
		r.in(dup(1))
	}
	if f := r.status().FlightSize; f > 13_000 {
		t.Errorf("%d bytes in flight, with a window of 10000", f)
	}
	r.sent = nil
}
