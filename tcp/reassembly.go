package tcp

import "estab/internal/wire"

// reassembly holds what has arrived beyond a gap. It exists only while there
// is a gap.
//
// Bytes lie at fixed places in pages of a slab each, so that what a peer can
// make us hold is bounded by the window, not by how small it cuts its
// segments: no byte is stored twice, and what came first wins.
type reassembly struct {
	spans rangeSet
	pages []*wire.Slab // pages[i] holds sequence numbers from origin+i*pageSize
	base  Num          // sequence number of pages[0]'s first byte
	// recent are places in the stretches that changed last, the newest first:
	// the order in which SACK reports them (RFC 2018 §4).
	recent  [wire.MaxSACKBlocks]Num
	nRecent int
}

const pageSize = wire.SmallSlab

// newReassembly takes one from the free list. NXT anchors the pages.
func (e *Engine) newReassembly(nxt Num) *reassembly {
	var r *reassembly
	if n := len(e.oooFree); n > 0 {
		r = e.oooFree[n-1]
		e.oooFree = e.oooFree[:n-1]
	} else {
		r = new(reassembly)
	}
	r.base = nxt
	return r
}

// dropReassembly gives everything back.
func (e *Engine) dropReassembly(c *conn) {
	r := c.ooo
	if r == nil {
		return
	}
	c.ooo = nil
	for i, p := range r.pages {
		if p != nil {
			e.pool.Put(p)
			r.pages[i] = nil
		}
	}
	small := cap(r.pages) <= 64 && cap(r.spans.chunks) <= 16
	*r = reassembly{pages: r.pages[:0], spans: rangeSet{chunks: r.spans.chunks[:0]}}
	if small && len(e.oooFree) < 64 {
		e.oooFree = append(e.oooFree, r)
	}
}

// store keeps p, which begins at from, beyond the gap; it reports the number
// of bytes that were new.
func (r *reassembly) store(pool *wire.Pool, from Num, p []byte) int {
	fresh := 0
	to := from + Num(len(p))
	r.spans.gaps(from, to, func(a, b Num) {
		fresh += int(b - a)
		r.write(pool, a, p[a-from:b-from])
	})
	r.spans.add(from, to)
	r.touch(from)
	return fresh
}

func (r *reassembly) write(pool *wire.Pool, at Num, p []byte) {
	for len(p) > 0 {
		i, off := int(uint32(at-r.base)/pageSize), int(uint32(at-r.base)%pageSize)
		for len(r.pages) <= i {
			r.pages = append(r.pages, nil)
		}
		if r.pages[i] == nil {
			r.pages[i] = pool.Get(pageSize)
			r.pages[i].Resize(pageSize)
		}
		n := copy(r.pages[i].Bytes()[off:], p)
		p = p[n:]
		at += Num(n)
	}
}

// touch remembers that the stretch around x changed last.
func (r *reassembly) touch(x Num) {
	sp, _ := r.spans.containing(x)
	keep := r.recent
	n := 1
	for _, y := range keep[:r.nRecent] {
		if n < len(r.recent) && (y.Less(sp.l) || sp.r.LessEq(y)) {
			r.recent[n] = y
			n++
		}
	}
	r.recent[0] = x
	r.nRecent = n
}

// blocks writes up to max SACK blocks, the most recently changed first.
// Obeys: RFC 2018 4d, 4e, 4f.
func (r *reassembly) blocks(dst []SACKBlock) int {
	n := 0
	for _, x := range r.recent[:r.nRecent] {
		if n == len(dst) {
			break
		}
		if sp, ok := r.spans.containing(x); ok {
			dst[n] = SACKBlock{Left: sp.l, Right: sp.r}
			n++
		}
	}
	return n
}

// drain moves what has become contiguous at nxt into the receive queue and
// returns the new RCV.NXT.
// Obeys: RFC 7323 5.3b.
func (r *reassembly) drain(pool *wire.Pool, q *recvQueue, nxt Num) Num {
	r.spans.trim(nxt)
	sp, ok := r.spans.first()
	if ok && sp.l == nxt {
		for at := sp.l; at != sp.r; {
			i, off := int(uint32(at-r.base)/pageSize), int(uint32(at-r.base)%pageSize)
			b := r.pages[i].Bytes()[off:]
			b = b[:min(len(b), int(sp.r-at))]
			q.append(pool, b)
			at += Num(len(b))
		}
		nxt = sp.r
		r.spans.trim(nxt)
	}
	r.release(pool, nxt)
	return nxt
}

// release frees the pages that lie wholly before nxt.
func (r *reassembly) release(pool *wire.Pool, nxt Num) {
	k := 0
	for k < len(r.pages) && (r.base + Num((k+1)*pageSize)).LessEq(nxt) {
		if r.pages[k] != nil {
			pool.Put(r.pages[k])
		}
		k++
	}
	if k > 0 {
		r.pages = append(r.pages[:0], r.pages[k:]...)
		r.base += Num(k * pageSize)
	}
}
