package tcp

import "estab/internal/wire"

// fastPath is header prediction (Van Jacobson's): the segment that a
// connection in ESTABLISHED most often gets, the next text in order or an ACK
// of more, takes only the steps of §3.10.7.4 that can have an effect. It does
// nothing that arrivesSync would not do; tests run both on the same input and
// compare. It reports whether the segment was one of these.
func (e *Engine) fastPath(c *conn, seg *Segment) bool {
	if c.state != StateEstablished || seg.Flags&^wire.PSH != wire.ACK || seg.Seq != c.rcv.NXT || seg.ECN == ecnCE ||
		c.ca != caOpen || c.sacked|c.lost|uint32(c.dupAcks) != 0 || c.ooo != nil || c.retries != 0 ||
		!c.has(fUser|fQueued) || c.has(fFinKnown|fReadClosed|fPersist) ||
		uint32(seg.Wnd)<<c.snd.scale != c.snd.WND || seg.Wnd == 0 {
		return false
	}
	n := len(seg.Payload)
	acks := seg.Ack.Diff(c.snd.UNA)
	if acks < 0 || c.snd.NXT.Less(seg.Ack) || n == 0 && acks == 0 || uint32(n) > c.rcv.WND {
		return false
	}
	want := wire.OptionSet(0)
	if c.has(fTimestamps) {
		want = wire.OptTimestamps
	}
	if seg.Options.Set != want || want != 0 && int32(seg.Options.TSVal-c.tsRecent) < 0 {
		return false
	}
	e.counters.FastPath++
	if want != 0 && !c.rcv.lastAck.Less(seg.Seq) {
		c.tsRecent, c.tsRecentAt = seg.Options.TSVal, e.now
	}
	c.heardAt, c.probes = e.now, 0
	c.clear(fMore)
	e.updateSendWindow(c, seg)
	if acks > 0 {
		inFlight := c.flightSize()
		e.advanceUNA(c, seg.Ack)
		e.congestionAck(c, uint32(acks), 0, inFlight)
		e.roomToWrite(c)
	}
	if n > 0 {
		c.rmss = max(c.rmss, uint16(min(n, 65535)))
		e.textInOrder(c, seg, seg.Payload)
	}
	if c.has(fAckNow) || c.wantsToSend() {
		e.mark(c)
	}
	return true
}
