package tcp

import "math"

// Zero-window probes: RFC 9293 §3.8.6.1.

// armPersist starts the persist timer if text waits, nothing is in flight
// whose ACK would bring news, and it does not run yet. It is also the override
// timeout of §3.8.6.2.1 for text that the user or the silly window rule holds
// back.
// Obeys: RFC 9293 MUST-36, MUST-60, SHLD-29, SHLD-30.
func (e *Engine) armPersist(c *conn, why Why) {
	if c.rtx.len() > 0 || c.armed(TimerPersist) || why == WhyCwnd {
		return
	}
	if !c.has(fPersist) {
		c.set(fPersist)
		c.probes, c.backoff = 0, 0
	}
	// "The transmitting host SHOULD send the first zero-window probe when a
	// zero window has existed for the retransmission timeout period (SHLD-29)
	// … and SHOULD increase exponentially the interval between successive
	// probes (SHLD-30)."
	e.arm(c, TimerPersist, e.now.Add(min(c.rto<<min(c.backoff, 16), e.cfg.RTOMax)))
}

// endPersist: the window is open again, or text is in flight.
func (c *conn) endPersist() {
	if c.has(fPersist) {
		c.clear(fPersist)
		c.disarm(TimerPersist)
	}
}

// persistTimeout sends a probe, or the text that was held back.
//
// A probe repeats the sequence number before SND.UNA and carries nothing, as
// Linux's does. The text speaks of one octet of new data; what it asks for,
// that the peer answers with its window (MUST-35), either gets, and this one
// puts nothing outside the window.
// Obeys: RFC 9293 MUST-35, MUST-37; RFC 1122 4.2.2.17.
func (e *Engine) persistTimeout(c *conn) {
	if c.rtx.len() > 0 || c.unsent() == 0 && !(c.has(fCloseCalled) && !c.has(fFinSent)) {
		c.clear(fPersist)
		return
	}
	e.timerEvent(c, TimerPersist, int(c.backoff)+1)
	if usable := (c.snd.UNA + Num(c.snd.WND)).Diff(c.snd.NXT); usable > 0 {
		c.set(fForcePush)
		c.snd.push = c.sendq.base + Num(c.sendq.n) // nothing more is to be waited for
		e.mark(c)
		return
	}
	// MUST-37: "A TCP implementation MUST … allow the connection to stay open"
	// while probes are answered. Unanswered, they count against R2.
	if int(c.probes) >= e.retryLimit(c) || !c.has(fUser|fQueued) && int(c.backoff) >= e.cfg.OrphanRetries {
		e.counters.Timeouts++
		e.fail(c, ErrTimeout, nil)
		return
	}
	if c.probes < math.MaxUint8 {
		c.probes++
	}
	if c.backoff < math.MaxUint8 {
		c.backoff++
	}
	e.counters.ZeroWindowProbes++
	c.set(fProbeDue)
	if c.has(fUrgent) { // its number is too old for the receiver to look at a pointer
		c.set(fAckNow)
	}
	e.armPersist(c, WhyZeroWindow)
	if c.userTimeout > 0 && !c.armed(TimerUser) {
		e.arm(c, TimerUser, e.now.Add(c.userLimit()))
	}
	e.mark(c)
}
