package tcp

import "estab/internal/wire"

// Keys and random choices come from the secret and from nowhere else, each
// under its own name, so that a new use never changes what an old one draws.

type keyName uint64

const (
	keyISS keyName = iota + 1
	keyTimestamp
	keyFlow
	keyPortOffset
	keyPortCounter
	keyChallenge
	keySource
	keyCookie
	keyCookieMask
)

// deriveKey makes the key of that name: SipHash under each half of the secret.
// Obeys: RFC 6528 3c.
func deriveKey(secret *[32]byte, name keyName) wire.Key {
	word := func(i int) uint64 {
		var w uint64
		for j := range 8 {
			w |= uint64(secret[i+j]) << (8 * j)
		}
		return w
	}
	a, b := wire.Key{word(0), word(8)}, wire.Key{word(16), word(24)}
	return wire.Key{
		wire.SipHash(a, uint64(name), 0) ^ wire.SipHash(b, uint64(name), 1),
		wire.SipHash(a, uint64(name), 2) ^ wire.SipHash(b, uint64(name), 3),
	}
}

// stream is a seeded generator (splitmix64) for the choices of one name.
type stream struct{ state uint64 }

func newStream(k wire.Key) stream { return stream{k[0] ^ k[1]} }

func (s *stream) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0, n), n > 0; the bias is n/2^64.
func (s *stream) below(n uint64) uint64 { return s.next() % n }
