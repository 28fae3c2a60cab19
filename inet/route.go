package inet

import (
	"errors"
	"net/netip"
	"slices"

	"estab/internal/wire"
	"estab/tcp"
)

// route says by which link a network is reached.
type route struct {
	net  wire.Addr // its first address
	bits int       // how many bits of it count, of 128
	via  wire.Addr // the router; zero: the network is on the link
	link LinkID
}

// matches reports whether a lies in the route's network.
func (r *route) matches(a wire.Addr) bool {
	if r.net.Is4() != a.Is4() {
		return false // ::/0 is not for IPv4
	}
	return commonBits(r.net, a) >= r.bits
}

// AddRoute adds a route. The longest prefix that matches wins; of two that
// are the same, the first. via is the router's address and may be zero.
func (s *Stack) AddRoute(dst netip.Prefix, via netip.Addr, link LinkID) error {
	switch {
	case int(link) >= len(s.links):
		return errors.New("inet: route to " + dst.String() + ": no such link")
	case !dst.IsValid() || dst.Addr().Is4In6():
		return errors.New("inet: route to " + dst.String() + ": not a network")
	case via.IsValid() && via.Is4() != dst.Addr().Is4():
		return errors.New("inet: route to " + dst.String() + " via " + via.String() + ": IPv4 and IPv6 mixed")
	}
	var router wire.Addr
	if via.IsValid() {
		router = wire.AddrFrom(via)
	}
	s.addRoute(dst.Masked(), router, link)
	return nil
}

func (s *Stack) addRoute(dst netip.Prefix, via wire.Addr, link LinkID) {
	r := route{wire.AddrFrom(dst.Addr()), dst.Bits(), via, link}
	if dst.Addr().Is4() {
		r.bits += 96
	}
	i := 0
	for i < len(s.routes) && s.routes[i].bits >= r.bits {
		i++
	}
	s.routes = slices.Insert(s.routes, i, r)
}

// lookup finds the link by which remote is reached from local, which may be
// the zero address. A zone is the link of whichever of them is link-local.
// Obeys: RFC 9293 MUST-46.
func (s *Stack) lookup(local, remote wire.Addr, zone uint32) (LinkID, tcp.Error) {
	switch {
	case s.addrs.local(remote):
		return Loopback, 0
	case loopback4(local), loopback6(local):
		return 0, tcp.ErrNetUnreachable // RFC 1122 §3.2.1.3 (g)
	case badSource(remote), s.addrs.isNever(remote):
		return 0, tcp.ErrNetUnreachable // nobody who could answer
	case zone != 0 && int(zone) < len(s.links):
		return LinkID(zone), 0
	case zone != 0, linkLocal(remote):
		return 0, tcp.ErrNetUnreachable
	}
	for i := range s.routes {
		if r := &s.routes[i]; r.matches(remote) && r.link != Loopback {
			return r.link, 0
		}
	}
	return 0, tcp.ErrNetUnreachable
}

// egress is how a link stands in segments: 0 means that nobody looked yet.
func (id LinkID) egress() uint32 { return uint32(id) + 1 }

// Path implements [tcp.Paths].
func (s *Stack) Path(t *tcp.Tuple) (tcp.Path, tcp.Error) {
	link, err := s.lookup(t.Local, t.Remote, t.Zone)
	if err != 0 {
		return tcp.Path{}, err
	}
	l := &s.links[link]
	p := tcp.Path{Egress: link.egress(), MTU: l.mtu, Lends: l.shares, Sums: !l.txUnchecked, Local: l.local}
	if link != Loopback {
		p.MTU = min(p.MTU, s.pmtu.get(s.now, s.setOf(t.Remote), t.Remote))
	}
	return p, 0
}
