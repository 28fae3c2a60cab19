package tcp

// sent is one segment of the retransmission queue: text (or a SYN or a FIN)
// that was sent and is not acknowledged. 24 bytes.
type sent struct {
	seq, end Num
	at       Time // when it was last sent
	marks    sentMark
	skip     uint32 // of a SACKed one: at least so many that follow are SACKed as well
}

type sentMark uint8

const (
	markSacked  sentMark = 1 << iota // the peer says it has it (RFC 2018)
	markLost                         // taken to be lost, and not sent again since
	markRetrans                      // sent again, and that copy is in flight
	markEver                         // sent more than once: no RTT sample (Karn)
	markSyn
	markFin
	markTwice // sent again without being lost: both copies are in flight
)

func (s *sent) len() uint32 { return uint32(s.end - s.seq) }

// rtxQueue is the retransmission queue of RFC 9293 §3.3.1: what is in flight,
// oldest first, in a ring whose capacity is a power of two and which exists
// only while something is in flight.
type rtxQueue struct {
	ring    []sent
	head, n uint32
}

func (q *rtxQueue) at(i int) *sent {
	return &q.ring[(q.head+uint32(i))&uint32(len(q.ring)-1)]
}

func (q *rtxQueue) len() int { return int(q.n) }

// search finds the first entry that ends after x.
func (q *rtxQueue) search(x Num) int {
	lo, hi := 0, int(q.n)
	for lo < hi {
		m := (lo + hi) / 2
		if q.at(m).end.LessEq(x) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// ringPool keeps empty rings of each size for reuse, so that a connection that
// sends now and then neither holds one while it is idle nor allocates one.
type ringPool struct{ free [ringClasses][][]sent }

const (
	minRing     = 8
	ringClasses = 10 // 8 to 4096 entries; larger ones are left to the collector
	keepRings   = 64
)

func ringClass(n int) int {
	c := 0
	for s := minRing; s < n; s *= 2 {
		c++
	}
	return c
}

func (p *ringPool) get(n int) []sent {
	c := ringClass(n)
	if c < ringClasses {
		if k := len(p.free[c]); k > 0 {
			r := p.free[c][k-1]
			p.free[c] = p.free[c][:k-1]
			return r
		}
	}
	return make([]sent, minRing<<c)
}

// put takes the ring out of q.
func (p *ringPool) put(q *rtxQueue) {
	if q.ring != nil {
		if c := ringClass(len(q.ring)); c < ringClasses && len(p.free[c]) < keepRings {
			p.free[c] = append(p.free[c], q.ring)
		}
	}
	*q = rtxQueue{}
}

// push appends an entry.
func (p *ringPool) push(q *rtxQueue, s sent) {
	if q.ring == nil {
		q.ring = p.get(minRing)
	} else if int(q.n) == len(q.ring) {
		p.resize(q, 2*len(q.ring))
	}
	q.n++
	*q.at(int(q.n) - 1) = s
}

func (p *ringPool) resize(q *rtxQueue, n int) {
	bigger := rtxQueue{ring: p.get(n), n: q.n}
	for i := range int(q.n) {
		bigger.ring[i] = *q.at(i)
	}
	p.put(q)
	*q = bigger
}

// pop drops the oldest entry.
func (p *ringPool) pop(q *rtxQueue) {
	q.head++
	if q.n--; q.n == 0 {
		p.put(q)
	}
}
