package cc

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func algorithms() []Algorithm { return []Algorithm{Reno{}, Cubic{}} }

func TestStateIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(State{}); n > 64 {
		t.Errorf("State takes %d bytes, want at most 64", n)
	}
}

func TestByName(t *testing.T) {
	for _, name := range []string{"reno", "cubic"} {
		a, ok := ByName(name)
		if !ok || a.Algorithm().Name() != name {
			t.Errorf("ByName(%q) = %v, %v", name, a, ok)
		}
	}
	if a, ok := ByName("vegas"); ok {
		t.Errorf("ByName(vegas) = %v", a)
	}
}

// step is one call and the window and threshold after it; inf is an infinite
// threshold.
type step struct {
	do             func(Algorithm, *State)
	cwnd, ssthresh uint32
}

const inf = math.MaxUint32

func acked(ms int64, bytes uint32) func(Algorithm, *State) {
	return func(a Algorithm, s *State) {
		a.Acked(s, Ack{Now: ms * 1e6, Bytes: bytes, SRTT: 100 * time.Millisecond, InFlight: s.Cwnd, Limited: true})
	}
}

func unlimited(ms int64, bytes uint32) func(Algorithm, *State) {
	return func(a Algorithm, s *State) {
		a.Acked(s, Ack{Now: ms * 1e6, Bytes: bytes, SRTT: 100 * time.Millisecond, InFlight: bytes})
	}
}

func repair(bytes uint32) func(Algorithm, *State) {
	return func(a Algorithm, s *State) { a.Acked(s, Ack{Bytes: bytes, Limited: true, Repair: true}) }
}

func loss(flight uint32) func(Algorithm, *State) {
	return func(a Algorithm, s *State) { a.Loss(s, 0, flight) }
}

func timeout(flight uint32, first bool) func(Algorithm, *State) {
	return func(a Algorithm, s *State) { a.Timeout(s, 0, flight, first) }
}

func setIdle(restart uint32) func(Algorithm, *State) {
	return func(a Algorithm, s *State) { a.Idle(s, restart) }
}

func setSMSS(smss uint32) func(Algorithm, *State) {
	return func(a Algorithm, s *State) { a.SetMSS(s, smss) }
}

// walk starts with SMSS 1000 and a window of 10 segments.
func walk(t *testing.T, a Algorithm, steps []step) {
	t.Helper()
	var s State
	a.Init(&s, 1000, 10000)
	if s.Cwnd != 10000 || s.Ssthresh != inf || s.SMSS != 1000 {
		t.Fatalf("Init: %+v", s)
	}
	for i, st := range steps {
		st.do(a, &s)
		if s.Cwnd != st.cwnd || s.Ssthresh != st.ssthresh {
			t.Fatalf("step %d: cwnd %d ssthresh %d, want %d and %d", i, s.Cwnd, s.Ssthresh, st.cwnd, st.ssthresh)
		}
	}
}

// Shows: RFC 9293 MUST-19; RFC 5681 3.1a, 3.1e, 3.1f, 3.1h, 3.1i, 3.1j, 3.1k, 3.2e.
func TestRenoByHand(t *testing.T) {
	walk(t, Reno{}, []step{
		{acked(0, 2000), 12000, inf},         // slow start counts bytes
		{acked(1, 500), 12500, inf},          // of part of a segment too
		{unlimited(2, 2000), 12500, inf},     // and none that the window didn't limit
		{loss(12000), 6000, 6000},            // FlightSize / 2
		{acked(3, 5999), 6000, 6000},         // congestion avoidance: a byte before the window
		{acked(3, 1), 7000, 6000},            // at the window
		{acked(4, 7000), 8000, 6000},         // one segment a round
		{loss(9500), 4000, 4000},             // the window counts, not what limited transmit added
		{loss(3000), 2000, 2000},             // floor: 2 SMSS
		{timeout(50000, true), 1000, 2000},   // one segment
		{acked(5, 1000), 2000, 2000},         // slow start up to the threshold
		{acked(6, 2000), 3000, 2000},         // then avoidance
		{acked(7, 1000000), 4000, 2000},      // never more than a segment an ACK
		{timeout(4000, true), 1000, 2000},    // floor
		{timeout(1000, false), 1000, 2000},   // again: held constant
		{repair(6000), 2000, 2000},           // one segment for an ACK of old data
		{acked(8, 2000), 3000, 2000},         //
		{setIdle(10000), 3000, 2000},         // idle never grows the window
		{setIdle(1000), 1000, 2000},          //
		{acked(9, 30000), 2000 + 1000, 2000}, // what slow start left goes to avoidance
		{setSMSS(500), 1500, 2000},           // by the ratio of sizes
		{setSMSS(4000), 4000, 8000},          // room for a segment; threshold at least two
	})
}

func TestRenoSlowStartIntoAvoidance(t *testing.T) {
	var s State
	Reno{}.Init(&s, 1000, 10000)
	s.Ssthresh = 11000
	Reno{}.Acked(&s, Ack{Bytes: 5000, Limited: true})
	if s.Cwnd != 11000 || s.rem != 4000 {
		t.Errorf("cwnd %d, %d bytes towards the next, want 11000 and 4000", s.Cwnd, s.rem)
	}
}

// Shows: RFC 9293 MAY-18; RFC 9438 4.6a, 4.6b, 4.6c, 4.10a.
func TestCubicByHand(t *testing.T) {
	walk(t, Cubic{}, []step{
		{acked(0, 10000), 20000, inf},
		{loss(20000), 14000, 14000},        // 0.7
		{timeout(14000, true), 1000, 9800}, // 0.7 again
		{timeout(1000, false), 1000, 9800},
		{acked(1, 1000), 2000, 9800},
		{repair(9000), 3000, 9800},
		{acked(2, 6800), 9800, 9800},
		{loss(1000), 2000, 2000}, // floor
		{setIdle(1500), 1500, 2000},
		{unlimited(5, 1500), 1500, 2000},
		{setSMSS(500), 750, 2000},
	})
}

// RFC 9438 §4.7: a loss below W_max lowers it further, by (1+β)/2 = 0.85.
// Shows: RFC 9438 4.7.
func TestCubicFastConvergence(t *testing.T) {
	var s State
	Cubic{}.Init(&s, 1000, 100000)
	Cubic{}.Loss(&s, 0, 100000)
	if s.wMax != 100000 || s.prior != 100000 || s.Cwnd != 70000 {
		t.Errorf("first loss: %+v", s)
	}
	Cubic{}.Loss(&s, 0, 70000)
	if s.wMax != 59500 || s.prior != 70000 || s.Cwnd != 49000 {
		t.Errorf("second loss: %+v", s)
	}
}

// K for W_max = 100 segments and β = 0.7: cube root of 30/0.4 = 75, which is
// 4.217163326… s (RFC 9438 figure 2).
// Shows: RFC 9438 5.1.
func TestCubicK(t *testing.T) {
	if k := epochK(30000, 1000); k != 4217163 {
		t.Errorf("K = %d µs, want 4217163", k)
	}
	if k := epochK(0, 1000); k != 0 {
		t.Errorf("K = %d µs for no distance", k)
	}
	// 0.4 of a segment takes one second, exactly.
	if k := epochK(400, 1000); k != 1000000 {
		t.Errorf("K = %d µs, want 1000000", k)
	}
	if k := epochK(399, 1000); k >= 1000000 {
		t.Errorf("K = %d µs, want less than a second", k)
	}
	for _, smss := range []uint32{1, 536, 1460, 65535} {
		for _, diff := range []uint32{1, 1000, 1 << 20, 1 << 30} {
			want := math.Cbrt(float64(diff) / float64(smss) / 0.4)
			got := float64(epochK(diff, smss)) / 1e6
			if math.Abs(got-want) > 1.1e-6*max(want/1e3, 1) {
				t.Errorf("K(%d, %d) = %.7f s, want %.7f", diff, smss, got, want)
			}
		}
	}
}

// W_cubic(t) is W_max at K and cwnd_epoch at 0 (to a byte, since K is rounded
// to a microsecond), and cubic on either side.
func TestCubicFunction(t *testing.T) {
	s := State{SMSS: 1000, wMax: 100000, k: 4217163}
	for _, c := range []struct {
		us   int64
		want uint64
	}{
		{0, 70000}, {4217163, 100000}, {3217163, 99600}, {5217163, 100400}, {6217163, 103200}, {14217163, 500000},
	} {
		if got := wCubic(&s, c.us*1000); got+1 < c.want || got > c.want+1 {
			t.Errorf("W_cubic(%d µs) = %d, want %d", c.us, got, c.want)
		}
	}
}

// The time spent limited by the application is not in t (RFC 9438 §4.2), and
// neither is a silence of more than a round trip.
// Shows: RFC 9438 4.2a, 5.8.
func TestCubicTimeStandsStill(t *testing.T) {
	var s State
	a := Cubic{}
	a.Init(&s, 1000, 100000)
	a.Loss(&s, 0, 100000)
	ack := Ack{Bytes: 1000, SRTT: 100 * time.Millisecond, Limited: true}
	at := func(ms int64, limited bool) {
		ack.Now, ack.Limited = ms*1e6, limited
		a.Acked(&s, ack)
	}
	at(1000, true)
	at(1050, true)
	at(1090, false)
	at(1140, true)
	at(9000, true)
	if want := int64(200e6); s.t != want {
		t.Errorf("t = %d ns, want %d", s.t, want)
	}
}

// Splitting one ACK into many changes the growth by no more than a segment
// (ACK division, Savage et al. 1999), in slow start and in avoidance.
func TestAckDivision(t *testing.T) {
	for _, alg := range algorithms() {
		for _, avoid := range []bool{false, true} {
			for _, parts := range []uint32{2, 10, 44, 44 * 100} {
				whole, split := divided(alg, avoid, 1), divided(alg, avoid, parts)
				if d := int64(whole) - int64(split); d < -1460 || d > 1460 {
					t.Errorf("%s, avoidance %v: cwnd %d after one ACK, %d after %d", alg.Name(), avoid, whole, split, parts)
				}
			}
		}
	}
}

// divided acknowledges 20 super-segments of 44 segments, each in n ACKs.
func divided(alg Algorithm, avoid bool, n uint32) uint32 {
	const super = 44 * 1460
	var s State
	alg.Init(&s, 1460, 200*1460)
	if avoid {
		alg.Loss(&s, 0, s.Cwnd)
	}
	for i := range 20 {
		left := uint32(super)
		for left > 0 {
			b := min((super+n-1)/n, left)
			left -= b
			alg.Acked(&s, Ack{Now: int64(i) * 1e7, Bytes: b, SRTT: 50 * time.Millisecond, InFlight: s.Cwnd, Limited: true})
		}
	}
	return s.Cwnd
}

// Slow start doubles in a round trip even with one ACK for each 64 KiB.
func TestSlowStartDoublesBySuperSegments(t *testing.T) {
	for _, alg := range algorithms() {
		var s State
		alg.Init(&s, 1460, 1<<20)
		for range 16 {
			alg.Acked(&s, Ack{Bytes: 64 << 10, InFlight: 1 << 20, Limited: true})
		}
		if s.Cwnd != 2<<20 {
			t.Errorf("%s: cwnd %d, want %d", alg.Name(), s.Cwnd, 2<<20)
		}
	}
}

// An ACK never shrinks the window, and the window never passes MaxWindow.
func TestMonotonousUpToTheLimit(t *testing.T) {
	for _, alg := range algorithms() {
		for _, ssthresh := range []uint32{inf, 1 << 29, 1<<30 - 5000} {
			var s State
			alg.Init(&s, 8960, 1<<29)
			alg.Loss(&s, 0, 1<<29)
			s.Ssthresh = ssthresh
			for i := range 20000 {
				before := s.Cwnd
				alg.Acked(&s, Ack{Now: int64(i) * 1e8, Bytes: 1 << 20, SRTT: 200 * time.Millisecond, InFlight: before, Limited: true})
				if s.Cwnd < before || s.Cwnd > MaxWindow {
					t.Fatalf("%s: cwnd %d after %d", alg.Name(), s.Cwnd, before)
				}
			}
			if s.Cwnd < 1<<29 {
				t.Errorf("%s: cwnd stays at %d", alg.Name(), s.Cwnd)
			}
		}
	}
}

// The dump tells everything that decides the future, and no absolute time.
func TestAppendStateIsRelative(t *testing.T) {
	for _, alg := range algorithms() {
		var dumps []string
		for _, base := range []int64{0, 1e15} {
			var s State
			alg.Init(&s, 1460, 14600)
			alg.Loss(&s, base, 14600)
			alg.Acked(&s, Ack{Now: base + 1e6, Bytes: 1460, SRTT: time.Millisecond, Limited: true})
			alg.Acked(&s, Ack{Now: base + 2e6, Bytes: 1460, SRTT: time.Millisecond, Limited: true})
			dumps = append(dumps, string(alg.AppendState(nil, &s, base+5e6)))
		}
		if dumps[0] != dumps[1] || !strings.HasPrefix(dumps[0], alg.Name()+" cwnd=") {
			t.Errorf("dumps differ:\n%s\n%s", dumps[0], dumps[1])
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, alg := range algorithms() {
		var s State
		alg.Init(&s, 1460, 14600)
		alg.Loss(&s, 0, 14600)
		now := int64(0)
		n := testing.AllocsPerRun(100, func() {
			now += 1e6
			alg.Acked(&s, Ack{Now: now, Bytes: 1460, SRTT: time.Millisecond, Limited: true})
		})
		if n != 0 {
			t.Errorf("%s: %v allocations an ACK", alg.Name(), n)
		}
	}
}

func ExampleAlgorithm() {
	reno, _ := ByName("reno")
	alg := reno.Algorithm()
	var s State
	alg.Init(&s, 1460, 10*1460)
	show := func(what string) { fmt.Println(what, s.Cwnd/s.SMSS, "segments") }
	show("initial window:")
	alg.Acked(&s, Ack{Bytes: 10 * 1460, Limited: true})
	show("a round trip later:")
	alg.Loss(&s, 0, s.Cwnd)
	show("after a loss:")
	alg.Acked(&s, Ack{Bytes: 10 * 1460, Limited: true})
	show("a round trip later:")
	// Output:
	// initial window: 10 segments
	// a round trip later: 20 segments
	// after a loss: 10 segments
	// a round trip later: 11 segments
}

func BenchmarkAcked(b *testing.B) {
	for _, alg := range algorithms() {
		b.Run(alg.Name(), func(b *testing.B) {
			var s State
			alg.Init(&s, 1460, 1460000)
			alg.Loss(&s, 0, 1460000)
			now := int64(0)
			for b.Loop() {
				now += 1000
				alg.Acked(&s, Ack{Now: now, Bytes: 2920, SRTT: time.Millisecond, InFlight: s.Cwnd, Limited: true})
			}
		})
	}
}

// A mark is worth a loss, but the window goes down to one segment where a loss
// leaves two (RFC 9438 §4.6), and the threshold never below two.
// Shows: RFC 9438 4.6d.
func TestMarked(t *testing.T) {
	for _, x := range []struct {
		alg                    Algorithm
		flight, cwnd, ssthresh uint32
	}{
		{Reno{}, 10_000, 5000, 5000}, {Reno{}, 50_000, 5000, 5000}, {Reno{}, 3000, 1500, 2000}, {Reno{}, 1000, 1000, 2000}, {Reno{}, 1, 1000, 2000},
		{Cubic{}, 10_000, 7000, 7000}, {Cubic{}, 2000, 1400, 2000}, {Cubic{}, 1000, 1000, 2000},
	} {
		var s State
		x.alg.Init(&s, 1000, 10_000)
		x.alg.Marked(&s, 1e9, x.flight)
		if s.Cwnd != x.cwnd || s.Ssthresh != x.ssthresh {
			t.Errorf("%s, %d in flight: cwnd %d, ssthresh %d, want %d and %d", x.alg.Name(), x.flight, s.Cwnd, s.Ssthresh, x.cwnd, x.ssthresh)
		}
	}
}
