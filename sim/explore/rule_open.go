package explore

import (
	"fmt"

	"estab/internal/wire"
	"estab/tcp"
)

// unlawful: every change of state is an arrow of figure 5, or one that its notes
// and the text add.
func unlawful(d *doing) string {
	for _, h := range d.hops {
		if !lawful(h.from, h.to) {
			return fmt.Sprintf("a transition that RFC 9293 does not have, from %v to %v", h.from, h.to)
		}
	}
	return ""
}

// timerMoves: a time-out ends a connection, or changes no state.
func timerMoves(d *doing) string {
	for _, h := range d.hops {
		if h.by == byTimer && h.to != tcp.StateClosed && h.to != tcp.StateListen {
			return fmt.Sprintf("a time-out leads from %v to %v", h.from, h.to)
		}
	}
	return ""
}

// callMoves: a call of the user's moves a connection as §3.10.1 to §3.10.5 say;
// SEND and RECEIVE move none.
func callMoves(d *doing) string {
	for _, h := range d.hops {
		if h.by != byCall {
			continue
		}
		ok := false
		switch d.call {
		case Open, Cancel, Turn:
			ok = h.from == tcp.StateClosed && h.to == tcp.StateSynSent || h.to == tcp.StateClosed && d.call == Cancel || d.call == Turn && unlistens(h)
		case Shutdown, Early:
			ok = closes(h)
		case Close:
			ok = closes(h) || h.to == tcp.StateClosed
		case Abort:
			ok = h.to == tcp.StateClosed
		case Unlisten:
			ok = unlistens(h)
		}
		if !ok && d.by == byCall {
			return fmt.Sprintf("its user %s, and that leads from %v to %v", opNames[d.call], h.from, h.to)
		}
	}
	return ""
}

// closes reports whether a change of state is that of a CLOSE.
func closes(h hop) bool {
	switch h.to {
	case tcp.StateFinWait1:
		return h.from == tcp.StateEstablished || h.from == tcp.StateSynReceived
	case tcp.StateLastAck:
		return h.from == tcp.StateCloseWait
	}
	return false
}

// unlistens reports whether a change of state is that of a listener that goes.
func unlistens(h hop) bool {
	return h.from == tcp.StateListen || h.from == tcp.StateSynReceived && h.to == tcp.StateListen
}

// closesItself: no end closes but by its user.
func closesItself(d *doing) string {
	for _, h := range d.hops {
		if h.to == tcp.StateFinWait1 || h.to == tcp.StateLastAck {
			if t := d.is.user.now(); t == nil || !t.shut {
				return fmt.Sprintf("%v to %v, and its user has not closed", h.from, h.to)
			}
		}
	}
	return ""
}

// meaning: each state is what §3.3.2 says that it is.
func meaning(d *doing) string {
	v, t := d.after, d.talk()
	if v.record {
		return ""
	}
	shut := t != nil && t.shut || v.finSent
	ok := true
	switch v.state {
	case tcp.StateSynSent: // waiting for a matching connection request after having sent a connection request
		ok = v.una == v.iss && v.nxt != v.iss && !v.finSent
	case tcp.StateSynReceived: // waiting for a confirming … acknowledgment after having both received and sent a connection request
		ok = v.una == v.iss && v.nxt != v.iss && v.rcvNXT != v.irs
	case tcp.StateEstablished: // an open connection
		ok = v.una != v.iss && !v.finSent && !v.finGot
	case tcp.StateFinWait1: // … or an acknowledgment of the connection termination request previously sent
		ok = shut && !v.finAcked && !v.finGot
	case tcp.StateFinWait2: // waiting for a connection termination request from the remote TCP peer
		ok = v.finSent && v.finAcked && !v.finGot
	case tcp.StateCloseWait: // waiting for a connection termination request from the local user
		ok = v.finGot && !v.finSent // he may have closed: "Queue this request until all preceding SENDs have been segmentized"
	case tcp.StateClosing: // waiting for a connection termination request acknowledgment from the remote TCP peer
		ok = v.finGot && shut && !v.finAcked
	case tcp.StateLastAck: // the same
		ok = v.finGot && shut && !v.finAcked
	case tcp.StateTimeWait: // … the remote TCP peer received the acknowledgment of its connection termination request
		ok = v.finGot && v.finSent && v.finAcked
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("in %v, with its FIN sent %v and acknowledged %v, and the peer's received %v; its SYN acknowledged %v",
		v.state, v.finSent, v.finAcked, v.finGot, v.una != v.iss)
}

// establishes: nothing but the peer's SYN, and an acknowledgment of ours, opens a
// connection.
func establishes(d *doing) string {
	b := d.before
	for _, h := range d.hops {
		fresh := h.to == tcp.StateSynReceived && (h.from == tcp.StateListen || h.from == tcp.StateSynSent || h.from == tcp.StateTimeWait)
		opens := h.to.Synchronised() && (h.from == tcp.StateSynSent || h.from == tcp.StateSynReceived) && h.to != tcp.StateFinWait1
		if !fresh && !opens {
			continue
		}
		switch g := h.seg; {
		case g == nil || h.by != bySegment:
			return fmt.Sprintf("%v to %v without a segment", h.from, h.to)
		case fresh && (!g.Flags.Has(wire.SYN) || g.Flags.Any(wire.ACK|wire.RST)):
			return fmt.Sprintf("%v to %v without a SYN that stands alone", h.from, h.to)
		case opens && h.from == tcp.StateSynSent && !g.Flags.Has(wire.SYN):
			return fmt.Sprintf("%v to %v without a SYN", h.from, h.to)
		case opens && !b.acks(g):
			return fmt.Sprintf("%v to %v by an ACK of %d; its SYN had number %d", h.from, h.to, g.Ack, b.iss)
		}
	}
	return ""
}

// wrongAckInSynSent: figure 8, line 5.
func wrongAckInSynSent(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || b.state != tcp.StateSynSent || !g.Flags.Has(wire.ACK) || b.acks(g) {
		return ""
	}
	if d.after.state != tcp.StateSynSent || !d.after.same(b) {
		return fmt.Sprintf("a wrong ACK, of %d, leads from SYN-SENT to %v", g.Ack, d.after.state)
	}
	return d.resets(!g.Flags.Has(wire.RST))
}

// wrongAckInSynReceived: the third segment is checked, and a wrong one changes
// nothing.
func wrongAckInSynReceived(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || b.state != tcp.StateSynReceived || !b.acceptable(g) || !g.Flags.Has(wire.ACK) || g.Flags.Any(wire.RST|wire.SYN) || b.acks(g) {
		return ""
	}
	if d.after.state != tcp.StateSynReceived || !d.after.same(b) {
		return fmt.Sprintf("a wrong ACK, of %d, leads from SYN-RECEIVED to %v", g.Ack, d.after.state)
	}
	return d.resets(true)
}

// answersSYN: whoever enters SYN-RECEIVED says so, and LISTEN does what §3.10.7.2
// says with whatever comes.
func answersSYN(d *doing) string {
	g := d.seg
	if g == nil {
		return ""
	}
	if d.after.state == tcp.StateSynReceived && !d.after.same(d.before) || d.hopped(tcp.StateSynSent, tcp.StateSynReceived) {
		for _, o := range d.out {
			if o.Flags.Has(wire.SYN|wire.ACK) && o.Ack == g.Seq+1 && o.Seq == d.after.iss {
				return ""
			}
		}
		return "in SYN-RECEIVED, and no SYN,ACK has left"
	}
	if d.before.state != tcp.StateListen {
		return ""
	}
	switch f := g.Flags; {
	case f.Has(wire.RST):
		if len(d.out) > 0 || len(d.hops) > 0 {
			return "in LISTEN, and a RST does something"
		}
	case f.Has(wire.ACK):
		return d.resets(true)
	case !f.Has(wire.SYN) && len(d.out) > 0:
		return "in LISTEN it answers what is neither SYN nor ACK"
	}
	return ""
}

// sendsSYN: one initial number for each incarnation, and it is the SYN's.
func sendsSYN(d *doing) string {
	if d.by == byCall && (d.call == Open || d.call == Turn) && !(len(d.out) == 1 && d.out[0].Flags == wire.SYN && d.after.state == tcp.StateSynSent) {
		return "an active OPEN that sends no SYN"
	}
	for _, g := range d.out {
		if g.Flags.Has(wire.SYN) && d.after.state > tcp.StateListen && g.Seq != d.after.iss {
			return fmt.Sprintf("its SYN has number %d, and ISS is %d", g.Seq, d.after.iss)
		}
	}
	if d.hopped(tcp.StateSynSent, tcp.StateEstablished) && d.after.synchronised() && !d.acksWith(d.after.rcvNXT) {
		return "in ESTABLISHED, and the SYN,ACK was not acknowledged"
	}
	return ""
}

// delivers: a user is given a connection, and bytes, no sooner than the
// connection stands.
func delivers(d *doing) string {
	t, was := d.is.user.now(), d.was.user.now()
	if t == nil {
		return ""
	}
	early := d.after.state == tcp.StateSynSent || d.after.state == tcp.StateSynReceived
	if d.is.user.gen != d.was.user.gen && d.is.user.serving && early {
		return fmt.Sprintf("its user is given a connection in %v", d.after.state)
	}
	if early && d.talk() == t && was != nil && t.got > was.got {
		return fmt.Sprintf("bytes are delivered in %v", d.after.state)
	}
	return ""
}
