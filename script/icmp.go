package script

import (
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
)

// icmpType is a type of ICMP message as scripts name it, with its codes.
type icmpType struct {
	name  string
	typ   uint8
	codes []string // "": no such code
}

var icmp4Types = [...]icmpType{
	{"echo_reply", 0, nil},
	{"unreachable", 3, []string{"net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable",
		"frag_needed", "source_route_failed", "net_unknown", "host_unknown", "source_host_isolated", "net_prohibited",
		"host_prohibited", "net_unreachable_for_tos", "host_unreachable_for_tos", "comm_prohibited", "host_precedence_violation", "precedence_cutoff"}},
	{"source_quench", 4, nil},
	{"redirect", 5, nil},
	{"echo_request", 8, nil},
	{"time_exceeded", 11, []string{"exceeded_ttl", "exceeded_frag_time"}},
	{"parameter_problem", 12, []string{"bad_header_field", "missing_required_option", "bad_length"}},
}

var icmp6Types = [...]icmpType{
	{"unreachable", 1, []string{"no_route", "admin_prohibited", "not_neighbour", "addr_unreachable", "port_unreachable"}},
	{"packet_too_big", 2, nil},
	{"time_exceeded", 3, []string{"exceeded_hop_limit", "exceeded_frag_time"}},
	{"parameter_problem", 4, []string{"bad_header_field", "unknown_next_header", "unknown_option"}},
	{"echo_request", 128, nil},
	{"echo_reply", 129, nil},
}

// icmpNumbers finds the numbers of a message's type and code. A script that is
// written for IPv4 names unreachable frag_needed also where its IPv6 twin is
// packet_too_big.
func icmpNumbers(m *ICMP, v6 bool) (typ, code uint8, ok bool) {
	types := icmp4Types[:]
	if v6 {
		types = icmp6Types[:]
		if m.Type == "unreachable" && m.Code == "frag_needed" {
			return 2, 0, true
		}
	}
	if m.Type == "unreachable" && v6 {
		switch m.Code {
		case "net_unreachable":
			return 1, 0, true
		case "host_unreachable":
			return 1, 3, true
		case "comm_prohibited":
			return 1, 1, true
		}
	}
	if n, err := strconv.ParseUint(m.Type, 10, 8); err == nil {
		c, err := strconv.ParseUint(m.Code, 10, 8)
		return uint8(n), uint8(c), err == nil || m.Code == ""
	}
	i := slices.IndexFunc(types, func(t icmpType) bool { return t.name == m.Type })
	if i < 0 {
		return 0, 0, false
	}
	if m.Code == "" {
		return types[i].typ, 0, true
	}
	if c, err := strconv.ParseUint(m.Code, 10, 8); err == nil {
		return types[i].typ, uint8(c), true
	}
	k := slices.Index(types[i].codes, m.Code)
	return types[i].typ, uint8(k), k >= 0
}

// injectICMP lets an ICMP message of the script's arrive. An error quotes the
// packet that is stated in brackets, as the stack sent it.
func (p *player) injectICMP(m *ICMP) *failed {
	v6 := p.set.family == IPv6
	typ, code, _ := icmpNumbers(m, v6)
	local, peer := p.local, p.peer
	f := p.flowForInbound(nil)
	var quote []byte
	info := m.MTU.Value
	if m.Quote != nil && m.Quote.Segment != nil {
		quote = p.quoted(f, m.Quote.Segment)
	} else {
		info = m.ID.Value<<16 | m.Seq.Value // an echo request
	}
	proto := uint8(wire.ProtoICMP)
	if v6 {
		proto = wire.ProtoICMPv6
	}
	length := wire.ICMPHeaderLen + len(quote)
	b := p.in[:]
	n := putIP(b, peer, local, proto, marksOf(&m.IP), length)
	wire.PutICMPError(b[n:n+length], peer, local, typ, code, info, quote)
	b = b[:n+length]
	p.dump(trace.Inbound, p.now(), b)
	p.because(causeInput)
	p.sys.input(b)
	p.wake()
	return p.failure
}

// quoted is the head of a packet of the stack's: IP header and 8 bytes, as
// many as every router must quote.
func (p *player) quoted(f *flow, s *Segment) []byte {
	local, peer := p.local, p.peer
	b := make([]byte, wire.IP6HeaderLen+8)
	n := putIP(b, local, peer, wire.ProtoTCP, ipMarks{ttl: 63}, wire.TCPHeaderMin+int(s.Seq.Len))
	binary.BigEndian.PutUint16(b[n:], f.local)
	binary.BigEndian.PutUint16(b[n+2:], f.remote)
	binary.BigEndian.PutUint32(b[n+4:], s.Seq.Begin+f.localOffset(s.Flags.Has(FlagSYN)))
	return b[:n+8]
}

// expectICMP waits for a message that the stack must send.
func (p *player) expectICMP(e *Event, want *ICMP, at, until time.Duration) *failed {
	f := p.cur
	if f == nil {
		f = p.flowForInbound(nil)
	}
	pkt, fail := p.await(e, f, until, want.String())
	if fail != nil {
		return fail
	}
	typ, code, _ := icmpNumbers(want, p.set.family == IPv6)
	if !pkt.icmp || pkt.typ != typ || pkt.code != code {
		fail := p.failAt(want.Pos, "what left is another packet")
		fail.flow, fail.Expected, fail.Got, fail.Time = f, want.String(), p.describe(f, pkt), pkt.at
		return fail
	}
	if fail := p.onTime(e, pkt.at, at, until, want.String()); fail != nil {
		return fail
	}
	f.out = f.out[1:]
	return nil
}
