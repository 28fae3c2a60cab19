package sim

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// World is the simulated network: hosts and routers, the paths between them
// and a clock that jumps from one event to the next. It is not safe for
// concurrent use; worlds share nothing.
type World struct {
	seed    uint64
	now     tcp.Time
	queue   eventQueue
	hosts   []*Host
	routers []*Router
	paths   []*Path
	tap     func(Packet)
	failed  error
	every   int // engines are checked after every so many events
	since   int
	crashes int
	scratch []byte
}

// New makes an empty world. Everything random in it comes from the seed.
func New(seed uint64) *World {
	// Clocks that start at 0 hide mistakes about clocks.
	return &World{seed: seed, now: tcp.Time(time.Hour), every: 1}
}

// Now is the virtual time.
func (w *World) Now() tcp.Time { return w.now }

// Seed is what the world was made with.
func (w *World) Seed() uint64 { return w.seed }

// Hosts are the hosts in the order in which they were made.
func (w *World) Hosts() []*Host { return w.hosts }

// Tap sets who sees every packet when it is sent.
func (w *World) Tap(f func(Packet)) { w.tap = f }

// CheckEvery sets after how many events of a host its engine's invariants are
// checked: 1, as in a new world, after each. They are always checked when
// nothing is left to happen.
func (w *World) CheckEvery(n int) { w.every = max(n, 1) }

// Err is the first broken invariant, if any.
func (w *World) Err() error { return w.failed }

// At runs f at an instant, or now if that has passed. What is set for the same
// instant runs in the order in which it was set.
func (w *World) At(t tcp.Time, f func()) { w.queue.push(event{at: max(t, w.now), run: f}) }

// After runs f after a duration.
func (w *World) After(d time.Duration, f func()) { w.At(w.now.Add(d), f) }

// next is when the next thing happens: an event, or a timer of a host.
func (w *World) next() (tcp.Time, *Host) {
	at, who := tcp.Never, (*Host)(nil)
	if len(w.queue.h) > 0 {
		at = w.queue.h[0].at
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

// Next is when the next thing happens; tcp.Never if nothing is left.
func (w *World) Next() tcp.Time {
	at, _ := w.next()
	return at
}

// do does what next has found.
func (w *World) do(at tcp.Time, h *Host) {
	w.now = max(w.now, at)
	if h != nil {
		h.stack.Advance(w.now)
		h.flush()
		return
	}
	e := w.queue.pop()
	if e.run != nil {
		e.run()
		return
	}
	e.port.to.arrive(e.port, e.slab)
}

// Step does the next thing. It reports false when nothing is left to happen,
// or an invariant is broken.
func (w *World) Step() bool {
	at, h := w.next()
	if at == tcp.Never || w.failed != nil {
		return false
	}
	w.do(at, h)
	return true
}

// RunUntil does everything that happens up to t, and leaves the clock there.
func (w *World) RunUntil(t tcp.Time) {
	for w.failed == nil {
		at, h := w.next()
		if at > t || at == tcp.Never {
			break
		}
		w.do(at, h)
	}
	w.now = max(w.now, t)
}

// Run does everything until nothing is left to happen, or until limit has
// passed; it reports whether nothing is left.
func (w *World) Run(limit time.Duration) bool {
	end := w.now.Add(limit)
	for w.failed == nil {
		at, h := w.next()
		if at == tcp.Never {
			w.checkAll()
			return true
		}
		if at > end {
			return false
		}
		w.do(at, h)
	}
	return false
}

// checkAll checks every engine.
func (w *World) checkAll() {
	for _, h := range w.hosts {
		if h.up {
			w.fail(h, h.TCP().CheckInvariants())
		}
	}
}

// Buffers is how many buffers are in use: held by a host, or on their way. In
// a world at rest, whose applications have closed, it is 0. A crash loses
// buffers with the memory they were in; then ok is false.
func (w *World) Buffers() (n int, ok bool) {
	for _, h := range w.hosts {
		n += h.stack.Pool().Out
	}
	for _, r := range w.routers {
		n += r.pool.Out
	}
	return n, w.crashes == 0
}

// buffer is n bytes for the moment.
func (w *World) buffer(n int) []byte {
	if len(w.scratch) < n {
		w.scratch = make([]byte, n)
	}
	return w.scratch[:n]
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

// addresses are the two of the n-th node of a kind.
func addresses(net byte, n int) []netip.Addr {
	return []netip.Addr{
		netip.AddrFrom4([4]byte{10, net, byte(n >> 8), byte(n)}),
		netip.AddrFrom16([16]byte{0: 0xfd, 13: net, 14: byte(n >> 8), 15: byte(n)}),
	}
}
