package tcp

import "estab/internal/wire"

// sendQueue is the send buffer: the bytes from base on that the user has sent
// and the peer has not acknowledged, in a list of slabs. Whether they are in
// flight or wait is not its business.
type sendQueue struct {
	head, tail *wire.Slab
	// The slab where Output last read, and the sequence number of its first
	// byte: the next read is usually there.
	cur    *wire.Slab
	curSeq Num
	base   Num   // sequence number of the first byte
	n      int32 // bytes
}

// append copies p, as far as room bytes go, behind what is queued.
func (q *sendQueue) append(pool *wire.Pool, p []byte, room int, l layout) int {
	p = p[:min(len(p), max(room, 0))]
	if l.mss > 0 {
		q.lay(pool, p, l)
	} else {
		q.fill(pool, p, false)
	}
	q.n += int32(len(p))
	return len(p)
}

// fill copies p into what room the tail has and into new slabs.
func (q *sendQueue) fill(pool *wire.Pool, p []byte, sums bool) {
	for len(p) > 0 {
		if q.tail == nil || q.tail.Room() == 0 {
			q.grow(pool, len(p))
		}
		if sums && q.tail.Cap() == wire.LargeSlab {
			p = p[q.tail.AppendSum(p):]
		} else {
			p = p[q.tail.Append(p):]
		}
	}
}

// grow begins a slab for n bytes.
func (q *sendQueue) grow(pool *wire.Pool, n int) *wire.Slab {
	s := pool.Get(n)
	if q.tail == nil {
		q.head = s
	} else {
		q.tail.Next = s
	}
	q.tail = s
	return s
}

// ack drops the bytes before una.
func (q *sendQueue) ack(pool *wire.Pool, una Num) {
	drop := int(una.Diff(q.base))
	if drop <= 0 {
		return
	}
	drop = min(drop, int(q.n))
	q.base += Num(drop)
	q.n -= int32(drop)
	for drop > 0 {
		s := q.head
		if drop < s.Len() {
			if s == q.cur {
				q.curSeq += Num(drop)
			}
			s.Trim(drop)
			return
		}
		drop -= s.Len()
		q.head = s.Next
		if q.head == nil {
			q.tail = nil
		}
		if s == q.cur {
			q.cur = nil
		}
		pool.Put(s)
	}
}

// piece is what lies in one piece of [from, from+n), all of which is queued: at
// least its first byte.
func (q *sendQueue) piece(from Num, n int) []byte {
	if q.cur == nil || from.Less(q.curSeq) {
		q.cur, q.curSeq = q.head, q.base
	}
	for {
		b := q.cur.Bytes()
		if off := int(from - q.curSeq); off < len(b) {
			return b[off:min(len(b), off+n)]
		}
		q.curSeq += Num(len(b))
		q.cur = q.cur.Next
	}
}

// gather appends to dst the pieces of [from, from+n).
func (q *sendQueue) gather(dst [][]byte, from Num, n int) [][]byte {
	for n > 0 {
		b := q.piece(from, n)
		dst = append(dst, b)
		n -= len(b)
		from += Num(len(b))
	}
	return dst
}

// drop forgets everything.
func (q *sendQueue) drop(pool *wire.Pool) {
	putAll(pool, q.head)
	*q = sendQueue{base: q.base + Num(q.n)}
}

func putAll(pool *wire.Pool, s *wire.Slab) {
	for s != nil {
		next := s.Next
		pool.Put(s)
		s = next
	}
}
