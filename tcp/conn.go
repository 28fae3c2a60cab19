package tcp

import (
	"time"

	"estab/internal/wire"
	"estab/tcp/cc"
)

// ConnID names a connection for its user: the slot of its TCB and the slot's
// generation. It is valid until the user closes or aborts the connection.
type ConnID uint64

func (id ConnID) slot() uint32 { return uint32(id) - 1 }
func (id ConnID) gen() uint32  { return uint32(id >> 32) }

// connFlags are facts about a connection that take one bit.
type connFlags uint64

const (
	fUser        connFlags = 1 << iota // a user holds the ConnID; without: an orphan
	fPassive                           // came from a listener (RFC 9293: passive OPEN)
	fQueued                            // waits in an accept queue
	fInTable                           // the flow table points to it
	fNoDelay                           // Nagle off
	fCork                              // hold back what is less than a full segment
	fMore                              // the last Send said that more follows
	fTimestamps                        // both ends sent the option (RFC 7323 §3.2)
	fScale                             // both ends sent the option (RFC 7323 §2.2)
	fSACK                              // both ends allow SACK (RFC 2018 §2)
	fCloseCalled                       // CLOSE was called: a FIN follows the queued data
	fFinSent                           // our FIN took its sequence number
	fFinAcked                          // and is acknowledged
	fFinKnown                          // the peer's FIN is at rcv.fin
	fFinReceived                       // and everything before it has arrived
	fReadClosed                        // the user wants nothing more
	fSynDue                            // Output owes a SYN or a SYN-ACK
	fAckNow                            // Output owes an ACK
	fProbeDue                          // Output owes a probe (zero window or keep-alive)
	fPersist                           // the zero-window probe timer runs
	fDirty                             // in Engine.dirty
	fBlocked                           // in Engine.blocked: the link had no room
	fReady                             // in Engine.ready
	fDelayFinAck                       // ConnConfig.DelayFinAck
	fUrgent                            // SND.UP is ahead of SND.UNA
	fFixedRcvBuf                       // the user chose the size
	fFixedSndBuf
	fCwndLimited     // the last Output stopped at the congestion window
	fForceRetransmit // the first retransmission of a recovery ignores cwnd
	fKeepAlive
	fWasConnected // the handshake completed once
	fWriteWait    // a Send found no room: say when there is
	fForcePush    // the override timeout passed: send what there is (RFC 9293 §3.8.6.2.1)
	fLinger       // the user gave the close a time limit
	fPatient      // the user waits for an ACK for ever: R2 is infinite
	fECN          // both ends agreed on ECN (RFC 3168 §6.1.1); in SYN-SENT: our SYN offers it
	fEchoMark     // a mark came: ACKs say ECE until a segment says CWR
	fSendCWR      // the window was reduced: the next new text says CWR
	fLends        // the path takes text in the memory in which it is queued (lend.go)
	fSums         // the path wants checksums
	fUrgentMode   // RCV.UP is ahead of what the user has read (RFC 9293 §3.8.5)
)

// conn is the TCB of RFC 9293 §3.3.1: everything about one connection that is
// neither half-open (see halfOpen) nor waiting for 2 MSL (see timeWait).
//
// It takes 568 bytes, which with the allocator's word is a size class. So the
// fields stand by their size within what belongs together.
// Obeys: RFC 9293 REC-1, MUST-45.
type conn struct {
	tuple  Tuple
	flags  connFlags
	slot   uint32
	gen    uint32
	tag    uint32 // the shell's
	egress uint32

	snd struct { // Figure 3
		UNA, NXT, UP, WL1, WL2, ISS Num
		WND                         uint32 // bytes, scaled
		maxWND                      uint32 // the largest WND seen: RFC 5961 §5, RFC 9293 §3.8.6.2.1
		push                        Num    // the end of the last SEND that pushed its text
		small                       Num    // the end of the last segment sent that was less than full
		scale                       uint8
	}
	rcv struct { // Figure 4
		NXT, UP, IRS Num
		WND          uint32 // bytes: the right edge RCV.NXT+RCV.WND never moves left
		fin          Num    // sequence number of the peer's FIN, if fFinKnown
		rounded      uint32 // by how much offer has rounded WND up since it last grew
		lastAck      Num    // Last.ACK.sent of RFC 7323 §4.3
		scale        uint8
	}
	rcvBuf, sndBuf uint32 // sizes of the buffers, bytes
	smss           uint16 // largest text we send, options not counted (RFC 5681 SMSS)
	rmss           uint16 // largest text that arrived, the peer's segment size as far as we know
	pathMSS        uint16 // what the path and the peer allow; smss is at most that

	state     State
	err       Error // the pending error (SO_ERROR)
	softErr   Error // the last ICMP error in a synchronised state
	ready     Readiness
	tos       uint8
	quickAcks uint8 // this many more segments are acknowledged at once

	sendq sendQueue
	rtx   rtxQueue
	recvq recvQueue
	ooo   *reassembly

	// Round trips and retransmission (rto.go, retransmit.go).
	srtt, rttvar time.Duration
	rto          time.Duration
	tsRecentAt   Time // when tsRecent was set (RFC 7323 §5.5)
	sentAt       Time // when data was last sent
	heardAt      Time // when anything was last received
	tsRecent     uint32
	tsOffset     uint32

	// Acknowledgements we owe (delack.go).
	unacked uint32    // bytes received in order and not yet acknowledged
	dsack   SACKBlock // RFC 2883: the duplicate to report with the next ACK; empty if Left == Right

	maxFlight             uint32       // most in flight in the window that ends at usageSeq
	usageSeq              Num          // see validateCwnd
	recover               Num          // RFC 6582: SND.NXT when recovery began
	highSacked            Num          // the end of the highest SACKed text
	lossSeen              Num          // below it everything was looked at for loss (recovery.go)
	lostHint              Num          // no text before it is marked lost
	rescue                Num          // RFC 6675: RescueRxt
	sacked, lost, retrans uint32       // bytes in flight with that mark
	twice                 uint32       // likewise
	lastSACK              [2]SACKBlock // blocks already taken in, so as not to walk them again
	cong                  cc.State

	deadlines   [NumTimers]Time
	timerAt     Time // where the heap holds it; Never: not in the heap
	challengeAt Time // when the next challenge ACK may go (RFC 5961 §7)
	lastOOWAck  Time // likewise for ACKs of what lies outside the window

	// How fast text arrives, to size the receive buffer (growth.go).
	autoSince   uint32 // when this round began, us
	autoRTT     uint32 // the shortest round trip that its text has told, us; noRTT: it has told none
	autoArrived uint32 // bytes in order since then

	timerPos int32  // index in the heap
	tw       uint32 // a TIME-WAIT record (its slot + 1) that this connection reopens

	keepIdle, keepInterval uint32 // ms
	finWait2               uint32 // ms that an orphan stays in FIN-WAIT-2; 0: for ever
	userTimeout            uint32 // ms that sent text may stay unacknowledged; 0: R2 decides, or nothing (fPatient)

	dupAcksDue uint16 // ACKs of which each out-of-order segment gets its own
	dupAcks    uint16 // RFC 5681's count
	retries    uint8  // of the segment at SND.UNA
	probes     uint8  // zero-window or keep-alive probes without an answer
	backoff    uint8  // zero-window probes sent since the window was last open
	stuckFull  uint8  // time-outs of a full-sized segment in a row (pmtud.go)
	maxRetries uint8  // R2 for SYNs
	keepCount  uint8
	alg        cc.Kind // how cong is controlled
	ca         caState
}

// caState is where congestion control stands.
type caState uint8

const (
	caOpen     caState = iota
	caRecovery         // fast recovery
	caLoss             // after a retransmission time-out
	caCWR              // a mark was echoed, and the window reduced (RFC 3168 §6.1.2)
)

func (c *conn) id() ConnID           { return ConnID(c.gen)<<32 | ConnID(c.slot+1) }
func (c *conn) has(f connFlags) bool { return c.flags&f != 0 }
func (c *conn) set(f connFlags)      { c.flags |= f }
func (c *conn) clear(f connFlags)    { c.flags &^= f }
func (c *conn) put(f connFlags, v bool) {
	if v {
		c.flags |= f
	} else {
		c.flags &^= f
	}
}

// rcvEdge is the right edge of the window that we have advertised.
func (c *conn) rcvEdge() Num { return c.rcv.NXT + Num(c.rcv.WND) }

// unread is the sequence number of the next byte that the user will read.
func (c *conn) unread() Num {
	n := c.rcv.NXT - Num(c.recvq.n)
	if c.has(fFinReceived) {
		n--
	}
	return n
}

// flightSize is what was sent and not acknowledged (RFC 5681 FlightSize).
func (c *conn) flightSize() uint32 { return uint32(c.snd.NXT - c.snd.UNA) }

// unsent is how many bytes of the send queue have never been sent.
func (c *conn) unsent() uint32 {
	sent := uint32(c.snd.NXT - c.sendq.base)
	if c.has(fFinSent) {
		sent--
	}
	if sent > uint32(c.sendq.n) { // only the SYN is in flight
		return uint32(c.sendq.n)
	}
	return uint32(c.sendq.n) - sent
}

// newConn takes a TCB from the free list or makes one.
func (e *Engine) newConn(t *Tuple) *conn {
	var c *conn
	if n := len(e.freeConns); n > 0 {
		slot := e.freeConns[n-1]
		e.freeConns = e.freeConns[:n-1]
		if e.conns[slot] == nil {
			e.conns[slot] = &conn{slot: slot, gen: e.gens[slot]}
		}
		c = e.conns[slot]
	} else {
		c = &conn{slot: uint32(len(e.conns))}
		e.conns = append(e.conns, c)
		e.gens = append(e.gens, 0)
	}
	*c = conn{tuple: *t, slot: c.slot, gen: c.gen + 1, timerAt: Never, timerPos: -1}
	e.gens[c.slot] = c.gen
	for i := range c.deadlines {
		c.deadlines[i] = Never
	}
	e.nConns++
	return c
}

// keepFreeConns bounds how many empty TCBs wait for reuse; more goes to the
// garbage collector.
const keepFreeConns = 256

// freeConn gives everything back that the connection holds. It is in CLOSED,
// out of the table, and its user is gone.
func (e *Engine) freeConn(c *conn) {
	e.dropBuffers(c)
	e.timers.remove(e, c)
	c.flags = 0
	c.state = StateClosed
	e.nConns--
	e.freeConns = append(e.freeConns, c.slot)
	if len(e.freeConns) > keepFreeConns {
		e.conns[c.slot] = nil
	}
}

// dropBuffers empties all queues of the connection.
func (e *Engine) dropBuffers(c *conn) {
	e.dropSendQueue(c)
	c.recvq.drop(&e.pool)
	e.dropReassembly(c)
}

// dropSendQueue forgets what was to be sent or might have to be repeated.
func (e *Engine) dropSendQueue(c *conn) {
	c.sendq.drop(&e.pool)
	e.rings.put(&c.rtx)
	c.sacked, c.lost, c.retrans, c.twice = 0, 0, 0, 0
}

// lookup finds the connection of a user's handle.
func (e *Engine) lookup(id ConnID) *conn {
	if s := id.slot(); uint64(s) < uint64(len(e.conns)) {
		if c := e.conns[s]; c != nil && c.gen == id.gen() && c.has(fUser) {
			return c
		}
	}
	return nil
}

// setState is the one place where a state is written. It checks the table of
// legal transitions and records the event.
func (e *Engine) setState(c *conn, to State, cause *Segment) {
	from := c.state
	if !Legal(from, to) {
		e.counters.IllegalTransitions++
	}
	c.state = to
	if e.cfg.Events.Wants(EventState) {
		ev := e.event(EventState, c)
		ev.From, ev.To = from, to
		setSeg(&ev, cause)
		e.cfg.Events.Put(ev)
	}
}

// event begins an event about a connection.
func (e *Engine) event(k EventKind, c *conn) Event {
	return Event{
		Time: e.now, Tuple: c.tuple, Kind: k, Conn: c.id(), From: c.state, To: c.state,
		Passive: c.has(fPassive), Cwnd: c.cong.Cwnd, Ssthresh: c.cong.Ssthresh,
	}
}

// segmentEvent records a segment that came or left.
func (e *Engine) segmentEvent(k EventKind, c *conn, seg *Segment, again bool) {
	ev := e.event(k, c)
	ev.Retransmit = again
	setSeg(&ev, seg)
	e.cfg.Events.Put(ev)
}

func setSeg(ev *Event, seg *Segment) {
	if seg == nil {
		return
	}
	ev.HasSeg = true
	ev.Seg = SegHeader{
		Seq: seg.Seq, Ack: seg.Ack, Flags: seg.Flags, Wnd: seg.Wnd, Up: seg.Up,
		Len: uint32(seg.DataLen()), Options: present(&seg.Options),
	}
}

// present is a copy of the options without what earlier segments left in the
// fields that Set does not name.
func present(o *Options) Options {
	p := Options{Set: o.Set}
	if o.Has(wire.OptMSS) {
		p.MSS = o.MSS
	}
	if o.Has(wire.OptWindowScale) {
		p.WindowScale = o.WindowScale
	}
	if o.Has(wire.OptTimestamps) {
		p.TSVal, p.TSEcr = o.TSVal, o.TSEcr
	}
	if o.Has(wire.OptSACK) {
		p.NSACK = o.NSACK
		copy(p.SACK[:o.NSACK], o.SACK[:o.NSACK])
	}
	return p
}
