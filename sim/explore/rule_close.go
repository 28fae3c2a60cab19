package explore

import (
	"fmt"

	"estab/internal/wire"
	"estab/tcp"
)

// acksOfFIN: FIN-WAIT-1, CLOSING and LAST-ACK are left in order by an ACK of the
// FIN, and by nothing less.
func acksOfFIN(d *doing) string {
	b := d.before
	for _, h := range d.hops {
		g := h.seg
		ordered := h.from == tcp.StateFinWait1 && (h.to == tcp.StateFinWait2 || h.to == tcp.StateTimeWait) ||
			h.from == tcp.StateClosing && h.to == tcp.StateTimeWait ||
			h.from == tcp.StateLastAck && h.to == tcp.StateClosed && h.by == bySegment && !g.Flags.Has(wire.RST)
		switch {
		case ordered && (g == nil || h.by != bySegment):
			return fmt.Sprintf("%v to %v without a segment", h.from, h.to)
		case ordered && !b.acksFIN(g):
			return fmt.Sprintf("%v to %v by an ACK of %d, which is not of its FIN: that would be %d", h.from, h.to, g.Ack, b.nxt)
		}
	}
	return ""
}

// lingers: TIME-WAIT ends 2 MSL after the peer's last FIN, or with a new
// incarnation, and not else.
func lingers(d *doing) string {
	b, v := d.before, d.after
	if b.state != tcp.StateTimeWait || v.same(b) {
		return ""
	}
	two := 2 * d.w.config(d.end, 0).MSL
	past := d.is.now.Sub(d.was.waits)
	switch {
	case d.by == bySegment && d.seg.Flags.Has(wire.SYN) && !d.seg.Flags.Any(wire.ACK|wire.RST):
	case d.by != byTimer:
		return "something ends TIME-WAIT that may not"
	case past != two:
		return fmt.Sprintf("TIME-WAIT lasts %v, and 2 MSL are %v", past, two)
	}
	return ""
}

// reuses: whoever lets a SYN end TIME-WAIT takes care that no old number is
// taken for a new one.
func reuses(d *doing) string {
	b, v, g := d.before, d.after, d.seg
	if b.state != tcp.StateTimeWait || v.same(b) || d.by != bySegment {
		return ""
	}
	switch {
	case v.state != tcp.StateSynReceived:
		return fmt.Sprintf("a SYN leads from TIME-WAIT to %v", v.state)
	case g.Seq.Less(b.rcvNXT):
		return fmt.Sprintf("an old SYN, with number %d, ends TIME-WAIT: %d is expected", g.Seq, b.rcvNXT)
	case v.iss.Less(b.nxt):
		return fmt.Sprintf("its next initial number is %d; the one before used numbers up to %d", v.iss, b.nxt)
	}
	return ""
}

// returns: where the SYN that ended TIME-WAIT comes to nothing, TIME-WAIT
// stands again, for what is left of it.
func returns(d *doing) string {
	b, v := d.before, d.after
	if !d.was.reused || b.state != tcp.StateSynReceived || v.same(b) || v.synchronised() && v.state != tcp.StateTimeWait {
		return ""
	}
	if left := 2*d.w.config(d.end, 0).MSL - d.is.now.Sub(d.was.waits); left > 0 && v.state != tcp.StateTimeWait {
		return fmt.Sprintf("what ended TIME-WAIT was an old SYN; %v of TIME-WAIT are left, and it is in %v", left, v.state)
	}
	return ""
}

// informed: who hears what of the end, and that it is true.
func informed(d *doing) string {
	b, u, t := d.before, &d.was.user, d.is.user.now()
	if t == nil || !u.open || d.is.user.gen != u.gen || !t.closed || u.now().closed {
		return ""
	}
	reset := d.by == bySegment && d.seg.Flags.Has(wire.RST)
	switch {
	case t.clean && t.err != 0:
		return fmt.Sprintf("it has closed in order, and its user is told: %v", t.err)
	case t.clean || d.by == byCall:
	case t.err == 0:
		return fmt.Sprintf("%v is over, not in order, and its user is told nothing", b.state)
	case (t.err == tcp.ErrReset || t.err == tcp.ErrRefused) && !reset:
		return fmt.Sprintf("its user is told: %v; there was no RST", t.err)
	case t.err == tcp.ErrRefused && b.synchronised():
		return "a connection that stood is told to be refused"
	case reset && b.state == tcp.StateSynSent && t.err != tcp.ErrRefused:
		return fmt.Sprintf("a RST answers its SYN, and its user is told: %v", t.err)
	case t.err == tcp.ErrAborted:
		return "its user is told that it has aborted, and it has not"
	case t.err == tcp.ErrTimeout && d.by != byTimer:
		return "its user is told of a time-out, and there was none"
	}
	return ""
}
