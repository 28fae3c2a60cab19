package tun

import (
	"sync"

	"estab/link"
)

// queueLimit is how many packets wait at most for their system call, as many
// as in the kernel's own queue of a TUN device; then Enqueue refuses.
const queueLimit = 500

// txQueue is what lies between Enqueue, which may not make a system call, and
// the system call. It is a link.Runner: whoever has its token writes, and
// holds no lock the while.
type txQueue struct {
	dev   *Device
	token sync.Mutex // only ever tried for, but by close
	batch [batchSize]*link.Packet

	mu      sync.Mutex // a leaf
	ring    [queueLimit]*link.Packet
	head, n int
	spare   []*link.Packet // empty ones, to give in exchange
	marked  bool           // somebody will run us
	refused bool           // somebody waits for Writable
	closed  bool
	count   link.Counts
}

// push takes packets as long as there is room.
func (q *txQueue) push(w *link.Work, pkts []*link.Packet) (took int) {
	q.mu.Lock()
	for _, p := range pkts {
		if q.n == queueLimit {
			q.refused = true
			break
		}
		q.count.Packets++
		q.count.Bytes += uint64(p.Len())
		if q.closed || p.Len() > q.dev.mtu {
			q.count.Dropped++
			p.Resize(0) // goes back as it came
		} else {
			q.ring[(q.head+q.n)%queueLimit] = p
			q.n++
			pkts[took] = q.takeSpare()
		}
		took++
	}
	add := q.n > 0 && !q.marked
	q.marked = q.marked || add
	q.mu.Unlock()
	if add {
		w.Add(q)
	}
	return took
}

func (q *txQueue) takeSpare() *link.Packet {
	last := len(q.spare) - 1
	if last < 0 {
		return nil
	}
	p := q.spare[last]
	q.spare = q.spare[:last]
	return p
}

// Run is part of link.Runner: it writes a batch.
func (q *txQueue) Run(w *link.Work) {
	if !q.token.TryLock() {
		return // whoever has it looks at the queue when he has given it back
	}
	n := q.pull()
	lost := 0
	if n > 0 {
		lost = q.dev.dev.write(q.batch[:n])
	}
	more, writable := q.written(n, lost)
	if more {
		w.Add(q)
	}
	if writable {
		if r := q.dev.receiver(); r != nil {
			r.Writable(w)
		}
	}
}

// pull moves packets from the queue to the batch.
func (q *txQueue) pull() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for ; n < batchSize && q.n > 0; n++ {
		q.batch[n] = q.ring[q.head]
		q.ring[q.head] = nil
		q.head = (q.head + 1) % queueLimit
		q.n--
	}
	return n
}

// written takes the batch's slabs back and gives the token up, under the lock:
// who pushes later finds the token free, who has pushed before is seen here.
// more says that there is more to write, writable that somebody was refused
// and there is room again.
func (q *txQueue) written(n, lost int) (more, writable bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count.Dropped += uint64(lost)
	for i, p := range q.batch[:n] {
		p.Resize(0)
		if len(q.spare) < queueLimit && !q.closed {
			q.spare = append(q.spare, p)
		}
		q.batch[i] = nil
	}
	q.token.Unlock()
	q.marked = q.n > 0
	writable = q.refused && q.n <= queueLimit/2
	if writable {
		q.refused = false
	}
	return q.marked, writable
}

// close drops whatever comes, and writes what waits: among it are the resets
// with which a host that ends takes leave. A write doesn't wait for anything.
func (q *txQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	for more := true; more; {
		q.token.Lock()
		n := q.pull()
		lost := 0
		if n > 0 {
			lost = q.dev.dev.write(q.batch[:n])
		}
		more, _ = q.written(n, lost)
	}
	q.mu.Lock()
	q.spare = nil
	q.mu.Unlock()
}

func (q *txQueue) stats() link.Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.count
	c.Held = q.n
	return c
}
