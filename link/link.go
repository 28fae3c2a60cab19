package link

import "estab/internal/wire"

// Packet is one IP packet in a buffer. Its bytes are valid only as long as one
// owns it.
type Packet = wire.Slab

// MaxPacket is the size of the largest IP packet, in bytes.
const MaxPacket = 65535

// MinMTU is the smallest MTU that a link may have, in bytes: every IPv4 module
// must pass on 68 (RFC 791 §3.2). IPv6 wants 1280 (RFC 8200 §5).
const MinMTU = 68

// NewPacket makes an empty packet with room for n bytes, n <= MaxPacket. Fill
// it with Append, or with Resize and a write to Bytes.
func NewPacket(n int) *Packet { return wire.NewSlab(n) }

// Caps says what a link can do.
type Caps struct {
	MTU int // bytes: the largest packet that it takes

	// RxVerified: the bytes of packets that arrive are vouched for, and
	// checksums needn't be verified. TxUnchecked: the other end thinks so too,
	// and checksums needn't be made.
	RxVerified, TxUnchecked bool

	// Shares: packets pass in the memory in which they lie, and the host at this
	// end may go on reading it: whoever gets one doesn't write to its bytes.
	Shares bool

	Local bool // both ends are in the memory of this process
}

// Link moves packets between a host and whatever is at the other end. All
// methods may be called by any number of goroutines at once.
type Link interface {
	Caps() Caps

	// Attach says where the packets that arrive go. It is called once, before
	// traffic; what arrives earlier is lost.
	Attach(r Receiver) error

	// Enqueue hands over packets; no entry of pkts is nil. It takes the first
	// n of them, and leaves in their places empty packets that the caller may
	// have for them, or nil: buffers that flow one way come back the other.
	// Packets that the link takes and can't deliver are dropped and counted.
	//
	// Enqueue is called under the caller's locks. It never blocks and makes no
	// system call; what must happen next it adds to w. If it takes fewer than
	// it was offered, it calls the receiver's Writable when it takes packets
	// again. That may be before Enqueue has returned; so a caller that means
	// to wait notes it down first and tries once more.
	Enqueue(w *Work, pkts []*Packet) (n int)

	// Close ends the link and gives back what it holds. Packets still offered
	// are dropped and counted. A call of Deliver that is under way may still
	// finish. Close is called without locks that the receiver takes, and not
	// from within Deliver, Writable or a Runner. Calling it again does nothing.
	Close() error
}

// Receiver is a host as its links see it.
type Receiver interface {
	// Deliver takes packets that arrived, all of them, and leaves empty ones
	// or nil in their places. It never blocks and may be called under the
	// locks of the sender: it only queues, and adds to w whoever is to take
	// them out of the queue.
	Deliver(w *Work, pkts []*Packet)

	// Writable says that Enqueue, which had taken fewer than it was offered,
	// will take packets again. No lock is held.
	Writable(w *Work)
}

// Counts are the counters of one direction of a link. What went on from here
// is Packets + Duplicated - Dropped - Held.
type Counts struct {
	Packets, Bytes uint64 // taken
	Dropped        uint64 // of these and of duplicates
	Duplicated     uint64 // packets added
	Corrupted      uint64 // packets that had a bit flipped
	Reordered      uint64 // packets that overtook others
	Held           int    // packets now under way
}

// Stats are the counters of a link: Out for the packets that were enqueued,
// In for those that arrived from the other end.
type Stats struct{ Out, In Counts }
