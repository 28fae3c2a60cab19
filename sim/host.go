package sim

import (
	"fmt"
	"net/netip"

	"estab/inet"
	"estab/internal/wire"
	"estab/tcp"
)

// Host is a host of a world: an unmodified [inet.Stack], and the programs that
// run on it.
type Host struct {
	Name  string
	Addrs []netip.Addr // IPv4, IPv6

	w      *World
	index  int
	cfg    HostConfig
	stack  *inet.Stack
	up     bool
	boots  int
	ports  []*port // by link
	links  []inet.LinkConfig
	routes map[*Host]inet.LinkID // of a host with several links: which leads where
	apps   []App                 // by tag-1
	inLoop bool
}

// HostConfig is what a host is made with. Its secret comes from the world's
// seed unless it is set; a host that restarts draws a new one. TCP.Events may
// be a ring, which then tells of this host what the ring of a live host tells.
type HostConfig struct {
	TCP tcp.Config
}

// App is a program on a host. Its connections and listeners carry its tag.
type App interface {
	// Ready is called when a connection or listener of the program's is ready.
	Ready(h *Host, r tcp.Ready)
}

// Host adds a host. Its addresses are 10.0.0.n and fd00::n, n counting from 1.
func (w *World) Host(name string, cfg HostConfig) *Host {
	n := len(w.hosts) + 1
	h := &Host{Name: name, w: w, index: n, cfg: cfg, Addrs: addresses(0, n)}
	w.hosts = append(w.hosts, h)
	h.boot()
	return h
}

// boot starts the host, or starts it again with a fresh secret and an empty
// memory.
func (h *Host) boot() {
	cfg := h.cfg.TCP
	if cfg.Secret == ([32]byte{}) || h.boots > 0 {
		cfg.Secret = h.w.secret(uint64(h.index)<<32 | uint64(h.boots))
	}
	h.boots++
	s, err := inet.New(inet.Config{TCP: cfg})
	if err != nil {
		h.w.fail(h, err)
		return
	}
	h.stack, h.up = s, true
	for _, l := range h.links {
		if _, err := s.AddLink(l); err != nil {
			h.w.fail(h, err)
		}
	}
	for _, to := range h.w.hosts { // in this order, whatever the map's
		if link, ok := h.routes[to]; ok {
			h.addRoute(to, link)
		}
	}
}

// Crash takes the host down: its memory is lost, nothing is sent, and its
// programs are gone.
func (h *Host) Crash() {
	h.up, h.apps = false, nil
	h.w.crashes++
}

// Restart brings a crashed host up again, at its old addresses.
func (h *Host) Restart() { h.boot() }

// Up reports whether the host runs, and Boots how often it was started.
func (h *Host) Up() bool   { return h.up }
func (h *Host) Boots() int { return h.boots }

// Stack is the host's stack. After calls on it, Flush sends what they caused.
func (h *Host) Stack() *inet.Stack { return h.stack }

// TCP is the host's engine. After calls on it, Flush sends what they caused.
func (h *Host) TCP() *tcp.Engine { return h.stack.TCP() }

// World is the host's world.
func (h *Host) World() *World { return h.w }

// Start gives a program a tag.
func (h *Host) Start(a App) (tag uint32) {
	h.apps = append(h.apps, a)
	return uint32(len(h.apps))
}

// Flush sends what calls on the engine have caused, and tells the programs
// whose connections became ready.
func (h *Host) Flush() { h.flush() }

func (h *Host) flush() {
	if h.inLoop || !h.up {
		return // the outer call will do it
	}
	h.inLoop = true
	for h.up {
		h.stack.Output(h.w.now, h)
		h.check()
		r, ok := h.TCP().NextReady()
		if !ok {
			if h.stack.Pending() {
				continue
			}
			break
		}
		if i := int(r.Tag) - 1; i >= 0 && i < len(h.apps) {
			h.apps[i].Ready(h, r)
		}
	}
	h.inLoop = false
}

// check looks at the engine's invariants, if it is their turn.
func (h *Host) check() {
	if h.w.since++; h.w.since >= h.w.every {
		h.w.since = 0
		h.w.fail(h, h.TCP().CheckInvariants())
	}
}

// Room and Send make a host its stack's Outbox.
func (h *Host) Room(link inet.LinkID) bool { return true }

// Send hands a packet to the path of the link.
func (h *Host) Send(link inet.LinkID, p *wire.Slab) {
	if link == inet.Loopback {
		boot := h.boots
		h.w.At(h.w.now, func() {
			if h.boots == boot {
				h.receive(inet.Loopback, p)
			}
		})
		return
	}
	h.ports[link-1].send(p)
}

func (h *Host) arrive(q *port, p *wire.Slab) { h.receive(q.link, p) }

func (h *Host) receive(link inet.LinkID, p *wire.Slab) {
	if !h.up {
		return // with the memory of the host that would have taken it
	}
	h.stack.Input(h.w.now, link, p)
	h.flush()
}

// Inject lets a packet arrive at the host, as if a third party had sent it.
func (h *Host) Inject(b []byte) {
	if !h.up || len(h.links) == 0 {
		return
	}
	p := h.stack.Pool().Get(len(b))
	p.Append(b)
	h.receive(1, p)
}

// addLink gives the host its end of a path.
func (h *Host) addLink(mtu int) inet.LinkID {
	l := inet.LinkConfig{Name: fmt.Sprintf("eth%d", len(h.links)), MTU: mtu}
	if len(h.links) == 0 {
		l.Addrs = []netip.Prefix{netip.PrefixFrom(h.Addrs[0], 8), netip.PrefixFrom(h.Addrs[1], 64)}
	}
	h.links = append(h.links, l)
	id, err := h.stack.AddLink(l)
	h.w.fail(h, err)
	return id
}

func (h *Host) attach(q *port, mtu int) {
	q.rev.link = h.addLink(mtu)
	h.ports = append(h.ports, q)
}

// learn finds out which link leads to which host, if there is a choice.
func (h *Host) learn() {
	if len(h.ports) < 2 {
		return
	}
	if h.routes == nil {
		h.routes = map[*Host]inet.LinkID{}
	}
	ways(h, h.ports, func(to *Host, via *port) {
		if _, known := h.routes[to]; !known {
			h.routes[to] = via.rev.link
			h.addRoute(to, via.rev.link)
		}
	})
}

func (h *Host) addRoute(to *Host, link inet.LinkID) {
	for _, a := range to.Addrs {
		h.w.fail(h, h.stack.AddRoute(netip.PrefixFrom(a, a.BitLen()), netip.Addr{}, link))
	}
}

func (h *Host) slabs() *wire.Pool { return h.stack.Pool() }
