package script

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// event parses a time and what happens then, or an untimed command.
func (p *parser) event() *Event {
	e := &Event{Pos: p.tok.pos}
	if p.is(tokCommand) {
		e.Action = p.command()
		return e
	}
	if !p.isTimeStart() {
		p.fail(p.tok.pos, "expected the time of an event, a command in back-quotes or an option line, found %s", p.tok.describe())
		return e
	}
	p.seenEvent = true
	e.Time = p.eventTime()
	switch {
	case p.isPunct('<') || p.isPunct('>'):
		e.Action = p.packet()
	case p.is(tokCommand):
		e.Action = p.command()
	case p.is(tokCode):
		e.Action = &Code{Pos: p.tok.pos, Text: p.tok.text}
		p.next()
	case p.is(tokWord):
		call := p.call()
		e.Action = call
		return e
	default:
		p.expected("a packet (< or >), a system call, a command in back-quotes or a %{ }% block")
		return e
	}
	if e.Time.HasEnd {
		p.fail(e.Pos, "only a system call can have an end time")
	}
	return e
}

func (p *parser) command() *Command {
	c := &Command{Pos: p.tok.pos, Text: p.tok.text}
	p.next()
	return c
}

func (p *parser) isTimeStart() bool {
	return p.isPunct('+') || p.isPunct('*') || p.is(tokInt) || p.is(tokFloat)
}

// eventTime parses all the forms of a time:
//
//   - 0.1    +0.1    0.1~0.2    +0.1~+0.2    0.1...0.2    +0.1...0.2
func (p *parser) eventTime() EventTime {
	start := p.tok.pos
	if p.accept('*') {
		return EventTime{Kind: TimeAny}
	}
	t := EventTime{Kind: TimeAbsolute}
	if p.accept('+') {
		t.Kind = TimeRelative
	}
	t.At = p.duration()
	if p.accept('~') {
		if t.Kind == TimeRelative {
			p.want('+', ", for the end of a relative range counts as its begin does")
			t.Kind = TimeRelativeRange
		} else {
			t.Kind = TimeAbsoluteRange
		}
		if t.Until = p.duration(); t.Until < t.At {
			p.fail(start, "the range of times ends before it begins")
		}
	}
	if p.is(tokEllipsis) {
		p.next()
		t.HasEnd = true
		if t.End = p.duration(); t.End < t.At {
			p.fail(start, "the call ends before it begins")
		}
	}
	return t
}

// duration parses seconds with an optional fraction.
func (p *parser) duration() time.Duration {
	if !p.is(tokInt) && !p.is(tokFloat) {
		p.expected("a time in seconds")
		return 0
	}
	whole, frac, _ := strings.Cut(p.tok.text, ".")
	if whole == "" {
		whole = "0"
	}
	secs, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || secs > maxSeconds {
		p.fail(p.tok.pos, "the time is more than %d seconds", int64(maxSeconds))
		return 0
	}
	const digits = 9 // of a nanosecond
	if len(frac) > digits && strings.Trim(frac[digits:], "0") != "" {
		p.fail(p.tok.pos, "the time is finer than a nanosecond")
		return 0
	}
	frac = (frac + "000000000")[:digits]
	nanos, _ := strconv.ParseUint(frac, 10, 64) // nine digits
	p.next()
	return time.Duration(secs)*time.Second + time.Duration(nanos)
}

// maxSeconds is about thirty years: a sum of two still fits a Duration.
const maxSeconds = 1_000_000_000

// packet parses what follows a time and begins with a direction.
func (p *parser) packet() Action {
	h := PacketHead{Pos: p.tok.pos, Dir: Inbound}
	if p.isPunct('>') {
		h.Dir = Outbound
	}
	p.next()
	p.ipMarks(&h.IP)
	h.Ports = p.optPorts()
	p.ipMarks(&h.IP)
	if !p.is(tokWord) {
		return p.segment(h)
	}
	switch p.tok.text {
	case "icmp", "icmpv4", "icmpv6":
		return p.icmp(h)
	case "udp", "udplite":
		return p.udp(h)
	case "ipv4", "ipv6", "gre", "mpls", "sctp", "raw", "esp", "vxlan", "geneve", "dccp", "arp":
		return p.otherPacket(h)
	}
	return p.segment(h)
}

// optPorts parses "8080 > 80" if a number or "..." stands here.
func (p *parser) optPorts() *Ports {
	if !p.is(tokInt) && !p.is(tokEllipsis) {
		return nil
	}
	return p.ports()
}

func (p *parser) ports() *Ports {
	const most = 65535
	ports := &Ports{Source: p.field("a port", most)}
	p.want('>', " between two ports")
	ports.Dest = p.field("a port", most)
	return ports
}

// field parses a decimal or hexadecimal number up to most, or "...".
func (p *parser) field(what string, most uint32) Field {
	if p.is(tokEllipsis) {
		p.next()
		return Field{Kind: FieldAny}
	}
	return Exactly(p.number(what, most))
}

// number parses a decimal or hexadecimal number up to most.
func (p *parser) number(what string, most uint32) uint32 {
	if !p.is(tokInt) && !p.is(tokHex) {
		p.expected(what)
		return 0
	}
	v, ok := parseInteger(p.tok.text)
	if !ok || v > uint64(most) {
		p.fail(p.tok.pos, "%s is %s, more than %d", what, clip(p.tok.text), most)
		return 0
	}
	p.next()
	return uint32(v)
}

// parseInteger reads what the lexer calls tokInt or tokHex.
func parseInteger(text string) (v uint64, ok bool) {
	base := 10
	if isHexLiteral(text) {
		text, base = text[2:], 16
	}
	v, err := strconv.ParseUint(text, base, 64)
	return v, err == nil
}

// ipMarks parses any number of bracketed lists of marks of the IP header.
func (p *parser) ipMarks(m *IPMarks) {
	for p.accept('[') {
		for {
			p.ipMark(m)
			if !p.accept(',') {
				break
			}
		}
		p.want(']', " after the marks of the IP header")
	}
}

func (p *parser) ipMark(m *IPMarks) {
	at := p.tok.pos
	what := "ect0, ect1, ect01, ce, noecn, tos, flowlabel or ttl"
	if !p.is(tokWord) {
		p.expected(what)
		return
	}
	switch name := p.tok.text; name {
	case "noecn", "ect0", "ect1", "ect01", "ce":
		if m.ECN != ECNAbsent {
			p.fail(at, "a second ECN mark")
			return
		}
		m.ECN = ECN(slices.Index(ecnNames[:], name))
		p.next()
	case "tos":
		p.namedField(&m.TOS, 255)
	case "flowlabel":
		p.namedField(&m.FlowLabel, 1<<20-1)
	case "ttl", "hlim":
		p.namedField(&m.TTL, 255)
	default:
		p.expected(what)
	}
}

// namedField parses a name, which is the next token, and its value.
func (p *parser) namedField(f *Field, most uint32) {
	name := p.tok.text
	if f.Kind != FieldAbsent {
		p.fail(p.tok.pos, "a second %q", name)
		return
	}
	p.next()
	*f = p.field("a number after "+strconv.Quote(name), most)
}
