package tcp

// SendFlags qualify a SEND.
type SendFlags uint8

const (
	SendMore   SendFlags = 1 << iota // more follows: hold back what fills no segment
	SendUrgent                       // SND.UP points behind this text (§3.10.2, URG)
)

// Send is the SEND of §3.10.2: it copies as much of p as the send buffer has
// room for and returns how much that was; 0 means that the buffer is full, and
// NextReady will say Writable.
//
// ErrNoConnection: no such connection. ErrClosing: CLOSE was called, or the
// connection has ended. Any other error ended the connection, and is told
// once.
// Obeys: RFC 9293 MUST-30, MAY-15, MAY-16.
func (e *Engine) Send(now Time, id ConnID, p []byte, f SendFlags) (int, Error) {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return 0, ErrNoConnection
	}
	if c.err != 0 {
		return 0, c.takeError()
	}
	if c.has(fCloseCalled) || c.state == StateClosed || c.state == StateTimeWait {
		return 0, ErrClosing
	}
	n := c.sendq.append(&e.pool, p, int(c.sndBuf)-int(c.sendq.n), c.layout())
	if n < len(p) {
		c.set(fWriteWait)
	}
	if n == 0 {
		return 0, 0
	}
	end := c.sendq.base + Num(c.sendq.n)
	c.put(fMore, f&SendMore != 0)
	if f&SendMore == 0 {
		c.snd.push = end
	}
	if f&SendUrgent != 0 {
		// "If the URGENT flag is set, then SND.UP <- SND.NXT and set the urgent
		// pointer in the outgoing segments": it points to the byte following the
		// urgent text (RFC 6093 §3.2). If no window lets that go, the pointer goes
		// by itself.
		// Obeys: RFC 9293 MUST-62.
		c.snd.UP = end
		c.set(fUrgent | fAckNow)
	}
	e.mark(c)
	return n, 0
}

// SendSpace is how many bytes Send would take now.
func (e *Engine) SendSpace(id ConnID) int {
	if c := e.lookup(id); c != nil && !c.has(fCloseCalled) {
		return max(int(c.sndBuf)-int(c.sendq.n), 0)
	}
	return 0
}

// growSendBuffer lets the buffer follow the congestion window: twice what may
// be in flight, so that the user refills it while an ACK is under way.
func (e *Engine) growSendBuffer(c *conn) {
	if want := 2 * min(c.cong.Cwnd, c.snd.maxWND); !c.has(fFixedSndBuf) && want > c.sndBuf {
		c.sndBuf = min(want, uint32(e.cfg.SendBufferMax))
	}
}

// takeError returns the pending error once.
func (c *conn) takeError() Error {
	err := c.err
	c.err = 0
	return err
}

// TakeError returns the error that ended the connection, once (SO_ERROR).
func (e *Engine) TakeError(id ConnID) Error {
	if c := e.lookup(id); c != nil {
		return c.takeError()
	}
	return ErrNoConnection
}
