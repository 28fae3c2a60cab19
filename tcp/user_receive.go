package tcp

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
// Obeys: RFC 9293 MUST-12; RFC 1122 4.2.2.2.
func (e *Engine) Receive(now Time, id ConnID, p []byte, f ReceiveFlags) (int, Error) {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return 0, ErrNoConnection
	}
	if c.recvq.n > 0 {
		n := c.recvq.read(&e.pool, p, f&ReceivePeek != 0)
		if f&ReceivePeek == 0 {
			e.read(c)
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

// read follows a RECEIVE: the window may open, the buffer may grow.
func (e *Engine) read(c *conn) {
	c.leaveUrgentMode()
	if c.state == StateClosed || c.state == StateTimeWait || c.has(fFinReceived) {
		return
	}
	e.growReceiveBuffer(c)
	if c.windowUpdate() {
		c.set(fAckNow)
		e.mark(c)
	}
}
