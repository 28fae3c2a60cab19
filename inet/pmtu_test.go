package inet

import (
	"testing"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

func pathTo(s *Stack, now tcp.Time, remote string) int {
	s.clock(now)
	path, _ := s.Path(&tcp.Tuple{Local: wireAddr("192.0.2.1"), Remote: wireAddr(remote)})
	return path.MTU
}

func TestPathMTULives10Minutes(t *testing.T) {
	s := twoLinks(t)
	s.narrow(wireAddr("203.0.113.9"), 1300)
	s.narrow(wireAddr("192.0.2.1"), 600) // nobody narrows the loopback
	for _, c := range []struct {
		after  time.Duration
		remote string
		want   int
	}{
		{0, "203.0.113.9", 1300},
		{0, "203.0.113.8", 9000},
		{0, "192.0.2.1", maxMTU},
		{10*time.Minute - 1, "203.0.113.9", 1300},
		{10 * time.Minute, "203.0.113.9", 9000},
	} {
		if got := pathTo(s, tcp.Time(c.after), c.remote); got != c.want {
			t.Errorf("%s after %v: %d, want %d", c.remote, c.after, got, c.want)
		}
	}
}

func TestPathMTUOnlyShrinks(t *testing.T) {
	s := twoLinks(t)
	dst := wireAddr("203.0.113.9")
	s.narrow(dst, 1300)
	s.narrow(dst, 1400)
	if got := pathTo(s, 0, "203.0.113.9"); got != 1300 {
		t.Errorf("%d, want 1300", got)
	}
	s.clock(tcp.Time(5 * time.Minute))
	s.narrow(dst, 1300) // once more: it lives on
	if got := pathTo(s, tcp.Time(12*time.Minute), "203.0.113.9"); got != 1300 {
		t.Errorf("repeated: %d, want 1300", got)
	}
	s.clock(tcp.Time(15 * time.Minute))
	s.narrow(dst, 1400) // the old one has expired
	if got := pathTo(s, tcp.Time(15*time.Minute), "203.0.113.9"); got != 1400 {
		t.Errorf("after expiry: %d, want 1400", got)
	}
}

// The cache is bounded, and remembers what came last.
func TestPathMTUBound(t *testing.T) {
	s := twoLinks(t)
	const n = 100_000
	for i := range uint64(n) {
		s.clock(tcp.Time(i))
		s.narrow(wire.Addr{Hi: 0x20010db8 << 32, Lo: i + 1}, 1300)
	}
	live := s.pmtu.live(s.now)
	if len(live) != pmtuSets*pmtuWays {
		t.Errorf("%d entries, want %d", len(live), pmtuSets*pmtuWays)
	}
	last := wire.Addr{Hi: 0x20010db8 << 32, Lo: n}
	if got := s.pmtu.get(s.now, s.setOf(last), last); got != 1300 {
		t.Errorf("the last: %d, want 1300", got)
	}
	for i := 1; i < len(live); i++ {
		if compareAddr(live[i-1].dst, live[i].dst) >= 0 {
			t.Fatalf("entries %d and %d out of order", i-1, i)
		}
	}
}
