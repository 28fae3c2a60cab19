package lab

import (
	"cmp"
	"math"
	"slices"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// Ladder is the conversation of A and B, with the story between its rows.
func (r *Run) Ladder(p *Play, lang Lang) *trace.Ladder {
	l := r.ladder(p)
	p.caption(l, lang)
	p.end(l, lang)
	return l
}

// ladder is the ladder without the story.
func (r *Run) ladder(p *Play) *trace.Ladder {
	l := r.raw(p, orElse(r.Scenario.Keep, 4), orElse(r.Scenario.Tail, 2))
	l.Letters()
	since := l.Began.Sub(p.start) // times count from the beginning of the world
	for i := range l.Rows {
		l.Rows[i].Time += since
		if l.Rows[i].Arrive > 0 {
			l.Rows[i].Arrive += since
		}
	}
	l.Began = p.start
	return l
}

// raw is the ladder with so many segments of a run of data before and after
// each fold; its times count from its first row.
func (r *Run) raw(p *Play, keep, tail int) *trace.Ladder {
	ends := p.heads()
	if !p.pictured() {
		return &trace.Ladder{Ends: ends, Began: p.start}
	}
	b := trace.NewBuilder(ends[A], ends[B], tcp.Tuple{})
	b.Keep(keep, tail)
	p.build(b)
	return b.Ladder()
}

// heads are both hosts and their states at the beginning.
func (p *Play) heads() (ends [2]trace.End) {
	for i := range ends {
		a := p.stage.actors[i]
		ends[i] = trace.End{Name: a.host.Name, Addr: a.host.Addrs[0].String(), State: tcp.StateClosed.String()}
		if p.listensAtOnce(i) {
			ends[i].State = tcp.StateListen.String()
		}
	}
	return ends
}

// pictured reports whether the world has a ladder.
func (p *Play) pictured() bool { return !p.stage.def.Quiet || p.stage.def.Watch != 0 }

// Pictured reports whether there is anything to tell of a world beside its
// figures.
func (r *Run) Pictured(p *Play) bool { return p.pictured() || len(p.Story) > 0 }

// build tells a builder what happened.
func (p *Play) build(b *trace.Builder) {
	for _, n := range p.Notes {
		switch {
		case n.Host != A && n.Host != B:
		case p.later(n):
			b.NoteAfter(trace.Side(n.Host), n.At, n.Text)
		default:
			b.Note(trace.Side(n.Host), n.At, n.Text)
		}
	}
	b.Exact()
	var own [2][]Change
	for host := range own {
		own[host] = p.ownChanges(host)
	}
	routed := p.routed()
	arrivals := p.arrivals()
	for _, e := range p.merged() {
		for host := range own {
			own[host] = p.buildOwn(b, host, own[host], e.order)
		}
		if !p.watched(e.Tuple, e.host) {
			continue
		}
		switch e.Kind {
		case tcp.EventBlocked: // its timer tells the same
		case tcp.EventOut, tcp.EventIn, tcp.EventDrop:
			if routed {
				b.Event(trace.Side(e.host), e.Event)
			}
		default:
			b.Event(trace.Side(e.host), e.Event)
		}
	}
	for host := range own {
		p.buildOwn(b, host, own[host], math.MaxInt)
	}
	for i := range p.Packets {
		k := p.Packets[i].Packet
		if routed || !p.watched(p.Packets[i].Tuple, A) {
			continue
		}
		came := arrivals.of(&p.Packets[i])
		k.Dropped, k.DoubleDropped = came[0].reason, came[1].reason
		if k.Corrupt {
			k.Dropped = wire.Accepted // it is told as damaged
		}
		b.Packet(k)
	}
}

// ownChanges are the states of a host that no engine tells of: it listens, or
// is down.
func (p *Play) ownChanges(host int) (own []Change) {
	for _, c := range p.Changes(host, nil) {
		if c.Port == 0 || c.Why.EN == crashText {
			own = append(own, c)
		}
	}
	return own
}

// buildOwn tells a builder of those that come before something, and returns the
// others.
func (p *Play) buildOwn(b *trace.Builder, host int, own []Change, before int) []Change {
	for ; len(own) > 0 && own[0].Order < before; own = own[1:] {
		to := tcp.StateClosed
		if own[0].To == tcp.StateListen.String() {
			to = tcp.StateListen
		}
		b.Event(trace.Side(host), tcp.Event{Kind: tcp.EventState, Time: p.start.Add(own[0].At), From: tcp.StateClosed, To: to})
	}
	return own
}

// later reports whether something else happened at the host at the time of a
// note, and before it.
func (p *Play) later(n Note) bool {
	for i, e := range p.Events[n.Host] {
		if e.Time == n.At && p.orders[n.Host][i] < n.order {
			return true
		}
	}
	return false
}

// routed reports whether there are routers on the way: then the hosts know
// better than the paths what came and when.
func (p *Play) routed() bool { return p.stage.PathB != p.stage.Path }

// watched reports whether a pair of sockets, as a host sees it, is told of.
func (p *Play) watched(t tcp.Tuple, host int) bool {
	if host == B {
		t = t.Swap()
	}
	w := p.stage.def.Watch
	return t.Local == p.stage.tupleOf(0).Local && (w == 0 || t.LocalPort == w)
}

// hostEvent is an event and whose it is.
type hostEvent struct {
	tcp.Event
	host  int
	order int
}

// merged are the events of A and B in the order of their times.
func (p *Play) merged() []hostEvent {
	var all []hostEvent
	for host := A; host <= B; host++ {
		for i, e := range p.Events[host] {
			all = append(all, hostEvent{e, host, p.orders[host][i]})
		}
	}
	slices.SortStableFunc(all, func(x, y hostEvent) int { return cmp.Compare(x.Time, y.Time) })
	return all
}
