//go:build estabcount

package estab

import (
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"estab/link"
)

// This file is compiled by TestCounts (guards_test.go), which puts the
// counting lock, clock and wake-up below in the places of the real ones.

var locks, clocks, wakes atomic.Int64

// countedMutex is a sync.Mutex that counts.
type countedMutex struct{ sync.Mutex }

func (m *countedMutex) Lock() {
	locks.Add(1)
	m.Mutex.Lock()
}

func countedNow() link.Instant {
	clocks.Add(1)
	return link.Now()
}

func countedWake(ch chan struct{}) {
	wakes.Add(1)
	ch <- struct{}{}
}

// countedLink counts calls and packets.
type countedLink struct {
	link.Link
	calls, packets, acks *atomic.Int64
}

func (l countedLink) Enqueue(w *link.Work, pkts []*link.Packet) int {
	l.calls.Add(1)
	l.packets.Add(int64(len(pkts)))
	for _, p := range pkts {
		const ackOnly = 0x10
		if n := p.Len(); (n == 40 || n == 52) && p.Bytes()[33] == ackOnly { // IPv4, without and with timestamps
			l.acks.Add(1)
		}
	}
	return l.Link.Enqueue(w, pkts)
}

// budget is what something may cost at both ends together: what it costs
// today. A number that rises is a regression, to be mended or explained; one
// that falls is written down here.
type budget struct{ segments, acks, linkCalls, wakes, locks, clocks int64 }

var (
	requestBudget  = budget{segments: 2, acks: 0, linkCalls: 2, wakes: 0, locks: 6, clocks: 2}
	waitingBudget  = budget{segments: 2, acks: 0, linkCalls: 2, wakes: 1, locks: 7, clocks: 2}
	mebibyteBudget = map[int]budget{
		1500:  {segments: 768, acks: 32, linkCalls: 48, wakes: 0, locks: 80, clocks: 32},
		65535: {segments: 64, acks: 32, linkCalls: 48, wakes: 0, locks: 80, clocks: 32},
	}
	connectionBudget = budget{segments: 11, acks: 5, linkCalls: 11, wakes: 1, locks: 24, clocks: 7}
)

// counted is two hosts and a connection, with everything counted.
type counted struct {
	t                    *testing.T
	c, s                 *Conn
	calls, packets, acks atomic.Int64
	hosts                [2]*Host
}

func newCounted(t *testing.T, mtu int) *counted {
	k := &counted{t: t}
	var links [2]link.Link
	a, b := link.Pair(link.PairOptions{MTU: mtu})
	links[0], links[1] = a, b
	for i := range links {
		var err error
		k.hosts[i], err = NewHost(Config{Secret: [32]byte{1}, Shards: 16, KeepAlive: -1, Links: []LinkConfig{{
			Link:  countedLink{links[i], &k.calls, &k.packets, &k.acks},
			Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", i+1))},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	k.connect()
	return k
}

// connect opens the connection, from a port that makes every run the same.
func (k *counted) connect() {
	l, err := k.hosts[1].Listen("tcp", ":80")
	if err != nil {
		k.t.Fatal(err)
	}
	c, err := k.hosts[0].Dial("tcp", "10.0.0.2:80")
	if err != nil {
		k.t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		k.t.Fatal(err)
	}
	l.Close()
	k.c, k.s = c.(*Conn), s.(*Conn)
}

func (k *counted) now() budget {
	return budget{k.packets.Load(), k.acks.Load(), k.calls.Load(), wakes.Load(), locks.Load(), clocks.Load()}
}

// per measures what f costs, over n times.
func (k *counted) per(n int64, what string, most budget, f func()) {
	k.t.Helper()
	for range 200 { // buffers, windows and the acknowledgements' rhythm settle
		f()
	}
	before := k.now()
	for range n {
		f()
	}
	after := k.now()
	for _, x := range []struct {
		name                string
		before, after, most int64
	}{
		{"segments", before.segments, after.segments, most.segments},
		{"bare ACKs", before.acks, after.acks, most.acks},
		{"link calls", before.linkCalls, after.linkCalls, most.linkCalls},
		{"wake-ups", before.wakes, after.wakes, most.wakes},
		{"lock acquisitions", before.locks, after.locks, most.locks},
		{"clock reads", before.clocks, after.clocks, most.clocks},
	} {
		got := float64(x.after-x.before) / float64(n)
		k.t.Logf("%s: %.4g %s, budget %d", what, got, x.name, x.most)
		if got > float64(x.most) {
			k.t.Errorf("%s: %.4g %s, the budget is %d", what, got, x.name, x.most)
		}
	}
}

func (k *counted) write(c *Conn, b []byte) {
	if n, err := c.Write(b); n != len(b) || err != nil {
		k.t.Fatalf("Write: %d, %v", n, err)
	}
}

func (k *counted) read(c *Conn, b []byte) {
	if _, err := io.ReadFull(c, b); err != nil {
		k.t.Fatal(err)
	}
}

// A request of one byte and its answer, nobody waiting: what has to be done
// for it at both ends.
func TestCountedRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(t, 1500)
		b := make([]byte, 1)
		k.per(1000, "a request and its answer", requestBudget, func() {
			k.write(k.c, b)
			k.read(k.s, b)
			k.write(k.s, b)
			k.read(k.c, b)
		})
		k.close()
	})
}

// The same with a goroutine that waits for the byte at each end: one wake-up
// a byte, no more.
func TestCountedWaitingRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(t, 1500)
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := k.s.Read(b); err != nil {
					return
				}
				k.s.Write(b)
			}
		}()
		b := make([]byte, 1)
		k.per(500, "a request to one who waits", waitingBudget, func() {
			synctest.Wait() // the server is in its Read
			k.write(k.c, b)
			synctest.Wait()
			k.read(k.c, b)
		})
		k.close()
	})
}

// A mebibyte, written and read in pieces of 64 KiB.
func TestCountedMebibyte(t *testing.T) {
	for _, mtu := range []int{1500, 65535} {
		synctest.Test(t, func(t *testing.T) {
			k := newCounted(t, mtu)
			b := make([]byte, 64<<10)
			k.per(20, fmt.Sprintf("a MiB, MTU %d", mtu), mebibyteBudget[mtu], func() {
				for range 16 {
					k.write(k.c, b)
					k.read(k.s, b)
				}
			})
			k.close()
		})
	}
}

// A connection opened, used and closed.
func TestCountedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(t, 1500)
		l, err := k.hosts[1].Listen("tcp", ":81")
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		k.per(100, "a connection", connectionBudget, func() {
			c, err := k.hosts[0].Dial("tcp", "10.0.0.2:81")
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			k.write(c.(*Conn), b)
			k.read(s.(*Conn), b)
			k.write(s.(*Conn), b)
			k.read(c.(*Conn), b)
			c.Close()
			s.Close()
			synctest.Wait()
		})
		k.close()
	})
}

// An idle host wakes up for nothing: not one lock is taken in ten minutes, on a
// host that was never used, nor on one that has carried data, once its buffers
// are given back, and holds an idle connection.
func TestCountedIdle(t *testing.T) {
	for _, used := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := newCounted(t, 1500)
			if used {
				b := make([]byte, 1<<20)
				go k.write(k.c, b)
				k.read(k.s, b)
			} else {
				k.c.Close()
				k.s.Close()
			}
			time.Sleep(2 * time.Minute) // TIME-WAIT ends, buffers go
			synctest.Wait()
			before := k.now()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if after := k.now(); after != before {
				t.Errorf("used: %v: from %+v to %+v in ten idle minutes", used, before, after)
			}
			k.close()
		})
	}
}

func (k *counted) close() {
	for _, h := range k.hosts {
		h.Close()
	}
	synctest.Wait()
}
