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

// lent is a slab with a kilobyte of text behind room for headers, and its second.
func lent(t *testing.T, p *Pool) (s, second *Slab, text []byte) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 4))
	text = make([]byte, 1001)
	for i := range text {
		text[i] = byte(rnd.Uint32())
	}
	s = p.Get(LargeSlab)
	s.Reserve(52)
	s.AppendSum(text)
	second = p.Lend(s, 52, len(text))
	if second == nil || second.Len() != 52+len(text) || !bytes.Equal(second.Bytes()[52:], text) {
		t.Fatal("the second slab doesn't show the text")
	}
	for i := range 52 {
		second.Bytes()[i] = byte(i)
	}
	if !bytes.Equal(s.Bytes(), text) || !s.Shared() || !second.Shared() {
		t.Fatal("headers were written over the text")
	}
	return s, second, text
}

// A buffer that two slabs lie on is given back once, by whoever comes last, and
// is then like any other, to be lent again.
func TestLend(t *testing.T) {
	for _, order := range []string{"lender first", "lender last"} {
		var lender, borrower Pool
		s, second, text := lent(t, &lender)
		if lender.Lend(s, 52, len(text)) != nil {
			t.Error("lent twice")
		}
		if s.Room() != 0 || second.Room() != 0 || s.Append(text)+second.Append(text)+s.AppendSum(text) != 0 {
			t.Error("something can be appended to a buffer that is lent")
		}
		if c := second.Clone(); c.Shared() || !bytes.Equal(c.Bytes(), second.Bytes()) || c.Room() != 0 {
			t.Error("a clone differs, or is on the same buffer")
		}
		second.Narrow(second.Bytes()[52:]) // as a receive queue does
		s.Trim(100)                        // as an ACK does
		if !bytes.Equal(second.Bytes(), text) || !bytes.Equal(s.Bytes(), text[100:]) {
			t.Error("the two slabs are not windows of their own")
		}
		last := &borrower
		if order == "lender first" {
			lender.Put(s)
			if lender.nLarge != 0 || second.Shared() || !bytes.Equal(second.Bytes(), text) {
				t.Error("the buffer went with the first")
			}
			borrower.Put(second)
		} else {
			second.Resize(0) // dropped on the way: it goes back as it came
			lender.Put(second)
			if lender.nLarge != 0 || s.Shared() || !bytes.Equal(s.Bytes(), text[100:]) || s.Room() != 0 {
				t.Error("the buffer went with the first")
			}
			lender.Put(s)
			last = &lender
		}
		if lender.Out+borrower.Out != 0 || lender.nLarge+borrower.nLarge != 1 {
			t.Errorf("%s: %d and %d slabs out, %d and %d there", order, lender.Out, borrower.Out, lender.nLarge, borrower.nLarge)
		}
		s = last.Get(LargeSlab)
		if s.Room() != LargeSlab || s.Len() != 0 || s.Shared() || last.Lend(s, 1, 0) != nil {
			t.Errorf("%s: what comes back is not empty", order)
		}
		s.Reserve(20)
		s.Append(text)
		if second := last.Lend(s, 20, 100); second == nil || !bytes.Equal(second.Bytes()[20:], text[:100]) {
			t.Errorf("%s: it can't be lent again", order)
		}
	}
}

// Lending, once the second slab of a buffer exists, allocates nothing.
func TestLendAllocatesNothing(t *testing.T) {
	var lender, borrower Pool
	lenderFirst := false
	once := func() {
		s := lender.Get(LargeSlab)
		s.Reserve(52)
		second := lender.Lend(s, 52, 0)
		if lenderFirst = !lenderFirst; lenderFirst {
			lender.Put(s)
			borrower.Put(second)
			lender.Put(borrower.Get(LargeSlab))
		} else {
			borrower.Put(second)
			lender.Put(s)
		}
	}
	once()
	if n := testing.AllocsPerRun(100, once); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The sum that is kept while a slab is filled, in pieces of any length, is that of
// its bytes, whatever is done to the slab in between.
func TestAppendSum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 5))
	for round := range 300 {
		s := NewSlab(LargeSlab)
		if round%2 == 0 {
			s.Reserve(rnd.IntN(100))
		}
		for range 30 {
			p := make([]byte, rnd.IntN(3000))
			for i := range p {
				p[i] = byte(rnd.Uint32())
			}
			switch rnd.IntN(8) {
			case 0:
				s.Append(p)
			case 1:
				s.Trim(rnd.IntN(s.Len() + 1))
			case 2:
				n := s.Len()
				s.Slice(0, n-rnd.IntN(n/8+1))
				s.Append(p[:min(len(p), n-s.Len())]) // as long as before, and other bytes
			default:
				if n := s.AppendSum(p); n != len(p) && s.Room() > 0 {
					t.Fatalf("%d of %d bytes taken, room for %d left", n, len(p), s.Room())
				}
			}
			if got, want := Fold(Combine(0, s.PartialSum(), 0)), Fold(Sum(0, s.Bytes())); got != want {
				t.Fatalf("round %d: checksum %04x, want %04x", round, got, want)
			}
		}
	}
}
