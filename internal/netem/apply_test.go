package netem

import (
	"bytes"
	"testing"
)

func mustParse(t testing.TB, s string) Model {
	t.Helper()
	m, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func checkPassage(t testing.TB, now int64, size int, p Passage) {
	t.Helper()
	if p.Drop != NotDropped {
		if p != (Passage{Drop: p.Drop}) {
			t.Fatalf("a drop with more to it: %+v", p)
		}
		return
	}
	if p.At < now || p.Bit < 0 || p.Bit >= 8*size || !p.Corrupt && p.Bit != 0 {
		t.Fatalf("at %d, %d bytes: %+v", now, size, p)
	}
}

func checkFate(t testing.TB, now int64, size int, f Fate) {
	t.Helper()
	checkPassage(t, now, size, f.Passage)
	if f.Duplicated {
		checkPassage(t, now, size, f.Copy)
		if f.Drop != NotDropped {
			t.Fatalf("a copy of a dropped packet: %+v", f)
		}
	} else if f.Copy != (Passage{}) {
		t.Fatalf("a copy that is none: %+v", f)
	}
}

// tally is what a long run came to.
type tally struct {
	n, lost, overflow, big, dup, corrupt, reordered int
	delay                                           int64 // sum, ns
}

// run sends n packets of 1500 bytes, one each gap nanoseconds.
func run(t testing.TB, text string, seed uint64, n int, gap int64) tally {
	t.Helper()
	m := mustParse(t, text)
	st := NewState(seed, 0)
	r := tally{n: n}
	for i := range n {
		now := int64(i) * gap
		f := st.Apply(now, 1500, &m)
		checkFate(t, now, 1500, f)
		switch f.Drop {
		case Lost:
			r.lost++
		case Overflow:
			r.overflow++
		case TooBig:
			r.big++
		default:
			r.delay += f.At - now
		}
		if f.Duplicated {
			r.dup++
		}
		if f.Corrupt {
			r.corrupt++
		}
		if f.Reordered {
			r.reordered++
		}
	}
	return r
}

// Each chance comes about as often as it says: n*p give or take five standard
// deviations.
func TestChances(t *testing.T) {
	const n = 200_000
	for _, c := range []struct {
		text  string
		of    func(tally) int
		ppm   int64 // the chance in millionths
		exact int   // with seed 1, on every machine
	}{
		{"loss 1%", func(r tally) int { return r.lost }, 10_000, 2018},
		{"loss 100%", func(r tally) int { return r.lost }, 1_000_000, n},
		{"loss 50%", func(r tally) int { return r.lost }, 500_000, 100041},
		{"loss gemodel 5%", func(r tally) int { return r.lost }, 50_000, 10005},
		{"loss state 5%", func(r tally) int { return r.lost }, 50_000, 9905},
		{"loss gemodel 1% 9%", func(r tally) int { return r.lost }, 100_000, 0}, // p/(p+r), in bursts: the bound is checked below
		{"duplicate 2%", func(r tally) int { return r.dup }, 20_000, 3987},
		{"corrupt 0.5%", func(r tally) int { return r.corrupt }, 5_000, 984},
		{"delay 1s reorder 25%", func(r tally) int { return r.reordered }, 250_000, 0},
	} {
		text := c.text + " limit 1000000"
		got := int64(c.of(run(t, text, 1, n, 1000)))
		want := n * c.ppm / 1_000_000
		variance := want * (1_000_000 - c.ppm) / 1_000_000
		if c.exact == 0 {
			variance *= 20 // draws that hang together, or packets without one to overtake
		}
		if d := got - want; d*d > 25*variance {
			t.Errorf("%s: %d, want %d ± 5*sqrt(%d)", c.text, got, want, variance)
		}
		if c.exact != 0 && got != int64(c.exact) {
			t.Errorf("%s: %d, with this seed it was %d", c.text, got, c.exact)
		}
	}
}

// Losses of the chains come in bursts of the length that the chain gives: 1/r.
func TestBursts(t *testing.T) {
	for _, text := range []string{"loss gemodel 1% 10%", "loss state 1% 10%"} {
		m := mustParse(t, text)
		st := NewState(3, 0)
		lost, bursts, before := 0, 0, false
		for range 300_000 {
			l := st.Apply(0, 100, &m).Drop == Lost
			if l {
				lost++
				if !before {
					bursts++
				}
			}
			before = l
		}
		if mean := lost * 100 / bursts; mean < 950 || mean > 1050 {
			t.Errorf("%s: bursts of %d/100 packets, want 10", text, mean)
		}
	}
}

// The four states of the loss model: bursts with holes, and isolated losses.
func TestFourStates(t *testing.T) {
	// Out of good at once into isolated loss, back at once: every second one.
	m := mustParse(t, "loss state 0% 100% 0% 0% 100%")
	st := NewState(1, 0)
	for i := range 10 {
		if got := st.Apply(0, 1, &m).Drop == Lost; got != (i%2 == 0) {
			t.Fatalf("packet %d: lost is %v", i, got)
		}
	}
	// Into a burst that never ends, with a hole after every loss.
	m = mustParse(t, "loss state 100% 0% 100% 100% 0%")
	st = NewState(1, 0)
	for i := range 10 {
		if got := st.Apply(0, 1, &m).Drop == Lost; got != (i%2 == 0) {
			t.Fatalf("packet %d of the burst: lost is %v", i, got)
		}
	}
}

// What one use draws does not depend on the other uses: the delays of what
// survives are those of a run without loss.
func TestStreamsAreSeparate(t *testing.T) {
	text := "delay 50ms 10ms 30% distribution normal"
	a, b := mustParse(t, text), mustParse(t, text+" loss 20% corrupt 10% duplicate 10%")
	sa, sb := NewState(9, 0), NewState(9, 0)
	survived := 0
	for i := range 1000 {
		now := int64(i) * 1e9
		fa, fb := sa.Apply(now, 100, &a), sb.Apply(now, 100, &b)
		if fb.Drop == NotDropped {
			survived++
			if fa.At != fb.At {
				t.Fatalf("packet %d arrives at %d, without loss at %d", i, fb.At, fa.At)
			}
		}
	}
	if survived == 1000 || survived < 700 {
		t.Fatalf("%d survived", survived)
	}
}

// Packets queue behind each other; the delay is a pipe that they share.
func TestRate(t *testing.T) {
	m := mustParse(t, "rate 12mbit delay 10ms") // 1500 bytes take 1 ms
	st := NewState(1, 0)
	for i := range int64(5) {
		if at := st.Apply(0, 1500, &m).At; at != 10e6+(i+1)*1e6 {
			t.Errorf("packet %d arrives at %d", i, at)
		}
	}
	// 3 ms later: behind the last, 5 ms after the start, and then its own 1 ms.
	if at := st.Apply(3e6, 1500, &m).At; at != 15e6+1e6 {
		t.Errorf("arrives at %d", at)
	}
	// After the queue has run empty.
	if at := st.Apply(20e6, 750, &m).At; at != 20e6+10e6+0.5e6 {
		t.Errorf("arrives at %d", at)
	}
}

// tc-netem(8)'s example: 50 bytes in ATM cells are 106 on the wire.
func TestRateCells(t *testing.T) {
	m := mustParse(t, "rate 8bit 0 48 5")
	for _, c := range []struct{ size, wire int64 }{{0, 0}, {1, 53}, {48, 53}, {49, 106}, {50, 106}} {
		if got := m.Rate.Time(int(c.size)); got != c.wire*second {
			t.Errorf("%d bytes take %d ns", c.size, got)
		}
	}
	m = mustParse(t, "rate 8bit -14")
	for _, c := range []struct{ size, wire int64 }{{13, 0}, {14, 0}, {15, 1}} {
		if got := m.Rate.Time(int(c.size)); got != c.wire*second {
			t.Errorf("%d bytes take %d ns", c.size, got)
		}
	}
	m = mustParse(t, "rate 1bit")
	if got := m.Rate.Time(maxPacket); got != maxTime {
		t.Errorf("the longest takes %d ns", got)
	}
}

// Both sides of the queue's limit.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
	}{{"delay 1s limit 3", 3}, {"delay 1s", 1000}, {"delay 1s limit 1", 1}} {
		m := mustParse(t, c.text)
		st := NewState(1, 0)
		for i := range c.n + 2 {
			want := NotDropped
			if i >= c.n {
				want = Overflow
			}
			if f := st.Apply(0, 1, &m); f.Drop != want {
				t.Fatalf("%s: packet %d: %v", c.text, i, f.Drop)
			}
		}
		if f := st.Apply(second-1, 1, &m); f.Drop != Overflow {
			t.Errorf("%s: room a nanosecond early", c.text)
		}
		if f := st.Apply(second, 1, &m); f.Drop != NotDropped || st.Held(second) != 1 {
			t.Errorf("%s: no room when the others have arrived: %v, held %d", c.text, f.Drop, st.Held(second))
		}
	}
}

func TestMTU(t *testing.T) {
	m := mustParse(t, "mtu 1400")
	st := NewState(1, 0)
	for _, c := range []struct {
		size int
		drop Drop
	}{{1399, NotDropped}, {1400, NotDropped}, {1401, TooBig}} {
		if f := st.Apply(0, c.size, &m); f.Drop != c.drop {
			t.Errorf("%d bytes: %v", c.size, f.Drop)
		}
	}
}

// Every fifth packet overtakes: tc-netem(8), "reorder 100% gap 5".
func TestReorderGap(t *testing.T) {
	m := mustParse(t, "delay 10ms reorder 100% gap 5")
	st := NewState(1, 0)
	for i := range int64(20) {
		f := st.Apply(i, 100, &m)
		overtakes := i%5 == 4
		want := i + 10e6
		if overtakes {
			want = i
		}
		if f.At != want || f.Reordered != overtakes {
			t.Errorf("packet %d: %+v", i, f)
		}
	}
}

// A duplicate and a loss leave one packet, and a copy has luck of its own.
func TestDuplicate(t *testing.T) {
	m := mustParse(t, "duplicate 100% loss 100%")
	st := NewState(1, 0)
	if f := st.Apply(0, 1, &m); f.Drop != NotDropped || f.Duplicated {
		t.Errorf("%+v", f)
	}
	m = mustParse(t, "duplicate 100% delay 10ms 5ms corrupt 50% loss 20%")
	both, one, copyLost := 0, 0, 0
	for range 1000 {
		f := st.Apply(0, 100, &m)
		if !f.Duplicated {
			continue
		}
		if f.Copy.Drop == Lost {
			copyLost++
			continue
		}
		if f.Corrupt && f.Copy.Corrupt {
			both++
		} else if f.Corrupt != f.Copy.Corrupt {
			one++
		}
		if f.At == f.Copy.At {
			t.Errorf("the copy has the packet's delay: %+v", f)
		}
	}
	if both == 0 || one == 0 || copyLost == 0 {
		t.Errorf("both damaged %d, one %d, copies lost %d", both, one, copyLost)
	}
}

// Correlated draws resemble the one before: runs get longer.
func TestCorrelation(t *testing.T) {
	changes := func(text string) int {
		m := mustParse(t, text)
		st := NewState(5, 0)
		n, before := 0, false
		for range 10_000 {
			if l := st.Apply(0, 1, &m).Drop == Lost; l != before {
				n++
				before = l
			}
		}
		return n
	}
	if a, b := changes("loss 50%"), changes("loss 50% 75%"); a < 4800 || a > 5200 || b > a*2/3 {
		t.Errorf("%d changes without, %d with correlation", a, b)
	}
}

// A flipped bit is flipped back by a second flip, and only that bit is.
func TestFlip(t *testing.T) {
	b := []byte{0, 0, 0}
	p := Passage{Corrupt: true, Bit: 17}
	if p.Flip(b); !bytes.Equal(b, []byte{0, 0, 2}) {
		t.Errorf("% x", b)
	}
	p.Bit = 24 // beyond the end: the packet was cut since
	if p.Flip(b); !bytes.Equal(b, []byte{0, 0, 2}) {
		t.Errorf("% x", b)
	}
	p = Passage{Bit: 3}
	if p.Flip(b); !bytes.Equal(b, []byte{0, 0, 2}) {
		t.Errorf("% x", b)
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	m := mustParse(t, everything)
	st := NewState(1, 0)
	now := int64(0)
	step := func() {
		now += 3e6
		st.Apply(now, 1000, &m)
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, text := range []string{"", "loss 1%", "delay 10ms 1ms distribution normal loss 1% rate 1gbit"} {
		b.Run(text, func(b *testing.B) {
			m := mustParse(b, text)
			st := NewState(1, 0)
			for i := range b.N {
				st.Apply(int64(i)*12_000, 1500, &m)
			}
		})
	}
}
