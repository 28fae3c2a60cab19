package tcp

import "estab/internal/wire"

// Sink takes what an engine sends.
type Sink interface {
	// Emit sends a segment, headers, options and text as they stand; ports,
	// addresses and the payload are valid only until it returns, the payload longer
	// if Emit borrows seg.Slab with Pool.Lend. False means that its link has no
	// room: text and ACKs wait until Writable is called, replies are dropped.
	Emit(seg *Segment) bool
}

// Output emits everything that may be sent now. Nothing else in the engine
// sends.
// Obeys: RFC 9293 MUST-58, MUST-59; RFC 1122 4.2.2.20; RFC 5681 4.2d.
func (e *Engine) Output(now Time, out Sink) {
	e.clock(now)
	if e.replies.n > 0 {
		e.sendReplies(out)
	}
	for i := 0; i < len(e.dirty); i++ {
		c := e.conns[e.dirty[i]]
		if c == nil || !c.has(fDirty) {
			continue
		}
		c.clear(fDirty)
		if !e.outputConn(c, out) {
			c.set(fBlocked)
			e.blocked = append(e.blocked, c.slot)
			e.blockedEvent(c, WhyLink)
		}
	}
	e.dirty = e.dirty[:0]
	if e.replies.n > 0 {
		e.sendReplies(out)
	}
}

// outputConn emits what one connection may send: what was lost, then new
// text and our FIN, then a probe, then the ACKs that nothing carried. It
// reports whether the link took everything.
func (e *Engine) outputConn(c *conn, out Sink) bool {
	switch c.state {
	case StateClosed, StateListen, StateTimeWait:
		return true
	}
	if c.snd.UNA != c.snd.ISS { // acknowledged before the link had room for it
		c.clear(fSynDue)
	}
	if c.has(fSynDue) && !e.emitSyn(c, out) {
		return false
	}
	if c.state == StateSynSent || c.state == StateSynReceived {
		return true
	}
	if c.lost > 0 && !e.retransmitLost(c, out) {
		return false
	}
	if !e.sendNew(c, out) {
		return false
	}
	if c.ca == caRecovery {
		if e.markNextHole(c) && !e.retransmitLost(c, out) || !e.sendRescue(c, out) {
			return false
		}
	}
	if c.has(fProbeDue) && !e.emitProbe(c, out) {
		return false
	}
	for c.dupAcksDue > 0 {
		if !e.emitAck(c, out) {
			return false
		}
		c.dupAcksDue--
	}
	if c.has(fAckNow) {
		return e.emitAck(c, out)
	}
	return true
}

// sendNew sends text that was never sent, and the FIN behind it.
func (e *Engine) sendNew(c *conn, out Sink) bool {
	for some := false; ; some = true {
		n, fin, why := e.nextNew(c)
		if n == 0 && !fin {
			if some || why == WhyCwnd {
				c.validateCwnd(why == WhyCwnd)
			}
			c.clear(fForcePush)
			if why != WhyNoData {
				e.armPersist(c, why)
				e.blockedEvent(c, why)
			}
			return true
		}
		if !e.emitText(c, out, c.snd.NXT, n, fin, false) {
			return false
		}
		c.snd.NXT += Num(n)
		if fin {
			c.snd.NXT++
			e.finSent(c)
		}
	}
}

// nextNew decides how much new text the next segment takes, and whether the
// FIN goes with it (§3.8.6.2.1, the sender's silly window avoidance).
// Obeys: RFC 9293 MUST-34, MUST-38, SHLD-7, SHLD-15, SHLD-28; RFC 7323 2.4c.
func (e *Engine) nextNew(c *conn) (n uint32, fin bool, why Why) {
	if c.has(fFinSent) {
		return 0, false, WhyNoData
	}
	avail := c.unsent()
	fin = c.has(fCloseCalled)
	if avail == 0 && !fin {
		return 0, false, WhyNoData
	}
	usable := (c.snd.UNA + Num(c.snd.WND)).Diff(c.snd.NXT)
	if usable <= 0 {
		if c.snd.WND == 0 {
			return 0, false, WhyZeroWindow
		}
		return 0, false, WhyPeerWindow
	}
	mss := c.effectiveMSS()
	n = min(avail, mss, uint32(usable))
	fin = fin && n == avail && (n < uint32(usable))
	// Obeys: RFC 5681 3, 3.1a; RFC 6675 4f, 5c, 5f.
	if pipe := c.pipe(); pipe > 0 && pipe+n > c.cong.Cwnd {
		return 0, false, WhyCwnd
	}
	if n == mss || fin || c.has(fForcePush) {
		return n, fin, WhyNone
	}
	if n == avail && !c.has(fCork|fMore) {
		// "[SND.NXT = SND.UNA and] PUSHed and D <= U: send". Nagle's condition
		// in brackets is Minshall's here: it holds back only behind another
		// small segment in flight, so that the tail of a large write need not
		// wait for an ACK (SHLD-7 as Linux and BSD read it).
		// Obeys: RFC 9293 MUST-17.
		if c.has(fNoDelay) || c.snd.small.LessEq(c.snd.UNA) {
			return n, fin, WhyNone
		}
		return 0, false, WhyNagle
	}
	if n == avail {
		return 0, false, WhyCork
	}
	// Fs of MUST-38's algorithm is 1/2.
	if n >= c.snd.maxWND/2 {
		return n, fin, WhyNone
	}
	return 0, false, WhySillyWindow
}

// validateCwnd notes whether the congestion window is what limits us: only
// then may it grow (RFC 9438 §5.8, RFC 7661). In slow start it may as long as
// at least half of it was used in the last window.
func (c *conn) validateCwnd(full bool) {
	flight := c.flightSize()
	full = full || c.pipe()+uint32(c.smss) > c.cong.Cwnd
	if c.usageSeq.LessEq(c.snd.UNA) || full || !c.has(fCwndLimited) && flight > c.maxFlight {
		c.maxFlight, c.usageSeq = flight, c.snd.NXT
		c.put(fCwndLimited, full)
	}
}

// cwndLimited is the answer, for congestion control.
// Obeys: RFC 9438 5.8.
func (c *conn) cwndLimited() bool {
	return c.has(fCwndLimited) || c.cong.Cwnd < c.cong.Ssthresh && c.cong.Cwnd < 2*c.maxFlight
}

// effectiveMSS is Eff.snd.MSS: SACK blocks take room from the text.
// Obeys: RFC 9293 MUST-16.
func (c *conn) effectiveMSS() uint32 {
	mss := uint32(c.smss)
	if c.ooo != nil && c.has(fSACK) {
		n := min(c.ooo.nRecent, wire.MaxSACKBlocks)
		if c.has(fTimestamps) {
			n = min(n, wire.MaxSACKBlocks-1)
		}
		if n > 0 {
			mss -= min(uint32(4+8*n), mss/2)
		}
	}
	return mss
}

// fitSACK leaves out the SACK blocks that would make a segment with n bytes of
// text larger than the path takes: text that is sent again was cut when there
// were fewer blocks, or none.
func (c *conn) fitSACK(seg *Segment, n uint32) {
	o := &seg.Options
	fits := (int(c.smss) - int(n) - 4) / 8
	if fits >= int(o.NSACK) {
		return
	}
	if fits == 1 && seg.Ack.Less(o.SACK[0].Left) && within(o.SACK[0], o.SACK[1]) {
		// RFC 2883 §4 (4): a DSACK above the ACK is known by the block around it.
		// Alone it would say that only the duplicate has arrived.
		o.SACK[0] = o.SACK[1]
	}
	o.NSACK = uint8(max(fits, 0))
	if fits <= 0 {
		o.Set &^= wire.OptSACK
	}
}

// emitText sends n bytes from seq on, and the FIN if it is due there.
func (e *Engine) emitText(c *conn, out Sink, from Num, n uint32, fin, again bool) bool {
	seg := &e.out
	e.fillAck(c, seg)
	seg.Seq = from
	end := from + Num(n)
	if fin {
		seg.Flags |= wire.FIN
	}
	if n > 0 {
		if seg.Options.NSACK > 0 {
			c.fitSACK(seg, n)
		}
		seg.Payload = c.sendq.piece(from, int(n))
		if k := uint32(len(seg.Payload)); k < n {
			e.scratch = c.sendq.gather(e.scratch[:0], from+Num(k), int(n-k))
			seg.Rest = e.scratch
		}
		if n >= minLent {
			seg.Slab = c.sendq.whole(seg)
		}
		if from.Less(c.snd.push) && c.snd.push.LessEq(end) {
			// Obeys: RFC 9293 MUST-61, SHLD-27.
			seg.Flags |= wire.PSH // MUST-61: the last text of a SEND is pushed
		}
		c.pointUrgent(seg)
		if !again {
			c.markECN(seg)
		}
	}
	if !again && e.now.Sub(c.sentAt) > c.rto {
		e.restartAfterIdle(c)
	}
	ok := out.Emit(seg)
	if ok {
		e.sentText(c, seg, end, fin, again)
	}
	seg.Payload, seg.Rest, seg.Slab, seg.Up = nil, nil, nil, 0
	return ok
}

// pointUrgent sets the urgent pointer if it lies ahead of the segment (§3.8.5: "The
// absence of this flag indicates that there is no urgent data outstanding").
// Obeys: RFC 9293 MUST-31, MUST-62.
func (c *conn) pointUrgent(seg *Segment) {
	seg.Up = 0
	if c.has(fUrgent) && seg.Seq.Less(c.snd.UP) {
		seg.Flags |= wire.URG
		seg.Up = uint16(min(uint32(c.snd.UP-seg.Seq), 65535))
	}
}

// sentText does the books for a segment that left.
func (e *Engine) sentText(c *conn, seg *Segment, end Num, fin, again bool) {
	e.counters.SegsOut++
	n := uint32(end - seg.Seq)
	e.counters.BytesOut += uint64(n)
	e.outEvent(c, seg, again)
	e.acked(c)
	c.sentAt = e.now
	if n > 0 {
		c.quickAcks = min(c.quickAcks, 1) // a conversation: our text carries ACKs
	}
	if again {
		return
	}
	if seg.Flags.Has(wire.CWR) {
		c.clear(fSendCWR)
	}
	s := sent{seq: seg.Seq, end: end, at: e.now}
	if fin {
		s.end++
		s.marks = markFin
	}
	if n < uint32(c.smss) && n > 0 {
		c.snd.small = end
	}
	e.pushSent(c, s)
	if !c.armed(TimerRetransmit) {
		// Obeys: RFC 6298 5.1.
		// RFC 6298 5.1.
		e.arm(c, TimerRetransmit, e.now.Add(c.rto))
	}
	c.endPersist()
	if c.userTimeout > 0 && !c.armed(TimerUser) {
		e.arm(c, TimerUser, e.now.Add(c.userLimit()))
	}
}

// pushSent adds an entry to the retransmission queue. Where very many small
// segments are in flight they share entries, up to a full segment each.
func (e *Engine) pushSent(c *conn, s sent) {
	if k := c.rtx.len(); k > maxMerged {
		last := c.rtx.at(k - 1)
		if last.marks == 0 && s.marks == 0 && uint32(s.end-last.seq) <= uint32(c.smss) {
			last.end, last.at = s.end, s.at
			return
		}
	}
	e.rings.push(&c.rtx, s)
}

// finSent: our FIN has left. §3.10.4: in CLOSE-WAIT, "send a FIN segment,
// enter LAST-ACK state". (From ESTABLISHED, CLOSE itself enters FIN-WAIT-1.)
func (e *Engine) finSent(c *conn) {
	c.set(fFinSent)
	if c.state == StateCloseWait {
		e.setState(c, StateLastAck, nil)
	}
}

// emitSyn sends our SYN, or SYN,ACK after a simultaneous open.
// Obeys: RFC 9293 MUST-14, SHLD-5, MAY-3; RFC 2018 2; RFC 7323 2.2a, 3.2a.
func (e *Engine) emitSyn(c *conn, out Sink) bool {
	seg := Segment{Tuple: c.tuple, Egress: c.egress, Seq: c.snd.ISS, Flags: wire.SYN, Wnd: synWindow(int(c.rcvBuf)), TOS: c.tos}
	o := &seg.Options
	o.Set, o.MSS = wire.OptMSS, c.pathMSS
	answer := c.state != StateSynSent
	if answer {
		seg.Flags |= wire.ACK
		seg.Ack = c.rcv.NXT
		path, _ := e.path(&c.tuple)
		o.MSS = uint16(mssOf(&c.tuple, path.MTU))
	}
	if answer && c.has(fTimestamps) || !answer && !e.cfg.NoTimestamps {
		o.Set |= wire.OptTimestamps
		o.TSVal, o.TSEcr = e.tsClock()+c.tsOffset, c.tsRecent
	}
	if answer && c.has(fScale) || !answer && !e.cfg.NoWindowScaling {
		o.Set |= wire.OptWindowScale
		o.WindowScale = c.rcv.scale
	}
	if answer && c.has(fSACK) || !answer && !e.cfg.NoSACK {
		o.Set |= wire.OptSACKPermitted
	}
	e.offerECN(c, &seg)
	if !out.Emit(&seg) {
		return false
	}
	again := c.rtx.len() > 0
	e.counters.SegsOut++
	e.outEvent(c, &seg, again)
	c.clear(fSynDue)
	c.sentAt = e.now
	if again {
		c.rtx.at(0).marks |= markEver
		return true
	}
	e.rings.push(&c.rtx, sent{seq: c.snd.ISS, end: c.snd.ISS + 1, at: e.now, marks: markSyn})
	if !c.armed(TimerRetransmit) {
		e.arm(c, TimerRetransmit, e.now.Add(c.rto))
	}
	if c.userTimeout > 0 {
		e.arm(c, TimerUser, e.now.Add(c.userLimit()))
	}
	return true
}

// emitAck sends a bare ACK.
func (e *Engine) emitAck(c *conn, out Sink) bool {
	seg := &e.out
	e.fillAck(c, seg)
	c.pointUrgent(seg)
	ok := out.Emit(seg)
	seg.Up = 0
	if !ok {
		return false
	}
	e.counters.SegsOut++
	e.outEvent(c, seg, false)
	e.acked(c)
	return true
}

// emitProbe sends a segment that the peer must answer: an ACK with an old
// sequence number and no text (§3.8.4: "SEG.SEQ = SND.NXT-1 and may or may not
// contain one garbage octet of data").
// Obeys: RFC 9293 SHLD-12.
func (e *Engine) emitProbe(c *conn, out Sink) bool {
	seg := &e.out
	e.fillAck(c, seg)
	seg.Seq = c.snd.UNA - 1
	if !out.Emit(seg) {
		return false
	}
	c.clear(fProbeDue)
	e.counters.SegsOut++
	e.outEvent(c, seg, false)
	return true
}

func (e *Engine) outEvent(c *conn, seg *Segment, again bool) {
	if again {
		e.counters.Retransmits++
		e.counters.RetransmitBytes += uint64(seg.DataLen())
	}
	if e.cfg.Events.Wants(EventOut) {
		e.segmentEvent(EventOut, c, seg, again)
	}
}

func (e *Engine) blockedEvent(c *conn, why Why) {
	if e.cfg.Events.Wants(EventBlocked) {
		ev := e.event(EventBlocked, c)
		ev.Why = why
		e.cfg.Events.Put(ev)
	}
}
