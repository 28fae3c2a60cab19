package cc

// Reno is RFC 5681: slow start, and one segment more per round trip.
type Reno struct{}

// Name is "reno".
func (Reno) Name() string { return "reno" }

// Init prepares a State.
func (Reno) Init(s *State, smss, initialWindow uint32) { *s = start(smss, initialWindow) }

// Acked grows the window by what was acknowledged in slow start and by a
// segment per window afterwards.
//
// RFC 5681 §3.1: "When the number of bytes acknowledged reaches cwnd, then
// cwnd can be incremented by up to SMSS bytes."
// Obeys: RFC 9293 MUST-19; RFC 5681 3.1h.
func (Reno) Acked(s *State, a Ack) {
	if !a.Limited {
		return
	}
	rest := slowStart(s, a)
	if rest == 0 {
		return
	}
	s.rem += uint64(rest)
	if cwnd := uint64(s.Cwnd); s.rem >= cwnd {
		s.rem = min(s.rem-cwnd, cwnd)
		grow(s, uint64(s.SMSS))
	}
}

// Loss halves the window: RFC 5681 §3.2 step 2. The window is not inflated
// by three segments (step 3): whoever recovers as RFC 6675 or RFC 6582 does
// counts what left the network itself.
func (Reno) Loss(s *State, _ int64, inFlight uint32) {
	s.Ssthresh = threshold(s, inFlight, 1, 2)
	s.Cwnd = s.Ssthresh
	s.rem = 0
}

// Marked halves the window.
func (Reno) Marked(s *State, _ int64, inFlight uint32) {
	marked(s, inFlight, 1, 2)
	s.rem = 0
}

// Timeout goes back to one segment. RFC 5681 §3.1: when the segment "has
// already been retransmitted by way of the retransmission timer at least
// once, the value of ssthresh is held constant".
// Obeys: RFC 5681 3.1i, 3.1j, 3.1k.
func (Reno) Timeout(s *State, _ int64, inFlight uint32, first bool) {
	if first {
		s.Ssthresh = threshold(s, inFlight, 1, 2)
	}
	s.Cwnd = s.SMSS
	s.rem = 0
}

// Idle restarts slow start.
func (Reno) Idle(s *State, restart uint32) { idle(s, restart) }

// SetMSS takes a new segment size.
func (Reno) SetMSS(s *State, smss uint32) { setMSS(s, smss) }

// AppendState appends a canonical dump.
func (Reno) AppendState(b []byte, s *State, _ int64) []byte {
	return appendCommon(b, "reno", s)
}
