package tcp

import "fmt"

// CheckInvariants looks for what can't be. Tests call it after every input.
func (e *Engine) CheckInvariants() error {
	if e.counters.IllegalTransitions > 0 {
		return fmt.Errorf("%d illegal transitions", e.counters.IllegalTransitions)
	}
	live, inTable := 0, 0
	for _, c := range e.conns {
		if c == nil || c.state == StateClosed && !c.has(fUser|fQueued) {
			continue
		}
		live++
		if c.has(fInTable) {
			inTable++
			if k, i := e.find(&c.tuple, e.Hash(&c.tuple)); k != kindConn || i != c.slot {
				return fmt.Errorf("%v: the flow table does not lead to its TCB", c.tuple)
			}
		}
		if err := c.check(); err != nil {
			return fmt.Errorf("%v %v: %w", c.tuple, c.state, err)
		}
	}
	held := 0
	for n := e.wait.v4.head; n != 0; n = e.wait.v4.at(n - 1).next {
		if e.wait.v4.at(n-1).opts&waitHeld != 0 {
			held++
		}
	}
	for n := e.wait.v6.head; n != 0; n = e.wait.v6.at(n - 1).next {
		if e.wait.v6.at(n-1).opts&waitHeld != 0 {
			held++
		}
	}
	over := 0 // held records whose wait is over stand in no list
	for _, c := range e.conns {
		if c != nil && c.tw != 0 && e.wait.record(waitKind(&c.tuple), c.tw-1).opts&waitOver != 0 {
			over++
		}
	}
	e.half.each2(func(t Tuple, h *halfOpen) {
		if h.wait != 0 && e.wait.record(waitKind(&t), h.wait-1).opts&waitOver != 0 {
			over++
		}
	})
	if live != e.nConns {
		return fmt.Errorf("%d TCBs live, %d counted", live, e.nConns)
	}
	if want := inTable + e.half.n + e.wait.n - held - over; e.table.len() != want {
		return fmt.Errorf("the flow table has %d entries for %d flows", e.table.len(), want)
	}
	next := min(e.half.nextDeadline(), e.wait.nextDeadline())
	for i, r := range e.timers.h {
		next = min(next, e.conns[r.slot].earliest())
		if c := e.conns[r.slot]; c == nil || int(c.timerPos) != i || c.timerAt != r.at || c.earliest() < r.at {
			return fmt.Errorf("timer heap entry %d is wrong", i)
		}
	}
	if e.floor > next {
		return fmt.Errorf("DeadlineFloor is %v, and the next deadline %v", e.floor, next)
	}
	return nil
}

// check looks at one TCB.
func (c *conn) check() error {
	if c.snd.NXT.Less(c.snd.UNA) {
		return fmt.Errorf("SND.NXT is %d before SND.UNA", c.snd.UNA.Diff(c.snd.NXT))
	}
	if c.state == StateClosed || c.state == StateTimeWait {
		return nil
	}
	var flight, sacked, lost, retrans, twice uint32
	at := c.snd.UNA
	for i := range c.rtx.len() {
		s := c.rtx.at(i)
		if s.seq != at || !s.seq.Less(s.end) {
			return fmt.Errorf("retransmission queue entry %d is [%d,%d), want it to begin at %d", i, s.seq, s.end, at)
		}
		at = s.end
		flight += s.len()
		if s.marks&markSacked != 0 {
			sacked += s.len()
		}
		if s.marks&markLost != 0 {
			lost += s.len()
		}
		if s.marks&markRetrans != 0 {
			retrans += s.len()
		}
		if s.marks&markTwice != 0 {
			twice += s.len()
		}
		if end := i + int(s.skip); s.skip > 0 && (s.marks&markSacked == 0 || end >= c.rtx.len() || c.rtx.at(end).marks&markSacked == 0) {
			return fmt.Errorf("retransmission queue entry %d skips %d, not all of them SACKed", i, s.skip)
		}
		if s.marks&markSacked != 0 && s.marks&(markLost|markRetrans) != 0 || s.marks&markLost != 0 && s.marks&markRetrans != 0 {
			return fmt.Errorf("retransmission queue entry %d has marks %b", i, s.marks)
		}
	}
	if synDue := c.snd.UNA == c.snd.ISS && c.rtx.len() == 0; !synDue && flight != c.flightSize() {
		return fmt.Errorf("flightSize %d, the retransmission queue holds %d", c.flightSize(), flight)
	}
	if sacked != c.sacked || lost != c.lost || retrans != c.retrans || twice != c.twice {
		return fmt.Errorf("sacked/lost/retrans/twice %d/%d/%d/%d, the queue says %d/%d/%d/%d",
			c.sacked, c.lost, c.retrans, c.twice, sacked, lost, retrans, twice)
	}
	if c.rtx.len() > 0 && c.deadlines[TimerRetransmit] == Never && c.state != StateSynSent {
		return fmt.Errorf("text is in flight and no retransmission timer runs")
	}
	return c.checkReceiver()
}

func (c *conn) checkReceiver() error {
	if c.ooo == nil {
		return nil
	}
	at, first := c.rcv.NXT, true
	n := 0
	for ci, i := 0, 0; ci < len(c.ooo.spans.chunks); ci, i = c.ooo.spans.next(ci, i) {
		sp := c.ooo.spans.chunks[ci][i]
		if !sp.l.Less(sp.r) || !at.Less(sp.l) && !first || first && !at.Less(sp.l) {
			return fmt.Errorf("reassembly stretch [%d,%d) after %d", sp.l, sp.r, at)
		}
		at, first = sp.r, false
		n++
	}
	if n != c.ooo.spans.n || n == 0 {
		return fmt.Errorf("reassembly has %d stretches and counts %d", n, c.ooo.spans.n)
	}
	if c.rcvEdge().Less(at) {
		return fmt.Errorf("reassembly holds text beyond the window")
	}
	return nil
}
