package estab

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"estab/tcp"
)

// Dialer opens connections from a host and says what must be known before the
// first segment. The zero value of every field but Host is the default.
type Dialer struct {
	Host *Host

	// Timeout and Deadline bound Dial, the sooner of them; the context does
	// so too. Without any the host gives up after 127 seconds, when the last
	// of six repeats of the SYN stays unanswered, as Linux does.
	Timeout  time.Duration
	Deadline time.Time

	// LocalAddr is the socket to dial from. A zero address is chosen by the
	// route, a zero port as RFC 6056 advises.
	LocalAddr netip.AddrPort

	KeepAlive       time.Duration       // idle time before probes; 0: the host's, negative: off
	KeepAliveConfig net.KeepAliveConfig // if enabled, in place of KeepAlive

	MSS           int           // bytes: clamp for segments in both directions
	ReceiveBuffer int           // bytes; fixes the size, which then no longer grows by itself
	SendBuffer    int           // bytes; likewise
	Congestion    string        // "cubic" or "reno"; the host's
	UserTimeout   time.Duration // how long sent data may stay unacknowledged (RFC 5482); about 15 minutes. Off: for ever
	TOS           uint8         // type of service or traffic class: the DSCP, shifted left by two
}

// Linux: net.ipv4.tcp_syn_retries. 1+2+4+8+16+32+64 s.
const dialSynRetries = 6

// Dial connects to the address. See [Host.DialContext].
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext connects to an address of package net, such as
// "192.0.2.1:80" or "[2001:db8::1]:80", on the network "tcp", "tcp4" or
// "tcp6". An empty or unspecified host is the loopback. Errors are
// *net.OpError.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := Dialer{Host: h}
	return d.DialContext(ctx, network, address)
}

// DialTCP connects to a socket.
func (h *Host) DialTCP(ctx context.Context, raddr netip.AddrPort) (*Conn, error) {
	d := Dialer{Host: h}
	return d.DialTCP(ctx, raddr)
}

// Dial connects to the address. See [Host.DialContext].
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects to the address. If a name has several, they are tried
// one after the other in the resolver's order, those without a route last;
// each gets its share of what time there is, at least two seconds, and the
// first error is returned. (There is no race between families, RFC 8305.)
//
// Once connected, the context's end has no effect.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Host == nil {
		return nil, dialError(network, netip.AddrPort{}, netip.AddrPort{}, syscall.EINVAL)
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	socks, err := d.Host.resolve(ctx, network, address)
	if err != nil {
		return nil, dialError(network, netip.AddrPort{}, netip.AddrPort{}, err)
	}
	var first error
	for i, raddr := range socks {
		c, err := d.try(ctx, network, raddr, len(socks)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// DialTCP connects to a socket.
func (d *Dialer) DialTCP(ctx context.Context, raddr netip.AddrPort) (*Conn, error) {
	if d.Host == nil {
		return nil, dialError("tcp", netip.AddrPort{}, raddr, syscall.EINVAL)
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	return d.try(ctx, "tcp", raddr, 1)
}

// bound puts the dialer's own limits on the context.
func (d *Dialer) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background()
	}
	at := d.Deadline
	if d.Timeout != 0 {
		if t := time.Now().Add(d.Timeout); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if at.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, at)
}

// try connects to one of several sockets, within its share of the time.
func (d *Dialer) try(ctx context.Context, network string, raddr netip.AddrPort, left int) (*Conn, error) {
	if at, ok := ctx.Deadline(); ok && left > 1 {
		const least = 2 * time.Second // package net
		share := max(time.Until(at)/time.Duration(left), least)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, share)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return nil, dialError(network, d.LocalAddr, raddr, contextError(err))
	}
	c, err := d.connect(ctx, network, raddr)
	if err != nil {
		return nil, dialError(network, d.LocalAddr, raddr, err)
	}
	return c, nil
}

// dialError is the *net.OpError of package net.
func dialError(network string, laddr, raddr netip.AddrPort, err error) error {
	e := &net.OpError{Op: "dial", Net: network, Err: err}
	if laddr.IsValid() {
		e.Source = net.TCPAddrFromAddrPort(laddr)
	}
	if raddr != (netip.AddrPort{}) {
		e.Addr = net.TCPAddrFromAddrPort(raddr)
	}
	return e
}

// config is what the engine has to know of the dialer's wishes.
func (d *Dialer) config() tcp.ConnConfig {
	return tcp.ConnConfig{
		MSS: d.MSS, ReceiveBuffer: d.ReceiveBuffer, SendBuffer: d.SendBuffer,
		Congestion: d.Congestion, UserTimeout: d.UserTimeout, TOS: d.TOS,
		SynRetries: dialSynRetries, NoDelay: true,
		KeepAlive: d.Host.keepAlive(d.KeepAlive, d.KeepAliveConfig),
	}
}

// connect opens a connection and waits for it.
func (d *Dialer) connect(ctx context.Context, network string, raddr netip.AddrPort) (*Conn, error) {
	netw, err := networkIndex(network)
	if err != nil {
		return nil, err
	}
	h := d.Host
	t, err := h.tuple(d.LocalAddr, raddr)
	if err != nil {
		return nil, err
	}
	c := &Conn{net: netw, tuple: t, linger: -1}
	w, err := h.open(c, d.config())
	if err != nil {
		return nil, err
	}
	return c.await(ctx, w)
}

// await waits until the handshake is done. The waiter is on the list of those
// who want to write.
func (c *Conn) await(ctx context.Context, w *waiter) (*Conn, error) {
	sh := c.sh
	var err error
	if done := ctx.Done(); done == nil {
		<-w.ch
		sh.mu.Lock()
	} else {
		select {
		case <-w.ch:
			sh.mu.Lock()
		case <-done:
			err = contextError(ctx.Err())
			sh.mu.Lock()
			if !c.wr.remove(w) {
				<-w.ch // the token is in it, or about to be
			}
		}
	}
	sh.idle.put(w)
	sh.now = sh.host.now()
	if err == nil {
		err = c.handshake()
	}
	if err != nil {
		c.abort(sh.now)
		c = nil
	}
	sh.leave()
	return c, err
}

// handshake says how the handshake ended.
func (c *Conn) handshake() error {
	switch {
	case c.flags&connClosed != 0:
		return net.ErrClosed
	case c.flags&connConnected != 0:
		return nil
	}
	if err := sysError("connect", c.sh.tcp.TakeError(c.id)); err != nil {
		return err
	}
	return os.NewSyscallError("connect", syscall.ECONNABORTED)
}
