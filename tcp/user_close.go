package tcp

import "time"

// Shutdown is the CLOSE of §3.10.4: no more SENDs; a FIN follows what is
// queued, and the other direction goes on for as long as the peer wants.
//
// ErrNoConnection: no such connection. ErrNotConnected: nothing to close yet
// (in SYN-SENT use Close or Abort). ErrClosing: CLOSE was called before, or
// the connection has ended.
func (e *Engine) Shutdown(now Time, id ConnID) Error {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return ErrNoConnection
	}
	if c.state == StateSynSent {
		return ErrNotConnected
	}
	return e.closeSending(c)
}

func (e *Engine) closeSending(c *conn) Error {
	if c.has(fCloseCalled) || c.state == StateClosed || c.state == StateTimeWait {
		return ErrClosing
	}
	c.set(fCloseCalled)
	c.clear(fMore | fCork)
	c.snd.push = c.sendq.base + Num(c.sendq.n)
	switch c.state {
	case StateSynReceived:
		// "If no SENDs have been issued and there is no pending data to send,
		// then form a FIN segment and send it, and enter FIN-WAIT-1 state;
		// otherwise, queue for processing after entering ESTABLISHED state."
		if c.sendq.n == 0 {
			e.setState(c, StateFinWait1, nil)
		}
	case StateEstablished:
		// "Queue this until all preceding SENDs have been segmentized, then
		// form a FIN segment and send it. In any case, enter FIN-WAIT-1 state."
		e.setState(c, StateFinWait1, nil)
	}
	e.mark(c)
	return 0
}

// ShutdownRead says that the user wants nothing more: what arrives is
// acknowledged and forgotten, and Receive gives ErrEOF once what is there has
// been read. Nothing is sent; TCP has no segment for it.
func (e *Engine) ShutdownRead(now Time, id ConnID) Error {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return ErrNoConnection
	}
	c.set(fReadClosed)
	e.notify(c, Readable)
	return 0
}

// Close gives up the handle. What is queued is still sent, followed by a FIN,
// without anybody to be told; unless something was not read, which the peer
// has to be told by a RST (RFC 9293 §3.6.1 and RFC 1122 SHLD-3: "If such a host
// issues a CLOSE call while received data is still pending … its TCP SHOULD
// send a RST to show that data was lost").
//
// linger < 0 is the default; 0 aborts; otherwise what could not be sent within
// it is discarded with a RST.
// Obeys: RFC 9293 MAY-1, SHLD-3.
func (e *Engine) Close(now Time, id ConnID, linger time.Duration) {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return
	}
	switch c.state {
	case StateClosed, StateTimeWait:
		e.forgetUser(c)
		e.nOrphans--
		e.freeConn(c)
		return
	case StateSynSent:
		// "Delete the TCB and return 'error: closing' responses to any queued
		// SENDs, or RECEIVEs."
		e.forgetUser(c)
		e.fail(c, ErrAborted, nil)
		return
	}
	if linger == 0 || c.recvq.n > 0 && !c.has(fReadClosed) {
		e.Abort(now, id)
		return
	}
	e.forgetUser(c)
	e.closeSending(c)
	if linger > 0 {
		c.set(fLinger)
		e.arm(c, TimerUser, e.now.Add(linger))
	} else if c.state == StateFinWait2 {
		e.armFinWait2(c)
	}
}

// forgetUser makes an orphan of the connection.
func (e *Engine) forgetUser(c *conn) {
	c.clear(fUser | fReady)
	c.recvq.drop(&e.pool)
	e.nOrphans++
}
