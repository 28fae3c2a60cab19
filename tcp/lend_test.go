package tcp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"estab/internal/wire"
)

// lending is a send queue whose text is laid out to be lent, and how much of it
// was sent.
type lending struct {
	q    sendQueue
	pool wire.Pool
	l    layout
	sent int // bytes of the queue
}

func (s *lending) write(p []byte) {
	s.l.part = (int(s.q.n) - s.sent) % s.l.mss
	s.q.append(&s.pool, p, len(p), s.l)
}

// emit sends up to n bytes, and returns them and the slab that they could be lent
// in.
func (s *lending) emit(n int) ([]byte, *wire.Slab) {
	n = min(n, int(s.q.n)-s.sent)
	if n == 0 {
		return nil, nil
	}
	pieces := s.q.gather(nil, s.q.base+Num(s.sent), n)
	seg := Segment{Payload: pieces[0], Rest: pieces[1:]}
	s.sent += n
	return bytes.Join(pieces, nil), s.q.whole(&seg)
}

func (s *lending) ack(n int) {
	n = min(n, s.sent)
	s.q.ack(&s.pool, s.q.base+Num(n))
	s.sent -= n
}

func (s *lending) memory() (n int) {
	for b := s.q.head; b != nil; b = b.Next {
		n += b.Cap()
	}
	return n
}

// The queue gives back what was written, laid out to be lent or not, and takes
// about twice the text's memory at most, in whatever pieces it is written, sent and
// acknowledged, and while peers hold some of it.
func TestLentQueueAgainstBytes(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 17))
		mss := []int{65483, 65463, 39948, minLent}[seed%4]
		s := &lending{q: sendQueue{base: Num(seed) << 28}, l: layout{mss: mss, head: 52, sums: seed%2 == 0}}
		var want []byte // what is queued
		var held []*wire.Slab
		for step := range 600 {
			switch rnd.IntN(6) {
			case 0, 1:
				p := randomBytes(rnd, 1+rnd.IntN([]int{100, 5000, 40000, 200_000}[rnd.IntN(4)]))
				s.write(p)
				want = append(want, p...)
			case 2, 3:
				n := mss
				if rnd.IntN(4) == 0 {
					n = 1 + rnd.IntN(mss)
				}
				at := s.sent
				got, slab := s.emit(n)
				if !bytes.Equal(got, want[at:at+len(got)]) {
					t.Fatalf("seed %d step %d: [%d,%d) differs", seed, step, at, at+len(got))
				}
				if slab == nil || len(got) < minLent {
					break
				}
				if second := s.pool.Lend(slab, 52, len(got)); second != nil {
					if !bytes.Equal(second.Bytes()[52:], got) {
						t.Fatalf("seed %d step %d: what is lent differs", seed, step)
					}
					clear(second.Bytes()[:52])
					held = append(held, second)
				}
			case 4:
				n := rnd.IntN(s.sent + 1)
				s.ack(n)
				want = want[n:]
			case 5:
				for len(held) > 0 && rnd.IntN(3) > 0 {
					i := rnd.IntN(len(held))
					s.pool.Put(held[i])
					held = append(held[:i], held[i+1:]...)
				}
			}
			for b := s.q.head; b != nil; b = b.Next {
				if got := wire.Fold(b.PartialSum()); got != wire.Fold(wire.Sum(0, b.Bytes())) {
					t.Fatalf("seed %d step %d: a slab has a wrong sum", seed, step)
				}
			}
			if int(s.q.n) != len(want) {
				t.Fatalf("seed %d step %d: %d bytes, want %d", seed, step, s.q.n, len(want))
			}
		}
		s.q.drop(&s.pool)
		for _, b := range held {
			s.pool.Put(b)
		}
		if s.pool.Out != 0 {
			t.Fatalf("seed %d: %d slabs left", seed, s.pool.Out)
		}
	}
}

// Whoever writes in pieces of one size, sent at once or when it fills a segment,
// takes about twice the text's memory at most; and of long pieces full segments are
// lent, whatever else is between them.
func TestLentQueueMemory(t *testing.T) {
	const mss = 65483
	for _, c := range []struct {
		writes []int
		lent   int // of a hundred bytes, so many at least when all is sent at once
	}{
		{[]int{1}, 0}, {[]int{1000}, 0}, {[]int{1025}, 0}, {[]int{3000, 33000}, 0}, {[]int{10_000}, 0}, {[]int{32767}, 0}, {[]int{minLent}, 99},
		{[]int{40_000, 1}, 99}, {[]int{64 << 10}, 99}, {[]int{70_000}, 93}, {[]int{128 << 10}, 99}, {[]int{256<<10 + 1}, 99}, {[]int{1 << 20}, 99},
		{[]int{2049, minLent}, 0}, {[]int{mss, 2049}, 96},
	} {
		for _, nagle := range []bool{false, true} {
			s := &lending{l: layout{mss: mss, head: 52}}
			lent, total := 0, 0
			var held []*wire.Slab
			for i := 0; total < 4<<20; i++ {
				s.write(make([]byte, c.writes[i%len(c.writes)]))
				total += c.writes[i%len(c.writes)]
				for left := int(s.q.n) - s.sent; left >= mss || left > 0 && !nagle; left = int(s.q.n) - s.sent {
					p, slab := s.emit(mss)
					if slab == nil || len(p) < minLent {
						continue
					}
					if second := s.pool.Lend(slab, 52, len(p)); second != nil {
						lent += len(p)
						held = append(held, second)
					}
				}
			}
			if m := s.memory(); m > 2*total+total/8+2*wire.LargeSlab {
				t.Errorf("writes of %v, held back %v: %d bytes take %d", c.writes, nagle, total, m)
			}
			if want := total / 100 * c.lent; lent < want && !nagle {
				t.Errorf("writes of %v: %d of %d bytes are lent, want %d", c.writes, lent, total, want)
			}
			if nagle && c.writes[0] >= 10_000 && lent < total/100*90 {
				t.Errorf("writes of %v that fill segments: %d of %d bytes are lent", c.writes, lent, total)
			}
			for _, b := range held {
				s.pool.Put(b)
			}
		}
	}
}
