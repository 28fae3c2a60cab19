package inet

import (
	"estab/internal/wire"
	"estab/tcp"
)

// Outbox takes the packets that a stack sends.
type Outbox interface {
	// Room reports whether the link has room for a packet now. If not, the shell
	// calls Stack.Writable when it has some again.
	Room(link LinkID) bool
	// Send takes a packet. Room has promised the room.
	Send(link LinkID, p *wire.Slab)
}

// Output gives out everything that may be sent now.
func (s *Stack) Output(now tcp.Time, out Outbox) {
	s.clock(now)
	s.emit.out = out
	for s.echoes.n > 0 {
		s.echoes.blocked = !s.emit.echo(s.echoes.front())
		if s.echoes.blocked {
			break
		}
		s.pool.Put(s.echoes.pop().slab)
	}
	s.tcp.Output(now, &s.emit)
	s.emit.out = nil
}

// emitter makes packets; it is the engine's [tcp.Sink].
type emitter struct {
	s   *Stack
	out Outbox
}

// Emit makes a packet of the segment and sends it. It reports false if the
// link has no room. A packet that can't be sent at all is counted and gone.
// Obeys: RFC 9293 SHLD-22.
func (e *emitter) Emit(seg *tcp.Segment) bool {
	s := e.s
	link := LinkID(seg.Egress - 1)
	if seg.Egress == 0 || int(seg.Egress) > len(s.links) {
		// A reply that belongs to no connection.
		var err tcp.Error
		if link, err = s.lookup(seg.Local, seg.Remote, seg.Zone); err != 0 {
			s.counters.OutDrops[wire.DropNoRoute]++
			return true
		}
	}
	ipLen, tcpLen := wire.IPHeaderLen(seg.Local), wire.TCPHeaderLen(seg)
	n := ipLen + tcpLen + seg.DataLen()
	if ok, done := e.room(link, n); !ok {
		return done
	}
	l := &s.links[link]
	if seg.Slab != nil && l.shares && e.lend(link, seg, ipLen, tcpLen) {
		return true
	}
	p := s.pool.Get(n)
	b := p.Resize(n)
	e.putHeaders(b, seg, ipLen)
	text := b[ipLen:]
	if l.txUnchecked {
		k := tcpLen + copy(text[tcpLen:], seg.Payload)
		for _, rest := range seg.Rest {
			k += copy(text[k:], rest)
		}
	} else {
		wire.PutTCPText(seg, text, tcpLen) // Obeys: RFC 9293 MUST-2.
	}
	e.send(link, p)
	return true
}

// putHeaders writes the headers of the packet b, but for TCP's checksum.
func (e *emitter) putHeaders(b []byte, seg *tcp.Segment, ipLen int) {
	h := wire.IPHeader{
		Src: seg.Local, Dst: seg.Remote, Proto: wire.ProtoTCP, TTL: e.s.cfg.TTL,
		TOS: seg.TOS, ECN: seg.ECN, TotalLen: len(b),
	}
	if ipLen == wire.IP6HeaderLen {
		h.FlowLabel = e.s.flowLabel(&seg.Tuple)
	}
	wire.PutIP(b, &h)
	wire.PutTCP(b[ipLen:], seg)
}

// lend sends the segment in the buffer in which its text is queued. It reports
// whether it could.
func (e *emitter) lend(link LinkID, seg *tcp.Segment, ipLen, tcpLen int) bool {
	p := e.s.pool.Lend(seg.Slab, ipLen+tcpLen, len(seg.Payload))
	if p == nil {
		return false
	}
	b := p.Bytes()
	e.putHeaders(b, seg, ipLen)
	if !e.s.links[link].txUnchecked {
		wire.PutTCPSum(seg, b[ipLen:], tcpLen, lentSum(seg)) // Obeys: RFC 9293 MUST-2.
	}
	e.send(link, p)
	return true
}

// lentSum is the partial sum of the text of a segment that was lent. It was
// summed while it was queued, unless less is sent than lies in the slab.
func lentSum(seg *tcp.Segment) uint64 {
	if len(seg.Payload) == seg.Slab.Len() {
		return seg.Slab.PartialSum()
	}
	return wire.Sum(0, seg.Payload)
}

// room asks whether a packet of n bytes may be sent. If not, done reports
// whether it is done with all the same: it is too large for the link.
func (e *emitter) room(link LinkID, n int) (ok, done bool) {
	if n > e.s.links[link].mtu {
		e.s.counters.OutDrops[wire.DropLinkMTU]++
		return false, true
	}
	return e.out.Room(link), false
}

func (e *emitter) send(link LinkID, p *wire.Slab) {
	e.s.counters.Out++
	e.out.Send(link, p)
}

// echo sends a reply to an echo request, as Emit does a segment.
func (e *emitter) echo(r *echoReply) bool {
	s := e.s
	link, err := s.lookup(r.ip.Src, r.ip.Dst, r.zone)
	if err != 0 {
		s.counters.OutDrops[wire.DropNoRoute]++
		return true
	}
	if ok, done := e.room(link, r.ip.TotalLen); !ok {
		return done
	}
	p := s.pool.Get(r.ip.TotalLen)
	b := p.Resize(r.ip.TotalLen)
	n := wire.PutIP(b, &r.ip)
	copy(b[n:], r.slab.Bytes())
	e.send(link, p)
	return true
}
