package tcp

import "estab/internal/wire"

// The receive window: RFC 9293 §3.8.6, RFC 7323 §2.

// acceptable is the test of §3.4 and §3.10.7.4, table 6:
//
//	Length  Window  Test
//	0       0       SEG.SEQ = RCV.NXT
//	0       >0      RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND
//	>0      0       not acceptable
//	>0      >0      the first or the last byte lies in the window
func acceptable(s Num, segLen uint32, nxt Num, wnd uint32) bool {
	if wnd == 0 {
		return segLen == 0 && s == nxt
	}
	return s.In(nxt, wnd) || segLen > 0 && (s+Num(segLen-1)).In(nxt, wnd)
}

// synWindow is the window of a SYN or SYN-ACK, which is never scaled
// (RFC 7323 §2.2).
// Obeys: RFC 7323 2.2c.
func synWindow(buf int) uint16 { return uint16(min(buf, 65535)) }

// scaleFor is the shift that lets the window grow as far as the buffer may.
// Obeys: RFC 7323 2.3d.
func (e *Engine) scaleFor(o *ConnConfig) uint8 {
	limit := e.cfg.ReceiveBufferMax
	if o.ReceiveBuffer > 0 {
		limit = o.ReceiveBuffer
	}
	s := uint8(0)
	for s < maxWindowScale && limit>>s > 65535 {
		s++
	}
	return s
}

func (e *Engine) receiveBufferOf(o *ConnConfig) int {
	if o.ReceiveBuffer > 0 {
		return min(o.ReceiveBuffer, maxBuffer)
	}
	return e.cfg.ReceiveBuffer
}

// offer computes the window for a segment that is about to leave, moves the
// right edge to what it says, and returns the header's field.
//
// The edge moves right only by a worthwhile step, the smaller of a full
// segment and half of the buffer (§3.8.6.2.2, silly window avoidance), and
// never left (SHLD-14): what the shift cuts off is rounded up if rounding it
// down would take back what was offered.
//
// Rounding up gives away less than 1<<scale bytes, but a peer that sends byte
// by byte could have it at every ACK. When that adds up to maxRounding without
// the user reading, the field is rounded down (RFC 7323 §2.4 tells senders to
// expect it), while the edge up to which text is taken stays where it was.
// Obeys: RFC 9293 SHLD-14, MUST-39; RFC 7323 2.3c, 2.4a, 2.4b.
func (c *conn) offer() uint16 {
	s := c.rcv.scale
	if free := c.freeWindow(); free >= c.rcv.WND+c.worthwhile() {
		if field := free >> s; field > 65535 {
			c.rcv.WND, c.rcv.rounded = free, 0
		} else if field<<s >= c.rcv.WND {
			c.rcv.WND, c.rcv.rounded = field<<s, 0
		}
	}
	field := c.rcv.WND >> s
	if field >= 65535 { // more than the header can say; it is taken all the same
		return 65535
	}
	if cut := c.rcv.WND - field<<s; cut > 0 && c.rcv.rounded < maxRounding+c.rcvBuf/2 {
		field++
		c.rcv.rounded += 1<<s - cut
		c.rcv.WND = field << s
	}
	return uint16(field)
}

// freeWindow is how much the receive buffer could still take.
// Obeys: RFC 9293 MAY-8.
func (c *conn) freeWindow() uint32 {
	if q := uint32(c.recvq.n); q < c.rcvBuf {
		return c.rcvBuf - q
	}
	return 0
}

// worthwhile is the smallest step by which the right edge moves.
func (c *conn) worthwhile() uint32 {
	return max(1, min(c.rcvBuf/2, uint32(c.pathMSS)))
}

// windowUpdate reports whether reading has opened the window so far that the
// peer should hear of it at once: it has less than half of what we could
// offer, and the step is worthwhile.
// Obeys: RFC 9293 MUST-39.
func (c *conn) windowUpdate() bool {
	free := c.freeWindow()
	return free >= c.rcv.WND+c.worthwhile() && free >= 2*c.rcv.WND
}

// fillAck makes seg the segment <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> with the
// window and the options that the connection's segments carry now.
func (e *Engine) fillAck(c *conn, seg *Segment) {
	seg.Tuple, seg.Egress, seg.TOS = c.tuple, c.egress, c.tos
	seg.Seq, seg.Ack, seg.Flags, seg.ECN = c.snd.NXT, c.rcv.NXT, wire.ACK, 0
	if c.has(fEchoMark) {
		seg.Flags |= wire.ECE
	}
	seg.Wnd = c.offer()
	e.fillOptions(c, seg)
}

// fillOptions adds timestamps and SACK blocks.
// Obeys: RFC 9293 MUST-65; RFC 2018 3, 4a, 4b, 4e; RFC 2883 4b, 4d, 4e; RFC 7323 3.2b, 3.2d.
func (e *Engine) fillOptions(c *conn, seg *Segment) {
	o := &seg.Options
	o.Set, o.NSACK = 0, 0
	room := wire.MaxSACKBlocks
	if c.has(fTimestamps) {
		o.Set = wire.OptTimestamps
		o.TSVal = e.tsClock() + c.tsOffset
		o.TSEcr = c.tsRecent
		room--
	}
	if !c.has(fSACK) || c.ooo == nil && c.dsack.Left == c.dsack.Right {
		return
	}
	n := 0
	if c.dsack.Left != c.dsack.Right { // RFC 2883 §4: the duplicate comes first
		above := c.rcv.NXT.Less(c.dsack.Left)
		if above && c.ooo != nil { // (4): and then the block that it lies in
			c.ooo.touch(c.dsack.Left)
		}
		if !above || c.ooo != nil {
			o.SACK[0] = c.dsack
			n = 1
		}
		c.dsack = SACKBlock{}
	}
	if c.ooo != nil {
		n += c.ooo.blocks(o.SACK[n:room])
	}
	if n > 0 {
		o.Set |= wire.OptSACK
		o.NSACK = uint8(n)
	}
}
