package seq

import (
	"math/rand/v2"
	"testing"
)

// around are the places where 32 bits wrap, and the middle of the circle.
var around = []Num{0, 1, 2, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 2, 1<<32 - 1, 12345}

// "a comes before b" means that b is reached from a by going less than half
// the circle forward (RFC 9293 §3.4), wherever on the circle they are.
func TestOrderAroundTheCircle(t *testing.T) {
	for _, a := range around {
		for _, d := range []uint32{0, 1, 2, 1000, 1<<31 - 2, 1<<31 - 1} {
			b := a + Num(d)
			if got := a.Less(b); got != (d > 0) {
				t.Errorf("%d.Less(%d) = %v", a, b, got)
			}
			if got := b.Less(a); got {
				t.Errorf("%d.Less(%d) = %v", b, a, got)
			}
			if !a.LessEq(b) || b.LessEq(a) != (d == 0) {
				t.Errorf("LessEq of %d and %d: %v, %v", a, b, a.LessEq(b), b.LessEq(a))
			}
			if b.Diff(a) != int32(d) || a.Diff(b) != -int32(d) {
				t.Errorf("Diff of %d and %d: %d, %d", a, b, b.Diff(a), a.Diff(b))
			}
			if Max(a, b) != b || Max(b, a) != b || Min(a, b) != a || Min(b, a) != a {
				t.Errorf("Max and Min of %d and %d", a, b)
			}
		}
	}
}

// Exactly half the circle apart, neither is ahead: both orders say "before",
// and whoever asks must not depend on it.
func TestOrderOfOpposites(t *testing.T) {
	for _, a := range around {
		b := a + 1<<31
		if !a.Less(b) || !b.Less(a) || a.Diff(b) != b.Diff(a) {
			t.Errorf("%d and %d: %v %v %d %d", a, b, a.Less(b), b.Less(a), a.Diff(b), b.Diff(a))
		}
	}
}

// The limits of a window: its first number is in it, the one behind its last
// is not, and a window of 0 holds nothing.
func TestWindowLimits(t *testing.T) {
	for _, start := range around {
		for _, size := range []uint32{0, 1, 2, 65535, 1 << 30, 1<<32 - 1} {
			for _, x := range []struct {
				off  uint32
				want bool
			}{{0, size > 0}, {size - 1, size > 0}, {size, false}, {1<<32 - 1, false}} {
				if size == 0 && x.off == size-1 {
					x.want = false
				}
				if got := (start + Num(x.off)).In(start, size); got != x.want {
					t.Errorf("%d+%d in a window of %d: %v", start, x.off, size, got)
				}
			}
		}
	}
}

// The order agrees with that of 64-bit numbers that never wrap, as long as
// they are less than half the circle apart.
func TestOrderAgainstWideNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		a := rnd.Uint64() >> 1
		b := a + rnd.Uint64N(1<<31)
		if rnd.IntN(2) == 0 {
			a, b = b, a
		}
		x, y := Num(a), Num(b)
		if x.Less(y) != (a < b) || x.LessEq(y) != (a <= b) || int64(x.Diff(y)) != int64(a-b) ||
			Max(x, y) != Num(max(a, b)) || Min(x, y) != Num(min(a, b)) {
			t.Fatalf("%d and %d compare differently", a, b)
		}
		if size := uint32(rnd.Uint64()); x.In(y, size) != (uint32(a-b) < size) {
			t.Fatalf("%d in [%d, +%d): %v", a, b, size, x.In(y, size))
		}
	}
}
