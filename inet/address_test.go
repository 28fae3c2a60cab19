package inet

import (
	"net/netip"
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

func wireAddr(s string) wire.Addr { return wire.AddrFrom(mustAddr(s)) }

func prefixes(ss ...string) (ps []netip.Prefix) {
	for _, s := range ss {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

// newStack makes a stack whose secret is filled with that byte.
func newStack(t testing.TB, secret byte, links ...LinkConfig) *Stack {
	t.Helper()
	cfg := Config{}
	for i := range cfg.TCP.Secret {
		cfg.TCP.Secret[i] = secret
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, lc := range links {
		if _, err := s.AddLink(lc); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// twoLinks is a host in two networks, with a default route by the second.
func twoLinks(t testing.TB) *Stack {
	s := newStack(t, 1,
		LinkConfig{Name: "eth0", Addrs: prefixes("192.0.2.1/24", "2001:db8:1::1/64", "fe80::1/64")},
		LinkConfig{Name: "eth1", MTU: 9000, Addrs: prefixes("198.51.100.1/30", "203.0.113.0/31", "2001:db8:2::1/64", "fe80::2/64")},
	)
	for _, r := range []struct{ dst, via string }{{"0.0.0.0/0", "198.51.100.2"}, {"::/0", "fe80::99"}, {"10.0.0.0/8", "198.51.100.2"}} {
		if err := s.AddRoute(netip.MustParsePrefix(r.dst), mustAddr(r.via), 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddRoute(netip.MustParsePrefix("10.1.0.0/16"), netip.Addr{}, 1); err != nil {
		t.Fatal(err)
	}
	return s
}

// Shows: RFC 9293 MUST-57, MUST-63; RFC 1122 3.2.1.3.
func TestAdmit(t *testing.T) {
	s := twoLinks(t)
	const (
		ok  = wire.Accepted
		src = wire.DropIPSource
		dst = wire.DropIPDestination
	)
	for _, c := range []struct {
		link     LinkID
		src, dst string
		want     wire.Reason
	}{
		{1, "192.0.2.9", "192.0.2.1", ok},
		{1, "8.8.8.8", "192.0.2.1", ok},
		{2, "192.0.2.9", "192.0.2.1", ok}, // weak host model
		{1, "192.0.2.9", "192.0.2.2", dst},
		{1, "192.0.2.9", "192.0.2.255", dst},
		{1, "192.0.2.9", "255.255.255.255", dst},
		{1, "192.0.2.9", "224.0.0.1", dst},
		{1, "192.0.2.9", "0.0.0.0", dst},
		{1, "192.0.2.9", "127.0.0.1", dst},
		{1, "192.0.2.9", "127.1.2.3", dst},

		{1, "0.0.0.0", "192.0.2.1", src},
		{1, "0.255.255.255", "192.0.2.1", src},
		{1, "1.0.0.0", "192.0.2.1", ok},
		{1, "126.255.255.255", "192.0.2.1", ok},
		{1, "127.0.0.0", "192.0.2.1", src},
		{1, "127.255.255.255", "192.0.2.1", src},
		{1, "128.0.0.0", "192.0.2.1", ok},
		{1, "223.255.255.255", "192.0.2.1", ok},
		{1, "224.0.0.0", "192.0.2.1", src},
		{1, "239.255.255.255", "192.0.2.1", src},
		{1, "240.0.0.1", "192.0.2.1", ok},
		{1, "255.255.255.254", "192.0.2.1", ok},
		{1, "255.255.255.255", "192.0.2.1", src},
		{1, "192.0.2.255", "192.0.2.1", src},
		{1, "192.0.2.254", "192.0.2.1", ok},
		{1, "192.0.2.0", "192.0.2.1", src},
		{1, "192.0.1.255", "192.0.2.1", ok}, // somebody else's network may be smaller
		{2, "198.51.100.3", "198.51.100.1", src},
		{2, "198.51.100.4", "198.51.100.1", ok},
		{2, "203.0.113.1", "203.0.113.0", ok}, // a /31 has no broadcast

		{1, "2001:db8:1::9", "2001:db8:1::1", ok},
		{1, "2001:db8:1::9", "2001:db8:1::2", dst},
		{1, "2001:db8:1::9", "ff02::1", dst},
		{1, "2001:db8:1::9", "::1", dst},
		{1, "2001:db8:1::9", "::", dst},
		{1, "::", "2001:db8:1::1", src},
		{1, "::1", "2001:db8:1::1", src},
		{1, "::2", "2001:db8:1::1", ok},
		{1, "ff02::1", "2001:db8:1::1", src},
		{1, "feff::1", "2001:db8:1::1", ok},
		{1, "fe80::9", "fe80::1", ok},
		{2, "fe80::9", "fe80::1", dst}, // of another link
		{2, "fe80::9", "fe80::2", ok},

		{0, "127.0.0.1", "127.0.0.1", ok},
		{0, "127.1.2.3", "127.255.255.254", ok},
		{0, "192.0.2.1", "198.51.100.1", ok},
		{0, "::1", "::1", ok},
		{0, "fe80::1", "fe80::1", ok},
		{0, "192.0.2.9", "127.0.0.1", src},
		{0, "127.0.0.1", "192.0.2.9", dst},
		{0, "::1", "2001:db8:1::9", dst},
		{0, "2001:db8:1::9", "::1", src},
	} {
		if got := s.admit(c.link, wireAddr(c.src), wireAddr(c.dst)); got != c.want {
			t.Errorf("link %d, %s to %s: %v, want %v", c.link, c.src, c.dst, got, c.want)
		}
	}
}

// Shows: RFC 9293 MUST-46.
func TestLookup(t *testing.T) {
	s := twoLinks(t)
	const none = LinkID(99)
	for _, c := range []struct {
		local, remote string
		zone          uint32
		want          LinkID
		mtu           int
	}{
		{"192.0.2.1", "192.0.2.9", 0, 1, 1500},
		{"192.0.2.1", "198.51.100.2", 0, 2, 9000},
		{"192.0.2.1", "8.8.8.8", 0, 2, 9000},
		{"192.0.2.1", "10.0.0.1", 0, 2, 9000},
		{"192.0.2.1", "10.1.0.1", 0, 1, 1500}, // the longer prefix
		{"192.0.2.1", "10.2.0.1", 0, 2, 9000},
		{"192.0.2.1", "192.0.2.1", 0, 0, maxMTU},
		{"192.0.2.1", "198.51.100.1", 0, 0, maxMTU},
		{"192.0.2.1", "127.9.9.9", 0, 0, maxMTU},
		{"127.0.0.1", "127.0.0.1", 0, 0, maxMTU},
		{"127.0.0.1", "192.0.2.1", 0, 0, maxMTU},
		{"127.0.0.1", "192.0.2.9", 0, none, 0},
		{"::1", "2001:db8:1::9", 0, none, 0},
		{"::1", "::1", 0, 0, maxMTU},
		{"192.0.2.1", "192.0.2.255", 0, none, 0},
		{"192.0.2.1", "224.0.0.1", 0, none, 0},
		{"192.0.2.1", "255.255.255.255", 0, none, 0},
		{"192.0.2.1", "0.0.0.0", 0, none, 0},
		{"2001:db8:1::1", "2001:db8:1::9", 0, 1, 1500},
		{"2001:db8:1::1", "2001:db8:9::9", 0, 2, 9000},
		{"2001:db8:1::1", "ff02::1", 0, none, 0},
		{"fe80::1", "fe80::9", 1, 1, 1500},
		{"fe80::2", "fe80::9", 2, 2, 9000},
		{"fe80::2", "fe80::9", 0, none, 0},
		{"fe80::2", "fe80::9", 3, none, 0},
		{"fe80::1", "fe80::1", 1, 0, maxMTU},
		{"fe80::1", "2001:db8:9::9", 1, 1, 1500}, // the source binds it to its link
	} {
		tuple := tcp.Tuple{Local: wireAddr(c.local), Remote: wireAddr(c.remote), Zone: c.zone}
		path, err := s.Path(&tuple)
		egress, mtu := path.Egress, path.MTU
		switch {
		case c.want == none && err == tcp.ErrNetUnreachable && egress == 0:
		case c.want != none && err == 0 && egress == c.want.egress() && mtu == c.mtu:
		default:
			t.Errorf("%s to %s zone %d: egress %d, MTU %d, error %v; want link %d, MTU %d", c.local, c.remote, c.zone, egress, mtu, err, c.want, c.mtu)
		}
	}
}

// Shows: RFC 9293 MUST-44; RFC 1122 3.3.4.2, 3.4.
func TestSource(t *testing.T) {
	s := twoLinks(t)
	for _, c := range []struct{ remote, want string }{
		{"192.0.2.9", "192.0.2.1"},
		{"::ffff:192.0.2.9", "192.0.2.1"},
		{"198.51.100.2", "198.51.100.1"},
		{"203.0.113.1", "203.0.113.0"},
		{"8.8.8.8", "198.51.100.1"}, // of equals the first
		{"10.1.2.3", "192.0.2.1"},
		{"192.0.2.1", "192.0.2.1"},
		{"127.0.0.1", "127.0.0.1"},
		{"127.9.9.9", "127.0.0.1"},
		{"::1", "::1"},
		{"2001:db8:1::9", "2001:db8:1::1"},
		{"2001:db8:9::9", "2001:db8:2::1"}, // not fe80::2: RFC 6724 rule 2
		{"fe80::9%eth0", "fe80::1"},        // not 2001:db8:1::1
		{"fe80::9%eth1", "fe80::2"},
		{"fe80::9%2", "fe80::2"},
		{"fe80::1", "fe80::1"},
		{"fe80::9", ""},
		{"fe80::9%eth7", ""},
		{"fe80::9%0", ""},
		{"192.0.2.255", ""},
		{"ff02::1", ""},
		{"0.0.0.0", ""},
	} {
		got, err := s.Source(mustAddr(c.remote))
		if c.want == "" {
			if err != tcp.ErrNetUnreachable || got.IsValid() {
				t.Errorf("to %s: %v, %v; want %v", c.remote, got, err, tcp.ErrNetUnreachable)
			}
		} else if err != 0 || got != mustAddr(c.want) {
			t.Errorf("to %s: %v, %v; want %s", c.remote, got, err, c.want)
		}
	}
}

// A link without addresses, as a tunnel may have none, borrows one, though not
// one that means nothing elsewhere.
func TestSourceBorrows(t *testing.T) {
	s := newStack(t, 1, LinkConfig{Name: "tun0"}, LinkConfig{Name: "eth0", Addrs: prefixes("fe80::1/64", "192.0.2.1/24")})
	for _, dst := range []string{"0.0.0.0/0", "::/0"} {
		if err := s.AddRoute(netip.MustParsePrefix(dst), netip.Addr{}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Source(mustAddr("8.8.8.8")); err != 0 || got != mustAddr("192.0.2.1") {
		t.Errorf("IPv4: %v, %v", got, err)
	}
	if got, err := s.Source(mustAddr("2001:db8::9")); err != tcp.ErrNetUnreachable {
		t.Errorf("IPv6: %v, %v, want %v", got, err, tcp.ErrNetUnreachable)
	}
}

func TestZone(t *testing.T) {
	s := twoLinks(t)
	none := tcp.Error(0)
	for _, c := range []struct {
		local, remote string
		want          uint32
		err           tcp.Error
	}{
		{"192.0.2.1", "192.0.2.9", 0, none},
		{"", "2001:db8:1::9%eth0", 0, none},
		{"", "fe80::9%eth0", 1, none},
		{"fe80::1", "fe80::9%eth0", 1, none},
		{"fe80::1", "fe80::9", 1, none},
		{"fe80::2", "fe80::9%eth0", 0, tcp.ErrInvalid},
		{"", "fe80::9", 0, tcp.ErrInvalid},
		{"", "fe80::9%eth9", 0, tcp.ErrInvalid},
		{"", "fe80::9%lo", 0, tcp.ErrInvalid},
		{"fe80::2", "2001:db8:1::9", 2, none},
		{"2001:db8:1::1", "fe80::2", 2, none},
	} {
		var local netip.Addr
		if c.local != "" {
			local = mustAddr(c.local)
		}
		if got, err := s.Zone(local, mustAddr(c.remote)); got != c.want || err != c.err {
			t.Errorf("%s to %s: %d, %v; want %d, %v", c.local, c.remote, got, err, c.want, c.err)
		}
	}
}

func TestAddLinkRefuses(t *testing.T) {
	s := newStack(t, 1, LinkConfig{Addrs: prefixes("192.0.2.1/24")})
	for _, lc := range []LinkConfig{
		{MTU: minMTU - 1}, {MTU: -1},
		{Addrs: []netip.Prefix{{}}},
		{Addrs: prefixes("192.0.2.1/32")},
		{Addrs: prefixes("127.0.0.1/8")},
		{Addrs: prefixes("198.51.100.1/24", "198.51.100.1/32")},
		{Addrs: prefixes("224.0.0.1/4")},
		{Addrs: prefixes("0.0.0.0/8")},
		{Addrs: prefixes("255.255.255.255/32")},
		{Addrs: prefixes("::/64")},
		{Addrs: prefixes("ff02::1/16")},
	} {
		if _, err := s.AddLink(lc); err == nil {
			t.Errorf("accepted: %+v", lc)
		}
	}
	if id, err := s.AddLink(LinkConfig{MTU: minMTU}); err != nil || id != 2 {
		t.Errorf("after the refusals: link %d, %v; want 2", id, err)
	}
	for _, r := range []struct{ dst, via string }{{"192.0.2.0/24", "::1"}, {"2001:db8::/32", "192.0.2.1"}} {
		if err := s.AddRoute(netip.MustParsePrefix(r.dst), mustAddr(r.via), 1); err == nil {
			t.Errorf("route to %s via %s accepted", r.dst, r.via)
		}
	}
	if err := s.AddRoute(netip.MustParsePrefix("10.0.0.0/8"), netip.Addr{}, 3); err == nil {
		t.Error("route by a link that isn't there accepted")
	}
	if err := s.AddRoute(netip.Prefix{}, netip.Addr{}, 1); err == nil {
		t.Error("route to nowhere accepted")
	}
	for i := len(s.links); i < maxLinks; i++ {
		if _, err := s.AddLink(LinkConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddLink(LinkConfig{}); err == nil {
		t.Error("one link too many accepted")
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a zero secret accepted")
	}
}

// Few addresses are searched one way, many another.
func TestManyAddresses(t *testing.T) {
	s := newStack(t, 1)
	var lc LinkConfig
	for i := range maxLinks - 1 {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i), 7})
		lc.Addrs = append(lc.Addrs, netip.PrefixFrom(a, 24))
		if _, err := s.AddLink(LinkConfig{Addrs: lc.Addrs[i:]}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range lc.Addrs {
		a := lc.Addrs[i].Addr()
		owner, ok := s.addrs.owner(wire.AddrFrom(a))
		if !ok || owner != LinkID(i+1) || !s.Local(a) || s.Local(a.Next()) {
			t.Errorf("%v: link %d, %v, want %d", a, owner, ok, i+1)
		}
		broadcast := netip.AddrFrom4([4]byte{10, 0, byte(i), 255})
		if !s.addrs.isNever(wire.AddrFrom(broadcast)) || s.addrs.isNever(wire.AddrFrom(broadcast.Prev())) {
			t.Errorf("%v is a broadcast address, the one before it is not", broadcast)
		}
	}
}
