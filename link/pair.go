package link

import (
	"errors"
	"net"
	"sync/atomic"
)

// DefaultMTU is the MTU of a Pair if nothing else is said: an Ethernet's.
const DefaultMTU = 1500

// PairOptions describe a Pair. The zero value is a wire of Ethernet's size.
type PairOptions struct {
	// MTU is the largest packet in bytes, from MinMTU to MaxPacket. 0 is
	// DefaultMTU; what is outside is brought to the nearest.
	MTU int

	// Trusted: the memory of this process is trusted, and hosts neither make
	// nor verify checksums. Such a wire can't be damaged or recorded: Impair
	// refuses to.
	Trusted bool
}

// PairEnd is one end of a wire in memory.
type PairEnd struct {
	peer    *PairEnd
	mtu     int
	trusted bool
	recv    atomic.Pointer[attached]
	state   atomic.Uint32 // endOpen …

	_       [64]byte // the counters change with every packet, the rest never
	out     [stripes]traffic
	dropped atomic.Uint64
	lost    atomic.Uint64 // bytes of those dropped
	_       [64]byte
}

// traffic is a part of an end's counters: processors that send at the same time
// count in different ones, each in a cache line of its own.
type traffic struct {
	packets, bytes atomic.Uint64
	_              [48]byte
}

const stripes = 8

// attached is a Receiver in a form that fits an atomic pointer.
type attached struct{ Receiver }

// The states of a PairEnd.
const (
	endOpen = iota
	endAttached
	endClosed
)

// Errors of Attach.
var (
	errNoReceiver = errors.New("link: Attach: no receiver")
	errAttached   = errors.New("link: Attach: a receiver is attached already")
)

// Pair makes a wire in memory. What one end is given by Enqueue its peer's
// receiver gets in the same call; the wire holds nothing, takes no time, and
// has no goroutine. It never refuses, and passes packets in the memory in which
// they lie (Caps.Shares). Packets are lost, and counted, if they
// are larger than the MTU or if an end is not attached or closed.
func Pair(o PairOptions) (a, b *PairEnd) {
	if o.MTU == 0 {
		o.MTU = DefaultMTU
	}
	mtu := min(max(o.MTU, MinMTU), MaxPacket)
	a = &PairEnd{mtu: mtu, trusted: o.Trusted}
	b = &PairEnd{mtu: mtu, trusted: o.Trusted, peer: a}
	a.peer = b
	return a, b
}

// Caps is part of Link.
func (e *PairEnd) Caps() Caps {
	return Caps{MTU: e.mtu, RxVerified: e.trusted, TxUnchecked: e.trusted, Shares: true, Local: true}
}

// Attach is part of Link.
func (e *PairEnd) Attach(r Receiver) error {
	if r == nil {
		return errNoReceiver
	}
	if !e.state.CompareAndSwap(endOpen, endAttached) {
		if e.state.Load() == endClosed {
			return net.ErrClosed
		}
		return errAttached
	}
	e.recv.Store(&attached{r})
	return nil
}

// Enqueue is part of Link. It takes all packets.
func (e *PairEnd) Enqueue(w *Work, pkts []*Packet) int {
	to := e.peer.recv.Load()
	if e.state.Load() == endClosed || e.peer.state.Load() == endClosed {
		to = nil
	}
	limit := e.mtu
	if to == nil {
		limit = -1
	}
	var bytes, dropped, lost uint64
	start := 0 // pkts[start:i] are to be delivered
	for i, p := range pkts {
		n := p.Len()
		bytes += uint64(n)
		if n <= limit {
			continue
		}
		dropped++
		lost += uint64(n)
		p.Resize(0)
		if start < i {
			to.Deliver(w, pkts[start:i])
		}
		start = i + 1
	}
	out := &e.out[w.stripe()]
	out.packets.Add(uint64(len(pkts)))
	out.bytes.Add(bytes)
	if dropped > 0 {
		e.dropped.Add(dropped)
		e.lost.Add(lost)
	}
	if start < len(pkts) {
		to.Deliver(w, pkts[start:])
	}
	return len(pkts)
}

// Close is part of Link. The other end stays open; what it sends is dropped.
func (e *PairEnd) Close() error {
	e.state.Store(endClosed)
	e.recv.Store(nil)
	return nil
}

// Stats are the counters. A drop counts where the packet was enqueued; what
// has arrived was delivered.
func (e *PairEnd) Stats() Stats {
	dropped, lost := e.peer.dropped.Load(), e.peer.lost.Load() // first, so that there are no more of them than packets
	s := Stats{Out: e.sent(), In: e.peer.sent()}
	s.Out.Dropped = e.dropped.Load()
	s.In.Packets -= dropped
	s.In.Bytes -= lost
	return s
}

// sent is what the end was given.
func (e *PairEnd) sent() (c Counts) {
	for i := range e.out {
		c.Packets += e.out[i].packets.Load()
		c.Bytes += e.out[i].bytes.Load()
	}
	return c
}
