package tcp

// How a connection ends inside the engine. (What its user can do to end it is
// user_close.go and user_abort.go.)

// fail ends a connection at once: a RST came, a time ran out, the user
// aborted. "All segment queues should be flushed"; what had arrived in order
// may still be read.
func (e *Engine) fail(c *conn, err Error, cause *Segment) {
	if c.state == StateClosed {
		return
	}
	if err == ErrTimeout && c.softErr != 0 {
		// Obeys: RFC 9293 SHLD-25.
		err = c.softErr // the network had said why
	}
	if c.state == StateSynSent || c.state == StateSynReceived {
		e.counters.AttemptFails++
	}
	e.setState(c, StateClosed, cause)
	c.err = err
	e.dropSendQueue(c)
	e.dropReassembly(c)
	for k := range NumTimers {
		c.disarm(k)
	}
	e.leaveTable(c)
	if e.cfg.Events.Wants(EventClosed) {
		ev := e.event(EventClosed, c)
		ev.Err = err
		e.cfg.Events.Put(ev)
	}
	e.notify(c, Readable|Writable|Drained)
	e.finished(c)
}

// leaveTable takes the connection out of the flow table. A TIME-WAIT record
// whose pair it was about to reopen stands again.
func (e *Engine) leaveTable(c *conn) {
	if !c.has(fInTable) {
		return
	}
	c.clear(fInTable)
	hash := e.Hash(&c.tuple)
	if c.tw != 0 {
		k, i := waitKind(&c.tuple), c.tw-1
		c.tw = 0
		if e.releaseWait(k, i) {
			e.table.replace(hash, kindConn, c.slot, k, i)
			return
		}
	}
	e.table.remove(hash, kindConn, c.slot)
}

// finished is called once a connection is out of the protocol: in CLOSED, or
// in TIME-WAIT with a record in its place. Its TCB stays as long as somebody
// may ask for it.
func (e *Engine) finished(c *conn) {
	e.notify(c, Ended|Readable|Writable)
	if c.has(fUser | fQueued) {
		e.dropSendQueue(c)
		e.dropReassembly(c)
		e.timers.remove(e, c)
		return
	}
	e.nOrphans--
	e.freeConn(c)
}
