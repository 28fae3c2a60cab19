package inet

import (
	"net/netip"
	"slices"

	"estab/internal/wire"
)

// addrTable knows the addresses that mean something to the host. Both lists
// are sorted: there may be many.
type addrTable struct {
	own   []ownAddr   // the host's
	never []wire.Addr // of the networks it is in, those that no host has
}

type ownAddr struct {
	addr wire.Addr
	link LinkID
}

func compareAddr(a, b wire.Addr) int {
	switch {
	case a == b:
		return 0
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	}
	return 1
}

func compareOwn(o ownAddr, a wire.Addr) int { return compareAddr(o.addr, a) }

// add notes an address of the host on a link.
func (t *addrTable) add(p netip.Prefix, link LinkID) {
	a := wire.AddrFrom(p.Addr())
	i, _ := slices.BinarySearchFunc(t.own, a, compareOwn)
	t.own = slices.Insert(t.own, i, ownAddr{a, link})
	for _, b := range networkBroadcasts(p) {
		if i, found := slices.BinarySearchFunc(t.never, b, compareAddr); !found {
			t.never = slices.Insert(t.never, i, b)
		}
	}
}

// few is up to how many addresses a look at each is the fastest search.
const few = 16

// owner is the link on which the host has the address.
func (t *addrTable) owner(a wire.Addr) (LinkID, bool) {
	if len(t.own) <= few {
		for i := range t.own {
			if t.own[i].addr == a {
				return t.own[i].link, true
			}
		}
		return 0, false
	}
	i, found := slices.BinarySearchFunc(t.own, a, compareOwn)
	if !found {
		return 0, false
	}
	return t.own[i].link, true
}

func (t *addrTable) has(a wire.Addr) bool {
	_, found := t.owner(a)
	return found
}

// local reports whether packets to a are the host's own. RFC 1122 §3.2.1.3
// (g): all of 127/8 is.
func (t *addrTable) local(a wire.Addr) bool { return loopback4(a) || t.has(a) }

// isNever reports whether a is the broadcast address of a network that the
// host is in.
func (t *addrTable) isNever(a wire.Addr) bool {
	if len(t.never) <= few {
		return slices.Contains(t.never, a)
	}
	_, found := slices.BinarySearchFunc(t.never, a, compareAddr)
	return found
}

func (t *addrTable) clone() addrTable {
	return addrTable{slices.Clone(t.own), slices.Clone(t.never)}
}

// admit says whether a packet with these addresses may have arrived on the
// link. A packet for any of the host's addresses is taken from any link (the
// weak model of RFC 1122 §3.3.4.2), but what belongs to one link or to the
// loopback only from there.
// Obeys: RFC 9293 MUST-57, MUST-63; RFC 1122 3.2.1.3.
func (s *Stack) admit(link LinkID, src, dst wire.Addr) wire.Reason {
	if badSource(src) || s.addrs.isNever(src) {
		return wire.DropIPSource
	}
	owner, mine := s.addrs.owner(dst)
	if link == Loopback {
		// Nobody else sends here.
		switch {
		case !mine && !loopback4(dst):
			return wire.DropIPDestination
		case !s.addrs.local(src):
			return wire.DropIPSource
		}
		return wire.Accepted
	}
	switch {
	case !mine, owner == Loopback:
		return wire.DropIPDestination
	case linkLocal(dst) && owner != link:
		return wire.DropIPDestination
	case loopback4(src), loopback6(src):
		// RFC 1122 §3.2.1.3 (g): "Addresses of this form MUST NOT appear
		// outside a host." RFC 4291 §2.5.3 says the like of ::1.
		return wire.DropIPSource
	}
	return wire.Accepted
}

// badSource reports whether no host anywhere has the address. RFC 1122
// §3.2.1.3: "A host MUST silently discard an incoming datagram containing an
// IP source address that is invalid by the rules of this section."
func badSource(a wire.Addr) bool {
	if a.Is4() {
		return badSource4(a)
	}
	return badSource6(a)
}
