package lab

import (
	"cmp"
	"slices"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// Change is a state that a host entered.
type Change struct {
	At       time.Duration
	Port     uint16 // the client's; 0: the host as a whole
	From, To string
	Why      Text
	Cause    int // the segment that caused it, as an index; -1: none
	Order    int // as an Aside's
}

// Changes are the states that a host's connections went through; that it
// listens, if it didn't from the beginning; and that a crash ended all.
func (p *Play) Changes(host int, segments []Segment) (all []Change) {
	if !p.pictured() {
		return nil
	}
	f := following{play: p, host: host, segments: segments, state: map[uint16]string{}, listening: p.listensAtOnce(host)}
	type item struct {
		order int
		do    func()
	}
	var items []item
	for _, c := range p.history(host) {
		if p.watched(c.event.Tuple, host) {
			items = append(items, item{c.order, func() { f.event(c) }})
		}
	}
	for _, c := range p.Calls[host] {
		if c.Do == "listen" && c.Err == 0 && c.At > p.start {
			items = append(items, item{c.order, func() { f.listens(c) }})
		}
	}
	for _, n := range p.Notes {
		if n.Host == host && n.Text == crashText {
			items = append(items, item{n.order, func() { f.crash(n) }})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.order, b.order) })
	for _, x := range items {
		x.do()
	}
	return f.all
}

// listensAtOnce reports whether a host listens from the beginning.
func (p *Play) listensAtOnce(host int) bool {
	return slices.ContainsFunc(p.Calls[host], func(c Call) bool { return c.Do == "listen" && c.Err == 0 && c.At == p.start })
}

// following follows the states of a host.
type following struct {
	play      *Play
	host      int
	segments  []Segment
	state     map[uint16]string // of connections, by the client's port
	listening bool
	all       []Change
}

func (f *following) add(c Change) {
	if c.Port != 0 {
		f.state[c.Port] = c.To
	}
	f.all = append(f.all, c)
}

func (f *following) event(c change) {
	e, t := c.event, c.event.Tuple
	if f.host == B {
		t = t.Swap()
	}
	from := f.state[t.LocalPort]
	if from == "" || from == tcp.StateClosed.String() || from == tcp.StateListen.String() {
		from = e.From.String()
	}
	x := Change{At: f.play.At(c.at), Port: t.LocalPort, From: from, To: e.To.String(), Cause: -1, Order: c.order}
	if e.HasSeg {
		x.Cause = f.cause(c)
	}
	x.Why = f.play.why(f.host, from, &e)
	f.add(x)
}

// cause is the segment whose arrival was the last before a change; -1: none.
func (f *following) cause(c change) int {
	best, at := -1, -1.0
	for i := range f.segments {
		s := &f.segments[i]
		if int(s.From) == f.host || s.Seg != c.event.Seg {
			continue
		}
		for k := range s.Copies {
			if s.Arrive[k] == c.at && !s.Damaged[k] && s.Orders[k] <= float64(c.order) && s.Orders[k] > at {
				best, at = i, s.Orders[k]
			}
		}
	}
	return best
}

func (f *following) listens(c Call) {
	f.listening = true
	f.add(Change{At: f.play.At(c.At), From: tcp.StateClosed.String(), To: tcp.StateListen.String(), Why: t("its program listens", "应用程序开始监听"), Cause: -1, Order: c.order})
}

// crash ends everything, without a word to anybody.
func (f *following) crash(n Note) {
	closed := tcp.StateClosed.String()
	x := Change{At: f.play.At(n.At), To: closed, Why: Phrase(n.Text), Cause: -1, Order: n.order}
	for _, port := range f.play.portsUsed() {
		if was := f.state[port]; was != "" && was != closed && was != tcp.StateListen.String() {
			x.Port, x.From = port, was
			f.add(x)
		}
	}
	if f.listening {
		x.Port, x.From = 0, tcp.StateListen.String()
		f.add(x)
	}
	f.listening = false
}

// why says what made a state change.
func (p *Play) why(host int, from string, e *tcp.Event) Text {
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
	if from == tcp.StateTimeWait.String() {
		return t("2 MSL are over", "2MSL 已过")
	}
	for _, x := range p.Events[host] {
		if x.Kind == tcp.EventClosed && x.Time == e.Time && x.Tuple == e.Tuple && x.Err != 0 {
			return Phrase(x.Err.Error())
		}
	}
	return t("its program gives the connection up", "应用程序放弃连接")
}
