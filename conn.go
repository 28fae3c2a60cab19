package estab

import (
	"net"
	"net/netip"
	"syscall"
	"time"

	"estab/tcp"
)

// Conn is a TCP connection. It is a net.Conn; its methods are those of
// *net.TCPConn that make sense without a file descriptor, and may be called by
// any number of goroutines at once. Concurrent Writes don't mix their bytes.
//
// A Conn takes 96 bytes beside what the engine keeps of the connection.
type Conn struct {
	sh     *shard // where it lives; the rest is under its lock
	id     tcp.ConnID
	tuple  tcp.Tuple // doesn't change once the connection is in its user's hands
	tag    uint32    // the index in sh.conns
	linger int32     // seconds, as SetLinger has it
	net    uint8     // index in networks
	flags  connFlags
	rd, wr waiters   // who waits to read; who waits to write, or for the handshake
	more   *connMore // what few connections need
}

type connFlags uint8

const (
	connConnected connFlags = 1 << iota // the handshake is done
	connClosed                          // the user is gone, and the id with him
	connWriting                         // a Write is under way
)

// connMore is what a connection gets once it needs it.
type connMore struct {
	rd, wr  deadline
	writers waiters // Writes that wait until another one is through
}

// ok reports whether c is a connection: neither nil nor the zero Conn.
func (c *Conn) ok() bool { return c != nil && c.sh != nil }

func (c *Conn) network() string { return networks[c.net] }

func (c *Conn) needMore() *connMore {
	if c.more == nil {
		c.more = new(connMore)
	}
	return c.more
}

// notice wakes those who wait for what has happened.
func (c *Conn) notice(what tcp.Readiness) {
	if what&tcp.Connected != 0 {
		c.flags |= connConnected
	}
	if what&(tcp.Readable|tcp.Ended) != 0 {
		c.rd.moveTo(&c.sh.woken)
	}
	if what&(tcp.Connected|tcp.Writable|tcp.Ended) != 0 {
		c.wr.moveTo(&c.sh.woken)
	}
}

// abort ends the connection with a RST.
func (c *Conn) abort(now tcp.Time) {
	if c.flags&connClosed == 0 {
		c.sh.tcp.Abort(now, c.id)
		c.release()
	}
}

// release takes the connection out of its user's hands and wakes everybody who
// waits for it.
func (c *Conn) release() {
	sh := c.sh
	c.flags |= connClosed
	sh.detach(c)
	sh.host.conns.Add(-1)
	c.rd.moveTo(&sh.woken)
	c.wr.moveTo(&sh.woken)
	if m := c.more; m != nil {
		m.writers.moveTo(&sh.woken)
		m.rd.stop()
		m.wr.stop()
	}
}

// Close ends the connection for its user. What was written is still delivered,
// followed by a FIN, unless something that arrived was not read or SetLinger(0)
// was called: then the peer gets a RST. Calls that wait, and calls that
// follow, return net.ErrClosed.
func (c *Conn) Close() error {
	if !c.ok() {
		return syscall.EINVAL
	}
	sh := c.sh
	now := sh.enter()
	if c.flags&connClosed != 0 {
		sh.mu.Unlock()
		return c.opError("close", net.ErrClosed)
	}
	sh.tcp.Close(now, c.id, time.Duration(c.linger)*time.Second)
	c.release()
	sh.leave()
	return nil
}

// CloseWrite sends a FIN after what was written. Most callers should use
// Close.
func (c *Conn) CloseWrite() error {
	return c.apply(c.opError, "close", "shutdown", func(now tcp.Time) tcp.Error {
		return c.shutdown(now, c.sh.tcp.Shutdown(now, c.id))
	})
}

// CloseRead discards what arrives from now on; Read returns io.EOF. Most
// callers should use Close.
func (c *Conn) CloseRead() error {
	return c.apply(c.opError, "close", "shutdown", func(now tcp.Time) tcp.Error {
		return c.shutdown(now, c.sh.tcp.ShutdownRead(now, c.id))
	})
}

// shutdown turns the engine's answer into the kernel's: to close a direction
// twice is all right, but only as long as there is a connection.
func (c *Conn) shutdown(now tcp.Time, e tcp.Error) tcp.Error {
	s, _ := c.sh.tcp.Status(now, c.id)
	switch {
	case s.State == tcp.StateClosed || s.State == tcp.StateTimeWait:
		return tcp.ErrNotConnected
	case e == tcp.ErrClosing:
		return 0
	}
	return e
}

// apply makes a call on the engine for a method that isn't in a hurry, and
// wraps what it returns.
func (c *Conn) apply(wrap func(op string, err error) error, op, call string, f func(tcp.Time) tcp.Error) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	sh := c.sh
	now := sh.enter()
	err := net.ErrClosed
	if c.flags&connClosed == 0 {
		err = sysError(call, f(now))
	}
	sh.leave()
	if err != nil {
		return wrap(op, err)
	}
	return nil
}

// LocalAddr is the local socket, a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr {
	if !c.ok() {
		return nil
	}
	return c.tcpAddr(c.tuple.LocalAddrPort())
}

// RemoteAddr is the peer's socket, a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr {
	if !c.ok() {
		return nil
	}
	return c.tcpAddr(c.tuple.RemoteAddrPort())
}

func (c *Conn) tcpAddr(ap netip.AddrPort) net.Addr {
	a := net.TCPAddrFromAddrPort(ap)
	if z := c.tuple.Zone; z != 0 && ap.Addr().IsLinkLocalUnicast() && int(z) < len(c.sh.host.ports) {
		a.Zone = c.sh.host.ports[z].name
	}
	return a
}

// SetDeadline sets both deadlines. See net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(t, true, true)
}

// SetReadDeadline bounds Reads: those that wait, and those to come. The zero
// Time is no bound.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(t, true, false)
}

// SetWriteDeadline bounds Writes: those that wait, and those to come. A Write
// that runs into it may have sent part of its bytes. The zero Time is no
// bound.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(t, false, true)
}

func (c *Conn) setDeadlines(t time.Time, read, write bool) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	sh := c.sh
	sh.mu.Lock()
	if c.flags&connClosed != 0 {
		sh.mu.Unlock()
		return c.localError("set", net.ErrClosed)
	}
	sh.now = sh.host.now()
	now := sh.now
	at := instant(now, t)
	if at != 0 || c.more != nil {
		m := c.needMore()
		if read {
			m.rd.at = at
			c.checkRead(now)
		}
		if write {
			m.wr.at = at
			c.checkWrite(now)
		}
	}
	woken := sh.woken
	sh.woken = waiters{}
	sh.mu.Unlock()
	woken.wake()
	return nil
}

// checkRead wakes those who wait to read if their deadline is over, and sees
// to it otherwise that they will be.
func (c *Conn) checkRead(now tcp.Time) {
	if d := &c.more.rd; d.passed(now) {
		c.rd.moveTo(&c.sh.woken)
	} else if !c.rd.empty() {
		d.arm(now, c.expireRead)
	}
}

func (c *Conn) checkWrite(now tcp.Time) {
	if d := &c.more.wr; d.passed(now) {
		c.wr.moveTo(&c.sh.woken)
	} else if !c.wr.empty() {
		d.arm(now, c.expireWrite)
	}
}

// expireRead runs when the read deadline's timer goes off.
func (c *Conn) expireRead() {
	sh := c.sh
	now := sh.enter()
	if c.flags&connClosed == 0 {
		c.more.rd.armed = 0
		c.checkRead(now)
	}
	sh.leave()
}

// expireWrite runs when the write deadline's timer goes off.
func (c *Conn) expireWrite() {
	sh := c.sh
	now := sh.enter()
	if c.flags&connClosed == 0 {
		c.more.wr.armed = 0
		c.checkWrite(now)
	}
	sh.leave()
}
