package wire

import (
	"encoding/binary"
	"math/bits"
)

// A partial sum is the ones' complement sum of RFC 1071 before it is folded
// into 16 bits: a number that is right modulo 65535. Sums of stretches are
// joined with Combine, small numbers (a length, a protocol) may simply be
// added to one that has room.

// Sum adds b to a partial sum. If b has an odd length it must be the last
// stretch, or the next one must be joined with Combine.
func Sum(initial uint64, b []byte) uint64 {
	// RFC 1071 §2(B): "The sum of 16-bit integers can be computed in either
	// byte order." This one is computed in little-endian words, which most
	// machines load as they are, and turned round at the end.
	var s uint64
	if whole := len(b) &^ (block - 1); whole >= vectorMin && hasVector {
		s = sumBlocks(&b[0], whole)
		b = b[whole:]
	}
	return add(initial, bits.ReverseBytes64(sumWords(s, b)))
}

// CopySum copies src to dst, which must be at least as long, and adds it to a
// partial sum as Sum does. It costs little more than the copy.
func CopySum(initial uint64, dst, src []byte) uint64 {
	dst = dst[:len(src)]
	var s uint64
	if hasVector {
		if whole := len(src) &^ (block - 1); whole >= vectorMin {
			s = copySumBlocks(&dst[0], &src[0], whole)
			dst, src = dst[whole:], src[whole:]
		}
	}
	copy(dst, src)
	return add(initial, bits.ReverseBytes64(sumWords(s, src)))
}

const (
	block     = 32  // sumBlocks and copySumBlocks take a multiple of so many bytes
	vectorMin = 160 // bytes from which on calling them is worth it
)

// sumWords adds b to s in little-endian words.
func sumWords(s uint64, b []byte) uint64 {
	var c uint64
	for len(b) >= 128 {
		p := (*[128]byte)(b)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[0:8]), 0)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[8:16]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[16:24]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[24:32]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[32:40]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[40:48]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[48:56]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[56:64]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[64:72]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[72:80]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[80:88]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[88:96]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[96:104]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[104:112]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[112:120]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[120:128]), c)
		s, _ = bits.Add64(s, 0, c)
		b = b[128:]
	}
	for len(b) >= 32 { // a TCP header with timestamps
		p := (*[32]byte)(b)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[0:8]), 0)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[8:16]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[16:24]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(p[24:32]), c)
		s += c
		b = b[32:]
	}
	for len(b) >= 8 {
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b), 0)
		s += c
		b = b[8:]
	}
	var tail uint64
	shift := 0
	if len(b) >= 4 {
		tail = uint64(binary.LittleEndian.Uint32(b))
		b, shift = b[4:], 32
	}
	if len(b) >= 2 {
		tail |= uint64(binary.LittleEndian.Uint16(b)) << shift
		b, shift = b[2:], shift+16
	}
	if len(b) == 1 { // RFC 1071 §1: an odd last byte is paired with a byte of zeros.
		tail |= uint64(b[0]) << (shift & 63)
	}
	s, c = bits.Add64(s, tail, 0)
	return s + c
}

// add is the ones' complement sum of two partial sums. The carry can't carry
// again: two numbers below 2^64 add up to 2^65-2 at most.
func add(a, b uint64) uint64 {
	s, c := bits.Add64(a, b, 0)
	return s + c
}

// Combine joins the partial sum of a stretch that begins offset bytes into
// the data with that of what precedes it. RFC 1071 §2(B): at an odd offset
// the bytes of the stretch's sum change places.
func Combine(sum, part uint64, offset int) uint64 {
	if offset&1 != 0 {
		part = bits.RotateLeft64(part, 8)
	}
	return add(sum, part)
}

// Fold makes a checksum of a partial sum: folded into 16 bits and
// complemented, as it goes into a header. Over data that holds its own
// checksum it is 0 if nothing is wrong.
func Fold(sum uint64) uint16 {
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>16 + sum&0xffff // below 2^17 + 2^16
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum)
}

// PseudoSum is the partial sum of the pseudo-header of RFC 9293 §3.1 (IPv4)
// or RFC 8200 §8.1 (IPv6), length being that of the upper-layer packet. Both
// versions may be computed alike: they sum addresses, protocol and length, and
// what else they hold is zero.
func PseudoSum(src, dst Addr, proto uint8, length int) uint64 {
	n := uint64(proto) + uint64(uint32(length))
	if src.Is4() {
		return n + uint64(src.V4()) + uint64(dst.V4())
	}
	return add(add(src.Hi, src.Lo), add(add(dst.Hi, dst.Lo), n))
}
