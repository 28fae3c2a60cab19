package tcp

import (
	"maps"
	"slices"

	"estab/internal/wire"
)

// Clone returns a copy that shares nothing with the engine but Config.Paths
// and Config.Events, which the caller may want to replace with SetPaths and
// SetEvents: the same calls on both give the same segments.
func (e *Engine) Clone() *Engine {
	c := *e
	c.table.slots = slices.Clone(e.table.slots)
	c.table.old = slices.Clone(e.table.old)
	c.conns = make([]*conn, len(e.conns))
	for i, o := range e.conns {
		if o != nil {
			c.conns[i] = o.clone()
		}
	}
	c.gens = slices.Clone(e.gens)
	c.freeConns = slices.Clone(e.freeConns)
	c.half.v4.recordSlab = e.half.v4.clone()
	c.half.v6.recordSlab = e.half.v6.clone()
	c.wait.v4.recordSlab = e.wait.v4.clone()
	c.wait.v6.recordSlab = e.wait.v6.clone()
	c.listeners = slices.Clone(e.listeners)
	for i := range c.listeners {
		c.listeners[i].queue = slices.Clone(e.listeners[i].queue)
	}
	c.listenAt = maps.Clone(e.listenAt)
	c.sources.t = slices.Clone(e.sources.t)
	c.timers.h = slices.Clone(e.timers.h)
	c.dirty = slices.Clone(e.dirty)
	c.blocked = slices.Clone(e.blocked)
	c.ready = slices.Clone(e.ready)
	c.replies.q = slices.Clone(e.replies.q)
	c.resets = slices.Clone(e.resets)
	c.pool = wire.Pool{Out: e.pool.Out}
	c.rings = ringPool{}
	c.oooFree, c.scratch, c.out = nil, nil, Segment{}
	return &c
}

// SetPaths replaces Config.Paths, as a clone's new owner must.
func (e *Engine) SetPaths(p Paths) { e.cfg.Paths = p }

// SetEvents replaces Config.Events.
func (e *Engine) SetEvents(r *Ring) { e.cfg.Events = r }

func (c *conn) clone() *conn {
	n := *c
	n.sendq.head, n.sendq.tail = cloneSlabs(c.sendq.head)
	n.sendq.cur = nil
	n.recvq.head, n.recvq.tail = cloneSlabs(c.recvq.head)
	n.rtx.ring = slices.Clone(c.rtx.ring)
	if c.ooo != nil {
		n.ooo = c.ooo.clone()
	}
	return &n
}

func cloneSlabs(s *wire.Slab) (head, tail *wire.Slab) {
	for ; s != nil; s = s.Next {
		n := s.Clone()
		if tail == nil {
			head = n
		} else {
			tail.Next = n
		}
		tail = n
	}
	return head, tail
}

func (r *reassembly) clone() *reassembly {
	n := *r
	n.pages = slices.Clone(r.pages)
	for i, p := range n.pages {
		if p != nil {
			n.pages[i] = p.Clone()
		}
	}
	n.spans.chunks = slices.Clone(r.spans.chunks)
	for i := range n.spans.chunks {
		n.spans.chunks[i] = slices.Clone(r.spans.chunks[i])
	}
	return &n
}
