package script

import (
	"encoding/binary"
	"time"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

// packet is what left the stack: a TCP segment, or an ICMP message.
type packet struct {
	at       time.Duration // since the script began
	cause    cause
	serial   int   // the same for all that one cause made leave
	flow     *flow // nil if it belongs to none
	icmp     bool
	typ      uint8 // of an ICMP message
	code     uint8
	src, dst uint16 // ports
	seq, ack uint32 // as on the wire
	flags    uint16
	win, up  uint16
	options  []rawOption
	payload  []byte
	again    bool // text that had been sent before
	tos      uint8
	ttl      uint8
	label    uint32 // IPv6 flow label
}

// rawOption is a TCP option as it stands on the wire; data follows kind and
// length, which EOL and NOP don't have.
type rawOption struct {
	kind uint8
	data []byte
}

// The numbers of the options that scripts name.
const (
	kindEOL    = 0
	kindNOP    = 1
	kindMSS    = 2
	kindWScale = 3
	kindSACKOK = 4
	kindSACK   = 5
	kindTS     = 8
	kindFO     = 34
	kindExp    = 254 // RFC 6994
)

// foMagic is the experiment's number before a Fast Open cookie in an
// experimental option (RFC 7413 appendix, RFC 6994).
var foMagic = [2]byte{0xf9, 0x89}

// end is the sequence number after the segment's last.
func (p *packet) end() uint32 {
	n := uint32(len(p.payload))
	if p.flags&FlagSYN != 0 {
		n++
	}
	if p.flags&FlagFIN != 0 {
		n++
	}
	return p.seq + n
}

// option returns the first option of a kind.
func (p *packet) option(kind uint8) (rawOption, bool) {
	for _, o := range p.options {
		if o.kind == kind {
			return o, true
		}
	}
	return rawOption{}, false
}

// parsePacket reads what the stack sent; ok is false if that is no packet.
func parsePacket(b []byte) (p *packet, ok bool) {
	var h wire.IPHeader
	if wire.ParseIP(b, &h) != wire.Accepted {
		return nil, false
	}
	p = &packet{tos: h.TOS | h.ECN, ttl: h.TTL, label: h.FlowLabel}
	text := b[h.HeaderLen:h.TotalLen]
	if h.Proto == wire.ProtoICMP || h.Proto == wire.ProtoICMPv6 {
		p.icmp, p.typ, p.code = true, text[0], text[1]
		return p, true
	}
	if h.Proto != wire.ProtoTCP || !wire.VerifyTCP(h.Src, h.Dst, text) {
		return nil, false
	}
	p.src, p.dst = binary.BigEndian.Uint16(text), binary.BigEndian.Uint16(text[2:])
	p.seq, p.ack = binary.BigEndian.Uint32(text[4:]), binary.BigEndian.Uint32(text[8:])
	p.flags = binary.BigEndian.Uint16(text[12:]) & 0x1ff
	p.win, p.up = binary.BigEndian.Uint16(text[14:]), binary.BigEndian.Uint16(text[18:])
	n := int(text[12]>>4) * 4
	p.options, ok = parseOptions(text[wire.TCPHeaderMin:n])
	p.payload = append([]byte(nil), text[n:]...)
	return p, ok
}

func parseOptions(b []byte) (list []rawOption, ok bool) {
	for len(b) > 0 {
		if b[0] == kindEOL || b[0] == kindNOP {
			list = append(list, rawOption{kind: b[0]})
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return nil, false
		}
		list = append(list, rawOption{b[0], append([]byte(nil), b[2:b[1]]...)})
		b = b[b[1]:]
	}
	return list, true
}

// header is what ladders keep of a segment.
func (p *packet) header() tcp.SegHeader {
	h := tcp.SegHeader{Seq: seq.Num(p.seq), Ack: seq.Num(p.ack), Flags: wire.Flags(p.flags),
		Wnd: p.win, Up: p.up, Len: uint32(len(p.payload))}
	o := &h.Options
	for _, opt := range p.options {
		switch {
		case opt.kind == kindMSS && len(opt.data) == 2:
			o.Set |= wire.OptMSS
			o.MSS = binary.BigEndian.Uint16(opt.data)
		case opt.kind == kindWScale && len(opt.data) == 1:
			o.Set |= wire.OptWindowScale
			o.WindowScale = opt.data[0]
		case opt.kind == kindSACKOK:
			o.Set |= wire.OptSACKPermitted
		case opt.kind == kindTS && len(opt.data) == 8:
			o.Set |= wire.OptTimestamps
			o.TSVal, o.TSEcr = binary.BigEndian.Uint32(opt.data), binary.BigEndian.Uint32(opt.data[4:])
		case opt.kind == kindSACK:
			o.Set |= wire.OptSACK
			for b := opt.data; len(b) >= 8 && int(o.NSACK) < len(o.SACK); b = b[8:] {
				o.SACK[o.NSACK] = tcp.SACKBlock{Left: seq.Num(binary.BigEndian.Uint32(b)), Right: seq.Num(binary.BigEndian.Uint32(b[4:]))}
				o.NSACK++
			}
		}
	}
	return h
}

// ipMarks are the fields of the IP header that a script can choose.
type ipMarks struct {
	tos   uint8 // with the ECN bits
	ttl   uint8
	label uint32
}

func marksOf(m *IPMarks) ipMarks {
	x := ipMarks{ttl: 64}
	switch m.ECN {
	case ECT0, ECT01:
		x.tos = 2
	case ECT1:
		x.tos = 1
	case CE:
		x.tos = 3
	}
	if m.TOS.Kind == FieldExact {
		x.tos = uint8(m.TOS.Value)
	}
	if m.TTL.Kind == FieldExact {
		x.ttl = uint8(m.TTL.Value)
	}
	if m.FlowLabel.Kind == FieldExact {
		x.label = m.FlowLabel.Value
	}
	return x
}

// putIP writes an IP header in front of length bytes, into b, and returns its
// length.
func putIP(b []byte, src, dst wire.Addr, proto uint8, m ipMarks, length int) int {
	n := wire.IPHeaderLen(src)
	h := wire.IPHeader{Src: src, Dst: dst, Proto: proto, TTL: m.ttl, TOS: m.tos &^ 3, ECN: m.tos & 3,
		FlowLabel: m.label, TotalLen: n + length}
	return wire.PutIP(b, &h)
}

// build makes the bytes of a segment from src to dst in b, which has room.
func (p *packet) build(b []byte, src, dst wire.Addr, m ipMarks, options []byte) []byte {
	hlen := wire.TCPHeaderMin + len(options)
	n := putIP(b, src, dst, wire.ProtoTCP, m, hlen+len(p.payload))
	t := b[n : n+hlen+len(p.payload)]
	binary.BigEndian.PutUint16(t[0:], p.src)
	binary.BigEndian.PutUint16(t[2:], p.dst)
	binary.BigEndian.PutUint32(t[4:], p.seq)
	binary.BigEndian.PutUint32(t[8:], p.ack)
	binary.BigEndian.PutUint16(t[12:], uint16(hlen/4)<<12|p.flags&0x1ff)
	binary.BigEndian.PutUint16(t[14:], p.win)
	t[16], t[17] = 0, 0
	binary.BigEndian.PutUint16(t[18:], p.up)
	copy(t[wire.TCPHeaderMin:], options)
	copy(t[hlen:], p.payload)
	wire.PutTCPChecksum(src, dst, t)
	return b[:n+len(t)]
}

// putOptions writes options as bytes, padded to words with EOL.
func putOptions(list []rawOption) []byte {
	var b []byte
	for _, o := range list {
		b = append(b, o.kind)
		if o.kind != kindEOL && o.kind != kindNOP {
			b = append(b, uint8(len(o.data)+2))
			b = append(b, o.data...)
		}
	}
	for len(b)%4 != 0 {
		b = append(b, kindEOL)
	}
	return b
}
