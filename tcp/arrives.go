package tcp

// SEGMENT ARRIVES: RFC 9293 §3.10.7. This file finds out whose the segment is;
// the files arrives_*.go hold the states.

// Input hands the engine a segment whose checksum is right and whose header
// was parsed. If seg.Slab is not nil, the engine may keep it, and then sets it
// to nil; it keeps nothing else of seg.
func (e *Engine) Input(now Time, seg *Segment) {
	e.clock(now)
	e.counters.SegsIn++
	if seg.Hash == 0 {
		seg.Hash = e.Hash(&seg.Tuple)
	}
	switch k, idx := e.find(&seg.Tuple, seg.Hash); k {
	case kindConn:
		e.arrivesConn(e.conns[idx], seg)
	case kindHalf4, kindHalf6:
		e.arrivesHalfOpen(k, idx, seg)
	case kindWait4, kindWait6:
		e.arrivesTimeWait(k, idx, seg)
	default:
		e.arrivesNobody(seg)
	}
}

// find looks the flow up in the table.
func (e *Engine) find(t *Tuple, hash uint64) (kind, uint32) {
	p := e.table.find(hash)
	for s, ok := p.next(); ok; s, ok = p.next() {
		idx := s.idx()
		same := false
		switch s.kind() {
		case kindConn:
			same = e.conns[idx].tuple.Equal(t)
		case kindHalf4:
			same = e.half.v4.is(idx, t)
		case kindHalf6:
			same = e.half.v6.is(idx, t)
		case kindWait4:
			same = e.wait.v4.is(idx, t)
		case kindWait6:
			same = e.wait.v6.is(idx, t)
		}
		if same {
			return s.kind(), idx
		}
	}
	return kindNone, 0
}

// arrivesConn is for a segment that has a TCB.
func (e *Engine) arrivesConn(c *conn, seg *Segment) {
	if e.cfg.Events.Wants(EventIn) {
		e.segmentEvent(EventIn, c, seg, false)
	}
	if c.state == StateSynSent {
		e.arrivesSynSent(c, seg)
		return
	}
	if !e.cfg.NoFastPath && e.fastPath(c, seg) {
		return
	}
	e.arrivesSync(c, seg)
}

// arrivesNobody is for a segment that belongs to no connection: it is for a
// listener, or for nobody.
func (e *Engine) arrivesNobody(seg *Segment) {
	if l := e.listenerFor(&seg.Tuple); l != nil {
		e.arrivesListen(l, seg)
		return
	}
	e.arrivesClosed(seg)
}

// drop counts a discarded segment. c may be nil.
func (e *Engine) drop(c *conn, seg *Segment, why Reason) {
	e.counters.Drops[why]++
	if !e.cfg.Events.Wants(EventDrop) {
		return
	}
	if c != nil {
		ev := e.event(EventDrop, c)
		ev.Reason = why
		setSeg(&ev, seg)
		e.cfg.Events.Put(ev)
		return
	}
	ev := Event{Time: e.now, Tuple: seg.Tuple, Kind: EventDrop, Reason: why}
	setSeg(&ev, seg)
	e.cfg.Events.putUnverified(ev)
}

// unverifiedIn records a segment that belongs to a record or to a listener.
func (e *Engine) unverifiedIn(seg *Segment, st State) {
	if e.cfg.Events.Wants(EventIn) {
		ev := Event{Time: e.now, Tuple: seg.Tuple, Kind: EventIn, From: st, To: st}
		setSeg(&ev, seg)
		e.cfg.Events.putUnverified(ev)
	}
}

// stateEvent records a transition of something that is not a TCB.
func (e *Engine) stateEvent(t *Tuple, from, to State, passive bool, cause *Segment) {
	if !e.cfg.Events.Wants(EventState) {
		return
	}
	ev := Event{Time: e.now, Tuple: *t, Kind: EventState, From: from, To: to, Passive: passive}
	setSeg(&ev, cause)
	if to == StateSynReceived || from == StateSynReceived && to != StateEstablished {
		e.cfg.Events.putUnverified(ev)
	} else {
		e.cfg.Events.Put(ev)
	}
}
