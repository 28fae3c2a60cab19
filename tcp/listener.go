package tcp

import (
	"time"

	"estab/internal/wire"
)

// ListenerID names a listener: a slot and its generation.
type ListenerID uint64

// Any stands for every local address in ListenOptions.Addr, Any4 for every
// IPv4 address, Any6 for every IPv6 address.
var (
	Any  = wire.Addr{}
	Any4 = wire.AddrFrom4([]byte{0, 0, 0, 0})
	Any6 = wire.Addr{Hi: ^uint64(0), Lo: ^uint64(0)}
)

// ListenOptions are what a passive OPEN takes.
type ListenOptions struct {
	Addr        wire.Addr     // Any, Any4, Any6 or one address
	Port        uint16        // not 0
	Backlog     int           // completed connections that may wait for Accept; 0: 128
	DeferAccept time.Duration // complete the handshake only with the first text; off if 0
	Conn        ConnConfig    // of the connections
	Gate        Gate          // who counts the accept queue; nil: the engine, against Backlog
	Tag         uint32        // handed back by NextReady
}

// Gate lets a shell that runs several engines bound the accept queue of a
// listener that all of them share.
type Gate interface {
	// Acquire is asked before a handshake completes. True takes a place in
	// the accept queue; it is the shell's to give back.
	Acquire() bool
}

// listener is a connection in LISTEN.
type listener struct {
	slot, gen uint32
	inUse     bool
	notified  bool // on the ready list
	opts      ListenOptions
	queue     []uint32 // slots of connections that wait for Accept, oldest first
	halfOpen  int
	cookies   bool // a cookie was sent, last at cookieAt
	cookieAt  Time
}

func (l *listener) id() ListenerID { return ListenerID(l.gen)<<32 | ListenerID(l.slot+1) }

func (e *Engine) listener(id ListenerID) *listener {
	if s := uint32(id) - 1; uint64(s) < uint64(len(e.listeners)) {
		if l := &e.listeners[s]; l.inUse && l.gen == uint32(id>>32) {
			return l
		}
	}
	return nil
}

// listenerFor finds who listens for a flow: at its very address first, then
// at every address of its family, then at every address.
func (e *Engine) listenerFor(t *Tuple) *listener {
	if e.nListen == 0 {
		return nil
	}
	family := Any6
	if t.Local.Is4() {
		family = Any4
	}
	for _, a := range [3]wire.Addr{t.Local, family, Any} {
		if l := e.listenerAt(a, t.LocalPort); l != nil {
			return l
		}
	}
	return nil
}

// listenerAt finds the listener with exactly this address and port.
func (e *Engine) listenerAt(a wire.Addr, port uint16) *listener {
	if i, ok := e.listenAt[listenKey{a, port}]; ok {
		return &e.listeners[i]
	}
	return nil
}

type listenKey struct {
	addr wire.Addr
	port uint16
}

// hasRoom reports whether the accept queue takes another connection, without
// taking the place.
func (l *listener) hasRoom() bool {
	return l.opts.Gate != nil || len(l.queue) < l.opts.Backlog
}

// acquire takes a place in the accept queue.
func (l *listener) acquire() bool {
	if l.opts.Gate != nil {
		return l.opts.Gate.Acquire()
	}
	return len(l.queue) < l.opts.Backlog
}

// enqueue puts a connection whose handshake completed into the accept queue.
func (e *Engine) enqueue(l *listener, c *conn) {
	c.set(fQueued)
	l.queue = append(l.queue, c.slot)
	if !l.notified {
		l.notified = true
		e.ready = append(e.ready, readyListener|readyRef(l.slot))
	}
}
