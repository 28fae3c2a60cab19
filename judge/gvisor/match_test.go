package gvisor

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"estab/internal/netem"
	"estab/internal/seq"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// match is one seed: two hosts, a wire, a program at each end.
type match struct {
	t       *testing.T
	w       *sim.World
	r       *rand.Rand
	seed    uint64
	orderly bool // what gVisor can't bear doesn't happen
	family  int  // 0: IPv4, 1: IPv6
	a       *sim.Host
	g       *netstack
	back    netem.State // of the wire from gVisor to estab
	model   netem.Model
	ta, tg  *talker
	history uint64

	judge    wireJudge
	una, nxt seq.Num // the last that gVisor has heard to be acknowledged, and the last it has sent
	started  bool    // gVisor has sent something
}

// The addresses of gVisor's host; estab's are those that package sim gives.
var (
	gvisor4 = tcpip.AddrFrom4([4]byte{10, 0, 0, 9})
	gvisor6 = tcpip.AddrFrom16([16]byte{0: 0xfd, 15: 9})
)

const (
	port  = 80
	never = tcp.Never
)

func newMatch(t *testing.T, seed uint64) *match {
	r := rand.New(rand.NewPCG(seed, 77))
	m := &match{t: t, w: sim.New(seed), r: r, seed: seed, orderly: seed%2 == 0, family: r.IntN(2)}
	mtu := 600 + r.IntN(1000)
	if m.family == 1 {
		mtu = 1280 + r.IntN(300) // RFC 8200 §5
	}
	m.join(mtu)
	pa, pg := sim.RandomPlan(r), sim.RandomPlan(r)
	if !pa.HalfClose && !pg.HalfClose {
		pa.HalfClose = true // somebody has to be first
	}
	switch r.IntN(16) { // a reader who sleeps while his window is zero
	case 0:
		doze(r, &pa, &pg)
	case 1:
		doze(r, &pg, &pa)
	}
	pa.Send, pg.Send = bounded(pa.Send, pg), bounded(pg.Send, pa)
	m.ta, m.tg = newTalker(m.w, pa, seed, seed+1), newTalker(m.w, pg, seed+1, seed)
	m.ta.kick = func() { m.ta.work(); m.a.Flush() }
	m.tg.kick = m.g.settle
	return m
}

func doze(r *rand.Rand, sender, reader *sim.Plan) {
	sender.Send, sender.Chunk, sender.Pause = 50_000+r.IntN(100_000), 20_000, 0
	reader.Read, reader.ReadPause = 10_000+r.IntN(20_000), time.Duration(1+r.IntN(10))*time.Second
}

// bounded keeps a slow reader from making the world last for days.
func bounded(send int, reader sim.Plan) int {
	if reader.ReadPause > 0 {
		return min(send, 500*reader.Read)
	}
	return send
}

// join makes the hosts and the wire between them. In the world gVisor's host
// is one that is down: the packets for it are taken by the tap.
func (m *match) join(mtu int) {
	there := m.randomModel()
	if m.orderly {
		there.Delay.Jitter, there.Reorder = 0, netem.Reorder{}
	}
	m.a = m.w.Host("estab", sim.HostConfig{TCP: m.estabConfig()})
	down := m.w.Host("gvisor", sim.HostConfig{})
	m.w.Connect(m.a, down, sim.PathConfig{MTU: mtu, AB: there})
	down.Crash()
	m.w.Tap(func(p sim.Packet) {
		m.note("estab ", p.Data)
		if seg, ok := parse(p.Data); ok {
			m.judge.leaves(&seg)
		} else {
			m.t.Error("estab sends a packet that can't be read")
		}
		m.travel(p.Data, p.Fate, m.arrive)
	})
	m.g = newNetstack(m.t, m.w, int64(m.seed), mtu, m.r.IntN(2) == 0, gvisor4, gvisor6)
	m.gvisorConfig()
	m.back, m.model = netem.NewState(m.seed, 2), m.randomModel()
	m.g.send = func(b []byte) {
		m.note("gvisor", b)
		if seg, ok := parse(b); ok {
			if !m.started {
				m.started, m.una, m.nxt = true, seg.Seq, seg.Seq
			}
			m.nxt = seq.Max(m.nxt, seg.End())
		}
		m.travel(b, m.back.Apply(int64(m.w.Now()), len(b), &m.model), func(b []byte) {
			if seg, ok := parse(b); ok {
				m.judge.arrives(&seg)
			}
			m.a.Inject(b)
		})
	}
}

// arrive hands gVisor a packet.
func (m *match) arrive(b []byte) {
	if seg, ok := parse(b); ok && seg.Flags.Has(wire.ACK) && m.started {
		m.una = seq.Max(m.una, seg.Ack)
	}
	m.g.receive(b)
}

// parse reads a packet of TCP, if it is undamaged.
func parse(b []byte) (seg wire.Segment, ok bool) {
	var ip wire.IPHeader
	if wire.ParseIP(b, &ip) != wire.Accepted || ip.Proto != wire.ProtoTCP {
		return seg, false
	}
	text := b[ip.HeaderLen:ip.TotalLen]
	ok = wire.VerifyTCP(ip.Src, ip.Dst, text) && wire.ParseTCP(text, &seg) == wire.Accepted
	return seg, ok
}

// travel delivers a packet as its fate says.
func (m *match) travel(b []byte, f netem.Fate, to func([]byte)) {
	pass := func(p netem.Passage) {
		if p.Drop == netem.NotDropped {
			c := append([]byte(nil), b...)
			p.Flip(c)
			m.w.At(tcp.Time(p.At), func() { to(c) })
		}
	}
	if f.Duplicated {
		pass(f.Copy)
	}
	pass(f.Passage)
}

func (m *match) randomModel() netem.Model {
	model, err := netem.Parse(fmt.Sprintf("delay %dms %dms loss %d%% duplicate %d%% corrupt %d%% reorder %d%%",
		1+m.r.IntN(100), m.r.IntN(20), m.r.IntN(21), m.r.IntN(10), m.r.IntN(10), m.r.IntN(20)))
	if err != nil {
		m.t.Fatal(err)
	}
	return model
}

// estabConfig draws a configuration that does not give up on a bad wire.
func (m *match) estabConfig() tcp.Config {
	c := tcp.Config{
		NoSACK: m.r.IntN(4) == 0, NoTimestamps: m.r.IntN(4) == 0, NoWindowScaling: m.r.IntN(4) == 0,
		Retries2: 60, OrphanRetries: 250, SynRetries: 60, SynAckRetries: 14, RTOMax: 20 * time.Second,
	}
	m.judge.tsvals = map[uint32]bool{}
	if m.r.IntN(3) == 0 {
		c.ReceiveBuffer = 500 + m.r.IntN(5000)
		c.ReceiveBufferMax = c.ReceiveBuffer
	}
	if m.r.IntN(2) == 0 {
		c.Congestion = "reno"
	}
	return c
}

// gvisorConfig does the same for gVisor. Its receive buffer counts what a
// segment takes in memory, and below some 16 KiB it fills up with segments
// that are out of order and refuses the one that is missing, for ever.
func (m *match) gvisorConfig() {
	sack := tcpip.TCPSACKEnabled(m.r.IntN(4) != 0)
	delay := tcpip.TCPDelayEnabled(m.r.IntN(2) == 0)
	moderate := tcpip.TCPModerateReceiveBufferOption(m.r.IntN(2) == 0)
	recovery := tcpip.TCPRecovery(m.r.IntN(2)) * tcpip.TCPRACKLossDetection
	if m.orderly {
		recovery = 0
	}
	rcv := tcpip.TCPReceiveBufferSizeRangeOption{Min: gtcp.MinBufferSize, Default: 1 << 20, Max: 4 << 20}
	if m.r.IntN(3) == 0 {
		rcv.Default = 16<<10 + m.r.IntN(10_000)
		moderate = false
	}
	snd := tcpip.TCPSendBufferSizeRangeOption{Min: gtcp.MinBufferSize, Default: 4096 << m.r.IntN(8), Max: 4 << 20}
	syn, retries, rto := tcpip.TCPSynRetriesOption(60), tcpip.TCPMaxRetriesOption(60), tcpip.TCPMaxRTOOption(20*time.Second)
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &delay, &moderate, &recovery, &rcv, &snd, &syn, &retries, &rto} {
		m.g.option(m.t, o)
	}
}

// note adds a packet to the history.
func (m *match) note(from string, b []byte) {
	h := fnv.New64a()
	fmt.Fprint(h, m.history, m.w.Now(), from)
	h.Write(b)
	m.history = h.Sum64()
	if *seedFlag >= 0 {
		s, _ := parse(b)
		o := &s.Options
		m.t.Logf("%v %s %v %d:%d(%d) ack %d win %d ts %d/%d sack %v", time.Duration(m.w.Now())-time.Hour, from, s.Flags,
			s.Seq, uint32(s.Seq)+uint32(s.DataLen()), s.DataLen(), s.Ack, s.Wnd, o.TSVal, o.TSEcr, o.SACK[:o.NSACK])
	}
}

func (m *match) newEndpoint() tcpip.Endpoint {
	proto := header.IPv4ProtocolNumber
	if m.family == 1 {
		proto = header.IPv6ProtocolNumber
	}
	ep, err := m.g.stack.NewEndpoint(gtcp.ProtocolNumber, proto, new(waiter.Queue))
	if err != nil {
		m.t.Fatal(err)
	}
	return ep
}

// app is a program on estab's host.
type app func(r tcp.Ready)

func (f app) Ready(_ *sim.Host, r tcp.Ready) { f(r) }

func (m *match) estabDials() {
	l := m.newEndpoint()
	if err := l.Bind(tcpip.FullAddress{Port: port}); err != nil {
		m.t.Fatal(err)
	}
	if err := l.Listen(10); err != nil {
		m.t.Fatal(err)
	}
	m.g.app = func() {
		if m.tg.sock == nil {
			if ep, _, err := l.Accept(nil); err == nil {
				m.tg.sock = gvisorSocket{ep}
				l.Close()
			}
		}
		m.tg.work()
	}
	var id tcp.ConnID
	tag := m.a.Start(app(func(r tcp.Ready) {
		if r.What&tcp.Connected != 0 {
			m.ta.sock = estabSocket{m.a, id}
		}
		m.ta.work()
	}))
	to := wire.AddrFrom4(gvisor4.AsSlice())
	if m.family == 1 {
		to = wire.AddrFrom16(gvisor6.AsSlice())
	}
	var e tcp.Error
	id, e = m.a.TCP().Open(m.w.Now(), tcp.OpenOptions{Tag: tag, Conn: m.connConfig(), Tuple: wire.Tuple{
		Local: wire.AddrFrom(m.a.Addrs[m.family]), Remote: to, RemotePort: port}})
	if e != 0 {
		m.t.Fatal(e)
	}
	m.a.Flush()
	m.g.settle()
}

func (m *match) gvisorDials() {
	var lid tcp.ListenerID
	tag := m.a.Start(app(func(r tcp.Ready) {
		if r.What&tcp.Acceptable != 0 && m.ta.sock == nil {
			if id, e := m.a.TCP().Accept(m.w.Now(), lid); e == 0 {
				m.a.TCP().SetTag(id, r.Tag)
				m.ta.sock = estabSocket{m.a, id}
				m.a.TCP().Unlisten(m.w.Now(), lid)
			}
		}
		m.ta.work()
	}))
	lid, e := m.a.TCP().Listen(m.w.Now(), tcp.ListenOptions{Port: port, Tag: tag, Backlog: 10, Conn: m.connConfig()})
	if e != 0 {
		m.t.Fatal(e)
	}
	ep := m.newEndpoint()
	to := tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFromSlice(m.a.Addrs[m.family].AsSlice()), Port: port}
	if err := gvisorError(ep.Connect(to)); err != nil {
		m.t.Fatal(err)
	}
	m.g.app = func() {
		if m.tg.sock == nil && gtcp.EndpointState(ep.State()) != gtcp.StateSynSent {
			m.tg.sock = gvisorSocket{ep}
		}
		m.tg.work()
	}
	m.g.settle()
}

// connConfig draws what concerns one connection.
func (m *match) connConfig() tcp.ConnConfig {
	return tcp.ConnConfig{NoDelay: m.r.IntN(2) == 0, DelayFinAck: m.r.IntN(2) == 0}
}
