package tcp

import "estab/internal/wire"

// sources counts what each source of SYNs does, in a table of fixed size that
// is made when the first SYN comes. Sources that fall on the same entry share
// it; the key keeps an attacker from choosing which.
type sources struct {
	t     []source
	last  wire.Addr // whose entry was looked for last: a SYN asks several times
	found uint32    // and where it was
}

type source struct {
	halfOpen uint16
	syns     uint16 // in this second
	second   uint32 // which second that is
	verified uint32 // the second, from 1, in which it last completed a handshake; 0: never
}

const (
	verifiedFor    = 60 // seconds
	maxSourceCount = 1<<16 - 1
)

// at finds the entry of the source of a tuple: of the address for IPv4, of the
// /64 for IPv6, in which a single host has all addresses.
func (s *sources) at(e *Engine, t *Tuple) *source {
	if s.t == nil {
		s.t = make([]source, e.cfg.Defence.Sources)
	}
	a := t.Remote
	if !a.Is4() {
		a.Lo = 0
	}
	if a != s.last {
		s.last, s.found = a, uint32(wire.SipHash(e.keys.source, a.Hi, a.Lo)%uint64(len(s.t)))
	}
	return &s.t[s.found]
}

func (e *Engine) second() uint32 { return uint32(uint64(e.now)/1e9) + 1 }

// allow counts a SYN and reports whether its source is within its limits.
func (s *sources) allow(e *Engine, seg *Segment) bool {
	x := s.at(e, &seg.Tuple)
	now := e.second()
	if x.second != now {
		x.second, x.syns = now, 0
	}
	if x.syns < maxSourceCount {
		x.syns++
	}
	if x.verified != 0 && now-x.verified <= verifiedFor {
		return true
	}
	return int(x.halfOpen) < e.cfg.Defence.SourceHalfOpen && int(x.syns) <= e.cfg.Defence.SourceSyns
}

// opened and closed count a source's half-open records.
func (s *sources) opened(e *Engine, t *Tuple) {
	if e.cfg.Defence.NoSources {
		return
	}
	if x := s.at(e, t); x.halfOpen < maxSourceCount {
		x.halfOpen++
	}
}

func (s *sources) closed(e *Engine, t *Tuple) {
	if e.cfg.Defence.NoSources {
		return
	}
	if x := s.at(e, t); x.halfOpen > 0 {
		x.halfOpen--
	}
}

// verify notes that a source has answered from its address.
func (s *sources) verify(e *Engine, t *Tuple) {
	if !e.cfg.Defence.NoSources {
		s.at(e, t).verified = e.second()
	}
}
