package tcp

import (
	"fmt"
	"testing"

	"estab/internal/wire"
)

// atMTU says the same MTU for every path; tests change it.
type atMTU struct{ mtu int }

func (p *atMTU) Path(*Tuple) (Path, Error) { return Path{MTU: p.mtu}, 0 }

// A Packet Too Big that quotes what is in flight lowers the MSS at once, and
// what was too big is sent again without a look at the congestion window, which
// has nothing to do with it (RFC 1191 §6.4; RFC 8201 §5.4).
// Shows: RFC 5681 3.1e; RFC 9293 MUST-16.
func TestPacketTooBig(t *testing.T) {
	cfg := plain()
	path := &atMTU{1500}
	cfg.Paths = path
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1460>")
	r.write(3000)
	r.want(". 1:1461(1460) ack 1", ". 1461:2921(1460) ack 1", "P. 2921:3001(80) ack 1")
	path.mtu = 1040
	if got := r.e.PacketTooBig(r.now, &r.tup, r.iss+1461, 1040); got != wire.Accepted {
		t.Fatalf("PacketTooBig = %v", got)
	}
	r.output()
	// The full segments again, in pieces that fit; the small one passed.
	r.want(". 1:1001(1000) ack 1", ". 1001:1461(460) ack 1", ". 1461:2461(1000) ack 1", ". 2461:2921(460) ack 1")
	if s := r.status(); s.SMSS != 1000 || s.Ssthresh != 1<<32-1 {
		t.Errorf("SMSS %d, ssthresh %d", s.SMSS, s.Ssthresh)
	}
	r.in(". 1:1(0) ack 3001")
	r.write(2000)
	r.want(". 3001:4001(1000) ack 1", "P. 4001:5001(1000) ack 1")
}

// RFC 5927 §4.1: the quoted sequence number must be in flight, both sides of
// each limit; blind guesses change nothing (HOSTILE 32).
func TestPacketTooBigOnlyForWhatIsInFlight(t *testing.T) {
	for quoted, ok := range map[Num]bool{0: false, 1: false, 1000: false, 1001: true, 2000: true, 2001: false, 1<<31 + 1500: false} {
		r := established(t)
		r.write(2000)
		r.sent = nil
		r.in(". 1:1(0) ack 1001")
		got := r.e.PacketTooBig(r.now, &r.tup, r.iss+quoted, 600)
		r.output()
		if (got == wire.Accepted) != ok || (r.status().SMSS == 560) != ok {
			t.Errorf("quoting %d: %v, SMSS %d", quoted, got, r.status().SMSS)
		}
		r.sent = nil
	}
	r := established(t)
	other := r.tup
	other.RemotePort++
	if got := r.e.PacketTooBig(r.now, &other, r.iss, 600); got != wire.DropICMPQuote {
		t.Errorf("another pair: %v", got)
	}
}

// A larger MTU than known is no news, and none lowers the MSS below 48 bytes.
func TestPacketTooBigLimits(t *testing.T) {
	for mtu, want := range map[int]int{9000: 1000, 1041: 1000, 1040: 1000, 1039: 999, 88: 48, 87: 48, 40: 48, 0: 48, -5: 48} {
		r := established(t)
		r.write(1000)
		r.sent = nil
		r.e.PacketTooBig(r.now, &r.tup, r.iss+1, mtu)
		r.output()
		if got := r.status().SMSS; got != want {
			t.Errorf("MTU %d: SMSS %d, want %d", mtu, got, want)
		}
		r.sent = nil
	}
}

// A path that swallows full-sized segments without a word: two time-outs in a
// row of a full-sized segment lower the MSS, step by step, until something
// passes (RFC 4821's idea).
func TestBlackHole(t *testing.T) {
	cfg := plain()
	r := newRig(t, cfg)
	r.open(ConnConfig{})
	r.sent = nil
	r.in("S. 0:0(0) ack 1 <mss 1460>")
	r.sent = nil
	r.write(3000)
	r.sent = nil
	sizes := []int{1460}
	for range 12 {
		r.advance(r.status().RTO)
		if n := r.sent[0].DataLen(); n != sizes[len(sizes)-1] {
			sizes = append(sizes, n)
		}
		r.sent = r.sent[:0]
	}
	if fmt.Sprint(sizes) != "[1460 1220 1024 536]" {
		t.Errorf("sizes %v", sizes)
	}
	una := 1
	for range 20 { // and now everything passes, in order
		r.in(fmt.Sprintf(". 1:1(0) ack %d", min(una+536, 3001)))
		una = int(r.status().SndUNA - r.iss)
	}
	if una != 3001 {
		t.Errorf("stopped at %d", una)
	}
	r.sent = nil
}

// Time-outs of full-sized segments that are not in a row prove nothing: each
// time the repeat, as large, arrives.
func TestNoBlackHoleWhereFullSegmentsPass(t *testing.T) {
	r := established(t)
	una := 1
	for range 10 {
		r.write(1000)
		r.want(fmt.Sprintf("P. %s ack 1", segRange(una, 1000)))
		r.advance(r.status().RTO)
		r.want(fmt.Sprintf("P. %s ack 1", segRange(una, 1000)))
		una += 1000
		r.in(fmt.Sprintf(". 1:1(0) ack %d", una))
		r.write(1000) // and one that needs no repeat
		r.want(fmt.Sprintf("P. %s ack 1", segRange(una, 1000)))
		una += 1000
		r.in(fmt.Sprintf(". 1:1(0) ack %d", una))
	}
	if got := r.status().SMSS; got != 1000 {
		t.Errorf("SMSS %d", got)
	}
}

// A segment needn't be full-sized to be swallowed: what a smaller size would cut
// is cut, and what the smallest size takes is no reason.
func TestBlackHoleForLessThanFullSegments(t *testing.T) {
	for n, sizes := range map[int]string{1460: "[1460 1220 1024 536]", 1221: "[1221 1220 1024 536]", 1220: "[1220 1024 536]", 1100: "[1100 1024 536]", 537: "[537 536]", 536: "[536]"} {
		r := newRig(t, plain())
		r.connect(ConnConfig{}, "<mss 1460>")
		r.write(n)
		got := []int{r.sent[0].DataLen()}
		for range 12 {
			r.sent = r.sent[:0]
			r.advance(r.status().RTO)
			if n := r.sent[0].DataLen(); n != got[len(got)-1] {
				got = append(got, n)
			}
		}
		r.sent = r.sent[:0]
		if fmt.Sprint(got) != sizes {
			t.Errorf("%d bytes: sizes %v, want %s", n, got, sizes)
		}
	}
}

// Small segments that time out say nothing about the path's MTU.
func TestNoBlackHoleForSmallSegments(t *testing.T) {
	r := established(t)
	r.write(500)
	for range 8 {
		r.advance(r.status().RTO)
	}
	if got := r.status().SMSS; got != 1000 {
		t.Errorf("SMSS %d", got)
	}
	r.sent = nil
}

// MUST-55 and RFC 5927 §5.2: an ICMP error is fatal in SYN-SENT and soft in a
// synchronised state, where it only explains a later time-out.
// Shows: RFC 9293 MUST-54, MUST-56, SHLD-25.
func TestICMPErrors(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	if got := r.e.ICMPError(r.now, &r.tup, r.iss+1, ErrPortUnreachable); got != wire.DropICMPQuote {
		t.Errorf("quoting what was not sent: %v", got)
	}
	r.wantState(StateSynSent)
	if got := r.e.ICMPError(r.now, &r.tup, r.iss, ErrPortUnreachable); got != wire.Accepted {
		t.Errorf("quoting our SYN: %v", got)
	}
	r.wantState(StateClosed)
	r.wantErr(ErrPortUnreachable)

	r = established(t)
	r.write(10)
	r.sent = nil
	if got := r.e.ICMPError(r.now, &r.tup, r.iss+1, ErrHostUnreachable); got != wire.Accepted {
		t.Errorf("quoting text in flight: %v", got)
	}
	r.wantState(StateEstablished)
	r.advance(2000 * 1e9)
	r.wantState(StateClosed)
	r.wantErr(ErrHostUnreachable) // it timed out, and this is why
	r.sent = nil

	r = established(t)
	r.write(10)
	r.sent = nil
	r.e.ICMPError(r.now, &r.tup, r.iss+1, ErrHostUnreachable)
	r.in("R 1:1(0) ack 1")
	r.wantErr(ErrReset) // a reset is a reset
}

// A soft error is an event at once, the user can ask for it until text is
// acknowledged, and what is over does not explain a time-out much later.
// Shows: RFC 9293 MUST-47, SHLD-25.
func TestSoftErrorsAreTold(t *testing.T) {
	ring := NewRing(16, EventICMP)
	cfg := plain()
	cfg.Events = ring
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(10)
	r.e.ICMPError(r.now, &r.tup, r.iss+2000, ErrHostUnreachable) // not in flight
	if _, ok := ring.Next(); ok || r.status().SoftErr != 0 {
		t.Error("an error about what was not sent was believed")
	}
	r.e.ICMPError(r.now, &r.tup, r.iss+1, ErrHostUnreachable)
	if ev, ok := ring.Next(); !ok || ev.Kind != EventICMP || ev.Err != ErrHostUnreachable || ev.Conn != r.id {
		t.Errorf("event %+v, %v", ev, ok)
	}
	if s := r.status(); s.SoftErr != ErrHostUnreachable || s.Err != 0 {
		t.Errorf("soft error %v, error %v", s.SoftErr, s.Err)
	}
	r.in(". 1:1(0) ack 11")
	if s := r.status(); s.SoftErr != 0 {
		t.Errorf("soft error %v after an ACK", s.SoftErr)
	}
	r.write(10)
	r.advance(2000 * 1e9)
	r.wantErr(ErrTimeout)
	r.sent = nil
}

// Nobody can end a connection that is half-open, in TIME-WAIT or not there.
func TestICMPErrorsForRecords(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0)")
	r.iss = r.sent[0].Seq
	r.sent = nil
	for q := range Num(3) {
		r.e.ICMPError(r.now, &r.tup, r.iss+q, ErrHostUnreachable)
		r.e.PacketTooBig(r.now, &r.tup, r.iss+q, 600)
	}
	r.wantState(StateSynReceived)

	r = timeWaiting(t, plain())
	for q := range Num(3) {
		r.e.ICMPError(r.now, &r.tup, r.iss+q, ErrHostUnreachable)
		r.e.PacketTooBig(r.now, &r.tup, r.iss+q, 600)
	}
	r.wantState(StateTimeWait)
}

// The smallest MSS that a peer can impose is 48 bytes, whatever it says
// (CVE-2019-11479); without an option it is 536, or 1220 over IPv6 (MUST-15).
// Shows: RFC 9293 MUST-15, MUST-16.
func TestPeersMSS(t *testing.T) {
	for _, x := range []struct {
		tup  Tuple
		opt  string
		want int
	}{
		{testTuple4, "<mss 0>", 48}, {testTuple4, "<mss 1>", 48}, {testTuple4, "<mss 47>", 48}, {testTuple4, "<mss 48>", 48},
		{testTuple4, "<mss 49>", 49}, {testTuple4, "<mss 1459>", 1459}, {testTuple4, "<mss 65535>", 1460},
		{testTuple4, "", 536}, {testTuple6, "", 1220}, {testTuple6, "<mss 65535>", 1440}, {testTuple6, "<mss 1>", 48},
	} {
		for _, passive := range []bool{false, true} {
			r := newRig(t, plain())
			r.tup = x.tup
			if passive {
				r.serve(ListenOptions{}, x.opt)
			} else {
				r.connect(ConnConfig{}, x.opt)
			}
			if got := r.status().SMSS; got != x.want {
				t.Errorf("%q, passive %v: SMSS %d, want %d", x.opt, passive, got, x.want)
			}
			r.write(2 * x.want)
			if n := r.sent[0].DataLen(); n != x.want {
				t.Errorf("%q: a segment of %d", x.opt, n)
			}
			r.sent = nil
		}
	}
}

// With timestamps the 12 bytes come off the 48 too (RFC 6691), as in Linux.
func TestSmallestMSSWithTimestamps(t *testing.T) {
	r := newRig(t, Config{})
	r.connect(ConnConfig{}, "<mss 1,TS val 1 ecr 0>")
	r.write(100)
	if n := r.sent[0].DataLen(); n != 36 {
		t.Errorf("a segment of %d", n)
	}
	r.sent = nil
}

// twoPaths changes the way to everywhere when it is told to.
type twoPaths struct {
	egress uint32
	mtu    int
}

func (p *twoPaths) Path(*Tuple) (Path, Error) { return Path{Egress: p.egress, MTU: p.mtu}, 0 }

// At R1, the third repeat, the layer below is asked again for the way (MUST-20 (a)).
func TestPathIsAskedAgainAtR1(t *testing.T) {
	cfg := plain()
	path := &twoPaths{1, 1500}
	cfg.Paths = path
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(900)
	path.egress, path.mtu = 2, 840
	for range 3 {
		r.advance(r.status().RTO)
	}
	var egress []uint32
	for i := range r.sent {
		egress = append(egress, r.sent[i].Egress)
	}
	if fmt.Sprint(egress) != "[1 1 1 2]" || r.status().SMSS > 800 {
		t.Errorf("egress %v, SMSS %d", egress, r.status().SMSS)
	}
	r.sent = nil
}
