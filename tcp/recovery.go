package tcp

import (
	"estab/internal/seq"
	"estab/tcp/cc"
)

// Fast retransmit and fast recovery: RFC 5681 §3.2, RFC 6582 (without SACK)
// and RFC 6675 (with). RACK-TLP and PRR will replace detectLoss's evidence and
// the window's course here; nothing else knows how loss is found.

const dupThresh = 3 // RFC 6675 §2

// pipe is RFC 6675's estimate of what is in the network: in flight, less what
// was SACKed or lost; what was sent again is no longer lost, and counts twice if
// it wasn't before. Without SACK each duplicate ACK stands for a segment that left
// (RFC 5681 §3.2 (3) and (4), RFC 3042).
// Obeys: RFC 6675 4d; RFC 5681 3.2d, 3.2g.
func (c *conn) pipe() uint32 {
	p := c.flightSize() - c.sacked - c.lost + c.twice
	if !c.has(fSACK) && c.ca != caLoss {
		return p - min(p, uint32(c.dupAcks)*uint32(c.smss))
	}
	return p
}

// congestionAck is what an ACK of n bytes does to the congestion window. told of
// them had been SACKed before; without SACK each duplicate ACK told of one
// segment. Those have been replaced in the network already, and don't make the
// window grow again.
// Obeys: RFC 5681 3.2h, 4.3a; RFC 6582 3.2c, 3.2d; RFC 6675 5e.
func (e *Engine) congestionAck(c *conn, n, told, inFlight uint32) {
	una := c.snd.UNA
	switch c.ca {
	case caRecovery:
		if c.recover.LessEq(una) {
			// RFC 6582 §3.2 (3), full acknowledgment: "Set cwnd to … min
			// (ssthresh, max(FlightSize, SMSS) + SMSS)".
			if !c.has(fSACK) {
				s := c.cong.SMSS
				c.cong.Cwnd = min(c.cong.Ssthresh, max(c.flightSize(), s)+s)
			}
			c.ca, c.dupAcks = caOpen, 0
			e.cwndEvent(c, WhyRecovered)
			return
		}
		if !c.has(fSACK) {
			// Partial acknowledgment: "retransmit the first unacknowledged
			// segment. Deflate the congestion window by the amount of new data
			// acknowledged".
			c.dupAcks -= min(c.dupAcks, uint16(min(n/uint32(c.smss), 1<<15)))
			e.markHeadLost(c)
			c.set(fForceRetransmit)
		}
		return
	case caLoss:
		if c.recover.LessEq(una) {
			c.ca = caOpen
			e.cwndEvent(c, WhyRecovered)
		}
	case caCWR:
		if una.Less(c.recover) { // §6.1.2: an echo does not open the window
			c.dupAcks = 0
			return
		}
		c.ca = caOpen
	}
	if !c.has(fSACK) {
		told = min(n, uint32(c.dupAcks)*uint32(c.smss))
	}
	c.dupAcks = 0
	c.alg.Algorithm().Acked(&c.cong, cc.Ack{
		Now: int64(e.now), Bytes: n - told, SRTT: c.srtt, InFlight: inFlight,
		Limited: c.cwndLimited(), Repair: c.ca == caLoss,
	})
}

// detectLoss looks at the evidence after each ACK; news says that it acknowledged
// something or brought a SACK.
// Obeys: RFC 2018 5e; RFC 5681 3.2c, 4.3b; RFC 6582 3.2b; RFC 6675 5b, 5.1a.
func (e *Engine) detectLoss(c *conn, news bool) {
	if c.flightSize() == 0 {
		return
	}
	if c.has(fSACK) && c.sacked > 0 && news {
		e.markLostBySACK(c)
	}
	if c.ca == caCWR && (c.dupAcks >= dupThresh || c.lost > 0) {
		e.enterRecovery(c)
	}
	if c.ca != caOpen {
		return
	}
	// RFC 6675 §5 (2): "If DupAcks >= DupThresh, go to step 4", "If DupAcks <
	// DupThresh but IsLost (HighACK + 1) returns true … go to step 4". §5.1: not
	// "until HighACK is greater than or equal to the new value of RecoveryPoint";
	// RFC 6582 §3.2 (2), without SACK: only if the ACK "covers more than recover",
	// since duplicate ACKs of recover itself may answer what was sent twice.
	if (c.dupAcks >= dupThresh || c.lost > 0) &&
		(c.recover.Less(c.snd.UNA) || c.has(fSACK) && c.recover == c.snd.UNA) {
		e.enterRecovery(c)
	}
}

// Obeys: RFC 5681 3.2f; RFC 6675 5d.
func (e *Engine) enterRecovery(c *conn) {
	if c.ca != caCWR { // a mark in the same window has reduced it already
		c.alg.Algorithm().Loss(&c.cong, int64(e.now), c.flightSize())
	}
	c.ca = caRecovery
	c.recover = c.snd.NXT
	e.counters.FastRecoveries++
	c.put(fSendCWR, c.has(fECN)) // RFC 3168 §6.1.2: "for any reason"
	e.markHeadLost(c)
	c.rescue = c.rtx.at(0).end
	c.set(fForceRetransmit)
	e.mark(c)
	e.cwndEvent(c, WhyFastRecovery)
}

// markHeadLost marks the first segment in flight as lost, unless it was sent
// again already.
func (e *Engine) markHeadLost(c *conn) {
	if c.rtx.len() == 0 {
		return
	}
	e.markLostAt(c, c.rtx.at(0))
}

func (e *Engine) markLostAt(c *conn, s *sent) {
	if s.marks&(markLost|markSacked|markRetrans) != 0 {
		e.uncount(c, s.marks&markTwice, s.len()) // of its two copies the first is lost
		s.marks &^= markTwice
		return
	}
	s.marks |= markLost
	c.lost += s.len()
	if s.seq.Less(c.lostHint) {
		c.lostHint = s.seq
	}
}

// markLostBySACK marks what RFC 6675 §4 IsLost() finds: text below which at
// least DupThresh discontiguous stretches, or more than (DupThresh-1)*SMSS
// bytes, have been SACKed.
// Obeys: RFC 6675 4c.
func (e *Engine) markLostBySACK(c *conn) {
	i := c.evidence()
	if i < 0 {
		return
	}
	edge := c.rtx.at(i).seq
	for i--; i >= 0 && c.lossSeen.Less(c.rtx.at(i).end); i-- {
		e.markLostAt(c, c.rtx.at(i))
	}
	c.lossSeen = seq.Max(c.lossSeen, edge)
}

// evidence walks down from the highest SACKed segment and returns the index of
// the one below which everything counts as lost; -1 if there is none.
func (c *conn) evidence() int {
	bytes, runs, inRun := uint32(0), 0, false
	for i := min(c.rtx.search(c.highSacked-1), c.rtx.len()-1); i >= 0; i-- {
		s := c.rtx.at(i)
		if s.marks&markSacked == 0 {
			inRun = false
			if s.seq.Less(c.lossSeen) {
				return -1 // an earlier walk came this far
			}
			continue
		}
		bytes += s.len()
		if !inRun {
			runs++
		}
		inRun = true
		if runs >= dupThresh || bytes > (dupThresh-1)*uint32(c.smss) {
			return i
		}
	}
	return -1
}

// markNextHole is RFC 6675 §4 NextSeg() rule (3): when nothing is lost that was
// not sent again, and new text can't go although the window has room, the
// first segment below the highest SACKed one that was sent only once goes
// again, lost or not.
// Obeys: RFC 6675 4g.
func (e *Engine) markNextHole(c *conn) bool {
	if c.lost > 0 || c.sacked == 0 || c.pipe()+uint32(c.smss) > c.cong.Cwnd {
		return false
	}
	// What lies below lossSeen was lost, and below lostHint it was repeated.
	for i := c.rtx.search(seq.Max(c.lossSeen, c.lostHint)); i < c.rtx.len(); i++ {
		s := c.rtx.at(i)
		if c.highSacked.Less(s.end) {
			return false
		}
		i += int(s.skip)
		if s.marks&(markSacked|markRetrans) == 0 {
			e.markLostAt(c, s)
			s.marks |= markTwice
			c.twice += s.len()
			return true
		}
	}
	return false
}

// sendRescue is NextSeg() rule (4): when the other rules find nothing and the
// window has room, the highest segment that is not SACKed goes again, once in a
// recovery, lest the loss of a tail, of which no SACK can tell, wait for the
// time-out. The estimate of what is in the network stays as it is. It reports
// whether the link had room.
//
// Deviation: a segment that this recovery has repeated already, which the rule
// would repeat on the next partial ACK, is left to its copy in flight.
// Obeys: RFC 6675 4h.
func (e *Engine) sendRescue(c *conn, out Sink) bool {
	if !c.has(fSACK) || c.lost > 0 || !c.rescue.Less(c.snd.UNA) || c.pipe()+uint32(c.smss) > c.cong.Cwnd ||
		c.unsent() > 0 && c.snd.NXT.Less(c.snd.UNA+Num(c.snd.WND)) {
		return true
	}
	i := c.rtx.len() - 1
	for i >= 0 && c.rtx.at(i).marks&markSacked != 0 {
		i--
	}
	if i < 0 || c.rtx.at(i).marks&markRetrans != 0 {
		c.rescue = c.recover // nothing will change that
		return true
	}
	for ; c.rtx.at(i).textLen() > uint32(c.smss); i++ { // the path's MTU shrank
		e.splitSent(c, i)
	}
	s := c.rtx.at(i)
	if !e.emitText(c, out, s.seq, s.textLen(), s.marks&markFin != 0, true) {
		return false
	}
	s.marks |= markEver
	s.at = e.now
	c.rescue = c.recover
	return true
}
