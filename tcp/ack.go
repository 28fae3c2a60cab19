package tcp

import (
	"estab/internal/seq"
	"estab/internal/wire"
)

// fifthAck: "Fifth, check the ACK field". It reports whether the segment is to
// be processed further; if not, the connection may be gone.
func (e *Engine) fifthAck(c *conn, seg *Segment) bool {
	if !seg.Flags.Has(wire.ACK) {
		// "if the ACK bit is off, drop the segment and return".
		e.drop(c, seg, wire.DropNoAck)
		return false
	}
	if c.state == StateSynReceived {
		// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and
		// continue processing with the variables below set … If the segment
		// acknowledgment is not acceptable, form a reset segment
		// <SEQ=SEG.ACK><CTL=RST> and send it."
		if seg.Ack.LessEq(c.snd.UNA) || c.snd.NXT.Less(seg.Ack) {
			e.drop(c, seg, wire.DropHalfOpenAck)
			e.reset(seg)
			return false
		}
		c.snd.WND = uint32(seg.Wnd) << c.snd.scale
		c.snd.maxWND = max(c.snd.maxWND, c.snd.WND)
		c.snd.WL1, c.snd.WL2 = seg.Seq, seg.Ack
		if c.retries > 0 {
			e.backOffAfterLostSyn(c, seg, c.sentAt)
		}
		e.established(c, seg)
	}
	// RFC 5961 §5.2: "The ACK value is considered acceptable only if it is in
	// the range of ((SND.UNA - MAX.SND.WND) <= SEG.ACK <= SND.NXT). All
	// incoming segments whose ACK value doesn't satisfy the above condition
	// MUST be discarded and an ACK sent back."
	// Obeys: RFC 9293 MAY-12; RFC 5961 5.2.
	if c.snd.NXT.Less(seg.Ack) {
		e.drop(c, seg, wire.DropAckFuture)
		e.challenge(c, seg)
		return false
	}
	if seg.Ack.Less(c.snd.UNA - Num(c.snd.maxWND)) {
		e.drop(c, seg, wire.DropAckOld)
		e.challenge(c, seg)
		return false
	}
	// Only now, or a segment of somebody who has guessed a sequence number would set
	// TS.Recent, and PAWS lock the peer out.
	e.recordTimestamp(c, seg)
	if seg.Flags.Has(wire.ECE) && c.has(fECN) {
		e.takeECE(c)
	}
	c.heardAt, c.probes = e.now, 0
	c.clear(fMore) // it held back one SEND; what an ACK sets free goes
	e.takeAck(c, seg)
	return e.ackOfFin(c, seg)
}

// takeAck is "If SND.UNA < SEG.ACK =< SND.NXT, then set SND.UNA <- SEG.ACK.
// Any segments on the retransmission queue that are thereby entirely
// acknowledged are removed", with what RFC 5681, 6582 and 6675 make of it.
func (e *Engine) takeAck(c *conn, seg *Segment) {
	inFlight := c.flightSize()
	una := c.snd.UNA
	newSACK := e.takeSACK(c, seg)
	updated := e.updateSendWindow(c, seg)
	switch {
	case una.Less(seg.Ack):
		told := c.sacked // what had been reported as delivered before
		if repeated := e.advanceUNA(c, seg.Ack); repeated >= 0 {
			e.sampleByTimestamp(c, seg, repeated)
		}
		if c.sacked > 0 {
			e.reneged(c)
		}
		e.congestionAck(c, uint32(seg.Ack-una), told-min(told, c.sacked), inFlight)
		if newSACK && (c.ca == caOpen || c.ca == caCWR) {
			c.dupAcks = 1
		}
		e.roomToWrite(c)
	case seg.Ack == una && inFlight > 0 &&
		(newSACK || !updated && !c.has(fSACK) && seg.DataLen() == 0 && !seg.Flags.Any(wire.SYN|wire.FIN)):
		// RFC 5681's duplicate ACK, or RFC 6675's: "even if it carries new data,
		// changes the advertised window, or moves the cumulative acknowledgment
		// point".
		// Obeys: RFC 6675 5a.
		e.counters.DupAcksIn++
		if c.dupAcks < 1<<15 {
			c.dupAcks++
		}
	}
	// Obeys: RFC 9293 MUST-37, SHLD-17.
	if c.snd.WND == 0 || c.retries > 0 && c.rtx.len() > 0 && c.rtx.at(0).len() > c.snd.WND {
		c.retries = 0 // as long as the peer answers, text that its window does not take is no reason to give up
	}
	if inFlight > 0 {
		e.detectLoss(c, newSACK || una.Less(seg.Ack))
	}
	if c.wantsToSend() {
		e.mark(c)
	}
}

// wantsToSend reports whether text or a FIN waits, for the first time or again,
// or recovery may know something to repeat.
func (c *conn) wantsToSend() bool {
	return c.lost > 0 || c.unsent() > 0 || c.ca == caRecovery && c.has(fSACK) || c.has(fCloseCalled) && !c.has(fFinSent)
}

// updateSendWindow: "If SND.UNA =< SEG.ACK =< SND.NXT, the send window should
// be updated. If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =<
// SEG.ACK)), set SND.WND <- SEG.WND, set SND.WL1 <- SEG.SEQ, and set SND.WL2
// <- SEG.ACK." It reports whether the window changed.
//
// Deviation: an ACK of something new is news of the window too, whatever its
// sequence number. Taking SND.UNA from it and not SND.WND would move the right
// edge by what it acknowledges.
// Obeys: RFC 9293 MUST-1, MUST-34; RFC 1122 4.2.2.16; RFC 7323 2.3b.
func (e *Engine) updateSendWindow(c *conn, seg *Segment) bool {
	if seg.Ack.Less(c.snd.UNA) {
		return false
	}
	if !c.snd.UNA.Less(seg.Ack) && !c.snd.WL1.Less(seg.Seq) &&
		!(c.snd.WL1 == seg.Seq && c.snd.WL2.LessEq(seg.Ack)) {
		return false
	}
	c.snd.WL1, c.snd.WL2 = seq.Max(c.snd.WL1, seg.Seq), seg.Ack
	wnd := uint32(seg.Wnd) << c.snd.scale
	if wnd == c.snd.WND {
		return false
	}
	if wnd > 0 {
		c.endPersist()
	}
	c.snd.WND = wnd
	c.snd.maxWND = max(c.snd.maxWND, wnd)
	return true
}

// advanceUNA moves SND.UNA and drops what is acknowledged from both queues. If
// any of it was sent twice it returns when it was last, otherwise -1.
//
// Karn's rule: not if any of it was sent twice. The rest of it then came
// before, and had to wait for what was lost; as had what was SACKed.
// Obeys: RFC 6298 3b, 5.2, 5.3; RFC 2018 8a; RFC 6582 3.2e; RFC 6675 4b; RFC 7323 4.1b.
func (e *Engine) advanceUNA(c *conn, ack Num) (repeated Time) {
	c.snd.UNA = ack
	c.retries, c.stuckFull, c.softErr = 0, 0, 0
	sentAt, repeated := Time(-1), Time(-1)
	for c.rtx.len() > 0 {
		s := c.rtx.at(0)
		if ack.Less(s.end) {
			if s.seq.Less(ack) {
				e.uncount(c, s.marks, uint32(ack-s.seq))
				s.seq = ack
			}
			break
		}
		e.uncount(c, s.marks, s.len())
		// Obeys: RFC 9293 MUST-18; RFC 6298 3a.
		if s.marks&markEver != 0 {
			repeated = s.at
		} else if s.marks&markSacked == 0 {
			sentAt = s.at
		}
		e.rings.pop(&c.rtx)
	}
	c.sendq.ack(&e.pool, ack)
	c.lostHint, c.snd.small = seq.Max(c.lostHint, ack), seq.Max(c.snd.small, ack)
	c.lossSeen, c.highSacked = seq.Max(c.lossSeen, ack), seq.Max(c.highSacked, ack)
	if sentAt >= 0 && repeated < 0 {
		e.sampleRTT(c, e.now.Sub(sentAt))
	}
	if c.snd.UP.Less(ack) {
		c.snd.UP = ack
		c.clear(fUrgent)
	}
	// RFC 6298 5.2, 5.3.
	if c.rtx.len() == 0 {
		c.disarm(TimerRetransmit)
	} else {
		e.arm(c, TimerRetransmit, e.now.Add(c.rto))
	}
	if c.userTimeout > 0 && !c.has(fLinger) && c.state != StateFinWait2 {
		c.disarm(TimerUser)
		if c.rtx.len() > 0 {
			e.arm(c, TimerUser, e.now.Add(c.userLimit()))
		}
	}
	return repeated
}

// uncount takes n bytes with these marks out of the sums.
func (e *Engine) uncount(c *conn, m sentMark, n uint32) {
	if m&markSacked != 0 {
		c.sacked -= n
	}
	if m&markLost != 0 {
		c.lost -= n
	}
	if m&markRetrans != 0 {
		c.retrans -= n
	}
	if m&markTwice != 0 {
		c.twice -= n
	}
}

// ackOfFin makes the transitions of "if our FIN is now acknowledged". It
// reports whether the connection still takes text.
func (e *Engine) ackOfFin(c *conn, seg *Segment) bool {
	if !c.has(fFinSent) || c.has(fFinAcked) || c.snd.UNA != c.snd.NXT {
		// CLOSING: "otherwise, ignore the segment".
		return c.state != StateClosing
	}
	c.set(fFinAcked)
	e.notify(c, Drained)
	switch c.state {
	case StateFinWait1:
		// "In addition to the processing for the ESTABLISHED state, if the FIN
		// segment is now acknowledged, then enter FIN-WAIT-2 and continue
		// processing in that state."
		e.setState(c, StateFinWait2, seg)
		e.armFinWait2(c)
	case StateClosing:
		// "if the ACK acknowledges our FIN, then enter the TIME-WAIT state".
		if seg.Flags.Has(wire.FIN) {
			e.ackReply(c) // the peer's FIN again
		}
		e.enterTimeWait(c, seg)
		return false
	case StateLastAck:
		// "If our FIN is now acknowledged, delete the TCB, enter the CLOSED
		// state, and return."
		e.setState(c, StateClosed, seg)
		e.leaveTable(c)
		e.finished(c)
		return false
	}
	return true
}

// roomToWrite tells a user who found the send buffer full that at least half
// of it is free.
func (e *Engine) roomToWrite(c *conn) {
	e.growSendBuffer(c)
	if c.has(fWriteWait) && 2*uint32(c.sendq.n) <= c.sndBuf {
		c.clear(fWriteWait)
		e.notify(c, Writable)
	}
}
