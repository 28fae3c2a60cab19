package tcp

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"estab/internal/wire"
)

// The tests of this file are doubts: a sentence of an RFC was read beside the code,
// and the code was not obviously right.

// RFC 7323 §2.2: "The window field in a segment where the SYN bit is set … MUST NOT
// be scaled", nor is that of the SYN,ACK that ends a simultaneous open.
// Shows: RFC 7323 2.2c.
func TestWindowOfSimultaneousSynAckIsNotScaled(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoSACK: true})
	r.open(ConnConfig{})
	r.sent = nil
	r.in("S 0:0(0) win 1000 <mss 500,wscale 7>")
	r.sent = nil
	r.in("S. 0:0(0) ack 1 win 1000 <mss 500,wscale 7>")
	r.wantState(StateEstablished)
	r.sent = nil
	if s := r.status(); s.SndWND != 1000 || s.SndScale != 7 {
		t.Errorf("SND.WND %d, scale %d", s.SndWND, s.SndScale)
	}
	r.write(5000)
	r.want(". 1:501(500) ack 1", ". 501:1001(500) ack 1")
	r.in(". 1:1(0) ack 1001 win 20")
	if s := r.status(); s.SndWND != 20<<7 {
		t.Errorf("SND.WND %d, want %d", s.SndWND, 20<<7)
	}
	r.sent = nil
}

// An ICMP error about a SYN that the link has not taken yet is about nothing.
func TestPacketTooBigBeforeTheSyn(t *testing.T) {
	r := newRig(t, plain())
	r.deaf = true
	r.open(ConnConfig{})
	for _, at := range []Num{0, 1} {
		if got := r.e.PacketTooBig(r.now, &r.tup, r.iss+at, 600); got != wire.DropICMPQuote {
			t.Errorf("ISS+%d: %v", at, got)
		}
		if got := r.e.ICMPError(r.now, &r.tup, r.iss+at, ErrHostUnreachable); got != wire.DropICMPQuote {
			t.Errorf("ISS+%d: %v", at, got)
		}
	}
	r.wantState(StateSynSent)
}

// RFC 5961 §4 and §7: a SYN is answered by a challenge ACK, "irrespective of the
// sequence number", and challenge ACKs are limited, those to SYNs outside the window
// too.
// Shows: RFC 5961 4.2a, 7a.
func TestSynsOutsideTheWindowAreLimited(t *testing.T) {
	r := established(t)
	for i := range 100 {
		r.in(fmt.Sprintf("S %d:%d(0)", -1000*i, -1000*i), fmt.Sprintf("S. %d:%d(0) ack 1", 70000+i, 70000+i))
	}
	r.want(". 1:1(0) ack 1")
	r.advance(499 * ms)
	r.in("S -5:-5(0)")
	r.want()
	r.advance(ms)
	r.in("S. 0:0(0) ack 1") // the ACK of a handshake was lost
	r.want(". 1:1(0) ack 1")
}

// HOSTILE 33: nobody who can't show an acceptable ACK moves TS.Recent, or one
// segment with a high timestamp would lock the peer out (PAWS).
// Shows: RFC 7323 4.3a.
func TestTSRecentNeedsAnAcceptableAck(t *testing.T) {
	for _, bad := range []string{". 1:11(10) ack 2", ". 1:11(10) ack -70000", "S 1:1(0)", "S. 1:1(0) ack 1", "P 1:11(10)", "R 2:2(0)"} {
		r := newRig(t, Config{NoWindowScaling: true, NoSACK: true})
		r.connect(ConnConfig{}, "<mss 1000,TS val 100 ecr 0>")
		r.in(bad + " <TS val 2000000000 ecr 0>")
		r.sent = nil
		r.in("P. 1:11(10) ack 1 <TS val 101 ecr 0>")
		if n := r.e.Readable(r.id); n != 10 {
			t.Errorf("after %q the peer is locked out", bad)
		}
		r.sent = nil
	}
}

// RFC 6675 §2: an ACK with news of SACK is a duplicate ACK "even if it carries new
// data, changes the advertised window, or moves the cumulative acknowledgment
// point".
// Shows: RFC 6675 5a.
func TestNewsOfSACKIsADuplicateAck(t *testing.T) {
	small := func() *rig {
		r := newRig(t, Config{NoTimestamps: true, NoWindowScaling: true, Congestion: "reno"})
		r.connect(ConnConfig{NoDelay: true}, "<mss 1000,sackOK>")
		for range 9 {
			r.write(10)
		}
		r.sent = nil
		return r
	}
	r := small()
	for i := range 3 {
		if s := r.status(); s.Recovery != "open" {
			t.Errorf("%d duplicate ACKs with text: %s", i, s.Recovery)
		}
		r.in(fmt.Sprintf("P. %d:%d(1) ack 1 win %d <sack 11:%d>", 1+i, 2+i, 1000+i, 21+10*i))
	}
	if s := r.status(); s.Recovery != "recovery" {
		t.Errorf("three duplicate ACKs with text and new windows: %s", s.Recovery)
	}
	r.sent = nil

	r = small()
	r.in(". 1:1(0) ack 11 <sack 21:31>") // moves the ACK: the first of the new count
	r.in(". 1:1(0) ack 11 <sack 21:41>")
	if s := r.status(); s.Recovery != "open" {
		t.Errorf("two duplicate ACKs: %s", s.Recovery)
	}
	r.in(". 1:1(0) ack 11 <sack 21:51>")
	if s := r.status(); s.Recovery != "recovery" {
		t.Errorf("three duplicate ACKs, of which one moved the ACK: %s", s.Recovery)
	}
	r.sent = nil
}

// RFC 7323 §3.2: TSopt "SHOULD be sent in an <RST> segment" of a connection that
// has agreed on it.
// Shows: RFC 7323 5.2c.
func TestResetHasTimestamps(t *testing.T) {
	for _, agreed := range []bool{true, false} {
		r := newRig(t, Config{NoWindowScaling: true, NoTimestamps: !agreed})
		r.connect(ConnConfig{}, "<mss 1000,sackOK,TS val 100 ecr 0>")
		r.in(". 2:12(10) ack 1 <TS val 100 ecr 0>") // a gap: SACK has no place on a RST
		r.sent = nil
		r.advance(time.Second)
		r.close(0)
		if agreed {
			r.want(fmt.Sprintf("R. 1:1(0) ack 1 <TS val %d ecr 100>", uint32(uint64(r.now)/1e6)))
		} else {
			r.want("R. 1:1(0) ack 1 <>")
		}
	}
}

// What becomes of a segment depends on SYN, ACK, FIN and RST: whatever else is set
// changes nothing in any row of the reference table, with which all 64 combinations
// of flags that scanners try, and those with ECE and CWR, have met every state
// (HOSTILE 39).
func TestFlagsThatMakeNoDifference(t *testing.T) {
	for _, row := range referenceRows(t) {
		for extra := range Flags(16) {
			var f Flags
			for i, bit := range []Flags{wire.PSH, wire.URG, wire.ECE, wire.CWR} {
				if extra>>i&1 != 0 {
					f |= bit
				}
			}
			if row.flags.Has(wire.SYN) && f.Any(wire.ECE|wire.CWR) {
				continue // an offer of ECN
			}
			other := row
			other.flags |= f
			for _, passive := range []bool{false, true} {
				if got := playReference(t, other, refVariant{iss: 1<<32 - 1, irs: 1 << 31, passive: passive}); got != "" {
					t.Errorf("reference.txt:%d with %v: %s\n\tgot: %s", row.line, f, row.text, got)
				}
			}
		}
	}
}

// HOSTILE 11 (CVE-2019-11478) and invariant I5: tens of thousands of small segments
// are in flight, and the peer reports them again with every ACK, from another edge
// each time. Looking at them again costs a few steps, not one for each.
func TestSACKWalksAreShort(t *testing.T) {
	const n, acks = 20_000, 4000
	cfg := Config{NoTimestamps: true, Congestion: "reno", InitialWindow: 1 << 16}
	r := newRig(t, cfg)
	r.connect(ConnConfig{SendBuffer: 1 << 24}, "<mss 48,sackOK,wscale 14>")
	r.in(". 1:1(0) ack 1") // a window of a gigabyte
	c := r.e.conns[0]
	c.cong.Cwnd = 1 << 29
	if k, err := r.e.Send(r.now, r.id, make([]byte, 48*n), 0); k != 48*n || err != 0 {
		t.Fatal(k, err)
	}
	r.e.Output(r.now, r)
	r.sent = nil
	if c.rtx.len() != n {
		t.Fatalf("%d segments in flight", c.rtx.len())
	}
	steps := 0
	count := func(b SACKBlock) { // as markSacked walks
		for i := c.rtx.search(b.Left); i < c.rtx.len() && c.rtx.at(i).end.LessEq(b.Right); i++ {
			i += int(c.rtx.at(i).skip)
			steps++
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range acks {
		line := ". 1:1(0) ack 1 <sack"
		for range 4 {
			left := 1 + rnd.IntN(n-1)
			line += fmt.Sprintf(" %d:%d", 1+48*left, 1+48*(left+1+rnd.IntN(n-left)))
		}
		seg := r.seg(line + ">")
		for _, b := range seg.Options.SACK {
			count(b)
		}
		r.e.Input(r.now, seg)
		r.e.Output(r.now, r)
		r.sent = r.sent[:0]
	}
	r.e.Input(r.now, r.seg(fmt.Sprintf(". 1:1(0) ack 1 <sack 49:%d>", 1+48*n)))
	if c.sacked != 48*(n-1) {
		t.Errorf("%d bytes SACKed of %d", c.sacked, 48*(n-1))
	}
	r.check()
	t.Logf("%d steps for %d blocks", steps, 4*acks)
	if most := 5*n + 4*8*acks; steps > most {
		t.Errorf("%d steps for %d blocks over %d segments, want %d at most", steps, 4*acks, n, most)
	}
}
