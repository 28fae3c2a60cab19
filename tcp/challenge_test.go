package tcp

import (
	"fmt"
	"testing"
	"time"

	"estab/internal/wire"
)

// RFC 5961 §7: one connection sends a challenge ACK every 500 ms at most, so
// that two ends that challenge each other fall silent (HOSTILE 9).
// Shows: RFC 5961 7a.
func TestChallengeAcksOfOneConnection(t *testing.T) {
	r := established(t)
	for range 100 { // 10 s of one hostile segment each 100 ms
		r.in("R 2:2(0)")
		r.in("S 1:1(0)")
		r.in(". 1:1(0) ack 2")
		r.advance(100 * ms)
	}
	if n := len(r.sent); n != 20 {
		t.Errorf("%d challenge ACKs in 10 s", n)
	}
	r.dropped(wire.DropChallengeLimit, 280)
	r.sent = nil
}

// An ACK for what lies outside the window, without text, is limited too; with
// text it is not, since its sender waits for it.
func TestAcksForWhatLiesOutsideTheWindow(t *testing.T) {
	r := established(t)
	for range 10 {
		r.in(". 100001:100001(0) ack 1")
	}
	r.want(". 1:1(0) ack 1")
	r.advance(500 * ms)
	r.in(". 100001:100001(0) ack 1")
	r.want(". 1:1(0) ack 1")
	for range 5 {
		r.in(". 100001:100011(10) ack 1")
		r.want(". 1:1(0) ack 1")
	}
}

// Two ends whose numbers disagree (one has lost its past) answer each other's
// ACKs: the exchange dies out.
func TestAckLoopDies(t *testing.T) {
	r := established(t)
	n := 0
	r.in(". 100001:100001(0) ack 1")
	for range 1000 { // whatever we say, the other end answers at once with the same
		k := len(r.sent)
		n += k
		r.sent = r.sent[:0]
		for range k {
			r.in(". 100001:100001(0) ack 1")
		}
		r.advance(ms)
	}
	if n > 3 {
		t.Errorf("%d ACKs in a second", n)
	}
	r.sent = nil
}

// All connections together send between half and one and a half of the
// configured number in a second, drawn anew each second from the secret, so
// that counting them tells nothing (CVE-2016-5696; HOSTILE 8).
// Shows: RFC 5961 7a, 7b.
func TestChallengeAcksOfAllConnections(t *testing.T) {
	for _, secret := range []byte{1, 2} {
		cfg := plain()
		cfg.Secret = [32]byte{secret}
		cfg.ChallengeAcks = 100
		cfg.ChallengeAckWait = -1 // no limit for one
		r := newRig(t, cfg)
		r.connect(ConnConfig{}, "<mss 1000>")
		seen := map[int]bool{}
		sum := 0
		const seconds = 200
		for range seconds {
			for range 200 {
				r.in("S 1:1(0)")
			}
			n := len(r.sent)
			if n < 50 || n > 150 {
				t.Fatalf("%d in a second", n)
			}
			seen[n] = true
			sum += n
			r.sent = r.sent[:0]
			r.advance(time.Second)
		}
		if len(seen) < 50 {
			t.Errorf("only %d different limits in %d seconds", len(seen), seconds)
		}
		if mean := sum / seconds; mean < 90 || mean > 110 {
			t.Errorf("%d a second on average", mean)
		}
	}
}

// The limits of two engines with different secrets are not the same.
func TestChallengeLimitsDifferBySecret(t *testing.T) {
	var seq [2][20]int
	for i := range seq {
		l := newChallengeLimit(newStream(deriveKey(&[32]byte{byte(i + 1)}, keyChallenge)))
		e := newEngine(t, Config{})
		for s := range seq[i] {
			e.now = Time(s) * 1e9
			l.take(e)
			seq[i][s] = l.left
		}
	}
	if seq[0] == seq[1] {
		t.Errorf("both draw %v", seq[0])
	}
}

// One connection's challenges don't silence another's: each has its own limit.
func TestChallengesOfTwoConnections(t *testing.T) {
	r := established(t)
	r.in("S 1:1(0)", "S 1:1(0)", "S 1:1(0)")
	r.want(". 1:1(0) ack 1")
	r.tup.RemotePort++
	r.connect(ConnConfig{}, "<mss 1000>")
	r.in("S 1:1(0)")
	r.want(". 1:1(0) ack 1")
}

// RFC 5961 §3: of all the RSTs that a blind attacker can try in a window, one
// sequence number ends the connection (HOSTILE 5).
// Shows: RFC 5961 3.2a, 3.2b, 3.2c.
func TestBlindReset(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{ReceiveBuffer: 1000}, "<mss 1000>")
	for off := -1000; off < 2000; off++ {
		c := r.e.Clone()
		seg := r.seg(fmt.Sprintf("R %d:%d(0)", off, off))
		c.Input(r.now, seg)
		st, err := c.Status(r.now, r.id)
		if killed := err != 0 || st.State == StateClosed; killed != (off == 1) {
			t.Errorf("a RST at %d: killed %v", off, killed)
		}
	}
}

// RFC 5961 §4: no SYN ends a connection (HOSTILE 6).
// Shows: RFC 5961 4.2a.
func TestBlindSyn(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{ReceiveBuffer: 1000}, "<mss 1000>")
	for off := -1000; off < 2000; off++ {
		for _, f := range []string{"S", "S.", "SF", "SF."} {
			c := r.e.Clone()
			c.Input(r.now, r.seg(fmt.Sprintf("%s %d:%d(0) ack 1", f, off, off)))
			if st, err := c.Status(r.now, r.id); err != 0 || st.State != StateEstablished || st.RcvNXT != r.irs+1 {
				t.Fatalf("%s at %d: %v %v", f, off, err, st.State)
			}
		}
	}
}

// RFC 5961 §5: blind text is taken only with an ACK in [UNA-MAX.WND, NXT] (HOSTILE
// 7): both sides of both limits.
// Shows: RFC 9293 MAY-12; RFC 5961 5.2.
func TestBlindText(t *testing.T) {
	for ack, ok := range map[int64]bool{1: true, 0: true, -65534: true, -65535: false, -65536: false, 2: false, 1 << 31: false, -1 << 30: false} {
		r := established(t)
		r.in(fmt.Sprintf(". 1:11(10) ack %d", ack))
		if got := r.e.Readable(r.id); (got == 10) != ok {
			t.Errorf("ack %d: %d bytes delivered", ack, got)
		}
		r.sent = nil
	}
}

// A month after the last challenge ACK, or answer to a probe, the next one is not
// held back: what says "not before" is not a clock that wraps.
func TestChallengesAfterAMonth(t *testing.T) {
	for days := range 60 {
		r := established(t)
		r.in("S 1:1(0)", ". 0:0(0) ack 1")
		r.want(". 1:1(0) ack 1", ". 1:1(0) ack 1")
		r.advance(time.Duration(days)*24*time.Hour + time.Second)
		r.in("S 1:1(0)", ". 0:0(0) ack 1")
		if len(r.sent) != 2 {
			t.Errorf("after %d days %d of 2 segments are answered", days, len(r.sent))
		}
		r.sent = nil
	}
}
