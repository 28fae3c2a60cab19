package script

import (
	"encoding/hex"
	"strconv"
	"strings"
)

func itoa(v int64) string  { return strconv.FormatInt(v, 10) }
func utoa(v uint32) string { return strconv.FormatUint(uint64(v), 10) }

func (f Field) text() string {
	if f.Kind == FieldAny {
		return "..."
	}
	return utoa(f.Value)
}

func (f Field) hexText() string {
	if f.Kind == FieldAny {
		return "..."
	}
	return "0x" + strconv.FormatUint(uint64(f.Value), 16)
}

// named is " name value" if the field is stated, else nothing.
func (f Field) named(name string) string {
	if f.Kind == FieldAbsent {
		return ""
	}
	return " " + name + " " + f.text()
}

func (p *Ports) text() string { return p.Source.text() + " > " + p.Dest.text() }

var ecnNames = [...]string{NotECT: "noecn", ECT0: "ect0", ECT1: "ect1", ECT01: "ect01", CE: "ce"}

// text is the marks in one pair of brackets with a blank behind, or nothing.
func (m IPMarks) text() string {
	var marks []string
	if m.ECN != ECNAbsent {
		marks = append(marks, ecnNames[m.ECN])
	}
	if m.TOS.Kind != FieldAbsent {
		marks = append(marks, "tos "+m.TOS.hexText())
	}
	if m.FlowLabel.Kind != FieldAbsent {
		marks = append(marks, "flowlabel "+m.FlowLabel.hexText())
	}
	if m.TTL.Kind != FieldAbsent {
		marks = append(marks, "ttl "+m.TTL.text())
	}
	if len(marks) == 0 {
		return ""
	}
	return "[" + strings.Join(marks, ", ") + "] "
}

func (h *PacketHead) text() string {
	s := ""
	switch h.Dir {
	case Inbound:
		s = "< "
	case Outbound:
		s = "> "
	}
	s += h.IP.text()
	if h.Ports != nil {
		s += h.Ports.text() + " "
	}
	return s
}

// String is the flags as a script has them: "S.", "FP.", "-" for none.
func (f Flags) String() string {
	var b strings.Builder
	for i, bit := range flagBits {
		if f.Bits&bit != 0 {
			b.WriteByte(flagLetters[i])
		}
	}
	if f.HasACE {
		b.WriteByte('0' + f.ACE)
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// String is the range as a script has it: "1:1001(1000)".
func (r SeqRange) String() string {
	if r.Any {
		return "...(" + utoa(r.Len) + ")"
	}
	return utoa(r.Begin) + ":" + utoa(r.End) + "(" + utoa(r.Len) + ")"
}

// String is the segment as a script has it.
func (s *Segment) String() string {
	return s.PacketHead.text() + s.Flags.String() + " " + s.numbers()
}

// numbers is the segment from its sequence number on.
func (s *Segment) numbers() string {
	text := s.Seq.String() + s.Ack.named("ack") + s.Win.named("win") + s.Urg.named("urg")
	if s.Options.Present {
		text += " " + s.Options.String()
	}
	if s.UDPEncap != nil {
		text += " /udp(" + s.UDPEncap.text() + ")"
	}
	return text
}

// String is the options as a script has them, with the angle brackets.
func (o TCPOptions) String() string {
	if o.Any {
		return "<...>"
	}
	texts := make([]string, len(o.List))
	for i := range o.List {
		texts[i] = o.List[i].String()
	}
	return "<" + strings.Join(texts, ",") + ">"
}

// String is the option as a script has it.
func (o TCPOption) String() string {
	switch o.Kind {
	case OptEOL:
		return "eol"
	case OptNOP:
		return "nop"
	case OptMSS:
		return "mss " + o.Value.text()
	case OptWScale:
		return "wscale " + o.Value.text()
	case OptSACKOK:
		return "sackOK"
	case OptSACK:
		s := "sack"
		for _, b := range o.Blocks {
			s += " " + utoa(b.Left) + ":" + utoa(b.Right)
		}
		return s
	case OptTS:
		return "TS val " + o.Value.text() + " ecr " + o.Echo.text()
	case OptFO:
		return "FO" + o.cookie()
	case OptFOExp:
		return "FOEXP" + o.cookie()
	case OptRaw:
		s := utoa(uint32(o.Number))
		if len(o.Data) > 0 {
			s += " 0x" + hex.EncodeToString(o.Data)
		}
		return s
	}
	return strings.Join(append([]string{o.Name}, o.Args...), " ")
}

func (o TCPOption) cookie() string {
	switch {
	case o.AnyTag:
		return " ..."
	case o.Symbol != "":
		return " " + o.Symbol
	case len(o.Data) > 0:
		return " " + hex.EncodeToString(o.Data)
	}
	return ""
}

// String is the message as a script has it.
func (m *ICMP) String() string {
	s := m.PacketHead.text() + "icmp"
	if m.V6 {
		s += "v6"
	}
	s += " " + m.Type
	if m.Code != "" {
		s += " " + m.Code
	}
	s += m.MTU.named("mtu") + m.ID.named("id") + m.Seq.named("seq")
	if m.Quote != nil {
		s += " [" + m.Quote.text() + "]"
	}
	return s
}

func (q *Quote) text() string {
	switch {
	case q.UDP != nil:
		return q.UDP.String()
	case q.Segment != nil && q.NoFlags:
		return q.Segment.numbers()
	case q.Segment != nil:
		return q.Segment.String()
	}
	return q.Text
}

// String is the datagram as a script has it.
func (u *UDP) String() string {
	s := u.PacketHead.text() + "udp"
	if u.Lite {
		s += "lite"
	}
	s += " (" + u.Len.text()
	if u.Coverage.Kind != FieldAbsent {
		s += ", " + u.Coverage.text()
	}
	return s + ")"
}

// String is the packet as a script has it.
func (o *OtherPacket) String() string { return o.PacketHead.text() + o.Text }
