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

// Change is a state that a host entered.
type Change struct {
	At       time.Duration
	Port     uint16 // the client's
	From, To string
	Why      Text
	Cause    int // the segment that caused it, as an index; -1: none
	Order    int // as an Aside's
}

// Changes are the states that a host's connections went through.
func (p *Play) Changes(host int, segments []Segment) (all []Change) {
	last := map[tcp.Tuple]tcp.State{}
	for _, c := range p.history(host) {
		e := c.event
		if !p.pictured() || !p.watched(e.Tuple, host) {
			continue
		}
		from, again := last[e.Tuple]
		if !again || from == tcp.StateClosed || from == tcp.StateListen {
			from = e.From
		}
		last[e.Tuple] = e.To
		t := e.Tuple
		if host == B {
			t = t.Swap()
		}
		x := Change{At: p.At(c.at), Port: t.LocalPort, From: from.String(), To: e.To.String(), Cause: -1, Order: c.order}
		if e.HasSeg {
			x.Cause = slices.IndexFunc(segments, func(s Segment) bool {
				return int(s.From) != host && s.Seg == e.Seg && slices.Contains(s.Arrive[:s.Copies], c.at)
			})
		}
		x.Why = p.why(host, from, &e)
		all = append(all, x)
	}
	return all
}

// why says what made a state change.
func (p *Play) why(host int, from tcp.State, e *tcp.Event) Text {
	if e.HasSeg {
		f := trace.FlagNames(e.Seg.Flags)
		return Text{f + " arrived", "收到 " + f}
	}
	switch e.To {
	case tcp.StateSynSent:
		return t("its program connects", "应用程序发起连接")
	case tcp.StateFinWait1, tcp.StateLastAck:
		return t("its program closes", "应用程序关闭连接")
	case tcp.StateListen:
		return t("no answer to its SYN,ACK: it gave up", "SYN,ACK 一直没有回音：放弃")
	}
	if from == tcp.StateTimeWait {
		return t("2 MSL are over", "2MSL 已过")
	}
	for _, x := range p.Events[host] {
		if x.Kind == tcp.EventClosed && x.Time == e.Time && x.Tuple == e.Tuple && x.Err != 0 {
			return Phrase(x.Err.Error())
		}
	}
	return t("its program gives the connection up", "应用程序放弃连接")
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
