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
	keepEmpty  = 512      // empty buffers that wait to be exchanged, small ones; an eighth of it large ones
)

// rxQueue is what has arrived for a shard and not been taken in. Anyone may
// push, under a lock that is a leaf. The link a packet came by stands in its
// Meta.
type rxQueue struct {
	waiting atomic.Int32 // packets, and one for room; changed under mu only

	mu         sync.Mutex
	head, tail *link.Packet
	bytes      int
	empty      [2]*link.Packet // buffers to exchange for those that arrive, by class
	nEmpty     [2]int
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
		q.waiting.Add(1)
		pkts[i] = q.takeEmpty(class(p))
	}
	return q.mark()
}

// mark reports whether the shard has to be put on a list of work, and notes
// that it will be.
func (q *rxQueue) mark() bool {
	if q.marked || q.waiting.Load() == 0 {
		return false
	}
	q.marked = true
	return true
}

// take moves packets into batch and says how many, and which links have room
// again.
func (q *rxQueue) take(batch []*link.Packet) (n int, room uint64) {
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
	return n, room
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

func (q *rxQueue) takeEmpty(class int) *link.Packet {
	p := q.empty[class]
	if p != nil {
		q.empty[class], p.Next = p.Next, nil
		q.nEmpty[class]--
	}
	return p
}

func (q *rxQueue) putEmpty(class int, p *link.Packet) {
	p.Next, q.empty[class] = q.empty[class], p
	q.nEmpty[class]++
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
	q.head, q.tail, q.empty, q.room, q.bytes = nil, nil, [2]*link.Packet{}, 0, 0
	q.waiting.Store(0)
}
