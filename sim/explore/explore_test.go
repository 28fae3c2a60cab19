package explore

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"estab/internal/trace"
	"estab/tcp"
)

// long reports whether there is time for all of it.
func long() bool { return os.Getenv("ESTAB_LONG") != "" }

// quick makes a world small enough for every run of the tests.
func quick(w World) World {
	w.Lose, w.Double, w.Delay = min(w.Lose, 1), min(w.Double, 1), 0
	if w.Fault == "" {
		w.InFlight = 4
	}
	return w
}

func describe(r *Result) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s\n", r.Wrong)
	if r.Trail != nil {
		r.Trail.Write(b, trace.Style{Numbers: trace.Absolute})
	}
	return b.String()
}

// TestWorlds searches the shipped worlds; with ESTAB_LONG=1 as they are
// shipped. In none is anything wrong, but where a fault is planted; and
// together they take every arrow of figure 5.
func TestWorlds(t *testing.T) {
	var figure Figure
	for _, w := range Worlds() {
		t.Run(w.Name, func(t *testing.T) {
			if !long() {
				w = quick(w)
			}
			r := Explore(&w, Options{})
			t.Logf("%d states, %d steps, %d and %d of the ends, depth %d, crowded %d", r.States, r.Steps, r.Locals, r.Moves, r.Depth, r.Crowded)
			switch {
			case w.Fault != "" && r.Wrong == "":
				t.Errorf("not found: %s", w.Fault)
			case w.Fault == "" && r.Wrong != "":
				t.Error(describe(&r))
			case w.Fault == "" && !r.Full:
				t.Errorf("not searched to the end")
			}
			if w.Fault == "" {
				figure.Add(&r.Figure)
			}
		})
	}
	for _, a := range Arrows() {
		if !figure.Taken(a) {
			t.Errorf("no world takes the arrow from %v to %v (%s)", a.From, a.To, a.Event)
		}
	}
}

// TestPlantedFaults: each is found in the fewest steps, and told so that one
// can follow it.
func TestPlantedFaults(t *testing.T) {
	for _, c := range []struct {
		world, why string
		steps      int
		words      []string
	}{
		{"two-way", "a ghost", 2, []string{"A opens, and gives up before an answer comes; it sends <SEQ=100><CTL=SYN>", "B receives <SEQ=100><CTL=SYN>"}},
		{"two-way-for-ever", "A is in CLOSED, B in ESTABLISHED", 3, []string{"before an answer comes", "the network loses"}},
		{"no-time-wait", "bytes that are not the next ones", 15, []string{"keeps a double", "A opens; it sends <SEQ=102><CTL=SYN>"}},
		{"ack-war", "never come to rest", 14, []string{"keeps a double", "B receives <SEQ=102><ACK=302><CTL=ACK>; it sends <SEQ=10301><ACK=101><CTL=ACK>"}},
		{"no-time-wait-close", "connection reset by peer", 12, []string{"the network loses <SEQ=102><ACK=302><CTL=ACK>", "<CTL=RST>"}},
	} {
		t.Run(c.world, func(t *testing.T) {
			w, ok := WorldByName(c.world)
			if !ok {
				t.Fatal("no such world")
			}
			r := Explore(&w, Options{})
			text := describe(&r)
			if !strings.Contains(r.Wrong, c.why) || len(r.Trail.Steps) > c.steps {
				t.Errorf("want %q in %d steps:\n%s", c.why, c.steps, text)
			}
			for _, word := range c.words {
				if !strings.Contains(text, word) {
					t.Errorf("no %q in\n%s", word, text)
				}
			}
			t.Logf("\n%s", text)
		})
	}
	// The same worlds without the fault.
	for _, name := range []string{"two-way", "two-way-for-ever", "no-time-wait", "no-time-wait-close", "ack-war"} {
		w, _ := WorldByName(name)
		w.TwoWay, w.Ends[A].TCP.MSL, w.Ends[B].TCP.MSL = false, 0, 0
		w.Ends[A], w.Ends[B] = limited(w.Ends[A]), limited(w.Ends[B])
		if r := Explore(&w, Options{}); r.Wrong != "" || !r.Full {
			t.Errorf("%s without its fault: %s", name, describe(&r))
		}
	}
}

// TestFingerprintDecides: states of an end that are taken for the same do the
// same, whatever comes. Each was reached in another way, at another time, with
// other numbers of its own.
func TestFingerprintDecides(t *testing.T) {
	for _, w := range Worlds() {
		if w.Fault != "" {
			continue
		}
		w := quick(w)
		s := newSearch(&w, Options{States: 100_000})
		s.twins = map[uint32][]*local{}
		s.begin()
		s.run()
		n := 0
		for _, slot := range slices.Clone(s.memo.slots) {
			if slot.key == 0 {
				continue
			}
			from, in := uint32(slot.key>>32), uint32(slot.key)-1
			want := s.moves[slot.move]
			for _, twin := range s.twins[from] {
				n++
				got := s.compute(twin, in)
				if got.to != want.to || got.no != want.no || got.bad != want.bad || !slices.Equal(got.out, want.out) {
					t.Fatalf("%s: two ends taken for the same do different things on input %d:\n%s", w.Name, in, s.differ(want, got))
				}
			}
		}
		if n == 0 {
			t.Errorf("%s: no twins", w.Name)
		}
	}
}

func (s *search) differ(a, b move) string {
	text := func(m move) string {
		t := m.bad.why
		for _, id := range m.out {
			t += s.segments.all[id].String() + " "
		}
		l := s.locals[m.to]
		return fmt.Sprintf("%s-> %d (%s) deadline %v\n%x\n", t, m.to, l.stateName(s.w), l.deadline, l.fingerprint(s.w, nil))
	}
	return text(a) + text(b)
}

// TestSameSearch: two searches find the same, in the same order.
func TestSameSearch(t *testing.T) {
	w, _ := WorldByName("close")
	w = quick(w)
	a, b := newSearch(&w, Options{}), newSearch(&w, Options{})
	for _, s := range []*search{a, b} {
		s.begin()
		s.run()
	}
	if !slices.Equal(a.set.states, b.set.states) || !slices.Equal(a.action, b.action) {
		t.Errorf("%d states and %d", len(a.set.states), len(b.set.states))
	}
}

// TestBounds: a search stops where it is told to, and says so.
func TestBounds(t *testing.T) {
	w, _ := WorldByName("close")
	for _, o := range []Options{{Depth: 5}, {States: 1000}, {Stop: func(n, _ int) bool { return n > 1 }}} {
		if r := Explore(&w, o); r.Full || r.Wrong != "" || r.States == 0 || r.States > 50_000 {
			t.Errorf("%+v: %d states, full %v, %s", o, r.States, r.Full, r.Wrong)
		}
	}
}

// TestNumbers: translation there and back, over several incarnations.
func TestNumbers(t *testing.T) {
	var u numbers
	if u.canonical(5) != 5 || u.own(5) != 5 {
		t.Error("without a number of its own an end translates nothing")
	}
	u.draw(firstISS[A], 4_000_000_000, boot)
	u.draw(firstISS[A], 4_000_000_003, boot) // three ticks later
	u.draw(firstISS[A], 1_000, boot)         // another host: far away
	if got := [3]uint32{uint32(u.lives[0].iss), uint32(u.lives[1].iss), uint32(u.lives[2].iss)}; got != [3]uint32{100, 103, 103 + far} {
		t.Errorf("initial numbers %v", got)
	}
	for _, x := range []uint32{4_000_000_000, 4_000_000_002, 4_000_000_900, 1_000, 1_500, 900} {
		if c := u.canonical(tcp.Num(x)); u.own(c) != tcp.Num(x) {
			t.Errorf("%d becomes %d, and that %d", x, c, u.own(c))
		}
	}
}

// BenchmarkStates says how many states a second a search looks at.
func BenchmarkStates(b *testing.B) {
	w, _ := WorldByName("close")
	r := Explore(&w, Options{States: max(b.N, 1)})
	b.ReportMetric(float64(r.Steps)/float64(r.States), "steps/state")
}
