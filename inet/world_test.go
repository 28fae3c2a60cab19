package inet

import (
	"bytes"
	"testing"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// world is two hosts and a wire on which a packet takes 10 ms. Every packet
// is checked as it passes.
type world struct {
	t    testing.TB
	now  tcp.Time
	a, b *Stack
	wire []inTransit
	sent int
	drop func(from *Stack, packet []byte) bool // true: the wire loses it
}

type inTransit struct {
	to     *Stack
	at     tcp.Time
	packet []byte
}

const oneWay = 10 * time.Millisecond

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: 1}
	w.a = newStack(t, 1, LinkConfig{Name: "eth0", Addrs: prefixes("192.0.2.1/24", "2001:db8:1::1/64", "fe80::1/64")})
	w.b = newStack(t, 2, LinkConfig{Name: "eth0", Addrs: prefixes("192.0.2.2/24", "2001:db8:1::2/64", "fe80::2/64")})
	return w
}

// flush puts on the wire what the hosts have to send.
func (w *world) flush() {
	w.t.Helper()
	for _, s := range []*Stack{w.a, w.b} {
		other := w.a
		if s == w.a {
			other = w.b
		}
		for _, p := range output(s, w.now) {
			if p.link != 1 {
				w.t.Fatalf("a packet on link %d", p.link)
			}
			checkPacket(w.t, p.b)
			w.sent++
			if w.drop == nil || !w.drop(s, p.b) {
				w.wire = append(w.wire, inTransit{other, w.now.Add(oneWay), p.b})
			}
		}
	}
}

// run lets that much time pass.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for {
		w.flush()
		next := min(w.a.NextDeadline(), w.b.NextDeadline())
		if len(w.wire) > 0 {
			next = min(next, w.wire[0].at)
		}
		if next > end {
			w.now = end
			return
		}
		w.now = max(w.now, next)
		w.a.Advance(w.now)
		w.b.Advance(w.now)
		for len(w.wire) > 0 && w.wire[0].at <= w.now {
			p := w.wire[0]
			w.wire = w.wire[1:]
			p.to.InputBytes(w.now, 1, p.packet)
		}
	}
}

// check fails the test unless both hosts are in order.
func (w *world) check() {
	w.t.Helper()
	for _, s := range []*Stack{w.a, w.b} {
		checkCounters(w.t, s)
		if err := s.TCP().CheckInvariants(); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) listen(s *Stack, port uint16) tcp.ListenerID {
	w.t.Helper()
	l, err := s.TCP().Listen(w.now, tcp.ListenOptions{Port: port, Backlog: 16})
	if err != 0 {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) open(s *Stack, remote string) tcp.ConnID {
	w.t.Helper()
	to := mustAddrPort(remote)
	src, err := s.Source(to.Addr())
	if err != 0 {
		w.t.Fatal(err)
	}
	zone, err := s.Zone(src, to.Addr())
	if err != 0 {
		w.t.Fatal(err)
	}
	id, err := s.TCP().Open(w.now, tcp.OpenOptions{Tuple: tcp.Tuple{
		Local: wire.AddrFrom(src), Remote: wire.AddrFrom(to.Addr()), RemotePort: to.Port(), Zone: zone,
	}})
	if err != 0 {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) accept(s *Stack, l tcp.ListenerID) tcp.ConnID {
	w.t.Helper()
	id, err := s.TCP().Accept(w.now, l)
	if err != 0 {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) wantState(s *Stack, id tcp.ConnID, want tcp.State) {
	w.t.Helper()
	if st, err := s.TCP().Status(w.now, id); err != 0 || st.State != want {
		w.t.Errorf("state %v (%v), want %v", st.State, err, want)
	}
}

// From the first SYN to the end, over every kind of address.
func TestConversation(t *testing.T) {
	for _, remote := range []string{"192.0.2.2:80", "[2001:db8:1::2]:80", "[fe80::2%eth0]:80"} {
		w := newWorld(t)
		l := w.listen(w.b, 80)
		c := w.open(w.a, remote)
		w.run(100 * time.Millisecond)
		s := w.accept(w.b, l)
		w.wantState(w.a, c, tcp.StateEstablished)
		w.wantState(w.b, s, tcp.StateEstablished)

		text := bytes.Repeat([]byte("To be, or not to be. "), 2000)
		if n, err := w.a.TCP().Send(w.now, c, text, 0); n != len(text) || err != 0 {
			t.Fatalf("%s: sent %d of %d, %v", remote, n, len(text), err)
		}
		w.run(time.Second)
		got := make([]byte, len(text)+1)
		n, err := w.b.TCP().Receive(w.now, s, got, 0)
		if err != 0 || !bytes.Equal(got[:n], text) {
			t.Errorf("%s: received %d bytes of %d, %v", remote, n, len(text), err)
		}
		w.a.TCP().Shutdown(w.now, c)
		w.b.TCP().Shutdown(w.now, s)
		w.run(time.Second)
		w.check()
		if w.sent < 3+len(text)/1460+4 {
			t.Errorf("%s: %d packets in all", remote, w.sent)
		}
		if w.a.counters.Out != w.b.counters.In || w.b.counters.Out != w.a.counters.In {
			t.Errorf("%s: packets out %d and %d, in %d and %d", remote, w.a.counters.Out, w.b.counters.Out, w.a.counters.In, w.b.counters.In)
		}
	}
}

// A port that nobody serves: the SYN is refused at once.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	c := w.open(w.a, "192.0.2.2:81")
	w.run(100 * time.Millisecond)
	if err := w.a.TCP().TakeError(c); err != tcp.ErrRefused {
		t.Errorf("%v, want %v", err, tcp.ErrRefused)
	}
	w.check()
}

// firstPacket returns the first packet that a host sends, as a router would quote it.
func (w *world) firstPacket(s *Stack) []byte {
	w.t.Helper()
	packets := output(s, w.now)
	if len(packets) == 0 {
		w.t.Fatal("nothing sent")
	}
	return packets[0].b
}

// A SYN that meets an ICMP error fails with what the error says.
// Shows: RFC 9293 MUST-54, MUST-56.
func TestUnreachable(t *testing.T) {
	for _, c := range []struct {
		remote    string
		typ, code uint8
		want      tcp.Error
	}{
		{"192.0.2.2:80", 3, 0, tcp.ErrNetUnreachable},
		{"192.0.2.2:80", 3, 1, tcp.ErrHostUnreachable},
		{"192.0.2.2:80", 3, 2, tcp.ErrPortUnreachable},
		{"192.0.2.2:80", 3, 3, tcp.ErrPortUnreachable},
		{"192.0.2.2:80", 3, 13, tcp.ErrHostUnreachable},
		{"192.0.2.2:80", 11, 0, tcp.ErrHostUnreachable},
		{"[2001:db8:1::2]:80", 1, 0, tcp.ErrNetUnreachable},
		{"[2001:db8:1::2]:80", 1, 3, tcp.ErrHostUnreachable},
		{"[2001:db8:1::2]:80", 1, 4, tcp.ErrPortUnreachable},
		{"[2001:db8:1::2]:80", 3, 0, tcp.ErrHostUnreachable},
	} {
		w := newWorld(t)
		id := w.open(w.a, c.remote)
		quote := w.firstPacket(w.a)
		src, dst := "203.0.113.1", "192.0.2.1"
		if quote[0]>>4 == 6 {
			src, dst = "2001:db8:77::1", "2001:db8:1::1"
		}
		w.a.InputBytes(w.now, 1, icmpPacket(src, dst, c.typ, c.code, 0, quote))
		if err := w.a.TCP().TakeError(id); err != c.want {
			t.Errorf("%s, type %d code %d: %v, want %v", c.remote, c.typ, c.code, err, c.want)
		}
		if w.a.counters.Accepted != 1 {
			t.Errorf("%s: %s", c.remote, drops(w.a))
		}
	}
}

// established is a connection from a to b, port 80, with one segment that is
// in flight and lost.
func (w *world) established(remote string, n int) (id tcp.ConnID, inFlight []byte) {
	w.t.Helper()
	l := w.listen(w.b, 80)
	id = w.open(w.a, remote)
	w.run(100 * time.Millisecond)
	w.accept(w.b, l)
	w.a.TCP().Send(w.now, id, make([]byte, n), 0)
	return id, w.firstPacket(w.a)
}

// RFC 5927: nobody who can't see the connection ends it or shrinks its
// segments; RFC 1191, RFC 8201: a router on the path does the latter.
// Shows: RFC 7323 5.7.
func TestPacketTooBig(t *testing.T) {
	for _, c := range []struct {
		remote    string
		typ, code uint8
		router    string
		mtu       uint32
		want      int // of the path, afterwards
		reason    wire.Reason
	}{
		{"192.0.2.2:80", 3, 4, "203.0.113.1", 1400, 1400, wire.Accepted},
		{"192.0.2.2:80", 3, 4, "203.0.113.1", 68, 576, wire.Accepted},
		{"192.0.2.2:80", 3, 4, "203.0.113.1", 0, 1492, wire.Accepted},
		{"192.0.2.2:80", 3, 4, "203.0.113.1", 9000, 1500, wire.Accepted},
		{"[2001:db8:1::2]:80", 2, 0, "2001:db8:77::1", 1280, 1280, wire.Accepted},
		{"[2001:db8:1::2]:80", 2, 0, "2001:db8:77::1", 1279, 1500, wire.DropICMPQuote},
		{"[2001:db8:1::2]:80", 2, 0, "2001:db8:77::1", 1 << 31, 1500, wire.Accepted},
	} {
		w := newWorld(t)
		id, quote := w.established(c.remote, 20000)
		src := mustAddrPort(c.remote).Addr()
		local, _ := w.a.Source(src)
		tuple := tcp.Tuple{Local: wire.AddrFrom(local), Remote: wire.AddrFrom(src)}
		header := wire.IPHeaderLen(tuple.Local)

		// A sweep that guesses sequence numbers gets nowhere.
		for guess := uint32(0); guess < 1<<32-1<<27; guess += 1 << 27 {
			forged := append([]byte(nil), quote[:header+8]...)
			forged[header+4] += byte(guess>>24) + 8
			w.a.InputBytes(w.now, 1, icmpPacket(c.router, local.String(), c.typ, c.code, c.mtu, forged))
		}
		if path, _ := w.a.Path(&tuple); path.MTU != 1500 || w.a.counters.Drops[wire.DropICMPQuote] != 31 {
			t.Fatalf("%s: a blind sweep made the MTU %d; %s", c.remote, path.MTU, drops(w.a))
		}

		before := w.a.counters.Drops[c.reason] + w.a.counters.Accepted
		w.a.InputBytes(w.now, 1, icmpPacket(c.router, local.String(), c.typ, c.code, c.mtu, quote[:header+8]))
		path, _ := w.a.Path(&tuple)
		if path.MTU != c.want || w.a.counters.Drops[c.reason]+w.a.counters.Accepted != before+1 {
			t.Errorf("%s, MTU field %d: path MTU %d, want %d; %s", c.remote, c.mtu, path.MTU, c.want, drops(w.a))
		}
		// What is sent now fits, and everything arrives.
		largest := 0
		w.drop = func(from *Stack, packet []byte) bool {
			largest = max(largest, len(packet))
			return false
		}
		w.run(5 * time.Second)
		if largest != c.want {
			t.Errorf("%s, MTU field %d: largest packet afterwards %d, want %d", c.remote, c.mtu, largest, c.want)
		}
		if st, _ := w.a.TCP().Status(w.now, id); st.SendQueue != 0 {
			t.Errorf("%s, MTU field %d: %d bytes not acknowledged", c.remote, c.mtu, st.SendQueue)
		}
		w.check()
	}
}

// RFC 5927 §5.2: hard errors are soft in synchronised states.
// Shows: RFC 9293 MUST-54, MUST-56.
func TestHardErrorsAreSoft(t *testing.T) {
	w := newWorld(t)
	id, quote := w.established("192.0.2.2:80", 100)
	for code := range uint8(16) {
		if code != 4 {
			w.a.InputBytes(w.now, 1, icmpPacket("192.0.2.2", "192.0.2.1", 3, code, 0, quote))
		}
	}
	w.run(time.Second)
	w.wantState(w.a, id, tcp.StateEstablished)
	if st, _ := w.a.TCP().Status(w.now, id); st.SendQueue != 0 {
		t.Errorf("%d bytes not acknowledged", st.SendQueue)
	}
	w.check()
}

// A stack and its clone say the same, and then go their own ways.
func TestClone(t *testing.T) {
	w := newWorld(t)
	id, quote := w.established("192.0.2.2:80", 20000)
	s := w.a
	s.InputBytes(w.now, 1, icmpPacket("192.0.2.2", "192.0.2.1", 8, 0, 7, []byte("abc")))
	c := s.Clone()
	if !bytes.Equal(s.AppendState(nil, w.now), c.AppendState(nil, w.now)) {
		t.Fatal("the clone's state differs")
	}
	dead := s.Clone()
	dead.TCP().Abort(w.now, id)
	w.wantState(s, id, tcp.StateEstablished)
	ptb := icmpPacket("203.0.113.1", "192.0.2.1", 3, 4, 1300, quote)
	s.InputBytes(w.now, 1, ptb)
	if bytes.Equal(s.AppendState(nil, w.now), c.AppendState(nil, w.now)) {
		t.Error("the state does not show the path's MTU")
	}
	tuple := tcp.Tuple{Local: wireAddr("192.0.2.1"), Remote: wireAddr("192.0.2.2")}
	if path, _ := c.Path(&tuple); path.MTU != 1500 {
		t.Errorf("what the original learnt the clone knows: %d", path.MTU)
	}
	c.InputBytes(w.now, 1, ptb)
	c = c.Clone() // of one that knows a path
	for range 50 {
		x, y := output(s, w.now), output(c, w.now)
		if len(x) != len(y) {
			t.Fatalf("original sends %d packets, clone %d", len(x), len(y))
		}
		for i := range x {
			if x[i].link != y[i].link || !bytes.Equal(x[i].b, y[i].b) {
				t.Fatalf("packet %d: original %x, clone %x", i, x[i].b, y[i].b)
			}
		}
		if next := s.NextDeadline(); next != c.NextDeadline() {
			t.Fatalf("deadlines %d and %d", next, c.NextDeadline())
		} else if next == tcp.Never {
			break
		} else {
			w.now = next
		}
		s.Advance(w.now)
		c.Advance(w.now)
	}
	if !bytes.Equal(s.AppendState(nil, w.now), c.AppendState(nil, w.now)) {
		t.Error("the states differ in the end")
	}
}
