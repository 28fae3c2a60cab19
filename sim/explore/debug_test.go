package explore

import (
	"os"
	"testing"

	"estab/internal/trace"
)

func TestDebugEndless(t *testing.T) {
	name := os.Getenv("WORLD")
	if name == "" {
		t.Skip()
	}
	w, _ := WorldByName(name)
	s := newSearch(&w, Options{})
	s.begin()
	s.run()
	s.endless()
	if s.result.Wrong == "" {
		t.Fatal("nothing")
	}
	t.Log(s.result.Wrong)
	// find the bad place again
	s.result.Trail.Write(os.Stdout, trace.Style{Numbers: trace.Absolute})
	n := len(s.set.states)
	good := make([]bool, n)
	_ = good
	place := s.badPlace
	seen := map[uint32]bool{}
	var walk func(p uint32, depth int)
	count := 0
	walk = func(p uint32, depth int) {
		if seen[p] {
			return
		}
		seen[p] = true
		count++
		for _, q := range s.next[s.first[p]:s.first[p+1]] {
			walk(q, depth+1)
		}
	}
	walk(place, 0)
	t.Logf("%d states reachable", count)
	// deepest trail among the reachable
	last := place
	for p := range seen {
		if p > last {
			last = p
		}
	}
	tr := s.trail(last)
	tr.Write(os.Stdout, trace.Style{Numbers: trace.Absolute})
	st := s.set.states[last]
	t.Logf("%+v", st)
	for e := range 2 {
		l := s.locals[st.local[e]]
		t.Logf("%d: deadline %v counts %+v facts %+v state %s", e, l.deadline, l.eng.Counts(), l.facts, l.stateName(&w))
	}
	for _, p := range st.flight[:st.n] {
		t.Logf("   %v life %v", &s.segments.all[p.id()], p.life())
	}
	for _, q := range s.next[s.first[last]:s.first[last+1]] {
		t.Logf("  -> %d %+v", q, s.set.states[q])
	}
}
