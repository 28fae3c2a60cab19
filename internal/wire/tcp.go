package wire

import (
	"encoding/binary"

	"estab/internal/seq"
)

// TCPHeaderMin is the length of a header without options (RFC 9293 §3.1).
const TCPHeaderMin = 20

// maxTCPOptions is what the data offset leaves for options, in bytes.
const maxTCPOptions = 40

// Kinds of options and their lengths (RFC 9293 §3.2, RFC 2018, RFC 7323).
const (
	tcpOptEnd           = 0
	tcpOptNop           = 1
	tcpOptMSS           = 2
	tcpOptWindowScale   = 3
	tcpOptSACKPermitted = 4
	tcpOptSACK          = 5
	tcpOptTimestamps    = 8

	tcpLenMSS           = 4
	tcpLenWindowScale   = 3
	tcpLenSACKPermitted = 2
	tcpLenTimestamps    = 10
)

// timestampsWord is how nearly every segment begins its options: NOP, NOP,
// kind and length of timestamps (RFC 7323 appendix A).
const timestampsWord = tcpOptNop<<24 | tcpOptNop<<16 | tcpOptTimestamps<<8 | tcpLenTimestamps

// ParseTCP parses the segment in b, as seen by its receiver: the source port
// becomes RemotePort, the destination port LocalPort. Addresses, Hash, Link,
// Egress, ECN, TOS and Slab of s stay as they are; Payload is a part of b.
// The checksum is VerifyTCP's business. When the segment is discarded s holds
// no more than its ports, if that.
// Obeys: RFC 9293 MUST-5.
func ParseTCP(b []byte, s *Segment) Reason {
	if len(b) < TCPHeaderMin {
		return DropTruncated
	}
	p := (*[TCPHeaderMin]byte)(b)
	s.RemotePort = binary.BigEndian.Uint16(p[0:])
	s.LocalPort = binary.BigEndian.Uint16(p[2:])
	hlen := int(p[12]>>4) * 4
	switch {
	case hlen < TCPHeaderMin || hlen > len(b):
		return DropTCPHeader
	// RFC 6335 §6: port 0 is reserved, nobody can have it.
	case s.RemotePort == 0 || s.LocalPort == 0:
		return DropTCPPort
	}
	s.Seq = seq.Num(binary.BigEndian.Uint32(p[4:]))
	s.Ack = seq.Num(binary.BigEndian.Uint32(p[8:]))
	s.Flags = Flags(binary.BigEndian.Uint16(p[12:]) & 0x1ff)
	s.Wnd = binary.BigEndian.Uint16(p[14:])
	s.Up = binary.BigEndian.Uint16(p[18:])
	s.Payload, s.Rest = b[hlen:], nil
	s.Options.Set, s.Options.NSACK = 0, 0

	if hlen == TCPHeaderMin {
		return Accepted
	}
	opts := b[TCPHeaderMin:hlen]
	if len(opts) == 12 && binary.BigEndian.Uint32(opts) == timestampsWord {
		s.Options.setTimestamps(opts[4:])
		return Accepted
	}
	return s.Options.parse(opts)
}

func (o *Options) setTimestamps(b []byte) {
	o.Set |= OptTimestamps
	o.TSVal = binary.BigEndian.Uint32(b)
	o.TSEcr = binary.BigEndian.Uint32(b[4:])
}

// parse walks the options. One that occurs twice counts as its last
// occurrence says; one whose length isn't that of its kind is passed over
// like an unknown one. Which options a segment may carry is not asked here.
// Obeys: RFC 9293 MUST-4, MUST-64.
func (o *Options) parse(b []byte) Reason {
	for len(b) > 0 {
		switch b[0] {
		case tcpOptEnd:
			return Accepted
		case tcpOptNop:
			b = b[1:]
			continue
		}
		// RFC 9293 §3.1 MUST-7: "TCP implementations MUST be prepared to
		// handle an illegal option length (e.g., zero)". Where the next option
		// would begin is anybody's guess: the segment goes.
		// Obeys: RFC 9293 MUST-7.
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return DropTCPOption
		}
		o.set(b[0], b[2:b[1]])
		b = b[b[1]:]
	}
	return Accepted
}

// set notes one option, b being what follows kind and length.
// Obeys: RFC 9293 MUST-6.
func (o *Options) set(kind uint8, b []byte) {
	switch n := len(b) + 2; {
	case kind == tcpOptMSS && n == tcpLenMSS:
		o.Set |= OptMSS
		o.MSS = binary.BigEndian.Uint16(b)
	case kind == tcpOptWindowScale && n == tcpLenWindowScale:
		o.Set |= OptWindowScale
		o.WindowScale = b[0]
	case kind == tcpOptSACKPermitted && n == tcpLenSACKPermitted:
		o.Set |= OptSACKPermitted
	case kind == tcpOptTimestamps && n == tcpLenTimestamps:
		o.setTimestamps(b)
	case kind == tcpOptSACK && len(b) > 0 && len(b)%8 == 0:
		o.Set |= OptSACK
		o.NSACK = 0
		for ; len(b) > 0 && o.NSACK < MaxSACKBlocks; b = b[8:] {
			o.SACK[o.NSACK] = SACKBlock{
				Left:  seq.Num(binary.BigEndian.Uint32(b)),
				Right: seq.Num(binary.BigEndian.Uint32(b[4:])),
			}
			o.NSACK++
		}
	}
}

// optionsLen is the length of the options that PutTCP writes, and how many
// SACK blocks are among them: as many as there is room for.
func (o *Options) optionsLen() (length, blocks int) {
	switch o.Set {
	case 0:
		return 0, 0
	case OptTimestamps:
		return 12, 0
	}
	if o.Set&OptMSS != 0 {
		length += 4
	}
	if o.Set&OptTimestamps != 0 {
		length += 12
	} else if o.Set&OptSACKPermitted != 0 {
		length += 4
	}
	if o.Set&OptWindowScale != 0 {
		length += 4
	}
	if o.Set&OptSACK != 0 {
		blocks = min(int(o.NSACK), MaxSACKBlocks, (maxTCPOptions-4-length)/8)
		if blocks > 0 {
			length += 4 + 8*blocks
		}
	}
	return length, blocks
}

// TCPHeaderLen is the length of the header that PutTCP writes for s.
func TCPHeaderLen(s *Segment) int {
	n, _ := s.Options.optionsLen()
	return TCPHeaderMin + n
}

// PutTCP writes the header of s, as its sender sees it, and returns its
// length. The checksum is left 0: PutTCPChecksum comes when the text is in
// its place, or never. b must have room for TCPHeaderLen bytes.
//
// Options stand in the order, and with the padding, of Linux: by these a
// host would otherwise be known. SACK blocks that find no room are left out.
func PutTCP(b []byte, s *Segment) int {
	n, blocks := s.Options.optionsLen()
	o := &s.Options
	p := (*[TCPHeaderMin]byte)(b)
	// In whole words: whoever sums them next reads them as such, and the
	// processor has them without asking memory.
	binary.BigEndian.PutUint64(p[0:], uint64(s.LocalPort)<<48|uint64(s.RemotePort)<<32|uint64(uint32(s.Seq)))
	binary.BigEndian.PutUint64(p[8:], uint64(uint32(s.Ack))<<32|
		uint64((TCPHeaderMin+n)/4)<<28|uint64(s.Flags&0x1ff)<<16|uint64(s.Wnd))
	if o.Set == OptTimestamps {
		q := (*[TCPHeaderMin + 12]byte)(b)
		binary.BigEndian.PutUint64(q[16:], uint64(s.Up)<<32|timestampsWord)
		binary.BigEndian.PutUint64(q[24:], uint64(o.TSVal)<<32|uint64(o.TSEcr))
		return TCPHeaderMin + 12
	}
	binary.BigEndian.PutUint32(p[16:], uint32(s.Up))
	if n > 0 {
		o.put(b[TCPHeaderMin:TCPHeaderMin+n], blocks)
	}
	return TCPHeaderMin + n
}

// put writes the options into b, which has just the room for them.
// Obeys: RFC 9293 MUST-68, MUST-69.
func (o *Options) put(b []byte, blocks int) {
	word := func(v uint32) {
		binary.BigEndian.PutUint32(b, v)
		b = b[4:]
	}
	if o.Set&OptMSS != 0 {
		word(tcpOptMSS<<24 | tcpLenMSS<<16 | uint32(o.MSS))
	}
	switch {
	case o.Set&(OptTimestamps|OptSACKPermitted) == OptTimestamps|OptSACKPermitted:
		word(tcpOptSACKPermitted<<24 | tcpLenSACKPermitted<<16 | tcpOptTimestamps<<8 | tcpLenTimestamps)
	case o.Set&OptTimestamps != 0:
		word(timestampsWord)
	case o.Set&OptSACKPermitted != 0:
		word(tcpOptNop<<24 | tcpOptNop<<16 | tcpOptSACKPermitted<<8 | tcpLenSACKPermitted)
	}
	if o.Set&OptTimestamps != 0 {
		word(o.TSVal)
		word(o.TSEcr)
	}
	if o.Set&OptWindowScale != 0 {
		word(tcpOptNop<<24 | tcpOptWindowScale<<16 | tcpLenWindowScale<<8 | uint32(o.WindowScale))
	}
	if blocks > 0 {
		word(tcpOptNop<<24 | tcpOptNop<<16 | tcpOptSACK<<8 | uint32(2+8*blocks))
		for _, k := range o.SACK[:blocks] {
			word(uint32(k.Left))
			word(uint32(k.Right))
		}
	}
}

// VerifyTCP reports whether the checksum of the segment in b is right
// (RFC 9293 §3.1 MUST-3: "the receiver MUST check it").
// Obeys: RFC 9293 MUST-3.
func VerifyTCP(src, dst Addr, b []byte) bool {
	return Fold(Sum(PseudoSum(src, dst, ProtoTCP, len(b)), b)) == 0
}

// PutTCPChecksum writes the checksum into the segment in b, header and text,
// where PutTCP has left 0 (MUST-2).
// Obeys: RFC 9293 MUST-2.
func PutTCPChecksum(src, dst Addr, b []byte) {
	binary.BigEndian.PutUint16(b[16:], Fold(Sum(PseudoSum(src, dst, ProtoTCP, len(b)), b)))
}

// PutTCPText writes the text of s behind its header, which takes the first n
// bytes of b, and the checksum over both, where PutTCP has left 0. b has the
// length of the segment.
// Obeys: RFC 9293 MUST-2.
func PutTCPText(s *Segment, b []byte, n int) {
	sum := Sum(PseudoSum(s.Local, s.Remote, ProtoTCP, len(b)), b[:n])
	k := n // a multiple of four, so that the text begins at an even place
	sum = CopySum(sum, b[k:], s.Payload)
	k += len(s.Payload)
	for _, rest := range s.Rest {
		sum = Combine(sum, CopySum(0, b[k:], rest), k)
		k += len(rest)
	}
	binary.BigEndian.PutUint16(b[16:], Fold(sum))
}

// PutTCPSum writes the checksum of a segment whose header takes the first n
// bytes of b, where PutTCP has left 0, and whose text, the rest of b, has the
// partial sum text.
// Obeys: RFC 9293 MUST-2.
func PutTCPSum(s *Segment, b []byte, n int, text uint64) {
	sum := Sum(PseudoSum(s.Local, s.Remote, ProtoTCP, len(b)), b[:n])
	binary.BigEndian.PutUint16(b[16:], Fold(Combine(sum, text, n)))
}
