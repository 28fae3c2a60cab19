package wire

import "encoding/binary"

// IPv4 options (RFC 791 §3.1).
const (
	ip4OptEnd         = 0
	ip4OptNop         = 1
	ip4OptLooseSource = 131
	ip4OptStrictRoute = 137
)

// ip4DontFragment is DF in the word that holds flags and fragment offset.
const ip4DontFragment = 1 << 14

// parseIP4 parses and checks an IPv4 header (RFC 791 §3.1, RFC 1122 §3.2.1).
// b holds at least one byte.
func parseIP4(b []byte, h *IPHeader) Reason {
	if len(b) < IP4HeaderLen {
		return DropTruncated
	}
	hlen := int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case hlen < IP4HeaderLen || hlen > len(b) || total < hlen:
		return DropIPHeader
	case total > len(b):
		return DropTruncated
	case ip4Sum(b[:hlen]) != 0:
		// RFC 1122 §3.2.1.2: "A host MUST verify the IP header checksum on
		// every received datagram and silently discard every datagram that
		// has a bad checksum."
		return DropIPChecksum
	}
	// MF and the offset; the reserved bit and DF don't make a fragment.
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
		return DropIPFragment
	}
	if hlen > IP4HeaderLen {
		if r := checkIP4Options(b[IP4HeaderLen:hlen]); r != Accepted {
			return r
		}
	}
	// Field by field: a literal would be built elsewhere and copied.
	p := (*[IP4HeaderLen]byte)(b)
	h.Version, h.HeaderLen, h.TotalLen, h.FlowLabel = 4, hlen, total, 0
	h.Src, h.Dst = AddrFrom4(p[12:]), AddrFrom4(p[16:])
	h.Proto, h.TTL, h.TOS, h.ECN = p[9], p[8], p[1]&^3, p[1]&3
	return Accepted
}

// ip4Sum is the checksum of a header; 0 if it holds a right one.
func ip4Sum(b []byte) uint16 {
	p := (*[IP4HeaderLen]byte)(b)
	s := add(binary.BigEndian.Uint64(p[0:]), binary.BigEndian.Uint64(p[8:]))
	s = add(s, uint64(binary.BigEndian.Uint32(p[16:])))
	if len(b) > IP4HeaderLen {
		s = Sum(s, b[IP4HeaderLen:])
	}
	return Fold(s)
}

// checkIP4Options walks the options, none of which is obeyed (RFC 1122
// §3.2.1.8: "The IP and transport layer MUST each interpret those IP options
// that they understand and silently ignore the others"). Source routes are
// discarded: whoever writes one chooses where our answers go (RFC 7126 §4.3,
// §4.4).
// Obeys: RFC 9293 MUST-50.
func checkIP4Options(b []byte) Reason {
	for len(b) > 0 {
		switch b[0] {
		case ip4OptEnd:
			return Accepted
		case ip4OptNop:
			b = b[1:]
			continue
		case ip4OptLooseSource, ip4OptStrictRoute:
			return DropIPExtension
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return DropIPHeader
		}
		b = b[b[1]:]
	}
	return Accepted
}

// putIP4 writes whole words, of which it has the sum before they are in memory.
// Obeys: RFC 9293 MAY-4; RFC 1122 3.2.1.5.
func putIP4(b []byte, h *IPHeader) int {
	p := (*[IP4HeaderLen]byte)(b)
	// RFC 6864 §4.1: "Originating sources MAY set the IPv4 ID field of atomic
	// datagrams to any value." With DF set (RFC 1191 §3) each is atomic.
	w0 := (4<<4|IP4HeaderLen/4)<<56 | uint64(h.TOS&^3|h.ECN&3)<<48 | uint64(uint16(h.TotalLen))<<32 | ip4DontFragment
	w1 := uint64(h.TTL)<<56 | uint64(h.Proto)<<48 | uint64(h.Src.V4())
	w1 |= uint64(Fold(add(add(w0, w1), uint64(h.Dst.V4())))) << 32
	binary.BigEndian.PutUint64(p[0:], w0)
	binary.BigEndian.PutUint64(p[8:], w1)
	binary.BigEndian.PutUint32(p[16:], h.Dst.V4())
	return IP4HeaderLen
}
