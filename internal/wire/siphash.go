package wire

import "math/bits"

// Key is a SipHash key.
type Key [2]uint64

// sip is SipHash-1-3 (Aumasson and Bernstein), the variant that hash tables
// use. Whoever doesn't know the key can't aim at a bucket.
type sip struct{ v0, v1, v2, v3 uint64 }

func newSip(k Key) sip {
	return sip{
		k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d,
		k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573,
	}
}

func (s *sip) round() {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func (s *sip) word(m uint64) {
	s.v3 ^= m
	s.round()
	s.v0 ^= m
}

func (s *sip) sum(length uint64) uint64 {
	s.word(length << 56)
	s.v2 ^= 0xff
	s.round()
	s.round()
	s.round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// SipHash is the keyed hash of a few words. The message is the words in
// little-endian order, so the result is that of SipHash-1-3 on their bytes.
func SipHash(k Key, words ...uint64) uint64 {
	s := newSip(k)
	for _, w := range words {
		s.word(w)
	}
	return s.sum(uint64(len(words)*8) & 0xff)
}

// Hash is the keyed hash of the tuple. An IPv4 tuple takes two words, any
// other five; the length, which enters the hash, keeps the kinds apart.
func (t *Tuple) Hash(k Key) uint64 {
	s := newSip(k)
	ports := uint64(t.LocalPort)<<48 | uint64(t.RemotePort)<<32 | uint64(t.Zone)
	if t.Local.Is4() && t.Remote.Is4() {
		s.word(uint64(t.Local.V4())<<32 | uint64(t.Remote.V4()))
		s.word(ports)
		return s.sum(16)
	}
	s.word(t.Local.Hi)
	s.word(t.Local.Lo)
	s.word(t.Remote.Hi)
	s.word(t.Remote.Lo)
	s.word(ports)
	return s.sum(40)
}
