package wire

import "encoding/binary"

// maxIP6Extensions is how many extension headers a packet may have. RFC 8504
// §5.3: "a host may place limits on the number and sizes of extension headers
// and options it is willing to process". A packet has seldom more than one.
const maxIP6Extensions = 8

const ip6Pad1 = 0

// parseIP6 parses and checks an IPv6 header and the extension headers behind
// it (RFC 8200 §3, §4). b holds at least one byte.
func parseIP6(b []byte, h *IPHeader) Reason {
	if len(b) < IP6HeaderLen {
		return DropTruncated
	}
	word := binary.BigEndian.Uint32(b)
	length := int(binary.BigEndian.Uint16(b[4:]))
	*h = IPHeader{
		Version: 6, HeaderLen: IP6HeaderLen, TotalLen: IP6HeaderLen + length,
		Src: AddrFrom16(b[8:]), Dst: AddrFrom16(b[24:]),
		Proto: b[6], TTL: b[7], TOS: uint8(word>>20) &^ 3, ECN: uint8(word>>20) & 3,
		FlowLabel: word & 0xfffff,
	}
	switch {
	case h.TotalLen > len(b):
		return DropTruncated
	case length == 0 && h.Proto == ProtoHopByHop:
		return DropIPExtension // a jumbogram (RFC 2675 §3)
	// RFC 4291 §2.5.5.2 gives ::ffff:0:0/96 a meaning in APIs, none on the
	// wire. Here it would pass for an IPv4 address.
	case h.Src.Is4():
		return DropIPSource
	case h.Dst.Is4():
		return DropIPDestination
	case h.Proto == ProtoTCP:
		return Accepted
	}
	return walkIP6Extensions(b[:h.TotalLen], h)
}

// walkIP6Extensions follows the chain to the first header that isn't an
// extension, and sets h.Proto and h.HeaderLen to it.
func walkIP6Extensions(b []byte, h *IPHeader) Reason {
	for n := 0; ; n++ {
		rest := b[h.HeaderLen:]
		size := 8
		switch h.Proto {
		case ProtoHopByHop, ProtoRouting, ProtoDestOptions:
			if len(rest) >= 2 {
				size = 8 + int(rest[1])*8
			}
		case ProtoFragment:
		default:
			return Accepted
		}
		switch {
		case n == maxIP6Extensions:
			return DropIPExtension
		case len(rest) < size:
			return DropTruncated
		}
		if r := checkIP6Extension(h.Proto, rest[:size], n); r != Accepted {
			return r
		}
		h.Proto = rest[0]
		h.HeaderLen += size
	}
}

// checkIP6Extension decides whether the n-th extension header lets the packet
// pass. b is the whole header.
func checkIP6Extension(proto uint8, b []byte, n int) Reason {
	switch proto {
	case ProtoHopByHop:
		// RFC 8200 §4.1: "the Hop-by-Hop Options header, which is restricted
		// to appear immediately after an IPv6 header only".
		if n > 0 {
			return DropIPExtension
		}
		return checkIP6Options(b[2:])
	case ProtoDestOptions:
		return checkIP6Options(b[2:])
	case ProtoRouting:
		// RFC 8200 §4.4, of a type that isn't understood; RFC 5095 §3 makes
		// type 0 one of those: "If Segments Left is zero, the node must
		// ignore the Routing header", otherwise "discard the packet".
		if b[3] != 0 {
			return DropIPExtension
		}
	case ProtoFragment:
		// RFC 8200 §4.5: "If the fragment is a whole datagram (that is, both
		// the Fragment Offset field and the M flag are zero), then it does not
		// need any further reassembly". RFC 6946 has the reasons.
		if binary.BigEndian.Uint16(b[2:])&^6 != 0 {
			return DropIPFragment
		}
	}
	return Accepted
}

// checkIP6Options walks the options of a hop-by-hop or destination header.
func checkIP6Options(b []byte) Reason {
	for len(b) > 0 {
		if b[0] == ip6Pad1 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || int(b[1])+2 > len(b) {
			return DropIPExtension
		}
		// RFC 8200 §4.2: the two highest bits of an option that isn't
		// recognised say what to do: "00 - skip over this option and continue
		// processing the header", all others: discard the packet. The only
		// options known here are those to skip.
		if b[0]>>6 != 0 {
			return DropIPExtension
		}
		b = b[int(b[1])+2:]
	}
	return Accepted
}

func putIP6(b []byte, h *IPHeader) int {
	p := (*[IP6HeaderLen]byte)(b)
	binary.BigEndian.PutUint32(p[0:], 6<<28|uint32(h.TOS&^3|h.ECN&3)<<20|h.FlowLabel&0xfffff)
	binary.BigEndian.PutUint16(p[4:], uint16(h.TotalLen-IP6HeaderLen))
	p[6], p[7] = h.Proto, h.TTL
	h.Src.Put16(p[8:])
	h.Dst.Put16(p[24:])
	return IP6HeaderLen
}
