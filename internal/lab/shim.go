package lab

import (
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// twoWay makes B's side of the handshake end with its second segment: a shim
// beside the unmodified engine answers B's own SYN-ACK at once with a forged
// third segment, so that B believes in a connection as soon as it has sent it.
func (s *Stage) twoWay() {
	s.meddle = append(s.meddle, func(p *sim.Packet) {
		k, ok := segment(p.Data)
		if !ok || !p.Back || !k.Flags.Has(wire.SYN|wire.ACK) {
			return
		}
		third := s.Forge(k.Tuple, k.Ack, k.Seq+1, wire.ACK, 512, nil, &k)
		s.World.At(s.World.Now(), func() {
			s.Note(B, "shim: B takes its own SYN,ACK for the last word")
			s.inject(B, third)
		})
	})
}

// Forge makes a segment in somebody's name: t is the pair of sockets as the
// pretended sender sees it. The timestamps of like, if it has any, are echoed.
func (s *Stage) Forge(t tcp.Tuple, seqNum, ack tcp.Num, f wire.Flags, wnd uint16, text []byte, like *tcp.Segment) []byte {
	k := tcp.Segment{Tuple: t, Seq: seqNum, Ack: ack, Flags: f, Wnd: wnd}
	if like != nil && like.Options.Has(wire.OptTimestamps) {
		k.Options.Set = wire.OptTimestamps
		k.Options.TSVal, k.Options.TSEcr = like.Options.TSEcr, like.Options.TSVal
	}
	return packet(&k, text)
}

// packet is the IP packet of a segment.
func packet(k *tcp.Segment, text []byte) []byte {
	n := wire.TCPHeaderLen(k)
	h := wire.IPHeader{Src: k.Local, Dst: k.Remote, Proto: wire.ProtoTCP, TTL: 64,
		TotalLen: wire.IPHeaderLen(k.Local) + n + len(text)}
	b := make([]byte, h.TotalLen)
	off := wire.PutIP(b, &h)
	wire.PutTCP(b[off:], k)
	copy(b[off+n:], text)
	wire.PutTCPChecksum(k.Local, k.Remote, b[off:])
	return b
}
