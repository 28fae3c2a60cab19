package gvisor

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

var seedFlag = flag.Int64("seed", -1, "run this seed of TestGVisor only, and say what passes the wire")

// TestGVisor: estab and gVisor's netstack at the two ends of a wire with up to
// 20 % loss, reordering, duplication and corruption. Either may dial, both
// send and close as they like, with windows from tiny to large. Every byte
// arrives once and in order, both ends close without an error, and nothing is
// left of the connection on either.
func TestGVisor(t *testing.T) {
	n := int64(100)
	if os.Getenv("ESTAB_LONG") != "" && !testing.Short() {
		n = 10_000
	}
	if *seedFlag >= 0 {
		play(t, uint64(*seedFlag))
		return
	}
	for seed := range n {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { play(t, uint64(seed)) }) {
			t.Logf("replay: go test ./judge/gvisor -run 'TestGVisor$' -seed %d -v", seed)
		}
	}
	t.Logf("%+v", total)
	if c := total; c.bytes == 0 || c.dials == 0 || c.accepts == 0 || c.retransmits == 0 || c.recoveries == 0 || c.probes == 0 {
		t.Errorf("the worlds were too kind: %+v", c)
	}
}

// A seed has one history: the packets of two runs are the same, and so are
// their times.
func TestReplay(t *testing.T) {
	for seed := range uint64(10) {
		if a, b := play(t, seed), play(t, seed); a != b {
			t.Errorf("seed %d has two histories", seed)
		}
	}
}

// total sums up what the worlds went through, so that a change that makes them
// harmless is seen.
var total struct {
	bytes, dials, accepts           int
	retransmits, recoveries, probes uint64
}

// match is one seed: two hosts, a wire, a program at each end.
type match struct {
	t       *testing.T
	w       *sim.World
	r       *rand.Rand
	seed    uint64
	a       *sim.Host
	g       *netstack
	back    netem.State // of the wire from gVisor to estab
	model   netem.Model
	ta, tg  *talker
	family  int
	history uint64
	dbg string
	cfg tcp.Config
}

// The addresses of gVisor's host; estab's are those that package sim gives.
var (
	gvisor4 = tcpip.AddrFrom4([4]byte{10, 0, 0, 9})
	gvisor6 = tcpip.AddrFrom16([16]byte{0: 0xfd, 15: 9})
)

const port = 80

// play runs a seed and returns a digest of what passed the wire.
func play(t *testing.T, seed uint64) uint64 {
	r := rand.New(rand.NewPCG(seed, 77))
	m := &match{t: t, w: sim.New(seed), r: r, seed: seed, family: r.IntN(2)}
	mtu := 600 + r.IntN(1000)
	if m.family == 1 {
		mtu = 1280 + r.IntN(300) // RFC 8200 §5
	}
	m.join(mtu)
	pa, pg := sim.RandomPlan(r), sim.RandomPlan(r)
	if !pa.HalfClose && !pg.HalfClose {
		pa.HalfClose = true // somebody has to be first
	}
	m.ta, m.tg = newTalker(m.w, pa, seed, seed+1), newTalker(m.w, pg, seed+1, seed)
	if m.r.IntN(2) == 0 {
		m.estabDials()
	} else {
		m.gvisorDials()
	}
	done := m.w.Run(6 * time.Hour)
	m.check(done)
	return m.history
}

// join makes the hosts and the wire between them. In the world gVisor's host
// is one that is down: the packets for it are taken by the tap.
func (m *match) join(mtu int) {
	m.a = m.w.Host("estab", sim.HostConfig{TCP: m.estabConfig()})
	there := m.w.Host("gvisor", sim.HostConfig{})
	m.w.Connect(m.a, there, sim.PathConfig{MTU: mtu, AB: m.randomModel()})
	there.Crash()
	m.w.Tap(func(p sim.Packet) {
		m.note("estab ", p.Data)
		m.travel(p.Data, p.Fate, m.g.receive)
	})
	m.g = newNetstack(m.t, m.w, int64(m.seed), mtu, m.r.IntN(2) == 0, gvisor4, gvisor6)
	m.gvisorConfig()
	m.back, m.model = netem.NewState(m.seed, 2), m.randomModel()
	m.g.send = func(b []byte) {
		m.note("gvisor", b)
		m.travel(b, m.back.Apply(int64(m.w.Now()), len(b), &m.model), m.a.Inject)
	}
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
		Retries2: 60, OrphanRetries: 60, SynRetries: 60, SynAckRetries: 15, RTOMax: 20 * time.Second,
	}
	if m.r.IntN(3) == 0 {
		c.ReceiveBuffer = 500 + m.r.IntN(5000)
		c.ReceiveBufferMax = c.ReceiveBuffer
	}
	if m.r.IntN(2) == 0 {
		c.Congestion = "reno"
	}
	m.cfg = c
	return c
}

// gvisorConfig does the same for gVisor.
func (m *match) gvisorConfig() {
	opt := func(o tcpip.SettableTransportProtocolOption) { m.g.option(m.t, o) }
	sack := tcpip.TCPSACKEnabled(m.r.IntN(4) != 0)
	delay := tcpip.TCPDelayEnabled(m.r.IntN(2) == 0)
	moderate := tcpip.TCPModerateReceiveBufferOption(m.r.IntN(2) == 0)
	recovery := tcpip.TCPRecovery(m.r.IntN(2)) // RACK or not
	rcv := tcpip.TCPReceiveBufferSizeRangeOption{Min: gtcp.MinBufferSize, Default: 1 << 20, Max: 4 << 20}
	if m.r.IntN(3) == 0 {
		rcv.Default = gtcp.MinBufferSize + m.r.IntN(5000)
		moderate = false
	}
	snd := tcpip.TCPSendBufferSizeRangeOption{Min: gtcp.MinBufferSize, Default: 4096 << m.r.IntN(8), Max: 4 << 20}
	m.dbg = fmt.Sprint("sack ", sack, " delay ", delay, " moderate ", moderate, " rack ", recovery, " rcv ", rcv.Default, " snd ", snd.Default)
	syn, max, rto := tcpip.TCPSynRetriesOption(60), tcpip.TCPMaxRetriesOption(60), tcpip.TCPMaxRTOOption(20*time.Second)
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &delay, &moderate, &recovery, &rcv, &snd, &syn, &max, &rto} {
		opt(o)
	}
}

// note adds a packet to the history.
func (m *match) note(from string, b []byte) {
	h := fnv.New64a()
	fmt.Fprint(h, m.history, m.w.Now(), from)
	h.Write(b)
	m.history = h.Sum64()
	if *seedFlag >= 0 {
		var ip wire.IPHeader
		var seg wire.Segment
		wire.ParseIP(b, &ip)
		wire.ParseTCP(b[ip.HeaderLen:], &seg)
		m.t.Logf("%v %s %v %d:%d(%d) ack %d win %d %+v", time.Duration(m.w.Now())-time.Hour, from,
			seg.Flags, seg.Seq, uint32(seg.Seq)+uint32(seg.DataLen()), seg.DataLen(), seg.Ack, seg.Wnd, opts(&seg.Options))
	}
}

func (m *match) proto() tcpip.NetworkProtocolNumber {
	return []tcpip.NetworkProtocolNumber{header.IPv4ProtocolNumber, header.IPv6ProtocolNumber}[m.family]
}

func (m *match) newEndpoint(wq *waiter.Queue) tcpip.Endpoint {
	ep, err := m.g.stack.NewEndpoint(gtcp.ProtocolNumber, m.proto(), wq)
	if err != nil {
		m.t.Fatal(err)
	}
	return ep
}

// kicks joins the programs to their hosts.
func (m *match) kicks() {
	m.ta.kick = func() { m.ta.work(); m.a.Flush() }
	m.tg.kick = m.g.settle
}

// app is a program on estab's host.
type app func(r tcp.Ready)

func (f app) Ready(_ *sim.Host, r tcp.Ready) { f(r) }

func (m *match) estabDials() {
	total.dials++
	l := m.newEndpoint(&waiter.Queue{})
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
	m.kicks()
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
	m.ta.kick()
	m.g.settle()
}

func (m *match) gvisorDials() {
	total.accepts++
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
	m.a.Flush()
	m.kicks()
	ep := m.newEndpoint(&waiter.Queue{})
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

// check is the verdict.
func (m *match) check(done bool) {
	t := m.t
	if !done {
		t.Error("not at rest after six hours")
	}
	if err := m.w.Err(); err != nil {
		t.Error(err)
	}
	for _, x := range []struct {
		name     string
		me, peer *talker
	}{{"estab", m.ta, m.tg}, {"gvisor", m.tg, m.ta}} {
		if x.me.err != nil {
			t.Errorf("%s: %v", x.name, x.me.err)
		}
		if x.me.received != x.peer.plan.Send || !x.me.eof || !x.me.closed {
			t.Errorf("%s sent %d of %d, received %d of %d, end of stream %v, closed %v", x.name, x.me.sent, x.me.plan.Send,
				x.me.received, x.peer.plan.Send, x.me.eof, x.me.closed)
		}
		total.bytes += x.me.received
	}
	if c := m.a.TCP().Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Timers+c.Orphans != 0 {
		t.Errorf("estab is left with %+v", c)
	}
	for _, ep := range m.g.stack.RegisteredEndpoints() {
		t.Errorf("gvisor is left with a connection in %v", gtcp.EndpointState(ep.(tcpip.Endpoint).State())); t.Logf("DUMP %+v", *dbgsnd(ep.(*gtcp.Endpoint)))
	}
	k := m.a.TCP().Counters()
	total.retransmits += k.Retransmits
	total.recoveries += k.FastRecoveries
	total.probes += k.ZeroWindowProbes
	if t.Failed() && *seedFlag < 0 {
		t.Logf("plans: estab %+v, gvisor %+v", m.ta.plan, m.tg.plan)
		t.Logf("gv %v %v next %v", m.g.clock.next(), m.dbg, m.cfg)
	}
}

// opts writes the options that matter to whoever reads a history.
func opts(o *wire.Options) string {
	return fmt.Sprint(o.SACK[:o.NSACK])
}
