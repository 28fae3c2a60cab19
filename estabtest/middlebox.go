package estabtest

import (
	"encoding/binary"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// Middlebox is what stands in the way and meddles: a firewall, a translator of
// addresses (though it translates none), a load balancer. The zero Middlebox
// does nothing.
type Middlebox struct {
	// Forget is how long a connection may be silent until the box forgets it.
	// What then comes of it is lost, without a word. 0: it never forgets.
	Forget time.Duration

	// Reset: the box answers what it has forgotten with a RST to the sender.
	Reset bool

	// ClampMSS lowers the MSS option of SYNs to so many bytes. 0: it doesn't.
	ClampMSS int

	// These options are taken out of all segments.
	StripSACK, StripTimestamps, StripWindowScale bool
}

// middlebox is a Middlebox at its place, and what it remembers.
type middlebox struct {
	Middlebox
	last map[*flow]int64 // when it last saw a segment
}

// SetMiddlebox puts a box between a and b, which are neighbours: two hosts on
// the switch, or the ends of a cable. It replaces the one that was there, and
// knows no connection but those whose SYN it sees from now on. The zero
// Middlebox takes it away.
func (n *Network) SetMiddlebox(a, b string, m Middlebox) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	v, w := n.node("SetMiddlebox", a), n.node("SetMiddlebox", b)
	n.note("SetMiddlebox(%s, %s, %s)", a, b, brief(m))
	var box *middlebox
	if m != (Middlebox{}) {
		box = &middlebox{Middlebox: m, last: map[*flow]int64{}}
	}
	n.boxes[pairOf(v, w)] = box
	var ends [2]*pipe
	if n.onSwitch(v) && n.onSwitch(w) {
		ends = [2]*pipe{n.meshPipe(v, w), n.meshPipe(w, v)}
	} else {
		ends = [2]*pipe{v.linkTo(w), w.linkTo(v)}
	}
	for _, p := range ends {
		if p == nil {
			n.t.Fatalf("estabtest: SetMiddlebox: no link joins %s and %s", a, b)
		}
		p.box = box
	}
}

// pass lets the box see a packet, and returns why it doesn't pass, or "".
func (m *middlebox) pass(n *Network, k *packet, now int64) string {
	if k.flow == nil || k.rec.corrupt {
		return ""
	}
	if m.Forget > 0 {
		last, known := m.last[k.flow]
		switch {
		case k.rec.hdr.Flags.Any(wire.SYN):
		case known && now-last <= int64(m.Forget):
		default:
			delete(m.last, k.flow)
			if m.Reset && !k.rec.hdr.Flags.Any(wire.RST) {
				n.inject(k.to, k.from, answerReset(&k.rec.hdr, k.flow, k.side), now)
			}
			return "forgotten by the middlebox"
		}
		m.last[k.flow] = now
	}
	if m.ClampMSS > 0 || m.StripSACK || m.StripTimestamps || m.StripWindowScale {
		m.rewrite(k.p.Bytes())
	}
	return ""
}

// The kinds of options (RFC 9293 §3.2, RFC 7323, RFC 2018).
const (
	optEnd           = 0
	optNop           = 1
	optMSS           = 2
	optWindowScale   = 3
	optSACKPermitted = 4
	optSACK          = 5
	optTimestamps    = 8
)

func (m *middlebox) strips(kind uint8) bool {
	switch kind {
	case optSACKPermitted, optSACK:
		return m.StripSACK
	case optTimestamps:
		return m.StripTimestamps
	case optWindowScale:
		return m.StripWindowScale
	}
	return false
}

// rewrite changes the options of the segment in a packet.
func (m *middlebox) rewrite(b []byte) {
	var h wire.IPHeader
	if wire.ParseIP(b, &h) != wire.Accepted || h.TotalLen-h.HeaderLen < wire.TCPHeaderMin {
		return
	}
	text := b[h.HeaderLen:h.TotalLen]
	end := int(text[12]>>4) * 4
	if end > len(text) {
		return
	}
	for o := text[wire.TCPHeaderMin:max(end, wire.TCPHeaderMin)]; len(o) > 0 && o[0] != optEnd; {
		if o[0] == optNop {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			break
		}
		kind, size := o[0], int(o[1])
		switch {
		case m.strips(kind):
			for i := range size {
				o[i] = optNop
			}
		case kind == optMSS && size == 4 && m.ClampMSS > 0:
			mss := min(int(binary.BigEndian.Uint16(o[2:])), m.ClampMSS)
			binary.BigEndian.PutUint16(o[2:], uint16(mss))
		}
		o = o[size:]
	}
	text[16], text[17] = 0, 0
	wire.PutTCPChecksum(h.Src, h.Dst, text)
}

// answerReset is the RST that answers a segment (RFC 9293 §3.5.2, group 1), as
// its receiver would send it. All segments but the first have an ACK.
func answerReset(hdr *tcp.SegHeader, f *flow, from trace.Side) tcp.Segment {
	return tcp.Segment{Tuple: f.seenBy(from.Other()), Seq: hdr.Ack, Flags: wire.RST}
}
