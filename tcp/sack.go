package tcp

import (
	"estab/internal/seq"
)

// Selective acknowledgements, the sender's side: RFC 2018 §5, RFC 2883,
// RFC 6675 §4's Update(). (What we report as a receiver is window.go's
// fillOptions and reassembly.go.)

// takeSACK marks what the blocks of an ACK cover and reports whether any of it
// is news. A segment is marked when a block covers all of it.
// Obeys: RFC 2018 5a; RFC 2883 5a; RFC 6675 4a.
func (e *Engine) takeSACK(c *conn, seg *Segment) bool {
	if !c.has(fSACK) || seg.Options.NSACK == 0 || c.rtx.len() == 0 {
		return false
	}
	before := c.sacked
	for i := range seg.Options.NSACK {
		b := seg.Options.SACK[i]
		// A block below the ACK is a DSACK (RFC 2883 §5); one beyond what was
		// sent, or turned round, is nonsense.
		if !b.Left.Less(b.Right) || b.Left.Less(seg.Ack) || b.Left.Less(c.snd.UNA) || c.snd.NXT.Less(b.Right) {
			continue
		}
		e.markSacked(c, b)
	}
	return c.sacked > before
}

// markSacked marks the segments that lie in the block. Where an earlier ACK
// brought the same block, shorter, it begins behind that.
func (e *Engine) markSacked(c *conn, b SACKBlock) {
	from := b.Left
	known := -1
	for k, old := range c.lastSACK {
		if old.Left == b.Left && old.Left.Less(old.Right) && old.Right.LessEq(b.Right) {
			from, known = old.Right, k
		}
	}
	sentAt := Time(-1) // of what was SACKed now and sent once: a round trip
	first := c.rtx.search(from)
	i := first
	for ; i < c.rtx.len(); i++ {
		s := c.rtx.at(i)
		if b.Right.Less(s.end) {
			break
		}
		if s.marks&markSacked != 0 {
			i += int(s.skip)
			continue
		}
		if s.seq.Less(b.Left) || s.marks&markSyn != 0 {
			continue
		}
		if s.marks&markEver == 0 {
			sentAt = s.at
		}
		e.uncount(c, s.marks, s.len())
		s.marks = s.marks&^(markLost|markRetrans|markTwice) | markSacked
		c.sacked += s.len()
	}
	c.shortcut(first, i)
	if sentAt >= 0 {
		e.sampleRTT(c, e.now.Sub(sentAt))
	}
	c.highSacked = seq.Max(c.highSacked, b.Right)
	if known < 0 {
		c.lastSACK[1] = c.lastSACK[0]
		known = 0
	}
	c.lastSACK[known] = b
}

// shortcut lets the next walk over entries [i, end), which are SACKed but for
// perhaps the first, take one step: a peer that reports the same tens of thousands of
// segments with every ACK would otherwise have us look at each of them every time
// (CVE-2019-11478).
func (c *conn) shortcut(i, end int) {
	for i < end {
		s := c.rtx.at(i)
		next := i + 1
		if s.marks&markSacked != 0 {
			next += int(s.skip)
			if next < end {
				s.skip = uint32(end - i - 1)
			}
		}
		i = next
	}
}

// reneged: RFC 2018 §8, "the data receiver is permitted to discard data in its
// queue that has not been acknowledged". If what stands first in flight was
// SACKed and an ACK stops right before it, the peer has thrown it away: all
// marks are void.
// Obeys: RFC 2018 8c.
func (e *Engine) reneged(c *conn) {
	if c.rtx.len() == 0 || c.rtx.at(0).marks&markSacked == 0 {
		return
	}
	e.counters.Reneges++
	for i := range c.rtx.len() {
		s := c.rtx.at(i)
		if s.marks&markSacked != 0 {
			s.marks = s.marks&^markSacked | markLost
			s.skip = 0
			c.sacked -= s.len()
			c.lost += s.len()
		}
	}
	c.lostHint = c.snd.UNA
	c.highSacked, c.lossSeen = c.snd.UNA, c.snd.UNA
	c.lastSACK = [2]SACKBlock{}
	e.cwndEvent(c, WhyReneged)
}

// noteDuplicate remembers the first stretch of a segment that had arrived
// before, to report it as a DSACK (RFC 2883 §4).
// Obeys: RFC 2883 4a, 4c, 4.2.
func (e *Engine) noteDuplicate(c *conn, seg *Segment) {
	if !c.has(fSACK) || len(seg.Payload) == 0 || !seg.Seq.Less(c.rcv.NXT) {
		return
	}
	if c.rcv.NXT-seg.Seq >= c.rcv.NXT-c.rcv.IRS { // before the first byte of the stream
		return
	}
	c.dsack = SACKBlock{Left: seg.Seq, Right: seq.Min(seg.Seq+Num(len(seg.Payload)), c.rcv.NXT)}
}

func within(b, outer SACKBlock) bool {
	return outer.Left.LessEq(b.Left) && b.Right.LessEq(outer.Right)
}

// noteOverlap does the same for text that begins at RCV.NXT or beyond: of it
// [from, to) the first stretch that waits in reassembly already.
// Obeys: RFC 2883 4.2.
func (c *conn) noteOverlap(from, to Num) {
	if sp, ok := c.ooo.spans.get(c.ooo.spans.at(from)); ok && sp.l.Less(to) && c.has(fSACK) {
		c.dsack = SACKBlock{Left: seq.Max(from, sp.l), Right: seq.Min(to, sp.r)}
	}
}
