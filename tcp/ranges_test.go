package tcp

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// naiveSet is rangeSet with one bool for every number from base on.
type naiveSet struct {
	base Num
	has  []bool
}

func (s *naiveSet) set(l, r Num, v bool) {
	for ; l != r; l++ {
		s.has[l-s.base] = v
	}
}

func (s *naiveSet) spans() (list []span) {
	for i := 0; i < len(s.has); i++ {
		if !s.has[i] {
			continue
		}
		j := i
		for j < len(s.has) && s.has[j] {
			j++
		}
		list = append(list, span{s.base + Num(i), s.base + Num(j)})
		i = j
	}
	return list
}

func (s *rangeSet) list() (list []span) {
	for _, c := range s.chunks {
		list = append(list, c...)
	}
	return list
}

// compareSets also walks with at, get and next.
func compareSets(s *rangeSet, o *naiveSet) error {
	want, got := o.spans(), s.list()
	if len(want) != len(got) || s.n != len(got) {
		return fmt.Errorf("%d stretches (counted %d), want %d", len(got), s.n, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			return fmt.Errorf("stretch %d is %v, want %v", i, got[i], want[i])
		}
	}
	for _, c := range s.chunks {
		if len(c) == 0 || len(c) > spansPerChunk {
			return fmt.Errorf("a chunk of %d", len(c))
		}
	}
	return nil
}

// rangeSet holds what a set of single numbers would, across the wrap and
// across the limits of its chunks.
func TestRangeSetAgainstBits(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		size := []int{40, 400, 6000}[seed%3]
		base := []Num{0, 1<<31 - Num(size/2), -Num(size / 2), 12345}[seed%4]
		o := &naiveSet{base: base, has: make([]bool, size)}
		var s rangeSet
		low := base
		for step := range 1500 {
			at := low + Num(rnd.IntN(int(base+Num(size)-low)))
			n := 1 + rnd.IntN(1+rnd.IntN(1+size/50))
			r := at + Num(min(n, int(base+Num(size)-at)))
			switch x := rnd.IntN(200); {
			case x < 160:
				checkGaps(t, &s, o, at, r)
				s.add(at, r)
				o.set(at, r, true)
			case x < 190:
				sp, ok := s.containing(at)
				if ok != o.has[at-base] {
					t.Fatalf("seed %d step %d: containing(%d) = %v, %v", seed, step, at, sp, ok)
				}
				if ok && (at.Less(sp.l) || sp.r.LessEq(at)) {
					t.Fatalf("seed %d step %d: %d is not in %v", seed, step, at, sp)
				}
			default:
				to := low + Num(rnd.IntN(1+size/40))
				if (base + Num(size-2)).Less(to) {
					break
				}
				s.trim(to)
				o.set(base, to, false)
				low = to
			}
			if size < 1000 || step%100 == 0 {
				if err := compareSets(&s, o); err != nil {
					t.Fatalf("seed %d step %d: %v", seed, step, err)
				}
			}
		}
		if err := compareSets(&s, o); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func checkGaps(t *testing.T, s *rangeSet, o *naiveSet, l, r Num) {
	t.Helper()
	at := l
	s.gaps(l, r, func(a, b Num) {
		for ; at != a; at++ {
			if !o.has[at-o.base] {
				t.Fatalf("gaps(%d,%d) left out %d", l, r, at)
			}
		}
		if !a.Less(b) {
			t.Fatalf("gaps(%d,%d) gave [%d,%d)", l, r, a, b)
		}
		for ; at != b; at++ {
			if o.has[at-o.base] {
				t.Fatalf("gaps(%d,%d) gave %d, which is there", l, r, at)
			}
		}
	})
	for ; at != r; at++ {
		if !o.has[at-o.base] {
			t.Fatalf("gaps(%d,%d) left out %d", l, r, at)
		}
	}
}

// Every second number of a window: as many stretches as a peer can make, put
// in from the front, from behind and at random, and then joined (HOSTILE 10).
func TestRangeSetOfVeryManyStretches(t *testing.T) {
	const n = 5000
	base := Num(1<<32 - n)
	for _, order := range []string{"up", "down", "random"} {
		o := &naiveSet{base: base, has: make([]bool, 2*n)}
		var s rangeSet
		perm := rand.New(rand.NewPCG(1, 1)).Perm(n)
		for i := range n {
			k := map[string]int{"up": i, "down": n - 1 - i, "random": perm[i]}[order]
			at := base + Num(2*k)
			s.add(at, at+1)
			o.set(at, at+1, true)
		}
		if err := compareSets(&s, o); err != nil {
			t.Fatalf("%s: %v", order, err)
		}
		s.add(base+1, base+2*n-1) // joins all of them
		o.set(base, base+2*n-1, true)
		if err := compareSets(&s, o); err != nil {
			t.Fatalf("%s: %v", order, err)
		}
	}
}
