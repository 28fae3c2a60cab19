package script

// icmp parses an ICMP message:
//
//	icmp unreachable frag_needed mtu 1400 [1:1001(1000)]
func (p *parser) icmp(h PacketHead) *ICMP {
	m := &ICMP{PacketHead: h, V6: p.tok.text == "icmpv6"}
	p.next()
	line := p.prev.endLine
	if !p.is(tokWord) && !p.is(tokInt) {
		p.expected("a type of ICMP message")
		return m
	}
	m.Type = p.tok.text
	p.next()
	// A number on the next line is the time of the next event.
	if p.is(tokWord) && !p.isICMPField() || p.is(tokInt) && p.tok.pos.Line == line {
		m.Code = p.tok.text
		p.next()
	}
	for {
		switch {
		case p.isWord("mtu"):
			p.namedField(&m.MTU, 1<<32-1)
		case p.isWord("id"):
			p.namedField(&m.ID, 65535)
		case p.isWord("seq"):
			p.namedField(&m.Seq, 65535)
		case p.isPunct('[') && m.Quote == nil:
			m.Quote = p.quote()
		case p.isPunct('['):
			p.fail(p.tok.pos, "a second quoted packet")
		case p.is(tokWord):
			p.expected("mtu, id, seq, a quoted packet in [ ] or the end of the line")
		default:
			return m
		}
	}
}

func (p *parser) isICMPField() bool {
	return p.isWord("mtu") || p.isWord("id") || p.isWord("seq")
}

// quote parses the packet that an ICMP message is about: [1:1001(1000)],
// [S 0:0(0) win 100 <...>], [udp (100)], or another protocol's as it stands.
func (p *parser) quote() *Quote {
	q := &Quote{Pos: p.tok.pos}
	p.next() // "["
	h := PacketHead{Pos: p.tok.pos}
	switch {
	case p.isWord("udp") || p.isWord("udplite"):
		q.UDP = p.udp(h)
	case p.isWord("sctp") || p.isWord("gre") || p.isWord("ipv4") || p.isWord("ipv6"):
		q.Text = p.verbatim(']')
	case p.is(tokInt) || p.is(tokEllipsis):
		q.NoFlags = true
		q.Segment = &Segment{PacketHead: h, Seq: p.seqRange()}
		p.segmentTail(q.Segment)
	default:
		q.Segment = p.segment(h)
	}
	p.want(']', " after the quoted packet")
	return q
}

// udp parses "udp (length)" or "udplite (length, coverage)".
func (p *parser) udp(h PacketHead) *UDP {
	u := &UDP{PacketHead: h, Lite: p.tok.text == "udplite"}
	p.next()
	p.want('(', " before the datagram's length")
	u.Len = p.field("the datagram's length", 65535)
	if u.Lite && p.accept(',') {
		u.Coverage = p.field("the checksum's coverage", 65535)
	}
	p.want(')', " after the datagram's length")
	return u
}

// otherPacket keeps a packet of a protocol that is not looked into.
func (p *parser) otherPacket(h PacketHead) *OtherPacket {
	o := &OtherPacket{PacketHead: h, Protocol: p.tok.text}
	o.Text = p.verbatim(0)
	return o
}
