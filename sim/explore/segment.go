package explore

import (
	"encoding/binary"
	"fmt"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// segment is a segment as it travels: with canonical numbers, and known by a
// number of its own.
type segment struct {
	from int
	seg  tcp.Segment // Tuple as its receiver sees it
}

// segments gives equal segments equal numbers.
type segments struct {
	all  []segment
	byID map[string]uint32
	key  []byte
}

// intern is the number of a segment that an end sends; what it holds is
// copied.
func (s *segments) intern(from int, seg *tcp.Segment) uint32 {
	k := append(s.key[:0], byte(from))
	k = binary.BigEndian.AppendUint32(k, uint32(seg.Seq))
	k = binary.BigEndian.AppendUint32(k, uint32(seg.Ack))
	k = binary.BigEndian.AppendUint16(k, uint16(seg.Flags))
	k = binary.BigEndian.AppendUint16(k, seg.Wnd)
	k = binary.BigEndian.AppendUint16(k, seg.Up)
	k = append(k, byte(seg.Options.Set))
	k = binary.BigEndian.AppendUint16(k, seg.Options.MSS)
	header := len(k)
	k = append(k, seg.Payload...)
	for _, r := range seg.Rest {
		k = append(k, r...)
	}
	s.key = k
	if id, ok := s.byID[string(k)]; ok {
		return id
	}
	c := tcp.Segment{Tuple: tuple(1 - from), Seq: seg.Seq, Ack: seg.Ack, Flags: seg.Flags, Wnd: seg.Wnd, Up: seg.Up}
	c.Options.Set, c.Options.MSS = seg.Options.Set, seg.Options.MSS
	c.Payload = append([]byte(nil), k[header:]...)
	if s.byID == nil {
		s.byID = map[string]uint32{}
	}
	id := uint32(len(s.all))
	s.byID[string(k)] = id
	s.all = append(s.all, segment{from, c})
	return id
}

// String describes the segment in the RFC's words.
func (g *segment) String() string {
	t := fmt.Sprintf("<SEQ=%d>", g.seg.Seq)
	if g.seg.Flags.Has(wire.ACK) {
		t += fmt.Sprintf("<ACK=%d>", g.seg.Ack)
	}
	t += "<CTL=" + trace.FlagNames(g.seg.Flags&^wire.PSH) + ">"
	if n := len(g.seg.Payload); n > 0 {
		t += fmt.Sprintf("<DATA=%d>", n)
	}
	return t
}

// The two sockets of a world.
var (
	addrs = [2]wire.Addr{wire.Addr4(10<<24 | 1), wire.Addr4(10<<24 | 2)}
	ports = [2]uint16{40000, 80}
)

// tuple is the pair of sockets as an end sees it.
func tuple(end int) tcp.Tuple {
	return tcp.Tuple{Local: addrs[end], Remote: addrs[1-end], LocalPort: ports[end], RemotePort: ports[1-end]}
}

// packet is a segment in flight: its number, and how long it may still live in
// microseconds.
type packet uint64

const lifeBits = 40

func newPacket(id uint32, life time.Duration) packet {
	return packet(id)<<lifeBits | packet(life/time.Microsecond)
}

func (p packet) id() uint32 { return uint32(p >> lifeBits) }

func (p packet) life() time.Duration {
	return time.Duration(p&(1<<lifeBits-1)) * time.Microsecond
}

// age is the packet after a time; false if it did not live so long.
func (p packet) age(d time.Duration) (packet, bool) {
	if p.life() <= d {
		return 0, false
	}
	return p - packet(d/time.Microsecond), true
}
