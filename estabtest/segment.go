package estabtest

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
)

// Segment is a TCP segment as its sender gave it to the network.
type Segment struct {
	Time     time.Duration // since New
	From, To string        // hosts
	Src, Dst netip.AddrPort

	Conn       int  // its connection is the nth of these hosts and that port, from 1
	N          int  // it is its sender's nth segment there, from 1; 0: nobody there sent it (Network.Reset)
	FromClient bool // from the host that dialled

	SYN, ACK, FIN, RST, PSH bool

	Seq, Ack uint32 // since the initial sequence numbers of the two, so that text begins with 1
	Len      int    // bytes of text
	Window   int    // as in the header, not scaled

	Retransmission bool          // it was sent before, or part of it
	Arrived        time.Duration // when it came to its receiver, since New; 0: it is lost, or under way
	Lost           string        // why it is lost; "": it isn't
}

// segmentOf is a record as the test sees it.
func segmentOf(f *flow, r *record) Segment {
	me, peer := &f.sides[r.side], &f.sides[r.side.Other()]
	s := Segment{
		Time: time.Duration(r.at), From: me.host.name, To: peer.host.name,
		Src: f.tuple.LocalAddrPort(), Dst: f.tuple.RemoteAddrPort(),
		Conn: f.nth, N: r.n, FromClient: r.side == trace.Left,
		Seq: uint32(r.hdr.Seq - me.iss), Len: int(r.hdr.Len), Window: int(r.hdr.Wnd),
		Retransmission: r.again,
	}
	if !s.FromClient {
		s.Src, s.Dst = s.Dst, s.Src
	}
	flags := r.hdr.Flags
	s.SYN, s.ACK, s.FIN = flags.Any(wire.SYN), flags.Any(wire.ACK), flags.Any(wire.FIN)
	s.RST, s.PSH = flags.Any(wire.RST), flags.Any(wire.PSH)
	if s.ACK {
		s.Ack = uint32(r.hdr.Ack - peer.iss)
	}
	if s.Arrived = time.Duration(r.arrive[0]); r.copies == 0 {
		s.Lost = r.fate
	}
	return s
}

// String is the segment in one line, in the manner of tcpdump:
//
//	30.000001 app > db: [S.] seq 0 ack 1 len 0 (lost)
func (s Segment) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.6f %s > %s: [", s.Time.Seconds(), s.From, s.To)
	for _, f := range []struct {
		set  bool
		name byte
	}{{s.SYN, 'S'}, {s.FIN, 'F'}, {s.RST, 'R'}, {s.PSH, 'P'}, {s.ACK, '.'}} {
		if f.set {
			b.WriteByte(f.name)
		}
	}
	fmt.Fprintf(&b, "] seq %d", s.Seq)
	if s.ACK {
		fmt.Fprintf(&b, " ack %d", s.Ack)
	}
	fmt.Fprintf(&b, " len %d", s.Len)
	if s.Retransmission {
		b.WriteString(" again")
	}
	if s.Lost != "" {
		fmt.Fprintf(&b, " (%s)", s.Lost)
	}
	return b.String()
}
