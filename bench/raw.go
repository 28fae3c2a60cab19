package main

import (
	"net"
	"net/netip"
	"sync"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/link"
)

// rawLink is a link of a world's server whose other end is not a stack but a
// row: it makes the packets itself, so that one end alone is measured.
type rawLink interface {
	send(pkts [][]byte)      // to the server, at most 64
	onSent(func(pkt []byte)) // called with what the server sends there; it may only note it
}

// rawWorld is a world that has one, and can listen elsewhere for it.
type rawWorld interface {
	raw() rawLink
	listen(port int) (net.Listener, error)
}

// The server's addresses on its raw link, and the networks in which ghosts
// live: RFC 6598's and RFC 3849's.
var (
	ghostServer4 = netip.MustParsePrefix("100.64.0.1/10")
	ghostServer6 = netip.MustParsePrefix("2001:db8::1/32")
)

// estabRaw is the other end of a Pair.
type estabRaw struct {
	end  *link.PairEnd
	work link.Work
	pkts [64]*link.Packet
	f    func([]byte)
}

func (r *estabRaw) onSent(f func([]byte)) { r.f = f }

func (r *estabRaw) send(pkts [][]byte) {
	for i, b := range pkts {
		if r.pkts[i] == nil {
			r.pkts[i] = link.NewPacket(1500)
		}
		r.pkts[i].Resize(0)
		r.pkts[i].Append(b)
	}
	r.end.Enqueue(&r.work, r.pkts[:len(pkts)])
	r.work.Run()
}

// Deliver is part of link.Receiver.
func (r *estabRaw) Deliver(_ *link.Work, pkts []*link.Packet) {
	for _, p := range pkts {
		if r.f != nil {
			r.f(p.Bytes())
		}
		p.Resize(0)
	}
}

// Writable is part of link.Receiver.
func (r *estabRaw) Writable(*link.Work) {}

// ghost is the number of a peer that exists only in its packets.
type ghost uint32

// tuple gives a ghost an address and a port: so many ports to an address.
func (g ghost) tuple(six bool, ports uint32) wire.Tuple {
	t := wire.Tuple{LocalPort: uint16(1024 + uint32(g)%ports), RemotePort: 80}
	host := uint32(g)/ports + 2
	if six {
		t.Local = wire.AddrFrom(ghostServer6.Addr())
		t.Remote = t.Local
		t.Local.Hi += uint64(host) // a /64 of its own
	} else {
		t.Remote = wire.AddrFrom(ghostServer4.Addr())
		t.Local = wire.Addr4(t.Remote.V4() + host)
	}
	return t
}

// number is the ghost whose tuple that is.
func number(t wire.Tuple, ports uint32) ghost {
	host := t.Local.V4() - wire.AddrFrom(ghostServer4.Addr()).V4()
	if !t.Local.Is4() {
		host = uint32(t.Local.Hi - wire.AddrFrom(ghostServer6.Addr()).Hi)
	}
	return ghost((host-2)*ports + uint32(t.LocalPort) - 1024)
}

// craft makes a packet of a segment that leaves t.Local.
func craft(buf []byte, seg *wire.Segment) []byte {
	n := wire.IPHeaderLen(seg.Local) + wire.TCPHeaderLen(seg) + len(seg.Payload)
	b := buf[:n]
	ip := wire.PutIP(b, &wire.IPHeader{Src: seg.Local, Dst: seg.Remote, Proto: wire.ProtoTCP, TTL: 64, TotalLen: n})
	h := wire.PutTCP(b[ip:], seg)
	copy(b[ip+h:], seg.Payload)
	wire.PutTCPChecksum(seg.Local, seg.Remote, b[ip:])
	return b
}

// ghostSYN is the SYN of a ghost.
func ghostSYN(t wire.Tuple) *wire.Segment {
	return &wire.Segment{Tuple: t, Seq: 1000, Flags: wire.SYN, Wnd: 65535, Options: wire.Options{Set: wire.OptMSS, MSS: 1460}}
}

// ghosts are peers that answer: they complete handshakes, acknowledge text and
// close when they are closed.
type ghosts struct {
	link  rawLink
	buf   [64][128]byte
	out   [64][]byte
	mute  bool       // SYN-ACKs are counted and not answered
	rude  wire.Flags // segments with this flag are answered with a RST
	port  uint16     // of the server; 0: 80
	ports uint32     // to an address; set before the first SYN
	kept  []net.Conn

	mu     sync.Mutex
	queue  []wire.Segment // what they have to answer
	opened tally          // who got a SYN-ACK
	closed tally          // who got a FIN
}

// tally counts ghosts, each once.
type tally struct {
	seen []bool
	n    int
}

func (t *tally) add(g ghost) {
	if !t.seen[g] {
		t.seen[g] = true
		t.n++
	}
}

// newGhosts is ghosts 0 to n-1.
func newGhosts(l rawLink, n ghost) *ghosts {
	g := &ghosts{link: l, ports: 50_000, opened: tally{seen: make([]bool, n)}, closed: tally{seen: make([]bool, n)}}
	l.onSent(g.hear)
	return g
}

// hear notes what a packet of the server's asks for.
func (g *ghosts) hear(b []byte) {
	var ip wire.IPHeader
	var seg wire.Segment
	if wire.ParseIP(b, &ip) != wire.Accepted || wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &seg) != wire.Accepted {
		return
	}
	seg.Local, seg.Remote = ip.Dst, ip.Src
	g.mu.Lock()
	defer g.mu.Unlock()
	a := wire.Segment{Tuple: seg.Tuple, Seq: seg.Ack, Ack: seg.Seq + seq.Num(seg.Len()), Flags: wire.ACK, Wnd: 65535}
	switch {
	case seg.Flags.Any(wire.RST) || seg.Len() == 0:
		return
	case seg.Flags.Has(wire.SYN):
		g.opened.add(number(seg.Tuple, g.ports))
	case seg.Flags.Has(wire.FIN):
		g.closed.add(number(seg.Tuple, g.ports))
		a.Flags |= wire.FIN
	}
	if seg.Flags.Any(g.rude) {
		a.Flags = wire.RST
	}
	if !g.mute || g.rude != 0 {
		g.queue = append(g.queue, a)
	}
}

// answer sends what is due, and reports whether there was anything.
func (g *ghosts) answer() bool {
	some := false
	for {
		g.mu.Lock()
		n := min(len(g.queue), len(g.out))
		for i := range n {
			g.out[i] = craft(g.buf[i][:], &g.queue[i])
		}
		g.queue = append(g.queue[:0], g.queue[n:]...)
		g.mu.Unlock()
		if n == 0 {
			return some
		}
		some = true
		g.link.send(g.out[:n])
	}
}

// syns sends the SYNs of ghosts from up to (not including) to, at most 64.
func (g *ghosts) syns(from, to ghost, six bool) {
	n := 0
	for k := from; k < to; k++ {
		syn := ghostSYN(k.tuple(six, g.ports))
		if g.port != 0 {
			syn.RemotePort = g.port
		}
		g.out[n] = craft(g.buf[n][:], syn)
		n++
	}
	g.link.send(g.out[:n])
}

func (g *ghosts) counts() (opened, closed int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened.n, g.closed.n
}
