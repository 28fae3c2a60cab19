package cc

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// oracle is RFC 9438 §4 written down in floating point: windows in segments,
// times in seconds, formula by formula. It knows congestion avoidance, loss
// and time-out.
type oracle struct {
	cwnd, ssthresh, wMax, prior, wEst, k, epoch float64
	running                                     bool
}

const (
	beta  = 0.7
	bigC  = 0.4
	alpha = 3 * (1 - beta) / (1 + beta)
)

func (o *oracle) wCubic(t float64) float64 { return bigC*math.Pow(t-o.k, 3) + o.wMax }

func (o *oracle) acked(now, segments, rtt float64) {
	if o.cwnd < o.ssthresh {
		used := min(segments, o.ssthresh-o.cwnd)
		o.cwnd += used
		segments -= used
		o.running = o.running && o.cwnd >= o.ssthresh
		if o.cwnd < o.ssthresh {
			return
		}
	}
	if !o.running {
		o.running = true
		o.epoch = now
		o.wEst = o.cwnd
		o.wMax = max(o.wMax, o.cwnd)
		o.k = math.Cbrt((o.wMax - o.cwnd) / bigC)
	}
	if segments == 0 {
		return
	}
	t := now - o.epoch
	a := alpha
	if o.wEst >= o.prior {
		a = 1
	}
	o.wEst += a * segments / o.cwnd
	if o.wCubic(t) < o.wEst {
		o.cwnd = max(o.cwnd, o.wEst)
		return
	}
	target := min(max(o.wCubic(t+rtt), o.cwnd), 1.5*o.cwnd)
	o.cwnd += (target - o.cwnd) / o.cwnd * segments
}

func (o *oracle) loss(flight float64) {
	o.prior = o.cwnd
	if o.cwnd < o.wMax {
		o.wMax = o.cwnd * (1 + beta) / 2
	} else {
		o.wMax = o.cwnd
	}
	o.ssthresh = max(min(flight, o.cwnd)*beta, 2)
	o.cwnd = o.ssthresh
	o.running = false
}

func (o *oracle) timeout(flight float64) {
	o.prior = o.cwnd
	o.ssthresh = max(min(flight, o.cwnd)*beta, 2)
	o.wMax = 0
	o.cwnd = 1
	o.running = false
}

// TestCubicAgainstOracle runs thousands of ACKs, with a loss or a time-out
// now and then, through both.
//
// The tolerance is one segment and a thousandth of the window. Each ACK may
// drop a fraction of a byte of W_cubic (time is rounded to a microsecond, K
// too: 3*C*K^2 segments a second, which is 0.0005 segments for K = 20 s) and
// the remainder that is carried on was taken of a slightly different window.
// Both are far below it; but which of the two regions an ACK falls into can
// turn on that byte, and then one of the windows is an ACK's growth, half a
// segment at most, ahead until the other follows.
// Shows: RFC 9438 4.2b, 4.3a, 4.3b, 4.4, 4.5, 4.8.
func TestCubicAgainstOracle(t *testing.T) {
	for _, c := range []struct {
		name    string
		smss    uint32
		rtt     time.Duration
		window  uint32 // segments at the first loss
		perLoss int    // ACKs between losses
	}{
		{"short path", 1460, time.Millisecond, 50, 2000},
		{"Reno-friendly", 1460, 10 * time.Millisecond, 20, 1500},
		{"continent", 1448, 40 * time.Millisecond, 300, 9000},
		{"ocean", 1460, 200 * time.Millisecond, 4000, 90000},
		{"jumbo frames", 8948, 80 * time.Millisecond, 1000, 30000},
		{"tiny segments", 64, 100 * time.Millisecond, 500, 12000},
	} {
		t.Run(c.name, func(t *testing.T) { compare(t, c.smss, c.rtt, c.window, c.perLoss) })
	}
}

func compare(t *testing.T, smss uint32, rtt time.Duration, window uint32, perLoss int) {
	rng := rand.New(rand.NewPCG(9438, uint64(smss)))
	var s State
	alg := Cubic{}
	alg.Init(&s, smss, window*smss)
	o := &oracle{cwnd: float64(window), ssthresh: math.Inf(1)}
	now := int64(time.Hour)
	for event := range 8 {
		// Whether fast convergence applies (cwnd < W_max) can turn on a byte
		// as well, and for long: on the plateau the two are all but equal. So
		// both start each event from the same windows.
		o.cwnd, o.wMax = float64(s.Cwnd)/float64(smss), float64(s.wMax)/float64(smss)
		flight := s.Cwnd
		if event == 5 {
			alg.Timeout(&s, now, flight, true)
			o.timeout(float64(flight) / float64(smss))
		} else {
			alg.Loss(&s, now, flight)
			o.loss(float64(flight) / float64(smss))
		}
		now += int64(rtt)
		for i := range perLoss {
			segments := 1 + rng.Uint32N(2)
			bytes := segments * smss
			if rng.IntN(10) == 0 {
				bytes -= rng.Uint32N(smss)
			}
			// The ACKs of a window arrive in a round trip.
			now += int64(rtt) * int64(bytes) / int64(max(s.Cwnd, bytes))
			alg.Acked(&s, Ack{Now: now, Bytes: bytes, SRTT: rtt, InFlight: s.Cwnd, Limited: true})
			o.acked(float64(now)/1e9, float64(bytes)/float64(smss), rtt.Seconds())
			got := float64(s.Cwnd) / float64(smss)
			if math.Abs(got-o.cwnd) > 1+o.cwnd/1000 {
				t.Fatalf("event %d, ACK %d: cwnd %.3f segments, the formula gives %.3f (wEst %.3f, %.3f; wMax %.3f, %.3f)",
					event, i, got, o.cwnd, float64(s.wEst)/float64(smss), o.wEst, float64(s.wMax)/float64(smss), o.wMax)
			}
			if event == 7 && i == perLoss-1 {
				t.Logf("cwnd %.3f, the formula %.3f", got, o.cwnd)
			}
		}
	}
}

// FuzzCalls makes any calls with any numbers: the window never leaves
// [1, MaxWindow] as long as it held a segment, and ACKs never shrink it.
func FuzzCalls(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22})
	f.Add([]byte{2, 255, 255, 255, 255, 0, 255, 255, 255, 255, 1, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, alg := range algorithms() {
			var s State
			alg.Init(&s, 1460, 14600)
			now := int64(0)
			for rest := in; len(rest) >= 5; rest = rest[5:] {
				v := binary.LittleEndian.Uint32(rest[1:])
				before := s.Cwnd
				now += int64(v) << (rest[0] >> 3)
				switch rest[0] & 7 {
				case 0:
					alg.Loss(&s, now, v)
				case 1:
					alg.Timeout(&s, now, v, v&1 == 0)
				case 2:
					alg.SetMSS(&s, v)
				case 3:
					alg.Idle(&s, v)
				case 4:
					alg.Init(&s, v, ^v)
				default:
					alg.Acked(&s, Ack{Now: now, Bytes: v, SRTT: time.Duration(v) << (rest[0] >> 4), InFlight: s.Cwnd, Limited: rest[0]&64 == 0, Repair: rest[0]&128 != 0})
					if s.Cwnd < before {
						t.Fatalf("%s: an ACK of %d shrank cwnd from %d to %d", alg.Name(), v, before, s.Cwnd)
					}
				}
				if s.Cwnd < s.SMSS || s.Cwnd > MaxWindow || s.Ssthresh < 2*s.SMSS || s.SMSS == 0 {
					t.Fatalf("%s: %s", alg.Name(), alg.AppendState(nil, &s, now))
				}
			}
		}
	})
}
