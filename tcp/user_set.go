package tcp

import "time"

// SetNoDelay switches Nagle's algorithm off (MUST-17), which also sends what
// it held back.
// Obeys: RFC 9293 MUST-17.
func (e *Engine) SetNoDelay(now Time, id ConnID, on bool) Error {
	return e.change(now, id, func(c *conn) {
		c.put(fNoDelay, on)
		if on {
			c.set(fForcePush)
		}
	})
}

// SetCork holds back what fills no segment; switching it off sends it.
func (e *Engine) SetCork(now Time, id ConnID, on bool) Error {
	return e.change(now, id, func(c *conn) {
		c.put(fCork, on)
		if !on {
			c.set(fForcePush)
		}
	})
}

// SetKeepAlive changes keep-alive.
// Obeys: RFC 9293 MUST-24, MUST-27.
func (e *Engine) SetKeepAlive(now Time, id ConnID, k KeepAlive) Error {
	return e.change(now, id, func(c *conn) {
		c.setKeepAlive(k)
		e.restartKeepAlive(c)
	})
}

// SetUserTimeout changes how long sent text may stay unacknowledged: R2 of this
// connection as a time (§3.8.3 (c)). 0: Config.Retries2 decides; negative: for ever.
// Obeys: RFC 9293 MUST-21.
func (e *Engine) SetUserTimeout(now Time, id ConnID, d time.Duration) Error {
	return e.change(now, id, func(c *conn) {
		c.setUserTimeout(d)
		c.disarm(TimerUser)
		if d > 0 && c.rtx.len() > 0 {
			e.arm(c, TimerUser, e.now.Add(d))
		}
	})
}

// SetReceiveBuffer fixes the size of the receive buffer in bytes. A smaller one
// never takes back what the window has offered.
func (e *Engine) SetReceiveBuffer(now Time, id ConnID, n int) Error {
	return e.change(now, id, func(c *conn) {
		c.rcvBuf = uint32(min(max(n, 1), maxBuffer))
		c.set(fFixedRcvBuf)
		if c.windowUpdate() && c.state.Synchronised() {
			c.set(fAckNow)
		}
	})
}

// SetSendBuffer fixes the size of the send buffer in bytes. What is queued
// stays.
func (e *Engine) SetSendBuffer(now Time, id ConnID, n int) Error {
	return e.change(now, id, func(c *conn) {
		c.sndBuf = uint32(min(max(n, 1), maxBuffer))
		c.set(fFixedSndBuf)
		e.roomToWrite(c)
	})
}

// SetTag changes what NextReady hands back.
func (e *Engine) SetTag(id ConnID, tag uint32) Error {
	c := e.lookup(id)
	if c == nil {
		return ErrNoConnection
	}
	c.tag = tag
	return 0
}

// SetQuickAck acknowledges at once what is owed, and the next segments too; or,
// off, delays the ACK of the next one.
func (e *Engine) SetQuickAck(now Time, id ConnID, on bool) Error {
	return e.change(now, id, func(c *conn) {
		c.quickAcks = 0
		if on {
			c.quickAcks = maxQuickAcks
			c.put(fAckNow, c.has(fAckNow) || c.unacked > 0)
		}
	})
}

// SetTOS changes the TOS of what is sent from now on; the ECN bits are ignored.
// Obeys: RFC 9293 SHLD-21; RFC 1122 4.2.4.2.
func (e *Engine) SetTOS(now Time, id ConnID, tos uint8) Error {
	return e.change(now, id, func(c *conn) { c.tos = tos &^ 3 })
}

// SetFinWait2 changes how long the connection, once its user is gone, waits
// for the peer's FIN; 0 or less: for ever.
func (e *Engine) SetFinWait2(now Time, id ConnID, d time.Duration) Error {
	return e.change(now, id, func(c *conn) { c.finWait2 = millis(d) })
}

func (e *Engine) change(now Time, id ConnID, f func(*conn)) Error {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return ErrNoConnection
	}
	f(c)
	e.mark(c)
	return 0
}
