package tcp

import (
	"time"

	"estab/internal/wire"
)

// Defences against SYN floods (RFC 4987). In the order in which a SYN meets
// them:
//
//  1. a limit on what one source may have half-open, and on how fast it may
//     send SYNs (sources.go);
//  2. a bounded table of small records (halfopen.go);
//  3. when it is full, an answer that needs no record (cookies.go), or
//  4. without cookies, the oldest record makes room;
//  5. under pressure records wait for a shorter time.
//
// All but the records have a switch, so that each can be measured alone.

// Defence is a set of switches: what to do without.
type Defence struct {
	NoCookies   bool // never send or accept a cookie
	NoEviction  bool // without cookies, when the table is full, drop the SYN and keep the oldest record
	NoPressure  bool // let records wait as long under pressure as without
	NoSources   bool // no limit for a source
	DropSources bool // drop what is over a source's limit, where otherwise a cookie answers it
	//                  (a forged source address then locks its owner out)

	// SourceHalfOpen is how many half-open records an unverified source may
	// have; 0: 1/16 of MaxHalfOpen, at least 16. A source is an IPv4 address
	// or an IPv6 /64. One that completed a handshake in the last minute is
	// verified, and exempt.
	SourceHalfOpen int
	// SourceSyns is how many SYNs, repeated ones included, an unverified
	// source may send in a second; 0: 512.
	SourceSyns int
	// Sources is how many entries the table has that counts what sources do,
	// 12 bytes each; 0: 4096. Sources that fall on the same entry share it.
	Sources int
}

// synVerdict is what becomes of a SYN in LISTEN.
type synVerdict uint8

const (
	synRecord synVerdict = iota // make a record
	synCookie                   // answer without one
	synDrop
)

// judgeSyn decides on a SYN; why is the reason if it is dropped.
func (e *Engine) judgeSyn(l *listener, seg *Segment, reopens bool) (v synVerdict, why Reason) {
	if !l.hasRoom() {
		return synDrop, wire.DropAcceptQueue
	}
	d := &e.cfg.Defence
	if !d.NoSources && !e.sources.allow(e, seg) {
		e.counters.SourceLimited++
		if d.DropSources || d.NoCookies || reopens {
			return synDrop, wire.DropSourceLimit
		}
		return synCookie, 0
	}
	if e.half.n < e.cfg.MaxHalfOpen {
		return synRecord, 0
	}
	switch {
	case !d.NoCookies && !reopens:
		return synCookie, 0
	case !d.NoEviction && e.evictHalfOpen():
		return synRecord, 0
	}
	return synDrop, wire.DropBacklog
}

// evictHalfOpen forgets the record that has waited longest.
func (e *Engine) evictHalfOpen() bool {
	oldest, age := kindNone, time.Duration(-1)
	var who uint32
	look := func(k kind, head uint32) {
		if head == 0 {
			return
		}
		if a := e.halfOpenAge(e.half.record(k, head-1)); a > age {
			oldest, age, who = k, a, head-1
		}
	}
	for k := range maxStages {
		look(kindHalf4, e.half.v4.stages[k].head)
		look(kindHalf6, e.half.v6.stages[k].head)
	}
	if oldest == kindNone {
		return false
	}
	e.counters.HalfOpenEvictions++
	e.dropHalfOpen(oldest, who, nil)
	return true
}

// synAckRetries is how often a SYN-ACK is repeated: once, when three quarters
// of the table are in use, since an honest client answers within a round trip
// and a forged one never.
func (e *Engine) synAckRetries() int {
	n := min(max(e.cfg.SynAckRetries, 0), maxStages-1)
	if !e.cfg.Defence.NoPressure && e.half.n > e.cfg.MaxHalfOpen/4*3 {
		return min(n, 1)
	}
	return n
}
