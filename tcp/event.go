package tcp

import (
	"estab/internal/seq"
	"estab/internal/wire"
)

// The engine's words for what it exchanges with the layer below are those of
// the wire.
type (
	Segment   = wire.Segment
	Tuple     = wire.Tuple
	Flags     = wire.Flags
	Options   = wire.Options
	SACKBlock = wire.SACKBlock
	Reason    = wire.Reason
	Num       = seq.Num
)

// EventKind says what an Event is about. Each kind is a bit of a mask.
type EventKind uint16

const (
	EventState   EventKind = 1 << iota // a state changed: From, To, and the segment that caused it if one did
	EventIn                            // a segment arrived for a connection: Seg
	EventOut                           // a segment left: Seg; Retransmit tells
	EventDrop                          // a segment was discarded: Reason, Seg
	EventTimer                         // a timer went off: Timer, Count
	EventCwnd                          // the congestion state changed: Cwnd, Ssthresh, Why
	EventBlocked                       // data waits and nothing is sent: Why
	EventRTT                           // a round trip was measured: Value (ns), SRTT
	EventClosed                        // a connection ended for its user: Err (0: in order)
	EventICMP                          // an ICMP error came that is about the connection: Err

	EventAll EventKind = 1<<iota - 1
)

// TimerKind names a timer of a connection.
type TimerKind uint8

const (
	TimerRetransmit TimerKind = iota // RFC 6298; also the SYN's
	TimerPersist                     // zero-window probes
	TimerDelayedAck
	TimerKeepAlive
	TimerUser     // user timeout, linger and the orphan's limits (FIN-WAIT-2)
	NumTimers     // what a TCB holds; the records have their own:
	TimerTimeWait // 2 MSL
	TimerSynAck   // repeats of a SYN-ACK of a half-open record
)

// String is the timer's name as `ss` prints it, where it does.
func (k TimerKind) String() string {
	switch k {
	case TimerRetransmit:
		return "on"
	case TimerPersist:
		return "persist"
	case TimerDelayedAck:
		return "delack"
	case TimerKeepAlive:
		return "keepalive"
	case TimerUser:
		return "user"
	case TimerTimeWait:
		return "timewait"
	case TimerSynAck:
		return "synack"
	}
	return "timer?"
}

// Why qualifies an EventBlocked or an EventCwnd.
type Why uint8

const (
	WhyNone         Why = iota
	WhyPeerWindow       // the peer's window is full
	WhyZeroWindow       // the peer's window is zero: probing
	WhyCwnd             // the congestion window is full
	WhyNagle            // a small segment waits for an ACK (RFC 1122 §4.2.3.4)
	WhySillyWindow      // too little window for a worthwhile segment
	WhyCork             // the user holds it back
	WhyLink             // the link has no room
	WhyNoData           // nothing to send
	WhyFastRecovery     // entered fast recovery (RFC 6675, RFC 6582)
	WhyRecovered        // left it
	WhyTimeout          // a retransmission time-out
	WhyIdle             // restart after idle (RFC 5681 §4.1)
	WhyReneged          // the peer forgot what it had SACKed
	WhyMTU              // the path takes less than thought
	WhyMarked           // the network marked a packet (RFC 3168)
	numWhys
)

var whyNames = [numWhys]string{
	"", "peer-window", "zero-window", "cwnd", "nagle", "silly-window", "cork", "link", "no-data",
	"fast-recovery", "recovered", "timeout", "idle", "reneged", "mtu", "marked",
}

// String is the reason's name.
func (w Why) String() string {
	if w < numWhys {
		return whyNames[w]
	}
	return "why?"
}

// SegHeader is what an event keeps of a segment: everything but the text.
type SegHeader struct {
	Seq, Ack seq.Num
	Flags    Flags
	Wnd      uint16
	Up       uint16
	Len      uint32 // bytes of text
	Options  Options
}

// Event is something that happened in an engine. It holds no pointer.
type Event struct {
	Time Time
	Tuple
	Kind       EventKind
	Conn       ConnID // zero for records and for what belongs to no connection
	From, To   State
	Reason     Reason
	Timer      TimerKind
	Why        Why
	Err        Error
	Passive    bool // the connection came from a listener
	Retransmit bool
	HasSeg     bool // Seg is set
	Seg        SegHeader
	Count      uint32 // of this timer in a row; SACKed, lost or retransmitted segments
	Cwnd       uint32 // bytes
	Ssthresh   uint32 // bytes
	Value      int64
}

// Ring is a lossy buffer of events that a user supplies: when it is full the
// oldest go, and Lost counts them. Nothing in the engine depends on it.
//
// What comes from a source that has not completed a handshake is sampled: no
// more than one such event in eight slots, so that a flood can't push out the
// story of the connections that live.
type Ring struct {
	Mask   EventKind // the kinds to keep
	Lost   uint64    // overwritten before anybody read them
	events []Event
	head   uint64 // next to read
	tail   uint64 // next to write
	noise  uint32 // unverified events since the last verified one
}

// NewRing makes a ring of n events (at least 1) of the kinds in mask.
func NewRing(n int, mask EventKind) *Ring {
	return &Ring{Mask: mask, events: make([]Event, max(n, 1))}
}

// Wants reports whether an event of this kind would be kept.
// Obeys: RFC 9293 SHLD-20.
func (r *Ring) Wants(k EventKind) bool { return r != nil && r.Mask&k != 0 }

// Put appends an event.
func (r *Ring) Put(e Event) {
	r.noise = 0
	r.put(e)
}

func (r *Ring) put(e Event) {
	if r.tail-r.head == uint64(len(r.events)) {
		r.head++
		r.Lost++
	}
	r.events[r.tail%uint64(len(r.events))] = e
	r.tail++
}

// putUnverified appends an event whose cause is a source that nobody has
// verified; beyond an eighth of the ring in a row it only counts.
func (r *Ring) putUnverified(e Event) {
	if r.noise >= uint32(len(r.events)+7)/8 {
		r.Lost++
		return
	}
	r.noise++
	r.put(e)
}

// Next takes the oldest event out of the ring.
func (r *Ring) Next() (Event, bool) {
	if r == nil || r.head == r.tail {
		return Event{}, false
	}
	e := r.events[r.head%uint64(len(r.events))]
	r.head++
	return e, true
}

// Drain takes all events out of the ring, oldest first, and appends them to
// dst.
func (r *Ring) Drain(dst []Event) []Event {
	for e, ok := r.Next(); ok; e, ok = r.Next() {
		dst = append(dst, e)
	}
	return dst
}
