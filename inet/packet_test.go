package inet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

// packetOf makes a packet of an upper-layer message, which must be complete.
func packetOf(src, dst string, proto uint8, message []byte) []byte {
	h := wire.IPHeader{Src: wireAddr(src), Dst: wireAddr(dst), Proto: proto, TTL: 60, TOS: 0x20}
	h.TotalLen = wire.IPHeaderLen(h.Src) + len(message)
	b := make([]byte, h.TotalLen)
	copy(b[wire.PutIP(b, &h):], message)
	return b
}

// tcpPacket makes a packet of a segment from one socket to another.
func tcpPacket(from, to string, seg wire.Segment) []byte {
	src, dst := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	seg.Tuple = wire.TupleFrom(src, dst, 0)
	b := make([]byte, wire.TCPHeaderLen(&seg))
	wire.PutTCP(b, &seg)
	b = append(b, seg.Payload...)
	wire.PutTCPChecksum(seg.Local, seg.Remote, b)
	return packetOf(src.Addr().String(), dst.Addr().String(), wire.ProtoTCP, b)
}

// icmpPacket makes a packet of an ICMP message about the packet in quote. An
// echo request is one, too: its body is the quote.
func icmpPacket(src, dst string, typ, code uint8, info uint32, quote []byte) []byte {
	b := make([]byte, wire.ICMPHeaderLen+len(quote))
	wire.PutICMPError(b, wireAddr(src), wireAddr(dst), typ, code, info, quote)
	proto := uint8(wire.ProtoICMP)
	if wireAddr(src).Hi != 0 {
		proto = wire.ProtoICMPv6
	}
	return packetOf(src, dst, proto, b)
}

// naiveSum is RFC 1071 byte by byte.
func naiveSum(parts ...[]byte) uint16 {
	var sum uint32
	for _, b := range parts {
		for i, x := range b {
			if i%2 == 0 {
				sum += uint32(x) << 8
			} else {
				sum += uint32(x)
			}
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// checkPacket parses a packet that a stack sent and fails the test unless
// every checksum in it is right, by a computation that shares nothing with
// package wire.
func checkPacket(t testing.TB, b []byte) (wire.IPHeader, wire.Segment) {
	t.Helper()
	var (
		h      wire.IPHeader
		s      wire.Segment
		pseudo []byte
	)
	if r := wire.ParseIP(b, &h); r != wire.Accepted {
		t.Fatalf("sent a packet that is no good: %v\n%x", r, b)
	}
	if h.TotalLen != len(b) || h.TTL != 64 {
		t.Errorf("total length %d of %d, TTL %d", h.TotalLen, len(b), h.TTL)
	}
	text := b[h.HeaderLen:]
	if b[0]>>4 == 4 {
		if naiveSum(b[:20]) != 0xffff {
			t.Errorf("wrong IP header checksum: %x", b[:20])
		}
		if b[6] != 0x40 || b[7] != 0 || b[4] != 0 || b[5] != 0 {
			t.Errorf("ID and flags %x, want DF and no ID", b[4:8])
		}
		pseudo = append(pseudo, b[12:20]...)
		pseudo = binary.BigEndian.AppendUint16(append(pseudo, 0, b[9]), uint16(len(text)))
	} else {
		pseudo = append(pseudo, b[8:40]...)
		pseudo = append(binary.BigEndian.AppendUint32(pseudo, uint32(len(text))), 0, 0, 0, b[6])
	}
	if h.Proto == wire.ProtoICMP {
		pseudo = nil
	}
	if naiveSum(pseudo, text) != 0xffff {
		t.Errorf("wrong transport checksum: %x", b)
	}
	if h.Proto == wire.ProtoTCP {
		if r := wire.ParseTCP(text, &s); r != wire.Accepted {
			t.Fatalf("sent a segment that is no good: %v\n%x", r, b)
		}
		s.Local, s.Remote = h.Dst, h.Src
	}
	return h, s
}

// sent is an Outbox that keeps what a stack sends.
type sent struct {
	packets []sentPacket
	room    int        // packets that it still takes; negative: any number
	pool    *wire.Pool // where slabs go, if there is one
}

type sentPacket struct {
	link LinkID
	b    []byte
}

func (o *sent) Room(LinkID) bool {
	if o.room == 0 {
		return false
	}
	o.room--
	return true
}

func (o *sent) Send(link LinkID, p *wire.Slab) {
	o.packets = append(o.packets, sentPacket{link, append([]byte(nil), p.Bytes()...)})
	if o.pool != nil {
		o.pool.Put(p)
	}
}

// output returns what the stack sends now.
func output(s *Stack, now tcp.Time) []sentPacket {
	o := sent{room: -1, pool: s.pool}
	s.Output(now, &o)
	return o.packets
}

// checkCounters fails the test unless every packet that came in was accepted
// or dropped for a reason.
func checkCounters(t testing.TB, s *Stack) {
	t.Helper()
	sum := s.counters.Accepted
	for _, n := range s.counters.Drops {
		sum += n
	}
	if sum != s.counters.In || s.counters.Drops[wire.Accepted] != 0 {
		t.Errorf("%d packets in, %d accounted for: %s", s.counters.In, sum, drops(s))
	}
}

// drops writes down what a stack has dropped.
func drops(s *Stack) string {
	out := fmt.Sprintf("accepted %d", s.counters.Accepted)
	for r, n := range s.counters.Drops {
		if n > 0 {
			out += fmt.Sprintf(", %v %d", wire.Reason(r), n)
		}
	}
	return out
}

func mustAddrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
