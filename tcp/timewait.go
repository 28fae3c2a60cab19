package tcp

import (
	"estab/internal/wire"
)

// timeWait is a connection in TIME-WAIT: what it takes to acknowledge the
// peer's FIN again and to tell old segments from a new SYN. 48 bytes, and 8 or
// 32 for the addresses.
type timeWait struct {
	deadline       Time // when 2 MSL are over
	sndNXT, rcvNXT Num
	rcvWND         uint32
	maxWND         uint32 // the largest window the peer offered (RFC 5961 §5)
	tsRecent       uint32
	next, prev     uint32 // in the list: index+1
	ackAt          uint32 // see Engine.spaced
	local, remote  uint16 // ports
	zone           uint16
	opts           waitOpts
	tos            uint8
}

// waitOpts are the flags below, and in the high four bits the scale of the
// window in our ACKs.
type waitOpts uint8

func (o waitOpts) scale() uint8 { return uint8(o >> 4) }

const (
	waitTimestamps waitOpts = 1 << iota
	waitPassive             // it came from a listener
	waitHeld                // a connection is reopening the pair; the flow table points to that one
	waitOver                // 2 MSL passed while it was held
)

type waitRecord[P any] struct {
	addrs P
	timeWait
}

// waitSlab holds the records of one family in one list. All wait equally
// long, and one whose wait is restarted goes back to the end, so the list is
// in order of deadlines.
type waitSlab[P pair[P]] struct {
	recordSlab[waitRecord[P]]
	head, tail uint32 // index+1
}

// timeWaits is the table of TIME-WAIT records.
type timeWaits struct {
	v4 waitSlab[pair4]
	v6 waitSlab[pair6]
	n  int
}

func waitKind(t *Tuple) kind {
	if is4(t) {
		return kindWait4
	}
	return kindWait6
}

func (s *waitSlab[P]) is(i uint32, t *Tuple) bool {
	r := s.at(i)
	var p P
	return r.local == t.LocalPort && r.remote == t.RemotePort && uint32(r.zone) == t.Zone && r.addrs == p.of(t)
}

func (s *waitSlab[P]) tuple(i uint32) Tuple {
	r := s.at(i)
	t := Tuple{LocalPort: r.local, RemotePort: r.remote, Zone: uint32(r.zone)}
	r.addrs.put(&t)
	return t
}

func (s *waitSlab[P]) add(t *Tuple, w timeWait) uint32 {
	i := s.get()
	var p P
	*s.at(i) = waitRecord[P]{p.of(t), w}
	s.link(i)
	return i
}

func (s *waitSlab[P]) link(i uint32) {
	r := s.at(i)
	r.prev, r.next = s.tail, 0
	if s.tail != 0 {
		s.at(s.tail - 1).next = i + 1
	} else {
		s.head = i + 1
	}
	s.tail = i + 1
}

func (s *waitSlab[P]) unlink(i uint32) {
	r := s.at(i)
	if r.prev != 0 {
		s.at(r.prev - 1).next = r.next
	} else {
		s.head = r.next
	}
	if r.next != 0 {
		s.at(r.next - 1).prev = r.prev
	} else {
		s.tail = r.prev
	}
}

func (s *waitSlab[P]) due() Time {
	if s.head == 0 {
		return Never
	}
	return s.at(s.head - 1).deadline
}

func (w *timeWaits) record(k kind, i uint32) *timeWait {
	if k == kindWait4 {
		return &w.v4.at(i).timeWait
	}
	return &w.v6.at(i).timeWait
}

func (w *timeWaits) tuple(k kind, i uint32) Tuple {
	if k == kindWait4 {
		return w.v4.tuple(i)
	}
	return w.v6.tuple(i)
}

func (w *timeWaits) link(k kind, i uint32) {
	if k == kindWait4 {
		w.v4.link(i)
	} else {
		w.v6.link(i)
	}
}

func (w *timeWaits) unlink(k kind, i uint32) {
	if k == kindWait4 {
		w.v4.unlink(i)
	} else {
		w.v6.unlink(i)
	}
}

func (w *timeWaits) put(k kind, i uint32) {
	w.n--
	if k == kindWait4 {
		w.v4.put(i)
	} else {
		w.v6.put(i)
	}
}

// oldest is the record whose wait ends first.
func (w *timeWaits) oldest() (Time, kind, uint32) {
	if a, b := w.v4.due(), w.v6.due(); a <= b && a != Never {
		return a, kindWait4, w.v4.head - 1
	} else if b != Never {
		return b, kindWait6, w.v6.head - 1
	}
	return Never, kindNone, 0
}

func (w *timeWaits) nextDeadline() Time {
	if w.n == 0 {
		return Never
	}
	return min(w.v4.due(), w.v6.due())
}

// enterTimeWait turns a connection whose both directions are closed into a
// record (§3.10.7.4: "enter TIME-WAIT, start the time-wait timer, turn off the
// other timers"). The TCB stays for its user, who may have something to read,
// but the flow table points to the record from now on.
// Obeys: RFC 9293 MUST-13.
func (e *Engine) enterTimeWait(c *conn, cause *Segment) {
	e.setState(c, StateTimeWait, cause)
	e.counters.TimeWaits++
	hash := e.Hash(&c.tuple)
	for k := range NumTimers {
		c.disarm(k)
	}
	if e.cfg.MSL < 0 {
		e.table.remove(hash, kindConn, c.slot)
		c.clear(fInTable)
		e.setState(c, StateClosed, nil)
		e.finished(c)
		return
	}
	for e.wait.n >= e.cfg.MaxTimeWait && e.evictTimeWait() {
	}
	e.floor = min(e.floor, e.now.Add(2*e.cfg.MSL))
	w := timeWait{
		deadline: e.now.Add(2 * e.cfg.MSL), sndNXT: c.snd.NXT, rcvNXT: c.rcv.NXT, rcvWND: c.rcv.WND, maxWND: c.snd.maxWND,
		tsRecent: c.tsRecent, local: c.tuple.LocalPort, remote: c.tuple.RemotePort,
		zone: uint16(c.tuple.Zone), opts: waitOpts(c.rcv.scale << 4), tos: c.tos,
	}
	if c.has(fTimestamps) {
		w.opts |= waitTimestamps
	}
	if c.has(fPassive) {
		w.opts |= waitPassive
	}
	k, i := waitKind(&c.tuple), uint32(0)
	if k == kindWait4 {
		i = e.wait.v4.add(&c.tuple, w)
	} else {
		i = e.wait.v6.add(&c.tuple, w)
	}
	e.wait.n++
	e.table.replace(hash, kindConn, c.slot, k, i)
	c.clear(fInTable)
	e.finished(c)
}

// evictTimeWait ends the oldest wait early: a limit was reached, and refusing
// connections would be worse.
func (e *Engine) evictTimeWait() bool {
	_, k, i := e.wait.oldest()
	if k == kindNone {
		return false
	}
	e.counters.TimeWaitEvictions++
	e.endTimeWait(k, i)
	return true
}

// expireTimeWait deletes the records whose 2 MSL are over (§3.10.8): "If the
// time-wait timeout expires on a connection, delete the TCB, enter the CLOSED
// state, and return."
func (e *Engine) expireTimeWait() {
	for e.wait.n > 0 {
		at, k, i := e.wait.oldest()
		if at > e.now {
			return
		}
		if e.cfg.Events.Wants(EventTimer) {
			t := e.wait.tuple(k, i)
			e.cfg.Events.Put(Event{Time: e.now, Tuple: t, Kind: EventTimer, Timer: TimerTimeWait, From: StateTimeWait, To: StateTimeWait, Count: 1})
		}
		e.endTimeWait(k, i)
	}
}

func (e *Engine) endTimeWait(k kind, i uint32) {
	w := e.wait.record(k, i)
	e.wait.unlink(k, i)
	t := e.wait.tuple(k, i)
	e.stateEvent(&t, StateTimeWait, StateClosed, w.opts&waitPassive != 0, nil)
	if w.opts&waitHeld != 0 {
		w.opts |= waitOver
		return
	}
	e.table.remove(e.Hash(&t), k, i)
	e.wait.put(k, i)
}

// releaseWait ends the hold on a record whose pair was not reopened after all.
// It reports whether the record still stands and needs its place in the flow
// table again.
func (e *Engine) releaseWait(k kind, i uint32) bool {
	w := e.wait.record(k, i)
	w.opts &^= waitHeld
	if w.opts&waitOver != 0 {
		e.wait.put(k, i)
		return false
	}
	return true
}

// forgetWait ends the record of a pair that has been reopened.
func (e *Engine) forgetWait(k kind, i uint32) {
	w := e.wait.record(k, i)
	e.counters.TimeWaitReuses++
	if w.opts&waitOver == 0 {
		e.wait.unlink(k, i)
	}
	e.wait.put(k, i)
}

// arrivesTimeWait is §3.10.7.4 for TIME-WAIT.
func (e *Engine) arrivesTimeWait(k kind, i uint32, seg *Segment) {
	e.unverifiedIn(seg, StateTimeWait)
	w := e.wait.record(k, i)
	switch {
	case seg.Flags.Has(wire.RST):
		// RFC 1337, fix (F1): "Ignore RST segments in TIME-WAIT state."
		e.drop(nil, seg, wire.DropTimeWaitReset)
	case seg.Flags.Has(wire.SYN):
		e.synInTimeWait(k, i, seg)
	case seg.Flags.Has(wire.FIN) && seg.End() == w.rcvNXT && w.ackable(seg):
		// "The only thing that can arrive in this state is a retransmission of
		// the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
		e.counters.TimeWaitRestarts++
		w.deadline = e.now.Add(2 * e.cfg.MSL)
		e.wait.unlink(k, i)
		e.wait.link(k, i)
		e.ackTimeWait(k, i)
	case !acceptable(seg.Seq, seg.Len(), w.rcvNXT, w.rcvWND) || w.paws(seg):
		// First check: the sequence number. RFC 5961 §7's limit keeps two such
		// ends from answering each other for ever.
		e.drop(nil, seg, wire.DropTimeWait)
		if seg.DataLen() > 0 || seg.Flags.Has(wire.FIN) || e.spaced(&w.ackAt) && e.chal.take(e) {
			e.ackTimeWait(k, i)
		}
	case !seg.Flags.Has(wire.ACK):
		e.drop(nil, seg, wire.DropNoAck)
	case !w.ackable(seg):
		e.drop(nil, seg, wire.DropAckFuture)
		if e.spaced(&w.ackAt) && e.chal.take(e) {
			e.ackTimeWait(k, i)
		}
	default:
		e.drop(nil, seg, wire.DropTimeWait)
		if seg.Flags.Has(wire.FIN) {
			e.ackTimeWait(k, i)
		}
	}
}

// ackable reports whether the ACK lies in RFC 5961 §5.2's range.
func (w *timeWait) ackable(seg *Segment) bool {
	return seg.Flags.Has(wire.ACK) && seg.Ack.LessEq(w.sndNXT) && (w.sndNXT - Num(w.maxWND)).LessEq(seg.Ack)
}

// paws reports whether the segment's timestamp is an old one (RFC 7323 §5.3).
func (w *timeWait) paws(seg *Segment) bool {
	return w.opts&waitTimestamps != 0 && seg.Options.Has(wire.OptTimestamps) &&
		int32(seg.Options.TSVal-w.tsRecent) < 0
}

// ackTimeWait sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
func (e *Engine) ackTimeWait(k kind, i uint32) {
	w := e.wait.record(k, i)
	t := e.wait.tuple(k, i)
	seg := Segment{Tuple: t, Seq: w.sndNXT, Ack: w.rcvNXT, Flags: wire.ACK,
		Wnd: uint16(min(w.rcvWND>>w.opts.scale(), 65535)), TOS: w.tos}
	if w.opts&waitTimestamps != 0 {
		seg.Options.Set = wire.OptTimestamps
		seg.Options.TSVal = e.tsClock() + e.timestampOffset(&t)
		seg.Options.TSEcr = w.tsRecent
	}
	e.reply(&seg)
}

// synInTimeWait decides whether a SYN reopens the pair (RFC 9293 §3.10.7.4,
// TIME-WAIT and SYN; RFC 6191): with timestamps at both ends if its timestamp
// is newer, or the same and its sequence number lies beyond the old
// connection's; without if the sequence number does (RFC 1122 §4.2.2.13). The
// record stands until the new handshake completes.
// Obeys: RFC 9293 MAY-2, SHLD-4.
func (e *Engine) synInTimeWait(k kind, i uint32, seg *Segment) {
	w := e.wait.record(k, i)
	l := e.listenerFor(&seg.Tuple)
	if l == nil || e.cfg.NoTimeWaitReuse || seg.Flags.Any(wire.ACK|wire.FIN) || !w.newer(seg) {
		e.drop(nil, seg, wire.DropSynChallenge)
		if e.chal.take(e) {
			e.ackTimeWait(k, i)
		}
		return
	}
	e.arrivesListenSyn(l, seg, i+1, w.sndNXT)
}

// Obeys: RFC 6191 2a, 2b, 2c, 2e.
func (w *timeWait) newer(seg *Segment) bool {
	beyond := (w.rcvNXT - 1).Less(seg.Seq)
	if w.opts&waitTimestamps == 0 || !seg.Options.Has(wire.OptTimestamps) {
		return beyond
	}
	d := int32(seg.Options.TSVal - w.tsRecent)
	return d > 0 || d == 0 && beyond
}
