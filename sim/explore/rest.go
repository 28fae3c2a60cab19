package explore

import (
	"fmt"
	"slices"

	"estab/tcp"
)

// The rest: where nothing can happen any more, and that it comes to that.

// quiet says what is wrong with a state in which nothing can happen: a promise
// is open. In order are both ends CLOSED, or in LISTEN, with nothing left of
// the connection and each user told how it ended; or, in a world that may stay,
// both in ESTABLISHED.
func (s *search) quiet(st *state) finding {
	a, b := s.locals[st.local[A]], s.locals[st.local[B]]
	if a.facts.rest != b.facts.rest || a.facts.rest == atWork {
		return finding{why: fmt.Sprintf("nothing can happen any more, and A is in %s, B in %s", a.stateName(s.w), b.stateName(s.w))}
	}
	for _, l := range [2]*local{a, b} {
		if why := l.untold(s.w); why != "" {
			return finding{why: endName(l.end) + ": " + why}
		}
	}
	return finding{}
}

// untold says what an end that rests still owes.
func (l *local) untold(w *World) string {
	if l.facts.rest != resting {
		return ""
	}
	if l.eng != nil {
		if c := l.eng.Counts(); c.Timers+c.Slabs+c.Orphans > 0 {
			return fmt.Sprintf("nothing is left to do, and there are %d timers and %d buffers", c.Timers, c.Slabs)
		}
	}
	for i := range l.user.past {
		t := &l.user.past[i]
		switch {
		case t.state == tcp.StateClosed && !t.closed: // no talk
		case !t.closed || !t.clean && t.err == 0 && !t.aborted && !t.early && !t.shut:
			return "its user was never told how the connection ended"
		case t.clean && !t.early && !t.aborted && !t.eof:
			return "its user was never told that the peer has closed"
		case !w.Resets && !w.GiveUp && !t.clean:
			return "its connection has not ended in order, and nobody has aborted, crashed or gone"
		}
	}
	return ""
}

// endless finds a state from which no state of rest can be reached, whatever
// happens: the ends would be busy for ever. What was not followed counts as
// rest.
func (s *search) endless() {
	n := len(s.set.states)
	// The graph turned round: from where each state is reached.
	start := make([]uint32, n+1)
	for _, to := range s.next {
		start[to+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	from, fill := make([]uint32, len(s.next)), append([]uint32(nil), start[:n]...)
	for i := range n {
		last := uint32(len(s.next))
		if i+1 < len(s.first) {
			last = s.first[i+1]
		}
		for _, to := range s.next[s.first[i]:last] {
			from[fill[to]] = uint32(i)
			fill[to]++
		}
	}
	seen := make([]bool, n)
	todo := s.ends
	for _, i := range todo {
		seen[i] = true
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, j := range from[start[i]:start[i+1]] {
			if !seen[j] {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		f := finding{why: "the ends never come to rest from here on, whatever happens: the last steps can be taken for ever"}
		s.result.Wrong = f.why
		s.result.Trail = s.trail(append(s.way(uint32(i)), s.round(uint32(i))...))
	}
}

// edge is a step from a state, and where it leads.
type edge struct {
	act action
	to  uint32
}

// edges are the steps from a state that was looked at.
func (s *search) edges(place uint32) []edge {
	var acts []action
	st, n, steps := s.set.states[place], len(s.next), s.result.Steps
	s.acts = &acts
	s.segmentsOf(&st)
	s.timersOf(&st)
	s.usersOf(&st)
	var es []edge
	for i, to := range s.next[n:] {
		es = append(es, edge{acts[i], to})
	}
	s.acts, s.next, s.result.Steps = nil, s.next[:n], steps
	return es
}

// round is the shortest way from a state to the nearest one to which a way leads
// back, and once round that.
func (s *search) round(place uint32) []action {
	type hop struct {
		from uint32
		act  action
	}
	// reach is every state that can be reached from one, in the order of the
	// steps that it takes, and how; it stops at the first that is goal.
	reach := func(from, goal uint32) ([]uint32, map[uint32]hop) {
		order, by := []uint32{from}, map[uint32]hop{}
		for k := 0; k < len(order) && k < 10_000; k++ {
			for _, e := range s.edges(order[k]) {
				if _, known := by[e.to]; known {
					continue
				}
				by[e.to] = hop{order[k], e.act}
				if e.to == goal {
					return order, by
				}
				order = append(order, e.to)
			}
		}
		return order, by
	}
	way := func(from, to uint32, by map[uint32]hop) []action {
		acts := []action{by[to].act}
		for to = by[to].from; to != from; to = by[to].from {
			acts = append(acts, by[to].act)
		}
		slices.Reverse(acts)
		return acts
	}
	order, by := reach(place, place)
	for _, x := range order {
		_, back := reach(x, x)
		if _, ok := back[x]; !ok {
			continue
		}
		if x == place {
			return way(x, x, back)
		}
		return append(way(place, x, by), way(x, x, back)...)
	}
	return nil
}

// stateName is the state of an end, and what keeps it there if it is only its
// user.
func (l *local) stateName(w *World) string {
	if l.eng == nil {
		return "no state, its host being down"
	}
	name := l.view.state.String()
	if s, ok := l.user.next(&w.Ends[l.end], l.user.serving); ok && l.facts.rest == atWork && l.view.state <= tcp.StateListen {
		name += " (its user " + opNames[s.Do] + ")"
	}
	return name
}
