package link

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"estab/internal/netem"
)

// Impairment describes a bad path, and who watches it.
type Impairment struct {
	// Out and In say what becomes of the packets that leave and of those that
	// arrive, in the grammar of Linux's netem (tc-netem(8)):
	//
	//	delay 100ms 10ms 25% distribution normal
	//	loss 1% 25% | loss state … | loss gemodel …
	//	duplicate 1%   corrupt 1%   reorder 25% 50% gap 5
	//	rate 10mbit    limit 1000   mtu 1400
	//
	// The last is ours: larger packets vanish without a word. Packets that are
	// under way count towards limit, 1000 if it isn't given; more are lost.
	// Empty is a perfect path.
	Out, In string

	// Seed decides on all luck: the same packets at the same times have the
	// same fates.
	Seed uint64

	// Observe, if not nil, is called for every packet, in the order in which
	// they were given to the link. It is called under a lock, and perhaps
	// under the sender's: it must not wait, nor use the link or a host.
	Observe func(TapEvent)
}

// Impaired is a Link that is worse than the one within. It needs no goroutine:
// packets that are not delayed pass in the same call, and for the others there
// is one timer in each direction.
type Impaired struct {
	inner   Link
	observe func(TapEvent)
	out, in lane
	works   atomic.Pointer[Work] // for the timers

	mu       sync.Mutex // a leaf: nothing but observe is called under it
	base     time.Time  // what the lanes' clocks count from: the first packet
	recv     Receiver
	attached bool
	closed   bool
}

// errVouched is why a trusted link can't be damaged or observed.
var errVouched = errors.New("the link vouches for its bytes, so that hosts make no checksums on it")

// Impair makes a bad path out of l, which belongs to it from then on. Errors:
// a text that netem's grammar doesn't have; an impairment that corrupts or
// observes on a link whose hosts make no checksums (a Trusted Pair).
func Impair(l Link, o Impairment) (*Impaired, error) {
	d := &Impaired{inner: l, observe: o.Observe}
	d.out.init(d, Out, o.Seed)
	d.in.init(d, In, o.Seed)
	if err := d.Set(o.Out, o.In); err != nil {
		return nil, err
	}
	return d, nil
}

// Set changes the impairment, for the packets that come from now on. After an
// error nothing has changed.
func (d *Impaired) Set(out, in string) error {
	mo, err := netem.Parse(out)
	if err != nil {
		return fmt.Errorf("link: Impair: Out: %w", err)
	}
	mi, err := netem.Parse(in)
	if err != nil {
		return fmt.Errorf("link: Impair: In: %w", err)
	}
	if c := d.inner.Caps(); c.RxVerified || c.TxUnchecked {
		if mo.Corrupt.P != 0 || mi.Corrupt.P != 0 {
			return fmt.Errorf("link: Impair: corrupt: %w", errVouched)
		}
		if d.observe != nil {
			return fmt.Errorf("link: Impair: Observe: %w", errVouched)
		}
	}
	d.mu.Lock()
	d.out.set(mo)
	d.in.set(mi)
	d.mu.Unlock()
	return nil
}

// Caps is part of Link. What is held may be damaged, so nothing is shared.
func (d *Impaired) Caps() Caps {
	c := d.inner.Caps()
	c.Shares = false
	return c
}

// Attach is part of Link.
func (d *Impaired) Attach(r Receiver) error {
	if r == nil {
		return errNoReceiver
	}
	d.mu.Lock()
	switch {
	case d.closed:
		d.mu.Unlock()
		return net.ErrClosed
	case d.attached:
		d.mu.Unlock()
		return errAttached
	}
	d.recv, d.attached = r, true
	d.mu.Unlock()
	err := d.inner.Attach((*arrivals)(d))
	if err != nil {
		d.mu.Lock()
		d.recv, d.attached = nil, false
		d.mu.Unlock()
	}
	return err
}

// Enqueue is part of Link. It refuses only after the link within has refused.
func (d *Impaired) Enqueue(w *Work, pkts []*Packet) int { return d.out.take(w, pkts) }

// Close is part of Link. What is under way is dropped.
func (d *Impaired) Close() error {
	d.mu.Lock()
	d.closed = true
	d.recv = nil
	d.out.drop()
	d.in.drop()
	d.mu.Unlock()
	return d.inner.Close()
}

// Stats are the counters of the impairment: Out and In of the packets that
// came to it, before it did anything to them.
func (d *Impaired) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Stats{Out: d.out.stats(), In: d.in.stats()}
}

// arrivals is an Impaired as the receiver of the link within.
type arrivals Impaired

func (a *arrivals) Deliver(w *Work, pkts []*Packet) { (*Impaired)(a).in.take(w, pkts) }

func (a *arrivals) Writable(w *Work) { (*Impaired)(a).out.unblock(w) }

// now is the lanes' clock, and the time of day that goes with it.
func (d *Impaired) now() (int64, time.Time) {
	t := time.Now()
	if d.base.IsZero() {
		d.base = t
	}
	return int64(t.Sub(d.base)), t
}

// forward gives packets to whoever is next in that direction, and returns how
// many were taken.
func (d *Impaired) forward(dir Direction, recv Receiver, w *Work, pkts []*Packet) int {
	switch {
	case len(pkts) == 0:
	case dir == Out:
		return d.inner.Enqueue(w, pkts)
	case recv != nil:
		recv.Deliver(w, pkts)
	default:
		for _, p := range pkts {
			p.Resize(0)
		}
	}
	return len(pkts)
}
