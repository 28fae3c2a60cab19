package explore

import (
	"time"
)

// Options bound a search.
type Options struct {
	Depth  int // steps; 0: no bound
	States int // states; 0: 20 million

	// Stop, if not nil, is asked now and then with the number of states found;
	// true ends the search.
	Stop func(states, depth int) bool
}

// Result is what a search found.
type Result struct {
	World    *World
	States   int  // different ones
	Steps    int  // tried: edges of the graph
	Locals   int  // states of an end
	Moves    int  // of an end that the engine was asked for
	Segments int  // different ones
	Depth    int  // steps of the longest way that was looked at
	Full     bool // every state was looked at, and all that can follow
	Crowded  int  // states in which more segments would be in flight than may be: not looked at further
	Figure   Figure
	Wrong    string // what was found; "": nothing
	Sentence string // of the RFC, that it goes against, if it goes against one
	Trail    *Trail // how it comes to that, in the fewest steps
}

// search is a search under way.
type search struct {
	*automaton
	rules  []stateRule
	o      Options
	set    stateSet
	parent []uint32
	action []action
	result Result
	room   int
	from   uint32 // the state that is looked at

	next  []uint32  // where the steps lead, state by state
	first []uint32  // where a state's begin in next
	ends  []uint32  // states that are an end, or whose future was not looked at
	acts  *[]action // if not nil, where the steps that lead to next go
}

// action is a step of the world: what, and to which segment in flight or by
// which end.
type action uint16

const (
	actDeliver action = iota << 8
	actLose
	actDouble // deliver, and leave a double in flight
	actFire
	actStep
	actServe
)

func (a action) what() action { return a &^ 0xff }
func (a action) which() int   { return int(a & 0xff) }

// Explore searches the world.
func Explore(w *World, o Options) Result {
	s := newSearch(w, o)
	s.begin()
	s.run()
	if s.result.Full && s.result.Wrong == "" {
		s.endless()
	}
	r := &s.result
	r.States, r.Locals, r.Moves, r.Segments = len(s.set.states), len(s.locals), len(s.moves), len(s.segments.all)
	r.Figure = s.figure
	return *r
}

func newSearch(w *World, o Options) *search {
	s := &search{automaton: newAutomaton(w), rules: stateRules(), o: o, room: w.InFlight}
	if s.room == 0 {
		s.room = maxFlight
	}
	s.room = min(s.room, maxFlight)
	if s.o.States == 0 {
		s.o.States = 20_000_000
	}
	s.result.World = w
	return s
}

// begin finds the first state.
func (s *search) begin() {
	w := s.w
	first := state{lose: uint8(w.Lose), double: uint8(w.Double), delay: uint8(w.Delay)}
	for end := range 2 {
		m := s.start(end)
		first.local[end] = m.to
		s.send(&first, m.out)
	}
	for _, x := range w.Strays {
		s.send(&first, []uint32{s.segments.intern(x.From, &x.Seg)})
	}
	s.arrive(&first, 0)
	s.next = s.next[:0]
}

// run looks at the states in the order in which they were found.
func (s *search) run() {
	level := uint32(1) // where the next depth begins
	for s.from = 0; int(s.from) < len(s.set.states); s.from++ {
		if s.from == level {
			level = uint32(len(s.set.states))
			s.result.Depth++
			if s.o.Depth > 0 && s.result.Depth >= s.o.Depth {
				return
			}
		}
		if s.from&0xfff == 0 && s.o.Stop != nil && s.o.Stop(len(s.set.states), s.result.Depth) {
			return
		}
		if len(s.set.states) > s.o.States {
			return
		}
		if !s.expand() {
			return
		}
	}
	s.result.Full = true
}

// expand tries every step from a state; false if something wrong was found.
func (s *search) expand() bool {
	st := s.set.states[s.from]
	before := s.result.Steps
	s.first = append(s.first, uint32(len(s.next)))
	ok := s.segmentsOf(&st) && s.timersOf(&st) && s.usersOf(&st)
	if !ok {
		return false
	}
	if s.result.Steps == before {
		s.ends = append(s.ends, s.from)
		if f := s.quiet(&st); !f.none() {
			s.wrong(f, s.from)
			return false
		}
	}
	return true
}

func (s *search) segmentsOf(st *state) bool {
	for i, p := range st.flight[:st.n] {
		if i > 0 && st.flight[i-1] == p {
			continue // the same again
		}
		to := 1 - s.segments.all[p.id()].from
		if s.w.InOrder && s.ahead(st, i) {
			continue
		}
		in := inSegment + p.id()
		next := *st
		next.remove(i)
		if !s.step(next, to, in, actDeliver|action(i)) {
			return false
		}
		if st.lose > 0 {
			next := *st
			next.remove(i)
			next.lose--
			s.result.Steps++
			if !s.arrive(&next, actLose|action(i)) {
				return false
			}
		}
		if st.double > 0 {
			next := *st
			next.double--
			if !s.step(next, to, in, actDouble|action(i)) {
				return false
			}
		}
	}
	return true
}

// ahead reports whether a segment in flight has another one before it that goes
// the same way.
func (s *search) ahead(st *state, i int) bool {
	for _, p := range st.flight[:i] {
		if s.segments.all[p.id()].from == s.segments.all[st.flight[i].id()].from {
			return true
		}
	}
	return false
}

// timersOf lets time pass up to the next time-out.
func (s *search) timersOf(st *state) bool {
	a, b := s.locals[st.local[A]].deadline, s.locals[st.local[B]].deadline
	d := min(a, b)
	if d == never || d > 0 && st.n > 0 && st.delay == 0 {
		return true
	}
	for end, x := range [2]time.Duration{a, b} {
		if x != d {
			continue
		}
		next := *st
		if d > 0 {
			if st.n > 0 {
				next.delay--
			}
			next.age(d, s.w.InOrder)
			in := s.span(d)
			for e := range 2 {
				next.local[e] = s.move(st.local[e], in).to
			}
		}
		if !s.step(next, end, inFire, actFire|action(end)) {
			return false
		}
	}
	return true
}

func (s *search) usersOf(st *state) bool {
	for end := range 2 {
		if !s.step(*st, end, inStep, actStep|action(end)) || !s.step(*st, end, inServe, actServe|action(end)) {
			return false
		}
	}
	return true
}

// step lets an input come to an end of the state next, which is otherwise
// ready.
func (s *search) step(next state, end int, in uint32, act action) bool {
	m := s.move(next.local[end], in)
	if m.no {
		return true
	}
	s.result.Steps++
	to, bad := m.to, m.bad
	next.local[end] = to
	crowded := !s.send(&next, m.out)
	if !bad.none() {
		s.wrongAt(bad, act, &next)
		return false
	}
	if crowded {
		s.result.Crowded++
		s.ends = append(s.ends, s.from)
		return true
	}
	return s.arrive(&next, act)
}

// send puts segments in flight; false if there is no room for all.
func (s *search) send(st *state, out []uint32) bool {
	for _, id := range out {
		if !st.add(newPacket(id, msl), s.room, s.w.InOrder) {
			return false
		}
	}
	return true
}

// arrive takes in a state that a step leads to.
func (s *search) arrive(st *state, act action) bool {
	place, fresh := s.set.add(st)
	s.next = append(s.next, place)
	if s.acts != nil {
		*s.acts = append(*s.acts, act)
	}
	if !fresh {
		return true
	}
	s.parent = append(s.parent, s.from)
	s.action = append(s.action, act)
	if f := s.check(st); !f.none() {
		s.wrong(f, place)
		return false
	}
	return true
}

// wrong ends the search at a state that is known.
func (s *search) wrong(f finding, place uint32) {
	s.result.Wrong, s.result.Sentence = f.why, f.sentence
	s.result.Trail = s.trail(s.way(place))
}

// wrongAt ends the search with a step whose outcome is wrong in itself; what
// comes of it is told, too.
func (s *search) wrongAt(f finding, act action, st *state) {
	if harm := s.check(st); !harm.none() {
		f.why += "; so " + harm.why
	}
	s.set.states = append(s.set.states, *st)
	s.parent = append(s.parent, s.from)
	s.action = append(s.action, act)
	s.wrong(f, uint32(len(s.set.states)-1))
}
