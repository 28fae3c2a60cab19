package wire

import "math/bits"

// Key is a SipHash key.
type Key [2]uint64

// sip is the state of SipHash-1-3 (Aumasson and Bernstein), the variant that
// hash tables use. Whoever doesn't know the key can't aim at a bucket. It goes
// by value, so that it stays in registers.
type sip struct{ v0, v1, v2, v3 uint64 }

func newSip(k Key) sip {
	return sip{
		k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d,
		k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573,
	}
}

func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32) + v3
	v2 += v1
	return v0, bits.RotateLeft64(v1, 17) ^ v2, bits.RotateLeft64(v2, 32), bits.RotateLeft64(v3, 21) ^ v0
}

func (s sip) word(m uint64) sip {
	s.v0, s.v1, s.v2, s.v3 = sipRound(s.v0, s.v1, s.v2, s.v3^m)
	s.v0 ^= m
	return s
}

func (s sip) sum(length uint64) uint64 {
	s = s.word(length << 56)
	v0, v1, v2, v3 := sipRound(s.v0, s.v1, s.v2^0xff, s.v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

// SipHash is the keyed hash of a few words. The message is the words in
// little-endian order, so the result is that of SipHash-1-3 on their bytes.
func SipHash(k Key, words ...uint64) uint64 {
	s := newSip(k)
	for _, w := range words {
		s = s.word(w)
	}
	return s.sum(uint64(len(words)*8) & 0xff)
}

// Hash is the keyed hash of the tuple. An IPv4 tuple takes two words, any
// other five; the length, which enters the hash, keeps the kinds apart.
func (t *Tuple) Hash(k Key) uint64 {
	s := newSip(k)
	ports := uint64(t.LocalPort)<<48 | uint64(t.RemotePort)<<32 | uint64(t.Zone)
	if t.Local.Is4() && t.Remote.Is4() {
		return s.word(uint64(t.Local.V4())<<32 | uint64(t.Remote.V4())).word(ports).sum(16)
	}
	return s.word(t.Local.Hi).word(t.Local.Lo).word(t.Remote.Hi).word(t.Remote.Lo).word(ports).sum(40)
}
