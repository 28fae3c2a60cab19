package tcp

import (
	"time"

	"estab/internal/wire"
)

// halfOpen is a connection in SYN-RECEIVED that a listener's SYN began: what
// the third segment of the handshake will need, and no more (RFC 4987 §3.3's
// "SYN cache"). 48 bytes, and 8 or 32 for the addresses. The TCB is made when
// the handshake completes, which is when the other end has shown that it
// receives what we send to its address.
type halfOpen struct {
	deadline   Time // when the SYN-ACK is repeated or the record given up
	iss, irs   Num
	tsRecent   uint32 // TS.Recent (RFC 7323)
	next, prev uint32 // in the list of its stage: index+1
	wait       uint32 // index+1 of the TIME-WAIT record that the SYN reopens
	listener   uint16 // slot; a listener that goes takes its records along
	local      uint16 // ports
	remote     uint16
	mss        uint16 // the peer's
	wnd        uint16 // SEG.WND of the SYN, never scaled (RFC 7323 §2.2)
	zone       uint16
	ackAt      uint16 // see Engine.spacedHalfOpen
	opts       halfOpts
	count      uint8 // stage: time-outs so far, below; sends: SYN-ACKs sent, above
}

func (h *halfOpen) stage() uint8 { return h.count & 15 }
func (h *halfOpen) sends() uint8 { return h.count >> 4 }

// sent counts a SYN-ACK. There are never more than maxStages of them.
func (h *halfOpen) sent() { h.count += min(16, ^h.count&0xf0) }

// halfOpts packs the options of the SYN: the shift of the window in the low four
// bits, or noScale.
type halfOpts uint8

const noScale halfOpts = 15

// scale is the shift, and whether there is one.
func (o halfOpts) scale() (shift uint8, ok bool) { return uint8(o & 15), o&15 != noScale }

const (
	halfTimestamps halfOpts = 1 << (iota + 4)
	halfSACK
	halfECN      // it offered ECN
	halfDeferred // the handshake is complete but for the text that Accept waits for
)

type halfRecord[P any] struct {
	addrs P
	halfOpen
}

// halfSlab holds the records of one family, in lists by stage: the records of
// a stage all wait equally long, so each list is in order of deadlines.
type halfSlab[P pair[P]] struct {
	recordSlab[halfRecord[P]]
	stages [maxStages]struct{ head, tail uint32 } // index+1
}

const maxStages = 16

// halfOpens is the half-open table.
type halfOpens struct {
	v4 halfSlab[pair4]
	v6 halfSlab[pair6]
	n  int
}

func (s *halfSlab[P]) is(i uint32, t *Tuple) bool {
	r := s.at(i)
	var p P
	return r.local == t.LocalPort && r.remote == t.RemotePort && uint32(r.zone) == t.Zone && r.addrs == p.of(t)
}

func (s *halfSlab[P]) tuple(i uint32) Tuple {
	r := s.at(i)
	t := Tuple{LocalPort: r.local, RemotePort: r.remote, Zone: uint32(r.zone)}
	r.addrs.put(&t)
	return t
}

func (s *halfSlab[P]) add(t *Tuple, h halfOpen) uint32 {
	i := s.get()
	var p P
	*s.at(i) = halfRecord[P]{p.of(t), h}
	s.link(i)
	return i
}

// link appends the record to the list of its stage.
func (s *halfSlab[P]) link(i uint32) {
	r := s.at(i)
	l := &s.stages[r.stage()]
	r.prev, r.next = l.tail, 0
	if l.tail != 0 {
		s.at(l.tail - 1).next = i + 1
	} else {
		l.head = i + 1
	}
	l.tail = i + 1
}

func (s *halfSlab[P]) unlink(i uint32) {
	r := s.at(i)
	l := &s.stages[r.stage()]
	if r.prev != 0 {
		s.at(r.prev - 1).next = r.next
	} else {
		l.head = r.next
	}
	if r.next != 0 {
		s.at(r.next - 1).prev = r.prev
	} else {
		l.tail = r.prev
	}
}

// due returns the record with the earliest deadline.
func (s *halfSlab[P]) due() (Time, uint32) {
	at, who := Never, uint32(0)
	for k := range s.stages {
		if h := s.stages[k].head; h != 0 {
			if d := s.at(h - 1).deadline; d < at {
				at, who = d, h-1
			}
		}
	}
	return at, who
}

// record returns the common part of a record.
func (h *halfOpens) record(k kind, i uint32) *halfOpen {
	if k == kindHalf4 {
		return &h.v4.at(i).halfOpen
	}
	return &h.v6.at(i).halfOpen
}

func (h *halfOpens) tuple(k kind, i uint32) Tuple {
	if k == kindHalf4 {
		return h.v4.tuple(i)
	}
	return h.v6.tuple(i)
}

func (h *halfOpens) nextDeadline() Time {
	if h.n == 0 {
		return Never
	}
	a, _ := h.v4.due()
	b, _ := h.v6.due()
	return min(a, b)
}

// addHalfOpen makes the record of a SYN and enters it into the flow table.
func (e *Engine) addHalfOpen(t *Tuple, hash uint64, h halfOpen) (kind, uint32) {
	e.half.n++
	e.floor = min(e.floor, h.deadline)
	e.listeners[h.listener].halfOpen++
	e.sources.opened(e, t)
	k, i := kindHalf6, uint32(0)
	if is4(t) {
		k, i = kindHalf4, e.half.v4.add(t, h)
	} else {
		i = e.half.v6.add(t, h)
	}
	if h.wait != 0 {
		wk := waitKind(t)
		e.table.replace(hash, wk, h.wait-1, k, i)
	} else {
		e.table.insert(hash, k, i)
	}
	return k, i
}

// freeHalfOpen gives the record back; the flow table is the caller's business.
func (e *Engine) freeHalfOpen(k kind, i uint32) {
	e.listeners[e.half.record(k, i).listener].halfOpen--
	e.half.n--
	t := e.half.tuple(k, i)
	e.sources.closed(e, &t)
	if k == kindHalf4 {
		e.half.v4.unlink(i)
		e.half.v4.put(i)
	} else {
		e.half.v6.unlink(i)
		e.half.v6.put(i)
	}
}

// dropHalfOpen returns a half-open connection to LISTEN, as if its SYN had
// never come: a TIME-WAIT record that it was about to reopen stands again.
func (e *Engine) dropHalfOpen(k kind, i uint32, cause *Segment) {
	t := e.half.tuple(k, i)
	h := e.half.record(k, i)
	hash := e.Hash(&t)
	e.counters.AttemptFails++
	e.stateEvent(&t, StateSynReceived, StateListen, true, cause)
	if wait := h.wait; wait != 0 && e.releaseWait(waitKind(&t), wait-1) {
		e.table.replace(hash, k, i, waitKind(&t), wait-1)
	} else {
		e.table.remove(hash, k, i)
	}
	e.freeHalfOpen(k, i)
}

// synAckRTO is how long a record waits in a stage: RTOInitial, doubled at each
// time-out (RFC 6298 5.5).
func (e *Engine) synAckRTO(stage uint8) time.Duration {
	return min(e.cfg.RTOInitial<<min(stage, 16), e.cfg.RTOMax)
}

// expireHalfOpen repeats the SYN-ACKs that are due and gives up the records
// whose last one went unanswered.
func (e *Engine) expireHalfOpen() {
	for e.half.n > 0 {
		k := kindHalf4
		at, i := e.half.v4.due()
		if b, j := e.half.v6.due(); b < at {
			k, at, i = kindHalf6, b, j
		}
		if at > e.now {
			return
		}
		e.halfOpenTimeout(k, i)
	}
}

func (e *Engine) halfOpenTimeout(k kind, i uint32) {
	h := e.half.record(k, i)
	t := e.half.tuple(k, i)
	if e.cfg.Events.Wants(EventTimer) {
		e.cfg.Events.putUnverified(Event{Time: e.now, Tuple: t, Kind: EventTimer, Timer: TimerSynAck,
			From: StateSynReceived, To: StateSynReceived, Passive: true, Count: uint32(h.stage()) + 1})
	}
	l := &e.listeners[h.listener]
	deferred := h.opts&halfDeferred != 0 && e.halfOpenAge(h) < l.opts.DeferAccept && h.stage() < maxStages-1
	if int(h.stage()) >= e.synAckRetries() && !deferred {
		e.counters.Timeouts++
		e.dropHalfOpen(k, i, nil)
		return
	}
	if k == kindHalf4 {
		e.half.v4.unlink(i)
	} else {
		e.half.v6.unlink(i)
	}
	h.count++
	h.deadline = e.now.Add(e.synAckRTO(h.stage()))
	if k == kindHalf4 {
		e.half.v4.link(i)
	} else {
		e.half.v6.link(i)
	}
	if deferred {
		return // the peer has shown itself; it owes text, not an ACK
	}
	e.repeatSynAck(&t, h)
}

// halfOpenAge is how long ago the SYN came.
func (e *Engine) halfOpenAge(h *halfOpen) time.Duration {
	began := h.deadline
	for s := uint8(0); s <= h.stage(); s++ {
		began -= Time(e.synAckRTO(s))
	}
	return e.now.Sub(began)
}

// repeatSynAck sends the SYN-ACK again, unless its number is used up. A source
// that nobody has verified gets at most 1+SynAckRetries of them, whatever it
// sends.
func (e *Engine) repeatSynAck(t *Tuple, h *halfOpen) {
	if int(h.sends()) > max(e.cfg.SynAckRetries, 0) {
		e.counters.Drops[wire.DropDuplicate]++
		return
	}
	e.counters.Retransmits++
	e.counters.SynAckRetransmits++
	e.sendSynAck(t, h)
}
