package inet

import "estab/internal/wire"

// linkLocal reports whether a lies in fe80::/10: it then means something on
// one link only (RFC 4291 §2.5.6).
func linkLocal(a wire.Addr) bool { return a.Hi>>54 == 0xfe80>>6 }

// loopback6 reports whether a is ::1.
func loopback6(a wire.Addr) bool { return a == wire.Addr{Lo: 1} }

// badSource6 reports whether no host may send TCP or echo requests with this
// address: the unspecified one (RFC 4291 §2.5.2) and multicast (§2.7).
func badSource6(a wire.Addr) bool { return a.IsZero() || a.Hi>>56 == 0xff }

// zone is what tells flows apart that have the same addresses on two links:
// the link, if one of the addresses is link-local. On the loopback, where a
// host talks to its own address of another link, it is that other link.
func (s *Stack) zone(link LinkID, local, remote wire.Addr) uint32 {
	if !linkLocal(local) && !linkLocal(remote) {
		return 0
	}
	if link == Loopback {
		if owner, ok := s.addrs.owner(local); ok && linkLocal(local) {
			return uint32(owner)
		}
		owner, _ := s.addrs.owner(remote)
		return uint32(owner)
	}
	return uint32(link)
}

// flowLabelKey makes the key of flow labels. It is its own: the labels are
// for everybody to see and must not tell how flows are hashed here.
func flowLabelKey(secret *[32]byte) wire.Key {
	const name = 0x6c6162656c // "label"
	word := func(i int) (w uint64) {
		for j := range 8 {
			w |= uint64(secret[i+j]) << (8 * j)
		}
		return w
	}
	a, b := wire.Key{word(0), word(8)}, wire.Key{word(16), word(24)}
	return wire.Key{wire.SipHash(a, name, 0) ^ wire.SipHash(b, name, 1), wire.SipHash(a, name, 2) ^ wire.SipHash(b, name, 3)}
}

// flowLabel is the label of a flow's packets. RFC 6437 §3: it should come from
// "an approximation to a discrete uniform distribution", not be predictable,
// and not be 0.
func (s *Stack) flowLabel(t *wire.Tuple) uint32 {
	return max(uint32(t.Hash(s.labelKey))&0xfffff, 1)
}
