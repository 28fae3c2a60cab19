package wire

import (
	"encoding/binary"

	"estab/internal/seq"
)

// ICMPKind says what an ICMP or ICMPv6 message means to a host that speaks
// TCP, whatever the version's numbers for it.
type ICMPKind uint8

const (
	ICMPEchoRequest ICMPKind = iota + 1
	ICMPEchoReply
	ICMPNetUnreachable   // no way to the network, or none that is allowed
	ICMPHostUnreachable  // none to the host; also time exceeded
	ICMPPortUnreachable  // nobody at the port, or nobody who speaks the protocol
	ICMPPacketTooBig     // fragmentation needed and DF set, or packet too big
	ICMPParameterProblem // somebody disliked a header of ours
)

// IsError reports whether the message is an error, which quotes the packet
// that caused it.
func (k ICMPKind) IsError() bool { return k >= ICMPNetUnreachable }

// ICMPHeaderLen is the length of the header that all messages share: type,
// code, checksum and four bytes that the type gives a meaning.
const ICMPHeaderLen = 8

// Types of RFC 792 and RFC 4443.
const (
	icmp4EchoReply        = 0
	icmp4Unreachable      = 3
	icmp4Echo             = 8
	icmp4TimeExceeded     = 11
	icmp4ParameterProblem = 12

	icmp6Unreachable      = 1
	icmp6PacketTooBig     = 2
	icmp6TimeExceeded     = 3
	icmp6ParameterProblem = 4
	icmp6Echo             = 128
	icmp6EchoReply        = 129
)

// ICMP is an ICMP or ICMPv6 message, parsed.
type ICMP struct {
	Kind       ICMPKind
	Type, Code uint8
	MTU        int // ICMPPacketTooBig: bytes; 0 if the router doesn't say (before RFC 1191)
	Quote      Quote
}

// Quote is what an error shows of the packet that caused it, which its
// receiver sent.
type Quote struct {
	Src, Dst         Addr
	Proto            uint8
	TotalLen         int // bytes, as the quoted header has it
	SrcPort, DstPort uint16
	Seq              seq.Num // if Proto is TCP
}

// ParseICMP parses the message in b, which the IP header h preceded, and
// checks its checksum unless verified says that somebody did.
func ParseICMP(h *IPHeader, b []byte, verified bool, m *ICMP) Reason {
	if len(b) < ICMPHeaderLen {
		return DropICMPHeader
	}
	if !verified && Fold(Sum(icmpPseudoSum(h.Src, h.Dst, len(b)), b)) != 0 {
		return DropICMPChecksum
	}
	*m = ICMP{Type: b[0], Code: b[1]}
	if h.Version == 4 {
		m.Kind = icmp4Kind(b[0], b[1])
	} else {
		m.Kind = icmp6Kind(b[0], b[1])
	}
	switch {
	case m.Kind == 0:
		return DropICMPHeader
	case !m.Kind.IsError():
		return Accepted
	case m.Kind == ICMPPacketTooBig && h.Version == 4:
		// RFC 1191 §4: the low-order 16 bits of what was the unused field.
		m.MTU = int(binary.BigEndian.Uint16(b[6:]))
	case m.Kind == ICMPPacketTooBig:
		m.MTU = int(min(binary.BigEndian.Uint32(b[4:]), 1<<16))
	}
	return m.Quote.parse(h.Version, b[ICMPHeaderLen:])
}

// icmpPseudoSum is that of the pseudo-header, which only ICMPv6 has (RFC 4443
// §2.3).
func icmpPseudoSum(src, dst Addr, length int) uint64 {
	if src.Is4() {
		return 0
	}
	return PseudoSum(src, dst, ProtoICMPv6, length)
}

// icmp4Kind knows the types and codes of RFC 792 and RFC 1122 §3.2.2.1. 0
// means that nobody here has a use for it; source quench is to be ignored
// (RFC 6633 §3).
// Obeys: RFC 9293 MUST-55.
func icmp4Kind(typ, code uint8) ICMPKind {
	switch typ {
	case icmp4Echo:
		return ICMPEchoRequest
	case icmp4EchoReply:
		return ICMPEchoReply
	case icmp4TimeExceeded:
		return ICMPHostUnreachable
	case icmp4ParameterProblem:
		return ICMPParameterProblem
	case icmp4Unreachable:
		switch code {
		case 2, 3: // protocol, port
			return ICMPPortUnreachable
		case 4: // fragmentation needed and DF set
			return ICMPPacketTooBig
		case 0, 6, 9, 11: // network: unreachable, unknown, prohibited, not for this TOS
			return ICMPNetUnreachable
		}
		return ICMPHostUnreachable
	}
	return 0
}

// icmp6Kind knows the types and codes of RFC 4443 §3 and §4.
func icmp6Kind(typ, code uint8) ICMPKind {
	switch typ {
	case icmp6Echo:
		return ICMPEchoRequest
	case icmp6EchoReply:
		return ICMPEchoReply
	case icmp6PacketTooBig:
		return ICMPPacketTooBig
	case icmp6TimeExceeded:
		return ICMPHostUnreachable
	case icmp6ParameterProblem:
		return ICMPParameterProblem
	case icmp6Unreachable:
		switch code {
		case 4: // port
			return ICMPPortUnreachable
		case 0, 5, 6: // no route, source address policy, reject route
			return ICMPNetUnreachable
		}
		return ICMPHostUnreachable
	}
	return 0
}

// parse reads the quoted packet. RFC 792: "the internet header plus the first
// 64 bits of the original datagram's data"; there is nothing to gain from
// more. The packet was ours, so it had no extension headers and was no later
// fragment. Its header checksum is not looked at: translators get it wrong.
func (q *Quote) parse(version uint8, b []byte) Reason {
	hlen := IP6HeaderLen
	if version == 4 {
		hlen = IP4HeaderLen
		if len(b) > 0 {
			hlen = int(b[0]&15) * 4
		}
	}
	switch {
	case len(b) < hlen+8, b[0]>>4 != version, hlen < IP4HeaderLen:
		return DropICMPQuote
	case version == 6:
		q.Src, q.Dst, q.Proto = AddrFrom16(b[8:]), AddrFrom16(b[24:]), b[6]
		q.TotalLen = IP6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))
		if q.Src.Is4() || q.Dst.Is4() {
			return DropICMPQuote
		}
	case binary.BigEndian.Uint16(b[6:])&0x1fff != 0:
		return DropICMPQuote
	default:
		q.Src, q.Dst, q.Proto = AddrFrom4(b[12:]), AddrFrom4(b[16:]), b[9]
		q.TotalLen = int(binary.BigEndian.Uint16(b[2:]))
	}
	b = b[hlen:]
	q.SrcPort = binary.BigEndian.Uint16(b)
	q.DstPort = binary.BigEndian.Uint16(b[2:])
	q.Seq = seq.Num(binary.BigEndian.Uint32(b[4:]))
	return Accepted
}

// MakeEchoReply turns the echo request in b into the reply that src sends to
// dst. RFC 792: "The data received in the echo message must be returned in
// the echo reply message."
func MakeEchoReply(src, dst Addr, b []byte) {
	b[0], b[1] = icmp6EchoReply, 0
	if src.Is4() {
		b[0] = icmp4EchoReply
	}
	putICMPChecksum(src, dst, b)
}

// PutICMPError writes the error that src sends to dst about the packet whose
// beginning is quote: the common header with info in its last four bytes (the
// MTU, if the type has one), then the quote. It returns the length.
func PutICMPError(b []byte, src, dst Addr, typ, code uint8, info uint32, quote []byte) int {
	b[0], b[1] = typ, code
	binary.BigEndian.PutUint32(b[4:], info)
	n := ICMPHeaderLen + copy(b[ICMPHeaderLen:], quote)
	putICMPChecksum(src, dst, b[:n])
	return n
}

func putICMPChecksum(src, dst Addr, b []byte) {
	b[2], b[3] = 0, 0
	binary.BigEndian.PutUint16(b[2:], Fold(Sum(icmpPseudoSum(src, dst, len(b)), b)))
}
