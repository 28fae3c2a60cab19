package explore

import (
	"fmt"

	"estab/internal/wire"
	"estab/tcp"
)

// shrinks: what was offered stays offered.
func shrinks(d *doing) string {
	if d.shrunk && !d.after.finGot {
		return "it takes back a part of the window that it has offered"
	}
	return ""
}

// windowUpdate: the window is the one that the newest segment has offered. Of
// those that come out of order, that is one that acknowledges something new,
// too: "A refinement … is to act on the window information from segments that
// carry the highest acknowledgment number" (§3.8.6).
func windowUpdate(d *doing) string {
	b, v, g := d.before, d.after, d.seg
	if !d.good() || v.record || !v.same(b) {
		return ""
	}
	newer := b.acks(g) || b.una.LessEq(g.Ack) && (b.wl1.Less(g.Seq) || b.wl1 == g.Seq && b.wl2.LessEq(g.Ack))
	switch {
	case newer && v.sndWND != uint32(g.Wnd):
		return fmt.Sprintf("a newer segment offers a window of %d, and it keeps to %d", g.Wnd, v.sndWND)
	case !newer && v.sndWND != b.sndWND:
		return fmt.Sprintf("an old segment makes its window %d; it was %d", v.sndWND, b.sndWND)
	}
	return ""
}

// beyondWindow: nothing goes beyond what the peer has offered, but for one
// number that probes a window of zero.
func beyondWindow(d *doing) string {
	b, v := d.before, d.after
	if !v.same(b) || v.pair == 0 || v.record || b.record || b.pair == 0 || v.nxt == b.nxt {
		return ""
	}
	edge := v.una + tcp.Num(v.sndWND)
	if e := b.una + tcp.Num(b.sndWND); edge.Less(e) {
		edge = e
	}
	if v.sndWND == 0 && d.by == byTimer {
		edge++
	}
	if edge.Less(v.nxt) {
		return fmt.Sprintf("it sends up to %d, and its peer has allowed for %d", v.nxt, edge)
	}
	return ""
}

// overcommits: no more is offered than there is room for.
func overcommits(d *doing) string {
	v := d.after
	if v.record || v.pair == 0 || v.finGot {
		return ""
	}
	if room := d.w.connConfig(d.end).ReceiveBuffer; int(v.edge.Diff(v.rcvNXT))+v.unread > room {
		return fmt.Sprintf("%d bytes wait to be read and %d are offered room, and there is room for %d", v.unread, v.edge.Diff(v.rcvNXT), room)
	}
	return ""
}

// beyondOffer: nothing is taken beyond what was offered.
func beyondOffer(d *doing) string {
	b, v := d.before, d.after
	if !v.same(b) || b.pair == 0 || v.pair == 0 || v.record || v.rcvNXT.LessEq(b.edge) {
		return ""
	}
	return fmt.Sprintf("it takes numbers up to %d, and has offered a window up to %d", v.rcvNXT, b.edge)
}

// owes reports whether the end has something to send that it has not sent yet.
func (d *doing) owes() bool {
	v, t := d.after, d.talk()
	return v.synchronised() && !v.record && (v.unsent > 0 || t != nil && t.shut && !v.finSent)
}

// unprobed: an end that has something to send and may not has a timer.
func unprobed(d *doing) string {
	if v := d.after; d.owes() && v.una == v.nxt && !v.retries && !v.persist {
		return fmt.Sprintf("something is left to be sent, the window is %d, and no timer runs", v.sndWND)
	}
	return ""
}

// zeroWindow: even with no window the peer is told. (A SYN is challenged:
// synChallenged.)
func zeroWindow(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || !b.synchronised() || b.rcvWND > 0 || g.Len() == 0 || g.Flags.Any(wire.RST|wire.SYN) || d.acksWith(d.after.rcvNXT) || !d.after.same(b) {
		return ""
	}
	return "its window is zero, and it does not answer"
}

// unrepeated: what was sent and may be lost has a timer.
func unrepeated(d *doing) string {
	v := d.after
	switch {
	case v.state <= tcp.StateListen:
	case v.record && d.is.deadline == never:
		return fmt.Sprintf("in %v, and no timer runs", v.state)
	case !v.record && v.una != v.nxt && !v.retries && !v.persist:
		return fmt.Sprintf("%d to %d is not acknowledged, and no timer runs", v.una, v.nxt)
	}
	return ""
}
