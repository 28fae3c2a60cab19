package wire

// IP protocol numbers and IPv6 extension headers that estab knows by name.
const (
	ProtoHopByHop    = 0
	ProtoICMP        = 1
	ProtoTCP         = 6
	ProtoRouting     = 43
	ProtoFragment    = 44
	ProtoICMPv6      = 58
	ProtoNoNext      = 59
	ProtoDestOptions = 60
)

// The sizes of headers without options, in bytes.
const (
	IP4HeaderLen = 20
	IP6HeaderLen = 40
)

// IPHeader is the header of an IPv4 or IPv6 packet, parsed. A packet in b
// carries b[h.HeaderLen:h.TotalLen] for the protocol above.
type IPHeader struct {
	Src, Dst  Addr
	HeaderLen int    // bytes before the upper-layer packet: with options and extension headers
	TotalLen  int    // bytes of the packet; what follows in a frame is padding
	FlowLabel uint32 // IPv6, 20 bits (RFC 6437)
	Version   uint8  // 4 or 6
	Proto     uint8  // of the upper-layer packet
	TTL       uint8  // IPv6: hop limit
	TOS       uint8  // the six DSCP bits, shifted left by two (RFC 2474)
	ECN       uint8  // the two ECN bits (RFC 3168)
}

// ParseIP parses and checks the header of the packet in b. It looks at
// neither the upper-layer packet nor at whether the addresses make sense,
// except that an IPv6 packet must not name an IPv4 address.
func ParseIP(b []byte, h *IPHeader) Reason {
	if len(b) == 0 {
		return DropTruncated
	}
	switch b[0] >> 4 {
	case 4:
		return parseIP4(b, h)
	case 6:
		return parseIP6(b, h)
	}
	return DropIPVersion
}

// IPHeaderLen is the length of the header that PutIP writes for a source.
func IPHeaderLen(src Addr) int {
	if src.Is4() {
		return IP4HeaderLen
	}
	return IP6HeaderLen
}

// PutIP writes the header of a packet of h.TotalLen bytes and returns its
// length. The version is that of the source address. b must have room.
func PutIP(b []byte, h *IPHeader) int {
	if h.Src.Is4() {
		return putIP4(b, h)
	}
	return putIP6(b, h)
}
