package wire

import (
	"bytes"
	"fmt"
	"math/bits"
	"testing"
)

// naiveSum is RFC 1071 as its first section describes it: pairs of bytes,
// one after the other, carries added at the end of each step.
func naiveSum(sum uint32, b []byte) uint32 {
	for i := 0; i < len(b); i += 2 {
		w := uint32(b[i]) << 8
		if i+1 < len(b) {
			w |= uint32(b[i+1])
		}
		sum += w
		if sum > 0xffff {
			sum -= 0xffff
		}
	}
	return sum
}

func pattern(n int, seed uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return b
}

func TestSumExampleOfRFC1071(t *testing.T) {
	// RFC 1071 §3: 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := ^Fold(Sum(0, b)); got != 0xddf2 {
		t.Errorf("sum = %#04x, want 0xddf2", got)
	}
}

func TestSumEveryLengthAndSplit(t *testing.T) {
	for _, fill := range []func(int) []byte{
		func(n int) []byte { return pattern(n, 1) },
		func(n int) []byte { return make([]byte, n) },
		func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = 0xff
			}
			return b
		},
	} {
		for n := 0; n < 400; n++ {
			b := fill(n)
			want := ^uint16(naiveSum(0, b))
			if got := Fold(Sum(0, b)); got != want {
				t.Fatalf("%d bytes: %#04x, want %#04x", n, got, want)
			}
			for i := 0; i <= n; i++ {
				got := Fold(Combine(Sum(0, b[:i]), Sum(0, b[i:]), i))
				if got != want {
					t.Fatalf("%d bytes split at %d: %#04x, want %#04x", n, i, got, want)
				}
			}
		}
	}
}

// TestCopySumIsCopyAndSum, and both are what the portable code makes of it, at
// every alignment and length around what the vector code takes at a time.
func TestCopySumIsCopyAndSum(t *testing.T) {
	for n := range 1100 {
		off := n % 37
		src := pattern(off+n, uint32(n))[off:]
		if n%5 == 0 {
			for i := range src {
				src[i] = 0xff
			}
		}
		dst := make([]byte, n+2)
		got := CopySum(uint64(n), dst[1:n+1], src)
		if want := Sum(uint64(n), src); Fold(got) != Fold(want) {
			t.Fatalf("%d bytes: CopySum %#04x, Sum %#04x", n, Fold(got), Fold(want))
		}
		if want := add(uint64(n), bits.ReverseBytes64(sumWords(0, src))); Fold(got) != Fold(want) {
			t.Fatalf("%d bytes: %#04x, portable %#04x", n, Fold(got), Fold(want))
		}
		if !bytes.Equal(dst[1:n+1], src) || dst[0] != 0 || dst[n+1] != 0 {
			t.Fatalf("%d bytes: not a copy of them and nothing else", n)
		}
	}
}

func TestFoldCarries(t *testing.T) {
	for _, c := range []struct {
		sum  uint64
		want uint16
	}{
		{0, 0xffff}, {1, 0xfffe}, {0xffff, 0}, {0x10000, 0xfffe}, {0x1fffe, 0},
		{1<<64 - 1, 0}, {1<<64 - 2, 1}, {0xffffffff, 0}, {0xffff0001, 0xfffe}, {0xffffffff_00000001, 0xfffe},
	} {
		if got := Fold(c.sum); got != c.want {
			t.Errorf("Fold(%#x) = %#04x, want %#04x", c.sum, got, c.want)
		}
	}
}

func TestPseudoSum(t *testing.T) {
	src4, dst4 := AddrFrom4([]byte{255, 255, 255, 255}), AddrFrom4([]byte{255, 255, 255, 254})
	b := []byte{255, 255, 255, 255, 255, 255, 255, 254, 0, 6, 0xff, 0xeb}
	if got, want := Fold(PseudoSum(src4, dst4, 6, 0xffeb)), ^uint16(naiveSum(0, b)); got != want {
		t.Errorf("IPv4: %#04x, want %#04x", got, want)
	}
	v6 := pattern(40, 7)
	copy(v6[32:], []byte{0, 1, 0x12, 0x34, 0, 0, 0, 58})
	if got, want := Fold(PseudoSum(AddrFrom16(v6), AddrFrom16(v6[16:]), 58, 0x11234)), ^uint16(naiveSum(0, v6)); got != want {
		t.Errorf("IPv6: %#04x, want %#04x", got, want)
	}
}

func FuzzSum(f *testing.F) {
	f.Add(uint64(0), []byte{}, 0)
	f.Add(uint64(1<<64-1), pattern(300, 3), 129)
	f.Fuzz(func(t *testing.T, initial uint64, b []byte, split int) {
		start := uint32(initial % 0xffff)
		if start == 0 && initial != 0 {
			start = 0xffff
		}
		want := ^uint16(naiveSum(start, b))
		if got := Fold(Sum(initial, b)); got != want {
			t.Fatalf("Sum(%#x, %x) folds to %#04x, want %#04x", initial, b, got, want)
		}
		if len(b) == 0 {
			return
		}
		i := int(uint(split) % uint(len(b)))
		if got := Fold(Combine(Sum(initial, b[:i]), Sum(0, b[i:]), i)); got != want {
			t.Fatalf("split at %d: %#04x, want %#04x", i, got, want)
		}
	})
}

func BenchmarkCopySum(b *testing.B) {
	for _, n := range []int{1460, 65535} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, q := pattern(n, 1), make([]byte, n)
			b.SetBytes(int64(n))
			var s uint64
			for b.Loop() {
				s = CopySum(s, q, p)
			}
		})
		b.Run(fmt.Sprint("copy-", n), func(b *testing.B) {
			p, q := pattern(n, 1), make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				copy(q, p)
			}
		})
	}
}

func BenchmarkSum(b *testing.B) {
	for _, n := range []int{20, 40, 64, 576, 1460, 9000, 65535} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := pattern(n, 1)
			b.SetBytes(int64(n))
			var s uint64
			for b.Loop() {
				s = Sum(s, p)
			}
		})
	}
}
