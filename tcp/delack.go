package tcp

// Delayed acknowledgements: RFC 9293 §3.8.6.3, RFC 5681 §4.2.

// maxQuickAcks is how many of a connection's first segments are acknowledged
// at once: the peer is in slow start and grows by our ACKs.
const maxQuickAcks = 16

// ackText notes that n bytes arrived in order. SHLD-18: an ACK is delayed;
// SHLD-19: at least every second full-sized segment is acknowledged.
//
// Deviation from SHLD-19: segments that arrive in one batch, before Output
// runs, share one ACK, but no more than 64 KiB of them do.
// Obeys: RFC 9293 SHLD-18, SHLD-19; RFC 5681 4.2a, 4.2c.
func (e *Engine) ackText(c *conn, n int) {
	c.unacked += uint32(n)
	switch {
	case c.unacked >= maxAckShare:
		c.unacked = 0
		e.ackReply(c)
		e.acked(c)
	case e.cfg.DelayedAck < 0 || c.quickAcks > 0 || c.unacked >= 2*c.fullSized():
		if c.quickAcks > 0 {
			c.quickAcks--
		}
		c.set(fAckNow)
	case !c.has(fAckNow) && !c.armed(TimerDelayedAck):
		e.arm(c, TimerDelayedAck, e.now.Add(e.cfg.DelayedAck))
	}
}

const maxAckShare = 64 << 10

// fullSized is the peer's segment size as far as it has shown: the largest
// text that came, but not less than what everybody can send.
func (c *conn) fullSized() uint32 {
	return uint32(max(c.rmss, min(536, c.pathMSS)))
}

// acked notes that a segment with our current ACK has left.
func (e *Engine) acked(c *conn) {
	c.unacked = 0
	c.rcv.lastAck = c.rcv.NXT
	c.clear(fAckNow)
	c.disarm(TimerDelayedAck)
}
