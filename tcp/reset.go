package tcp

import "estab/internal/wire"

// reset answers a segment that belongs to no connection, or that has an
// unacceptable ACK before one exists (§3.5.2, groups 1 and 2): "The reset takes
// its sequence number from the ACK field of the segment. … If the incoming
// segment has no ACK field, the reset has sequence number zero and the ACK
// field is set to the sum of the sequence number and segment length of the
// incoming segment."
func (e *Engine) reset(seg *Segment) {
	r := Segment{Tuple: seg.Tuple, Hash: seg.Hash, Flags: wire.RST}
	if seg.Flags.Has(wire.ACK) {
		r.Seq = seg.Ack
	} else {
		r.Flags |= wire.ACK
		r.Ack = seg.End()
	}
	e.counters.ResetsSent++
	e.reply(&r)
}

// sendReset tells the peer of a connection that it is gone (§3.10.5 ABORT).
// Obeys: RFC 7323 5.2c.
func (e *Engine) sendReset(c *conn) {
	r := Segment{Tuple: c.tuple, Egress: c.egress, Seq: c.snd.NXT, Ack: c.rcv.NXT, Flags: wire.RST | wire.ACK, TOS: c.tos}
	if c.has(fTimestamps) {
		r.Options.Set = wire.OptTimestamps
		r.Options.TSVal, r.Options.TSEcr = e.tsClock()+c.tsOffset, c.tsRecent
	}
	e.counters.ResetsSent++
	e.reply(&r)
}

// replyQueue holds what answers a segment and belongs to no send queue: resets,
// challenge ACKs, SYN-ACKs. It is bounded; what finds no room, here or on the
// link, is dropped and counted, as a network would. Whoever it was for asks
// again. But a peer whose connection was aborted may have nothing to ask: that
// reset waits until the link has room.
type replyQueue struct {
	q    []Segment
	head int
	n    int
}

const maxReplies = 256

// reply queues a segment without text for Output.
func (e *Engine) reply(seg *Segment) {
	q := &e.replies
	if q.n == maxReplies {
		e.counters.Drops[wire.DropReplyQueue]++
		return
	}
	if q.n == len(q.q) {
		bigger := make([]Segment, max(8, 2*q.n))
		for i := range q.n {
			bigger[i] = q.q[(q.head+i)%len(q.q)]
		}
		q.q, q.head = bigger, 0
	}
	q.q[(q.head+q.n)%len(q.q)] = *seg
	q.n++
}

// sendReplies emits what is queued.
func (e *Engine) sendReplies(out Sink) {
	q := &e.replies
	for q.n > 0 {
		seg := &q.q[q.head]
		q.head = (q.head + 1) % len(q.q)
		q.n--
		switch {
		case out.Emit(seg):
			e.counters.SegsOut++
			e.replyEvent(seg)
		case seg.Flags.Has(wire.RST) && seg.Hash == 0 && len(e.resets) < maxReplies: // it answers no segment
			e.resets = append(e.resets, *seg)
		default:
			e.counters.Drops[wire.DropReplyQueue]++
		}
	}
}

func (e *Engine) replyEvent(seg *Segment) {
	if e.cfg.Events.Wants(EventOut) {
		ev := Event{Time: e.now, Tuple: seg.Tuple, Kind: EventOut}
		setSeg(&ev, seg)
		e.cfg.Events.putUnverified(ev)
	}
}
