package estab

import (
	"sync"

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
	low int // the fewest that were there since the last trim
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
		s.low = min(s.low, s.n)
	}
	return p
}

// trim drops what nobody has needed since the last trim.
func (s *stash) trim() {
	for ; s.low > 0; s.low-- {
		s.top = s.top.Next
		s.n--
	}
	s.low = s.n
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
//
// The shard is idle, or somebody has its token: he has it on his list of work
// and will run it. Whoever finds it idle takes the token, and what he pushes
// is his to take in without another lock; the others only queue, and he looks
// again before he gives the token back.
type rxQueue struct {
	mu         sync.Mutex
	head, tail *link.Packet
	n, bytes   int      // packets; the sizes of their buffers
	empty      [2]stash // to exchange for what arrives, by class
	dropped    uint64
	stalled    uint64 // links, by bit, that refused a packet of this shard's
	room       uint64 // links, by bit, that take packets again
	busy       bool   // somebody has the token
	closed     bool

	// What belongs to whoever has the token.
	batch  batch         // what he takes in next
	parsed []inet.Parsed // grows up to a batch
	spare  [2]stash      // buffers for empty, until mu is locked anyway
}

// batch is what a shard takes in at a time.
type batch struct {
	list *link.Packet // at most batchSize
	room uint64       // links, by bit, that take packets again
}

// push appends packets for one shard and leaves empty buffers, or nil, in
// their places. It reports whether the token went to the caller, who must see
// to it that the shard is run.
func (q *rxQueue) push(id inet.LinkID, pkts []*link.Packet) bool {
	q.mu.Lock()
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
		q.n++
		q.bytes += p.Cap()
		pkts[i] = q.empty[class(p)].pop()
	}
	claimed := q.claim()
	q.mu.Unlock()
	return claimed
}

// claim takes the token and a batch, if there is something to do and nobody is
// at it.
func (q *rxQueue) claim() bool {
	if q.busy || q.n == 0 && q.room == 0 {
		return false
	}
	q.busy = true
	q.batch, q.room = batch{q.head, q.room}, 0
	if q.n <= batchSize {
		q.head, q.tail, q.n, q.bytes = nil, nil, 0, 0
		return true
	}
	last := q.head
	for range batchSize - 1 {
		q.bytes -= last.Cap()
		last = last.Next
	}
	q.bytes -= last.Cap()
	q.n -= batchSize
	q.head, last.Next = last.Next, nil
	return true
}

// end gives back the token, and takes over the spare buffers. It reports
// whether the caller has it again at once, because others have pushed
// meanwhile and rely on him.
func (q *rxQueue) end() bool {
	q.mu.Lock()
	for c := range q.spare {
		for q.empty[c].n < keepEmpty[c] && q.spare[c].n > 0 {
			q.empty[c].push(q.spare[c].pop())
		}
	}
	q.busy = false
	claimed := q.claim()
	q.mu.Unlock()
	return claimed
}

// trim drops the empty buffers that nobody has needed since the last time, and
// says how many are left.
func (q *rxQueue) trim() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := 0
	for c := range q.empty {
		q.empty[c].trim()
		left += q.empty[c].n
	}
	if left == 0 && !q.busy {
		q.parsed, q.spare = nil, [2]stash{}
	}
	return left
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
	q.room |= 1 << id
	return q.claim()
}

// close drops what is there and whatever comes.
func (q *rxQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.head, q.tail, q.n, q.bytes = nil, nil, 0, 0
	q.empty, q.room = [2]stash{}, 0
}
