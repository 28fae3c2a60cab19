package netem

import "math/bits"

// stream names a use of luck. Each use has its own stream, and a draw is a
// function of seed, stream and packet number only: what is drawn for one use
// never shifts what is drawn for another.
type stream uint64

const (
	streamLoss stream = iota
	streamLossMove
	streamDuplicate
	streamCorrupt
	streamCorruptBit
	streamDelay
	streamReorder
	numStreams // and as many again, for the duplicates
)

// gamma and mix are SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the n-th
// number of the generator that starts at k is mix(k + n*gamma).
const gamma = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// draw is the 32-bit number of stream s for packet n.
func draw(seed uint64, s stream, n uint64) uint32 {
	return uint32(mix(mix(seed+uint64(s+1)*gamma)+n*gamma) >> 32)
}

// below scales a draw to 0 … n-1.
func below(u uint32, n uint64) uint64 {
	hi, lo := bits.Mul64(uint64(u), n)
	return hi<<32 | lo>>32
}

// hit reports whether a draw falls into a probability; 1/2^32 is added to
// every p above zero, so that MaxProb is certain.
func (p Prob) hit(u uint32) bool { return p != 0 && u <= uint32(p) }

// correlate mixes a draw with the one before, as netem's get_crandom does.
// (Mixing makes middling draws more likely: under correlation a small
// percentage hits less often than it says, as in netem.)
func correlate(u, last uint32, rho Prob) uint32 {
	if rho == 0 {
		return u
	}
	r := uint64(rho) + 1
	return uint32((uint64(u)*(1<<32-r) + uint64(last)*r) >> 32)
}
