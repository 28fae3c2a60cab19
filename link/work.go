package link

import (
	"sync/atomic"
	"time"
)

// Runner is something that has work to do: a shard of a host with packets in
// its queue, the transmit queue of a device.
//
// A runner is listed once, however much there is to do. It keeps a flag
// "marked" under the lock of its queue: whoever puts something into the queue
// and finds the flag unset sets it, releases the lock and adds the runner to
// his Work; whoever empties the queue in Run unsets it. So between two runs
// nothing is forgotten and nothing is listed twice. (A host's shard has a token
// in place of a flag, and may stand on several lists: pump.go in package estab.)
type Runner interface {
	// Run does what there is to do, once around: about one batch, not until
	// there is nothing left. It never blocks: if another goroutine is at it,
	// Run returns, and that goroutine looks again. What it causes, and itself
	// if work is left, it adds to w.
	Run(w *Work)
}

// A HandOffer is a Runner that others might run before the helper that it is
// handed to comes to it.
type HandOffer interface {
	Runner

	// HandOff gives up whatever keeps others from it, and returns what the
	// helper is to run; nil if another helper will do so.
	HandOff() Runner
}

// Instant is a moment in the life of this process, in nanoseconds; never zero.
// Those of a testing/synctest bubble are not to be compared with others.
type Instant int64

var start = time.Now()

// Now is the present moment. It never runs backwards.
func Now() Instant { return Instant(time.Since(start)) + 1 }

// Work is the list of what a goroutine still has to run after it has released
// its locks. The zero Work is empty and ready. It is for one goroutine at a
// time; its owner reuses it, and then it allocates nothing.
type Work struct {
	// Clock is when the work began, for Runners to whom that is exact enough:
	// reading the clock is dear where a byte takes half a microsecond. Zero:
	// nobody has said. The owner sets and clears it.
	Clock Instant

	list    []Runner // for the next round
	round   []Runner // the round that is being run
	running bool
	number  uint32 // of this Work among all; 0: not needed yet
	idle    atomic.Pointer[helper]
}

var works atomic.Uint32 // that have a number

// stripe is which of an end's counters whoever has this Work uses. Works stay
// with a processor, by and large.
func (w *Work) stripe() uint32 {
	if w.number == 0 {
		w.number = works.Add(1)
	}
	return w.number % stripes
}

// rounds is how often Run goes around before a helper takes over, so that
// nobody who wanted to write a byte carries the traffic of a whole network.
const rounds = 8

// Add puts r on the list.
func (w *Work) Add(r Runner) { w.list = append(w.list, r) }

// Run runs what is on the list, then what that has added, and so on. What is
// left after eight rounds goes to a goroutine that ends when there is nothing
// left, unless somebody else sees to it (HandOffer). Called by a Runner, Run does
// nothing: the list is being run already.
func (w *Work) Run() {
	if w.running {
		return
	}
	for n := 0; len(w.list) > 0; n++ {
		if n == rounds {
			w.handOff()
			return
		}
		w.turn()
	}
}

// turn runs one round.
func (w *Work) turn() {
	w.running = true
	w.list, w.round = w.round[:0], w.list
	for i, r := range w.round {
		w.round[i] = nil
		r.Run(w)
	}
	w.running = false
}

// helper runs on what a Work had to leave.
type helper struct {
	work  Work
	owner *Work
	drain func() // run, made once
}

// handOff gives the list to a helper.
func (w *Work) handOff() {
	h := w.idle.Swap(nil)
	if h == nil {
		h = &helper{owner: w}
		h.drain = h.run
	}
	for i, r := range w.list {
		if o, ok := r.(HandOffer); ok {
			r = o.HandOff()
		}
		if r != nil {
			h.work.Add(r)
		}
		w.list[i] = nil
	}
	w.list = w.list[:0]
	if len(h.work.list) == 0 {
		w.idle.Store(h)
		return
	}
	go h.drain()
}

// run empties the helper's list; then its owner may have it again.
func (h *helper) run() {
	for len(h.work.list) > 0 {
		h.work.turn()
	}
	h.owner.idle.CompareAndSwap(nil, h)
}
