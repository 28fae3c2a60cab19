package inet

import (
	"net/netip"

	"estab/internal/wire"
)

// loopback4 reports whether a lies in 127/8.
func loopback4(a wire.Addr) bool { return a.Is4() && a.V4()>>24 == 127 }

// badSource4 reports whether no host may send with this address: 0/8 (RFC
// 1122 §3.2.1.3 (a), (b); only somebody who does not know his own), multicast
// (RFC 1112 §4) and the limited broadcast (c). The rest of 240/4 is unused but
// not forbidden.
func badSource4(a wire.Addr) bool {
	n := a.V4()
	return n>>24 == 0 || n>>28 == 0xe || n == 0xffffffff
}

// networkBroadcasts are the addresses of an IPv4 network that mean all of its
// hosts: all ones behind the prefix (RFC 1122 §3.2.1.3 (d)), and all zeros,
// which old hosts used (§3.3.6). RFC 3021: a /31 has none.
func networkBroadcasts(p netip.Prefix) []wire.Addr {
	if !p.Addr().Is4() || p.Bits() > 30 {
		return nil
	}
	zeros := wire.AddrFrom(p.Masked().Addr())
	ones := zeros
	ones.Lo |= 1<<(32-p.Bits()) - 1
	return []wire.Addr{zeros, ones}
}
