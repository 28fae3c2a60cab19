package tcp

import (
	"estab/internal/wire"
)

// arrivesListen is §3.10.7.2.
func (e *Engine) arrivesListen(l *listener, seg *Segment) {
	e.unverifiedIn(seg, StateListen)
	switch {
	case seg.Flags.Has(wire.RST):
		// "First, check for a RST: An incoming RST segment could not be valid
		// since it could not have been sent in response to anything sent by
		// this incarnation of the connection."
		e.drop(nil, seg, wire.DropListenReset)
	case seg.Flags.Has(wire.ACK):
		// "Second, check for an ACK: Any acknowledgment is bad if it arrives on
		// a connection still in the LISTEN state. An acceptable reset segment
		// should be formed for any arriving ACK-bearing segment." Unless it
		// brings back a cookie.
		if e.cookieAck(l, seg) {
			return
		}
		e.drop(nil, seg, wire.DropListenAck)
		e.reset(seg)
	case seg.Flags.Has(wire.SYN) && !seg.Flags.Has(wire.FIN):
		e.arrivesListenSyn(l, seg, 0, 0)
	default:
		// "Fourth, other data or control: This should not be reached. Drop the
		// segment and return." A SYN that is also a FIN is nobody's honest SYN.
		e.drop(nil, seg, wire.DropListenFlags)
	}
}

// arrivesListenSyn is the third check: the SYN makes a half-open record and is
// answered. wait, if not 0, is a TIME-WAIT record (index+1) that it reopens,
// and oldNXT that connection's SND.NXT.
//
// Deviation: text on the SYN is not queued, as §3.10.7.2 would have it, but
// left for the peer to send again: the record has no place for it.
func (e *Engine) arrivesListenSyn(l *listener, seg *Segment, wait uint32, oldNXT Num) {
	switch v, why := e.judgeSyn(l, seg, wait != 0); v {
	case synDrop:
		e.drop(nil, seg, why)
		return
	case synCookie:
		e.sendCookie(l, seg)
		return
	}
	mss, opts := e.synOptions(seg)
	if e.cfg.ECN >= 0 && offersECN(seg.Flags) {
		opts |= halfECN
	}
	h := halfOpen{
		deadline: e.now.Add(e.synAckRTO(0)), irs: seg.Seq, listener: uint16(l.slot), wait: wait,
		local: seg.LocalPort, remote: seg.RemotePort, zone: uint16(seg.Zone),
		wnd: seg.Wnd, mss: max(mss, minMSS), iss: e.iss(&seg.Tuple), opts: opts, tsRecent: seg.Options.TSVal,
	}
	if wait != 0 {
		h.iss = e.issAfter(&seg.Tuple, oldNXT)
		e.wait.record(waitKind(&seg.Tuple), wait-1).opts |= waitHeld
	}
	e.counters.PassiveOpens++
	k, i := e.addHalfOpen(&seg.Tuple, seg.Hash, h)
	from := StateListen
	if wait != 0 {
		from = StateTimeWait
	}
	e.stateEvent(&seg.Tuple, from, StateSynReceived, true, seg)
	e.sendSynAck(&seg.Tuple, e.half.record(k, i))
}

// sendSynAck sends <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>.
// Obeys: RFC 9293 MUST-14, MAY-3; RFC 7323 2.3a, 3.2c.
func (e *Engine) sendSynAck(t *Tuple, h *halfOpen) {
	path, err := e.path(t)
	if err != 0 {
		e.counters.Drops[wire.DropNoRoute]++
		return
	}
	l := &e.listeners[h.listener]
	h.sent()
	seg := Segment{Tuple: *t, Egress: path.Egress, Seq: h.iss, Ack: h.irs + 1, Flags: wire.SYN | wire.ACK,
		Wnd: synWindow(e.receiveBufferOf(&l.opts.Conn)), TOS: l.opts.Conn.TOS &^ 3}
	o := &seg.Options
	o.Set = wire.OptMSS
	o.MSS = uint16(capMSS(&l.opts.Conn, mssOf(t, path.MTU)))
	if h.opts&halfTimestamps != 0 {
		o.Set |= wire.OptTimestamps
		o.TSVal = e.tsClock() + e.timestampOffset(t)
		o.TSEcr = h.tsRecent
	}
	if _, ok := h.opts.scale(); ok {
		o.Set |= wire.OptWindowScale
		o.WindowScale = e.scaleFor(&l.opts.Conn)
	}
	if h.opts&halfSACK != 0 {
		o.Set |= wire.OptSACKPermitted
	}
	if h.opts&halfECN != 0 {
		seg.Flags |= wire.ECE
	}
	e.reply(&seg)
}

// arrivesHalfOpen is §3.10.7.4 for SYN-RECEIVED after a passive OPEN.
func (e *Engine) arrivesHalfOpen(k kind, i uint32, seg *Segment) {
	e.unverifiedIn(seg, StateSynReceived)
	h := e.half.record(k, i)
	l := &e.listeners[h.listener]
	wnd := uint32(e.receiveBufferOf(&l.opts.Conn))
	nxt := h.irs + 1
	switch {
	case seg.Flags.Has(wire.SYN) && !seg.Flags.Any(wire.ACK|wire.FIN|wire.RST) && seg.Seq == h.irs:
		// The SYN again: our SYN-ACK may be lost. (The text would have an ACK
		// sent, as for any segment outside the window; its sender, in SYN-SENT,
		// could make nothing of that.)
		e.drop(nil, seg, wire.DropDuplicate)
		if !offersECN(seg.Flags) { // RFC 3168 §6.1.1.1: it was tried without, and so it stays
			h.opts &^= halfECN
		}
		if e.cfg.Defence.NoSources || e.sources.allow(e, seg) {
			e.repeatSynAck(&seg.Tuple, h)
		}
	case seg.Flags.Has(wire.RST) && !seg.Seq.In(nxt, wnd):
		e.drop(nil, seg, wire.DropSequence)
	case !acceptable(seg.Seq, seg.Len(), nxt, wnd) || h.paws(seg):
		e.drop(nil, seg, wire.DropSequence)
		if (seg.DataLen() > 0 || e.spacedHalfOpen(&h.ackAt)) && e.chal.take(e) {
			e.ackHalfOpen(&seg.Tuple, h, wnd)
		}
	case seg.Flags.Has(wire.RST):
		if seg.Seq == nxt { // RFC 5961 §3
			e.dropHalfOpen(k, i, seg)
			return
		}
		e.drop(nil, seg, wire.DropResetWindow)
		if e.chal.take(e) {
			e.ackHalfOpen(&seg.Tuple, h, wnd)
		}
	case seg.Flags.Has(wire.SYN) && seg.Seq != h.irs:
		// Fourth: "If the connection was initiated with a passive OPEN, then
		// return this connection to the LISTEN state and return."
		e.drop(nil, seg, wire.DropListenFlags)
		e.dropHalfOpen(k, i, seg)
	case !seg.Flags.Has(wire.ACK):
		e.drop(nil, seg, wire.DropNoAck)
	case seg.Ack != h.iss+1:
		// Fifth: "If the segment acknowledgment is not acceptable, form a reset
		// segment <SEQ=SEG.ACK><CTL=RST> and send it."
		e.drop(nil, seg, wire.DropHalfOpenAck)
		e.reset(seg)
	default:
		e.completeHandshake(k, i, l, seg)
	}
}

func (h *halfOpen) paws(seg *Segment) bool {
	return h.opts&halfTimestamps != 0 && seg.Options.Has(wire.OptTimestamps) &&
		!seg.Flags.Has(wire.RST) && int32(seg.Options.TSVal-h.tsRecent) < 0
}

// ackHalfOpen sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
func (e *Engine) ackHalfOpen(t *Tuple, h *halfOpen, wnd uint32) {
	scale := uint8(0)
	l := &e.listeners[h.listener]
	if _, ok := h.opts.scale(); ok {
		scale = e.scaleFor(&l.opts.Conn)
	}
	seg := Segment{Tuple: *t, Seq: h.iss + 1, Ack: h.irs + 1, Flags: wire.ACK,
		Wnd: uint16(min(wnd>>scale, 65535)), TOS: l.opts.Conn.TOS &^ 3}
	if h.opts&halfTimestamps != 0 {
		seg.Options.Set = wire.OptTimestamps
		seg.Options.TSVal = e.tsClock() + e.timestampOffset(t)
		seg.Options.TSEcr = h.tsRecent
	}
	e.reply(&seg)
}

// completeHandshake turns the record into a connection and lets it have the
// rest of the segment, which may carry text and a FIN.
func (e *Engine) completeHandshake(k kind, i uint32, l *listener, seg *Segment) {
	h := e.half.record(k, i)
	bare := seg.DataLen() == 0 && !seg.Flags.Has(wire.FIN)
	if bare && l.opts.DeferAccept > 0 && e.halfOpenAge(h) < l.opts.DeferAccept {
		h.opts |= halfDeferred
		e.drop(nil, seg, wire.DropDeferred)
		return
	}
	if e.nConns >= e.cfg.MaxConns {
		e.drop(nil, seg, wire.DropMemory)
		return
	}
	if !l.acquire() {
		// The record stays: the SYN-ACK will be repeated, and the peer's answer
		// to that, or its text, tries again.
		e.drop(nil, seg, wire.DropAcceptQueue)
		return
	}
	rec := *h
	c := e.passiveConn(l, seg, &rec)
	e.table.replace(seg.Hash, k, i, kindConn, c.slot)
	c.tw = rec.wait
	if rec.sends() == 1 {
		e.sampleRTT(c, e.halfOpenAge(&rec))
	} else {
		e.backOffAfterLostSyn(c, seg, 0)
	}
	e.freeHalfOpen(k, i)
	e.enqueue(l, c)
	e.arrivesSync(c, seg)
}

// passiveConn makes the TCB of a handshake that the segment completes, still
// in SYN-RECEIVED.
func (e *Engine) passiveConn(l *listener, seg *Segment, rec *halfOpen) *conn {
	e.sources.verify(e, &seg.Tuple)
	c := e.newConn(&seg.Tuple)
	c.state = StateSynReceived
	// Obeys: RFC 9293 MUST-11.
	c.set(fPassive | fInTable)
	c.setISS(rec.iss)
	c.rcv.IRS, c.rcv.NXT, c.rcv.UP = rec.irs, rec.irs+1, rec.irs+1
	e.configure(c, &l.opts.Conn)
	c.rcv.WND = c.rcvBuf
	c.rcv.lastAck = c.rcv.NXT
	e.negotiate(c, rec.mss, rec.opts, rec.tsRecent)
	c.put(fECN, rec.opts&halfECN != 0)
	c.snd.WND, c.snd.maxWND = uint32(rec.wnd), uint32(rec.wnd)
	return c
}
