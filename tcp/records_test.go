package tcp

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// What a connection of each size costs (limits.go, DESIGN "Three sizes of
// connection"). The numbers are budgets, not goals.
func TestRecordSizes(t *testing.T) {
	for _, x := range []struct {
		what      string
		got, most uintptr
	}{
		{"half-open, IPv4", unsafe.Sizeof(halfRecord[pair4]{}), 56},
		{"half-open, IPv6", unsafe.Sizeof(halfRecord[pair6]{}), 80},
		{"TIME-WAIT, IPv4", unsafe.Sizeof(waitRecord[pair4]{}), 56},
		{"TIME-WAIT, IPv6", unsafe.Sizeof(waitRecord[pair6]{}), 80},
		{"TCB", unsafe.Sizeof(conn{}), 568},
		{"retransmission queue entry", unsafe.Sizeof(sent{}), 24},
		{"stretch beyond a gap", unsafe.Sizeof(span{}), 8},
		{"table slot", unsafe.Sizeof(slot(0)), 8},
		{"timer heap entry", unsafe.Sizeof(timerRef{}), 16},
	} {
		t.Logf("%s: %d bytes", x.what, x.got)
		if x.got > x.most {
			t.Errorf("%s: %d bytes, the budget is %d", x.what, x.got, x.most)
		}
	}
}

// checkRecords looks at the lists of half-open and TIME-WAIT records: linked
// both ways, in order of deadlines, and counted.
func checkRecords(e *Engine) error {
	half, wait, held := 0, 0, 0
	perListener := make(map[uint32]int)
	for k := range maxStages {
		if err := checkList(e.half.v4.stages[k].head, e.half.v4.stages[k].tail, func(i uint32) (*uint32, *uint32, Time) {
			r := e.half.v4.at(i)
			perListener[uint32(r.listener)]++
			half++
			return &r.next, &r.prev, r.deadline
		}); err != nil {
			return fmt.Errorf("half-open IPv4 stage %d: %w", k, err)
		}
		if err := checkList(e.half.v6.stages[k].head, e.half.v6.stages[k].tail, func(i uint32) (*uint32, *uint32, Time) {
			r := e.half.v6.at(i)
			perListener[uint32(r.listener)]++
			half++
			return &r.next, &r.prev, r.deadline
		}); err != nil {
			return fmt.Errorf("half-open IPv6 stage %d: %w", k, err)
		}
	}
	count := func(w *timeWait) (*uint32, *uint32, Time) {
		wait++
		if w.opts&waitHeld != 0 {
			held++
		}
		return &w.next, &w.prev, w.deadline
	}
	if err := checkList(e.wait.v4.head, e.wait.v4.tail, func(i uint32) (*uint32, *uint32, Time) {
		return count(&e.wait.v4.at(i).timeWait)
	}); err != nil {
		return fmt.Errorf("TIME-WAIT IPv4: %w", err)
	}
	if err := checkList(e.wait.v6.head, e.wait.v6.tail, func(i uint32) (*uint32, *uint32, Time) {
		return count(&e.wait.v6.at(i).timeWait)
	}); err != nil {
		return fmt.Errorf("TIME-WAIT IPv6: %w", err)
	}
	if half != e.half.n || wait > e.wait.n {
		return fmt.Errorf("%d half-open and %d TIME-WAIT records in the lists, %d and %d counted", half, wait, e.half.n, e.wait.n)
	}
	for s, n := range perListener {
		if e.listeners[s].halfOpen != n {
			return fmt.Errorf("listener %d counts %d half-open records and has %d", s, e.listeners[s].halfOpen, n)
		}
	}
	return nil
}

func checkList(head, tail uint32, at func(uint32) (next, prev *uint32, deadline Time)) error {
	last, d := uint32(0), Time(0)
	for n := head; n != 0; {
		next, prev, deadline := at(n - 1)
		if *prev != last {
			return fmt.Errorf("record %d links back to %d, not to %d", n-1, *prev, last)
		}
		if deadline < d {
			return fmt.Errorf("record %d is due before the one in front of it", n-1)
		}
		last, d, n = n, deadline, *next
	}
	if last != tail {
		return fmt.Errorf("the tail is %d, the list ends at %d", tail, last)
	}
	return nil
}

// Half-open records under random SYNs, repeats, resets, completions, closing
// listeners and time: the lists stay in order, and in the end nothing is left.
func TestHalfOpenRecordsAtRandom(t *testing.T) {
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 12))
		cfg := plain()
		cfg.MaxHalfOpen = 50
		r := newRig(t, cfg)
		r.listen(ListenOptions{Backlog: 5})
		four, six := testTuple4, testTuple6
		for range 3000 {
			r.tup = four
			if rnd.IntN(2) == 0 {
				r.tup = six
			}
			r.tup.RemotePort = uint16(rnd.IntN(100))
			r.irs = Num(r.tup.RemotePort) * 1e6
			k, i := r.e.find(&r.tup, r.e.Hash(&r.tup))
			if k == kindHalf4 || k == kindHalf6 {
				r.iss = r.e.half.record(k, i).iss
			}
			switch rnd.IntN(12) {
			case 0:
				r.in(". 1:1(0) ack 1") // completes, or is answered with a RST
			case 1:
				r.in("R 1:1(0)")
			case 2:
				if id, err := r.e.Accept(r.now, r.lid); err == 0 {
					r.e.Abort(r.now, id)
				}
			case 3:
				r.advance(time.Duration(rnd.IntN(4000)) * time.Millisecond)
			case 4:
				if rnd.IntN(20) == 0 {
					r.e.Unlisten(r.now, r.lid)
					r.check()
					if n := r.e.Counts().HalfOpen; n != 0 {
						t.Fatalf("%d half-open records without a listener", n)
					}
					r.listen(ListenOptions{Backlog: 5})
				}
			default:
				r.in("S 0:0(0) <mss 1000>")
			}
			r.sent = r.sent[:0]
			if n := r.e.Counts().HalfOpen; n > cfg.MaxHalfOpen {
				t.Fatalf("%d half-open records", n)
			}
		}
		r.e.Unlisten(r.now, r.lid)
		r.advance(time.Hour)
		r.sent = r.sent[:0]
		if c := r.e.Counts(); c.HalfOpen+c.Conns+c.Slabs+c.Timers+c.Orphans != 0 || r.e.table.len() != 0 {
			t.Fatalf("left: %+v", c)
		}
		if at := r.e.NextDeadline(); at != Never {
			t.Fatalf("a timer is left at %v", at)
		}
	}
}

// A slab of records takes what was given back first, and lets go of its memory
// once all is given back.
func TestRecordSlab(t *testing.T) {
	var s recordSlab[uint64]
	rnd := rand.New(rand.NewPCG(1, 13))
	have := map[uint32]uint64{}
	var order []uint32
	for step := range 20_000 {
		if step/5000%2 == 0 || len(order) == 0 || rnd.IntN(3) == 0 {
			i := s.get()
			if _, twice := have[i]; twice {
				t.Fatalf("record %d was given out twice", i)
			}
			*s.at(i) = rnd.Uint64()
			have[i] = *s.at(i)
			order = append(order, i)
		} else {
			j := rnd.IntN(len(order))
			i := order[j]
			order[j] = order[len(order)-1]
			order = order[:len(order)-1]
			if *s.at(i) != have[i] {
				t.Fatalf("record %d changed", i)
			}
			delete(have, i)
			s.put(i)
		}
	}
	for _, i := range order {
		s.put(i)
	}
	if s.made != 0 || s.chunks != nil {
		t.Errorf("%d records are kept though none is in use", s.made)
	}
}
