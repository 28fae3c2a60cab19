package estab

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// ListenConfig opens listeners on a host and says what holds for their
// connections from the first segment. The zero value of every field but Host
// is the default.
type ListenConfig struct {
	Host *Host

	Backlog     int           // connections that wait for Accept; the host's
	DeferAccept time.Duration // Accept only connections on which the client has sent something; 0: off

	KeepAlive       time.Duration       // idle time before probes; 0: the host's, negative: off
	KeepAliveConfig net.KeepAliveConfig // if enabled, in place of KeepAlive

	MSS           int           // bytes: clamp for segments in both directions
	ReceiveBuffer int           // bytes; fixes the size, which then no longer grows by itself
	SendBuffer    int           // bytes; likewise
	Congestion    string        // "cubic" or "reno"; the host's
	UserTimeout   time.Duration // how long sent data may stay unacknowledged (RFC 5482); about 15 minutes. Off: for ever
	TOS           uint8         // type of service or traffic class: the DSCP, shifted left by two
}

// Listener accepts connections. It is a net.Listener.
type Listener struct {
	host *Host
	addr netip.AddrPort // invalid address: every address of both families
	net  uint8
	max  int
	ids  []tcp.ListenerID // by shard; each under its shard's lock
	gate []gate           // by shard; likewise

	mu      sync.Mutex // a leaf
	queue   []*Conn    // those that wait for Accept, oldest first
	places  int        // of the backlog that are taken
	waiting waiters
	idle    waiterPool
	limit   deadline
	closed  bool
}

// ok reports whether l is a listener: neither nil nor the zero Listener.
func (l *Listener) ok() bool { return l != nil && l.host != nil }

// gate is asked by one shard's engine for places in the accept queue that all
// shards share.
type gate struct {
	l     *Listener
	taken int // places taken for connections that the shard has not yet handed over
}

// Acquire is part of tcp.Gate. A full queue makes the engine ignore the
// handshake's last segment; the client's next one gives it another chance.
func (g *gate) Acquire() bool {
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	if g.l.closed || g.l.places >= g.l.max || g.l.host.conns.Load() >= int64(g.l.host.cfg.MaxConns) {
		return false
	}
	g.l.places++
	g.taken++
	return true
}

// Listen announces on the network "tcp", "tcp4" or "tcp6" and an address of
// package net. A port of 0 is chosen by the host, an empty or unspecified host
// stands for all addresses.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	lc := ListenConfig{Host: h}
	return lc.Listen(context.Background(), network, address)
}

// ListenTCP announces on a socket. An unspecified address stands for all
// addresses of its family, the zero Addr for those of both.
func (h *Host) ListenTCP(laddr netip.AddrPort) (*Listener, error) {
	lc := ListenConfig{Host: h}
	return lc.ListenTCP(laddr)
}

// Listen announces on the address. See [Host.Listen]. The context bounds the
// resolving of the address, nothing else.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if lc.Host == nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: syscall.EINVAL}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	socks, err := lc.Host.resolve(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	laddr := socks[0]
	for _, s := range socks { // of a name's addresses package net prefers IPv4
		if s.Addr().Is4() {
			laddr = s
			break
		}
	}
	l, err := lc.listen(network, laddr)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ListenTCP announces on a socket. See [Host.ListenTCP].
func (lc *ListenConfig) ListenTCP(laddr netip.AddrPort) (*Listener, error) {
	if lc.Host == nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: syscall.EINVAL}
	}
	return lc.listen("tcp", laddr)
}

// listen makes the listener and opens it in every shard.
func (lc *ListenConfig) listen(network string, laddr netip.AddrPort) (*Listener, error) {
	h := lc.Host
	l := &Listener{
		host: h, max: lc.Backlog,
		ids: make([]tcp.ListenerID, len(h.shards)), gate: make([]gate, len(h.shards)),
	}
	if l.max <= 0 {
		l.max = h.cfg.Backlog
	}
	l.net, _ = networkIndex(network)
	l.addr = listenAddr(network, laddr)
	err := h.bind(l)
	if err == nil {
		err = lc.open(l)
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: net.TCPAddrFromAddrPort(l.addr), Err: err}
	}
	return l, nil
}

// listenAddr brings the ways to say "every address" into one form each: the
// zero Addr for both families, 0.0.0.0 and :: for one.
func listenAddr(network string, laddr netip.AddrPort) netip.AddrPort {
	a := laddr.Addr().Unmap()
	any := !a.IsValid() || a.IsUnspecified()
	switch {
	case any && network == "tcp4":
		a = netip.IPv4Unspecified()
	case any && network == "tcp6":
		a = netip.IPv6Unspecified()
	case any && network == "tcp" && !a.Is4(): // as package net: "tcp" and :: serve both
		a = netip.Addr{}
	}
	return netip.AddrPortFrom(a, laddr.Port())
}

// open announces the listener to the engines. Until the last shard knows it,
// a SYN may still be refused.
func (lc *ListenConfig) open(l *Listener) error {
	h := l.host
	opts := tcp.ListenOptions{
		Addr: l.wireAddr(), Port: l.addr.Port(), Backlog: l.max, DeferAccept: lc.DeferAccept,
		Conn: tcp.ConnConfig{
			MSS: lc.MSS, ReceiveBuffer: lc.ReceiveBuffer, SendBuffer: lc.SendBuffer,
			Congestion: lc.Congestion, UserTimeout: lc.UserTimeout, TOS: lc.TOS, NoDelay: true,
			KeepAlive: h.keepAlive(lc.KeepAlive, lc.KeepAliveConfig),
		},
	}
	for i := range h.shards {
		sh := &h.shards[i]
		l.gate[i].l = l
		opts.Gate = &l.gate[i]
		now := sh.enter()
		err := net.ErrClosed
		if !sh.ending {
			id, e := sh.tcp.Listen(now, opts)
			if err = sysError("bind", e); err == nil {
				l.ids[i] = id
				sh.listeners[id] = l
			}
		}
		sh.leave()
		if err != nil {
			l.Close()
			return err
		}
	}
	return nil
}

// wireAddr is the address as the engine wants it.
func (l *Listener) wireAddr() wire.Addr {
	switch a := l.addr.Addr(); {
	case !a.IsValid():
		return tcp.Any
	case !a.IsUnspecified():
		return wire.AddrFrom(a)
	case a.Is4():
		return tcp.Any4
	}
	return tcp.Any6
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP waits for a connection.
func (l *Listener) AcceptTCP() (*Conn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		now := l.host.now()
		switch {
		case l.closed:
			return nil, l.opError("accept", net.ErrClosed)
		case l.limit.passed(now):
			return nil, l.opError("accept", os.ErrDeadlineExceeded)
		case len(l.queue) > 0:
			c := l.queue[0]
			l.queue[0] = nil
			l.queue = l.queue[1:]
			l.places--
			return c, nil
		}
		w := l.idle.get()
		l.waiting.push(w)
		l.limit.arm(now, l.expire)
		l.mu.Unlock()
		<-w.ch
		l.mu.Lock()
		l.idle.put(w)
	}
}

func (l *Listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: networks[l.net], Addr: l.Addr(), Err: err}
}

// put appends a connection to the accept queue and returns whom to wake.
func (l *Listener) put(c *Conn) (*waiter, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, false
	}
	l.queue = append(l.queue, c)
	return l.waiting.pop(), true
}

// giveBack returns places in the accept queue.
func (l *Listener) giveBack(n int) {
	l.mu.Lock()
	l.places -= n
	l.mu.Unlock()
}

// expire runs when the deadline's timer goes off.
func (l *Listener) expire() {
	l.mu.Lock()
	l.limit.armed = 0
	var woken waiters
	if now := l.host.now(); l.limit.passed(now) {
		l.waiting.moveTo(&woken)
	} else if !l.waiting.empty() {
		l.limit.arm(now, l.expire)
	}
	l.mu.Unlock()
	woken.wake()
}

// SetDeadline bounds Accept: those that wait, and those to come. The zero Time
// is no bound.
func (l *Listener) SetDeadline(t time.Time) error {
	if !l.ok() {
		return syscall.EINVAL
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed // bare, as package net does
	}
	var woken waiters
	now := l.host.now()
	l.limit.at = instant(now, t)
	if l.limit.passed(now) {
		l.waiting.moveTo(&woken)
	} else if !l.waiting.empty() {
		l.limit.arm(now, l.expire)
	}
	l.mu.Unlock()
	woken.wake()
	return nil
}

// Addr is the socket that is announced, a *net.TCPAddr.
func (l *Listener) Addr() net.Addr {
	if !l.ok() {
		return nil
	}
	a := l.addr
	if !a.Addr().IsValid() {
		a = netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port()) // as package net
	}
	return net.TCPAddrFromAddrPort(a)
}

// Close stops listening. Connections that nobody has accepted are reset, those
// that wait in Accept get net.ErrClosed.
func (l *Listener) Close() error {
	if !l.ok() {
		return syscall.EINVAL
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.opError("close", net.ErrClosed)
	}
	l.closed = true
	l.limit.stop()
	queue, woken := l.queue, l.waiting
	l.queue, l.waiting = nil, waiters{}
	l.mu.Unlock()
	woken.wake()
	for i := range l.ids {
		l.host.shards[i].unlisten(l, i)
	}
	l.host.unbind(l)
	for _, c := range queue {
		c.abort(c.sh.enter())
		c.sh.leave()
	}
	return nil
}
