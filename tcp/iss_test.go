package tcp

import (
	"math"
	"math/bits"
	"testing"
	"time"
)

func newEngine(t testing.TB, cfg Config) *Engine {
	t.Helper()
	if cfg.Secret == [32]byte{} {
		cfg.Secret = testSecret
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// RFC 6528 §3: "ISN = M + F(…)": for one pair of sockets the ISS is a clock of
// 4 microseconds (RFC 9293 §3.4.1), so that a later connection begins higher.
// Shows: RFC 9293 MUST-8, SHLD-1; RFC 6528 3a.
func TestISSFollowsTheClock(t *testing.T) {
	e := newEngine(t, Config{})
	for _, tup := range []Tuple{testTuple4, testTuple6} {
		e.now = 0
		first := e.iss(&tup)
		for _, d := range []time.Duration{4 * time.Microsecond, time.Millisecond, time.Second, time.Hour, 4 * time.Hour} {
			e.now = Time(d)
			if got, want := e.iss(&tup)-first, Num(d/(4*time.Microsecond)); got != want {
				t.Errorf("after %v the ISS is %d higher, want %d", d, got, want)
			}
		}
		e.now = Time(4 * time.Microsecond << 32)
		if e.iss(&tup) != first {
			t.Errorf("the clock does not wrap after 2^32 ticks")
		}
	}
}

// "F() … MUST NOT be computable from the outside": the ISS of another pair, of
// the pair seen from the other end, or under another secret tells nothing.
// Neighbouring pairs differ by numbers in which every bit is set half of the
// time, and in which neighbouring bits are independent (HOSTILE 14).
// Shows: RFC 9293 MUST-9; RFC 6528 3b.
func TestISSOfDifferentPairsAreUnrelated(t *testing.T) {
	e := newEngine(t, Config{})
	other := newEngine(t, Config{Secret: [32]byte{9}})
	const n = 100_000
	var ones [32]int
	var same [31]int
	tup := testTuple4
	last := e.iss(&tup)
	for i := range n {
		tup.RemotePort = uint16(i)
		tup.Remote.Lo = tup.Remote.Lo&^0xff | uint64(i>>16)
		iss := e.iss(&tup)
		if swapped := tup.Swap(); e.iss(&swapped) == iss || other.iss(&tup) == iss {
			t.Fatalf("%v: the ISS does not depend on everything", tup)
		}
		d := uint32(iss - last)
		last = iss
		for b := range ones {
			ones[b] += int(d >> b & 1)
		}
		for b := range same {
			same[b] += int(^(d>>b ^ d>>(b+1)) & 1)
		}
	}
	limit := 5 * math.Sqrt(n) / 2 // five standard deviations
	for b, k := range ones {
		if math.Abs(float64(k)-n/2) > limit {
			t.Errorf("bit %d is set in %d of %d differences", b, k, n)
		}
	}
	for b, k := range same {
		if math.Abs(float64(k)-n/2) > limit {
			t.Errorf("bits %d and %d are equal in %d of %d differences", b, b+1, k, n)
		}
	}
}

// Guessing the next ISS from earlier differences, as a phase-space predictor
// does, is no better than chance.
func TestISSIsNotPredictable(t *testing.T) {
	e := newEngine(t, Config{})
	tup := testTuple4
	const n = 200_000
	hits := 0
	var x [4]Num
	for i := range n {
		tup.RemotePort++
		tup.Local.Lo ^= uint64(i >> 16)
		e.now += Time(10 * time.Microsecond)
		iss := e.iss(&tup)
		for _, guess := range []Num{x[0], 2*x[0] - x[1], 3*x[0] - 3*x[1] + x[2], x[0] + x[2] - x[3]} {
			if d := iss.Diff(guess); d > -5000 && d < 5000 {
				hits++
			}
		}
		x = [4]Num{iss, x[0], x[1], x[2]}
	}
	// By chance: 4 * n * 10^4/2^32, about 2.
	if hits > 15 {
		t.Errorf("%d of %d guesses came within 5000", hits, 4*n)
	}
}

// A pair that is reopened out of TIME-WAIT begins above everything that the
// old connection used, wherever the clock stands: a gigabyte later it stands
// below (RFC 9293 MAY-2).
// Shows: RFC 9293 MAY-2.
func TestISSOfAReopenedPairIsHigher(t *testing.T) {
	e := newEngine(t, Config{})
	tup := testTuple4
	var sents []uint64
	for sent := uint64(0); sent < 1<<32; sent += 1 << 27 {
		sents = append(sents, sent, sent+1, sent+100_000, sent-1, sent-50_000)
	}
	for _, sent := range sents {
		for _, d := range []time.Duration{0, time.Second, time.Minute, time.Hour} {
			e.now = 0
			old := e.iss(&tup) + Num(sent) // SND.NXT of the old connection
			e.now = Time(d)
			iss := e.issAfter(&tup, old)
			if iss.LessEq(old) {
				t.Fatalf("%d bytes and %v later the ISS is %d below", sent, d, old.Diff(iss))
			}
			if sent == 0 && d >= time.Second && iss != e.iss(&tup) {
				t.Fatalf("the clock is %v ahead and was not used", d)
			}
		}
	}
}

// The timestamp offset is a keyed hash of the pair: independent between pairs
// (a clock that all shared would tell uptimes and count hosts, RFC 7323 §7.1),
// the same for every connection of one pair.
// Shows: RFC 7323 7.1.
func TestTimestampOffsets(t *testing.T) {
	e, twin, other := newEngine(t, Config{}), newEngine(t, Config{}), newEngine(t, Config{Secret: [32]byte{9}})
	tup := testTuple4
	const n = 50_000
	var ones [32]int
	last := uint32(0)
	for i := range n {
		tup.RemotePort = uint16(i)
		off := e.timestampOffset(&tup)
		if off != twin.timestampOffset(&tup) {
			t.Fatal("two engines with the same secret disagree")
		}
		if off == other.timestampOffset(&tup) || Num(off) == e.iss(&tup) {
			t.Fatal("the offset does not depend on the secret and its name")
		}
		for d := off - last; d != 0; d &= d - 1 {
			ones[bits.TrailingZeros32(d)]++
		}
		last = off
	}
	for b, k := range ones {
		if math.Abs(float64(k)-n/2) > 5*math.Sqrt(n)/2 {
			t.Errorf("bit %d is set in %d of %d differences", b, k, n)
		}
	}
}

// The timestamps of two connections of one pair, one after the other, continue
// one clock of a millisecond; those of two pairs don't compare.
// Shows: RFC 7323 4.1a, 5.4a, 5.4b.
func TestTimestampsOfOnePairContinue(t *testing.T) {
	e := newEngine(t, Config{MSL: -1})
	r := &rig{t: t, e: e, tup: testTuple4, win: 65535, now: 1e9}
	val := func() uint32 {
		r.open(ConnConfig{})
		v := r.sent[0].Options.TSVal
		r.sent = r.sent[:0]
		r.e.Abort(r.now, r.id)
		return v
	}
	first := val()
	r.now = r.now.Add(1234 * time.Millisecond)
	if d := val() - first; d != 1234 {
		t.Errorf("1234 ms later the timestamp is %d higher", d)
	}
	r.tup.LocalPort++
	if d := val() - first; d < 1<<20 {
		t.Errorf("another pair's timestamp is %d higher", d)
	}
}

// Each use of the secret has its own key: keys are not equal, and not zero.
func TestKeysAreSeparate(t *testing.T) {
	e := newEngine(t, Config{})
	seen := map[[2]uint64]bool{{}: true}
	for _, k := range [][2]uint64{e.keys.iss, e.keys.timestamp, e.keys.flow, e.keys.portOffset, e.keys.portCounter} {
		if seen[k] {
			t.Errorf("key %x twice, or zero", k)
		}
		seen[k] = true
	}
	for i := range 32 { // every byte of the secret counts, for every key
		s := testSecret
		s[i] ^= 1
		o := newEngine(t, Config{Secret: s})
		if o.keys.iss == e.keys.iss || o.keys.flow == e.keys.flow || o.keys.portOffset == e.keys.portOffset {
			t.Errorf("byte %d of the secret does not count", i)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a zero secret was taken")
	}
}
