package sim_test

import (
	"testing"
	"time"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// pair is two hosts with a program each, and one connection between them.
type pair struct {
	t      *testing.T
	w      *sim.World
	a, b   *sim.Host
	ta, tb *sim.Talker
}

// newPair makes the hosts; the paths are the test's.
func newPair(t *testing.T, a, b tcp.Config) *pair {
	p := &pair{t: t, w: sim.New(1)}
	p.a, p.b = p.w.Host("A", sim.HostConfig{TCP: a}), p.w.Host("B", sim.HostConfig{TCP: b})
	return p
}

// narrow puts a hop between two routers that takes less than the links of the
// hosts.
func (p *pair) narrow(c sim.RouterConfig, mtu int) {
	r, s := p.w.Router("R", c), p.w.Router("S", c)
	p.w.Connect(p.a, r, sim.PathConfig{})
	p.w.Connect(r, s, sim.PathConfig{MTU: mtu})
	p.w.Connect(s, p.b, sim.PathConfig{})
}

// start lets A connect to B; family 0 is IPv4.
func (p *pair) start(family int, plans [2]sim.Plan) {
	p.t.Helper()
	p.ta, p.tb = sim.NewTalker(p.a, plans[0], 1, 2), sim.NewTalker(p.b, plans[1], 2, 1)
	acc := &acceptor{talker: p.tb}
	acc.listener, _ = p.b.TCP().Listen(p.w.Now(), tcp.ListenOptions{Port: 80, Tag: p.b.Start(acc)})
	id, err := p.a.TCP().Open(p.w.Now(), tcp.OpenOptions{Tag: p.ta.Tag(), Tuple: wire.Tuple{
		Local: wire.AddrFrom(p.a.Addrs[family]), Remote: wire.AddrFrom(p.b.Addrs[family]), RemotePort: 80}})
	if err != 0 {
		p.t.Fatal(err)
	}
	p.ta.Attach(id)
	p.a.Flush()
}

// finish runs the world to its end; both streams must have arrived.
func (p *pair) finish() {
	p.t.Helper()
	if !p.w.Run(24 * time.Hour) {
		p.t.Fatalf("not at rest: %v", p.w.Err())
	}
	for _, x := range [][2]*sim.Talker{{p.ta, p.tb}, {p.tb, p.ta}} {
		if x[0].Wrong != nil || x[0].Err != 0 || x[0].Received != x[1].Plan.Send || !x[0].EOF {
			p.t.Errorf("received %d of %d, end %v, %v, %v", x[0].Received, x[1].Plan.Send, x[0].EOF, x[0].Err, x[0].Wrong)
		}
	}
	if n, ok := p.w.Buffers(); !ok || n != 0 {
		p.t.Errorf("%d buffers are in use", n)
	}
}

var transfer = [2]sim.Plan{{Send: 100_000, Chunk: 5000, Read: 5000, HalfClose: true}, {Send: 50, Chunk: 50, Read: 5000}}

// A router tells the sender what the next hop takes (RFC 1191, RFC 8201), and
// nothing larger is sent again.
func TestRouterTellsMTU(t *testing.T) {
	for family := range 2 {
		p := newPair(t, tcp.Config{}, tcp.Config{})
		p.narrow(sim.RouterConfig{}, 1300)
		large, told := 0, 0
		p.w.Tap(func(k sim.Packet) {
			if len(k.Data) > 1300 {
				large++
			}
			if k.From == nil && k.To == p.a && len(k.Data) > 500 {
				told++
			}
		})
		p.start(family, transfer)
		p.finish()
		if told == 0 || large == 0 || large > 20 {
			t.Errorf("family %d: %d packets were too large, the router said so %d times", family, large, told)
		}
		if p.a.TCP().Counters().MTUReductions == 0 || p.a.TCP().Counters().RTOs > 0 {
			t.Errorf("family %d: %+v", family, p.a.TCP().Counters())
		}
	}
}

// A black hole swallows what is too large and says nothing. The transfer
// survives it, whoever opened the connection, after three time-outs for each
// size that is tried; then the segments have the largest size that passes, and
// nothing more is swallowed.
func TestBlackHole(t *testing.T) {
	sizes := []int{1220, 1024, 536}
	for _, hole := range []int{1499, 1300, 1280, 1279, 1200, 1000, 600} {
		for family := range 2 {
			header, steps := 40+20*family, 0
			for sizes[steps]+header > hole {
				steps++
			}
			mss, want := sizes[steps], uint64(steps+1)
			for role, plans := range [][2]sim.Plan{transfer, {transfer[1], transfer[0]}} {
				for _, options := range []bool{true, false} {
					p := newPair(t, tcp.Config{NoTimestamps: !options, NoSACK: !options}, tcp.Config{})
					p.narrow(sim.RouterConfig{Silent: true}, hole)
					sender := [...]*sim.Host{p.a, p.b}[role]
					swallowed, passed := 0, 0
					p.w.Tap(func(k sim.Packet) {
						if k.From == sender && len(k.Data) > hole {
							swallowed++
						} else if k.From == sender {
							passed = max(passed, len(k.Data))
						}
					})
					p.start(family, plans)
					p.finish()
					k := sender.TCP().Counters()
					if k.MTUReductions != want || k.RTOs != 3*want || passed != mss+header || swallowed == 0 {
						t.Errorf("hole %d, family %d, sender %d, options %v: %d reductions, %d time-outs, want %d and %d; %d bytes passed, want %d",
							hole, family, role, options, k.MTUReductions, k.RTOs, want, 3*want, passed, mss+header)
					}
				}
			}
		}
	}
}

// Three hosts behind two routers, and one with two paths of its own.
func TestRoutes(t *testing.T) {
	w := sim.New(1)
	var h [3]*sim.Host
	for i := range h {
		h[i] = w.Host(string(rune('A'+i)), sim.HostConfig{})
	}
	r, s := w.Router("R", sim.RouterConfig{}), w.Router("S", sim.RouterConfig{})
	w.Connect(h[0], r, sim.PathConfig{})
	w.Connect(r, s, sim.PathConfig{})
	w.Connect(s, h[1], sim.PathConfig{})
	direct := w.Connect(h[0], h[2], sim.PathConfig{})
	used := 0
	w.Tap(func(p sim.Packet) {
		if p.Path == direct {
			used++
		}
	})
	for i := 1; i < 3; i++ {
		if _, err := h[i].TCP().Listen(w.Now(), tcp.ListenOptions{Port: 80}); err != 0 {
			t.Fatal(err)
		}
		id, err := h[0].TCP().Open(w.Now(), tcp.OpenOptions{Tuple: wire.Tuple{
			Local: wire.AddrFrom(h[0].Addrs[0]), Remote: wire.AddrFrom(h[i].Addrs[0]), RemotePort: 80}})
		if err != 0 {
			t.Fatal(err)
		}
		h[0].Flush()
		w.RunUntil(w.Now().Add(10 * time.Millisecond))
		if st, _ := h[0].TCP().Status(w.Now(), id); st.State != tcp.StateEstablished {
			t.Errorf("the connection to %s is in %v", h[i].Name, st.State)
		}
	}
	if used != 3 {
		t.Errorf("%d packets took the direct path, want 3", used)
	}
}

// A segment that is held back comes after everything else is over, and the
// receiver has no use for it.
func TestHeldBack(t *testing.T) {
	p := newPair(t, tcp.Config{}, tcp.Config{})
	path := p.w.Connect(p.a, p.b, sim.PathConfig{AB: delay(time.Millisecond), BA: delay(time.Millisecond)})
	n := 0
	path.Hold(func(k sim.Packet) bool {
		if k.From == p.a {
			n++
		}
		return k.From == p.a && n == 3 // the first text
	})
	shown := 0
	p.w.Tap(func(k sim.Packet) {
		if k.Held {
			shown++
		}
	})
	p.start(0, transfer)
	p.w.RunUntil(p.w.Now().Add(5 * time.Second))
	if !p.ta.Closed || !p.tb.Closed || path.Held() != 1 {
		t.Fatalf("closed %v and %v, held %d", p.ta.Closed, p.tb.Closed, path.Held())
	}
	path.Release()
	p.finish()
	if shown != 2 {
		t.Errorf("the packet was shown %d times, want 2", shown)
	}
}

func delay(d time.Duration) netem.Model { return netem.Model{Delay: netem.Delay{Mean: int64(d)}} }

// A partition that is shorter than R2 delays, and no more.
func TestPartition(t *testing.T) {
	p := newPair(t, tcp.Config{}, tcp.Config{})
	path := p.w.Connect(p.a, p.b, sim.PathConfig{AB: delay(10 * time.Millisecond), BA: delay(10 * time.Millisecond)})
	p.start(0, transfer)
	p.w.After(45*time.Millisecond, path.Cut)
	p.w.After(time.Minute, path.Join)
	p.finish()
	if p.a.TCP().Counters().RTOs < 3 {
		t.Errorf("%d time-outs", p.a.TCP().Counters().RTOs)
	}
}

// A host that crashes and comes back answers the old connection's text with a
// RST (RFC 9293 §3.5.1, figure 10's end).
func TestCrash(t *testing.T) {
	p := newPair(t, tcp.Config{}, tcp.Config{})
	p.w.Connect(p.a, p.b, sim.PathConfig{AB: delay(10 * time.Millisecond), BA: delay(10 * time.Millisecond)})
	p.start(0, transfer)
	p.w.After(50*time.Millisecond, p.b.Crash)
	p.w.After(time.Second, p.b.Restart)
	if !p.w.Run(time.Hour) {
		t.Fatal("not at rest")
	}
	if p.ta.Err != tcp.ErrReset || !p.tb.Lost() || p.b.Boots() != 2 {
		t.Errorf("A ended with %v, B's program is lost: %v, B was started %d times", p.ta.Err, p.tb.Lost(), p.b.Boots())
	}
	for _, h := range p.w.Hosts() {
		if c := h.TCP().Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Timers != 0 {
			t.Errorf("%s is left with %+v", h.Name, c)
		}
	}
}

// What a path does to a packet can be changed on its way, and the ring of a
// host tells what happened there.
func TestMeddleAndEvents(t *testing.T) {
	ring := tcp.NewRing(1000, tcp.EventAll)
	p := newPair(t, tcp.Config{}, tcp.Config{Events: ring})
	lost := false
	p.w.Connect(p.a, p.b, sim.PathConfig{Meddle: func(k *sim.Packet) {
		if !lost && k.From == p.a {
			k.Fate.Drop = netem.Lost // the SYN
			lost = true
		}
	}})
	p.start(0, transfer)
	p.finish()
	if p.a.TCP().Counters().RTOs != 1 {
		t.Errorf("%d time-outs, want that of the SYN", p.a.TCP().Counters().RTOs)
	}
	seen := tcp.EventKind(0)
	var last tcp.State
	for e, ok := ring.Next(); ok; e, ok = ring.Next() {
		if seen |= e.Kind; e.Kind == tcp.EventState {
			last = e.To
		}
	}
	if want := tcp.EventState | tcp.EventIn | tcp.EventOut; seen&want != want || last != tcp.StateClosed {
		t.Errorf("events of kinds %b, the last state is %v", seen, last)
	}
}
