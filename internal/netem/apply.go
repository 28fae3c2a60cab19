package netem

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Drop says why a packet was dropped.
type Drop uint8

// The reasons for a drop.
const (
	NotDropped Drop = iota
	Lost            // by the loss model
	Overflow        // more than the limit were under way
	TooBig          // larger than the model's mtu
)

var dropNames = [...]string{NotDropped: "", Lost: "lost", Overflow: "overflow", TooBig: "too big"}

func (d Drop) String() string {
	if int(d) < len(dropNames) {
		return dropNames[d]
	}
	return "drop?"
}

// Passage is what becomes of one copy of a packet.
type Passage struct {
	Drop      Drop  // if not NotDropped, the rest means nothing
	At        int64 // when it arrives, ns; not before now
	Corrupt   bool  // its bit Bit is flipped
	Bit       int   // bit Bit%8 (0 is the lowest) of byte Bit/8
	Reordered bool  // it arrives before a packet that was sent earlier
}

// Flip does to a packet's bytes what Corrupt and Bit say.
func (p *Passage) Flip(b []byte) {
	if p.Corrupt && p.Bit/8 < len(b) {
		b[p.Bit/8] ^= 1 << (p.Bit % 8)
	}
}

// Fate is what becomes of a packet, and of its duplicate if it got one.
type Fate struct {
	Passage
	Duplicated bool
	Copy       Passage // if Duplicated
}

// State is one direction of a path between packets. It is a value with one
// owner; Clone copies it.
type State struct {
	seed  uint64
	n     uint64             // packets seen
	chain uint8              // the loss model's state
	last  [numStreams]uint32 // draws that the next one may be correlated with
	count int                // packets delayed since the last that overtook
	tail  int64              // the latest of the times in queue
	queue []int64            // when the packets under way arrive: a heap, earliest first
}

// NewState starts a direction. path tells the directions and paths apart that
// share a seed.
func NewState(seed, path uint64) State {
	return State{seed: mix(mix(seed+gamma) + path*gamma)}
}

// Clone returns a copy that shares nothing.
func (st *State) Clone() State {
	c := *st
	c.queue = slices.Clone(st.queue)
	return c
}

// AppendState appends a canonical dump: equal dumps have equal futures under
// the same model and the same calls, wherever in time they are.
func (st *State) AppendState(b []byte, now int64) []byte {
	b = binary.BigEndian.AppendUint64(b, st.seed)
	b = binary.BigEndian.AppendUint64(b, st.n)
	b = append(b, st.chain)
	for _, u := range st.last {
		b = binary.BigEndian.AppendUint32(b, u)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(st.count))
	q := slices.Clone(st.queue)
	q = slices.DeleteFunc(q, func(t int64) bool { return t <= now })
	slices.Sort(q)
	for _, t := range q {
		b = binary.BigEndian.AppendUint64(b, uint64(t-now))
	}
	return binary.BigEndian.AppendUint64(b, uint64(len(q)))
}

// Held is how many packets are under way at now.
func (st *State) Held(now int64) int {
	st.expire(now)
	return len(st.queue)
}

// Apply decides on the packet of size bytes that is sent at now, in
// nanoseconds. Calls come in the order of time; the model may change between
// them. Each call draws everything that m could need, whatever comes of it.
func (st *State) Apply(now int64, size int, m *Model) Fate {
	st.expire(now)
	st.n++
	l := st.draw(m, 0)
	copied := m.Duplicate.P.hit(l.duplicate)
	lost := m.Loss.lost(&st.chain, l.loss, l.lossMove)
	if lost && copied {
		lost, copied = false, false // one of two is left, as in netem
	}
	f := Fate{Passage: st.pass(now, size, m, lost, &l)}
	if copied && f.Drop == NotDropped {
		f.Duplicated = true
		c := st.draw(m, numStreams)
		chain := st.chain
		gone := m.Loss.lost(&chain, c.loss, c.lossMove)
		f.Copy = st.pass(now, size, m, gone, &c)
	}
	return f
}

// luck is what was drawn for one copy of a packet.
type luck struct{ loss, lossMove, duplicate, corrupt, corruptBit, delay, reorder uint32 }

// draw draws for packet st.n. offset is 0 for the packet itself, numStreams
// for its duplicate, whose draws are not remembered.
func (st *State) draw(m *Model, offset stream) luck {
	one := func(s stream, rho Prob) uint32 {
		u := correlate(draw(st.seed, s+offset, st.n), st.last[s], rho)
		if rho != 0 && offset == 0 {
			st.last[s] = u
		}
		return u
	}
	return luck{
		loss:       one(streamLoss, m.Loss.Corr),
		lossMove:   one(streamLossMove, 0),
		duplicate:  one(streamDuplicate, m.Duplicate.Corr),
		corrupt:    one(streamCorrupt, m.Corrupt.Corr),
		corruptBit: one(streamCorruptBit, 0),
		delay:      one(streamDelay, m.Delay.Corr),
		reorder:    one(streamReorder, m.Reorder.Corr),
	}
}

// pass sends one copy through the path.
func (st *State) pass(now int64, size int, m *Model, lost bool, l *luck) Passage {
	switch {
	case m.MTU > 0 && size > m.MTU:
		return Passage{Drop: TooBig}
	case lost:
		return Passage{Drop: Lost}
	case len(st.queue) >= m.limit():
		return Passage{Drop: Overflow}
	}
	p := Passage{At: now}
	if m.Corrupt.P.hit(l.corrupt) && size > 0 {
		p.Corrupt = true
		p.Bit = int(below(l.corruptBit, 8*uint64(size)))
	}
	if m.Reorder.P != 0 && st.count >= m.Reorder.Gap-1 && m.Reorder.P.hit(l.reorder) {
		st.count = 0
	} else {
		p.At = st.arrival(now, size, m, l.delay)
		st.count++
	}
	p.Reordered = p.At < st.tail
	st.hold(now, p.At)
	return p
}

// arrival is when a packet that does not overtake arrives. With a rate it is
// sent after the last one under way, and the time that it waits for that is
// taken off its delay, as in netem.
func (st *State) arrival(now int64, size int, m *Model, u uint32) int64 {
	delay := m.Delay.jittered(u)
	if m.Rate.Bits == 0 {
		return now + max(0, delay)
	}
	from := max(now, st.tail)
	return from + max(0, delay-(from-now)) + m.Rate.Time(size)
}

// Time is how long sending a packet of size bytes takes, in nanoseconds.
func (r *Rate) Time(size int) int64 {
	if r.Bits == 0 {
		return 0
	}
	n := int64(size) + int64(r.Overhead)
	if r.Cell > 0 {
		n = (n + int64(r.Cell) - 1) / int64(r.Cell) * int64(r.Cell+r.CellOverhead)
	}
	if n <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(n), 8*second)
	if hi >= r.Bits {
		return maxTime
	}
	t, _ := bits.Div64(hi, lo, r.Bits)
	return int64(min(t, maxTime))
}

// expire forgets the packets that have arrived.
func (st *State) expire(now int64) {
	for len(st.queue) > 0 && st.queue[0] <= now {
		st.pop()
	}
	if len(st.queue) == 0 {
		st.tail = now
	}
}

// hold remembers a packet that arrives at t.
func (st *State) hold(now, t int64) {
	if t <= now {
		return
	}
	st.tail = max(st.tail, t)
	q := append(st.queue, t)
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if q[up] <= t {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	st.queue = q
}

// pop removes the earliest packet.
func (st *State) pop() {
	q := st.queue
	last := len(q) - 1
	q[0] = q[last]
	q = q[:last]
	for i := 0; ; {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < last && q[c] < q[least] {
				least = c
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	st.queue = q
}
