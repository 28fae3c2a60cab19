package inet

import (
	"math/bits"
	"net/netip"

	"estab/internal/wire"
	"estab/tcp"
)

// Source chooses the address from which to talk to remote: RFC 6724 §5 as far
// as a host without temporary, deprecated or home addresses needs it. A zone
// names the link of a link-local remote. ErrNetUnreachable says that there is
// no way, or no address of that version to start from.
// Obeys: RFC 9293 MUST-44; RFC 1122 3.3.4.2, 3.4.
func (s *Stack) Source(remote netip.Addr) (netip.Addr, tcp.Error) {
	remote = remote.Unmap()
	to := wire.AddrFrom(remote)
	zone, err := s.Zone(netip.Addr{}, remote)
	if err != 0 {
		return netip.Addr{}, tcp.ErrNetUnreachable
	}
	link, err := s.lookup(wire.Addr{}, to, zone)
	switch {
	case err != 0:
		return netip.Addr{}, err
	case link == Loopback && s.addrs.has(to):
		return remote.WithZone(""), 0 // rule 1: prefer the same address
	case link == Loopback:
		return s.links[Loopback].addrs[0].Addr(), 0 // all of 127/8
	}
	best := s.bestSource(s.links[link].addrs, netip.Addr{}, remote)
	// A link without an address of its own borrows another's, if that one
	// means something everywhere.
	for i := 1; i < len(s.links) && !best.IsValid(); i++ {
		best = s.bestSource(s.links[i].addrs, best, remote)
		if best.IsValid() && linkLocal(wire.AddrFrom(best)) {
			best = netip.Addr{}
		}
	}
	if !best.IsValid() {
		return netip.Addr{}, tcp.ErrNetUnreachable
	}
	return best, 0
}

// bestSource is the best of best and the candidates; of equals the first.
func (s *Stack) bestSource(candidates []netip.Prefix, best, remote netip.Addr) netip.Addr {
	for _, p := range candidates {
		a := p.Addr()
		if a.Is4() == remote.Is4() && (!best.IsValid() || betterSource(a, best, remote)) {
			best = a
		}
	}
	return best
}

// betterSource reports whether a is a better source than b for dst.
func betterSource(a, b, dst netip.Addr) bool {
	sa, sb, sd := scope(a), scope(b), scope(dst)
	if sa != sb {
		// RFC 6724 §5 rule 2: "If Scope(SA) < Scope(SB): If Scope(SA) <
		// Scope(D), then prefer SB and otherwise prefer SA." And the like with
		// both exchanged.
		if sa < sb {
			return sa >= sd
		}
		return sb < sd
	}
	// Rule 8: "Use longest matching prefix."
	d := wire.AddrFrom(dst)
	return commonBits(wire.AddrFrom(a), d) > commonBits(wire.AddrFrom(b), d)
}

// scope is that of RFC 6724 §3.1 and §3.2: link-local is 2, global 14.
func scope(a netip.Addr) int {
	if a.IsLinkLocalUnicast() || a.IsLoopback() {
		return 2
	}
	return 14
}

// commonBits is the length of the longest common prefix.
func commonBits(a, b wire.Addr) int {
	if x := a.Hi ^ b.Hi; x != 0 {
		return bits.LeadingZeros64(x)
	}
	return 64 + bits.LeadingZeros64(a.Lo^b.Lo)
}
