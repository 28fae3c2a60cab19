package inet

import (
	"encoding/binary"
	"slices"

	"estab/internal/wire"
	"estab/tcp"
)

// Clone copies the stack and the engine in it: the same input makes both say
// the same. The copy's events go nowhere, until SetEvents of its engine
// says where to.
func (s *Stack) Clone() *Stack {
	c := &Stack{
		cfg: s.cfg, tcp: s.tcp.Clone(), now: s.now,
		links: slices.Clone(s.links), addrs: s.addrs.clone(), routes: slices.Clone(s.routes),
		pmtu: s.pmtu.clone(), echo: s.echo, echoes: s.echoes.clone(),
		labelKey: s.labelKey, counters: s.counters,
	}
	c.emit.s = c
	c.pool = c.tcp.Pool()
	c.tcp.SetPaths(c)
	c.tcp.SetEvents(nil)
	return c
}

func (q *echoQueue) clone() echoQueue {
	c := *q
	for i := range c.ring {
		if p := c.ring[i].slab; p != nil {
			c.ring[i].slab = p.Clone()
		}
	}
	return c
}

// AppendState appends a canonical dump of what the stack holds and, after it,
// of what the engine holds: two stacks of the same configuration that will
// behave alike have the same. Times are relative to now; counters are not
// part of it.
func (s *Stack) AppendState(b []byte, now tcp.Time) []byte {
	paths := s.pmtu.live(now)
	b = binary.BigEndian.AppendUint32(b, uint32(len(paths)))
	for _, p := range paths {
		b = appendAddr(b, p.dst)
		b = binary.BigEndian.AppendUint32(b, uint32(p.mtu))
		b = binary.BigEndian.AppendUint64(b, uint64(p.expires.Sub(now)))
	}
	b = binary.BigEndian.AppendUint64(b, uint64(max(s.echo.full.Sub(now), 0)))
	b = binary.BigEndian.AppendUint32(b, uint32(s.echoes.n))
	for i := range s.echoes.n {
		r := &s.echoes.ring[(s.echoes.head+i)%len(s.echoes.ring)]
		b = appendAddr(appendAddr(b, r.ip.Src), r.ip.Dst)
		b = binary.BigEndian.AppendUint32(b, uint32(r.ip.TOS)<<24|uint32(r.slab.Len()))
		b = append(b, r.slab.Bytes()...)
	}
	return s.tcp.AppendState(b, now)
}

func appendAddr(b []byte, a wire.Addr) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, a.Hi), a.Lo)
}
