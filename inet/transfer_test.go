package inet

import (
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

// cable joins two stacks without delay. A buffer goes over with what is in
// it; an empty one of the other side comes back, as a link of memory does it.
type cable struct {
	now   tcp.Time
	ends  [2]*Stack
	queue [2][]*wire.Slab // what is on its way to that end
}

// side is the cable's Outbox at one end.
type side struct {
	c    *cable
	from int
}

func (s *side) Room(LinkID) bool { return true }

func (s *side) Send(_ LinkID, p *wire.Slab) {
	to := 1 - s.from
	s.c.queue[to] = append(s.c.queue[to], p)
	s.c.ends[s.from].Pool().Put(s.c.ends[to].Pool().Get(p.Len()))
}

// settle moves packets until both ends are silent.
func (c *cable) settle(sides *[2]side) {
	for busy := true; busy; {
		busy = false
		for i, s := range c.ends {
			for _, p := range c.queue[i] {
				s.Input(c.now, 1, p)
				busy = true
			}
			c.queue[i] = c.queue[i][:0]
			s.Output(c.now, &sides[i])
		}
		busy = busy || len(c.queue[0])+len(c.queue[1]) > 0
	}
}

// transfer is a connection through a cable; step moves that many bytes.
func transfer(t testing.TB, mtu int, remote string, shares bool) (step func(n int)) {
	lc := func(a ...string) LinkConfig { return LinkConfig{MTU: mtu, Addrs: prefixes(a...), Shares: shares} }
	c := &cable{now: 1, ends: [2]*Stack{
		newStack(t, 1, lc("192.0.2.1/24", "2001:db8:1::1/64")),
		newStack(t, 2, lc("192.0.2.2/24", "2001:db8:1::2/64")),
	}}
	sides := [2]side{{c, 0}, {c, 1}}
	a, b := c.ends[0], c.ends[1]
	l, err := b.TCP().Listen(1, tcp.ListenOptions{Port: 80, Backlog: 1})
	if err != 0 {
		t.Fatal(err)
	}
	to := mustAddrPort(remote)
	src, _ := a.Source(to.Addr())
	id, err := a.TCP().Open(1, tcp.OpenOptions{Tuple: tcp.Tuple{Local: wire.AddrFrom(src), Remote: wire.AddrFrom(to.Addr()), RemotePort: 80}})
	if err != 0 {
		t.Fatal(err)
	}
	c.settle(&sides)
	peer, err := b.TCP().Accept(1, l)
	if err != 0 {
		t.Fatal(err)
	}
	text, sink := make([]byte, 64<<10), make([]byte, 64<<10)
	return func(n int) {
		sent, got := 0, 0
		for stuck := 0; got < n; stuck++ {
			c.now += 1000
			k, err := a.TCP().Send(c.now, id, text[:min(len(text), n-sent)], 0)
			if err != 0 {
				t.Fatal(err)
			}
			sent += k
			c.settle(&sides)
			for {
				r, err := b.TCP().Receive(c.now, peer, sink, 0)
				if err != 0 {
					t.Fatal(err)
				}
				if r == 0 {
					break
				}
				got, stuck = got+r, 0
			}
			for {
				if _, ok := a.TCP().NextReady(); !ok {
					break
				}
			}
			for {
				if _, ok := b.TCP().NextReady(); !ok {
					break
				}
			}
			c.settle(&sides)
			if stuck > 1000 {
				t.Fatalf("stuck: %d sent, %d received of %d", sent, got, n)
			}
			for _, s := range c.ends {
				if s.NextDeadline() <= c.now {
					s.Advance(c.now)
				}
			}
		}
	}
}

// Once it runs, a connection allocates nothing, whatever passes.
func TestTransferAllocatesNothing(t *testing.T) {
	for _, remote := range []string{"192.0.2.2:80", "[2001:db8:1::2]:80"} {
		for _, mtu := range []int{1500, 65535} {
			for _, shares := range []bool{false, true} {
				step := transfer(t, mtu, remote, shares)
				step(64 << 20)
				if n := testing.AllocsPerRun(20, func() { step(1 << 20) }); n != 0 {
					t.Errorf("%s, MTU %d, shares %v: %v allocations for each MiB", remote, mtu, shares, n)
				}
			}
		}
	}
}

func BenchmarkTransfer(b *testing.B) {
	for _, c := range []struct {
		name, remote string
		mtu          int
		shares       bool
	}{
		{"v4/1500", "192.0.2.2:80", 1500, false}, {"v4/65535", "192.0.2.2:80", 65535, false},
		{"v4/65535/shares", "192.0.2.2:80", 65535, true}, {"v6/1500", "[2001:db8:1::2]:80", 1500, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			step := transfer(b, c.mtu, c.remote, c.shares)
			step(16 << 20)
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				step(1 << 20)
			}
		})
	}
}
