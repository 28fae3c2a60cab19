package tcp

// iss chooses the initial sequence number (RFC 6528 §3): "ISN = M +
// F(localip, localport, remoteip, remoteport, secretkey)", M a clock of 4
// microseconds, F a keyed hash.
// Obeys: RFC 9293 MUST-8, MUST-9, SHLD-1; RFC 6528 3a, 3b.
func (e *Engine) iss(t *Tuple) Num {
	return Num(t.Hash(e.keys.iss)) + Num(uint64(e.now)/4000)
}

// issAfter is the ISS of a pair that is reopened out of TIME-WAIT. It must lie
// beyond what the old connection used (RFC 9293 MAY-2; RFC 6191); after a
// gigabyte the clock alone can lie behind it.
// Obeys: RFC 9293 MAY-2.
func (e *Engine) issAfter(t *Tuple, oldNXT Num) Num {
	floor := oldNXT + reuseMargin
	if iss := e.iss(t); iss.In(floor, 1<<30) { // ahead, and well within half of the circle
		return iss
	}
	return floor
}

// reuseMargin keeps a reopened pair clear of the old connection's last window.
const reuseMargin = 1<<16 + 1

// timestampOffset is added to the timestamp clock of a pair (RFC 7323 §7.1: a
// random offset, so that the clock tells nobody our uptime). It is a keyed
// hash and not random, because a later connection of the pair must continue
// the sequence (RFC 6191, PAWS).
// Obeys: RFC 7323 7.1.
func (e *Engine) timestampOffset(t *Tuple) uint32 { return uint32(t.Hash(e.keys.timestamp)) }

// tsClock is the timestamp clock in milliseconds, before the offset.
// Obeys: RFC 7323 4.1a, 5.4a, 5.4b.
func (e *Engine) tsClock() uint32 { return uint32(uint64(e.now) / 1e6) }

// portCounters are the counters of RFC 6056's algorithm 4, as many as its
// table has entries.
type portCounters struct{ n [32]uint32 }

// CandidatePort is the attempt'th ephemeral port to try for a flow whose
// LocalPort is not chosen yet (RFC 6056 §3.3.4, double-hash port selection):
// an offset that is a keyed hash of the addresses and the remote port, plus a
// counter that destinations share in groups. The step after the first attempt
// is a keyed odd number, so that a crowded stretch of ports costs no more than
// a sparse one.
func (e *Engine) CandidatePort(t *Tuple, attempt uint32) uint16 {
	f := *t
	f.LocalPort = 0
	offset := f.Hash(e.keys.portOffset)
	group := f.Hash(e.keys.portCounter)
	n := uint64(e.cfg.PortLast-e.cfg.PortFirst) + 1
	counter := &e.ports.n[group%uint64(len(e.ports.n))]
	if attempt == 0 {
		*counter++
	}
	step := group>>8%n | 1
	for gcd(step, n) != 1 { // or it would not visit every port
		step += 2
	}
	return e.cfg.PortFirst + uint16((offset+uint64(*counter)+uint64(attempt)*step)%n)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// candidatePorts is how many ports there are to try.
func (e *Engine) candidatePorts() uint32 { return uint32(e.cfg.PortLast-e.cfg.PortFirst) + 1 }
