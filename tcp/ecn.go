package tcp

import "estab/internal/wire"

// Explicit congestion notification: RFC 3168 §6.1. Routers mark packets that say
// they can bear it (ECT) instead of dropping them (CE); the receiver echoes the mark
// (ECE) until the sender says that it has slowed down (CWR).

// The two bits of the IP header (RFC 3168 §5).
const (
	ecnECT0 = 2
	ecnCE   = 3
)

// offersECN is §6.1.1's "ECN-setup SYN packet". (One that offers AccECN, RFC 9768,
// is one too, to who does not speak that.)
func offersECN(f Flags) bool { return f.Has(wire.ECE | wire.CWR) }

// acceptsECN is its "ECN-setup SYN-ACK packet".
func acceptsECN(f Flags) bool { return f.Has(wire.ECE) && !f.Has(wire.CWR) }

// offerECN is for a SYN of ours: it offers ECN the first time only. §6.1.1.1: a
// repeat does without, lest the offer be what somebody on the way dislikes; and
// "a host that … sent at least one non-ECN-setup SYN … MUST NOT set ECT". A
// simultaneous open does without, too.
func (e *Engine) offerECN(c *conn, seg *Segment) {
	offer := e.cfg.ECN > 0 && c.state == StateSynSent && c.rtx.len() == 0
	c.put(fECN, offer)
	if offer {
		seg.Flags |= wire.ECE | wire.CWR
	}
}

// noteMark looks for a mark on text that is accepted (§6.1.3): "the TCP receiver
// sets the ECN-Echo flag in the TCP header of the subsequent ACK packet", and goes on
// "until it receives a packet from the TCP sender with the CWR flag set".
func (c *conn) noteMark(seg *Segment) {
	if !c.has(fECN) {
		return
	}
	if seg.Flags.Has(wire.CWR) {
		c.clear(fEchoMark)
	}
	if seg.ECN == ecnCE {
		c.set(fEchoMark)
	}
}

// takeECE reacts to an echo as to a loss, but for the repeat (§6.1.2): "TCP should
// not react to congestion indications more than once every window of data".
// Obeys: RFC 9293 SHLD-8.
func (e *Engine) takeECE(c *conn) {
	if c.ca != caOpen || c.flightSize() == 0 {
		return
	}
	c.ca = caCWR
	c.recover = c.snd.NXT
	c.alg.Algorithm().Marked(&c.cong, int64(e.now), c.flightSize())
	e.counters.ECNReductions++
	c.set(fSendCWR)
	e.cwndEvent(c, WhyMarked)
}

// markECN makes new text ECN-capable. Never so: repeats (§6.1.5), pure ACKs
// (§6.1.4), probes (§6.1.6), SYNs. The first after a reduction for whatever reason
// says CWR.
func (c *conn) markECN(seg *Segment) {
	if !c.has(fECN) {
		return
	}
	seg.ECN = ecnECT0
	if c.has(fSendCWR) {
		seg.Flags |= wire.CWR
	}
}
