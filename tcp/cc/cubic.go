package cc

import (
	"math"
	"math/bits"
	"strconv"
	"time"
)

// Cubic is RFC 9438. Windows are in bytes, so C is 0.4 SMSS per cubed second;
// times are in microseconds.
// Obeys: RFC 9293 MAY-18.
type Cubic struct{}

// RFC 9438 §4.6 and §5.1: β is 0.7, C is 0.4, and so α = 3(1-β)/(1+β) is 9/17
// (§4.3).
const (
	betaNum, betaDen   = 7, 10
	alphaNum, alphaDen = 9, 17

	// perC is cubed microseconds in a cubed second, over C.
	perC = 1e18 * 10 / 4
)

// Name is "cubic".
func (Cubic) Name() string { return "cubic" }

// Init prepares a State.
func (Cubic) Init(s *State, smss, initialWindow uint32) { *s = start(smss, initialWindow) }

// Acked grows the window: slow start below the threshold, the cubic function
// or Reno's estimate, whichever is ahead, above it (RFC 9438 §4.2).
//
// Deviation: §4.10 wants slow start up to and including the threshold; here,
// as RFC 5681 §3.1 allows, it ends on reaching it. Otherwise the first ACK
// after every recovery would count for slow start.
// Obeys: RFC 9438 4.10a.
func (Cubic) Acked(s *State, a Ack) {
	if !a.Limited {
		s.last = a.Now
		return
	}
	rest := slowStart(s, a)
	if s.Cwnd < s.Ssthresh {
		s.running = false
		return
	}
	if !s.running {
		beginStage(s, a.Now)
	}
	advance(s, a)
	if rest > 0 {
		avoid(s, rest, a.SRTT)
	}
}

// beginStage starts a stage of congestion avoidance (RFC 9438 §4.2). Where
// W_max is not known (after a time-out, §4.8) or was passed in slow start, K
// is 0 and W_max the window.
func beginStage(s *State, now int64) {
	s.running = true
	s.last = now
	s.t, s.rem, s.estRem = 0, 0, 0
	s.wEst = s.Cwnd
	if s.wMax <= s.Cwnd {
		s.wMax = s.Cwnd
	}
	s.k = epochK(s.wMax-s.Cwnd, s.SMSS)
}

// advance moves t on. RFC 9438 §4.2: it "MUST NOT include periods during
// which cwnd has not been updated due to application-limited behavior". An
// ACK that comes later than a round trip after the one before ends such a
// period, so none adds more than that.
// Obeys: RFC 9438 4.2a.
func advance(s *State, a Ack) {
	d := max(a.Now-s.last, 0)
	if a.SRTT > 0 {
		d = min(d, int64(a.SRTT))
	}
	s.t = min(s.t+d, int64(math.MaxUint32)*int64(time.Microsecond))
	s.last = a.Now
}

// avoid is congestion avoidance for n acknowledged bytes.
// Obeys: RFC 9438 4.2b, 4.3a, 4.4, 4.5.
func avoid(s *State, n uint32, srtt time.Duration) {
	growEst(s, n)
	cwnd := s.Cwnd

	// §4.3: "CUBIC checks whether W_cubic(t) is less than W_est. If so, …
	// cwnd SHOULD be set to W_est". It never shrinks by that.
	if wCubic(s, s.t) < uint64(s.wEst) {
		s.Cwnd = max(cwnd, s.wEst)
		return
	}

	// §4.4 and §4.5: cwnd grows by (target - cwnd) / cwnd for each segment.
	target := min(max(wCubic(s, s.t+int64(max(srtt, 0))), uint64(cwnd)), uint64(cwnd)+uint64(cwnd)/2)
	room := target - uint64(cwnd)
	sum := room*uint64(n) + s.rem
	s.rem = sum % uint64(cwnd)
	grow(s, min(sum/uint64(cwnd), room))
}

// growEst is figure 4: W_est grows by α segments per window acknowledged,
// with α = 1 from cwnd_prior on.
// Obeys: RFC 9438 4.3b.
func growEst(s *State, n uint32) {
	num, den := uint64(alphaNum), uint64(alphaDen)
	if s.wEst >= s.prior {
		num = den
	}
	// At most one window's worth an ACK, so SMSS * 17 * 2^30 at most.
	n = min(n, s.Cwnd)
	sum := uint64(n)*uint64(s.SMSS)*num + s.estRem
	per := den * uint64(s.Cwnd)
	s.estRem = sum % per
	s.wEst = uint32(min(uint64(s.wEst)+sum/per, MaxWindow))
}

// wCubic is figure 1 in bytes, t in nanoseconds.
func wCubic(s *State, t int64) uint64 {
	us := uint64(min(t/int64(time.Microsecond), math.MaxUint32))
	k, wMax := uint64(s.k), uint64(s.wMax)
	if us >= k {
		return wMax + cubeC(us-k, s.SMSS)
	}
	return wMax - min(cubeC(k-us, s.SMSS), wMax)
}

// cubeC is C*d^3 in bytes for d < 2^32 microseconds, or 2^62 if that is less.
// Obeys: RFC 9438 5.1.
func cubeC(d uint64, smss uint32) uint64 {
	hi, lo := cubeTimes(d, smss)
	if hi >= perC>>2 {
		return 1 << 62
	}
	q, _ := bits.Div64(hi, lo, perC)
	return q
}

// epochK is figure 2: the cube root of (W_max - cwnd) / C, in microseconds,
// rounded down; diff in bytes. Bit by bit, the largest k with
// k^3 * SMSS <= diff / C.
func epochK(diff, smss uint32) uint32 {
	hi, lo := bits.Mul64(uint64(diff), perC)
	var k uint64
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if h, l := cubeTimes(k|bit, smss); h < hi || h == hi && l <= lo {
			k |= bit
		}
	}
	return uint32(k)
}

// cubeTimes is d^3 * m for d < 2^32, in 128 bits.
func cubeTimes(d uint64, m uint32) (hi, lo uint64) {
	h, l := bits.Mul64(d*d, d)
	carry, lo := bits.Mul64(l, uint64(m))
	return h*uint64(m) + carry, lo
}

// reduce is what every congestion event does to the past: cwnd_prior
// (figure 5) and fast convergence (RFC 9438 §4.7).
// Obeys: RFC 9438 4.7.
func reduce(s *State) {
	s.prior = s.Cwnd
	if s.Cwnd < s.wMax {
		s.wMax = uint32(uint64(s.Cwnd) * (betaDen + betaNum) / (2 * betaDen))
	} else {
		s.wMax = s.Cwnd
	}
}

// stop ends a stage of congestion avoidance.
func stop(s *State) {
	s.running = false
	s.t, s.k, s.wEst, s.rem, s.estRem = 0, 0, 0, 0, 0
}

// Loss is RFC 9438 §4.6 and §4.7.
// Obeys: RFC 9438 4.6a, 4.6b.
func (Cubic) Loss(s *State, now int64, inFlight uint32) {
	reduce(s)
	s.Ssthresh = threshold(s, inFlight, betaNum, betaDen)
	s.Cwnd = s.Ssthresh
	stop(s)
}

// Marked is RFC 9438 §4.6, "reduction on ECE".
func (Cubic) Marked(s *State, now int64, inFlight uint32) {
	reduce(s)
	marked(s, inFlight, betaNum, betaDen)
	stop(s)
}

// Timeout is RFC 9438 §4.8: W_max becomes the window at which congestion
// avoidance begins again.
// Obeys: RFC 9438 4.8.
func (Cubic) Timeout(s *State, now int64, inFlight uint32, first bool) {
	if first {
		s.prior = s.Cwnd
		s.Ssthresh = threshold(s, inFlight, betaNum, betaDen)
	}
	s.wMax = 0
	s.Cwnd = s.SMSS
	stop(s)
}

// Idle restarts slow start; W_max stays, and a new stage begins at the
// threshold.
func (Cubic) Idle(s *State, restart uint32) {
	idle(s, restart)
	stop(s)
}

// SetMSS takes a new segment size; a new stage begins.
func (Cubic) SetMSS(s *State, smss uint32) {
	setMSS(s, smss)
	stop(s)
}

// AppendState appends a canonical dump.
func (Cubic) AppendState(b []byte, s *State, now int64) []byte {
	b = appendCommon(b, "cubic", s)
	b = appendField(b, "wmax", uint64(s.wMax))
	b = appendField(b, "prior", uint64(s.prior))
	if !s.running {
		return b
	}
	b = appendField(b, "west", uint64(s.wEst))
	b = appendField(b, "estrem", s.estRem)
	b = appendField(b, "k", uint64(s.k))
	b = appendField(b, "t", uint64(s.t))
	b = append(b, " last="...)
	return strconv.AppendInt(b, s.last-now, 10)
}
