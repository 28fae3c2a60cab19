package sim

import (
	"estab/internal/wire"
	"estab/tcp"
)

// event is something that will happen: a packet arrives, or a function runs.
type event struct {
	at    tcp.Time
	order uint64 // of two at the same instant, the first set goes first
	run   func() // nil: slab arrives by port
	port  *port
	slab  *wire.Slab
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.order < f.order
}

// eventQueue is a heap of events, four children to a node.
type eventQueue struct {
	h     []event
	order uint64
}

// push adds an event behind those of the same instant.
func (q *eventQueue) push(e event) {
	q.order++
	e.order = q.order
	q.h = append(q.h, e)
	i := len(q.h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&q.h[up]) {
			break
		}
		q.h[i] = q.h[up]
		i = up
	}
	q.h[i] = e
}

// pop takes the earliest event; there must be one.
func (q *eventQueue) pop() event {
	first := q.h[0]
	n := len(q.h) - 1
	last := q.h[n]
	q.h[n] = event{}
	q.h = q.h[:n]
	if n > 0 {
		q.sink(last)
	}
	return first
}

// sink puts e where the root was.
func (q *eventQueue) sink(e event) {
	i := 0
	for {
		first := 4*i + 1
		if first >= len(q.h) {
			break
		}
		least := first
		for j := first + 1; j < min(first+4, len(q.h)); j++ {
			if q.h[j].before(&q.h[least]) {
				least = j
			}
		}
		if e.before(&q.h[least]) {
			break
		}
		q.h[i] = q.h[least]
		i = least
	}
	q.h[i] = e
}
