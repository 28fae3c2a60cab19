package tcp

import (
	"math"
	"time"

	"estab/internal/wire"
)

// The retransmission timer: RFC 6298.

// sampleRTT takes a measured round trip into SRTT and RTTVAR (RFC 6298 2.2 and
// 2.3, alpha 1/8, beta 1/4).
// Obeys: RFC 9293 MUST-18; RFC 6298 2.2, 2.3.
func (e *Engine) sampleRTT(c *conn, r time.Duration) {
	r = max(r, 1)
	if c.srtt == 0 {
		c.srtt, c.rttvar = r, r/2
	} else {
		d := c.srtt - r
		if d < 0 {
			d = -d
		}
		c.rttvar += (d - c.rttvar) / 4
		c.srtt = max(c.srtt+(r-c.srtt)/8, 1)
	}
	e.computeRTO(c)
	if e.cfg.Events.Wants(EventRTT) {
		ev := e.event(EventRTT, c)
		ev.Value = int64(r)
		e.cfg.Events.Put(ev)
	}
}

// sampleByTimestamp takes a round trip from the timestamp that the segment
// echoes (RFC 7323 §4.1), for text that was sent again, last at the given
// time. Karn's rule leaves it out, since nothing tells which copy is answered;
// an echo that is no older than the last copy does. (An older one tells
// nothing: the ACK may answer that copy and echo what came before it.)
// Obeys: RFC 6298 3a.
func (e *Engine) sampleByTimestamp(c *conn, seg *Segment, last Time) {
	if !c.has(fTimestamps) || !seg.Options.Has(wire.OptTimestamps) || seg.Options.TSEcr == 0 {
		return
	}
	ms := int32(e.tsClock() + c.tsOffset - seg.Options.TSEcr)
	if ms >= 0 && e.now-Time(ms)*1e6 >= last-1e6 {
		e.sampleRTT(c, time.Duration(max(ms, 1))*time.Millisecond)
	}
}

// computeRTO: "RTO <- SRTT + max (G, K*RTTVAR)".
//
// Deviation: the floor of RTOMin (200 ms; 2.4 says the RTO SHOULD be at least
// 1 s) is laid under K*RTTVAR and not under the sum, as Linux does, so that a
// long steady path is not left with an RTO that equals its round trip.
// Obeys: RFC 6298 2.5, 4.
func (e *Engine) computeRTO(c *conn) {
	c.rto = min(c.srtt+max(4*c.rttvar, e.cfg.RTOMin), e.cfg.RTOMax)
}

// backOffAfterLostSyn is for a handshake whose SYN or SYN-ACK was repeated: "If the timer expires awaiting the ACK of a SYN segment
// and the TCP implementation is using an RTO less than 3 seconds, the RTO MUST
// be re-initialized to 3 seconds when data transmission begins" (5.7), and
// RFC 6298's appendix with RFC 5681 §3.1: after a lost SYN the window starts at
// one segment.
// Obeys: RFC 6298 5.7; RFC 5681 3.1d.
func (e *Engine) backOffAfterLostSyn(c *conn, seg *Segment, last Time) {
	e.sampleByTimestamp(c, seg, last)
	c.rto = max(c.rto, 3*time.Second)
	c.cong.Cwnd = uint32(c.smss)
}

// retransmissionTimeout is §3.10.8's "RETRANSMISSION TIMEOUT" and RFC 6298 5.4
// to 5.7.
// Obeys: RFC 9293 MUST-19, MUST-20, MUST-22; RFC 6298 5.4, 5.5, 5.6.
func (e *Engine) retransmissionTimeout(c *conn) {
	if c.rtx.len() == 0 {
		return
	}
	if c.retries < math.MaxUint8 {
		c.retries++
	}
	e.counters.RTOs++
	e.timerEvent(c, TimerRetransmit, int(c.retries))
	if int(c.retries) > e.retryLimit(c) {
		e.counters.Timeouts++
		e.fail(c, ErrTimeout, nil)
		return
	}
	if int(c.retries) == e.cfg.Retries1 {
		// Obeys: RFC 1122 3.3.1.4.
		e.refreshPath(c) // MUST-20 (a): at R1 pass negative advice to the IP layer
	}
	// "(5.5) The host MUST set RTO <- RTO * 2 ('back off the timer')."
	c.rto = min(2*c.rto, e.cfg.RTOMax)
	e.arm(c, TimerRetransmit, e.now.Add(c.rto))
	if c.state == StateSynSent || c.state == StateSynReceived {
		c.set(fSynDue)
		e.mark(c)
		return
	}
	e.suspectBlackHole(c)
	e.enterLoss(c)
	e.mark(c)
}

// retryLimit is R2 (§3.8.3) in repeats. A user timeout takes its place.
// Obeys: RFC 9293 MUST-20, MUST-21; RFC 1122 4.2.3.5.
func (e *Engine) retryLimit(c *conn) int {
	switch {
	case c.state == StateSynSent || c.state == StateSynReceived:
		return int(c.maxRetries)
	case !c.has(fUser | fQueued):
		return e.cfg.OrphanRetries
	case c.userTimeout > 0, c.has(fPatient):
		return math.MaxInt
	}
	return e.cfg.Retries2
}

// enterLoss makes everything in flight lost, but for what the peer has SACKed,
// and begins slow start with one segment (RFC 5681 §3.1, RFC 6675 §5.1).
// Obeys: RFC 5681 3.1k; RFC 6582 3.2f; RFC 6675 5.1a, 5.1b.
func (e *Engine) enterLoss(c *conn) {
	// Obeys: RFC 2018 5c.
	e.reneged(c) // RFC 2018 §8: what stands first is sent again, SACKed or not
	first := c.ca != caLoss || c.recover.LessEq(c.snd.UNA)
	c.alg.Algorithm().Timeout(&c.cong, int64(e.now), c.flightSize(), first)
	for i := range c.rtx.len() {
		s := c.rtx.at(i)
		if s.marks&markSacked != 0 {
			continue
		}
		e.uncount(c, s.marks&(markLost|markRetrans|markTwice), s.len())
		s.marks = s.marks&^(markRetrans|markTwice) | markLost
		c.lost += s.len()
	}
	c.lostHint = c.snd.UNA
	c.ca = caLoss
	c.put(fSendCWR, c.has(fECN))
	c.recover = c.snd.NXT
	c.dupAcks = 0
	e.cwndEvent(c, WhyTimeout)
}

func (e *Engine) cwndEvent(c *conn, why Why) {
	if e.cfg.Events.Wants(EventCwnd) {
		ev := e.event(EventCwnd, c)
		ev.Why = why
		e.cfg.Events.Put(ev)
	}
}

// userTimeout is what the user's own limits do: the user timeout (§3.10.8
// "USER TIMEOUT"), the time limit on a close, and the wait of an orphan for
// the peer's FIN.
// Obeys: RFC 9293 MUST-21.
func (e *Engine) userTimeout(c *conn) {
	e.timerEvent(c, TimerUser, 1)
	switch {
	case c.has(fLinger):
		e.sendReset(c)
		e.fail(c, ErrAborted, nil)
	case c.state == StateFinWait2:
		// Deviation: the RFC lets FIN-WAIT-2 last for ever (MAY-8's half-close).
		// Without a user nobody could take what still comes.
		e.fail(c, ErrTimeout, nil)
	default:
		e.counters.Timeouts++
		e.fail(c, ErrTimeout, nil)
	}
}

// armFinWait2 limits FIN-WAIT-2, for orphans only.
func (e *Engine) armFinWait2(c *conn) {
	c.clear(fLinger) // all that was queued has arrived
	c.disarm(TimerUser)
	if !c.has(fUser|fQueued) && c.finWait2 > 0 {
		e.arm(c, TimerUser, e.now.Add(time.Duration(c.finWait2)*time.Millisecond))
	}
}
