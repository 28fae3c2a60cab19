package inet

import (
	"encoding/binary"

	"estab/internal/wire"
	"estab/tcp"
)

// Parsed is a packet that Parse has looked at, on its way to InputParsed. It
// may be used again for the next.
type Parsed struct {
	slab   *wire.Slab // nil: packet belongs to somebody else
	packet []byte
	link   LinkID
	reason wire.Reason
	ip     wire.IPHeader
	icmp   wire.ICMP    // if ip.Proto is that of ICMP
	seg    wire.Segment // TCP; of an ICMP error the tuple that it is about

	// The last packet's addresses that were let in here. The next one's are
	// mostly the same, and need not be looked up again.
	admitted struct {
		by       *Stack // nil: there was no such packet
		src, dst wire.Addr
		link     LinkID
		known    int // addresses that the host had then
	}
}

// Parse looks at the packet in p, which arrived on the link: headers,
// addresses, checksum, options. It reads nothing that changes, so that it may
// run outside the shell's lock. If p.Hash is not 0 it must be what Steer said.
func (s *Stack) Parse(link LinkID, p *wire.Slab, out *Parsed) {
	s.parse(link, p.Bytes(), p.Hash, out)
	out.slab = p
}

// InputParsed takes the packet in, and its slab.
func (s *Stack) InputParsed(now tcp.Time, in *Parsed) {
	s.clock(now)
	s.counters.In++
	reason := in.reason
	if reason == wire.Accepted {
		if in.ip.Proto == wire.ProtoTCP {
			in.seg.Slab = in.slab
			s.tcp.Input(now, &in.seg)
			in.slab, in.seg.Slab = in.seg.Slab, nil
		} else {
			reason = s.inputICMP(in)
		}
	}
	if reason == wire.Accepted {
		s.counters.Accepted++
	} else {
		s.counters.Drops[reason]++
	}
	if in.slab != nil {
		s.pool.Put(in.slab)
	}
	in.slab, in.packet, in.seg.Payload = nil, nil, nil
}

// Input takes in the packet in p, which arrived on the link, and p itself.
func (s *Stack) Input(now tcp.Time, link LinkID, p *wire.Slab) {
	s.Parse(link, p, &s.parsed)
	s.InputParsed(now, &s.parsed)
}

// InputBytes takes in a packet that stays its owner's: what is needed of it
// later is copied.
func (s *Stack) InputBytes(now tcp.Time, link LinkID, packet []byte) {
	s.parse(link, packet, 0, &s.parsed)
	s.InputParsed(now, &s.parsed)
}

func (s *Stack) parse(link LinkID, packet []byte, hash uint64, out *Parsed) {
	out.slab, out.packet, out.link = nil, packet, link
	out.reason = s.parseIP(link, packet, out)
	if out.reason != wire.Accepted {
		return
	}
	text := packet[out.ip.HeaderLen:out.ip.TotalLen]
	verified := s.links[link].rxVerified
	if out.ip.Proto == wire.ProtoTCP {
		out.reason = s.parseTCP(link, text, hash, verified, out)
		return
	}
	out.reason = wire.ParseICMP(&out.ip, text, verified, &out.icmp)
	if out.reason == wire.Accepted && out.icmp.Kind.IsError() {
		out.reason = s.parseError(link, out)
	}
}

// parseIP accepts packets for this host in a protocol that it speaks.
func (s *Stack) parseIP(link LinkID, packet []byte, out *Parsed) wire.Reason {
	if int(link) >= len(s.links) {
		return wire.DropIPDestination
	}
	h, a := &out.ip, &out.admitted
	if r := wire.ParseIP(packet, h); r != wire.Accepted {
		return r
	}
	if h.Src != a.src || h.Dst != a.dst || link != a.link || a.known != len(s.addrs.own) || a.by != s {
		a.by = nil
		if r := s.admit(link, h.Src, h.Dst); r != wire.Accepted {
			return r
		}
		// Nobody else has our addresses: a packet from one of them that comes
		// from outside is forged. If the ports are the same too, it has a name.
		if h.Src == h.Dst && h.Proto == wire.ProtoTCP && samePorts(packet[h.HeaderLen:h.TotalLen]) {
			return wire.DropLAND
		}
		if link != Loopback && s.addrs.has(h.Src) {
			return wire.DropIPSource
		}
		if h.Src != h.Dst {
			a.by, a.src, a.dst, a.link, a.known = s, h.Src, h.Dst, link, len(s.addrs.own)
		}
	}
	switch {
	case h.Proto == wire.ProtoTCP,
		h.Proto == wire.ProtoICMP && h.Version == 4,
		h.Proto == wire.ProtoICMPv6 && h.Version == 6:
		return wire.Accepted
	}
	return wire.DropIPProtocol
}

func samePorts(text []byte) bool {
	return len(text) >= 4 && binary.BigEndian.Uint16(text) == binary.BigEndian.Uint16(text[2:])
}

func (s *Stack) parseTCP(link LinkID, text []byte, hash uint64, verified bool, out *Parsed) wire.Reason {
	h, seg := &out.ip, &out.seg
	// What has a header at all is verified before anything in it is believed.
	// Obeys: RFC 9293 MUST-3.
	if !verified && len(text) >= wire.TCPHeaderMin && !wire.VerifyTCP(h.Src, h.Dst, text) {
		return wire.DropTCPChecksum
	}
	if r := wire.ParseTCP(text, seg); r != wire.Accepted {
		return r
	}
	seg.Local, seg.Remote = h.Dst, h.Src
	seg.Zone = s.zone(link, h.Dst, h.Src)
	if seg.Hash = hash; hash == 0 {
		seg.Hash = s.tcp.Hash(&seg.Tuple)
	}
	seg.Link, seg.Egress = uint16(link), 0
	seg.ECN, seg.TOS = h.ECN, h.TOS
	return wire.Accepted
}

// Steer is the keyed hash of the flow that a packet belongs to, as it arrives
// on the link: the stack in which that connection lives can be chosen by it.
// Of an ICMP error it is that of the flow that the error is about. It is 0 for
// what belongs to no flow. It doesn't judge: of a packet that Parse will drop
// it may be anything.
func (s *Stack) Steer(link LinkID, packet []byte) uint64 {
	if hash, ok := s.steerTCP(packet); ok {
		return hash
	}
	var p Parsed
	if s.parseIP(link, packet, &p) != wire.Accepted {
		return 0
	}
	h := &p.ip
	text := packet[h.HeaderLen:h.TotalLen]
	t := tcp.Tuple{Local: h.Dst, Remote: h.Src}
	if h.Proto == wire.ProtoTCP {
		if len(text) < wire.TCPHeaderMin {
			return 0
		}
		t.RemotePort = binary.BigEndian.Uint16(text)
		t.LocalPort = binary.BigEndian.Uint16(text[2:])
		t.Zone = s.zone(link, t.Local, t.Remote)
		return s.tcp.Hash(&t)
	}
	var m wire.ICMP
	if wire.ParseICMP(h, text, true, &m) != wire.Accepted || !m.Kind.IsError() {
		return 0
	}
	if !s.quoted(link, h, &m, &t) {
		return 0
	}
	return s.tcp.Hash(&t)
}

// steerTCP is Steer for nearly all packets that there are: TCP in one piece,
// without IP options or extension headers, between addresses that mean the
// same on every link. It runs under the sender's lock if that is a host in the
// same process, so it only looks where it must.
func (s *Stack) steerTCP(b []byte) (hash uint64, ok bool) {
	const ports = 4 // bytes
	t := tcp.Tuple{}
	switch {
	case len(b) >= 20+ports && b[0] == 0x45 && b[9] == wire.ProtoTCP && b[6]&0x3f|b[7] == 0:
		t.Remote, t.Local = wire.AddrFrom4(b[12:16]), wire.AddrFrom4(b[16:20])
		b = b[20:]
	case len(b) >= 40+ports && b[0]>>4 == 6 && b[6] == wire.ProtoTCP:
		t.Remote, t.Local = wire.AddrFrom16(b[8:24]), wire.AddrFrom16(b[24:40])
		b = b[40:]
		if linkLocal(t.Remote) || linkLocal(t.Local) {
			return 0, false
		}
	default:
		return 0, false
	}
	t.RemotePort, t.LocalPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	return s.tcp.Hash(&t), true
}
