package soak

import (
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// plant sets off the faults of the world.
func (r *run) plant() {
	var hold []Fault
	for _, f := range r.spec.Faults {
		switch f.Kind {
		case Partition:
			r.w.After(f.At, r.path.Cut)
			r.w.After(f.At+f.For, r.path.Join)
		case Crash:
			h := r.hosts[f.Host]
			r.w.After(f.At, h.Crash)
			r.w.After(f.At+f.For, func() {
				h.Restart()
				if f.Host == Server {
					r.listen()
				}
			})
		case Hold:
			hold = append(hold, f)
		default:
			r.w.After(f.At, func() { r.forge(f) })
		}
	}
	if hold != nil {
		n := -1
		r.path.Hold(func(sim.Packet) bool {
			n++
			for _, f := range hold {
				if f.N == n {
					r.w.After(f.For, r.path.Release)
					return true
				}
			}
			return false
		})
	}
}

// forge sends a host a segment of a third party that has seen what passed, or
// (blind) has not. None of them may have an effect.
func (r *run) forge(f Fault) {
	var t *talk
	for i := range r.talks {
		if r.talks[i].ends[f.Host].heard {
			t = &r.talks[i]
		}
	}
	if t == nil {
		return
	}
	e := &t.ends[f.Host]
	n := wire.Segment{Tuple: t.flow, Wnd: 1000, Seq: e.high, Ack: e.ack}
	if f.Host == Client {
		n.Tuple = n.Tuple.Swap() // it pretends to be the server
	}
	luck := tcp.Num(f.N)
	switch f.Kind {
	case ForgeReset:
		n.Flags, n.Seq = wire.RST, e.high+1+luck%500
	case ForgeSyn:
		n.Flags, n.Seq = wire.SYN, e.high+luck%500
	case ForgeText:
		n.Flags, n.Ack, n.Payload = wire.ACK, e.ack+1<<30, []byte("forged")
	case ForgeBlind:
		n.Flags, n.Seq, n.Ack = wire.RST|wire.ACK, e.high+1<<29+luck<<8, e.ack+1<<29
		r.inject(f.Host, &n)
		n.Flags, n.Payload = wire.ACK, []byte("forged")
	case ForgeICMP:
		r.forgeICMP(f.Host, &n)
		return
	}
	r.inject(f.Host, &n)
}

func (r *run) inject(to int, seg *wire.Segment) {
	n := wire.IPHeaderLen(seg.Local) + wire.TCPHeaderLen(seg) + len(seg.Payload)
	b := make([]byte, n)
	k := wire.PutIP(b, &wire.IPHeader{Src: seg.Local, Dst: seg.Remote, Proto: wire.ProtoTCP, TTL: 64, TotalLen: n})
	h := wire.PutTCP(b[k:], seg)
	copy(b[k+h:], seg.Payload)
	wire.PutTCPChecksum(seg.Local, seg.Remote, b[k:])
	r.hosts[to].Inject(b)
}

// forgeICMP says that a packet of the victim's found no way. It quotes a
// segment that was never sent (RFC 5927 §4.1).
func (r *run) forgeICMP(to int, n *wire.Segment) {
	quoted := wire.Segment{Tuple: n.Tuple.Swap(), Flags: wire.ACK, Seq: n.Ack + 1<<28}
	var q [60]byte
	k := wire.PutIP(q[:], &wire.IPHeader{Src: quoted.Local, Dst: quoted.Remote, Proto: wire.ProtoTCP, TTL: 64, TotalLen: 1000})
	wire.PutTCP(q[k:], &quoted)
	proto, typ, code := uint8(wire.ProtoICMP), uint8(3), uint8(1) // host unreachable
	if k == wire.IP6HeaderLen {
		proto, typ, code = wire.ProtoICMPv6, 1, 0
	}
	h := wire.IPHeader{Src: n.Local, Dst: n.Remote, Proto: proto, TTL: 64, TotalLen: k + wire.ICMPHeaderLen + k + 8}
	b := make([]byte, h.TotalLen)
	wire.PutIP(b, &h)
	wire.PutICMPError(b[k:], n.Local, n.Remote, typ, code, 0, q[:k+8])
	r.hosts[to].Inject(b)
}
