package script

import "strings"

// flagLetters are the flags in their canonical order.
const flagLetters = "SFRPUEWA."

var flagBits = [len(flagLetters)]uint16{
	FlagSYN, FlagFIN, FlagRST, FlagPSH, FlagURG, FlagECE, FlagCWR, FlagAE, FlagACK,
}

// segment parses a TCP segment from its flags on.
func (p *parser) segment(h PacketHead) *Segment {
	s := &Segment{PacketHead: h}
	s.Flags = p.flags()
	s.Seq = p.seqRange()
	p.segmentTail(s)
	return s
}

// segmentTail parses what may follow a segment's numbers. Packetdrill wants
// ack, win, urg and options in this order; there is nothing to be gained from
// insisting.
func (p *parser) segmentTail(s *Segment) {
	for {
		switch {
		case p.isWord("ack"):
			p.namedField(&s.Ack, 1<<32-1)
		case p.isWord("win"):
			p.namedField(&s.Win, 1<<32-1)
		case p.isWord("urg"):
			p.namedField(&s.Urg, 65535)
		case p.isPunct('<') && s.Options.Present:
			p.fail(p.tok.pos, "a second list of TCP options")
		case p.isPunct('<'):
			s.Options = p.tcpOptions()
		case p.isPunct('[') && s.Dir != DirNone:
			p.ipMarks(&s.IP)
		case p.isPunct('/'):
			p.udpEncap(s)
		case p.is(tokWord) && p.tok.pos.Line == p.prev.endLine:
			p.expected("ack, win, urg, TCP options or the end of the line")
		default:
			return
		}
	}
}

// flags parses flag letters, with AccECN's three bits as a digit: S. FP. P.5
// A lone "-" is no flags.
func (p *parser) flags() Flags {
	var f Flags
	if p.accept('-') {
		return f
	}
	isFlagByte := func(c byte) bool { return isWordByte(c) || c == '.' }
	p.lex.rescan(p.tok)
	t := p.lex.cut(tokRaw, run(p.lex.rest(), isFlagByte))
	if t.text == "" {
		p.expected(`TCP flags ("S", ".", "FP.", or "-" for none), icmp or udp`)
		return f
	}
	for i := range len(t.text) {
		p.flag(&f, t, i)
	}
	if p.err == nil {
		p.tok = t
		p.next()
	}
	return f
}

func (p *parser) flag(f *Flags, t token, i int) {
	c := t.text[i]
	at := t.pos.after(t.text[:i])
	n := strings.IndexByte(flagLetters, c)
	switch {
	case '0' <= c && c <= '7' && i > 0 && !f.HasACE:
		f.HasACE, f.ACE = true, c-'0'
	case n < 0 && len(t.text) > 1 && isLetter(t.text[0]) && t.text[0] >= 'a':
		p.fail(t.pos, "expected TCP flags, icmp, icmpv6, udp, udplite, or the name of an encapsulation, found %q", clip(t.text))
	case n < 0:
		p.fail(at, "%q is not a TCP flag (S F R P U E W A and . for ACK)", string(rune(c)))
	case f.Bits&flagBits[n] != 0:
		p.fail(at, "the flag %q stands twice", string(rune(c)))
	default:
		f.Bits |= flagBits[n]
	}
}

// seqRange parses begin:end(length) or ...(length).
func (p *parser) seqRange() SeqRange {
	var r SeqRange
	at := p.tok.pos
	if p.is(tokEllipsis) {
		p.next()
		r.Any = true
	} else {
		r.Begin = p.number("a sequence number", 1<<32-1)
		p.want(':', " between two sequence numbers")
		r.End = p.number("a sequence number", 1<<32-1)
	}
	p.want('(', " before the segment's length")
	r.Len = p.number("the segment's length", 1<<32-1)
	p.want(')', " after the segment's length")
	if !r.Any && r.Begin+r.Len != r.End {
		p.fail(at, "inconsistent sequence numbers and length: %d + %d is %d, not %d", r.Begin, r.Len, r.Begin+r.Len, r.End)
	}
	return r
}

// udpEncap parses FreeBSD's "/udp(9899 > 9899)".
func (p *parser) udpEncap(s *Segment) {
	p.next()
	if !p.isWord("udp") || s.UDPEncap != nil {
		p.expected("udp and two ports, once, after /")
		return
	}
	p.next()
	p.want('(', " after udp")
	s.UDPEncap = p.ports()
	p.want(')', " after the ports")
}
