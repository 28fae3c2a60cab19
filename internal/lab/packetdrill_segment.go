package lab

import (
	"encoding/binary"
	"fmt"
	"strings"

	"estab/internal/wire"
	"estab/tcp"
)

// Segments in the language of packetdrill.

// drillStreams are the initial numbers of a pair of sockets, as scripts have
// them. Numbers of segments with SYN are absolute, others count from the
// initial one. The host's own is always called 0; the peer's first, too.
type drillStreams struct {
	ours, peer tcp.Num
	first      tcp.Num // of the peer, in the pair's first connection
	known      bool    // first is
	synced     bool    // the host has acknowledged something
}

// segment is a packet as the host saw it: numbers count from the initial ones,
// which are 0 in the pair's first connection.
func (d *drill) segment(dir string, packet []byte) string {
	k, ok := segment(packet)
	if !ok {
		return ""
	}
	port := k.LocalPort // segment tells the receiver's view
	if port == serverPort {
		port = k.RemotePort
	}
	st := d.streams[port]
	if st == nil {
		st = &drillStreams{}
		d.streams[port] = st
	}
	from, to := st.see(dir == ">", &k)
	text := dir + " "
	if len(d.ports) > 1 {
		text += fmt.Sprintf("%d > %d ", k.RemotePort, k.LocalPort)
	}
	begin := uint32(k.Seq - from)
	text += fmt.Sprintf("%s %d:%d(%d)", drillFlags(k.Flags), begin, begin+uint32(len(k.Payload)), len(k.Payload))
	if k.Flags.Any(wire.ACK) {
		text += fmt.Sprintf(" ack %d", uint32(k.Ack-to))
	}
	text += fmt.Sprintf(" win %d", k.Wnd)
	if k.Flags.Any(wire.URG) {
		text += fmt.Sprintf(" urg %d", k.Up)
	}
	if o := drillOptions(packet, to); o != "" {
		text += " <" + o + ">"
	}
	return text
}

// see takes note of a segment, and says from where its two numbers count.
func (s *drillStreams) see(leaves bool, k *tcp.Segment) (seq, ack tcp.Num) {
	syn := k.Flags.Any(wire.SYN)
	if !leaves {
		if syn && !s.known {
			s.known, s.first = true, k.Seq
		}
		if syn && !s.synced {
			s.peer = k.Seq
		}
		if syn {
			return s.first, s.ours
		}
		return s.peer, s.ours
	}
	if syn {
		s.ours = k.Seq
		if k.Flags.Any(wire.ACK) {
			s.peer = k.Ack - 1
		}
	}
	if k.Flags.Any(wire.ACK) && !k.Flags.Any(wire.RST) {
		s.synced = true
	}
	if syn {
		return s.ours, s.first
	}
	return s.ours, s.peer
}

// drillFlags are flags in tcpdump's letters.
func drillFlags(f wire.Flags) string {
	s := ""
	for _, x := range [...]struct {
		bit    wire.Flags
		letter string
	}{{wire.SYN, "S"}, {wire.FIN, "F"}, {wire.RST, "R"}, {wire.PSH, "P"}, {wire.URG, "U"}, {wire.ACK, "."}} {
		if f.Any(x.bit) {
			s += x.letter
		}
	}
	if s == "" {
		return "-"
	}
	return s
}

// drillOptions are the options of a packet, in their order; SACK blocks count
// from the initial number of the other stream.
func drillOptions(packet []byte, other tcp.Num) string {
	var words []string
	tcpHeader := packet[int(packet[0]&15)*4:]
	for b := tcpHeader[wire.TCPHeaderMin : int(tcpHeader[12]>>4)*4]; len(b) > 0; {
		if b[0] <= 1 {
			words = append(words, []string{"eol", "nop"}[b[0]])
			b = b[1:]
			continue
		}
		n := int(b[1])
		words = append(words, drillOption(b[0], b[2:n], other))
		b = b[n:]
	}
	return strings.Join(words, ",")
}

func drillOption(kind byte, b []byte, other tcp.Num) string {
	switch {
	case kind == 2 && len(b) == 2:
		return fmt.Sprintf("mss %d", binary.BigEndian.Uint16(b))
	case kind == 3 && len(b) == 1:
		return fmt.Sprintf("wscale %d", b[0])
	case kind == 4:
		return "sackOK"
	case kind == 5:
		s := "sack"
		for ; len(b) >= 8; b = b[8:] {
			s += fmt.Sprintf(" %d:%d", uint32(tcp.Num(binary.BigEndian.Uint32(b))-other), uint32(tcp.Num(binary.BigEndian.Uint32(b[4:]))-other))
		}
		return s
	case kind == 8 && len(b) == 8:
		return fmt.Sprintf("TS val %d ecr %d", binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]))
	}
	return fmt.Sprintf("%d 0x%x", kind, b)
}
