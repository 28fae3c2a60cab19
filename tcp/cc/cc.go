package cc

import (
	"math"
	"strconv"
	"time"
)

// MaxWindow is what no congestion window exceeds: the largest window that
// RFC 7323 §2.3 can advertise, 65535 << 14, rounded up; 1 GiB.
const MaxWindow = 1 << 30

// maxSMSS is the largest segment size that the MSS option can hold.
const maxSMSS = 65535

// State is what congestion control keeps of one connection: 64 bytes, no
// pointer. It is copied with the connection. Init fills it in.
type State struct {
	Cwnd     uint32 // congestion window, bytes
	Ssthresh uint32 // slow start threshold, bytes; math.MaxUint32: infinite
	SMSS     uint32 // sender maximum segment size, bytes

	// Of CUBIC alone, in the words of RFC 9438 §4.1.2.
	wMax    uint32 // W_max, bytes; 0: undefined
	prior   uint32 // cwnd_prior, bytes
	wEst    uint32 // W_est, bytes
	k       uint32 // K, µs
	running bool   // a stage of congestion avoidance has begun
	last    int64  // when the last ACK was counted, ns
	t       int64  // t: how long the stage has lasted, ns

	// Fractions of a byte of growth that earlier ACKs left over.
	estRem uint64 // of wEst
	rem    uint64 // of Cwnd; in Reno the bytes acknowledged towards the next segment
}

// Ack is what an ACK that delivered something tells.
type Ack struct {
	Now      int64         // ns
	Bytes    uint32        // newly acknowledged: cumulatively, or by SACK where that counts as delivered
	SRTT     time.Duration // smoothed round trip; 0: not known yet
	InFlight uint32        // bytes, before this ACK
	Limited  bool          // the whole window was in use; without it nothing grows (RFC 9438 §5.8, RFC 7661)

	// Repair says that slow start is repairing a time-out and that the ACK
	// may cover what had arrived long before: it counts for at most one SMSS
	// (RFC 3465 §2.3).
	Repair bool
}

// Algorithm is a way of congestion control. It holds nothing: everything is
// in the State.
type Algorithm interface {
	// Name is what ByName takes.
	Name() string

	// Init prepares a State; both sizes are in bytes. The slow start
	// threshold is infinite.
	Init(s *State, smss, initialWindow uint32)

	// Acked grows the window, outside fast recovery.
	Acked(s *State, a Ack)

	// Loss reduces Ssthresh and sets Cwnd to it: fast recovery begins.
	// inFlight is RFC 5681's FlightSize, before the retransmission.
	Loss(s *State, now int64, inFlight uint32)

	// Marked reduces both because the network has marked a packet (RFC 3168
	// §6.1.2), as Loss does, but Cwnd down to one segment.
	Marked(s *State, now int64, inFlight uint32)

	// Timeout reduces Cwnd to one segment, and Ssthresh if this is the first
	// time-out of that segment (RFC 5681 §3.1).
	Timeout(s *State, now int64, inFlight uint32, first bool)

	// Idle restarts a connection that has not sent for longer than an RTO
	// with the given window in bytes (RFC 5681 §4.1).
	Idle(s *State, restart uint32)

	// SetMSS takes over a new SMSS after the path's MTU changed.
	SetMSS(s *State, smss uint32)

	// AppendState appends a canonical dump: times are relative to now.
	AppendState(b []byte, s *State, now int64) []byte
}

// Kind is an algorithm in the one byte that a connection has for it. 0 is
// none.
type Kind uint8

var kinds = [...]Algorithm{nil, Reno{}, Cubic{}}

// Algorithm is the algorithm itself; nil for none.
func (k Kind) Algorithm() Algorithm { return kinds[k] }

// ByName finds an algorithm: "reno" or "cubic".
func ByName(name string) (Kind, bool) {
	for k, a := range kinds {
		if a != nil && a.Name() == name {
			return Kind(k), true
		}
	}
	return 0, false
}

// start is the State that a connection begins with.
// Obeys: RFC 5681 3.1f.
func start(smss, initialWindow uint32) State {
	smss = min(max(smss, 1), maxSMSS)
	return State{
		Cwnd:     min(max(initialWindow, smss), MaxWindow),
		Ssthresh: math.MaxUint32,
		SMSS:     smss,
	}
}

// slowStart grows the window by what was acknowledged, up to the threshold,
// and returns the bytes that it had no use for: congestion avoidance goes on
// with them.
//
// RFC 5681 §3.1: "cwnd += min (N, SMSS)", where N is the number of bytes.
// Deviation: the limit on N (L in RFC 3465 §2.2) is infinite, since one ACK
// may cover a super-segment; RFC 9406 §4.2 allows that to whoever paces.
// Growth by bytes still at most doubles the window in a round trip.
// Obeys: RFC 9293 MUST-19; RFC 5681 3.1a; RFC 9438 5.8.
func slowStart(s *State, a Ack) (rest uint32) {
	n := a.Bytes
	if a.Repair {
		n = min(n, s.SMSS)
	}
	if s.Cwnd >= s.Ssthresh {
		return n
	}
	used := min(n, s.Ssthresh-s.Cwnd)
	grow(s, uint64(used))
	return n - used
}

// grow adds n bytes to the window.
func grow(s *State, n uint64) {
	s.Cwnd = uint32(min(uint64(s.Cwnd)+n, MaxWindow))
}

// threshold is RFC 5681 §3.1 equation 4 for the factor num/den: "max
// (FlightSize / 2, 2*SMSS)". What limited transmit sent beyond the window
// must not count (§3.2 step 2), hence the smaller of flight and window.
// Obeys: RFC 5681 3.1i, 3.2e; RFC 9438 4.6c.
func threshold(s *State, inFlight uint32, num, den uint64) uint32 {
	flight := uint64(min(inFlight, s.Cwnd))
	return uint32(max(flight*num/den, 2*uint64(s.SMSS)))
}

// marked sets the window after a mark. RFC 9438 §4.6 writes the lower limit of
// each out: "cwnd = max(ssthresh, 1)" and then "ssthresh = max(ssthresh, 2)".
// Obeys: RFC 9438 4.6d.
func marked(s *State, inFlight uint32, num, den uint64) {
	s.Ssthresh = threshold(s, inFlight, num, den)
	s.Cwnd = uint32(max(uint64(min(inFlight, s.Cwnd))*num/den, uint64(s.SMSS)))
}

// idle is RFC 5681 §4.1: "RW = min(IW,cwnd)".
func idle(s *State, restart uint32) {
	s.Cwnd = min(s.Cwnd, max(restart, s.SMSS))
	s.rem = 0
}

// setMSS takes a new segment size. RFC 5681 §3.1, for a segment size that
// "is found to be too large": "cwnd SHOULD be reduced by the ratio of the old
// segment size to the new segment size". A larger one changes no window.
// Obeys: RFC 5681 3.1e.
func setMSS(s *State, smss uint32) {
	smss = min(max(smss, 1), maxSMSS)
	old := s.SMSS
	s.SMSS = smss
	if smss < old {
		s.Cwnd = ratio(s.Cwnd, smss, old)
		s.wMax = ratio(s.wMax, smss, old)
		s.prior = ratio(s.prior, smss, old)
	}
	s.Cwnd = max(s.Cwnd, smss)
	s.Ssthresh = max(s.Ssthresh, 2*smss)
	s.rem = 0
}

// ratio is v * num / den, num <= den.
func ratio(v, num, den uint32) uint32 {
	return uint32(uint64(v) * uint64(num) / uint64(den))
}

// appendCommon dumps what all algorithms have.
func appendCommon(b []byte, name string, s *State) []byte {
	b = append(b, name...)
	b = appendField(b, "cwnd", uint64(s.Cwnd))
	if s.Ssthresh == math.MaxUint32 {
		b = append(b, " ssthresh=inf"...)
	} else {
		b = appendField(b, "ssthresh", uint64(s.Ssthresh))
	}
	b = appendField(b, "smss", uint64(s.SMSS))
	return appendField(b, "rem", s.rem)
}

func appendField(b []byte, name string, v uint64) []byte {
	b = append(append(append(b, ' '), name...), '=')
	return strconv.AppendUint(b, v, 10)
}
