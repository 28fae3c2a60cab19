package explore

import (
	"math/bits"
	"slices"
	"time"
)

// state is a state of the world: the two ends, the segments in flight in a
// fixed order (or, where the network keeps it, in that in which they were sent), and what is left of the budgets. 64 bytes, and nothing but
// numbers: two states are the same if they are equal.
type state struct {
	local               [2]uint32
	lose, double, delay uint8
	n                   uint8
	flight              [maxFlight]packet
}

const maxFlight = 6

// add puts a segment in flight, in its place, or (ordered) behind the others;
// false if there is no room.
func (s *state) add(p packet, room int, ordered bool) bool {
	if int(s.n) >= room {
		return false
	}
	i := s.n
	for ; i > 0 && s.flight[i-1] > p && !ordered; i-- {
		s.flight[i] = s.flight[i-1]
	}
	s.flight[i] = p
	s.n++
	return true
}

// remove takes the i-th segment out of flight.
func (s *state) remove(i int) {
	copy(s.flight[i:], s.flight[i+1:s.n])
	s.n--
	s.flight[s.n] = 0
}

// age lets time pass for what is in flight.
func (s *state) age(d time.Duration, ordered bool) {
	k := 0
	for _, p := range s.flight[:s.n] {
		if q, alive := p.age(d); alive {
			s.flight[k] = q
			k++
		}
	}
	for i := k; i < int(s.n); i++ {
		s.flight[i] = 0
	}
	s.n = uint8(k)
	if !ordered {
		slices.Sort(s.flight[:k])
	}
}

// hash is of all that a state consists of.
func (s *state) hash() uint64 {
	h := uint64(s.local[0])<<32 | uint64(s.local[1])
	h = mix(h, uint64(s.lose)|uint64(s.double)<<8|uint64(s.delay)<<16|uint64(s.n)<<24)
	for _, p := range s.flight[:s.n] {
		h = mix(h, uint64(p))
	}
	return h
}

func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, v^0xbf58476d1ce4e5b9)
	return hi ^ lo
}

// stateSet is the states found, in the order in which they were, and a hash
// table of their places.
type stateSet struct {
	states []state
	table  []uint32 // place+1; 0: empty
}

// add finds the place of a state; fresh if it was not known.
func (t *stateSet) add(s *state) (place uint32, fresh bool) {
	if 4*(len(t.states)+1) > 3*len(t.table) {
		t.grow()
	}
	mask := uint64(len(t.table) - 1)
	for i := s.hash() & mask; ; i = (i + 1) & mask {
		p := t.table[i]
		if p == 0 {
			t.states = append(t.states, *s)
			t.table[i] = uint32(len(t.states))
			return uint32(len(t.states) - 1), true
		}
		if t.states[p-1] == *s {
			return p - 1, false
		}
	}
}

func (t *stateSet) grow() {
	t.table = make([]uint32, max(1<<12, 2*len(t.table)))
	mask := uint64(len(t.table) - 1)
	for k := range t.states {
		i := t.states[k].hash() & mask
		for t.table[i] != 0 {
			i = (i + 1) & mask
		}
		t.table[i] = uint32(k + 1)
	}
}

// memo remembers what an input does to a local state: a hash table of two
// words a slot.
type memo struct {
	slots []memoSlot
	n     int
}

type memoSlot struct {
	key  uint64 // 0: empty
	move uint32
}

// memoKey joins a local state and an input. It is never 0.
func memoKey(local uint32, in uint32) uint64 { return uint64(local)<<32 | uint64(in) + 1 }

func (m *memo) get(key uint64) (uint32, bool) {
	if len(m.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(m.slots) - 1)
	for i := mix(key, 0) & mask; m.slots[i].key != 0; i = (i + 1) & mask {
		if m.slots[i].key == key {
			return m.slots[i].move, true
		}
	}
	return 0, false
}

func (m *memo) put(key uint64, move uint32) {
	if 4*(m.n+1) > 3*len(m.slots) {
		old := m.slots
		m.slots, m.n = make([]memoSlot, max(1<<10, 2*len(old))), 0
		for _, s := range old {
			if s.key != 0 {
				m.put(s.key, s.move)
			}
		}
	}
	mask := uint64(len(m.slots) - 1)
	i := mix(key, 0) & mask
	for m.slots[i].key != 0 {
		i = (i + 1) & mask
	}
	m.slots[i] = memoSlot{key, move}
	m.n++
}
