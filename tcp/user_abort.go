package tcp

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
