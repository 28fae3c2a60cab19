package tcp

import "estab/internal/wire"

// receiveText takes the text of an acceptable segment: what is in order goes
// to the receive queue, what is not to reassembly, what came before is
// dropped.
func (e *Engine) receiveText(c *conn, seg *Segment) {
	from, p := seg.Seq, seg.Payload
	if seg.Flags.Has(wire.SYN) {
		from++
	}
	if !c.has(fUser | fQueued) {
		e.textForOrphan(c, seg, from+Num(len(p)))
		return
	}
	if old := c.rcv.NXT.Diff(from); old > 0 { // the front is not new
		e.noteDuplicate(c, seg)
		if int(old) >= len(p) {
			e.drop(c, seg, wire.DropDuplicate)
			c.set(fAckNow)
			e.mark(c)
			return
		}
		from, p = c.rcv.NXT, p[old:]
	}
	if room := c.rcvEdge().Diff(from); int(room) < len(p) { // the tail is beyond the window
		p = p[:max(room, 0)]
	}
	if c.has(fFinKnown) {
		if room := c.rcv.fin.Diff(from); int(room) < len(p) {
			p = p[:max(room, 0)]
		}
	}
	if len(p) == 0 {
		return
	}
	c.rmss = max(c.rmss, uint16(min(len(p), 65535)))
	if c.ooo != nil && !seg.Seq.Less(c.rcv.NXT) {
		c.noteOverlap(from, from+Num(len(p)))
	}
	if from == c.rcv.NXT {
		e.textInOrder(c, seg, p)
	} else {
		e.textBeyondGap(c, seg, from, p)
	}
	e.mark(c)
}

// textInOrder advances RCV.NXT: "When the TCP endpoint takes responsibility
// for delivering the data to the user, it must also acknowledge the receipt of
// the data", "advances RCV.NXT over the data accepted, and adjusts RCV.WND as
// appropriate".
func (e *Engine) textInOrder(c *conn, seg *Segment, p []byte) {
	old := c.rcv.NXT
	empty := c.recvq.n == 0
	gap := c.ooo != nil
	nxt := old + Num(len(p))
	if gap { // what came first wins: where stretches overlap, theirs was first
		e.fillGap(c, p)
		nxt = c.rcv.NXT
	} else {
		if c.has(fReadClosed) {
			// The user wants nothing more: it is acknowledged and forgotten.
		} else if c.recvq.adopt(&e.pool, seg.Slab, p) {
			seg.Slab = nil
		}
		c.rcv.NXT = nxt
	}
	n := uint32(nxt - old)
	c.rcv.WND -= n
	e.noteArrival(c, seg, n)
	c.leaveUrgentMode()
	e.counters.BytesIn += uint64(n)
	if gap {
		c.unacked += n
		// Obeys: RFC 5681 3.2b.
		c.set(fAckNow) // RFC 5681 §4.2: a segment that fills a gap is acknowledged at once
	} else {
		e.ackText(c, int(n))
	}
	if empty && c.recvq.n > 0 {
		e.notify(c, Readable)
	}
	if c.has(fFinKnown) && c.rcv.NXT == c.rcv.fin && !seg.Flags.Has(wire.FIN) {
		e.takeFin(c, seg)
	}
}

// fillGap puts text that begins at RCV.NXT together with what waits beyond it.
func (e *Engine) fillGap(c *conn, p []byte) {
	at := c.rcv.NXT
	q := &c.recvq
	if c.has(fReadClosed) {
		q = new(recvQueue)
	}
	c.ooo.store(&e.pool, at, p)
	c.rcv.NXT = c.ooo.drain(&e.pool, q, at)
	if c.ooo.spans.n == 0 {
		e.dropReassembly(c)
	}
	if q != &c.recvq {
		q.drop(&e.pool)
	}
}

// textBeyondGap keeps text for later, and acknowledges each such segment by
// itself (RFC 5681 §4.2: "Out-of-order data segments SHOULD be acknowledged
// immediately"), which is what tells the sender of a loss.
// Obeys: RFC 9293 SHLD-31, MAY-13; RFC 5681 3.2a; RFC 2018 4c.
func (e *Engine) textBeyondGap(c *conn, seg *Segment, from Num, p []byte) {
	if c.ooo == nil {
		c.ooo = e.newReassembly(c.rcv.NXT)
	}
	c.ooo.store(&e.pool, from, p)
	if c.dupAcksDue < 1<<15 {
		c.dupAcksDue++
	}
}

// textForOrphan: "If the user has closed the connection and text arrives that
// nobody will read, a RST tells the peer that it was lost" (MUST-18 to SHLD-3,
// RFC 1122 §4.2.2.13).
// Obeys: RFC 9293 SHLD-3.
func (e *Engine) textForOrphan(c *conn, seg *Segment, end Num) {
	if end.LessEq(c.rcv.NXT) { // nothing new in it
		e.drop(c, seg, wire.DropDuplicate)
		c.set(fAckNow)
		e.mark(c)
		return
	}
	e.drop(c, seg, wire.DropAfterClose)
	e.reset(seg)
	e.fail(c, ErrAborted, seg)
}
