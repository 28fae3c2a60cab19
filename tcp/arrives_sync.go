package tcp

import (
	"estab/internal/wire"
)

// arrivesSync is §3.10.7.4, "Otherwise": every state from SYN-RECEIVED on,
// but for those that records hold.
func (e *Engine) arrivesSync(c *conn, seg *Segment) {
	if !e.firstSequence(c, seg) || !e.secondReset(c, seg) || !e.fourthSyn(c, seg) || !e.fifthAck(c, seg) {
		return
	}
	e.textAndFin(c, seg)
}

// textAndFin are the sixth to the eighth step.
func (e *Engine) textAndFin(c *conn, seg *Segment) {
	e.sixthUrgent(c, seg)
	e.seventhText(c, seg)
	if seg.Flags.Has(wire.FIN) {
		e.eighthFin(c, seg)
	}
}

// firstSequence: "First, check sequence number". It reports whether to go on.
func (e *Engine) firstSequence(c *conn, seg *Segment) bool {
	// Obeys: RFC 7323 5.3a.
	if e.paws(c, seg) {
		// RFC 7323 §5.3 R1: "… the segment is treated as not acceptable".
		e.drop(c, seg, wire.DropPAWS)
		e.noteDuplicate(c, seg) // RFC 2883 §4.3
		e.ackOutOfWindow(c, seg)
		return false
	}
	// Figure 7, line 6: the SYN,ACK of a simultaneous open is what the other
	// end sends once it has our SYN; its SYN was counted when it came alone.
	if c.state == StateSynReceived && seg.Flags.Has(wire.SYN|wire.ACK) && !seg.Flags.Any(wire.RST|wire.FIN) &&
		seg.Seq == c.rcv.IRS && seg.Ack == c.snd.NXT {
		seg.Seq++
		seg.Flags &^= wire.SYN
		c.set(fAckNow)
		scale := c.snd.scale
		c.snd.scale = 0 // "The window field in a segment where the SYN bit is set … MUST NOT be scaled" (RFC 7323 §2.2)
		ok := e.fifthAck(c, seg)
		c.snd.scale = scale
		if ok {
			e.textAndFin(c, seg)
		}
		return false
	}
	// Obeys: RFC 7323 5.3a.
	if acceptable(seg.Seq, seg.Len(), c.rcv.NXT, c.rcv.WND) {
		return true
	}
	// "If the RCV.WND is zero, no segments will be acceptable, but special
	// allowance should be made to accept valid ACKs, URGs, and RSTs."
	if c.rcv.WND == 0 && seg.Seq == c.rcv.NXT {
		// Obeys: RFC 9293 MUST-66.
		if seg.Flags.Has(wire.RST) || seg.Flags.Has(wire.SYN) {
			return true
		}
		if seg.Flags.Has(wire.ACK) {
			if !e.fifthAck(c, seg) {
				return false // answered, or the connection is gone
			}
			e.sixthUrgent(c, seg)
		}
	}
	e.drop(c, seg, wire.DropSequence)
	e.noteDuplicate(c, seg)
	// "If an incoming segment is not acceptable, an acknowledgment should be
	// sent in reply (unless the RST bit is set, if so drop the segment and
	// return)".
	switch {
	case seg.Flags.Has(wire.RST):
	case seg.Flags.Has(wire.SYN): // RFC 5961 §4: "irrespective of the sequence number"
		e.challenge(c, seg)
	default:
		e.ackOutOfWindow(c, seg)
	}
	return false
}

// secondReset: "Second, check the RST bit" as RFC 5961 §3 has it.
// Obeys: RFC 9293 SHLD-2; RFC 5961 3.2a, 3.2b, 3.2c, 4.2b.
func (e *Engine) secondReset(c *conn, seg *Segment) bool {
	if !seg.Flags.Has(wire.RST) {
		return true
	}
	switch {
	case seg.Seq == c.rcv.NXT:
		// "2) If the RST bit is set and the sequence number exactly matches the
		// next expected sequence number (RCV.NXT), then TCP endpoints MUST
		// reset the connection".
		e.counters.Resets++
		e.fail(c, c.resetError(), seg)
	case seg.Seq.In(c.rcv.NXT, c.rcv.WND):
		// "3) If the RST bit is set and the sequence number does not exactly
		// match the next expected sequence value, yet is within the current
		// receive window, TCP endpoints MUST send an acknowledgment".
		e.drop(c, seg, wire.DropResetWindow)
		e.challenge(c, seg)
	default: // only its text reaches into the window
		e.drop(c, seg, wire.DropSequence)
	}
	return false
}

// resetError is what a RST means to the user in each state.
// Obeys: RFC 9293 MUST-11, MUST-12.
func (c *conn) resetError() Error {
	if c.state == StateSynReceived && !c.has(fPassive) {
		return ErrRefused
	}
	return ErrReset
}

// fourthSyn: "Fourth, check the SYN bit". RFC 5961 §4: "If the SYN bit is set,
// irrespective of the sequence number, TCP endpoints MUST send an ACK (also
// referred to as challenge ACK) to the remote peer".
// Obeys: RFC 5961 4.2a.
func (e *Engine) fourthSyn(c *conn, seg *Segment) bool {
	if !seg.Flags.Has(wire.SYN) {
		return true
	}
	e.drop(c, seg, wire.DropSynChallenge)
	e.challenge(c, seg)
	return false
}

// sixthUrgent: "Sixth, check the URG bit: … RCV.UP <- max(RCV.UP,SEG.UP), and
// signal the user that the remote side has urgent data if the urgent pointer
// (RCV.UP) is in advance of the data consumed." The signal is Urgent; the text
// itself comes in line and nothing else depends on the pointer (RFC 6093).
//
// The pointer may lie beyond the window. What lies behind what the user has read
// already says nothing.
// Obeys: RFC 9293 MUST-30, MUST-32, MUST-66.
func (e *Engine) sixthUrgent(c *conn, seg *Segment) {
	if !seg.Flags.Has(wire.URG) || c.has(fFinReceived) {
		return
	}
	up := seg.Seq + Num(seg.Up)
	if !c.unread().Less(up) || c.has(fUrgentMode) && !c.rcv.UP.Less(up) {
		return
	}
	c.rcv.UP = up
	c.set(fUrgentMode)
	e.notify(c, Urgent)
}

// leaveUrgentMode is for when "the receive sequence number catches up to the
// urgent pointer" (§3.8.5); without a user who reads, what arrives is consumed.
func (c *conn) leaveUrgentMode() {
	if c.has(fUrgentMode) && c.rcv.UP.LessEq(c.unread()) {
		c.clear(fUrgentMode)
	}
}

// seventhText: "Seventh, process the segment text".
func (e *Engine) seventhText(c *conn, seg *Segment) {
	n := len(seg.Payload)
	if n == 0 {
		return
	}
	switch c.state {
	case StateEstablished, StateFinWait1, StateFinWait2:
		c.noteMark(seg)
		e.receiveText(c, seg)
	case StateCloseWait, StateClosing, StateLastAck, StateTimeWait:
		// "This should not occur since a FIN has been received from the remote
		// side. Ignore the segment text."
		e.drop(c, seg, wire.DropAfterFin)
	}
}

// eighthFin: "Eighth, check the FIN bit". The FIN counts once everything
// before it has arrived; until then its place is remembered.
func (e *Engine) eighthFin(c *conn, seg *Segment) {
	switch c.state {
	case StateClosed, StateListen, StateSynSent:
		return
	}
	end := seg.Seq + Num(len(seg.Payload))
	if seg.Flags.Has(wire.SYN) {
		end++
	}
	if c.has(fFinReceived) {
		// The FIN again: its ACK was lost.
		c.set(fAckNow)
		e.mark(c)
		return
	}
	if !c.has(fFinKnown) && !c.rcvEdge().Less(end) {
		c.set(fFinKnown)
		c.rcv.fin = end
	}
	if c.has(fFinKnown) && c.rcv.NXT != c.rcv.fin {
		c.set(fAckNow) // out of order: say what is missing
		e.mark(c)
		return
	}
	e.takeFin(c, seg)
}

// takeFin is the FIN in order: "signal the user 'connection closing' and
// return any pending RECEIVEs with same message, advance RCV.NXT over the FIN,
// and send an acknowledgment for the FIN."
func (e *Engine) takeFin(c *conn, seg *Segment) {
	if c.has(fFinReceived) || !c.has(fFinKnown) || c.rcv.NXT != c.rcv.fin {
		return
	}
	c.set(fFinReceived)
	c.rcv.NXT++
	if c.rcv.WND > 0 {
		c.rcv.WND--
	}
	e.dropReassembly(c)
	e.notify(c, Readable)
	if c.has(fDelayFinAck) && !c.has(fAckNow) && c.state == StateEstablished && e.cfg.DelayedAck > 0 {
		e.arm(c, TimerDelayedAck, e.now.Add(e.cfg.DelayedAck))
	} else {
		c.set(fAckNow)
	}
	switch c.state {
	case StateSynReceived, StateEstablished:
		e.setState(c, StateCloseWait, seg)
	case StateFinWait1:
		// "If our FIN has been ACKed (perhaps in this segment), then enter
		// TIME-WAIT …; otherwise, enter the CLOSING state." The fifth step
		// would have moved on to FIN-WAIT-2 in the first case.
		e.setState(c, StateClosing, seg)
	case StateFinWait2:
		e.ackReply(c)
		e.acked(c)
		e.enterTimeWait(c, seg)
		return
	}
	e.mark(c)
}
