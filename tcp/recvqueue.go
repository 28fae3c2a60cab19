package tcp

import "estab/internal/wire"

// recvQueue is the receive buffer: what has arrived in order and was not read.
type recvQueue struct {
	head, tail *wire.Slab
	n          int // bytes
}

// append adds p, copying it.
func (q *recvQueue) append(pool *wire.Pool, p []byte) {
	q.n += len(p)
	for len(p) > 0 {
		if q.tail == nil || q.tail.Room() == 0 {
			q.link(pool.Get(len(p)))
		}
		p = p[q.tail.Append(p):]
	}
}

func (q *recvQueue) link(s *wire.Slab) {
	s.Next = nil
	if q.tail == nil {
		q.head = s
	} else {
		q.tail.Next = s
	}
	q.tail = s
}

// adopt adds p, which lies in s: the slab itself if p fills at least half of
// it and the last slab of the queue is at least half full, or has no more room
// left than p makes up for; or if the queue is empty, and a copy would take as
// small a slab; a copy otherwise. So memory is at most about twice what is
// buffered, however a peer chooses to cut its segments. It reports whether it
// kept the slab.
func (q *recvQueue) adopt(pool *wire.Pool, s *wire.Slab, p []byte) bool {
	alone := s != nil && q.tail == nil && s.Cap() == wire.SmallSlab
	if !alone && (s == nil || 2*len(p) < s.Cap() || q.tail != nil && q.tail.Room() > max(q.tail.Cap()/2, len(p))) {
		q.append(pool, p)
		return false
	}
	s.Narrow(p)
	q.link(s)
	q.n += len(p)
	return true
}

// read copies into p and, unless it only peeks, drops what it copied.
func (q *recvQueue) read(pool *wire.Pool, p []byte, peek bool) int {
	total := 0
	for s := q.head; s != nil && total < len(p); {
		n := copy(p[total:], s.Bytes())
		total += n
		if peek {
			s = s.Next
			continue
		}
		q.n -= n
		if n < s.Len() {
			s.Trim(n)
			break
		}
		q.head = s.Next
		if q.head == nil {
			q.tail = nil
		}
		pool.Put(s)
		s = q.head
	}
	return total
}

func (q *recvQueue) drop(pool *wire.Pool) {
	putAll(pool, q.head)
	*q = recvQueue{}
}
