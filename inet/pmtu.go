package inet

import (
	"slices"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// What a path is never believed to be below, in bytes. A router may claim less
// for IPv4; RFC 5927 §7.2 shows what an attacker makes of that. Deviation from
// RFC 1191 §3, whose floor is 68: a path below 576 bytes is not used to the
// full but not at all, and nobody has seen one.
const (
	minPath4 = 576
	minPath6 = 1280 // RFC 8200 §5
)

// pmtuLifetime is how long a smaller MTU is believed before a larger one is
// tried. RFC 1191 §7.1: "the timeout should be set to 10 minutes"; RFC 8201
// §4 recommends the same.
const pmtuLifetime = 10 * time.Minute

// A peer makes an entry by completing a handshake and forging an error, so
// there is a limit: 256 sets of 4 of 32 bytes, 32 KiB in all, made when the
// first is needed. The set is chosen by a keyed hash: nobody can aim.
const (
	pmtuSets = 256
	pmtuWays = 4
)

// pmtuCache remembers destinations with a path narrower than the first link.
type pmtuCache struct {
	sets *[pmtuSets][pmtuWays]pmtuEntry
}

type pmtuEntry struct {
	dst     wire.Addr
	mtu     int32 // 0: empty
	expires tcp.Time
}

// setOf is where a destination stands in the cache.
func (s *Stack) setOf(dst wire.Addr) uint8 {
	if s.pmtu.sets == nil {
		return 0
	}
	return uint8(s.tcp.Hash(&tcp.Tuple{Remote: dst}))
}

// get is what is known of the path to dst: its MTU, or maxMTU.
func (c *pmtuCache) get(now tcp.Time, set uint8, dst wire.Addr) int {
	if c.sets == nil {
		return maxMTU
	}
	for i := range c.sets[set] {
		if e := &c.sets[set][i]; e.mtu != 0 && e.dst == dst && e.expires > now {
			return int(e.mtu)
		}
	}
	return maxMTU
}

// put notes that the path to dst takes mtu bytes. In a full set the entry
// that would expire first makes room.
func (c *pmtuCache) put(now tcp.Time, set uint8, dst wire.Addr, mtu int) {
	ways := &c.sets[set]
	victim := &ways[0]
	for i := range ways {
		e := &ways[i]
		if e.dst == dst && e.mtu != 0 {
			victim = e
			break
		}
		if e.expires < victim.expires {
			victim = e
		}
	}
	*victim = pmtuEntry{dst, int32(mtu), now.Add(pmtuLifetime)}
}

// narrow notes an MTU for the path to dst, if it is news: an error never
// widens a path. (RFC 1191 §3: "A host MUST not increase its estimate of the
// Path MTU in response to the contents of a Datagram Too Big message.")
func (s *Stack) narrow(dst wire.Addr, mtu int) {
	if s.pmtu.sets == nil {
		s.pmtu.sets = new([pmtuSets][pmtuWays]pmtuEntry)
	}
	set := s.setOf(dst)
	if mtu <= s.pmtu.get(s.now, set, dst) {
		s.pmtu.put(s.now, set, dst, mtu)
	}
}

// plateaus are the MTUs of RFC 1191 table 7-1, for routers that do not say
// which they have.
var plateaus = [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, minPath4}

// pathMTU is what a too-big message says about the path; 0: nothing that can
// be believed.
func pathMTU(m *wire.ICMP) int {
	if !m.Quote.Src.Is4() {
		// RFC 8201 §4: "If a node receives a Packet Too Big message reporting
		// a next-hop MTU that is less than the IPv6 minimum link MTU, it must
		// discard it."
		if m.MTU < minPath6 {
			return 0
		}
		return m.MTU
	}
	if m.MTU != 0 {
		return max(m.MTU, minPath4)
	}
	// RFC 1191 §5: the router is older than that: try "the greatest plateau
	// value that is less than the returned Total Length field".
	for _, p := range plateaus {
		if p < m.Quote.TotalLen {
			return p
		}
	}
	return minPath4
}

// live are the entries that have not expired, in order of address.
func (c *pmtuCache) live(now tcp.Time) []pmtuEntry {
	var out []pmtuEntry
	if c.sets == nil {
		return nil
	}
	for i := range c.sets {
		for _, e := range c.sets[i] {
			if e.mtu != 0 && e.expires > now {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(a, b pmtuEntry) int { return compareAddr(a.dst, b.dst) })
	return out
}

func (c *pmtuCache) clone() pmtuCache {
	if c.sets == nil {
		return pmtuCache{}
	}
	sets := *c.sets
	return pmtuCache{&sets}
}
