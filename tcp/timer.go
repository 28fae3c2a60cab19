package tcp

// Timers: RFC 9293 §3.10.8. A connection has a small array of deadlines; a
// heap holds it once, at or before the earliest of them. Moving a deadline
// back, as every ACK does, costs a store: the heap finds out when it gets
// there. docs/adr/0002 says why this is a heap and not a wheel.

type timerRef struct {
	at   Time
	slot uint32
}

type timerHeap struct{ h []timerRef }

// arm sets a deadline of the connection.
func (e *Engine) arm(c *conn, k TimerKind, at Time) {
	c.deadlines[k] = at
	if at < c.timerAt {
		e.timers.place(e, c, at)
	}
}

// disarm switches a timer off.
func (c *conn) disarm(k TimerKind) { c.deadlines[k] = Never }

func (c *conn) armed(k TimerKind) bool { return c.deadlines[k] != Never }

func (c *conn) earliest() Time {
	at := c.deadlines[0]
	for _, d := range c.deadlines[1:] {
		at = min(at, d)
	}
	return at
}

// place puts the connection into the heap at the given time, or moves it.
func (t *timerHeap) place(e *Engine, c *conn, at Time) {
	c.timerAt = at
	e.floor = min(e.floor, at)
	if c.timerPos < 0 {
		c.timerPos = int32(len(t.h))
		t.h = append(t.h, timerRef{})
	}
	i := int(c.timerPos)
	if i > 0 && at < t.h[(i-1)/4].at {
		t.up(e, i, timerRef{at, c.slot})
	} else {
		t.down(e, i, timerRef{at, c.slot})
	}
}

func (t *timerHeap) set(e *Engine, i int, r timerRef) {
	t.h[i] = r
	e.conns[r.slot].timerPos = int32(i)
}

func (t *timerHeap) up(e *Engine, i int, r timerRef) {
	for i > 0 {
		p := (i - 1) / 4
		if t.h[p].at <= r.at {
			break
		}
		t.set(e, i, t.h[p])
		i = p
	}
	t.set(e, i, r)
}

func (t *timerHeap) down(e *Engine, i int, r timerRef) {
	for {
		first := 4*i + 1
		if first >= len(t.h) {
			break
		}
		m := first
		for j := first + 1; j < min(first+4, len(t.h)); j++ {
			if t.h[j].at < t.h[m].at {
				m = j
			}
		}
		if r.at <= t.h[m].at {
			break
		}
		t.set(e, i, t.h[m])
		i = m
	}
	t.set(e, i, r)
}

// remove takes the connection out of the heap.
func (t *timerHeap) remove(e *Engine, c *conn) {
	i := int(c.timerPos)
	if i < 0 {
		return
	}
	c.timerPos, c.timerAt = -1, Never
	last := t.h[len(t.h)-1]
	t.h = t.h[:len(t.h)-1]
	if i < len(t.h) {
		if i > 0 && last.at < t.h[(i-1)/4].at {
			t.up(e, i, last)
		} else {
			t.down(e, i, last)
		}
	}
}

// next is the earliest deadline of any connection, and whose it is. It first
// corrects what stands too early at the top.
func (t *timerHeap) next(e *Engine) (Time, *conn) {
	for len(t.h) > 0 {
		c := e.conns[t.h[0].slot]
		at := c.earliest()
		if at == t.h[0].at {
			return at, c
		}
		if at == Never {
			t.remove(e, c)
		} else {
			t.place(e, c, at)
		}
	}
	return Never, nil
}

// NextDeadline is when the next timer is due, exactly; Never if none runs.
// Advance before that does nothing.
func (e *Engine) NextDeadline() Time {
	at, _ := e.timers.next(e)
	e.floor = min(at, e.half.nextDeadline(), e.wait.nextDeadline())
	return e.floor
}

// DeadlineFloor is not later than NextDeadline, and cheaper: what NextDeadline
// said last, or whatever was armed since for an earlier time. A shell that has
// set its alarm for an earlier time need not know more.
func (e *Engine) DeadlineFloor() Time { return e.floor }

// Advance runs the timers that are due at now.
func (e *Engine) Advance(now Time) {
	e.clock(now)
	for {
		at, c := e.timers.next(e)
		if at > e.now {
			break
		}
		for k := range NumTimers {
			if c.deadlines[k] <= e.now && c.timerPos >= 0 {
				c.disarm(k)
				e.expired(c, k)
			}
		}
	}
	e.expireHalfOpen()
	e.expireTimeWait()
}

// expired is what a timer of a connection does when it goes off.
func (e *Engine) expired(c *conn, k TimerKind) {
	switch k {
	case TimerRetransmit:
		e.retransmissionTimeout(c)
	case TimerPersist:
		e.persistTimeout(c)
	case TimerDelayedAck:
		e.timerEvent(c, k, 0)
		c.set(fAckNow)
		e.mark(c)
	case TimerKeepAlive:
		e.keepAliveTimeout(c)
	case TimerUser:
		e.userTimeout(c)
	}
}

// Obeys: RFC 9293 MUST-47, SHLD-9.
func (e *Engine) timerEvent(c *conn, k TimerKind, count int) {
	if e.cfg.Events.Wants(EventTimer) {
		ev := e.event(EventTimer, c)
		ev.Timer, ev.Count = k, uint32(count)
		e.cfg.Events.Put(ev)
	}
}
