package lab

import (
	"estab/internal/wire"
	"estab/tcp"
)

// arrival is what became of a segment that reached a host.
type arrival struct {
	step   int
	order  int         // of the first event that tells of it; 0: none does
	reason wire.Reason // why it was thrown away, if it was
}

// arrivalKey finds arrivals; several may look the same.
type arrivalKey struct {
	host int
	at   tcp.Time
	seg  tcp.SegHeader
}

// arrivals are those that events tell of, in order; of takes them out.
type arrivals map[arrivalKey][]arrival

func (p *Play) arrivals() arrivals {
	all := arrivals{}
	for host := A; host <= B; host++ {
		for i, e := range p.Events[host] {
			if !e.HasSeg || e.Kind != tcp.EventIn && e.Kind != tcp.EventDrop && e.Kind != tcp.EventState || !p.watched(e.Tuple, host) {
				continue
			}
			k := arrivalKey{host, e.Time, e.Seg}
			n := len(all[k])
			if n == 0 || all[k][n-1].step != p.steps[host][i] {
				all[k] = append(all[k], arrival{step: p.steps[host][i], order: p.orders[host][i]})
				n++
			}
			if e.Kind == tcp.EventDrop {
				all[k][n-1].reason = e.Reason
			}
		}
	}
	return all
}

// of is what became of a packet and of its double. A damaged one is thrown away
// before anything is told of it.
func (a arrivals) of(p *Packet) (came [2]arrival) {
	for c := range p.Copies {
		if p.Damaged[c] {
			came[c].reason = wire.DropTCPChecksum
			continue
		}
		k := arrivalKey{int(p.From.Other()), p.Arrive[c], p.Seg}
		if n := a[k]; len(n) > 0 {
			came[c], a[k] = n[0], n[1:]
		}
	}
	return came
}
