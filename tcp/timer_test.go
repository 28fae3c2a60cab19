package tcp

import (
	"math/rand/v2"
	"testing"
	"time"
)

// timerEngine has n connections that have a tuple and timers, and nothing else.
func timerEngine(t *testing.T, n int) *Engine {
	e, err := New(Config{Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		tup := testTuple4
		tup.RemotePort = uint16(i)
		e.newConn(&tup)
	}
	return e
}

// NextDeadline is the earliest deadline of any connection, exactly, whatever
// was armed, moved, disarmed and removed before.
func TestTimerHeapAgainstMinimum(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		e := timerEngine(t, 1+rnd.IntN(60))
		for step := range 4000 {
			c := e.conns[rnd.IntN(len(e.conns))]
			k := TimerKind(rnd.IntN(int(NumTimers)))
			switch rnd.IntN(8) {
			case 0:
				c.disarm(k)
			case 1:
				for k := range NumTimers {
					c.disarm(k)
				}
				e.timers.remove(e, c)
			default:
				e.arm(c, k, Time(rnd.Int64N(1000)))
			}
			want := Never
			for _, c := range e.conns {
				want = min(want, c.earliest())
			}
			if rnd.IntN(3) > 0 {
				continue // let wrong entries pile up
			}
			if got := e.NextDeadline(); got != want {
				t.Fatalf("seed %d step %d: NextDeadline %d, want %d", seed, step, got, want)
			}
			checkHeap(t, e)
		}
	}
}

func checkHeap(t *testing.T, e *Engine) {
	t.Helper()
	h := e.timers.h
	for i, r := range h {
		c := e.conns[r.slot]
		if i > 0 && r.at < h[(i-1)/4].at {
			t.Fatalf("entry %d is earlier than its parent", i)
		}
		if int(c.timerPos) != i || c.timerAt != r.at || c.earliest() < r.at {
			t.Fatalf("entry %d does not fit its connection", i)
		}
	}
	for _, c := range e.conns {
		if c.timerPos < 0 && c.earliest() != Never {
			t.Fatalf("a connection with a deadline is not in the heap")
		}
	}
}

// A deadline that moves back costs a store: the heap is not touched until it
// gets there.
func TestLaterDeadlineDoesNotMoveTheEntry(t *testing.T) {
	e := timerEngine(t, 50)
	for i, c := range e.conns {
		e.arm(c, TimerRetransmit, Time(1000+i))
	}
	before := append([]timerRef(nil), e.timers.h...)
	for i, c := range e.conns {
		for d := range Time(100) {
			e.arm(c, TimerRetransmit, Time(2000+i)+d)
		}
	}
	for i, r := range e.timers.h {
		if r != before[i] {
			t.Fatalf("entry %d moved from %v to %v", i, before[i], r)
		}
	}
	if got := e.NextDeadline(); got != 2099 {
		t.Fatalf("NextDeadline is %d, want 2099", got)
	}
}

// A connection stands once in the heap, with however many timers.
func TestOneHeapEntryForAllTimers(t *testing.T) {
	e := timerEngine(t, 3)
	for _, c := range e.conns {
		for k := range NumTimers {
			e.arm(c, k, Time(10+k))
		}
	}
	if n := e.Counts().Timers; n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

// The engine's clock never runs backwards: a call with an earlier time counts
// as one at the latest time.
func TestTimeNeverRunsBackwards(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	r.now = r.now.Add(-time.Minute)
	r.e.Advance(r.now)
	r.output()
	r.now = r.now.Add(time.Minute)
	r.after(time.Second, "S 0:0(0)")
}

// Several timers that are due at once all run in one Advance, also when it
// comes late, and each goes off once.
func TestAdvanceLateRunsAllThatIsDue(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	r.in(". 1:11(10) ack 1") // the first segments are acknowledged at once
	r.want(". 1:1(0) ack 11")
	r.write(100)
	r.want("P. 1:101(100) ack 11")
	for i := range 20 {
		r.in(". " + segRange(11+10*i, 10) + " ack 1")
	}
	r.sent = r.sent[:0]
	r.now = r.now.Add(300 * time.Millisecond)
	r.e.Advance(r.now)
	r.output()
	if len(r.sent) != 1 { // the repeat of our text carries the ACK
		t.Fatalf("sent\n%s", r.show(r.sent, ""))
	}
	r.want("P. 1:101(100) ack 211")
}
