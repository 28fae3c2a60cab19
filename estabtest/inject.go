package estabtest

import (
	"net"
	"strconv"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/link"
	"estab/tcp"
)

// Reset ends the connections between two hosts as some firewalls do: each end
// gets a RST that seems to come from the other.
func (n *Network) Reset(a, b string) {
	n.t.Helper()
	n.collect()
	n.mu.Lock()
	defer n.mu.Unlock()
	v, w := n.node("Reset", a), n.node("Reset", b)
	n.note("Reset(%s, %s)", a, b)
	for _, f := range n.all {
		c, s := f.sides[trace.Left].host.node, f.sides[trace.Right].host.node
		if f.over() || pairOf(c, s) != pairOf(v, w) {
			continue
		}
		for x := range f.sides {
			n.injectReset(f, trace.Side(x))
		}
	}
	n.arm(n.now())
}

// injectReset forges a RST of one end of a flow to the other.
func (n *Network) injectReset(f *flow, from trace.Side) {
	me, peer := &f.sides[from], &f.sides[from.Other()]
	seg := tcp.Segment{Tuple: f.seenBy(from), Seq: me.came, Ack: peer.came, Flags: wire.RST | wire.ACK}
	if !me.known { // it answers a SYN
		seg.Seq, seg.Ack = 0, peer.high
	}
	n.inject(me.host.node, peer.host.node, seg, n.now())
	hdr := trace.Header(&seg)
	n.keep(f, &record{
		at: n.now(), arrive: [2]int64{n.now()}, copies: 1, side: from, hdr: hdr, injected: true,
	})
}

// inject lets a segment that nobody sent arrive, as if it came from there.
func (n *Network) inject(from, to *node, seg tcp.Segment, now int64) {
	p := link.NewPacket(link.MinMTU)
	h := wire.IPHeader{Src: seg.Local, Dst: seg.Remote, Proto: wire.ProtoTCP, TTL: 64}
	ip := wire.IPHeaderLen(seg.Local)
	h.TotalLen = ip + wire.TCPHeaderLen(&seg)
	b := p.Resize(h.TotalLen)
	wire.PutIP(b, &h)
	wire.PutTCP(b[ip:], &seg)
	wire.PutTCPChecksum(seg.Local, seg.Remote, b[ip:])
	n.queue.push(arrival{at: now, pkt: &packet{p: p, from: from, to: to}})
	n.arm(now)
}

// tooBig answers a packet that a pipe doesn't take with the message that says
// so (RFC 1191 §4, RFC 4443 §3.2).
func (n *Network) tooBig(k *packet, at *pipe, now int64) {
	const quote = 256 // bytes, more than anybody needs
	var h wire.IPHeader
	text := k.p.Bytes()
	if wire.ParseIP(text, &h) != wire.Accepted || h.Proto == wire.ProtoICMP || h.Proto == wire.ProtoICMPv6 {
		return
	}
	router := at.from
	if router.host != nil {
		router = n.hub
	}
	text = text[:min(len(text), quote)]
	p := link.NewPacket(2 * quote)
	b := p.Resize(2 * quote)
	out := wire.IPHeader{Dst: h.Src, TTL: 64}
	var size int
	if h.Version == 4 {
		out.Src, out.Proto = wire.AddrFrom4(router.addr4[:]), wire.ProtoICMP
		size = wire.PutICMPError(b[wire.IP4HeaderLen:], out.Src, out.Dst, 3, 4, uint32(at.path.mtu), text)
	} else {
		out.Src, out.Proto = wire.AddrFrom16(router.addr6[:]), wire.ProtoICMPv6
		size = wire.PutICMPError(b[wire.IP6HeaderLen:], out.Src, out.Dst, 2, 0, uint32(at.path.mtu), text)
	}
	out.TotalLen = wire.IPHeaderLen(out.Src) + size
	wire.PutIP(b, &out)
	p.Resize(out.TotalLen)
	n.queue.push(arrival{at: now, pkt: &packet{p: p, from: router, to: k.from}})
	n.arm(now)
}

// flood is a SYN flood under way.
type flood struct {
	net   *Network
	to    *node
	port  uint16
	start int64
	every int64 // ns
	sent  int64
	total int64
}

// Flood sends SYNs from invented addresses (198.18.0.0/15) to an address such
// as "db.internal:80", so many a second, for so long. They come out of nowhere,
// by no link, and the answers are lost. They are in no list of connections.
func (n *Network) Flood(address string, perSecond int, d time.Duration) {
	n.t.Helper()
	host, service, err := net.SplitHostPort(address)
	port, perr := strconv.ParseUint(service, 10, 16)
	if err != nil || perr != nil || perSecond < 1 {
		n.t.Fatalf("estabtest: Flood(%q, %d): want a host, a port's number and a rate", address, perSecond)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	f := &flood{net: n, to: n.node("Flood", host), port: uint16(port), start: n.now()}
	n.note("Flood(%s, %d a second, %v)", address, perSecond, d)
	f.every = max(int64(time.Second)/int64(perSecond), 1)
	f.total = int64(d) / f.every
	n.queue.push(arrival{at: f.start, run: f.next})
	n.arm(f.start)
}

// next sends one SYN, and comes back for the next.
func (f *flood) next() {
	n := f.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || f.sent == f.total {
		return
	}
	r := hashOf("flood") + n.seed + uint64(f.sent)*0x9e3779b97f4a7c15
	r ^= r >> 31
	r *= 0xbf58476d1ce4e5b9
	r ^= r >> 29
	seg := tcp.Segment{Flags: wire.SYN, Seq: tcp.Num(r >> 32), Wnd: 65535}
	seg.Local, seg.LocalPort = wire.Addr4(198<<24|18<<16|uint32(r)&0x1ffff), uint16(r>>17)|1024
	seg.Remote, seg.RemotePort = wire.AddrFrom4(f.to.addr4[:]), f.port
	seg.Options = tcp.Options{Set: wire.OptMSS, MSS: 1460}
	n.inject(n.hub, f.to, seg, n.now())
	f.sent++
	n.queue.push(arrival{at: f.start + f.sent*f.every, run: f.next})
	n.arm(n.now())
}
