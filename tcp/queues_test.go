package tcp

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"estab/internal/wire"
)

func randomBytes(rnd *rand.Rand, n int) []byte {
	p := make([]byte, n, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(p[i:i+8], rnd.Uint64())
	}
	return p
}

// The send queue gives back what went in, wherever it is read, while ACKs
// drop its front, across the wrap of sequence numbers.
func TestSendQueueAgainstBytes(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		base := []Num{1, 1<<31 - 5000, 1<<32 - 5000, 1<<32 - 1}[seed%4]
		var pool wire.Pool
		q := sendQueue{base: base}
		var want []byte
		for step := range 800 {
			switch rnd.IntN(4) {
			case 0:
				p := randomBytes(rnd, rnd.IntN([]int{10, 3000, 70000}[rnd.IntN(3)]))
				room := rnd.IntN(100_000) - len(want)/2
				n := q.append(&pool, p, room, layout{})
				if n != min(len(p), max(room, 0)) {
					t.Fatalf("append of %d with room %d took %d", len(p), room, n)
				}
				want = append(want, p[:n]...)
			case 1:
				n := rnd.IntN(len(want) + 1)
				if rnd.IntN(3) > 0 {
					n = min(n, 3000)
				}
				q.ack(&pool, q.base+Num(n))
				want = want[n:]
			case 2:
				q.ack(&pool, q.base-Num(rnd.IntN(1000))) // an old ACK
			default:
				if len(want) == 0 {
					break
				}
				from := rnd.IntN(len(want))
				n := 1 + rnd.IntN(min(len(want)-from, 70000))
				got := bytes.Join(q.gather(nil, q.base+Num(from), n), nil)
				if !bytes.Equal(got, want[from:from+n]) {
					t.Fatalf("seed %d step %d: [%d,%d) of %d reads differently", seed, step, from, from+n, len(want))
				}
			}
			if int(q.n) != len(want) {
				t.Fatalf("seed %d step %d: %d bytes, want %d", seed, step, q.n, len(want))
			}
		}
		end := q.base + Num(q.n)
		q.drop(&pool)
		if pool.Out != 0 || q.n != 0 || q.base != end {
			t.Fatalf("seed %d: %d slabs left, base %d want %d", seed, pool.Out, q.base, end)
		}
	}
}

// The receive queue gives out what went in, copied or adopted, and holds at
// most about twice as much memory as text, however the peer cuts it
// (limits.go).
func TestRecvQueueAgainstBytes(t *testing.T) {
	for seed := range uint64(15) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		var pool wire.Pool
		var q recvQueue
		var want []byte
		sizes := []int{1, 2, 536, 1024, 1460, 2048, 2049, 9000, 32000, 40000, 65535}
		for step := range 600 {
			switch k := rnd.IntN(10); {
			case k < 3 && len(want) < 1<<20:
				p := randomBytes(rnd, sizes[rnd.IntN(len(sizes))])
				q.append(&pool, p)
				want = append(want, p...)
			case k < 6 && len(want) < 1<<20:
				s, p := packet(&pool, rnd, sizes[rnd.IntN(len(sizes))])
				want = append(want, p...)
				if !q.adopt(&pool, s, p) {
					pool.Put(s)
				}
			default:
				p := make([]byte, rnd.IntN(1+rnd.IntN(100_000)))
				peek := rnd.IntN(3) == 0
				n := q.read(&pool, p, peek)
				if n != min(len(p), len(want)) || !bytes.Equal(p[:n], want[:n]) {
					t.Fatalf("seed %d step %d: read(%d, peek %v) differs", seed, step, len(p), peek)
				}
				if !peek {
					want = want[n:]
				}
			}
			if int(q.n) != len(want) {
				t.Fatalf("seed %d step %d: %d bytes, want %d", seed, step, q.n, len(want))
			}
		}
		q.drop(&pool)
		if pool.Out != 0 {
			t.Fatalf("seed %d: %d slabs left", seed, pool.Out)
		}
	}
}

// packet is a slab that holds a packet with n bytes of text at its end.
func packet(pool *wire.Pool, rnd *rand.Rand, n int) (*wire.Slab, []byte) {
	head := min(40, wire.LargeSlab-n)
	s := pool.Get(head + n)
	b := s.Resize(head + n)
	copy(b[head:], randomBytes(rnd, n))
	return s, b[head:]
}

// The worst that a peer can do with the sizes of its segments, on a link with
// large packets too, costs about twice the text in memory.
func TestRecvQueueMemory(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 9))
	for _, cycle := range [][]int{{1}, {1, 1024}, {1, 2008}, {2008, 1}, {2008, 2049}, {2049}, {2049, 1460}, {32000}, {32000, 2008}, {65495, 2049}, {1000, 40000}, {53, 65483}, {2049, 65483}, {32000, 33000}, {1000, 1100}} {
		var pool wire.Pool
		var q recvQueue
		for i := 0; q.n < 4<<20; i++ {
			s, p := packet(&pool, rnd, cycle[i%len(cycle)])
			if !q.adopt(&pool, s, p) {
				pool.Put(s)
			}
		}
		mem := 0
		for s := q.head; s != nil; s = s.Next {
			mem += s.Cap()
		}
		if mem > 2*q.n+q.n/4+2*wire.LargeSlab {
			t.Errorf("segments of %v: %d bytes of text take %d bytes", cycle, q.n, mem)
		}
	}
}

// A few bytes in front of a large segment don't make it be copied: a stream of
// writes that are a little longer than a segment is half of such segments.
func TestRecvQueueAdoptsBehindAFewBytes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 10))
	var pool wire.Pool
	var q recvQueue
	for _, few := range []int{1, 53, wire.SmallSlab + 1, 20000} {
		s, p := packet(&pool, rnd, few)
		if !q.adopt(&pool, s, p) {
			pool.Put(s)
		} else if s.Cap() == wire.LargeSlab {
			t.Fatalf("%d bytes keep a large slab", few)
		}
		if s, p = packet(&pool, rnd, 65483); !q.adopt(&pool, s, p) {
			t.Errorf("behind %d bytes a segment of %d is copied", few, len(p))
		}
	}
}

// The retransmission queue is a ring that grows and goes.
func TestRtxQueueAgainstSlice(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 10))
		var pool ringPool
		var q rtxQueue
		var want []sent
		at := Num(rnd.Uint32())
		for step := range 5000 {
			if up := step/500%2 == 0; len(want) == 0 || rnd.IntN(10) < 4 || up && rnd.IntN(2) == 0 {
				s := sent{seq: at, end: at + 1 + Num(rnd.IntN(1460)), at: Time(step)}
				at = s.end
				pool.push(&q, s)
				want = append(want, s)
			} else {
				pool.pop(&q)
				want = want[1:]
			}
			if q.len() != len(want) {
				t.Fatalf("seed %d step %d: %d entries, want %d", seed, step, q.len(), len(want))
			}
			if len(want) == 0 {
				if q.ring != nil {
					t.Fatalf("seed %d step %d: an empty queue keeps its ring", seed, step)
				}
				continue
			}
			i := rnd.IntN(len(want))
			if *q.at(i) != want[i] {
				t.Fatalf("seed %d step %d: entry %d differs", seed, step, i)
			}
			x := want[i].seq + Num(rnd.IntN(int(want[i].len())))
			if got := q.search(x); got != i {
				t.Fatalf("seed %d step %d: search(%d) = %d, want %d", seed, step, x, got, i)
			}
			if got := q.search(at); got != len(want) {
				t.Fatalf("seed %d step %d: search beyond the end = %d", seed, step, got)
			}
		}
	}
}

// A ring that was given back serves the next connection: nothing is allocated.
func TestRingPoolReuses(t *testing.T) {
	var pool ringPool
	n := testing.AllocsPerRun(100, func() {
		var q rtxQueue
		for i := range Num(100) {
			pool.push(&q, sent{seq: i, end: i + 1})
		}
		for q.len() > 0 {
			pool.pop(&q)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	var q rtxQueue
	for range ringClasses + 3 { // a ring beyond the largest class is not kept
		pool.resize(&q, max(minRing, 2*len(q.ring)))
	}
	pool.put(&q)
	for c, free := range pool.free {
		if len(free) > keepRings {
			t.Errorf("class %d keeps %d rings", c, len(free))
		}
		for _, r := range free {
			if ringClass(len(r)) != c || len(r) != minRing<<c {
				t.Errorf("class %d holds a ring of %d", c, len(r))
			}
		}
	}
}
