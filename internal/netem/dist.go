package netem

import "math/bits"

// distScale is how the distributions are scaled: 8192 is one standard
// deviation, as in netem's tables.
const distScale = 8192

// jittered is the delay in nanoseconds that the draw u gives; it may be
// negative.
func (d *Delay) jittered(u uint32) int64 {
	if d.Jitter <= 0 {
		return d.Mean
	}
	var t int64
	switch d.Dist {
	case Normal:
		t = normal(u)
	case Pareto:
		t = pareto(u)
	case ParetoNormal:
		t = (normal(u) + 3*pareto(u)) / 4
	default:
		return d.Mean - d.Jitter + int64(below(u, 2*uint64(d.Jitter)))
	}
	return d.Mean + d.Jitter/distScale*t + d.Jitter%distScale*t/distScale
}

// normal maps a uniform draw to a normal one: the quantile function, from a
// table with eight steps for each halving of the tail, and straight lines
// between them. It ends at 4.3 standard deviations.
func normal(u uint32) int64 {
	tail, sign := u, int64(-1)
	if u >= 1<<31 {
		tail, sign = ^u, 1
	}
	t := 2*uint64(tail) + 1 // the tail's probability in units of 2^-33, 1 … 2^32-1
	octave := bits.Len64(t) - 17
	if octave < 0 {
		return sign * int64(normalTail[0])
	}
	t -= 1 << (octave + 16)
	i := octave*8 + int(t>>(octave+13))
	part := int64(t & (1<<(octave+13) - 1))
	lo, hi := int64(normalTail[i]), int64(normalTail[i+1])
	return sign * (lo - ((lo-hi)*part)>>(octave+13))
}

// normalTail is the upper quantile of the standard normal distribution in
// units of 1/distScale: entry 8*k+j belongs to the probability
// 2^(k-17) * (1 + j/8), the last one to 1/2.
var normalTail = [129]uint16{
	35430, 35216, 35025, 34850, 34690, 34543, 34406, 34277, 34157, 33937, 33738, 33558,
	33392, 33239, 33097, 32965, 32840, 32611, 32406, 32218, 32047, 31888, 31741, 31603,
	31473, 31236, 31022, 30827, 30648, 30483, 30330, 30186, 30051, 29803, 29580, 29377,
	29191, 29018, 28858, 28707, 28566, 28307, 28074, 27861, 27666, 27485, 27316, 27159,
	27011, 26738, 26493, 26269, 26063, 25873, 25695, 25529, 25373, 25085, 24826, 24589,
	24371, 24170, 23981, 23805, 23639, 23334, 23058, 22806, 22573, 22358, 22157, 21969,
	21791, 21464, 21168, 20898, 20648, 20416, 20200, 19996, 19805, 19451, 19130, 18836,
	18565, 18312, 18076, 17854, 17645, 17257, 16904, 16581, 16281, 16002, 15740, 15493,
	15259, 14827, 14432, 14068, 13729, 13413, 13115, 12834, 12568, 12071, 11615, 11192,
	10797, 10426, 10075, 9742, 9424, 8827, 8274, 7756, 7268, 6804, 6360, 5935,
	5525, 4744, 4004, 3295, 2610, 1943, 1289, 642, 0,
}

// pareto maps a uniform draw to netem's Pareto distribution: the quantile
// function (1/tail)^(1/3), less its mean of 3/2, times 4/3, from -2/3 to 4.
func pareto(u uint32) int64 {
	tail := 1<<32 - uint64(u) // the tail's probability in units of 2^-32, 1 … 2^32
	const most = 1 << 32 / 92 // beyond it the result is 4
	if tail < most {
		return 4*distScale - 1
	}
	q, _ := bits.Div64(1<<13, 0, tail) // 2^77/tail: the cube of 2^15 (1/tail)^(1/3)
	r := (int64(cubeRoot(q)) - 3<<14) / 3
	return min(r, 4*distScale-1)
}

// cubeRoot is the integer part of the cube root, bit by bit.
func cubeRoot(x uint64) uint64 {
	r := uint64(0)
	for s := 63; s >= 0; s -= 3 {
		r *= 2
		if b := 3*r*(r+1) + 1; x>>s >= b {
			x -= b << s
			r++
		}
	}
	return r
}
