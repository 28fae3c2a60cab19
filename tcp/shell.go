package tcp

import (
	"time"

	"estab/internal/wire"
)

// Pool is where the engine takes buffers from and puts those that it is done
// with, the slabs of segments that it kept included. A shell may take from it
// what came in that way: Out is then negative.
func (e *Engine) Pool() *wire.Pool { return &e.pool }

// Tuple is the pair of sockets of a connection.
func (e *Engine) Tuple(id ConnID) (Tuple, Error) {
	if c := e.lookup(id); c != nil {
		return c.tuple, 0
	}
	return Tuple{}, ErrNoConnection
}

// KeepAlive is how keep-alive is configured for a connection.
func (e *Engine) KeepAlive(id ConnID) (KeepAlive, Error) {
	c := e.lookup(id)
	if c == nil {
		return KeepAlive{}, ErrNoConnection
	}
	return KeepAlive{
		On:       c.has(fKeepAlive),
		Idle:     time.Duration(c.keepIdle) * time.Millisecond,
		Interval: time.Duration(c.keepInterval) * time.Millisecond,
		Count:    int(c.keepCount),
	}, 0
}
