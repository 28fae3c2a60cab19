package explore

import (
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

// TestAcceptable: the four lines of table 6, each at its limits.
func TestAcceptable(t *testing.T) {
	const nxt = 100
	for _, c := range []struct {
		wnd uint32
		seq tcp.Num
		len int
		ok  bool
	}{
		{0, nxt, 0, true}, {0, nxt - 1, 0, false}, {0, nxt + 1, 0, false},
		{0, nxt, 1, false}, {0, nxt - 1, 2, false},
		{10, nxt - 1, 0, false}, {10, nxt, 0, true}, {10, nxt + 9, 0, true}, {10, nxt + 10, 0, false},
		{10, nxt - 1, 1, false}, {10, nxt - 1, 2, true}, {10, nxt, 1, true}, {10, nxt + 9, 1, true}, {10, nxt + 9, 5, true}, {10, nxt + 10, 1, false},
		{10, nxt - 5, 12, true}, {10, nxt - 5, 5, false},
	} {
		v := view{rcvNXT: nxt, rcvWND: c.wnd}
		g := tcp.Segment{Seq: c.seq, Flags: wire.ACK, Payload: make([]byte, c.len)}
		if v.acceptable(&g) != c.ok {
			t.Errorf("window %d from %d on, segment of %d from %d on: acceptable %v", c.wnd, nxt, c.len, c.seq, !c.ok)
		}
	}
	// SYN and FIN count.
	v := view{rcvNXT: nxt, rcvWND: 0}
	if v.acceptable(&tcp.Segment{Seq: nxt, Flags: wire.FIN | wire.ACK}) {
		t.Error("a FIN is acceptable with no window")
	}
}

// TestInOrder: a network that keeps the order delivers what was sent first, and
// may still lose it.
func TestInOrder(t *testing.T) {
	w := World{Name: "in order", Ends: [2]End{client(do(Open), send(1), send(1), do(Shutdown)), server(do(Await, Shutdown))}, Lose: 1}
	any := Explore(&w, Options{})
	w.InOrder = true
	r := Explore(&w, Options{})
	if r.Wrong != "" || !r.Full || r.States >= any.States {
		t.Errorf("%d states in order, %d in any; %s", r.States, any.States, describe(&r))
	}
	st := state{}
	for _, id := range []uint32{3, 1, 2} {
		st.add(newPacket(id, msl), maxFlight, true)
	}
	if st.age(rto, true); st.flight[0].id() != 3 || st.flight[1].id() != 1 || st.flight[2].id() != 2 {
		t.Errorf("order %v", st.flight)
	}
}
