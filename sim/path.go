package sim

import (
	"estab/inet"
	"estab/internal/netem"
	"estab/internal/wire"
	"estab/tcp"
)

// Node is what a path can end at: a [Host] or a [Router].
type Node interface {
	arrive(q *port, p *wire.Slab) // a packet came in by q
	attach(q *port, mtu int)      // q leads away from the node
	slabs() *wire.Pool
}

// PathConfig is a path between two nodes.
type PathConfig struct {
	// MTU is the largest packet in bytes, as both ends know; 0: 1500. (A path
	// that swallows what is too large without a word is a Model with an MTU.)
	MTU    int
	AB, BA netem.Model // what happens to packets from the first node to the second, and back

	// Hold, if not nil, is asked for each packet; true keeps it back until
	// Path.Release.
	Hold func(Packet) bool

	// Meddle, if not nil, may change what becomes of a packet: the Fate that
	// the model has drawn, and the bytes.
	Meddle func(*Packet)
}

// Packet is a packet as its sender gave it to a path, and what the path does
// to it.
type Packet struct {
	Time     tcp.Time
	From, To *Host // the ends of the path; nil for a router
	Path     *Path
	Back     bool   // it goes from the second node of the path to the first
	Data     []byte // valid until the call returns
	Fate     netem.Fate

	// Held packets are shown twice: when they are sent, with no fate yet, and
	// when they are released, with the time at which they were sent.
	Held bool
}

// Path joins two nodes.
type Path struct {
	w      *World
	cfg    PathConfig
	ab, ba port
	down   bool
	held   []heldPacket
}

type heldPacket struct {
	from *port
	slab *wire.Slab
	at   tcp.Time
}

// port is one direction of a path.
type port struct {
	path     *Path
	rev      *port // the other direction
	from, to Node
	link     inet.LinkID // at the receiver, if that is a host
	model    *netem.Model
	state    netem.State
}

// Connect joins two nodes by a path.
func (w *World) Connect(a, b Node, cfg PathConfig) *Path {
	if cfg.MTU == 0 {
		cfg.MTU = 1500
	}
	p := &Path{w: w, cfg: cfg}
	n := uint64(2 * len(w.paths))
	p.ab = port{path: p, rev: &p.ba, from: a, to: b, model: &p.cfg.AB, state: netem.NewState(w.seed, n)}
	p.ba = port{path: p, rev: &p.ab, from: b, to: a, model: &p.cfg.BA, state: netem.NewState(w.seed, n+1)}
	a.attach(&p.ab, cfg.MTU)
	b.attach(&p.ba, cfg.MTU)
	w.paths = append(w.paths, p)
	for _, r := range w.routers {
		r.routes = nil // to be found again
	}
	for _, h := range w.hosts {
		h.learn()
	}
	return p
}

// Cut makes a path drop everything, Join makes it carry again. What is under
// way arrives.
func (p *Path) Cut()  { p.down = true }
func (p *Path) Join() { p.down = false }

// Change replaces what happens to packets from now on.
func (p *Path) Change(ab, ba netem.Model) { p.cfg.AB, p.cfg.BA = ab, ba }

// Hold replaces PathConfig.Hold.
func (p *Path) Hold(f func(Packet) bool) { p.cfg.Hold = f }

// Held is how many packets are kept back.
func (p *Path) Held() int { return len(p.held) }

// Release delivers, in their order and at once, the packets kept back.
func (p *Path) Release() {
	for _, x := range p.held {
		if p.w.tap != nil {
			k := x.from.packet(x.slab.Bytes())
			k.Held, k.Time, k.Fate.At = true, x.at, int64(p.w.now)
			p.w.tap(k)
		}
		p.w.queue.push(event{at: p.w.now, port: x.from, slab: x.slab})
	}
	p.held = nil
}

// packet describes what is about to pass.
func (q *port) packet(b []byte) Packet {
	p := Packet{Time: q.path.w.now, Path: q.path, Back: q == &q.path.ba, Data: b}
	p.From, _ = q.from.(*Host)
	p.To, _ = q.to.(*Host)
	return p
}

// send sends a packet on its way.
func (q *port) send(s *wire.Slab) {
	w, c := q.path.w, &q.path.cfg
	if c.Hold != nil && c.Hold(q.packet(s.Bytes())) {
		q.hold(s)
		return
	}
	fate := q.state.Apply(int64(w.now), s.Len(), q.model)
	if q.path.down {
		fate = netem.Fate{Passage: netem.Passage{Drop: netem.Lost}}
	}
	if w.tap != nil || c.Meddle != nil {
		p := q.packet(s.Bytes())
		p.Fate = fate
		if c.Meddle != nil {
			c.Meddle(&p)
			fate = p.Fate
		}
		if w.tap != nil {
			w.tap(p)
		}
	}
	q.pass(s, &fate)
}

// hold keeps a packet back.
func (q *port) hold(s *wire.Slab) {
	w := q.path.w
	q.path.held = append(q.path.held, heldPacket{q, s, w.now})
	if w.tap != nil {
		p := q.packet(s.Bytes())
		p.Held = true
		w.tap(p)
	}
}

// pass lets the packet, and its double, meet their fate.
func (q *port) pass(s *wire.Slab, f *netem.Fate) {
	if f.Duplicated && f.Copy.Drop == netem.NotDropped {
		double := q.from.slabs().Get(s.Len())
		double.Append(s.Bytes())
		q.deliver(double, &f.Copy)
	}
	if f.Drop != netem.NotDropped {
		q.from.slabs().Put(s)
		return
	}
	q.deliver(s, &f.Passage)
}

func (q *port) deliver(s *wire.Slab, f *netem.Passage) {
	f.Flip(s.Bytes())
	w := q.path.w
	w.queue.push(event{at: max(tcp.Time(f.At), w.now), port: q, slab: s})
}
