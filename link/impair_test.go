package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"estab/internal/wire"
)

// impairedPair is a pair whose first end is impaired, with catchers at both.
func impairedPair(t testing.TB, o Impairment) (l *Impaired, far *PairEnd, near, other *catcher) {
	t.Helper()
	a, b := Pair(PairOptions{})
	l, err := Impair(a, o)
	if err != nil {
		t.Fatal(err)
	}
	return l, b, attach(t, l), attach(t, b)
}

// Delays are exact, each direction has its own, and order is kept.
func TestImpairDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, far, near, other := impairedPair(t, Impairment{Out: "delay 20ms", In: "delay 7ms"})
		send(t, l, "1", "2")
		time.Sleep(5 * time.Millisecond)
		send(t, l, "3")
		send(t, far, "4")
		if got, _ := other.take(); got != nil {
			t.Errorf("early: %q", got)
		}
		if s := l.Stats(); s.Out.Held != 3 || s.In.Held != 1 {
			t.Errorf("under way: %+v", s)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		got, at := other.take()
		if !slices.Equal(got, []string{"1", "2", "3"}) ||
			!slices.Equal(at, []time.Duration{20 * time.Millisecond, 20 * time.Millisecond, 25 * time.Millisecond}) {
			t.Errorf("%q at %v", got, at)
		}
		got, at = near.take()
		if !slices.Equal(got, []string{"4"}) || at[0] != 12*time.Millisecond {
			t.Errorf("back: %q at %v", got, at)
		}
	})
}

// More than a batch that is due at once keeps its order.
func TestImpairBigBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, _, other := impairedPair(t, Impairment{Out: "delay 1ms"})
		texts := numbered(5*laneBatch + 1)
		send(t, l, texts...)
		time.Sleep(time.Second)
		synctest.Wait()
		if got, _ := other.take(); !slices.Equal(got, texts) {
			t.Errorf("%d of %d arrived, or not in order", len(got), len(texts))
		}
	})
}

// A loss is decided and the rest delivered in the same call; nothing waits for
// a timer, and slabs come back in their places.
func TestImpairInline(t *testing.T) {
	l, _, _, other := impairedPair(t, Impairment{Out: "loss 30%", Seed: 2})
	var w Work
	texts := numbered(200)
	pkts := packets(texts...)
	l.Enqueue(&w, pkts)
	got, _ := other.take()
	if len(got) < 120 || len(got) > 160 {
		t.Errorf("%d of 200 arrived", len(got))
	}
	i := 0
	for _, s := range got { // those that arrived are in order
		for i < len(texts) && texts[i] != s {
			i++
		}
	}
	if i == len(texts) {
		t.Error("out of order")
	}
	if i := slices.Index(pkts, nil); i >= 0 {
		t.Errorf("place %d has no slab", i)
	}
	if s := l.Stats().Out; s.Dropped != uint64(200-len(got)) || s.Held != 0 {
		t.Errorf("%+v", s)
	}
	if len(w.list) != 0 {
		t.Error("work is left")
	}
}

// Jitter and reordering let packets overtake; the fates say which.
func TestImpairReorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []TapEvent
		l, _, _, other := impairedPair(t, Impairment{
			Out:     "delay 10ms reorder 100% gap 3",
			Observe: func(e TapEvent) { events = append(events, e) },
		})
		send(t, l, numbered(6)...)
		if got, _ := other.take(); !slices.Equal(got, []string{"2", "5"}) {
			t.Errorf("at once: %q", got)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if got, _ := other.take(); !slices.Equal(got, []string{"0", "1", "3", "4"}) {
			t.Errorf("after the delay: %q", got)
		}
		for i, e := range events {
			want := "delayed 10ms"
			if i%3 == 2 {
				want = "reordered"
			}
			if e.Fate.String() != want {
				t.Errorf("packet %d: %v", i, e.Fate)
			}
		}
		if s := l.Stats().Out; s.Reordered != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestImpairDuplicateAndCorrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []TapEvent
		l, _, _, other := impairedPair(t, Impairment{
			Out: "duplicate 100% corrupt 50%", Seed: 1,
			Observe: func(e TapEvent) {
				e.Packet = slices.Clone(e.Packet)
				events = append(events, e)
			},
		})
		const n = 50
		text := strings.Repeat("\x00", 40)
		var want []string
		for range n {
			send(t, l, text)
		}
		for i, e := range events {
			if string(e.Packet) != text {
				t.Fatalf("event %d shows the damage", i)
			}
			for _, p := range []Passage{e.Fate.Passage, e.Fate.Copy} {
				b := []byte(text)
				if p.Corrupted {
					b[p.Bit/8] ^= 1 << (p.Bit % 8)
				}
				want = append(want, string(b))
			}
		}
		if got, _ := other.take(); !slices.Equal(got, want) {
			t.Error("the packets are not what the events say")
		}
		if s := l.Stats().Out; s.Duplicated != n || s.Packets != n || s.Corrupted < n*2/5 || s.Corrupted > n*8/5 {
			t.Errorf("%+v", s)
		}
	})
}

// 1500 bytes at 12 Mbit/s take a millisecond each.
func TestImpairRateAndLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fates []string
		l, _, _, other := impairedPair(t, Impairment{
			Out:     "rate 12mbit limit 3",
			Observe: func(e TapEvent) { fates = append(fates, e.Fate.String()) },
		})
		p := strings.Repeat("x", 1500)
		send(t, l, p, p, p, p)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		send(t, l, p)
		time.Sleep(time.Second)
		synctest.Wait()
		_, at := other.take()
		ms := time.Millisecond
		if !slices.Equal(at, []time.Duration{ms, 2 * ms, 3 * ms, 4 * ms}) {
			t.Errorf("arrived at %v", at)
		}
		if want := []string{"delayed 1ms", "delayed 2ms", "delayed 3ms", "overflow", "delayed 3ms"}; !slices.Equal(fates, want) {
			t.Errorf("fates %q", fates)
		}
	})
}

// The observer sees both directions, before and after, in one order of time.
func TestImpairObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var log []string
		l, far, _, _ := impairedPair(t, Impairment{
			In: "loss 100%", Out: "mtu 68",
			Observe: func(e TapEvent) {
				log = append(log, fmt.Sprintf("%v %v %.5s %v", e.Time.Sub(start), e.Dir, e.Packet, e.Fate))
			},
		})
		send(t, l, "hello")
		time.Sleep(time.Second)
		send(t, far, "world", "again")
		send(t, l, strings.Repeat("x", 69))
		want := []string{"0s out hello ", "1s in world lost", "1s in again lost", "1s out xxxxx too big"}
		if !slices.Equal(log, want) {
			t.Errorf("saw %q", log)
		}
	})
}

func TestFateString(t *testing.T) {
	for _, c := range []struct {
		f    Fate
		want string
	}{
		{Fate{}, ""},
		{Fate{Passage: Passage{Dropped: "lost"}}, "lost"},
		{Fate{Passage: Passage{Delay: 1500 * time.Microsecond, Corrupted: true, Bit: 7, Reordered: true}}, "delayed 1.5ms, bit 7 flipped, reordered"},
		{Fate{Duplicated: true}, "duplicated"},
		{Fate{Passage: Passage{Delay: time.Second}, Duplicated: true, Copy: Passage{Dropped: "lost"}}, "delayed 1s, duplicated (the copy: lost)"},
	} {
		if got := c.f.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Close drops what is under way and stops the timer: the bubble ends without
// one, and nothing arrives.
func TestImpairClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, far, near, other := impairedPair(t, Impairment{Out: "delay 3600s", In: "delay 3600s"})
		send(t, l, "1", "2")
		send(t, far, "3")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		send(t, l, "4")
		send(t, far, "5")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for _, c := range []*catcher{near, other} {
			if got, _ := c.take(); got != nil {
				t.Errorf("arrived: %q", got)
			}
		}
		// The second packet inwards is dropped by the pair, whose end is closed.
		if s := l.Stats(); s.Out != (Counts{Packets: 3, Bytes: 3, Dropped: 3}) || s.In != (Counts{Packets: 1, Bytes: 1, Dropped: 1}) {
			t.Errorf("%+v", s)
		}
	})
}

// What arrives before anybody is attached is lost.
func TestImpairBeforeAttach(t *testing.T) {
	a, b := Pair(PairOptions{})
	l, err := Impair(a, Impairment{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	a.Attach((*arrivals)(l)) // the link within is ready sooner than its user
	send(t, b, "1")
	if s := l.Stats(); s.In.Packets != 1 || s.In.Dropped != 1 {
		t.Errorf("%+v", s)
	}
}

func TestImpairErrors(t *testing.T) {
	trusted, _ := Pair(PairOptions{Trusted: true})
	plain, _ := Pair(PairOptions{})
	watch := func(TapEvent) {}
	for _, c := range []struct {
		l    Link
		o    Impairment
		want string
	}{
		{plain, Impairment{Out: "loss 300%"}, `link: Impair: Out: netem: loss "300%": more than 100%`},
		{plain, Impairment{In: "delay"}, `link: Impair: In: netem: delay: a time is missing`},
		{trusted, Impairment{In: "corrupt 1%"}, "link: Impair: corrupt: " + errVouched.Error()},
		{trusted, Impairment{Observe: watch}, "link: Impair: Observe: " + errVouched.Error()},
		{trusted, Impairment{Out: "loss 1% delay 1ms"}, ""},
		{plain, Impairment{In: "corrupt 1%", Observe: watch}, ""},
	} {
		l, err := Impair(c.l, c.o)
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%+v: %v", c.o, err)
		}
		if (err == nil) != (l != nil) {
			t.Errorf("%+v: both or neither of link and error", c.o)
		}
	}
	l, err := Impair(trusted, Impairment{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Set("corrupt 1%", ""); !errors.Is(err, errVouched) {
		t.Errorf("Set: %v", err)
	}
}

// Set changes the path for what follows; what is under way stays.
func TestImpairSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, _, other := impairedPair(t, Impairment{Out: "delay 10ms"})
		send(t, l, "1")
		if err := l.Set("loss 100%", ""); err != nil {
			t.Fatal(err)
		}
		send(t, l, "2")
		if err := l.Set("", ""); err != nil {
			t.Fatal(err)
		}
		send(t, l, "3") // passes at once
		time.Sleep(time.Second)
		synctest.Wait()
		if got, _ := other.take(); !slices.Equal(got, []string{"3", "1"}) {
			t.Errorf("%q", got)
		}
	})
}

func BenchmarkImpair(b *testing.B) {
	for _, text := range []string{"", "loss 1%"} {
		b.Run(text, func(b *testing.B) {
			a, far := Pair(PairOptions{})
			l, err := Impair(a, Impairment{Out: text})
			if err != nil {
				b.Fatal(err)
			}
			far.Attach(swallow{})
			var w Work
			pkts := packets(numbered(64)...)
			for b.Loop() {
				for i := range pkts {
					pkts[i].Resize(1000)
				}
				l.Enqueue(&w, pkts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/packet")
		})
	}
}

// lend is a packet that lies in the memory of a sender, who goes on reading it.
func lend(pool *wire.Pool, text string) (s, p *Packet) {
	s = pool.Get(wire.LargeSlab)
	s.Reserve(4)
	s.Append([]byte(text))
	p = pool.Lend(s, 4, len(text))
	copy(p.Bytes(), "head")
	return s, p
}

// What a path does to a packet it does not do to the memory of whoever sent it: a
// wire passes packets where they lie, and a bad path behind it damages copies. Nor
// does it write another packet there, or give that memory to somebody else.
func TestImpairHarmsNoLender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := Pair(PairOptions{MTU: MaxPacket})
		bad, err := Impair(far, Impairment{In: "duplicate 50% corrupt 50% loss 20% delay 1ms 1ms", Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !near.Caps().Shares || bad.Caps().Shares {
			t.Errorf("a wire shares: %v; a bad path shares: %v", near.Caps().Shares, bad.Caps().Shares)
		}
		c := newCatcher() // gives back what it got, in the place where it was
		if err := bad.Attach(c); err != nil {
			t.Fatal(err)
		}
		var pool wire.Pool
		var w Work
		lenders := map[*Packet]string{}
		for i := range 500 {
			text := fmt.Sprintf("packet %d", i)
			s, p := lend(&pool, text)
			lenders[s] = text
			pkts := []*Packet{p}
			near.Enqueue(&w, pkts)
			w.Run()
			if empty := pkts[0]; empty != nil {
				if empty != p && empty.Shared() {
					t.Fatal("memory that is somebody else's came back as empty")
				}
				pool.Put(empty)
			}
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(time.Second)
		for s, text := range lenders {
			if string(s.Bytes()) != text {
				t.Errorf("%q has become %q", text, s.Bytes())
			}
		}
		got, _ := c.take()
		harmed := 0
		for _, g := range got {
			if !strings.HasPrefix(g, "headpacket ") {
				harmed++
			}
		}
		if harmed == 0 || harmed == len(got) {
			t.Errorf("%d of %d packets were harmed where they can tell", harmed, len(got))
		}
		bad.Close()
	})
}
