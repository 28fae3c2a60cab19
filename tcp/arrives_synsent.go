package tcp

import "estab/internal/wire"

// arrivesSynSent is §3.10.7.3.
func (e *Engine) arrivesSynSent(c *conn, seg *Segment) {
	// "First, check the ACK bit: … If SEG.ACK =< ISS or SEG.ACK > SND.NXT,
	// send a reset (unless the RST bit is set, if so drop the segment and
	// return) <SEQ=SEG.ACK><CTL=RST> and discard the segment."
	hasAck := seg.Flags.Has(wire.ACK)
	if hasAck && (seg.Ack.LessEq(c.snd.ISS) || c.snd.NXT.Less(seg.Ack)) {
		e.drop(c, seg, wire.DropSynSentAck)
		if !seg.Flags.Has(wire.RST) {
			e.reset(seg)
		}
		return
	}
	// "Second, check the RST bit: … If the ACK was acceptable, then signal to
	// the user 'error: connection reset', drop the segment, enter CLOSED state,
	// delete TCB, and return. Otherwise (no ACK), drop the segment and return."
	if seg.Flags.Has(wire.RST) {
		if !hasAck {
			// Obeys: RFC 5961 3.2d.
			e.drop(c, seg, wire.DropSynSentReset)
			return
		}
		// Deviation: the user is told "connection refused", as §3.10.7.4 has it
		// for a simultaneous open and as everybody expects of a connect.
		e.counters.Resets++
		e.fail(c, ErrRefused, seg)
		return
	}
	// "Fourth, check the SYN bit", "Fifth, if neither of the SYN or RST bits is
	// set, then drop the segment and return."
	if !seg.Flags.Has(wire.SYN) {
		e.drop(c, seg, wire.DropSynSentFlags)
		return
	}
	e.synInSynSent(c, seg, hasAck)
}

// Obeys: RFC 9293 MUST-10.
func (e *Engine) synInSynSent(c *conn, seg *Segment, hasAck bool) {
	c.rcv.IRS, c.rcv.NXT, c.rcv.UP = seg.Seq, seg.Seq+1, seg.Seq+1
	c.rcv.WND = c.rcvBuf
	c.rcv.lastAck = c.rcv.NXT
	mss, opts := e.synOptions(seg)
	e.negotiate(c, mss, opts, seg.Options.TSVal)
	// The window of a SYN is not scaled (RFC 7323 §2.2).
	c.snd.WND, c.snd.maxWND = uint32(seg.Wnd), uint32(seg.Wnd)
	c.snd.WL1 = seg.Seq
	if hasAck {
		c.snd.WL2 = seg.Ack
	}
	c.put(fECN, c.has(fECN) && hasAck && acceptsECN(seg.Flags))
	c.heardAt = e.now
	if !hasAck {
		// Simultaneous open: "enter SYN-RECEIVED, form a SYN,ACK segment and
		// send it." Text on this SYN is left for the peer to send again.
		e.setState(c, StateSynReceived, seg)
		c.set(fSynDue)
		e.mark(c)
		return
	}
	// "SND.UNA should be advanced to equal SEG.ACK, and any segments on the
	// retransmission queue that are thereby acknowledged should be removed. If
	// SND.UNA > ISS (our SYN has been ACKed), change the connection state to
	// ESTABLISHED, form an ACK segment and send it."
	if c.retries > 0 {
		e.backOffAfterLostSyn(c, seg, c.sentAt)
	}
	// Obeys: RFC 5681 3.1c.
	e.advanceUNA(c, seg.Ack)
	c.set(fAckNow)
	e.established(c, seg)
	// "If there are other controls or text in the segment, then continue
	// processing at the sixth step under Section 3.10.7.4".
	e.textAndFin(c, seg)
}
