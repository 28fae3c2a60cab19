package wire

import (
	"strings"

	"estab/internal/seq"
)

// Flags are the control bits of a TCP header (RFC 9293 §3.1), in the order of
// the wire: CWR is the highest bit of the byte, FIN the lowest. AE is the bit
// before CWR (RFC 9768).
type Flags uint16

const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// Has reports whether all bits of g are set in f.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Any reports whether some bit of g is set in f.
func (f Flags) Any(g Flags) bool { return f&g != 0 }

// String writes the flags as tcpdump and packetdrill do: "S.", "P.", "R", and
// "-" for none.
func (f Flags) String() string {
	var b strings.Builder
	for _, l := range []struct {
		bit    Flags
		letter byte
	}{{SYN, 'S'}, {FIN, 'F'}, {RST, 'R'}, {PSH, 'P'}, {ACK, '.'}, {URG, 'U'}, {ECE, 'E'}, {CWR, 'W'}, {AE, 'A'}} {
		if f&l.bit != 0 {
			b.WriteByte(l.letter)
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// OptionSet says which options a segment carries.
type OptionSet uint8

const (
	OptMSS OptionSet = 1 << iota
	OptWindowScale
	OptSACKPermitted
	OptTimestamps
	OptSACK
)

// MaxSACKBlocks is how many SACK blocks fit into 40 bytes of options
// (RFC 2018 §3): four, or three beside timestamps.
const MaxSACKBlocks = 4

// SACKBlock is one block of a SACK option: [Left, Right) (RFC 2018 §3).
type SACKBlock struct{ Left, Right seq.Num }

// Options are the TCP options that estab understands, parsed.
type Options struct {
	Set         OptionSet
	WindowScale uint8  // shift, as received; RFC 7323 §2.3 caps its use at 14
	NSACK       uint8  // blocks in SACK
	MSS         uint16 // bytes
	TSVal       uint32 // RFC 7323 §3.2
	TSEcr       uint32
	SACK        [MaxSACKBlocks]SACKBlock
}

// Has reports whether the option is present.
func (o *Options) Has(x OptionSet) bool { return o.Set&x != 0 }

// Segment is a TCP segment, parsed: what the engine takes in and gives out.
// Addresses and ports are seen by the stack that holds it: Local is the
// destination of what arrives and the source of what leaves.
type Segment struct {
	Tuple
	Hash uint64 // keyed hash of Tuple if somebody computed it already, else 0

	Seq, Ack seq.Num
	Flags    Flags
	Wnd      uint16 // as in the header, not yet scaled
	Up       uint16 // urgent pointer
	Link     uint16 // the link it arrived on
	Egress   uint32 // the path it leaves by, as inet knows it; opaque to tcp
	ECN      uint8  // the two ECN bits of the IP header (RFC 3168)
	TOS      uint8  // the six DSCP bits, shifted left by two

	Options Options

	// Payload is the text. What leaves may be scattered: then Rest holds what
	// follows Payload.
	Payload []byte
	Rest    [][]byte

	// Slab is the buffer in which Payload lies. Of what arrives: if whoever takes
	// the segment may keep it; it then sets Slab to nil. Of what leaves: if
	// Payload is all of the text and the first bytes in use of a slab that may be
	// lent (Pool.Lend). Otherwise it is nil, and the text has to be copied.
	Slab *Slab
}

// DataLen is the number of bytes of text.
func (s *Segment) DataLen() int {
	n := len(s.Payload)
	for _, p := range s.Rest {
		n += len(p)
	}
	return n
}

// Len is SEG.LEN: the sequence numbers the segment takes, counting SYN and
// FIN (RFC 9293 §3.4).
func (s *Segment) Len() uint32 {
	n := uint32(s.DataLen())
	if s.Flags&SYN != 0 {
		n++
	}
	if s.Flags&FIN != 0 {
		n++
	}
	return n
}

// End is the sequence number after the segment's last.
func (s *Segment) End() seq.Num { return s.Seq + seq.Num(s.Len()) }
