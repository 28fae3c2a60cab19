package tcp

import "time"

// ReceiveFlags qualify a RECEIVE.
type ReceiveFlags uint8

const (
	ReceivePeek ReceiveFlags = 1 << iota // leave it in the buffer
)

// Receive is the RECEIVE of §3.10.3: it copies what has arrived in order into
// p and returns how much; 0 without an error means that nothing is there, and
// NextReady will say Readable.
//
// ErrEOF: the peer's FIN has been reached, or the user closed this direction.
// ErrNotConnected: the handshake is not complete. ErrNoConnection: no such
// connection. Any other error ended the connection, and is told once; after
// that it is ErrEOF.
func (e *Engine) Receive(now Time, id ConnID, p []byte, f ReceiveFlags) (int, Error) {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return 0, ErrNoConnection
	}
	if c.recvq.n > 0 {
		n := c.recvq.read(&e.pool, p, f&ReceivePeek != 0)
		if f&ReceivePeek == 0 {
			e.read(c, n)
		}
		return n, 0
	}
	switch {
	case c.has(fFinReceived | fReadClosed):
		return 0, ErrEOF
	case c.err != 0:
		return 0, c.takeError()
	case c.state == StateClosed:
		return 0, ErrEOF
	case c.state == StateSynSent || c.state == StateSynReceived:
		return 0, ErrNotConnected
	}
	return 0, 0
}

// Readable is how many bytes Receive would give now.
func (e *Engine) Readable(id ConnID) int {
	if c := e.lookup(id); c != nil {
		return c.recvq.n
	}
	return 0
}

// read follows a RECEIVE of n bytes: the window may open, the buffer may grow.
func (e *Engine) read(c *conn, n int) {
	if c.state == StateClosed || c.state == StateTimeWait || c.has(fFinReceived) {
		return
	}
	e.growReceiveBuffer(c, n)
	if c.windowUpdate() {
		c.set(fAckNow)
		e.mark(c)
	}
}

// growReceiveBuffer sizes the buffer by how much the user reads in a round
// trip, and twice that, so that a sender in slow start finds room. Only the
// rate counts: a buffer that is larger than rate x RTT buys nothing and costs
// the cache.
func (e *Engine) growReceiveBuffer(c *conn, n int) {
	if c.has(fFixedRcvBuf) {
		return
	}
	a := &c.rcvAuto
	a.copied += uint32(n)
	rtt := max(c.srtt, 50*time.Microsecond)
	if e.now.Sub(a.since) < rtt {
		return
	}
	if want := 2 * a.copied; want > c.rcvBuf && e.now.Sub(a.since) < 2*rtt {
		c.rcvBuf = min(want, uint32(e.cfg.ReceiveBufferMax))
	}
	*a = autotune{since: e.now}
}
