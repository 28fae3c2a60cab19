package tcp

import "time"

// Status is the STATUS of §3.10.6 in the RFC's words and those of `ss -tin`.
// Obeys: RFC 9293 MUST-33, SHLD-25.
type Status struct {
	Tuple   Tuple
	State   State
	Passive bool
	Orphan  bool // nobody holds the connection

	ISS, IRS                          Num
	SndUNA, SndNXT, SndUP             Num
	SndWL1, SndWL2                    Num
	RcvNXT, RcvUP                     Num
	SndWND, RcvWND                    uint32 // bytes; RcvWND as far as a header can say it
	SndScale, RcvScale                uint8
	Timestamps, SACK, Scaling, ECN    bool
	SMSS, RMSS, PathMSS               int // bytes
	SendBuffer, ReceiveBuffer         int // sizes, bytes
	SendQueue, ReceiveQueue           int // bytes queued; sent but unacknowledged ones count
	Unsent                            int
	UrgentToRead                      int    // bytes up to RCV.UP that were not read yet (§3.8.5)
	OutOfOrder                        int    // stretches beyond a gap
	Cwnd, Ssthresh                    uint32 // bytes
	FlightSize, Sacked, Lost, Retrans uint32 // bytes
	InFlight, SackedSegs, LostSegs    int    // segments
	RetransSegs                       int    // sent again and in flight
	Congestion                        string
	Recovery                          string // "open", "recovery", "loss" or "cwr" (after a mark)
	SRTT, RTTVar, RTO                 time.Duration
	Retries, Backoff                  int // repeats of the segment at SND.UNA; doublings of its timer
	DupAcks                           int
	NoDelay, Cork, KeepAlive          bool
	TOS                               uint8
	Timers                            [NumTimers]Time // Never: off
	SentAt, HeardAt                   Time
	FinSent, FinAcked, FinReceived    bool
	Err                               Error // pending
	SoftErr                           Error // the last ICMP error that ended nothing (§3.9.2.2), until text is acknowledged
}

var caNames = [...]string{"open", "recovery", "loss", "cwr"}

// Status describes a connection. ErrNoConnection: there is none with this
// handle.
func (e *Engine) Status(now Time, id ConnID) (Status, Error) {
	e.clock(now)
	c := e.lookup(id)
	if c == nil {
		return Status{}, ErrNoConnection
	}
	return e.status(c), 0
}

// StatusOf describes whatever the engine holds for a pair of sockets: of a
// record only Tuple, State and Passive are set. ErrNoConnection: nothing.
func (e *Engine) StatusOf(now Time, t Tuple) (Status, Error) {
	e.clock(now)
	switch k, i := e.find(&t, e.Hash(&t)); k {
	case kindConn:
		return e.status(e.conns[i]), 0
	case kindHalf4, kindHalf6:
		return Status{Tuple: t, State: StateSynReceived, Passive: true}, 0
	case kindWait4, kindWait6:
		return Status{Tuple: t, State: StateTimeWait, Passive: e.wait.record(k, i).opts&waitPassive != 0}, 0
	}
	return Status{}, ErrNoConnection
}

func (e *Engine) status(c *conn) Status {
	s := Status{
		Tuple: c.tuple, State: c.state, Passive: c.has(fPassive), Orphan: !c.has(fUser | fQueued),
		ISS: c.snd.ISS, IRS: c.rcv.IRS, SndUNA: c.snd.UNA, SndNXT: c.snd.NXT, SndUP: c.snd.UP,
		SndWL1: c.snd.WL1, SndWL2: c.snd.WL2, RcvNXT: c.rcv.NXT, RcvUP: c.rcv.UP,
		SndWND: c.snd.WND, RcvWND: min(c.rcv.WND, 65535<<c.rcv.scale), SndScale: c.snd.scale, RcvScale: c.rcv.scale,
		Timestamps: c.has(fTimestamps), SACK: c.has(fSACK), Scaling: c.has(fScale), ECN: c.has(fECN),
		SMSS: int(c.smss), RMSS: int(c.rmss), PathMSS: int(c.pathMSS),
		SendBuffer: int(c.sndBuf), ReceiveBuffer: int(c.rcvBuf),
		SendQueue: int(c.sendq.n), ReceiveQueue: c.recvq.n, Unsent: int(c.unsent()),
		Cwnd: c.cong.Cwnd, Ssthresh: c.cong.Ssthresh, FlightSize: c.flightSize(),
		Sacked: c.sacked, Lost: c.lost, Retrans: c.retrans,
		Recovery: caNames[c.ca], SRTT: c.srtt, RTTVar: c.rttvar, RTO: c.rto,
		Retries: int(c.retries), Backoff: int(max(c.backoff, c.retries)), DupAcks: int(c.dupAcks),
		NoDelay: c.has(fNoDelay), Cork: c.has(fCork), KeepAlive: c.has(fKeepAlive), TOS: c.tos,
		Timers: c.deadlines, SentAt: c.sentAt, HeardAt: c.heardAt,
		FinSent: c.has(fFinSent), FinAcked: c.has(fFinAcked), FinReceived: c.has(fFinReceived), Err: c.err, SoftErr: c.softErr,
	}
	if c.has(fUrgentMode) {
		s.UrgentToRead = int(c.rcv.UP - c.unread())
	}
	if c.alg != 0 {
		s.Congestion = c.alg.Algorithm().Name()
	}
	s.InFlight = c.rtx.len()
	for i := range c.rtx.len() {
		m := c.rtx.at(i).marks
		s.SackedSegs += int(m & markSacked / markSacked)
		s.LostSegs += int(m & markLost / markLost)
		s.RetransSegs += int(m & markRetrans / markRetrans)
	}
	if c.ooo != nil {
		s.OutOfOrder = c.ooo.spans.n
	}
	return s
}

// States calls yield for everything that is in a state: connections,
// listeners, half-open and TIME-WAIT records, in no particular but a
// repeatable order, until it returns false.
func (e *Engine) States(yield func(Tuple, State) bool) {
	for i := range e.listeners {
		l := &e.listeners[i]
		if l.inUse && !yield(Tuple{Local: l.opts.Addr, LocalPort: l.opts.Port}, StateListen) {
			return
		}
	}
	for _, c := range e.conns {
		if c != nil && c.has(fInTable) && !yield(c.tuple, c.state) {
			return
		}
	}
	if e.half.each(func(t Tuple) bool { return yield(t, StateSynReceived) }) {
		e.wait.each(func(t Tuple) bool { return yield(t, StateTimeWait) })
	}
}

func (h *halfOpens) each(yield func(Tuple) bool) bool {
	for k := range maxStages {
		for n := h.v4.stages[k].head; n != 0; n = h.v4.at(n - 1).next {
			if !yield(h.v4.tuple(n - 1)) {
				return false
			}
		}
		for n := h.v6.stages[k].head; n != 0; n = h.v6.at(n - 1).next {
			if !yield(h.v6.tuple(n - 1)) {
				return false
			}
		}
	}
	return true
}

func (w *timeWaits) each(yield func(Tuple) bool) bool {
	for n := w.v4.head; n != 0; n = w.v4.at(n - 1).next {
		if w.v4.at(n-1).opts&waitHeld == 0 && !yield(w.v4.tuple(n-1)) {
			return false
		}
	}
	for n := w.v6.head; n != 0; n = w.v6.at(n - 1).next {
		if w.v6.at(n-1).opts&waitHeld == 0 && !yield(w.v6.tuple(n-1)) {
			return false
		}
	}
	return true
}
