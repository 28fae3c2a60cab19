package estabtest

import (
	"errors"
	"strings"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// cut says that nothing passes from one to the other; "" is everybody.
type cut struct{ from, to string }

// cutOff reports whether nothing passes from a to b.
func (n *Network) cutOff(a, b *node) bool {
	if len(n.cuts) == 0 {
		return false
	}
	return n.cuts[cut{a.name, b.name}] || n.cuts[cut{a.name, ""}] || n.cuts[cut{"", b.name}]
}

// Partition cuts a off from the others, in both directions, or from everybody
// if none are named. Packets vanish without a word, also those under way.
// Names are those of hosts and routers.
func (n *Network) Partition(a string, others ...string) {
	n.t.Helper()
	n.cutOrHeal("Partition", a, others, func(c cut) {
		n.cuts[c] = true
		n.cuts[cut{c.to, c.from}] = true
	})
}

// BlackHole lets what from sends to the others vanish without a word, or all
// that it sends if none are named. The other direction stays as it is.
func (n *Network) BlackHole(from string, to ...string) {
	n.t.Helper()
	n.cutOrHeal("BlackHole", from, to, func(c cut) { n.cuts[c] = true })
}

// Heal undoes [Network.Partition] and [Network.BlackHole] between a and the
// others, in both directions, or, if none are named, all that concerns a.
func (n *Network) Heal(a string, others ...string) {
	n.t.Helper()
	n.cutOrHeal("Heal", a, others, func(c cut) {
		delete(n.cuts, c)
		delete(n.cuts, cut{c.to, c.from})
		if c.to == "" {
			for x := range n.cuts {
				if x.from == a || x.to == a {
					delete(n.cuts, x)
				}
			}
		}
	})
}

func (n *Network) cutOrHeal(call, a string, others []string, f func(cut)) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.node(call, a)
	n.note("%s(%s)", call, strings.Join(append([]string{a}, others...), ", "))
	for _, b := range others {
		n.node(call, b)
		f(cut{a, b})
	}
	if len(others) == 0 {
		f(cut{a, ""})
	}
}

// filter is a predicate of Drop.
type filter struct{ drop func(Segment) bool }

// Drop loses every segment of which f says so, until stop is called. f sees
// all segments of all hosts, in the order in which they are sent; it must
// neither wait nor use the network.
//
// The third segment that app sends on its first connection:
//
//	n.Drop(func(s estabtest.Segment) bool { return s.From == "app" && s.Conn == 1 && s.N == 3 })
func (n *Network) Drop(f func(Segment) bool) (stop func()) {
	x := &filter{f}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.filters = append(n.filters, x)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for i, y := range n.filters {
			if x == y {
				n.filters = append(n.filters[:i:i], n.filters[i+1:]...)
				return
			}
		}
	}
}

// errCrashed is why the connections of a host ended that crashed.
var errCrashed = errors.New("its host crashed")

// Crash takes the host off the network as a power failure does: its memory is
// lost, and nothing is sent; to the others it is silent. Calls on its
// listeners and connections return net.ErrClosed, and so do new ones until
// [Host.Restart].
func (h *Host) Crash() {
	h.life.Lock()
	defer h.life.Unlock()
	h.drain()
	n := h.net
	n.mu.Lock()
	n.note("%s crashes", h.name)
	for _, f := range n.all {
		for s := range f.sides {
			if me := &f.sides[s]; me.host == h && me.spoke && me.state != tcp.StateClosed {
				f.apply(trace.Side(s), tcp.Event{Time: tcp.Time(n.now()), Kind: tcp.EventState, From: me.state, Tuple: f.seenBy(trace.Side(s))})
				me.err = errCrashed
			}
		}
	}
	n.mu.Unlock()
	h.kill()
}

// kill ends the host's life; the lock of its life is held.
func (h *Host) kill() {
	n := h.net
	n.mu.Lock()
	if h.nic != nil {
		h.nic.dead, h.nic.recv = true, nil
		h.nic = nil
	}
	n.mu.Unlock()
	h.unstall()
	h.stack.Load().Close() // closing says nothing that the test could want to know
}

// Restart begins a new life of the host, after a crash or instead of one: the
// same name and addresses, a new secret, no memory. Listeners have to be
// opened again.
func (h *Host) Restart() {
	h.net.t.Helper()
	h.net.mu.Lock()
	alive := h.nic != nil
	h.net.mu.Unlock()
	if alive {
		h.Crash()
	}
	h.net.mu.Lock()
	h.net.note("%s restarts", h.name)
	h.net.mu.Unlock()
	if err := h.boot(); err != nil {
		h.net.t.Fatal(err)
	}
}

// Pause freezes the host as a suspended machine is: what is sent to it is
// lost, it sends nothing, and its timers stand still, until [Host.Resume]; it
// forgets nothing and gives nothing up, however long it takes. What the test
// does in its place, the test has to stop.
func (h *Host) Pause() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.net.note("%s is paused", h.name)
	if h.nic != nil {
		h.nic.paused = true
		h.Stack().Suspend()
	}
}

// Stall lets no program on the host read from its connections any more, as if
// it hung, until [Host.Resume]: calls of Read wait, whatever their deadlines,
// for a program that hangs looks at no clock. Close ends them. The host goes on
// acknowledging, until its buffers are full. (Connections opened through
// [Host.Stack] are not concerned.)
func (h *Host) Stall() {
	h.net.mu.Lock()
	h.net.note("%s is stalled", h.name)
	h.net.mu.Unlock()
	h.stalled.CompareAndSwap(nil, &stall{over: make(chan struct{})})
}

// Resume ends [Host.Pause] and [Host.Stall]. What a paused host has to send it
// sends now; timers that have run out meanwhile go off once.
func (h *Host) Resume() {
	h.net.mu.Lock()
	h.net.note("%s resumes", h.name)
	c := h.nic
	h.net.mu.Unlock()
	if c != nil {
		c.resume()
		h.Stack().Resume()
	}
	h.unstall()
}

func (h *Host) unstall() {
	if s := h.stalled.Swap(nil); s != nil {
		close(s.over)
	}
}

func durationOf(ns int64) time.Duration { return time.Duration(ns) }
