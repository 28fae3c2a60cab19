package estab

import (
	"sync"
	"sync/atomic"

	"estab/inet"
	"estab/internal/wire"
	"estab/link"
)

// How much a shard takes out of its queue at a time, and how much the queue
// holds. A full queue drops, as the ring of a network card does; TCP's windows
// keep it from filling.
const (
	batchSize  = 64       // packets
	queueLimit = 16 << 20 // bytes of buffers
)

// keepEmpty is how many empty buffers of each class wait to be exchanged: as
// much as arrives between two looks at the queue.
var keepEmpty = [2]int{512, 64}

// stash is a pile of empty buffers of one class.
type stash struct {
	top *link.Packet
	n   int
}

func (s *stash) push(p *link.Packet) {
	p.Next, s.top = s.top, p
	s.n++
}

// pop takes a buffer off the pile, or nil.
func (s *stash) pop() *link.Packet {
	p := s.top
	if p != nil {
		s.top, p.Next = p.Next, nil
		s.n--
	}
	return p
}

// classSize are the sizes of the two classes of buffers.
var classSize = [2]int{wire.SmallSlab, wire.LargeSlab}

// class is 0 for small buffers and 1 for large ones.
func class(p *link.Packet) int {
	if p.Cap() > wire.SmallSlab {
		return 1
	}
	return 0
}

// rxQueue is what has arrived for a shard and not been taken in. Anyone may
// push, under a lock that is a leaf. The link a packet came by stands in its
// Meta.
type rxQueue struct {
	waiting atomic.Int32 // packets, and one for room; changed under mu only

	mu         sync.Mutex
	head, tail *link.Packet
	bytes      int
	empty      [2]stash // to exchange for what arrives, by class
	dropped    uint64
	stalled    uint64 // links, by bit, that refused a packet of this shard's
	room       uint64 // links, by bit, that take packets again
	marked     bool   // somebody has it on his list of work and will run the shard
	closed     bool
}

// push appends packets for one shard and leaves empty buffers, or nil, in
// their places. It reports whether the caller must see to it that the shard
// is run.
func (q *rxQueue) push(id inet.LinkID, pkts []*link.Packet) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for i, p := range pkts {
		if q.closed || q.bytes+p.Cap() > queueLimit {
			q.dropped++
			p.Resize(0) // goes back as it came
			continue
		}
		p.Meta, p.Next = uint32(id), nil
		if q.tail == nil {
			q.head = p
		} else {
			q.tail.Next = p
		}
		q.tail = p
		q.bytes += p.Cap()
		pkts[i] = q.empty[class(p)].pop()
		n++
	}
	q.waiting.Add(int32(n))
	return q.mark()
}

// mark reports whether the shard has to be put on a list of work, and notes
// that it will be.
func (q *rxQueue) mark() bool {
	if q.marked || q.head == nil && q.room == 0 {
		return false
	}
	q.marked = true
	return true
}

// take moves packets into batch and says how many, and which links have room
// again. It takes over the spare buffers.
func (q *rxQueue) take(batch []*link.Packet, spare *[2]stash) (n int, room uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n < len(batch) && q.head != nil {
		p := q.head
		q.head, p.Next = p.Next, nil
		q.bytes -= p.Cap()
		batch[n] = p
		n++
	}
	if q.head == nil {
		q.tail = nil
		q.marked = false
	}
	room, q.room = q.room, 0
	took := n
	if room != 0 {
		took++
	}
	q.waiting.Add(-int32(took))
	for c := range spare {
		for q.empty[c].n < keepEmpty[c] && spare[c].n > 0 {
			q.empty[c].push(spare[c].pop())
		}
	}
	return n, room
}

// stall notes that a link refused a packet of this shard's.
func (q *rxQueue) stall(id inet.LinkID) {
	q.mu.Lock()
	q.stalled |= 1 << id
	q.mu.Unlock()
}

// unstall notes that the link has room again, if the shard waits for that,
// and reports whether the shard must be run for it.
func (q *rxQueue) unstall(id inet.LinkID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stalled>>id&1 == 0 || q.closed {
		return false
	}
	q.stalled &^= 1 << id
	if q.room == 0 {
		q.waiting.Add(1)
	}
	q.room |= 1 << id
	return q.mark()
}

// close drops what is there and whatever comes.
func (q *rxQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.head, q.tail, q.empty, q.room, q.bytes = nil, nil, [2]stash{}, 0, 0
	q.waiting.Store(0)
}
