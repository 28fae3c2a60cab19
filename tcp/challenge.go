package tcp

import (
	"time"

	"estab/internal/wire"
)

// challenge answers an in-window RST, a SYN in a synchronised state or an ACK
// out of range with <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> (RFC 5961 §3, §4, §5).
//
// RFC 5961 §7 asks for a limit. A counter shared by all connections and of a
// known size told an attacker whether a connection exists (CVE-2016-5696), so
// there are two limits: one for each connection, which is the one that ends
// ACK loops, and one for all together whose size is drawn anew every second.
// Obeys: RFC 5961 7a.
func (e *Engine) challenge(c *conn, seg *Segment) {
	if e.now < c.challengeAt || !e.chal.take(e) {
		e.drop(c, seg, wire.DropChallengeLimit)
		return
	}
	c.challengeAt = e.now.Add(max(e.cfg.ChallengeAckWait, 0))
	e.counters.ChallengeAcks++
	e.ackReply(c)
}

// ackReply queues a bare ACK that does not wait for anything.
func (e *Engine) ackReply(c *conn) {
	seg := Segment{}
	e.fillAck(c, &seg)
	e.reply(&seg)
}

// challengeLimit is the limit for all connections together.
type challengeLimit struct {
	rnd   stream
	until Time
	left  int
}

func newChallengeLimit(s stream) challengeLimit { return challengeLimit{rnd: s} }

// take uses up one of this second's challenge ACKs. Their number is drawn from
// the half to one and a half of the configured one.
func (l *challengeLimit) take(e *Engine) bool {
	n := e.cfg.ChallengeAcks
	if n < 0 {
		return true
	}
	if e.now >= l.until {
		l.until = e.now.Add(time.Second)
		l.left = n/2 + int(l.rnd.below(uint64(n)+1))
	}
	if l.left == 0 {
		return false
	}
	l.left--
	return true
}

// spaced is the limit for one record, whose next instant *at holds in
// milliseconds of the clock (0: never yet): it reports whether ChallengeAckWait
// has passed. Without it a half-open and a TIME-WAIT record of one pair, each
// out of the other's window, would answer each other as fast as the path goes.
func (e *Engine) spaced(at *uint32) bool {
	if e.spacedWait(*at, e.now) > 0 {
		return false
	}
	*at = max(millisOf(e.now)+e.ackWait(), 1)
	return true
}

// spacedWait is how many milliseconds are left until spaced says yes.
func (e *Engine) spacedWait(at uint32, now Time) uint32 {
	if left := at - millisOf(now); at != 0 && left <= e.ackWait() {
		return left
	}
	return 0
}

func millisOf(t Time) uint32 { return uint32(uint64(t) / 1e6) }

func (e *Engine) ackWait() uint32 {
	return uint32(min(max(e.cfg.ChallengeAckWait, 0)/time.Millisecond, 1<<31))
}

// spacedHalfOpen is spaced for a half-open record, which has two bytes for its
// instant, in ticks of 10 ms. That comes around every eleven minutes, and then
// an answer may fail to come for once.
func (e *Engine) spacedHalfOpen(at *uint16) bool {
	if e.halfOpenWait(*at, e.now) > 0 {
		return false
	}
	*at = max(tickOf(e.now)+e.ackTicks(), 1)
	return true
}

// halfOpenWait is how many ticks are left until spacedHalfOpen says yes.
func (e *Engine) halfOpenWait(at uint16, now Time) uint16 {
	if left := at - tickOf(now); at != 0 && left <= e.ackTicks() {
		return left
	}
	return 0
}

func tickOf(t Time) uint16 { return uint16(uint64(t) / 1e7) }

func (e *Engine) ackTicks() uint16 {
	return uint16(min(max(e.cfg.ChallengeAckWait, 0)/(10*time.Millisecond), 1<<15))
}

// ackOutOfWindow answers a segment outside the window (§3.10.7.4, first step):
// "If an incoming segment is not acceptable, an acknowledgment should be sent
// in reply". One that carries text gets its answer always, since its sender
// waits for it; one that carries none at most every 500 ms, or two ends that
// each find the other out of window would answer each other for ever.
func (e *Engine) ackOutOfWindow(c *conn, seg *Segment) {
	if seg.DataLen() == 0 && !seg.Flags.Has(wire.FIN) {
		if e.now < c.lastOOWAck {
			return
		}
		c.lastOOWAck = e.now.Add(max(e.cfg.ChallengeAckWait, 0))
	}
	if c.state == StateSynReceived { // Output has only a SYN,ACK to say there
		e.ackReply(c)
		return
	}
	if c.dupAcksDue < 1<<15 {
		c.dupAcksDue++
	}
	e.mark(c)
}
