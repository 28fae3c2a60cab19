package sim_test

import (
	"fmt"
	"testing"
	"time"

	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// TestLifeOfAConnection walks one connection from the first SYN to the end of
// TIME-WAIT and looks at every segment.
func TestLifeOfAConnection(t *testing.T) {
	w := sim.New(1)
	a, b := w.Host("A", sim.HostConfig{}), w.Host("B", sim.HostConfig{})
	w.Connect(a, b, sim.PathConfig{})
	var got []string
	w.Tap(func(p sim.Packet) {
		var h wire.IPHeader
		if r := wire.ParseIP(p.Data, &h); r != wire.Accepted {
			t.Fatal(r)
		}
		var seg wire.Segment
		if r := wire.ParseTCP(p.Data[h.HeaderLen:h.TotalLen], &seg); r != wire.Accepted {
			t.Fatal(r)
		}
		got = append(got, fmt.Sprintf("%s %v %d", p.From.Name, seg.Flags, len(seg.Payload)))
	})
	lid, err := b.TCP().Listen(w.Now(), tcp.ListenOptions{Port: 80})
	if err != 0 {
		t.Fatal(err)
	}
	id, err := a.TCP().Open(w.Now(), tcp.OpenOptions{Tuple: wire.Tuple{
		Local: wire.AddrFrom(a.Addrs[0]), Remote: wire.AddrFrom(b.Addrs[0]), RemotePort: 80}})
	if err != 0 {
		t.Fatal(err)
	}
	a.Flush()
	w.RunUntil(w.Now().Add(time.Second))
	if s, err := a.TCP().Status(w.Now(), id); err != 0 || s.State != tcp.StateEstablished {
		t.Fatalf("A is %v, %v", s.State, err)
	}
	a.TCP().Send(w.Now(), id, []byte("hello"), 0)
	a.TCP().Close(w.Now(), id, -1)
	a.Flush()
	w.RunUntil(w.Now().Add(time.Second))
	srv, err := b.TCP().Accept(w.Now(), lid)
	if err != 0 {
		t.Fatal(err)
	}
	var buf [16]byte
	n, err := b.TCP().Receive(w.Now(), srv, buf[:], 0)
	if string(buf[:n]) != "hello" || err != 0 {
		t.Fatalf("%q %v", buf[:n], err)
	}
	b.TCP().Close(w.Now(), srv, -1)
	b.Flush()
	w.Run(time.Hour)
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*sim.Host{a, b} {
		if c := h.TCP().Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Timers+c.Orphans != 0 {
			t.Errorf("%s: %+v is left", h.Name, c)
		}
	}
	t.Log(got, time.Duration(w.Now()))
}
