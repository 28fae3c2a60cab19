package explore

import (
	"fmt"

	"estab/tcp"
)

// check says what is wrong with a state, or "". (What is wrong with a step of
// one end alone the actor has found: transitions that the RFC does not have,
// bytes that were not sent so, an engine that contradicts itself.)
func (s *search) check(st *state) string {
	for x := range 2 {
		me, peer := s.locals[st.local[x]], s.locals[st.local[1-x]]
		if me.user.gen == 0 {
			continue
		}
		if why := s.checkNumbers(me, peer, x); why != "" {
			return why
		}
		t := me.user.now()
		if why := s.checkBytes(t, peer, x); why != "" {
			return why
		}
		if why := s.checkEnd(t, peer, x); why != "" {
			return why
		}
	}
	return ""
}

// checkNumbers: who is in ESTABLISHED or beyond has agreed with the other end
// on both initial sequence numbers. §3.4: "For a connection to be established
// or initialized, the two peers must synchronize on each other's initial
// sequence numbers." §3.5: "The principal reason for the three-way handshake
// is to prevent old duplicate connection initiations from causing confusion."
func (s *search) checkNumbers(me, peer *local, x int) string {
	p := me.facts.synced
	if p == 0 || peer.user.holds(p) || s.w.Brief {
		return ""
	}
	n := s.pairs.all[p-1]
	if s.w.TwoWay && peer.opening() && peer.num.last().iss == n[1-x] {
		return "" // with two segments nobody asks before the second arrives
	}
	return fmt.Sprintf("%s is in %v with the numbers %d (A's) and %d (B's), and %s has never agreed to them: a ghost",
		endName(x), me.user.now().state, n[A], n[B], endName(1-x))
}

// opening reports whether the end is in SYN-SENT.
func (l *local) opening() bool {
	t := l.user.now()
	return t != nil && !t.closed && t.state == tcp.StateSynSent
}

// checkBytes: what was delivered is a beginning of what the other end sent on
// this connection, and where the end of the stream was told, it is all of it.
func (s *search) checkBytes(t *talk, peer *local, x int) string {
	if t.pair == 0 || t.from == 0 && !t.eof {
		return ""
	}
	for i := range peer.user.past {
		y := &peer.user.past[i]
		if y.pair != t.pair {
			if y.pair != 0 && t.from > 0 && peer.user.talkOf(t.from) == y {
				return fmt.Sprintf("%s gets bytes that %s sent on another connection", endName(x), endName(1-x))
			}
			continue
		}
		switch {
		case t.got > y.sent:
			return fmt.Sprintf("%s gets more bytes than %s sent", endName(x), endName(1-x))
		case t.eof && (!y.shut || t.got != y.sent):
			return fmt.Sprintf("%s is told the end after %d bytes; %s has sent %d, and closed: %v",
				endName(x), t.got, endName(1-x), y.sent, y.shut)
		}
		return ""
	}
	return ""
}

// talkOf is an end's g-th connection, if it is remembered.
func (u *user) talkOf(g uint8) *talk {
	if g == 0 || g > u.gen || u.gen-g >= maxGens {
		return nil
	}
	return &u.past[(g-1)%maxGens]
}

// checkEnd: who has closed in order has had the peer's FIN, and the peer has
// had its own (§3.6); and no connection ends with an error unless the world
// has a reason for one.
func (s *search) checkEnd(t *talk, peer *local, x int) string {
	if t.clean && !t.early && !t.aborted {
		if !t.eof {
			return fmt.Sprintf("%s has closed in order, without the FIN of %s", endName(x), endName(1-x))
		}
		for i := range peer.user.past {
			y := &peer.user.past[i]
			if y.pair == t.pair && t.pair != 0 && !y.eof && !y.early && !y.aborted && y.err == 0 {
				return fmt.Sprintf("%s has closed in order, and %s has not had its FIN", endName(x), endName(1-x))
			}
		}
	}
	switch t.err {
	case tcp.ErrReset, tcp.ErrRefused:
		if !s.w.Resets {
			return fmt.Sprintf("%s: %v, and nobody has aborted, crashed or gone", endName(x), t.err)
		}
	case tcp.ErrTimeout:
		if !s.w.GiveUp {
			return fmt.Sprintf("%s: %v, with so little lost", endName(x), t.err)
		}
	}
	return ""
}

// quiet says what is wrong with a state from which nothing can happen, or "".
// Nobody may wait for what will never come: both ends are in CLOSED or LISTEN,
// or, where the world may end so, both in ESTABLISHED.
func (s *search) quiet(st *state) string {
	a, b := s.locals[st.local[A]], s.locals[st.local[B]]
	if a.facts.rest == b.facts.rest && a.facts.rest != atWork {
		return ""
	}
	return fmt.Sprintf("nothing can happen any more, and A is in %v, B in %v", a.stateName(s.w), b.stateName(s.w))
}

// endless looks for a state from which no way leads to an end: two ends that
// answer each other for ever, say. The search must be complete.
func (s *search) endless() {
	n := len(s.set.states)
	s.first = append(s.first, uint32(len(s.next)))
	// The graph turned round: who leads to a state stands in back from
	// start[state] on.
	start := make([]uint32, n+1)
	for _, to := range s.next {
		start[to+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	back, fill := make([]uint32, len(s.next)), make([]uint32, n)
	for from := range n {
		for _, to := range s.next[s.first[from]:s.first[from+1]] {
			back[start[to]+fill[to]] = uint32(from)
			fill[to]++
		}
	}
	good := make([]bool, n)
	queue := s.ends
	for _, e := range queue {
		good[e] = true
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, p := range back[start[queue[0]]:start[queue[0]+1]] {
			if !good[p] {
				good[p] = true
				queue = append(queue, p)
			}
		}
	}
	for i, ok := range good {
		if !ok {
			s.wrong("whatever happens from here on, it never comes to an end", uint32(i))
			return
		}
	}
}

// stateName is the state that an end is in, in the RFC's words.
func (l *local) stateName(w *World) string {
	if l.eng == nil {
		return "down"
	}
	name := "CLOSED"
	l.eng.States(func(_ tcp.Tuple, s tcp.State) bool {
		if name = s.String(); s == tcp.StateListen {
			return true // perhaps there is something more than that
		}
		return false
	})
	if l.facts.rest == atWork && (name == "CLOSED" || name == "LISTEN") {
		if s, ok := l.user.next(&w.Ends[l.end], l.user.serving); ok {
			name += " (its user " + opNames[s.Do] + ")"
		}
	}
	return name
}
