package tcp

// retransmitLost sends again what is marked lost, oldest first, as far as the
// congestion window allows (RFC 6675 §5 (C), NextSeg rule 1).
// Obeys: RFC 9293 SHLD-16, MAY-7; RFC 6675 4e; RFC 7323 2.4d.
func (e *Engine) retransmitLost(c *conn, out Sink) bool {
	for c.lost > 0 {
		i := c.rtx.search(c.lostHint)
		for i < c.rtx.len() && c.rtx.at(i).marks&markLost == 0 {
			i++
		}
		if i == c.rtx.len() {
			return true
		}
		s := c.rtx.at(i)
		c.lostHint = s.seq
		if p := c.pipe(); p > 0 && p+min(s.len(), uint32(c.smss)) > c.cong.Cwnd && !c.has(fForceRetransmit) {
			return true
		}
		if !e.retransmit(c, out, i) {
			return false
		}
	}
	return true
}

// retransmit sends entry i of the retransmission queue again, the FIN
// included.
func (e *Engine) retransmit(c *conn, out Sink, i int) bool {
	if s := c.rtx.at(i); s.textLen() > uint32(c.smss) {
		e.splitSent(c, i)
	}
	s := c.rtx.at(i)
	if s.marks&markSyn != 0 { // only after CLOSE in SYN-RECEIVED
		e.markHeadSynAgain(c, s)
		return e.emitSyn(c, out)
	}
	if !e.emitText(c, out, s.seq, s.textLen(), s.marks&markFin != 0, true) {
		return false
	}
	s = c.rtx.at(i)
	c.clear(fForceRetransmit)
	if s.marks&markLost != 0 {
		c.lost -= s.len()
	}
	if s.marks&markRetrans == 0 {
		c.retrans += s.len()
	}
	s.marks = s.marks&^markLost | markRetrans | markEver
	s.at = e.now
	if i == 0 || !c.armed(TimerRetransmit) {
		// RFC 6298 5: no segment is sent again less than an RTO after it was
		// last sent.
		// Obeys: RFC 6298 5.
		e.arm(c, TimerRetransmit, e.now.Add(c.rto))
	}
	return true
}

func (e *Engine) markHeadSynAgain(c *conn, s *sent) {
	e.uncount(c, s.marks&markLost, s.len())
	if s.marks&markRetrans == 0 {
		c.retrans += s.len()
	}
	s.marks = s.marks&^markLost | markRetrans | markEver
	c.clear(fForceRetransmit)
}

// textLen is the entry's text, without SYN and FIN.
func (s *sent) textLen() uint32 {
	n := s.len()
	if s.marks&(markFin|markSyn) != 0 {
		n--
	}
	return n
}

// splitSent cuts an entry that has become longer than a segment may be (the
// path's MTU shrank) after SMSS bytes.
func (e *Engine) splitSent(c *conn, i int) {
	e.rings.push(&c.rtx, sent{})
	for j := c.rtx.len() - 1; j > i+1; j-- {
		*c.rtx.at(j) = *c.rtx.at(j - 1)
	}
	s, t := c.rtx.at(i), c.rtx.at(i+1)
	*t = *s
	s.end = s.seq + Num(c.smss)
	t.seq = s.end
	s.marks &^= markFin
}

// restartAfterIdle is RFC 5681 §4.1: a sender that has not sent for longer
// than an RTO, as the caller has seen, begins again with the restart window,
// "RW = min(IW,cwnd)".
// Obeys: RFC 5681 4.1.
func (e *Engine) restartAfterIdle(c *conn) {
	if e.cfg.NoIdleRestart || c.flightSize() > 0 || c.sentAt == 0 {
		return
	}
	if rw := min(e.initialWindow(c), c.cong.Cwnd); rw < c.cong.Cwnd {
		c.alg.Algorithm().Idle(&c.cong, rw)
		e.cwndEvent(c, WhyIdle)
	}
}
