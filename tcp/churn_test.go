package tcp

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// A churn is two engines whose users and whose wire do random things, all from
// one seed: the same seed, the same segments.
type churn struct {
	*duo
	src   *rand.PCG
	rnd   *rand.Rand
	noise *rand.PCG // its own numbers, so that one segment more or less shows as such
	trace uint64    // hash of all segments
	last  []string  // the latest of them, for a failure's message
	sent  [2]int
	got   [2]int
	conns int
	edge  [2]map[Num]Num // the right edges that each end has offered, by the ISS of the connection's other end
}

func newChurn(t testing.TB, seed uint64, start Time, a, b Config) *churn {
	c := &churn{duo: newDuo(t, a, b), src: rand.NewPCG(seed, 30), noise: rand.NewPCG(seed, 31)}
	c.rnd = rand.New(c.src)
	c.now = start
	c.delay = ms
	lid, err := c.b.e.Listen(c.now, ListenOptions{Port: testTuple4.RemotePort})
	if err != 0 {
		t.Fatal(err)
	}
	c.b.lid = lid
	c.edge = [2]map[Num]Num{{}, {}}
	c.hook()
	return c
}

// hook puts loss, duplication and reordering into the wire.
func (c *churn) hook() {
	w := rand.New(c.noise)
	c.lose = func(from *end, seg *Segment) bool {
		c.note(from, seg)
		if w.IntN(30) == 0 {
			return true
		}
		f := flying{c.now.Add(c.delay), from.peer, copySegment(seg)}
		f.seg.Tuple = f.seg.Tuple.Swap()
		if w.IntN(20) == 0 {
			f.at = f.at.Add(time.Duration(w.IntN(3000)) * time.Microsecond)
		}
		c.insert(f)
		if w.IntN(40) == 0 {
			f.seg = copySegment(f.seg)
			f.at = f.at.Add(time.Duration(w.IntN(5000)) * time.Microsecond)
			c.insert(f)
		}
		return true
	}
}

func (c *churn) insert(f flying) {
	i := len(c.q)
	for i > 0 && c.q[i-1].at > f.at {
		i--
	}
	c.q = slices.Insert(c.q, i, f)
}

func (c *churn) note(from *end, seg *Segment) {
	name := "a"
	if from == c.b {
		name = "b"
	}
	h := fnv.New64a()
	h.Write(copySegment(seg).Payload)
	text := h.Sum64()
	o := seg.Options
	line := fmt.Sprintf("%v %s %v %d %d wnd %d up %d %d bytes %x %d: %d %d %d %d %v", time.Duration(c.now), name, seg.Flags, seg.Seq, seg.Ack,
		seg.Wnd, seg.Up, seg.DataLen(), text, o.Set, o.MSS, o.WindowScale, o.TSVal, o.TSEcr, o.SACK[:o.NSACK])
	fmt.Fprint(h, c.trace, line)
	c.trace = h.Sum64()
	c.last = append(c.last, line)
	if len(c.last) > 25 {
		c.last = c.last[1:]
	}
	c.windows(from, seg)
}

// windows looks at the edges: what an end offers never moves left (by less than
// a unit of the scale, once rounding has given away enough), and no text leaves
// beyond what the other end has offered.
func (c *churn) windows(from *end, seg *Segment) {
	k, i := from.e.find(&seg.Tuple, from.e.Hash(&seg.Tuple))
	if k != kindConn || seg.Flags&(wire.ACK|wire.RST|wire.SYN) != wire.ACK {
		return
	}
	x := from.e.conns[i]
	mine, theirs := 0, 1
	if from == c.b {
		mine, theirs = 1, 0
	}
	edge := seg.Ack + Num(seg.Wnd)<<x.rcv.scale
	old, ok := c.edge[mine][x.rcv.IRS]
	if ok && edge.Less(old-(1<<x.rcv.scale-1)) {
		c.t.Fatalf("the right edge moved left by %d\n%s", old.Diff(edge), lines(c.last))
	}
	if !ok || old.Less(edge) {
		c.edge[mine][x.rcv.IRS] = edge
	}
	if limit, ok := c.edge[theirs][x.snd.ISS]; ok && limit.Less(seg.End()) {
		c.t.Fatalf("text %d beyond the window\n%s", seg.End().Diff(limit), lines(c.last))
	}
}

// act does one random thing and lets a little time pass.
func (c *churn) act() {
	who, i := c.a, 0
	if c.rnd.IntN(2) == 0 {
		who, i = c.b, 1
	}
	switch x := c.rnd.IntN(100); {
	case c.a.id == 0:
		id, err := c.a.e.Open(c.now, OpenOptions{Tuple: testTuple4})
		if err == 0 {
			c.a.id, c.sent, c.got = id, [2]int{}, [2]int{}
			c.conns++
		}
	case c.b.id == 0:
		if id, err := c.b.e.Accept(c.now, c.b.lid); err == 0 {
			c.b.id = id
		}
	case who.id == 0:
	case x < 45:
		n := 1 + c.rnd.IntN([]int{10, 2000, 40_000}[c.rnd.IntN(3)])
		b := make([]byte, n)
		for k := range b {
			b[k] = pattern(Num(c.sent[i]+k), i == 0)
		}
		f := SendFlags(0)
		if c.rnd.IntN(8) == 0 {
			f = SendMore
		}
		k, _ := who.e.Send(c.now, who.id, b, f)
		c.sent[i] += k
	case x < 85:
		c.receive(who, i, 1+c.rnd.IntN(60_000))
	case x < 88:
		who.e.SetNoDelay(c.now, who.id, c.rnd.IntN(2) == 0)
	case x < 90:
		who.e.SetCork(c.now, who.id, c.rnd.IntN(2) == 0)
	case x < 91:
		who.e.SetReceiveBuffer(c.now, who.id, 1000+c.rnd.IntN(100_000))
	case x < 92:
		who.e.SetQuickAck(c.now, who.id, true)
	case x < 93:
		who.e.SetKeepAlive(c.now, who.id, KeepAlive{On: c.rnd.IntN(2) == 0, Idle: 2 * time.Second, Interval: time.Second, Count: 3})
	case x < 94 && c.rnd.IntN(4) == 0:
		who.e.Shutdown(c.now, who.id)
	case x < 95 && c.rnd.IntN(8) == 0:
		who.e.Close(c.now, who.id, -1)
		who.id = 0
	case x < 96 && c.rnd.IntN(16) == 0:
		who.e.Abort(c.now, who.id)
		who.id = 0
	case x == 99 && c.rnd.IntN(5) == 0:
		c.run(time.Duration(c.rnd.IntN(5000)) * ms) // idle
	}
	for _, d := range []*end{c.a, c.b} {
		if d.id == 0 {
			continue
		}
		if s, err := d.e.Status(c.now, d.id); err != 0 || s.State == StateClosed || s.State == StateTimeWait {
			d.e.Close(c.now, d.id, -1)
			d.id = 0
		}
	}
	c.run(time.Duration(c.rnd.IntN(2000)) * time.Microsecond)
}

func (c *churn) receive(who *end, i, n int) {
	b := make([]byte, n)
	k, _ := who.e.Receive(c.now, who.id, b, 0)
	for j := range b[:k] {
		if c.conns == 1 && b[j] != pattern(Num(c.got[1-i]+j), i == 1) {
			c.t.Fatalf("byte %d differs", c.got[1-i]+j)
		}
	}
	c.got[1-i] += k
}

// state is the dump of both engines.
func (c *churn) state() string {
	return string(c.a.e.AppendState(nil, c.now)) + "\x00" + string(c.b.e.AppendState(nil, c.now))
}

func (c *churn) clone() *churn {
	n := *c
	d := *c.duo
	n.duo = &d
	d.a, d.b = &end{p: &d, e: c.a.e.Clone(), tup: c.a.tup, id: c.a.id, lid: c.a.lid}, &end{p: &d, e: c.b.e.Clone(), tup: c.b.tup, id: c.b.id, lid: c.b.lid}
	d.a.peer, d.b.peer = d.b, d.a
	d.q = nil
	for _, f := range c.q {
		to := d.a
		if f.to == c.b {
			to = d.b
		}
		d.q = append(d.q, flying{f.at, to, copySegment(f.seg)})
	}
	src, noise := *c.src, *c.noise
	n.src, n.noise = &src, &noise
	n.rnd = rand.New(n.src)
	n.last = slices.Clone(c.last)
	n.edge = [2]map[Num]Num{maps.Clone(c.edge[0]), maps.Clone(c.edge[1])}
	n.hook()
	return &n
}

func (c *churn) same(o *churn, what string, step int) {
	c.t.Helper()
	if c.trace != o.trace {
		x, y := c.last, o.last
		for len(x) > 1 && len(y) > 1 && x[0] == y[0] {
			x, y = x[1:], y[1:]
		}
		c.t.Fatalf("%s, step %d: different segments\n%s\n--\n%s", what, step, lines(x), lines(y))
	}
	if c.state() != o.state() {
		c.t.Fatalf("%s, step %d: different dumps\n%s%s", what, step, difference(c.a.e, o.a.e), difference(c.b.e, o.b.e))
	}
}

// difference names the fields in which the connections of two engines differ.
func difference(x, y *Engine) (d string) {
	for i := range min(len(x.conns), len(y.conns)) {
		if x.conns[i] == nil || y.conns[i] == nil {
			continue
		}
		a, b := strings.Fields(fmt.Sprintf("%+v", *x.conns[i])), strings.Fields(fmt.Sprintf("%+v", *y.conns[i]))
		for j := range min(len(a), len(b)) {
			if a[j] != b[j] && !strings.Contains(a[j], "0x") {
				d += fmt.Sprintf("connection %d: %s, %s\n", i, a[j], b[j])
			}
		}
	}
	return d
}

func lines(l []string) (s string) {
	for _, x := range l {
		s += x + "\n"
	}
	return s
}

// seeds is how many seeds to play: very many if the long tests are wanted.
func seeds(n uint64) uint64 {
	if long() {
		return 40 * n
	}
	return n
}

func churnConfig(seed uint64) Config {
	c := Config{MSL: 500 * ms, RTOMin: 20 * ms, NoTimestamps: seed&1 > 0, NoSACK: seed&2 > 0, NoWindowScaling: seed&4 > 0}
	if seed&8 > 0 {
		c.Congestion = "reno"
	}
	return c
}

// The same calls on a clone give the same segments, and leave the original
// alone (DESIGN, "Clone() and AppendState").
func TestCloneDoesTheSame(t *testing.T) {
	for seed := range seeds(16) {
		c := newChurn(t, seed, Time(time.Hour), churnConfig(seed), churnConfig(seed))
		for round := range 4 {
			for range 60 {
				c.act()
			}
			twin := c.clone()
			c.same(twin, fmt.Sprintf("seed %d: a clone at once", seed), round)
			before := c.state()
			for i := range 60 { // the clone first, alone
				twin.act()
				if c.state() != before {
					t.Fatalf("seed %d, step %d: the original moved with its clone", seed, i)
				}
			}
			for range 60 {
				c.act()
			}
			c.same(twin, fmt.Sprintf("seed %d: a clone later", seed), round)
		}
	}
}

// Header prediction does nothing that the long way would not do: the same
// segments and the same state after every step.
func TestFastPathDoesTheSame(t *testing.T) {
	fast := uint64(0)
	for seed := range seeds(24) {
		cfg := churnConfig(seed)
		slow := cfg
		slow.NoFastPath = true
		x := newChurn(t, seed, Time(time.Hour), cfg, cfg)
		y := newChurn(t, seed, Time(time.Hour), slow, slow)
		for step := range 500 {
			x.act()
			y.act()
			x.same(y, fmt.Sprintf("seed %d", seed), step)
		}
		fast += x.a.e.Counters().FastPath
		if y.a.e.Counters().FastPath+y.b.e.Counters().FastPath > 0 {
			t.Fatal("the fast path was taken although it is off")
		}
		cx, cy := *x.a.e.Counters(), *y.a.e.Counters()
		cx.FastPath = 0
		if cx != cy {
			t.Errorf("seed %d: the counters differ\n%+v\n%+v", seed, cx, cy)
		}
	}
	if fast < 1000 {
		t.Errorf("only %d segments took the fast path", fast)
	}
}

// The dump is relative to now: the same history an hour, a day or a wrap of the
// ISS clock later gives the same dump. (Without timestamps, which are a clock.)
func TestDumpIsRelativeToNow(t *testing.T) {
	for seed := range seeds(8) {
		cfg := churnConfig(seed)
		cfg.NoTimestamps = true
		x := newChurn(t, seed, Time(time.Hour), cfg, cfg)
		for _, shift := range []time.Duration{time.Second, 24 * time.Hour, 4 * time.Microsecond << 31} {
			x := x.clone()
			y := newChurn(t, seed, Time(time.Hour+shift), cfg, cfg)
			for step := range 150 {
				x.act()
				y.act()
				if x.conns > 1 { // a pair that is reopened takes its ISS from the clock
					break
				}
				if x.state() != y.state() {
					t.Fatalf("seed %d, shifted by %v, step %d: different dumps\n%s", seed, shift, step, difference(x.a.e, y.a.e))
				}
			}
		}
	}
}

// Two runs of one seed are the same, to the byte.
func TestSameSeedSameSegments(t *testing.T) {
	x := newChurn(t, 5, Time(time.Hour), Config{}, Config{})
	y := newChurn(t, 5, Time(time.Hour), Config{}, Config{})
	for step := range 1000 {
		x.act()
		y.act()
		x.same(y, "two runs", step)
	}
	if n := x.a.e.Counters().BytesIn + x.b.e.Counters().BytesIn; x.conns < 2 || n < 1<<20 {
		t.Errorf("%d connections, %d bytes", x.conns, n)
	}
}

// And everything ends: after the users have gone, nothing is left.
func TestChurnLeavesNothing(t *testing.T) {
	conns := 0
	for seed := range seeds(30) {
		c := newChurn(t, seed, Time(time.Hour), churnConfig(seed), churnConfig(seed))
		for range 400 {
			c.act()
		}
		conns += c.conns
		for _, d := range []*end{c.a, c.b} {
			if d.id != 0 {
				d.e.Close(c.now, d.id, -1)
			}
		}
		c.b.e.Unlisten(c.now, c.b.lid)
		c.run(time.Hour)
		for name, e := range map[string]*Engine{"a": c.a.e, "b": c.b.e} {
			if n := e.Counts(); n.Conns+n.HalfOpen+n.TimeWait+n.Orphans+n.Timers+n.Slabs != 0 || e.table.len() != 0 {
				t.Errorf("seed %d, %s: left %+v", seed, name, n)
			}
		}
	}
	if conns < 40 {
		t.Errorf("only %d connections", conns)
	}
}
