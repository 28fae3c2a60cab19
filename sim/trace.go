package sim

import (
	"estab/internal/netem"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// Trace is the packet as a ladder shows it, from being the side of its sender;
// false if it is not TCP. Of a packet that is held back, the first showing is
// one that is lost.
func (p *Packet) Trace(from trace.Side) (trace.Packet, bool) {
	var h wire.IPHeader
	var seg wire.Segment
	if wire.ParseIP(p.Data, &h) != wire.Accepted || h.Proto != wire.ProtoTCP ||
		wire.ParseTCP(p.Data[h.HeaderLen:h.TotalLen], &seg) != wire.Accepted {
		return trace.Packet{}, false
	}
	t := trace.Packet{From: from, Time: p.Time, Seg: trace.Header(&seg)}
	arrive := func(f *netem.Passage) {
		if f.Drop == netem.NotDropped {
			t.Arrive[t.Copies] = max(tcp.Time(f.At), p.Time)
			t.Copies++
			t.Corrupt = t.Corrupt || f.Corrupt
			t.Overtook = t.Overtook || f.Reordered
		}
	}
	if p.Held && p.Fate.At == 0 {
		return t, true
	}
	arrive(&p.Fate.Passage)
	if p.Fate.Duplicated {
		arrive(&p.Fate.Copy)
	}
	return t, true
}
