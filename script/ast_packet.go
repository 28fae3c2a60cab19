package script

// Direction says whether a packet arrives at the stack under test or leaves it.
type Direction uint8

const (
	DirNone  Direction = iota // a segment quoted in an ICMP message
	Inbound                   // "<": the script sends it to the stack
	Outbound                  // ">": the stack must send it
)

// FieldKind says whether a field of a packet is stated.
type FieldKind uint8

const (
	FieldAbsent FieldKind = iota // not written
	FieldAny                     // written as "..."
	FieldExact                   // written as a number
)

// Field is a number in a packet that may be left out or left open.
type Field struct {
	Kind  FieldKind
	Value uint32
}

// Exactly is the field that holds v.
func Exactly(v uint32) Field { return Field{Kind: FieldExact, Value: v} }

// PacketHead is what every packet line begins with.
type PacketHead struct {
	Pos   Pos
	Dir   Direction
	IP    IPMarks
	Ports *Ports // nil: those of the script's one connection
}

// Position is where the packet begins: at its direction.
func (h *PacketHead) Position() Pos { return h.Pos }

// Ports are a packet's source and destination port: "8080 > 80".
type Ports struct {
	Source, Dest Field
}

// ECN is the mark that a script asks for in the IP header's two ECN bits
// (RFC 3168 section 5).
type ECN uint8

const (
	ECNAbsent ECN = iota // nothing stated
	NotECT               // [noecn]
	ECT0                 // [ect0]
	ECT1                 // [ect1]
	ECT01                // [ect01]: either of the two
	CE                   // [ce]
)

// IPMarks are the fields of the IP header that stand in square brackets:
// [ect0], [tos 0x2], [flowlabel 0x12345], [ttl 64].
type IPMarks struct {
	ECN       ECN
	TOS       Field
	FlowLabel Field
	TTL       Field
}

// Flags are the flags of a segment. Bits are those of the TCP header, with
// FlagAE as the ninth (RFC 9293 section 3.1, RFC 9768).
type Flags struct {
	Bits   uint16
	HasACE bool  // AccECN's three bits were given as a digit, "P.5"
	ACE    uint8 // that digit; the bits AE, CWR and ECE are then not in Bits
}

const (
	FlagFIN uint16 = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
	FlagURG
	FlagECE
	FlagCWR
	FlagAE
)

// Has tells whether all of these flags are set.
func (f Flags) Has(bits uint16) bool { return f.Bits&bits == bits }

// SeqRange is a segment's begin:end(length). Numbers are relative to the
// initial ones of the connection. End is Begin + Len modulo 2^32.
type SeqRange struct {
	Any   bool // "...(length)": any sequence number
	Begin uint32
	End   uint32
	Len   uint32
}

// Segment is a TCP segment.
type Segment struct {
	PacketHead
	Flags    Flags
	Seq      SeqRange
	Ack      Field
	Win      Field
	Urg      Field
	Options  TCPOptions
	UDPEncap *Ports // FreeBSD: the segment travels in UDP, "/udp(9899 > 9899)"
}

// TCPOptions are a segment's options in their order.
type TCPOptions struct {
	Present bool // angle brackets were written, if only "<>"
	Any     bool // "<...>"
	List    []TCPOption
}

// OptionKind names a TCP option in a script.
type OptionKind uint8

const (
	OptNamed  OptionKind = iota // a name that this package does not know: Name, Args
	OptRaw                      // by number: Number, Data
	OptEOL                      // eol
	OptNOP                      // nop
	OptMSS                      // mss 1460: Value
	OptWScale                   // wscale 7: Value
	OptSACKOK                   // sackOK
	OptSACK                     // sack 1:2 3:4: Blocks
	OptTS                       // TS val 1 ecr 2: Value, Echo
	OptFO                       // FO 0123456789abcdef: Data (RFC 7413)
	OptFOExp                    // FOEXP 0123...: Data (the experimental number)
)

// TCPOption is one option of a segment.
type TCPOption struct {
	Pos    Pos
	Kind   OptionKind
	Value  Field
	Echo   Field
	Blocks []SACKBlock
	Number uint8
	Data   []byte
	AnyTag bool   // FO ...: any cookie
	Symbol string // FO TFO_COOKIE: a cookie by the name that -D gives it
	Name   string
	Args   []string
}

// SACKBlock is a block of a SACK option: left edge and the byte after its end.
type SACKBlock struct {
	Left, Right uint32
}

// ICMP is an ICMP or ICMPv6 message about a packet that the stack sent, or an
// error that the stack must send.
type ICMP struct {
	PacketHead
	V6    bool   // written as icmpv6; plain icmp is of the script's own family
	Type  string // "unreachable", or a number
	Code  string // "frag_needed", a number, or empty
	MTU   Field
	ID    Field
	Seq   Field
	Quote *Quote // the packet in the message, nil if not written
}

// Quote is the head of the packet that an ICMP message carries. One of the
// three is set. Of a Segment, fields after Seq may be absent.
type Quote struct {
	Pos     Pos
	Segment *Segment // its Dir is DirNone
	NoFlags bool     // no flags were written in Segment
	UDP     *UDP
	Text    string // another protocol's packet, as written
}

// UDP is a UDP or UDP-Lite datagram, "udp (100)".
type UDP struct {
	PacketHead
	Lite     bool
	Len      Field
	Coverage Field // UDP-Lite's checksum coverage
}

// OtherPacket is a packet of a protocol that this package does not look into:
// SCTP, or an encapsulation such as "ipv4 A > B: gre: ...". It is kept so that
// a script with such packets can be printed, and named as not applicable.
type OtherPacket struct {
	PacketHead
	Protocol string
	Text     string // the protocol and all that follows, with single blanks
}

func (*Segment) action()     {}
func (*ICMP) action()        {}
func (*UDP) action()         {}
func (*OtherPacket) action() {}
