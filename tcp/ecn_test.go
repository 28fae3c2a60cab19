package tcp

import (
	"testing"
	"time"

	"estab/internal/wire"
)

// marked is a segment with a mark in its IP header.
func (r *rig) marked(line string) *Segment {
	s := r.seg(line)
	s.ECN = ecnCE
	return s
}

// wantECN says what stands in the IP headers of what was sent.
func (r *rig) wantECN(want ...uint8) {
	r.t.Helper()
	for i := range r.sent {
		if i >= len(want) || r.sent[i].ECN != want[i] {
			r.t.Fatalf("segment %d of\n%s has ECN bits %d, want %v", i+1, r.show(r.sent, ""), r.sent[i].ECN, want)
		}
	}
}

func ecnConfig(mode int) Config {
	c := plain()
	c.ECN = mode
	return c
}

// RFC 3168 §6.1.1: a SYN with ECE and CWR offers, a SYN,ACK with ECE alone accepts;
// every other answer, and every other offer, is none. By default ECN is taken and
// not offered. SYNs are never ECN-capable themselves.
// Shows: RFC 9293 SHLD-8.
func TestECNNegotiation(t *testing.T) {
	for _, x := range []struct {
		mode int
		syn  string
		ok   bool
	}{{0, "SEW", true}, {1, "SEW", true}, {-1, "SEW", false}, {0, "S", false}, {0, "SE", false}, {0, "SW", false}} {
		r := newRig(t, ecnConfig(x.mode))
		r.listen(ListenOptions{})
		r.in(x.syn + " 0:0(0) <mss 1000>")
		r.iss = r.sent[0].Seq
		r.wantECN(0)
		if x.ok {
			r.want("S.E 0:0(0) ack 1")
		} else {
			r.want("S. 0:0(0) ack 1")
		}
		r.in(". 1:1(0) ack 1")
		r.accept()
		if got := r.status().ECN; got != x.ok {
			t.Errorf("mode %d, %s: ECN %v", x.mode, x.syn, got)
		}
	}
	for _, x := range []struct {
		mode        int
		syn, synAck string
		ok          bool
	}{{1, "SEW", "S.E", true}, {1, "SEW", "S.", false}, {1, "SEW", "S.EW", false}, {1, "SEW", "S.W", false},
		{0, "S", "S.E", false}, {-1, "S", "S.E", false}} {
		r := newRig(t, ecnConfig(x.mode))
		r.open(ConnConfig{})
		r.wantECN(0)
		r.want(x.syn + " 0:0(0)")
		r.in(x.synAck + " 0:0(0) ack 1 <mss 1000>")
		r.wantECN(0)
		r.want(". 1:1(0) ack 1")
		if got := r.status().ECN; got != x.ok {
			t.Errorf("mode %d, %s: ECN %v", x.mode, x.synAck, got)
		}
	}
}

// §6.1.1.1: who has sent, or got, a SYN without the offer does not use ECN, whatever
// came before; nor does a simultaneous open.
// Shows: RFC 9293 SHLD-8.
func TestECNFallsBack(t *testing.T) {
	r := newRig(t, ecnConfig(1))
	r.open(ConnConfig{})
	r.want("SEW 0:0(0)")
	r.after(time.Second, "S 0:0(0)")
	r.in("S.E 0:0(0) ack 1 <mss 1000>")
	r.want(". 1:1(0) ack 1")
	if r.status().ECN {
		t.Error("ECN after a SYN without")
	}

	r = newRig(t, ecnConfig(0))
	r.listen(ListenOptions{})
	r.in("SEW 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	r.want("S.E 0:0(0) ack 1")
	r.in("S 0:0(0) <mss 1000>")
	r.want("S. 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
	r.accept()
	if r.status().ECN {
		t.Error("ECN after a peer's SYN without")
	}

	r = newRig(t, ecnConfig(1))
	r.open(ConnConfig{})
	r.want("SEW 0:0(0)")
	r.in("SEW 0:0(0) <mss 1000>")
	r.want("S. 0:0(0) ack 1")
	r.in("S.E 0:0(0) ack 1 <mss 1000>")
	r.want(". 1:1(0) ack 1")
	if r.status().ECN {
		t.Error("ECN after a simultaneous open")
	}

	r = newRig(t, ecnConfig(1)) // the link had no room: the offer has not left yet
	r.deaf = true
	r.open(ConnConfig{})
	r.deaf = false
	r.e.Writable()
	r.output()
	r.want("SEW 0:0(0)")
}

// capable is a connection that has agreed on ECN and SACK.
func capable(t *testing.T) *rig {
	cfg := ecnConfig(1)
	cfg.NoSACK = false
	r := newRig(t, cfg)
	r.open(ConnConfig{})
	r.sent = r.sent[:0]
	r.in("S.E 0:0(0) ack 1 <mss 1000,sackOK>")
	r.sent = r.sent[:0]
	if !r.status().ECN {
		t.Fatal("no ECN")
	}
	return r
}

// §6.1.3: marked text is echoed on every segment until one says CWR, and no longer;
// a segment that says CWR and is marked itself starts over. Marks on what carries no
// text, or lies outside the window, say nothing; without ECN none does.
// Shows: RFC 9293 SHLD-8.
func TestECNEcho(t *testing.T) {
	for _, fast := range []bool{false, true} {
		r := capable(t)
		r.e.cfg.NoFastPath = !fast
		r.in(". 1:101(100) ack 1")
		r.want(". 1:1(0) ack 101")
		r.input(r.marked(". 101:101(0) ack 1"))
		r.want()
		r.input(r.marked(". 1:101(100) ack 1")) // old
		r.sent = r.sent[:0]
		r.in(". 101:201(100) ack 1")
		r.want(". 1:1(0) ack 201")
		r.input(r.marked(". 201:301(100) ack 1"))
		r.want(".E 1:1(0) ack 301")
		r.in(". 301:401(100) ack 1")
		r.want(".E 1:1(0) ack 401")
		r.write(10)
		r.want("P.E 1:11(10) ack 401")
		r.e.SetQuickAck(r.now, r.id, true)
		r.in(".W 401:501(100) ack 11")
		r.want(". 11:11(0) ack 501")
		s := r.marked(".W 501:601(100) ack 11")
		r.input(s)
		r.want(".E 11:11(0) ack 601")
		r.in(".W 601:701(100) ack 11")
		r.want(". 11:11(0) ack 701")
	}
	r := newRig(t, ecnConfig(-1))
	r.connect(ConnConfig{}, "<mss 1000>")
	r.input(r.marked(". 1:101(100) ack 1"))
	r.want(". 1:1(0) ack 101")
}

// §6.1.2: an echo halves the window, once in a window of data, and repeats nothing;
// the next new text says CWR, once. While the echo goes on the window does not grow.
// New text is ECN-capable, and nothing else.
// Shows: RFC 9293 SHLD-8; RFC 9438 4.6d.
func TestECNReaction(t *testing.T) {
	r := capable(t)
	r.write(20_000)
	r.wantECN(2, 2, 2, 2, 2, 2, 2, 2, 2, 2)
	r.sent = r.sent[:0]
	r.in(".E 1:1(0) ack 1001")
	if s := r.status(); s.Cwnd != 5000 || s.Ssthresh != 5000 || s.Recovery != "cwr" || s.Retrans != 0 {
		t.Errorf("cwnd %d, ssthresh %d, %s", s.Cwnd, s.Ssthresh, s.Recovery)
	}
	r.want()
	for ack := 2001; ack <= 5001; ack += 1000 {
		r.in(". 1:1(0) ack "+itoa(ack), ".E 1:1(0) ack "+itoa(ack))
	}
	r.want()
	r.in(".E 1:1(0) ack 6001")
	r.want(".W 10001:11001(1000) ack 1")
	r.in(".E 1:1(0) ack 7001")
	r.wantECN(2)
	r.want(". 11001:12001(1000) ack 1")
	if s := r.status(); s.Cwnd != 5000 {
		t.Errorf("cwnd %d, want 5000: once a window, and no growth", s.Cwnd)
	}
	if n := r.e.Counters().ECNReductions; n != 1 {
		t.Errorf("%d reductions", n)
	}
	r.in(". 1:1(0) ack 10001")
	r.sent = r.sent[:0]
	if s := r.status(); s.Recovery != "open" {
		t.Errorf("%s after the window", s.Recovery)
	}
	r.in(".E 1:1(0) ack 11001") // the next window's mark
	if n := r.e.Counters().ECNReductions; n != 2 {
		t.Errorf("%d reductions", n)
	}
	r.sent = r.sent[:0]
	r.advance(r.status().Timers[TimerRetransmit].Sub(r.now))
	r.wantECN(0) // a repeat
	if len(r.sent) != 1 || r.sent[0].DataLen() == 0 {
		t.Errorf("sent\n%s", r.show(r.sent, ""))
	}
	r.sent = r.sent[:0]
}

// Without ECN an ECE says nothing, and no text is ECN-capable.
// Shows: RFC 9293 SHLD-8.
func TestECNNotAgreed(t *testing.T) {
	r := newRig(t, ecnConfig(0))
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(5000)
	r.wantECN(0, 0, 0, 0, 0)
	r.sent = r.sent[:0]
	r.in(".E 1:1(0) ack 1001")
	if s := r.status(); s.Cwnd < 10_000 || s.Recovery != "open" {
		t.Errorf("cwnd %d, %s", s.Cwnd, s.Recovery)
	}
}

// A loss in the window of a mark is repaired without a second reduction, and one
// reduced window has one CWR, for whatever reason it was reduced.
// Shows: RFC 9293 SHLD-8.
func TestECNAndLoss(t *testing.T) {
	r := capable(t)
	r.write(10_000)
	r.sent = r.sent[:0]
	r.in(".E 1:1(0) ack 1001")
	for _, end := range []int{3001, 4001, 5001} {
		r.in(".E 1:1(0) ack 1001 <sack 2001:" + itoa(end) + ">")
	}
	if s := r.status(); s.Recovery != "recovery" || s.Cwnd != 5000 {
		t.Errorf("%s, cwnd %d", s.Recovery, s.Cwnd)
	}
	r.wantECN(0)
	r.want(". 1001:2001(1000) ack 1")
	r.in(". 1:1(0) ack 10001")
	r.write(1000)
	r.want("P.W 10001:11001(1000) ack 1")

	r = capable(t)
	r.write(1000)
	r.want("P. 1:1001(1000) ack 1")
	r.advance(r.status().RTO)
	r.want("P. 1:1001(1000) ack 1") // no CWR on a repeat
	r.in(". 1:1(0) ack 1001")
	r.write(1000)
	r.want("P.W 1001:2001(1000) ack 1")
	r.in(". 1:1(0) ack 2001")
	r.write(1000)
	r.want("P. 2001:3001(1000) ack 1")
}

// Probes and ACKs are not ECN-capable, nor is a FIN without text, or a RST.
// Shows: RFC 9293 SHLD-8.
func TestECNOnTextOnly(t *testing.T) {
	r := capable(t)
	r.in(". 1:1(0) ack 1 win 0")
	r.write(10)
	r.advance(r.status().Timers[TimerPersist].Sub(r.now))
	r.wantECN(0)
	r.want(". 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1 win 1000")
	r.wantECN(2)
	r.want("P. 1:11(10) ack 1")
	r.shutdown()
	r.wantECN(0)
	r.want("F. 11:11(0) ack 1")
	r.e.Abort(r.now, r.id)
	r.output()
	r.wantECN(0)
	if !r.sent[0].Flags.Has(wire.RST) {
		t.Error("no RST")
	}
	r.sent = r.sent[:0]
}
