package wire

import "sync/atomic"

// Slab is a buffer that holds one packet, or a stretch of a send or receive
// queue. It has one owner at a time, who passes it on or puts it back into a
// Pool. Two slabs may lie on one buffer (Pool.Lend), for two owners: as long as
// both are in use nobody writes to what either of them shows.
type Slab struct {
	buf            []byte // the buffer, up to where Append may go; its capacity tells the class
	start, end     int32  // the bytes in use
	sumFrom, sumTo int32  // the stretch of the buffer that sum is of, from -1: none
	sum            uint64 // its partial sum
	Next           *Slab  // for its owner's list
	Hash           uint64 // keyed hash of the packet's tuple at the receiver, or 0
	Meta           uint32 // for its owner

	twin *Slab        // the second slab on the buffer; nil if there never was one
	lent *atomic.Bool // of both: whether both are in use
}

// Bytes are the bytes in use. They are valid until the slab changes hands.
func (s *Slab) Bytes() []byte { return s.buf[s.start:s.end] }

// Cap is the size of the whole buffer.
func (s *Slab) Cap() int { return cap(s.buf) }

// Len is the number of bytes in use.
func (s *Slab) Len() int { return int(s.end - s.start) }

// Room is how many bytes Append can still take: none once the slab was lent.
func (s *Slab) Room() int { return len(s.buf) - int(s.end) }

// Append copies as much of p as fits behind the bytes in use.
func (s *Slab) Append(p []byte) int {
	n := copy(s.buf[s.end:], p)
	s.end += int32(n)
	return n
}

// AppendSum is Append, and sums what it copies.
func (s *Slab) AppendSum(p []byte) int {
	p = p[:min(len(p), s.Room())]
	if s.start == s.end {
		s.sum, s.sumFrom, s.sumTo = 0, s.start, s.end
	}
	if s.sumTo != s.end { // what is there was not summed
		return s.Append(p)
	}
	s.sum = Combine(s.sum, CopySum(0, s.buf[s.end:], p), int(s.end-s.sumFrom))
	s.end += int32(len(p))
	s.sumTo = s.end
	return len(p)
}

// PartialSum is that of the bytes in use, for Combine.
func (s *Slab) PartialSum() uint64 {
	if s.sumFrom == s.start && s.sumTo == s.end {
		return s.sum
	}
	return Sum(0, s.Bytes())
}

// Reserve leaves n bytes free in front of what will be appended to an empty
// slab: the headroom in which Pool.Lend puts headers.
func (s *Slab) Reserve(n int) { s.start, s.end = int32(n), int32(n) }

// Shared reports whether the second slab on the buffer is in use, too.
func (s *Slab) Shared() bool { return s.lent != nil && s.lent.Load() }

// Resize makes the first n bytes of the buffer the bytes in use, whatever
// they hold, and returns them.
func (s *Slab) Resize(n int) []byte {
	s.start, s.end, s.sumFrom = 0, int32(n), -1
	return s.buf[:n]
}

// Slice makes [i, j) of the bytes in use the bytes in use.
func (s *Slab) Slice(i, j int) {
	s.start, s.end, s.sumFrom = s.start+int32(i), s.start+int32(j), -1
}

// Narrow makes p, which must be a sub-slice of the buffer, the bytes in use.
func (s *Slab) Narrow(p []byte) {
	s.start = int32(cap(s.buf) - cap(p))
	s.end, s.sumFrom = s.start+int32(len(p)), -1
}

// Trim drops n bytes at the front.
func (s *Slab) Trim(n int) { s.start += int32(n) }

// The two size classes. The small one takes a packet of an Ethernet's MTU,
// the large one the largest IP packet.
const (
	SmallSlab = 2048
	LargeSlab = 65536
)

// NewSlab makes a slab of the class that holds n bytes, n <= LargeSlab.
func NewSlab(n int) *Slab {
	if n <= SmallSlab {
		return &Slab{buf: make([]byte, SmallSlab)}
	}
	return &Slab{buf: make([]byte, LargeSlab)}
}

// Pool keeps empty slabs of both classes for reuse. It is not safe for
// concurrent use: each has one lock's worth of users. The zero Pool is empty
// and ready.
type Pool struct {
	small, large       *Slab
	nSmall, nLarge     int
	lowSmall, lowLarge int // the fewest that were there since the last Trim

	// Out counts the slabs taken and not yet put back (slabs that came from
	// elsewhere and are put here count negative), so that tests can see a leak.
	Out int
}

// What a pool keeps at most; more goes to the garbage collector.
const (
	keepSmall = 512 // 1 MiB
	keepLarge = 64  // 4 MiB
)

// Get returns an empty slab that holds n bytes.
func (p *Pool) Get(n int) *Slab {
	if s := p.Spare(n); s != nil {
		return s
	}
	p.Out++
	return NewSlab(n)
}

// Spare is Get, but returns nil if the pool is empty.
func (p *Pool) Spare(n int) *Slab {
	if n <= SmallSlab {
		if s := p.small; s != nil {
			p.small, s.Next = s.Next, nil
			p.nSmall--
			p.lowSmall = min(p.lowSmall, p.nSmall)
			p.Out++
			return s
		}
	} else if s := p.large; s != nil {
		p.large, s.Next = s.Next, nil
		p.nLarge--
		p.lowLarge = min(p.lowLarge, p.nLarge)
		p.Out++
		return s
	}
	return nil
}

// Lend returns a second slab on the buffer of s, for another owner. Its bytes in
// use are head bytes, for the caller to write, and behind them the first n of
// those of s. From then on nothing can be appended to s, and both slabs are put
// back, in any order and wherever: who comes last brings the buffer. Lend
// returns nil if there is no room for the head, or if s is lent already.
func (p *Pool) Lend(s *Slab, head, n int) *Slab {
	if int(s.start) < head || s.Shared() {
		return nil
	}
	if s.twin == nil {
		s.lent = new(atomic.Bool)
		s.twin = &Slab{buf: s.buf, twin: s, lent: s.lent}
	}
	p.Out++
	s.buf = s.buf[:s.end]
	t := s.twin
	t.start, t.end = s.start-int32(head), s.start+int32(n)
	t.buf = t.buf[:t.end]
	s.lent.Store(true)
	return t
}

// Put takes a slab back. The caller must not use it again.
func (p *Pool) Put(s *Slab) {
	p.Out--
	s.buf = s.buf[:cap(s.buf)]
	s.start, s.end, s.sumFrom, s.sumTo, s.Hash, s.Meta, s.Next = 0, 0, 0, 0, 0, 0, nil
	if s.lent != nil && s.lent.CompareAndSwap(true, false) {
		return // the buffer is the twin's
	}
	if len(s.buf) == SmallSlab {
		if p.nSmall < keepSmall {
			s.Next, p.small = p.small, s
			p.nSmall++
		}
	} else if p.nLarge < keepLarge {
		s.Next, p.large = p.large, s
		p.nLarge++
	}
}

// Trim lets the garbage collector have what nobody has needed since the last
// Trim, and returns how many slabs are left.
func (p *Pool) Trim() int {
	for ; p.lowSmall > 0; p.lowSmall-- {
		p.small = p.small.Next
		p.nSmall--
	}
	for ; p.lowLarge > 0; p.lowLarge-- {
		p.large = p.large.Next
		p.nLarge--
	}
	p.lowSmall, p.lowLarge = p.nSmall, p.nLarge
	return p.nSmall + p.nLarge
}

// Clone returns a copy of the slab in a fresh buffer.
func (s *Slab) Clone() *Slab {
	c := &Slab{
		buf: make([]byte, cap(s.buf))[:len(s.buf)], start: s.start, end: s.end,
		sum: s.sum, sumFrom: s.sumFrom, sumTo: s.sumTo, Hash: s.Hash, Meta: s.Meta,
	}
	copy(c.buf[s.start:s.end], s.buf[s.start:s.end])
	return c
}
