package lab

import (
	"cmp"
	"slices"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// What a world is, for those who tell of it.

// Quiet reports whether too much happens at B to be told event by event.
func (p *Play) Quiet() bool { return p.stage.def.Quiet }

// Watch is the client's port of the only connection told of; 0: all are.
func (p *Play) Watch() uint16 { return p.stage.def.Watch }

// TwoWay reports whether two segments make a connection for B.
func (p *Play) TwoWay() bool { return p.stage.shimmed }

// Heads are both hosts and their states at the beginning.
func (p *Play) Heads() [2]trace.End { return p.heads() }

// Where is the host at which a sentence's moment is, -1 if it is at none, and
// the segment that it is about, as faults name it; "" if about none.
func (x *Told) Where() (host int, segment string) {
	if !x.aimed() {
		return -1, ""
	}
	return x.host, x.segment
}

// Aside is something at one host that is neither a segment nor a state.
type Aside struct {
	At   time.Duration
	Host int    // -1: the path
	Kind string // timer, ended, cwnd, note
	Text Text

	Order int // of two that are at the same time the smaller was first
}

// Asides are what the hosts and the script tell besides.
func (p *Play) Asides() (all []Aside) {
	for _, n := range p.Notes {
		if n.Host <= B {
			all = append(all, Aside{p.At(n.At), n.Host, "note", Phrase(n.Text), n.order})
		}
	}
	events := p.merged()
	for i, e := range events {
		if !p.pictured() || !p.watched(e.Tuple, e.host) {
			continue
		}
		x := Aside{At: p.At(e.Time), Host: e.host, Order: e.order}
		switch {
		case e.Kind == tcp.EventTimer && e.Timer != tcp.TimerDelayedAck:
			x.Kind, x.Text = "timer", Phrase(trace.TimerText(e.Timer))
			if e.endedBy(events[i:]) {
				x.Text = Phrase(trace.GaveUpText(e.Timer))
			}
		case e.Kind == tcp.EventClosed && e.Err != 0:
			x.Kind, x.Text = "ended", Phrase(e.Err.Error())
		case e.Kind == tcp.EventCwnd && e.Why != tcp.WhyNone:
			x.Kind, x.Text = "cwnd", Phrase(trace.WhyText(e.Why))
		default:
			continue
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(a, b Aside) int { return cmp.Compare(a.Order, b.Order) })
	return all
}

// endedBy reports whether a connection ended with a timer's event; after are
// the events from it on.
func (e *hostEvent) endedBy(after []hostEvent) bool {
	for _, x := range after {
		if x.Time != e.Time {
			break
		}
		if x.host == e.host && x.Tuple == e.Tuple && x.Kind == tcp.EventState && !x.HasSeg && (x.To == tcp.StateClosed || x.To == tcp.StateListen) {
			return true
		}
	}
	return false
}

// TimerName names a timer of a TCB.
func TimerName(k tcp.TimerKind) Text {
	switch k {
	case tcp.TimerRetransmit:
		return t("retransmission", "超时重传")
	case tcp.TimerPersist:
		return t("persist", "持续（零窗口探测）")
	case tcp.TimerDelayedAck:
		return t("delayed ACK", "推迟确认")
	case tcp.TimerKeepAlive:
		return t("keep-alive", "保活")
	case tcp.TimerUser:
		return t("user time-out", "用户超时")
	}
	return same(k.String())
}
