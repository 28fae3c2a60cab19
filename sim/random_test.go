package sim_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

var seedFlag = flag.Int64("seed", -1, "run this seed of the random worlds only")

// acceptor gives the next connection of a listener to a Talker.
type acceptor struct {
	listener tcp.ListenerID
	talker   *sim.Talker
}

func (a *acceptor) Ready(h *sim.Host, r tcp.Ready) {
	if id, err := h.TCP().Accept(h.World().Now(), a.listener); err == 0 {
		a.talker.Attach(id)
	}
}

// TestRandomWorlds: over paths with up to 20 % loss, reordering, duplication
// and corruption, both sides send and close at random, and every byte arrives,
// in order, once; both ends reach CLOSED, and nothing is left.
func TestRandomWorlds(t *testing.T) {
	n := int64(1000)
	if testing.Short() {
		n = 100
	}
	if *seedFlag >= 0 {
		randomWorld(t, uint64(*seedFlag))
		return
	}
	for seed := range n {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { randomWorld(t, uint64(seed)) }) {
			t.Fatalf("replay: go test ./sim -run TestRandomWorlds -seed %d -v", seed)
		}
	}
	t.Logf("%+v", totals)
	if c := totals; c.bytes == 0 || c.retransmits == 0 || c.rtos == 0 || c.recoveries == 0 || c.probes == 0 || c.fast == 0 {
		t.Errorf("the worlds were too kind: %+v", c)
	}
}

func randomModel(r *rand.Rand) netem.Model {
	text := fmt.Sprintf("delay %dms %dms loss %d%% duplicate %d%% corrupt %d%% reorder %d%%",
		1+r.IntN(100), r.IntN(20), r.IntN(21), r.IntN(10), r.IntN(10), r.IntN(20))
	m, err := netem.Parse(text)
	if err != nil {
		panic(err)
	}
	return m
}

func randomWorld(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 17))
	w := sim.New(seed)
	cfg := func() sim.HostConfig {
		c := tcp.Config{NoSACK: r.IntN(4) == 0, NoTimestamps: r.IntN(4) == 0, NoWindowScaling: r.IntN(4) == 0,
			NoFastPath: r.IntN(4) == 0, Retries2: 60, OrphanRetries: 60, SynRetries: 60, SynAckRetries: 14, RTOMax: 20 * time.Second}
		if r.IntN(3) == 0 {
			c.ReceiveBuffer = 500 + r.IntN(5000)
			c.ReceiveBufferMax = c.ReceiveBuffer
		}
		if r.IntN(2) == 0 {
			c.Congestion = "reno"
		}
		if *seedFlag >= 0 {
			c.Events = tcp.NewRing(1<<16, tcp.EventAll)
			rings = append(rings, c.Events)
		}
		return sim.HostConfig{TCP: c}
	}
	a, b := w.Host("A", cfg()), w.Host("B", cfg())
	w.Connect(a, b, sim.PathConfig{MTU: 600 + r.IntN(1000), AB: randomModel(r), BA: randomModel(r)})
	family := r.IntN(2)

	ta := sim.NewTalker(a, sim.RandomPlan(r), seed, seed+1)
	tb := sim.NewTalker(b, sim.RandomPlan(r), seed+1, seed)
	if !ta.Plan.HalfClose && !tb.Plan.HalfClose {
		ta.Plan.HalfClose = true
	}
	acc := &acceptor{talker: tb}
	acc.listener, _ = b.TCP().Listen(w.Now(), tcp.ListenOptions{Port: 80, Tag: b.Start(acc)})
	id, err := a.TCP().Open(w.Now(), tcp.OpenOptions{Tag: ta.Tag(), Tuple: wire.Tuple{
		Local: wire.AddrFrom(a.Addrs[family]), Remote: wire.AddrFrom(b.Addrs[family]), RemotePort: 80}})
	if err != 0 {
		t.Fatal(err)
	}
	ta.Attach(id)
	a.Flush()
	defer func() {
		if t.Failed() && *seedFlag >= 0 {
			dump(t)
		}
	}()
	if !w.Run(6 * time.Hour) {
		t.Errorf("not at rest: A %+v\nB %+v", status(a, ta), status(b, tb))
	}
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	for _, x := range []struct {
		name     string
		me, peer *sim.Talker
		host     *sim.Host
	}{{"A", ta, tb, a}, {"B", tb, ta, b}} {
		if x.me.Wrong != nil || x.me.Err != 0 {
			t.Errorf("%s: %v, %v", x.name, x.me.Wrong, x.me.Err)
		}
		if x.me.Received != x.peer.Plan.Send || !x.me.EOF {
			t.Errorf("%s received %d of %d, end %v", x.name, x.me.Received, x.peer.Plan.Send, x.me.EOF)
		}
		totals.add(x.me, x.host.TCP().Counters())
		if c := x.host.TCP().Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Timers+c.Orphans != 0 {
			t.Errorf("%s: %+v is left", x.name, c)
		}
	}
}

func status(h *sim.Host, t *sim.Talker) string {
	s, err := h.TCP().Status(h.World().Now(), t.Conn)
	return fmt.Sprintf("%+v %v sent %d received %d eof %v", s, err, t.Sent, t.Received, t.EOF)
}

// totals sum up what the random worlds went through, so that a change that
// makes them harmless is seen.
var totals totalCounts

type totalCounts struct {
	bytes                                       int
	retransmits, rtos, recoveries, probes, fast uint64
}

func (c *totalCounts) add(t *sim.Talker, k *tcp.Counters) {
	c.bytes += t.Received
	c.retransmits += k.Retransmits
	c.rtos += k.RTOs
	c.recoveries += k.FastRecoveries
	c.probes += k.ZeroWindowProbes
	c.fast += k.FastPath
}

var rings []*tcp.Ring

func dump(t *testing.T) {
	for i, r := range rings {
		for _, e := range r.Drain(nil) {
			fmt.Fprintf(os.Stderr, "%d %v %x %v>%v why=%v drop=%v timer=%v seg=%v %d:%d(%d) ack %d win %d cnt %d cwnd %d\n", i, time.Duration(e.Time), e.Kind, e.From, e.To, e.Why, e.Reason, e.Timer,
				e.Seg.Flags, e.Seg.Seq, uint32(e.Seg.Seq)+e.Seg.Len, e.Seg.Len, e.Seg.Ack, e.Seg.Wnd, e.Count, e.Cwnd)
		}
	}
}
