package tcp

import "estab/internal/wire"

// A link in memory need not get a copy of the text: a packet can lie in the
// buffer in which its text is queued (wire.Pool.Lend), if that begins where the
// segment does, has room for headers in front, and holds so much that it is
// worth keeping. The queue is laid out so that full segments do. What is sent,
// and when, doesn't depend on it, and whatever lies otherwise is copied.

// minLent is how much text a segment must have to be lent: half of a large
// slab, so that whoever keeps it keeps at most twice the text.
const minLent = wire.LargeSlab / 2

// layout is how text is queued in order to be lent.
type layout struct {
	mss  int  // bytes of text of a full segment; 0: nothing will be lent
	part int  // bytes of the last segment, not yet sent, that are queued already
	head int  // bytes that headers take
	sums bool // the link wants checksums
}

// layout is how the text that is queued next is to lie.
func (c *conn) layout() layout {
	if !c.has(fLends) || c.smss < minLent {
		return layout{}
	}
	head := wire.IPHeaderLen(c.tuple.Local) + wire.TCPHeaderMin
	if c.has(fTimestamps) {
		head += 12
	}
	mss := int(c.smss)
	return layout{mss, int(c.unsent()) % mss, head, c.has(fSums)}
}

// lay queues p segment by segment.
func (q *sendQueue) lay(pool *wire.Pool, p []byte, l layout) {
	for len(p) > 0 {
		n := min(len(p), l.mss-l.part)
		if l.part == 0 {
			q.beginSegment(pool, n, l.head)
		} else {
			q.carry(pool, n, l)
		}
		q.fill(pool, p[:n], l.sums)
		p = p[n:]
		l.part = (l.part + n) % l.mss
	}
}

// beginSegment begins a slab for a segment's first n bytes, unless they fit
// into one that is neither small enough nor full enough to be left as it is. The
// room that is left behind is either at most half of a slab or less than n, and
// then n is at least that: slabs stay half full, but for one.
func (q *sendQueue) beginSegment(pool *wire.Pool, n, head int) {
	if t := q.tail; t != nil && n <= t.Room() && (t.Cap() == wire.SmallSlab || t.Room() > t.Cap()/2) {
		return
	}
	if s := q.grow(pool, n); s.Cap() == wire.LargeSlab {
		s.Reserve(head)
	}
}

// carry moves the beginning of a segment, of which n bytes more come, out of a
// small slab into a large one, if that is to be begun anyway.
func (q *sendQueue) carry(pool *wire.Pool, n int, l layout) {
	t := q.tail
	if n-t.Room() <= wire.SmallSlab || l.part > min(t.Len(), wire.SmallSlab) {
		return
	}
	rest := t.Len() - l.part
	begun := t.Bytes()[rest:]
	t.Slice(0, rest) // perhaps nothing: it goes when what follows it goes
	q.grow(pool, wire.LargeSlab).Reserve(l.head)
	q.fill(pool, begun, l.sums)
}

// whole is the slab that a segment's text, as piece has just returned it, is
// the beginning of, or nil.
func (q *sendQueue) whole(seg *Segment) *wire.Slab {
	if len(seg.Rest) > 0 || &q.cur.Bytes()[0] != &seg.Payload[0] {
		return nil
	}
	return q.cur
}
