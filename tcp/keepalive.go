package tcp

import "time"

// Keep-alive: RFC 9293 §3.8.4. Off unless the user asks (MUST-25).

// restartKeepAlive starts the timer if keep-alive is on.
func (e *Engine) restartKeepAlive(c *conn) {
	if c.has(fKeepAlive) && c.state.Synchronised() && c.state != StateTimeWait {
		e.arm(c, TimerKeepAlive, c.heardAt.Add(c.idleTime()))
	} else {
		c.disarm(TimerKeepAlive)
	}
}

func (c *conn) idleTime() time.Duration { return time.Duration(c.keepIdle) * time.Millisecond }

// keepAliveTimeout sends a probe if nothing came for long enough. The timer
// does not move with every segment; it finds out here how long ago the last
// one came (MUST-26: only if nothing was received within the interval).
// Obeys: RFC 9293 MAY-5, MUST-26, MUST-29.
func (e *Engine) keepAliveTimeout(c *conn) {
	if !c.has(fKeepAlive) {
		return
	}
	if due := c.heardAt.Add(c.idleTime()); due > e.now {
		e.arm(c, TimerKeepAlive, due)
		return
	}
	if c.rtx.len() > 0 || c.has(fPersist) {
		// Retransmissions and window probes ask the same question.
		e.arm(c, TimerKeepAlive, e.now.Add(c.idleTime()))
		return
	}
	e.timerEvent(c, TimerKeepAlive, int(c.probes)+1)
	// MUST-27: "it … MUST NOT interpret failure to respond to any specific
	// probe as a dead connection."
	if c.probes >= c.keepCount || c.userTimeout > 0 && c.probes > 0 && e.now.Sub(c.heardAt) >= c.userLimit() {
		e.counters.Timeouts++
		e.sendReset(c)
		e.fail(c, ErrTimeout, nil)
		return
	}
	c.probes++
	e.counters.KeepAliveProbes++
	c.set(fProbeDue)
	e.arm(c, TimerKeepAlive, e.now.Add(time.Duration(c.keepInterval)*time.Millisecond))
	e.mark(c)
}
