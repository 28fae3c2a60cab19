package link

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

func attach(t testing.TB, l Link) *catcher {
	t.Helper()
	c := newCatcher()
	if err := l.Attach(c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPairCarriesBothWays(t *testing.T) {
	a, b := Pair(PairOptions{})
	ca, cb := attach(t, a), attach(t, b)
	send(t, a, "one", "two")
	send(t, b, "three")
	send(t, a)
	if got, _ := cb.take(); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("b got %q", got)
	}
	if got, _ := ca.take(); !slices.Equal(got, []string{"three"}) {
		t.Errorf("a got %q", got)
	}
	want := Stats{Out: Counts{Packets: 2, Bytes: 6}, In: Counts{Packets: 1, Bytes: 5}}
	if got := a.Stats(); got != want {
		t.Errorf("a: %+v", got)
	}
	if got := b.Stats(); got != (Stats{Out: want.In, In: want.Out}) {
		t.Errorf("b: %+v", got)
	}
}

func TestPairCaps(t *testing.T) {
	for _, c := range []struct {
		o    PairOptions
		want Caps
	}{
		{PairOptions{}, Caps{MTU: 1500, Shares: true, Local: true}},
		{PairOptions{MTU: 67}, Caps{MTU: 68, Shares: true, Local: true}},
		{PairOptions{MTU: -1}, Caps{MTU: 68, Shares: true, Local: true}},
		{PairOptions{MTU: 65535}, Caps{MTU: 65535, Shares: true, Local: true}},
		{PairOptions{MTU: 65536}, Caps{MTU: 65535, Shares: true, Local: true}},
		{PairOptions{Trusted: true}, Caps{MTU: 1500, Shares: true, Local: true, RxVerified: true, TxUnchecked: true}},
	} {
		a, b := Pair(c.o)
		if a.Caps() != c.want || b.Caps() != c.want {
			t.Errorf("%+v: %+v and %+v", c.o, a.Caps(), b.Caps())
		}
	}
}

// Both sides of the MTU; what is dropped comes back empty, wherever it stood
// in the batch.
func TestPairMTU(t *testing.T) {
	a, b := Pair(PairOptions{MTU: 100})
	cb := attach(t, b)
	fits, big := strings.Repeat("x", 100), strings.Repeat("y", 101)
	for _, c := range []struct {
		in   []string
		want int
	}{
		{[]string{fits}, 1}, {[]string{big}, 0}, {[]string{big, fits}, 1}, {[]string{fits, big}, 1},
		{[]string{fits, big, big, fits, fits}, 3}, {[]string{"", big}, 1},
	} {
		before := a.Stats().Out
		send(t, a, c.in...)
		got, _ := cb.take()
		if len(got) != c.want || slices.Contains(got, big) {
			t.Errorf("%d of %d arrived, want %d", len(got), len(c.in), c.want)
		}
		if d := a.Stats().Out.Dropped - before.Dropped; d != uint64(len(c.in)-c.want) {
			t.Errorf("%d drops counted", d)
		}
	}
	if s := b.Stats().In; s.Packets != 7 || s.Bytes != 600 {
		t.Errorf("b: %+v", s)
	}
}

// Without a receiver, and after either end was closed, packets are lost and
// counted, and their slabs come back.
func TestPairNobodyThere(t *testing.T) {
	a, b := Pair(PairOptions{})
	send(t, a, "before")
	cb := attach(t, b)
	send(t, a, "while")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, a, "after")
	send(t, b, "from the closed end")
	if got, _ := cb.take(); !slices.Equal(got, []string{"while"}) {
		t.Errorf("got %q", got)
	}
	if s := a.Stats(); s.Out.Packets != 3 || s.Out.Dropped != 2 || s.In.Packets != 0 || s.In.Bytes != 0 {
		t.Errorf("a: %+v", s)
	}
	if s := b.Stats(); s.Out.Dropped != 1 || s.In.Packets != 1 {
		t.Errorf("b: %+v", s)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestAttachErrors(t *testing.T) {
	a, b := Pair(PairOptions{})
	imp, err := Impair(b, Impairment{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []Link{a, imp} {
		if err := l.Attach(nil); err == nil {
			t.Errorf("%T: no receiver is accepted", l)
		}
		attach(t, l)
		if err := l.Attach(newCatcher()); err == nil {
			t.Errorf("%T: a second receiver is accepted", l)
		}
		l.Close()
		if err := l.Attach(newCatcher()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%T: attached after Close: %v", l, err)
		}
	}
	closed, _ := Pair(PairOptions{})
	closed.Close()
	imp, err = Impair(closed, Impairment{})
	if err != nil {
		t.Fatal(err)
	}
	if err := imp.Attach(newCatcher()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("around a closed link: %v", err)
	}
}

// exchanger is a receiver that keeps packets and gives others for them, as a
// host does.
type exchanger struct {
	mu   sync.Mutex
	n    int
	kept [64]*Packet
}

func (x *exchanger) Deliver(_ *Work, pkts []*Packet) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, p := range pkts {
		old := x.kept[x.n%len(x.kept)]
		x.kept[x.n%len(x.kept)] = p
		x.n++
		pkts[i] = old
		if old != nil {
			old.Resize(0)
		}
	}
}

func (x *exchanger) Writable(*Work) {}

func TestEnqueueAllocatesNothing(t *testing.T) {
	for _, impaired := range []string{"no impairment", "", "loss 1%", "duplicate 50% loss 50%"} {
		a, b := Pair(PairOptions{})
		l := Link(a)
		if impaired != "no impairment" {
			imp, err := Impair(a, Impairment{Out: impaired})
			if err != nil {
				t.Fatal(err)
			}
			l = imp
		}
		b.Attach(&exchanger{})
		var w Work
		pkts := make([]*Packet, 16)
		lost := make([]*Packet, 0, 1000)
		run := func() {
			for i := range pkts {
				if pkts[i] == nil && len(lost) > 0 {
					pkts[i], lost = lost[len(lost)-1], lost[:len(lost)-1]
				} else if pkts[i] == nil {
					pkts[i] = NewPacket(1500)
				}
				pkts[i].Resize(1000)
			}
			l.Enqueue(&w, pkts)
			w.Run()
		}
		for range 200 {
			run()
		}
		n := testing.AllocsPerRun(500, run)
		if n != 0 && !strings.HasPrefix(impaired, "duplicate") || n > 1 { // copies need slabs that nobody gives
			t.Errorf("%q: %v allocations a batch", impaired, n)
		}
	}
}

// Many senders at once, and a Close among them.
func TestPairConcurrent(t *testing.T) {
	a, b := Pair(PairOptions{})
	x := &exchanger{}
	b.Attach(x)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var w Work
			for range 1000 {
				a.Enqueue(&w, packets("x", "y"))
				w.Run()
			}
		})
	}
	wg.Go(func() { b.Stats(); b.Close() })
	wg.Wait()
	if s := a.Stats().Out; s.Packets != 8000 || s.Bytes != 8000 || s.Packets-s.Dropped != uint64(x.n) {
		t.Errorf("%+v, %d arrived", s, x.n)
	}
}

func BenchmarkPair(b *testing.B) {
	run := func(b *testing.B, pb interface{ Next() bool }, l Link, size int) {
		var w Work
		pkts := make([]*Packet, size)
		for pb.Next() {
			for i := range pkts {
				if pkts[i] == nil {
					pkts[i] = NewPacket(1500)
				}
				pkts[i].Resize(1000)
			}
			l.Enqueue(&w, pkts)
			w.Run()
		}
	}
	for _, size := range []int{1, 64} {
		b.Run(map[int]string{1: "one", 64: "batch64"}[size], func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				// A receiver each, as the shards of a host have a queue each.
				l, peer := Pair(PairOptions{})
				peer.Attach(&exchanger{})
				run(b, pb, l, size)
			})
		})
		b.Run(map[int]string{1: "one-shared", 64: "batch64-shared"}[size], func(b *testing.B) {
			l, peer := Pair(PairOptions{})
			peer.Attach(&swallow{})
			b.RunParallel(func(pb *testing.PB) { run(b, pb, l, size) })
		})
	}
}

// swallow gives every packet back as it is, without a lock.
type swallow struct{}

func (swallow) Deliver(_ *Work, pkts []*Packet) {}
func (swallow) Writable(*Work)                  {}
