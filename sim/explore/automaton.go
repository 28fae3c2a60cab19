package explore

import (
	"time"
)

// automaton is the local states found so far, and what inputs do to them.
type automaton struct {
	w        *World
	actor    *actor
	segments segments
	pairs    pairs
	figure   Figure

	locals []*local
	byKey  map[string]uint32
	moves  []move
	memo   memo
	spans  []time.Duration // times that were let pass, for memo keys
	key    []byte

	twins map[uint32][]*local // if not nil, some that were taken for the same as another
}

// maxTwins is how many of each are kept.
const maxTwins = 2

// move is what an input does to a local state.
type move struct {
	to  uint32
	out []uint32 // segments that leave
	bad finding  // what is wrong with it
	no  bool     // it can't be done
}

// The inputs of a local state, as numbers: a segment's own number beyond the
// others.
const (
	inFire    uint32    = iota // timers go off
	inStep                     // a step of Program
	inServe                    // a step of Serve
	inSpan                     // inSpan+k: time spans[k] passes
	inSegment = 1 << 24        // inSegment+k: segment k arrives
)

func newAutomaton(w *World) *automaton {
	m := &automaton{w: w, byKey: map[string]uint32{}}
	m.actor = newActor(w, &m.segments, &m.pairs, &m.figure)
	return m
}

// intern gives equal local states equal numbers.
func (m *automaton) intern(l *local) uint32 {
	m.key = l.fingerprint(m.w, m.key[:0])
	if id, ok := m.byKey[string(m.key)]; ok {
		if m.twins != nil && len(m.twins[id]) < maxTwins {
			m.twins[id] = append(m.twins[id], l)
		}
		return id
	}
	id := uint32(len(m.locals))
	m.locals = append(m.locals, l)
	m.byKey[string(m.key)] = id
	return id
}

// start is the first state of an end, and what it sends.
func (m *automaton) start(end int) move {
	m.actor.start(end)
	return m.done()
}

// done makes a move of what the actor did.
func (m *automaton) done() move {
	a := m.actor
	l := a.l
	return move{to: m.intern(&l), out: append([]uint32(nil), a.out...), bad: a.bad}
}

// move is what an input does to a local state.
func (m *automaton) move(from, in uint32) *move {
	key := memoKey(from, in)
	if k, ok := m.memo.get(key); ok {
		return &m.moves[k]
	}
	m.moves = append(m.moves, m.compute(m.locals[from], in))
	m.memo.put(key, uint32(len(m.moves)-1))
	return &m.moves[len(m.moves)-1]
}

func (m *automaton) compute(l *local, in uint32) move {
	switch {
	case in >= inSegment:
		m.actor.begin(l)
		m.actor.deliver(&m.segments.all[in-inSegment])
	case in >= inSpan:
		return move{to: m.intern(l.shift(m.spans[in-inSpan]))}
	case in == inFire:
		m.actor.begin(l)
		m.actor.fire()
	default:
		s, ok := l.next(m.w, in == inServe)
		if !ok {
			return move{no: true}
		}
		m.actor.begin(l)
		if !m.actor.act(s, in == inServe) {
			return move{no: true}
		}
	}
	return m.done()
}

// span is the input of a time that passes.
func (m *automaton) span(d time.Duration) uint32 {
	for i, x := range m.spans {
		if x == d {
			return inSpan + uint32(i)
		}
	}
	m.spans = append(m.spans, d)
	return inSpan + uint32(len(m.spans)-1)
}
