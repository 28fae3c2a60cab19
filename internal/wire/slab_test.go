package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A slab is a window on its buffer: append, trim, slice and narrow move its
// ends and nothing else.
func TestSlabAgainstBytes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	for range 300 {
		s := NewSlab([]int{1, SmallSlab, SmallSlab + 1, LargeSlab}[rnd.IntN(4)])
		var want []byte
		for range 100 {
			switch rnd.IntN(5) {
			case 0, 1:
				p := make([]byte, rnd.IntN(1500))
				for i := range p {
					p[i] = byte(rnd.Uint32())
				}
				room := s.Room()
				n := s.Append(p)
				if n != min(len(p), room) {
					t.Fatalf("append of %d with room %d took %d", len(p), room, n)
				}
				want = append(want, p[:n]...)
			case 2:
				n := rnd.IntN(len(want) + 1)
				s.Trim(n)
				want = want[n:]
			case 3:
				if len(want) == 0 || rnd.IntN(3) > 0 {
					break
				}
				i := rnd.IntN(len(want))
				j := i + rnd.IntN(len(want)-i+1)
				s.Slice(i, j)
				want = want[i:j]
			case 4:
				if len(want) == 0 || rnd.IntN(3) > 0 {
					break
				}
				i := rnd.IntN(len(want))
				j := i + rnd.IntN(len(want)-i+1)
				s.Narrow(s.Bytes()[i:j])
				want = want[i:j]
			}
			if !bytes.Equal(s.Bytes(), want) || s.Len() != len(want) {
				t.Fatalf("%d bytes, want %d", s.Len(), len(want))
			}
			if c := s.Clone(); !bytes.Equal(c.Bytes(), want) || c.Cap() != s.Cap() || c.Room() != s.Room() {
				t.Fatal("a clone differs")
			}
		}
	}
}

// Trim drops what nobody has needed since the last Trim, so that an idle pool
// is empty after two, and a busy one keeps what it uses.
func TestPoolTrim(t *testing.T) {
	var p Pool
	fill := func(n int) {
		slabs := make([]*Slab, n)
		for i := range slabs {
			slabs[i] = p.Get([]int{SmallSlab, LargeSlab}[i%2])
		}
		for _, s := range slabs {
			p.Put(s)
		}
	}
	fill(10)
	if n := p.Trim(); n != 10 {
		t.Errorf("after use: %d slabs, want 10", n)
	}
	fill(4)
	if n := p.Trim(); n != 4 {
		t.Errorf("after less use: %d slabs, want 4", n)
	}
	if n := p.Trim(); n != 0 {
		t.Errorf("idle: %d slabs, want 0", n)
	}
	if p.Get(1); p.Out != 1 {
		t.Errorf("%d slabs out, want 1", p.Out)
	}
}
