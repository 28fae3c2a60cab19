package explore

import (
	"fmt"

	"estab/tcp"
)

// ghost: an end in ESTABLISHED, or beyond, has a peer that has agreed to the
// same two numbers at some time: no old SYN makes a connection.
func ghost(w *World, e, p *local) string {
	x := e.facts.synced
	if x == 0 || w.Brief || p.user.holds(x) {
		return ""
	}
	if w.TwoWay && p.view.state == tcp.StateSynSent && p.view.iss == e.view.irs {
		return "" // with two segments nobody asks before the second arrives
	}
	n := [2]tcp.Num{e.view.iss, e.view.irs}
	if e.end == B {
		n[A], n[B] = n[B], n[A]
	}
	return fmt.Sprintf("%s is in %v with the numbers %d (A's) and %d (B's), and %s has never agreed to them: a ghost",
		endName(e.end), e.view.state, n[A], n[B], endName(p.end))
}

// apart: two ends that both stand have the same two numbers.
func apart(w *World, e, p *local) string {
	if x, y := e.facts.synced, p.facts.synced; x != 0 && y != 0 && x != y {
		return "both ends are in ESTABLISHED or beyond, and with different numbers"
	}
	return ""
}

// peer is the other end's side of a talk, the latest if there are several. An
// end that has only agreed to the numbers has sent, and had, a SYN.
func (t *talk) peer(p *local) (*talk, bool) {
	for g := range min(p.user.gen, maxGens) {
		if x := &p.user.past[(p.user.gen-1-g)%maxGens]; x.pair == t.pair {
			return x, true
		}
	}
	return &talk{nxt: 1, had: 1}, !t.closed && p.user.holds(t.pair)
}

// ask asks f of each talk of e to whose numbers p has agreed, too.
func ask(e, p *local, f func(t, other *talk) string) string {
	for i := range e.user.past {
		t := &e.user.past[i]
		if t.pair == 0 {
			continue
		}
		if other, ok := t.peer(p); ok {
			if why := f(t, other); why != "" {
				return why
			}
		}
	}
	return ""
}

// believed: nothing is acknowledged that was not sent, and nothing counts as
// acknowledged that was not received.
func believed(_ *World, e, p *local) string {
	return ask(e, p, func(t, other *talk) string {
		if t.had > other.nxt {
			return fmt.Sprintf("%s has got %d numbers, and %s has sent %d", endName(e.end), t.had, endName(p.end), other.nxt)
		}
		if t.una > other.had {
			return fmt.Sprintf("%s takes %d numbers for acknowledged, and %s has got %d", endName(e.end), t.una, endName(p.end), other.had)
		}
		return ""
	})
}

// mixed: what is delivered is the beginning of what the peer's user has sent in
// this connection, and not in another.
func mixed(_ *World, e, p *local) string {
	for i := range e.user.past {
		t := &e.user.past[i]
		if t.from == 0 {
			continue
		}
		x := &p.user.past[(t.from-1)%maxGens]
		latest, _ := t.peer(p)
		switch {
		case x.pair != t.pair || latest != x && !t.closed:
			return fmt.Sprintf("%s gets bytes that %s has sent on another connection, its connection %d", endName(e.end), endName(p.end), t.from)
		case t.got > x.sent:
			return fmt.Sprintf("%s gets %d bytes, and %s has sent %d", endName(e.end), t.got, endName(p.end), x.sent)
		}
	}
	return ""
}

// cut: the end of the peer's bytes is told after the last of them, and when the
// peer has closed.
func cut(_ *World, e, p *local) string {
	return ask(e, p, func(t, other *talk) string {
		if t.eof && (!other.shut || t.got != other.sent) || t.fin && (!other.shut || t.had != other.nxt) {
			return fmt.Sprintf("%s is told the end after %d bytes; %s has sent %d, and closed: %v", endName(e.end), t.got, endName(p.end), other.sent, other.shut)
		}
		return ""
	})
}

// misled: an end that has closed in order has got everything, and so has its
// peer.
func misled(_ *World, e, p *local) string {
	return ask(e, p, func(t, other *talk) string {
		switch {
		case !t.clean:
		case !t.fin || t.had != other.nxt:
			return fmt.Sprintf("%s has closed in order, and has not had the FIN of %s", endName(e.end), endName(p.end))
		case !other.fin || other.had != t.nxt:
			return fmt.Sprintf("%s has closed in order, and %s has not had its FIN", endName(e.end), endName(p.end))
		}
		return ""
	})
}

// broke: a connection ends in order, unless somebody aborts, crashes or is gone.
func broke(w *World, e, p *local) string {
	t := e.user.now()
	if t == nil {
		return ""
	}
	switch {
	case (t.err == tcp.ErrReset || t.err == tcp.ErrRefused) && !w.Resets:
		return fmt.Sprintf("%s: %v, and nobody has aborted, crashed or gone", endName(e.end), t.err)
	case t.err == tcp.ErrTimeout && !w.GiveUp:
		return fmt.Sprintf("%s: %v, and nobody has crashed or gone", endName(e.end), t.err)
	case t.err != 0 && t.err != tcp.ErrAborted && t.err != tcp.ErrReset && t.err != tcp.ErrRefused && t.err != tcp.ErrTimeout:
		return fmt.Sprintf("%s: %v", endName(e.end), t.err)
	}
	return ""
}
