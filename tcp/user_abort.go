package tcp

// Drop throws away what the engine holds for a pair of sockets, as an
// administrator may: a connection is ended as by Abort, and its user is told; a
// record goes without a word. It reports whether there was anything.
func (e *Engine) Drop(now Time, t Tuple) bool {
	e.clock(now)
	switch k, i := e.find(&t, e.Hash(&t)); k {
	case kindConn:
		c := e.conns[i]
		if c.state != StateSynSent {
			e.sendReset(c)
		}
		e.fail(c, ErrAborted, nil)
	case kindHalf4, kindHalf6:
		e.dropHalfOpen(k, i, nil)
	case kindWait4, kindWait6:
		e.endTimeWait(k, i)
	default:
		return false
	}
	return true
}

// Abort is the ABORT of §3.10.5: "All queued SENDs and RECEIVEs should be given
// 'connection reset' notification, and all segments queued for transmission
// (except for the RST formed above) or retransmission should be flushed." The
// handle is no longer valid.
func (e *Engine) Abort(now Time, id ConnID) {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return
	}
	e.forgetUser(c)
	switch c.state {
	case StateClosed, StateTimeWait:
		e.nOrphans--
		e.freeConn(c)
		return
	case StateSynReceived, StateEstablished, StateFinWait1, StateFinWait2, StateCloseWait, StateClosing, StateLastAck:
		// "send a reset segment: <SEQ=SND.NXT><CTL=RST>" (from CLOSING and
		// LAST-ACK it is only "respond with ok", and the peer may go on
		// repeating its FIN; a RST spares it that).
		e.sendReset(c)
	}
	e.counters.Aborts++
	e.fail(c, ErrAborted, nil)
}
