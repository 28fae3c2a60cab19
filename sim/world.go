package sim

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"time"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/tcp"
)

// World is the simulated network: hosts, the paths between them and a clock
// that jumps from one event to the next.
type World struct {
	seed   uint64
	now    tcp.Time
	events eventHeap
	order  uint64
	hosts  []*Host
	paths  int
	tap    func(Packet)
	failed error
}

// New makes an empty world. Everything random in it comes from the seed.
func New(seed uint64) *World {
	// Clocks that start at 0 hide mistakes about clocks.
	return &World{seed: seed, now: tcp.Time(time.Hour)}
}

// Now is the virtual time.
func (w *World) Now() tcp.Time { return w.now }

// Seed is what the world was made with.
func (w *World) Seed() uint64 { return w.seed }

// Packet is a packet as its sender gave it to the path, and what the path does
// to it.
type Packet struct {
	Time     tcp.Time
	From, To *Host
	Data     []byte // valid until the tap returns
	Fate     netem.Fate
}

// Tap sets who sees every packet when it is sent.
func (w *World) Tap(f func(Packet)) { w.tap = f }

// Err is the first broken invariant, if any: the engines are checked after
// every event.
func (w *World) Err() error { return w.failed }

// event is something that will happen.
type event struct {
	at    tcp.Time
	order uint64
	run   func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return e
}

// At runs f at an instant, or now if that has passed. What is set for the same
// instant runs in the order in which it was set.
func (w *World) At(t tcp.Time, f func()) {
	w.order++
	heap.Push(&w.events, event{max(t, w.now), w.order, f})
}

// After runs f after a duration.
func (w *World) After(d time.Duration, f func()) { w.At(w.now.Add(d), f) }

// next is when the next thing happens: an event, or a timer of a host.
func (w *World) next() (tcp.Time, *Host) {
	at, who := tcp.Never, (*Host)(nil)
	if len(w.events) > 0 {
		at = w.events[0].at
	}
	for _, h := range w.hosts {
		if h.up {
			if d := h.stack.NextDeadline(); d < at {
				at, who = d, h
			}
		}
	}
	return at, who
}

// Step does the next thing. It reports false when nothing is left to happen.
func (w *World) Step() bool {
	at, h := w.next()
	if at == tcp.Never || w.failed != nil {
		return false
	}
	w.now = max(w.now, at)
	if h != nil {
		h.stack.Advance(w.now)
		h.flush()
		return true
	}
	e := heap.Pop(&w.events).(event)
	e.run()
	return true
}

// RunUntil does everything that happens up to t, and leaves the clock there.
func (w *World) RunUntil(t tcp.Time) {
	for {
		if at, _ := w.next(); at > t || !w.Step() {
			break
		}
	}
	w.now = max(w.now, t)
}

// Run does everything until nothing is left to happen, or until limit has
// passed; it reports whether nothing is left.
func (w *World) Run(limit time.Duration) bool {
	end := w.now.Add(limit)
	for {
		at, _ := w.next()
		if at == tcp.Never {
			return true
		}
		if at > end || w.failed != nil {
			return false
		}
		w.Step()
	}
}

// secret derives a secret of 32 bytes from the seed.
func (w *World) secret(n uint64) (s [32]byte) {
	k := wire.Key{w.seed, n}
	for i := range 4 {
		binary.LittleEndian.PutUint64(s[8*i:], wire.SipHash(k, uint64(i), 0x5ec2e7))
	}
	return s
}

func (w *World) fail(h *Host, err error) {
	if err != nil && w.failed == nil {
		w.failed = fmt.Errorf("seed %d, %v, host %s: %w", w.seed, time.Duration(w.now), h.Name, err)
	}
}
