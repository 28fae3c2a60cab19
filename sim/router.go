package sim

import (
	"encoding/binary"
	"net/netip"

	"estab/internal/wire"
)

// Router forwards packets between the paths that it joins.
type Router struct {
	Name  string
	Addrs []netip.Addr // what its ICMP messages come from

	w      *World
	cfg    RouterConfig
	pool   wire.Pool
	ports  []*port
	routes map[wire.Addr]*port // nil: to be found
}

// RouterConfig is what a router is made with.
type RouterConfig struct {
	// Silent makes it drop what is too large for the next path, or has no way
	// to go, without telling the sender: a black hole (RFC 2923 §2.1).
	Silent bool
}

// Router adds a router. Its addresses are 10.255.0.n and fd00::ff:n. It finds
// the shortest way to each host by itself.
func (w *World) Router(name string, cfg RouterConfig) *Router {
	n := len(w.routers) + 1
	r := &Router{Name: name, w: w, cfg: cfg, Addrs: addresses(255, n)}
	w.routers = append(w.routers, r)
	return r
}

func (r *Router) attach(q *port, _ int) { r.ports = append(r.ports, q) }
func (r *Router) slabs() *wire.Pool     { return &r.pool }

// ICMP types and codes of RFC 792, RFC 1191 and RFC 4443.
const (
	icmp4Unreachable  = 3
	icmp4HostCode     = 1
	icmp4FragCode     = 4
	icmp4TimeExceeded = 11
	icmp6Unreachable  = 1
	icmp6TooBig       = 2
	icmp6TimeExceeded = 3
)

// arrive forwards a packet, or tells its sender why not.
func (r *Router) arrive(from *port, p *wire.Slab) {
	b := p.Bytes()
	var h wire.IPHeader
	if wire.ParseIP(b, &h) != wire.Accepted {
		r.pool.Put(p)
		return
	}
	v4 := h.Version == 4
	out := r.route(h.Dst)
	switch {
	case h.TTL <= 1:
		r.answer(from, b, &h, pick(v4, icmp4TimeExceeded, icmp6TimeExceeded), 0, 0)
	case out == nil:
		r.answer(from, b, &h, pick(v4, icmp4Unreachable, icmp6Unreachable), pick(v4, icmp4HostCode, 0), 0)
	case len(b) > out.path.cfg.MTU:
		// RFC 1191 §4, RFC 4443 §3.2.
		r.answer(from, b, &h, pick(v4, icmp4Unreachable, icmp6TooBig), pick(v4, icmp4FragCode, 0), uint32(out.path.cfg.MTU))
	default:
		age(b, v4)
		out.send(p)
		return
	}
	r.pool.Put(p)
}

func pick(first bool, a, b uint8) uint8 {
	if first {
		return a
	}
	return b
}

// age takes one from TTL or hop limit. The checksum is repaired as RFC 1624
// has it.
func age(b []byte, v4 bool) {
	if !v4 {
		b[7]--
		return
	}
	old := binary.BigEndian.Uint16(b[8:])
	b[8]--
	sum := uint32(^binary.BigEndian.Uint16(b[10:])) + uint32(^old) + uint32(binary.BigEndian.Uint16(b[8:]))
	sum = sum&0xffff + sum>>16
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
}

// maxQuote is how much of a packet an error shows, beside its headers: as much
// as fits into 576 bytes (RFC 1812 §4.3.2.3).
const maxQuote = 576 - wire.IP4HeaderLen - wire.ICMPHeaderLen

// answer sends an ICMP error back to where the packet came from.
func (r *Router) answer(from *port, b []byte, h *wire.IPHeader, typ, code uint8, info uint32) {
	proto, src := uint8(wire.ProtoICMP), wire.AddrFrom(r.Addrs[0])
	if h.Version == 6 {
		proto, src = wire.ProtoICMPv6, wire.AddrFrom(r.Addrs[1])
	}
	if r.cfg.Silent || h.Proto == proto { // RFC 1122 §3.2.2: no error about an error
		return
	}
	quote := b[:min(len(b), maxQuote)]
	out := wire.IPHeader{Src: src, Dst: h.Src, Proto: proto, TTL: 64,
		TotalLen: wire.IPHeaderLen(src) + wire.ICMPHeaderLen + len(quote)}
	p := r.pool.Get(out.TotalLen)
	buf := p.Resize(out.TotalLen)
	n := wire.PutIP(buf, &out)
	wire.PutICMPError(buf[n:], src, h.Src, typ, code, info, quote)
	from.rev.send(p)
}

// route is the path to a host; nil if there is none.
func (r *Router) route(dst wire.Addr) *port {
	if r.routes == nil {
		r.routes = map[wire.Addr]*port{}
		ways(r, r.ports, func(h *Host, via *port) {
			for _, a := range h.Addrs {
				r.routes[wire.AddrFrom(a)] = via
			}
		})
	}
	return r.routes[dst]
}

// ways calls found for each host that can be reached by the ports of a node,
// the nearest first, with the port by which it is.
func ways(self Node, ports []*port, found func(h *Host, via *port)) {
	type hop struct {
		node Node
		via  *port
	}
	seen := map[Node]bool{self: true}
	var queue []hop
	reach := func(q *port, via *port) {
		if !seen[q.to] {
			seen[q.to] = true
			queue = append(queue, hop{q.to, via})
		}
	}
	for _, q := range ports {
		reach(q, q)
	}
	for ; len(queue) > 0; queue = queue[1:] {
		x := queue[0]
		switch n := x.node.(type) {
		case *Host:
			found(n, x.via)
		case *Router:
			for _, q := range n.ports {
				reach(q, x.via)
			}
		}
	}
}
