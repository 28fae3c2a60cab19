package netem

import (
	"math"
	"testing"
)

// The integer table and its lines against math.Erfinv, to 1/500 of a standard
// deviation, out to four of them.
func TestNormalQuantile(t *testing.T) {
	for i := range 1 << 16 {
		u := uint32(i)<<16 + 1<<15
		p := (float64(u) + 0.5) / (1 << 32)
		want := math.Sqrt2 * math.Erfinv(2*p-1)
		if got := float64(normal(u)) / distScale; math.Abs(want) < 4 && math.Abs(got-want) > 0.002 {
			t.Fatalf("normal(%d) = %.4f, want %.4f", u, got, want)
		}
	}
}

func TestParetoQuantile(t *testing.T) {
	for i := range 1 << 16 {
		u := uint32(i)<<16 + 1<<15
		tail := 1 - float64(u)/(1<<32)
		want := min((math.Pow(1/tail, 1./3)-1.5)*4/3, 4)
		if got := float64(pareto(u)) / distScale; math.Abs(got-want) > 0.0005 {
			t.Fatalf("pareto(%d) = %.4f, want %.4f", u, got, want)
		}
	}
}

// The distributions rise with the draw, end where they say, and are symmetric
// where they should be.
func TestDistributionShape(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      func(uint32) int64
		lo, hi int64
	}{
		{"normal", normal, -35430, 35430},
		{"pareto", pareto, -5461, 32767},
	} {
		if lo, hi := c.f(0), c.f(math.MaxUint32); lo != c.lo || hi != c.hi {
			t.Errorf("%s runs from %d to %d", c.name, lo, hi)
		}
		before := c.f(0)
		for i := range uint32(1 << 20) {
			v := c.f(i<<12 | 0xfff)
			if v < before {
				t.Fatalf("%s falls at %d", c.name, i<<12)
			}
			before = v
		}
	}
	for i := range uint32(1 << 16) {
		if a, b := normal(i<<15), normal(^(i << 15)); a != -b {
			t.Fatalf("normal(%d) = %d, mirrored %d", i<<15, a, b)
		}
	}
	for _, u := range []uint32{0, 1, 1<<31 - 1, 1 << 31, math.MaxUint32} {
		d := Delay{Mean: 1e9, Jitter: 1e9}
		if v := d.jittered(u); v < 0 || v >= 2e9 {
			t.Errorf("uniform: %d", v)
		}
	}
}

// Mean and standard deviation are the delay and the jitter that were asked for.
func TestJitterMoments(t *testing.T) {
	for _, c := range []struct {
		text     string
		mean, sd float64 // ms
	}{
		{"delay 100ms 10ms", 100, 10 / math.Sqrt(3)},
		{"delay 100ms 10ms distribution normal", 100, 10},
		{"delay 100ms 10ms distribution pareto", 99.67, 8.21}, // cut at four deviations, as netem's table is
		{"delay 100ms 10ms distribution paretonormal", 99.75, 8.35},
	} {
		m := mustParse(t, c.text)
		st := NewState(11, 0)
		const n = 100_000
		sum, squares := 0., 0.
		for i := range int64(n) {
			d := float64(st.Apply(i*second, 100, &m).At-i*second) / 1e6
			sum += d
			squares += d * d
		}
		mean := sum / n
		sd := math.Sqrt(squares/n - mean*mean)
		if math.Abs(mean-c.mean) > 0.1 || math.Abs(sd-c.sd) > 0.1 {
			t.Errorf("%s: mean %.2f ms, standard deviation %.2f ms; want %.2f, %.2f", c.text, mean, sd, c.mean, c.sd)
		}
	}
}

func TestCubeRoot(t *testing.T) {
	for r := range uint64(2_642_245) { // the largest whose cube fits 64 bits
		if cube := r * r * r; r%1009 == 0 && (cubeRoot(cube) != r || r > 0 && cubeRoot(cube-1) != r-1) {
			t.Fatalf("cube root of %d", cube)
		}
	}
	if got := cubeRoot(math.MaxUint64); got != 2_642_245 {
		t.Errorf("cube root of the largest: %d", got)
	}
}

// SplitMix64's published sequence for seed 0 guards the generator.
func TestSplitMix(t *testing.T) {
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := mix(uint64(i+1) * gamma); got != want {
			t.Errorf("number %d is %#x, want %#x", i, got, want)
		}
	}
}
