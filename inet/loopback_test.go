package inet

import (
	"bytes"
	"testing"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// A host can always dial itself, by any of its addresses.
func TestLoopback(t *testing.T) {
	for _, remote := range []string{"127.0.0.1:80", "127.9.8.7:80", "192.0.2.1:80", "[::1]:80", "[2001:db8:1::1]:80", "[fe80::1%eth0]:80", "[fe80::1]:80"} {
		w := newWorld(t)
		var (
			loop Loop
			o    sent
		)
		l := w.listen(w.a, 80)
		c := w.open(w.a, remote)
		loop.Output(w.now, w.a, &o)
		s := w.accept(w.a, l)
		w.wantState(w.a, c, tcp.StateEstablished)
		w.wantState(w.a, s, tcp.StateEstablished)
		text := bytes.Repeat([]byte("abc"), 10000)
		w.a.TCP().Send(w.now, c, text, 0)
		got := make([]byte, 2*len(text))
		n := 0
		for range 100 {
			loop.Output(w.now, w.a, &o)
			k, _ := w.a.TCP().Receive(w.now, s, got[n:], 0)
			n += k
			w.now = min(w.a.NextDeadline(), w.now.Add(time.Second))
			w.a.Advance(w.now)
		}
		if !bytes.Equal(got[:n], text) {
			t.Errorf("%s: received %d bytes of %d", remote, n, len(text))
		}
		if len(o.packets) != 0 || loop.Pending() {
			t.Errorf("%s: %d packets left the host, pending %v", remote, len(o.packets), loop.Pending())
		}
		if w.a.counters.In != w.a.counters.Out || w.a.counters.Accepted != w.a.counters.In {
			t.Errorf("%s: out %d, in %d: %s", remote, w.a.counters.Out, w.a.counters.In, drops(w.a))
		}
	}
}

// A host pings itself, too.
func TestLoopbackEcho(t *testing.T) {
	s := oneLink(t)
	var (
		loop Loop
		o    sent
	)
	s.InputBytes(1, Loopback, icmpPacket("127.0.0.1", "127.0.0.1", 8, 0, 1, nil))
	loop.Output(1, s, &o)
	if s.counters.Echoes != 1 || s.counters.Drops[wire.DropICMPHeader] != 1 || len(o.packets) != 0 {
		t.Errorf("%d requests; %s; %d packets left the host", s.counters.Echoes, drops(s), len(o.packets))
	}
}

// What isn't for the host itself goes where it went without the Loop.
func TestLoopPassesOn(t *testing.T) {
	s := oneLink(t)
	var (
		loop Loop
		o    = sent{room: -1}
	)
	s.InputBytes(1, 1, icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, nil))
	loop.Output(1, s, &o)
	if len(o.packets) != 1 || o.packets[0].link != 1 {
		t.Errorf("sent %v, want one packet on link 1", o.packets)
	}
}

// More at once than the Loop holds: the rest waits and then goes.
func TestLoopFull(t *testing.T) {
	w := newWorld(t)
	l, err := w.a.TCP().Listen(w.now, tcp.ListenOptions{Port: 80, Backlog: 1000})
	if err != 0 {
		t.Fatal(err)
	}
	const n = 2*loopQueue + 1
	for range n {
		w.open(w.a, "127.0.0.1:80")
	}
	var (
		loop Loop
		o    sent
	)
	loop.Output(w.now, w.a, &o)
	for i := range n {
		if _, err := w.a.TCP().Accept(w.now, l); err != 0 {
			t.Fatalf("connection %d of %d: %v; %s", i+1, n, err, drops(w.a))
		}
	}
	if loop.Pending() || w.a.Pending() {
		t.Error("something is left to do")
	}
}
