package sim

import (
	"fmt"
	"net/netip"

	"estab/inet"
	"estab/internal/netem"
	"estab/internal/wire"
	"estab/tcp"
)

// Host is a host of a world.
type Host struct {
	Name  string
	Addrs []netip.Addr // IPv4, IPv6

	w      *World
	cfg    HostConfig
	stack  *inet.Stack
	up     bool
	boots  uint64
	ports  map[inet.LinkID]*port
	links  []inet.LinkConfig
	pool   wire.Pool
	apps   []App // by tag-1
	inLoop bool
}

// HostConfig is what a host is made with. Its secret comes from the world's
// seed unless it is set.
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
	h := &Host{
		Name: name, w: w, cfg: cfg, ports: map[inet.LinkID]*port{},
		Addrs: []netip.Addr{
			netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}),
			netip.MustParseAddr(fmt.Sprintf("fd00::%x", n)),
		},
	}
	w.hosts = append(w.hosts, h)
	h.boot()
	return h
}

// boot starts the host, or starts it again with a fresh secret and an empty
// memory.
func (h *Host) boot() {
	cfg := h.cfg.TCP
	if cfg.Secret == ([32]byte{}) || h.boots > 0 {
		cfg.Secret = h.w.secret(uint64(len(h.w.hosts))<<32 | h.boots)
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
}

// Crash takes the host down: its memory is lost, nothing is sent.
func (h *Host) Crash() { h.up, h.apps = false, nil }

// Restart brings a crashed host up again, at its old addresses.
func (h *Host) Restart() { h.boot() }

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
	defer func() { h.inLoop = false }()
	for h.up {
		h.stack.Output(h.w.now, h)
		h.w.fail(h, h.TCP().CheckInvariants())
		r, ok := h.TCP().NextReady()
		if !ok {
			if h.stack.Pending() {
				continue
			}
			return
		}
		if i := int(r.Tag) - 1; i >= 0 && i < len(h.apps) {
			h.apps[i].Ready(h, r)
		}
	}
}

// Alloc and Send make a host its stack's Outbox.
func (h *Host) Alloc(link inet.LinkID, n int) *wire.Slab { return h.pool.Get(n) }

// Send hands a packet to the path of the link.
func (h *Host) Send(link inet.LinkID, p *wire.Slab) {
	if link == inet.Loopback {
		h.w.At(h.w.now, func() { h.receive(inet.Loopback, p) })
		return
	}
	h.ports[link].send(p)
}

func (h *Host) receive(link inet.LinkID, p *wire.Slab) {
	if !h.up {
		h.pool.Put(p)
		return
	}
	h.stack.Input(h.w.now, link, p)
	h.flush()
}

// Inject lets a packet arrive at the host, as if a third party had sent it.
func (h *Host) Inject(b []byte) {
	for link := range h.links {
		p := h.pool.Get(len(b))
		p.Append(b)
		h.receive(inet.LinkID(link+1), p)
		return
	}
}

// PathConfig is a path between two hosts.
type PathConfig struct {
	MTU  int         // bytes; 0: 1500
	AB   netem.Model // what happens to packets from the first host to the second
	BA   netem.Model
	Hold func(b []byte, from *Host) bool // nil, or true for a packet to keep back; see Path.Release
}

// Path joins two hosts.
type Path struct {
	ab, ba *port
	held   []heldPacket
}

type heldPacket struct {
	from *port
	p    *wire.Slab
}

// port is one end of a path.
type port struct {
	path  *Path
	cfg   *PathConfig
	from  *Host
	to    *Host
	link  inet.LinkID // at the receiver
	model *netem.Model
	state netem.State
	down  bool
}

// Connect joins two hosts by a path, and gives each the addresses of its end.
func (w *World) Connect(a, b *Host, cfg PathConfig) *Path {
	c := &cfg
	p := &Path{}
	la, lb := a.addLink(c.MTU), b.addLink(c.MTU)
	p.ab = &port{path: p, cfg: c, from: a, to: b, link: lb, model: &c.AB, state: netem.NewState(w.seed, uint64(2*w.paths))}
	p.ba = &port{path: p, cfg: c, from: b, to: a, link: la, model: &c.BA, state: netem.NewState(w.seed, uint64(2*w.paths+1))}
	a.ports[la], b.ports[lb] = p.ab, p.ba
	w.paths++
	return p
}

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

// Cut and Join make a path that was joined drop everything, and carry again.
func (p *Path) Cut()  { p.ab.down, p.ba.down = true, true }
func (p *Path) Join() { p.ab.down, p.ba.down = false, false }

// Release delivers the packets that PathConfig.Hold kept back.
func (p *Path) Release() {
	held := p.held
	p.held = nil
	for _, x := range held {
		x.from.to.receive(x.from.link, x.p)
	}
}

// Held is how many packets are kept back.
func (p *Path) Held() int { return len(p.held) }

func (q *port) send(p *wire.Slab) {
	w := q.from.w
	b := p.Bytes()
	if q.cfg.Hold != nil && q.cfg.Hold(b, q.from) {
		q.path.held = append(q.path.held, heldPacket{q, p})
		return
	}
	fate := q.state.Apply(int64(w.now), len(b), q.model)
	if q.down {
		fate = netem.Fate{Passage: netem.Passage{Drop: netem.Lost}}
	}
	if w.tap != nil {
		w.tap(Packet{Time: w.now, From: q.from, To: q.to, Data: b, Fate: fate})
	}
	if fate.Duplicated && fate.Copy.Drop == netem.NotDropped {
		q.deliver(p.Clone(), fate.Copy)
	}
	if fate.Drop != netem.NotDropped {
		q.from.pool.Put(p)
		return
	}
	q.deliver(p, fate.Passage)
}

func (q *port) deliver(p *wire.Slab, f netem.Passage) {
	f.Flip(p.Bytes())
	q.from.w.At(tcp.Time(f.At), func() { q.to.receive(q.link, p) })
}
