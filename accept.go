package estab

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"estab/tcp"
)

// accept takes the connections whose handshakes have completed from the
// engine and puts them into the listener's queue.
func (sh *shard) accept(now tcp.Time, id tcp.ListenerID) {
	l := sh.listeners[id]
	if l == nil {
		return
	}
	g := &l.gate[sh.index]
	for {
		cid, e := sh.tcp.Accept(now, id)
		if e != 0 {
			break
		}
		g.taken--
		c := &Conn{sh: sh, id: cid, net: l.net, linger: -1, flags: connConnected}
		c.tuple, _ = sh.tcp.Tuple(cid)
		sh.attach(c)
		sh.tcp.SetTag(cid, c.tag)
		sh.host.conns.Add(1)
		w, ok := l.put(c)
		if !ok {
			c.abort(now)
		} else if w != nil {
			sh.woken.push(w)
		}
	}
	// A connection that was reset before it could be handed over keeps no
	// place.
	if g.taken != 0 {
		l.giveBack(g.taken)
		g.taken = 0
	}
}

// unlisten takes the listener out of a shard's engine, which resets what it
// has not handed over.
func (sh *shard) unlisten(l *Listener, i int) {
	now := sh.enter()
	if id := l.ids[i]; id != 0 && !sh.closed {
		sh.tcp.Unlisten(now, id)
		delete(sh.listeners, id)
	}
	sh.leave()
}

// bind claims the listener's socket, and finds a port if it names none.
func (h *Host) bind(l *Listener) error {
	if a := l.addr.Addr(); a.IsValid() && !a.IsUnspecified() && !h.shards[0].stack.Local(a) {
		return os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
	}
	if l.addr.Port() != 0 {
		return h.bindPort(l)
	}
	t := tcp.Tuple{Local: l.wireAddr()}
	for attempt := range uint32(h.portRange()) {
		l.addr = netip.AddrPortFrom(l.addr.Addr(), h.candidate(&t, attempt))
		if err := h.bindPort(l); err != errInUse {
			return err
		}
	}
	l.addr = netip.AddrPortFrom(l.addr.Addr(), 0)
	return errInUse
}

// bindPort claims the listener's socket.
func (h *Host) bindPort(l *Listener) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch port := l.addr.Port(); {
	case h.ending:
		return net.ErrClosed
	case h.taken(l.addr):
		return errInUse
	default:
		h.listeners[port] = append(h.listeners[port], l)
		return nil
	}
}

// unbind frees the listener's socket.
func (h *Host) unbind(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	port := l.addr.Port()
	ls := h.listeners[port]
	for i, x := range ls {
		if x == l {
			ls = append(ls[:i:i], ls[i+1:]...)
		}
	}
	if len(ls) == 0 {
		delete(h.listeners, port)
	} else {
		h.listeners[port] = ls
	}
}

// taken reports whether a listening socket would get in the way of another:
// the same port, and an address that one of them shares with the other.
func (h *Host) taken(a netip.AddrPort) bool {
	for _, l := range h.listeners[a.Port()] {
		if overlap(l.addr.Addr(), a.Addr()) {
			return true
		}
	}
	return false
}

func overlap(a, b netip.Addr) bool {
	switch {
	case !a.IsValid() || !b.IsValid():
		return true
	case a.Is4() != b.Is4():
		return false
	}
	return a == b || a.IsUnspecified() || b.IsUnspecified()
}

// listensAt reports whether somebody listens at the port.
func (h *Host) listensAt(port uint16) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners[port]) > 0
}

// candidate is the engine's proposal for a local port of t (RFC 6056).
func (h *Host) candidate(t *tcp.Tuple, attempt uint32) uint16 {
	sh := h.shard(h.shards[0].tcp.Hash(t))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.tcp.CandidatePort(t, attempt)
}
