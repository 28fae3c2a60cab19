package link

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// When the link within refuses, so does the impaired one, after it has taken
// care of what it had accepted; it says when there is room again.
func TestImpairBackpressure(t *testing.T) {
	for _, delay := range []string{"", "delay 1ms"} {
		synctest.Test(t, func(t *testing.T) {
			inner := &narrow{room: 3}
			l, err := Impair(inner, Impairment{Out: delay})
			if err != nil {
				t.Fatal(err)
			}
			c := attach(t, l)
			send(t, l, "0", "1", "2", "3", "4") // two of them are not passed on
			time.Sleep(time.Second)
			synctest.Wait()
			var w Work
			if n := l.Enqueue(&w, packets("5")); n != 0 {
				t.Fatalf("took %d packets behind a link that refuses", n)
			}
			w.Run()
			if c.writable != 0 {
				t.Error("writable too early")
			}
			inner.widen(1)
			inner.widen(100)
			synctest.Wait()
			if c.writable != 1 {
				t.Errorf("writable said %d times", c.writable)
			}
			send(t, l, "5")
			time.Sleep(time.Second)
			synctest.Wait()
			if got := inner.taken(); !slices.Equal(got, numbered(6)) {
				t.Errorf("sent %q", got)
			}
			if s := l.Stats().Out; s.Held != 0 || s.Packets != 6 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// The word that there is room may come before the refusal is noted. It must
// not get lost.
func TestImpairRoomBeforeRefusalIsNoted(t *testing.T) {
	for _, delay := range []string{"", "delay 1ms"} {
		synctest.Test(t, func(t *testing.T) {
			inner := &narrow{room: 1}
			inner.onFull = func() { inner.widen(100) }
			l, err := Impair(inner, Impairment{Out: delay})
			if err != nil {
				t.Fatal(err)
			}
			attach(t, l)
			send(t, l, "0", "1", "2")
			time.Sleep(time.Second)
			synctest.Wait()
			if got := inner.taken(); !slices.Equal(got, numbered(3)) {
				t.Errorf("%q: sent %q", delay, got)
			}
			if n := l.Enqueue(new(Work), packets("3")); n != 1 {
				t.Errorf("%q: still refuses", delay)
			}
		})
	}
}

// Nothing is lost or made up: on every path, under many goroutines, what was
// taken is what was dropped and what arrived.
func TestImpairConserves(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			text := "delay 3ms 3ms loss 5% duplicate 10% corrupt 5% reorder 10% limit 50"
			if seed%3 == 0 {
				text = "rate 100mbit duplicate 5% loss 1%"
			}
			if seed%5 == 0 {
				text = "duplicate 20% loss 20%"
			}
			l, far, near, other := impairedPair(t, Impairment{Out: text, In: text, Seed: seed})
			var wg sync.WaitGroup
			for g := range uint64(4) {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(seed, g))
					for range 100 {
						if from := []Link{l, far}[rng.IntN(2)]; from != nil {
							send(t, from, numbered(rng.IntN(10))...)
						}
						time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
					}
				})
			}
			wg.Wait()
			time.Sleep(time.Hour)
			synctest.Wait()
			s := l.Stats()
			out, _ := other.take()
			in, _ := near.take()
			for _, c := range []struct {
				Counts
				arrived int
			}{{s.Out, len(out)}, {s.In, len(in)}} {
				if c.Held != 0 || c.Packets+c.Duplicated-c.Dropped != uint64(c.arrived) {
					t.Errorf("seed %d, %q: %+v, %d arrived", seed, text, c.Counts, c.arrived)
				}
			}
			if s.Out.Packets+s.In.Packets == 0 {
				t.Error("nothing was sent")
			}
		})
	}
}

// The same seed and the same calls at the same times: the same packets at the
// same times.
func TestImpairIsDeterministic(t *testing.T) {
	run := func(seed uint64) (log string) {
		synctest.Test(t, func(t *testing.T) {
			l, far, near, other := impairedPair(t, Impairment{
				Out: "delay 3ms 2ms 10% distribution normal loss 5% duplicate 5% corrupt 5%", In: "delay 1ms 1ms loss 10%", Seed: seed,
			})
			for i := range 200 {
				send(t, l, fmt.Sprint("out ", i))
				send(t, far, fmt.Sprint("in ", i))
				time.Sleep(700 * time.Microsecond)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			for _, c := range []*catcher{near, other} {
				got, at := c.take()
				log += fmt.Sprintf("%q %v\n", got, at)
			}
		})
		return log
	}
	if a, b := run(1), run(1); a != b {
		t.Error("two runs differ")
	}
	if run(1) == run(2) {
		t.Error("two seeds are alike")
	}
}

// An impaired link owns no goroutine, not even with packets under way.
func TestImpairHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	l, far, _, _ := impairedPair(t, Impairment{Out: "delay 3600s", In: "delay 3600s"})
	send(t, l, "1")
	send(t, far, "2")
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	l.Close()
}
