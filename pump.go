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

// keepEmpty is how many empty buffers of each class wait to be exchanged for what
// is queued: as much as arrives between two looks at the queue. A batch of each
// waits for whoever finds the token free.
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

// rxQueue is what has arrived for a shard and not been taken in, and the token
// of whoever takes it in. Anyone may push; nobody waits. The link a packet came
// by stands in its Meta.
//
// Whoever finds the token free and the queue empty takes the token: what he
// pushes is his to take in, and no lock is needed for it. Otherwise packets go
// into the queue, under a lock that is a leaf, and whoever has the token looks
// there before he gives it back. He takes in a batch at a time, and between two
// batches the token is free for whoever comes first: a backlog is everybody's
// business, not that of one goroutine that has to wait for its turn.
type rxQueue struct {
	token  atomic.Uint32 // tokenFree …
	closed atomic.Bool   // whatever comes is dropped

	// What belongs to whoever has the token.
	batch  batch         // what he takes in next
	parsed []inet.Parsed // grows up to a batch
	spare  [2]stash      // empty buffers to exchange for what is pushed, by class

	mu         sync.Mutex // guards the rest
	head, tail *link.Packet
	n, bytes   int      // packets; the sizes of their buffers
	empty      [2]stash // to exchange for what is queued
	dropped    uint64
	stalled    uint64 // links, by bit, that refused a packet of this shard's
	room       uint64 // links, by bit, that take packets again
	handed     bool   // a helper will look at the queue
}

// The states of a token.
const (
	tokenFree   = iota // and the queue is empty
	tokenLeft          // free; something is in the queue, and somebody has that on his list
	tokenTaken         // somebody is at it, or will be in a moment
	tokenWanted        // likewise, and something is in the queue, or was a moment ago
)

// batch is what a shard takes in at a time.
type batch struct {
	list *link.Packet // at most batchSize
	room uint64       // links, by bit, that take packets again
}

// push takes packets for one shard and leaves empty buffers, or nil, in their
// places. It reports whether the token went to the caller, who must see to it
// that the shard is run.
func (q *rxQueue) push(id inet.LinkID, pkts []*link.Packet) bool {
	if len(pkts) > batchSize || q.closed.Load() || !q.token.CompareAndSwap(tokenFree, tokenTaken) {
		return q.enqueue(id, pkts)
	}
	at := &q.batch.list
	for i, p := range pkts {
		p.Meta, p.Next = uint32(id), nil
		*at, at = p, &p.Next
		pkts[i] = q.spare[class(p)].pop()
	}
	return true
}

// enqueue is push for what has to wait its turn.
func (q *rxQueue) enqueue(id inet.LinkID, pkts []*link.Packet) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, p := range pkts {
		if q.closed.Load() || q.bytes+p.Cap() > queueLimit {
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
	return q.claim()
}

// claim says that something is in the queue. It reports whether nobody was at
// it: then the caller has the token, and a batch. mu is locked.
func (q *rxQueue) claim() bool {
	for q.n > 0 || q.room != 0 {
		switch t := q.token.Load(); t {
		case tokenFree, tokenLeft:
			if q.token.CompareAndSwap(t, tokenTaken) {
				q.take()
				return true
			}
		case tokenTaken:
			if q.token.CompareAndSwap(t, tokenWanted) {
				return false
			}
		case tokenWanted:
			return false
		}
	}
	return false
}

// take makes a batch of what is first in the queue, for the caller, who has the
// token. mu is locked.
func (q *rxQueue) take() {
	q.share()
	q.batch, q.room = batch{q.head, q.room}, 0
	if q.n <= batchSize {
		q.head, q.tail, q.n, q.bytes = nil, nil, 0, 0
		return
	}
	last := q.head
	for range batchSize - 1 {
		q.bytes -= last.Cap()
		last = last.Next
	}
	q.bytes -= last.Cap()
	q.n -= batchSize
	q.head, last.Next = last.Next, nil
	q.token.Store(tokenWanted)
}

// end gives back the token. It reports whether something is in the queue: the
// caller must have that on his list.
func (q *rxQueue) end() bool {
	return !q.token.CompareAndSwap(tokenTaken, tokenFree) && q.leave()
}

// leave is end if something is in the queue.
func (q *rxQueue) leave() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.share()
	if q.n == 0 && q.room == 0 { // it was taken, or dropped, meanwhile
		q.token.Store(tokenFree)
		return false
	}
	q.token.Store(tokenLeft)
	return true
}

// share lets those who queue have the buffers that are to be exchanged. The
// caller has the token, and mu is locked.
func (q *rxQueue) share() {
	for c := range q.spare {
		for q.empty[c].n < keepEmpty[c] && q.spare[c].n > 0 {
			q.empty[c].push(q.spare[c].pop())
		}
	}
}

// resume takes the token and a batch, if something was left and nobody is at
// it. Whoever is has the rest on his list.
func (q *rxQueue) resume() bool {
	if !q.token.CompareAndSwap(tokenLeft, tokenTaken) {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.take()
	return true
}

// putBack gives back the token without having taken in the batch.
func (q *rxQueue) putBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	var last *link.Packet
	for p := q.batch.list; p != nil; p = p.Next {
		q.n++
		q.bytes += p.Cap()
		last = p
	}
	if last != nil {
		if last.Next = q.head; q.tail == nil {
			q.tail = last
		}
		q.head = q.batch.list
	}
	q.room |= q.batch.room
	q.batch = batch{}
	q.token.Store(tokenLeft)
}

// hand notes that a helper will look at the queue. It reports whether none did
// so far.
func (q *rxQueue) hand() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := !q.handed
	q.handed = true
	return first
}

// taken is for the helper: it looks now.
func (q *rxQueue) taken() {
	q.mu.Lock()
	q.handed = false
	q.mu.Unlock()
}

// trim drops the empty buffers that nobody has needed since the last time. It
// says how many are left, and, as end does, whether something is in the queue.
func (q *rxQueue) trim() (left int, waits bool) {
	if !q.token.CompareAndSwap(tokenFree, tokenTaken) {
		return 1, false // whoever has it uses some
	}
	q.mu.Lock()
	for c := range q.empty {
		q.empty[c].trim()
		q.spare[c].trim()
		left += q.empty[c].n + q.spare[c].n
	}
	q.mu.Unlock()
	if left == 0 {
		q.parsed = nil
	}
	return left, q.end()
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
	if q.stalled>>id&1 == 0 || q.closed.Load() {
		return false
	}
	q.stalled &^= 1 << id
	q.room |= 1 << id
	return q.claim()
}

// close drops what is there and whatever comes. A batch that somebody has taken
// is still taken in.
func (q *rxQueue) close() {
	q.closed.Store(true)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.head, q.tail, q.n, q.bytes = nil, nil, 0, 0
	q.empty, q.room = [2]stash{}, 0
}
