package link

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// runFunc is a Runner made of a function.
type runFunc func(w *Work)

func (f runFunc) Run(w *Work) { f(w) }

// What a round adds is run in the next round, in the order in which it was
// added.
func TestWorkRounds(t *testing.T) {
	var w Work
	var log []string
	note := func(s string) Runner { return runFunc(func(*Work) { log = append(log, s) }) }
	w.Add(runFunc(func(w *Work) {
		log = append(log, "a")
		w.Add(note("c"))
		w.Add(note("d"))
	}))
	w.Add(note("b"))
	w.Run()
	if want := []string{"a", "b", "c", "d"}; !slices.Equal(log, want) {
		t.Errorf("ran %v, want %v", log, want)
	}
	w.Run()
	if len(log) != 4 {
		t.Errorf("ran again: %v", log)
	}
}

// A Runner that calls Run doesn't start a run within the run.
func TestWorkNeverRecurses(t *testing.T) {
	var w Work
	inside, ran := false, 0
	w.Add(runFunc(func(w *Work) {
		inside = true
		w.Add(runFunc(func(*Work) {
			if inside {
				t.Error("run within a run")
			}
			ran++
		}))
		w.Run()
		inside = false
	}))
	w.Run()
	if ran != 1 {
		t.Errorf("ran %d times", ran)
	}
}

// chain is a Runner that adds itself until it has run n times.
type chain struct {
	mu   sync.Mutex
	left int
	by   map[*Work]int // runs by whose Work
}

func (c *chain) Run(w *Work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[w]++
	if c.left--; c.left > 0 {
		w.Add(c)
	}
}

// Both sides of the budget: eight rounds are run by the caller, the ninth and
// all that follow by one helper, which ends.
func TestWorkBudget(t *testing.T) {
	for _, n := range []int{1, rounds - 1, rounds, rounds + 1, 50} {
		synctest.Test(t, func(t *testing.T) {
			var w Work
			c := &chain{left: n, by: map[*Work]int{}}
			w.Add(c)
			w.Run()
			synctest.Wait() // the bubble's end finds a helper that doesn't end
			if c.left != 0 || c.by[&w] != min(n, rounds) {
				t.Errorf("%d runs: %d are left, the caller ran %d", n, c.left, c.by[&w])
			}
			if works := len(c.by); n <= rounds && works != 1 || n > rounds && works != 2 {
				t.Errorf("%d runs were shared by %d", n, works)
			}
		})
	}
}

// Two helpers of one Work may be under way at once.
func TestWorkTwoHelpers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Work
		var all []*chain
		for range 5 {
			c := &chain{left: 100, by: map[*Work]int{}}
			all = append(all, c)
			w.Add(c)
			w.Run()
		}
		synctest.Wait()
		for i, c := range all {
			if c.left != 0 {
				t.Errorf("chain %d: %d runs are left", i, c.left)
			}
		}
	})
}

type twice struct{ n int }

func (r *twice) Run(w *Work) {
	if r.n++; r.n%3 != 0 {
		w.Add(r)
	}
}

func TestWorkAllocatesNothing(t *testing.T) {
	var w Work
	r := &twice{}
	run := func() {
		w.Add(r)
		w.Run()
	}
	run()
	if n := testing.AllocsPerRun(1000, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

type relay struct {
	n    int
	done chan struct{}
}

func (r *relay) Run(w *Work) {
	if r.n++; r.n < rounds+3 {
		w.Add(r)
		return
	}
	r.done <- struct{}{}
}

// Not even handing over to a helper allocates, once the first has been there.
func TestWorkHelperAllocatesNothing(t *testing.T) {
	var w Work
	r := &relay{done: make(chan struct{})}
	run := func() {
		r.n = 0
		w.Add(r)
		w.Run()
		<-r.done
		for w.idle.Load() == nil { // the helper is about to end
			runtime.Gosched()
		}
	}
	for range 10 {
		run()
	}
	if n := testing.AllocsPerRun(200, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// offer is a Runner that gives something else to a helper, or nothing.
type offer struct {
	chain
	then Runner
	off  int
}

func (o *offer) HandOff() Runner { o.off++; return o.then }

func (o *offer) Run(w *Work) {
	o.chain.by[w]++
	w.Add(o)
}

// A HandOffer says what a helper is to run in its place; if that is nothing, no
// helper is needed, and the next one finds everything as it was.
func TestWorkHandOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Work
		rest := &chain{left: 5, by: map[*Work]int{}}
		for n, then := range []Runner{nil, rest, nil} {
			o := &offer{chain: chain{by: map[*Work]int{}}, then: then}
			w.Add(o)
			w.Run()
			synctest.Wait()
			if o.by[&w] != rounds || len(o.by) != 1 || o.off != 1 {
				t.Errorf("%d: %d runs here, by %d, handed off %d times", n, o.by[&w], len(o.by), o.off)
			}
		}
		if rest.left != 0 || rest.by[&w] != 0 {
			t.Errorf("%d runs are left for the helper, %d were run here", rest.left, rest.by[&w])
		}
	})
}
