package soak

import (
	"cmp"
	"io"
	"slices"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// allEvents is how many events of each host a replay keeps.
const allEvents = 1 << 17

// WriteLadder plays the world again and draws the last segments of its n-th
// connection.
func (s *Spec) WriteLadder(w io.Writer, o *Options, n, last int) error {
	r := play(s, o, allEvents)
	t := &r.talks[n]
	events := r.events(t)
	segments := 0
	for _, e := range events {
		if e.Kind == tcp.EventOut {
			segments++
		}
	}
	b := trace.NewBuilder(
		trace.End{Name: "client", Addr: t.flow.LocalAddrPort().String()},
		trace.End{Name: "server", Addr: t.flow.RemoteAddrPort().String()}, tcp.Tuple{})
	b.Keep(last, last)
	for _, e := range events {
		if segments <= last {
			b.Event(e.side, e.Event)
		}
		if e.Kind == tcp.EventOut {
			segments--
		}
	}
	return b.Ladder().Write(w, trace.Style{Numbers: trace.Relative})
}

// sided is an event and the end at which it happened.
type sided struct {
	tcp.Event
	side trace.Side
}

// events are those of both ends of a connection, in the order of time.
func (r *run) events(t *talk) []sided {
	var all []sided
	for side, ring := range r.rings {
		flow := t.flow
		if side == Server {
			flow = flow.Swap()
		}
		for e, ok := ring.Next(); ok; e, ok = ring.Next() {
			if e.Tuple == flow {
				tidy(&e.Seg.Options)
				all = append(all, sided{e, trace.Side(side)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b sided) int { return cmp.Compare(a.Time, b.Time) })
	return all
}

// tidy clears what the options don't have, so that the two events about a
// segment, at its sender and at its receiver, are told to be about the same.
func tidy(o *wire.Options) {
	was := *o
	*o = wire.Options{Set: was.Set}
	if was.Has(wire.OptMSS) {
		o.MSS = was.MSS
	}
	if was.Has(wire.OptWindowScale) {
		o.WindowScale = was.WindowScale
	}
	if was.Has(wire.OptTimestamps) {
		o.TSVal, o.TSEcr = was.TSVal, was.TSEcr
	}
	if was.Has(wire.OptSACK) {
		o.NSACK = was.NSACK
		copy(o.SACK[:], was.SACK[:min(int(was.NSACK), len(was.SACK))])
	}
}
