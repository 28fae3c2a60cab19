package soak

import (
	"estab/internal/seq"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// serverPort is where the server listens.
const serverPort = 80

// run is a world of a Spec while it is played.
type run struct {
	spec  *Spec
	w     *sim.World
	hosts [2]*sim.Host
	path  *sim.Path
	rings [2]*tcp.Ring
	talks []talk
	start tcp.Time
	sent  int // packets that the two hosts sent
	ghost bool

	atRest bool // nothing is left to happen
}

// talk is a connection of the world.
type talk struct {
	plan   *Talk
	flow   tcp.Tuple // as the client sees it
	iss    tcp.Num   // the client's
	opened bool
	sent   int       // segments
	err    tcp.Error // of Open
	ends   [2]end
}

// end is one end of a connection.
type end struct {
	talker   *sim.Talker
	attached tcp.Time
	fate     fate
	reset    tcp.Time // when it first sent a RST; 0: never
	resets   tcp.Time // when it last did
	high     seq.Num  // the end of what the other end has sent to it
	ack      seq.Num  // of the latest of that
	heard    bool     // high and ack are known
}

// play plays the world until nothing is left to happen, or for limit. A ring
// size above 0 keeps all events.
func play(s *Spec, o *Options, ringSize int) *run {
	r := &run{spec: s, w: sim.New(s.Seed), talks: make([]talk, len(s.Talks))}
	r.w.CheckEvery(max(o.CheckEvery, 1))
	for i, name := range [2]string{"client", "server"} {
		c := s.Hosts[i]
		r.rings[i] = tcp.NewRing(64*(1+len(s.Talks)), tcp.EventState|tcp.EventClosed)
		if ringSize > 0 {
			r.rings[i] = tcp.NewRing(ringSize, tcp.EventAll)
		}
		c.Events = r.rings[i]
		r.hosts[i] = r.w.Host(name, sim.HostConfig{TCP: c})
	}
	r.connect(o)
	r.w.Tap(r.tap)
	r.start = r.w.Now()
	r.listen()
	for i := range s.Talks {
		t := &r.talks[i]
		t.plan = &s.Talks[i]
		r.w.After(t.plan.At, func() { r.open(t) })
	}
	r.plant()
	r.atRest = r.w.Run(o.limit())
	return r
}

// connect lays the path.
func (r *run) connect(o *Options) {
	s := r.spec
	c := sim.PathConfig{MTU: s.MTU, AB: s.Path[0], BA: s.Path[1], Meddle: o.Meddle}
	if s.Hop == 0 {
		r.path = r.w.Connect(r.hosts[Client], r.hosts[Server], c)
		return
	}
	near, far := r.w.Router("near", sim.RouterConfig{Silent: s.Silent}), r.w.Router("far", sim.RouterConfig{Silent: s.Silent})
	r.path = r.w.Connect(r.hosts[Client], near, c)
	r.w.Connect(near, far, sim.PathConfig{MTU: s.Hop})
	r.w.Connect(far, r.hosts[Server], sim.PathConfig{MTU: s.MTU})
}

// listen starts the server's listener.
func (r *run) listen() {
	h := r.hosts[Server]
	l := &acceptor{r: r}
	l.id, _ = h.TCP().Listen(r.w.Now(), tcp.ListenOptions{Port: serverPort, Conn: r.spec.Conns[Server], Tag: h.Start(l)})
}

// acceptor gives each connection that the listener has to its program.
type acceptor struct {
	r  *run
	id tcp.ListenerID
}

// Ready is part of sim.App.
func (l *acceptor) Ready(h *sim.Host, _ tcp.Ready) {
	for {
		id, err := h.TCP().Accept(h.World().Now(), l.id)
		if err != 0 {
			return
		}
		l.r.accept(id)
	}
}

// seeds of the streams that the two ends of a connection send.
func (r *run) streams(t *talk) (client, server uint64) {
	base := r.spec.Seed<<8 ^ uint64(t.plan.At)<<20
	return base, base ^ 1<<60
}

// open lets the client open a connection.
func (r *run) open(t *talk) {
	h := r.hosts[Client]
	if !h.Up() {
		return
	}
	family := 0
	if t.plan.IPv6 {
		family = 1
	}
	cs, ss := r.streams(t)
	p := sim.NewTalker(h, t.plan.Plans[Client], cs, ss)
	id, err := h.TCP().Open(r.w.Now(), tcp.OpenOptions{Tag: p.Tag(), Conn: r.spec.Conns[Client], Tuple: tcp.Tuple{
		Local: wire.AddrFrom(h.Addrs[family]), LocalPort: t.plan.Port,
		Remote: wire.AddrFrom(r.hosts[Server].Addrs[family]), RemotePort: serverPort}})
	if err != 0 {
		t.err = err
		return
	}
	t.opened = true
	st, _ := h.TCP().Status(r.w.Now(), id)
	t.flow, t.iss = st.Tuple, st.ISS
	t.ends[Client].talker, t.ends[Client].attached = p, r.w.Now()
	p.Attach(id)
	h.Flush()
}

// accept gives the server's end to the connection that the client opened with
// the same pair of sockets and the same initial sequence number.
func (r *run) accept(id tcp.ConnID) {
	h := r.hosts[Server]
	st, _ := h.TCP().Status(r.w.Now(), id)
	for i := len(r.talks) - 1; i >= 0; i-- {
		t := &r.talks[i]
		if !t.opened || t.flow != st.Tuple.Swap() || t.iss != st.IRS || t.ends[Server].talker != nil {
			continue
		}
		cs, ss := r.streams(t)
		p := sim.NewTalker(h, t.plan.Plans[Server], ss, cs)
		t.ends[Server].talker, t.ends[Server].attached = p, r.w.Now()
		p.Attach(id)
		return
	}
	r.ghost = true
	h.TCP().Abort(r.w.Now(), id)
}

// tap counts what the hosts send, and notes what forgers and judges need.
func (r *run) tap(p sim.Packet) {
	from := Client
	switch p.From {
	case r.hosts[Client]:
	case r.hosts[Server]:
		from = Server
	default:
		return // a router's
	}
	if p.Held && p.Fate.At != 0 {
		return // it was seen when it was sent
	}
	r.sent++
	var h wire.IPHeader
	var seg wire.Segment
	if wire.ParseIP(p.Data, &h) != wire.Accepted || h.Proto != wire.ProtoTCP ||
		wire.ParseTCP(p.Data[h.HeaderLen:h.TotalLen], &seg) != wire.Accepted {
		return
	}
	flow := tcp.Tuple{Local: h.Src, Remote: h.Dst, LocalPort: seg.RemotePort, RemotePort: seg.LocalPort}
	if from == Server {
		flow = flow.Swap()
	}
	reset := seg.Flags.Has(wire.RST)
	for i := len(r.talks) - 1; i >= 0; i-- {
		t := &r.talks[i]
		if !t.opened || t.flow != flow {
			continue
		}
		if reset { // it may be meant for any that had the pair
			if t.ends[from].resets = p.Time; t.ends[from].reset == 0 {
				t.ends[from].reset = p.Time
			}
			continue
		}
		t.sent++
		t.note(from, &seg)
		return
	}
}

// note takes a segment that an end has sent.
func (t *talk) note(from int, seg *wire.Segment) {
	to := &t.ends[1-from]
	if seg.Flags.Has(wire.SYN) || !to.heard || to.high.Less(seg.End()) {
		to.high = seg.End()
	}
	to.ack, to.heard = seg.Ack, seg.Flags.Has(wire.ACK)
}
