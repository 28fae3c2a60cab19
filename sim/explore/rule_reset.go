package explore

import (
	"fmt"

	"estab/internal/wire"
	"estab/tcp"
)

// resets says what is wrong if not just a RST for the segment left, or (want
// false) nothing.
func (d *doing) resets(want bool) string {
	g := d.seg
	if !want {
		if len(d.out) > 0 {
			return "a RST is answered"
		}
		return ""
	}
	if len(d.out) != 1 || !d.out[0].Flags.Has(wire.RST) {
		return "no RST answers what is not meant for it"
	}
	r := d.out[0]
	if g.Flags.Has(wire.ACK) {
		if r.Seq != g.Ack || r.Flags.Has(wire.ACK) {
			return fmt.Sprintf("its RST is not <SEQ=%d><CTL=RST>", g.Ack)
		}
	} else if r.Seq != 0 || !r.Flags.Has(wire.ACK) || r.Ack != g.End() {
		return fmt.Sprintf("its RST is not <SEQ=0><ACK=%d><CTL=RST,ACK>", g.End())
	}
	return ""
}

// resetBy: a RST ends a connection only if it has the very number that is
// expected; in SYN-SENT, if it acknowledges the SYN; and TIME-WAIT never (RFC
// 1337 §3). If it has, it does.
func resetBy(d *doing) string {
	b, v, g := d.before, d.after, d.seg
	if g == nil || !g.Flags.Has(wire.RST) || b.state <= tcp.StateListen {
		return ""
	}
	due := g.Seq == b.rcvNXT && b.state != tcp.StateTimeWait
	if b.state == tcp.StateSynSent {
		due = b.acks(g)
	}
	over := !v.same(b)
	switch {
	case due && !over:
		return fmt.Sprintf("a RST with number %d, which it expects, does not end %v", g.Seq, b.state)
	case !due && over:
		return fmt.Sprintf("a RST with number %d ends %v, and it expects %d", g.Seq, b.state, b.rcvNXT)
	case len(d.out) > 0 && d.sends(wire.RST):
		return "a RST is answered by a RST"
	case over && b.state == tcp.StateSynReceived && b.passive && d.is.user.listener != 0 && v.state != tcp.StateListen && !d.was.reused:
		return "a RST leads from SYN-RECEIVED, and LISTEN before, to " + v.state.String()
	case over && v.state > tcp.StateListen && !(d.was.reused && v.state == tcp.StateTimeWait):
		return "a RST leads to " + v.state.String()
	}
	return ""
}

// resetIgnored: a RST elsewhere in the window is challenged, and one outside it
// is nothing.
func resetIgnored(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || !g.Flags.Has(wire.RST) || b.state < tcp.StateSynReceived || g.Seq == b.rcvNXT || b.state == tcp.StateTimeWait {
		return ""
	}
	inside := b.rcvNXT.Less(g.Seq) && g.Seq.Less(b.rcvNXT+tcp.Num(b.rcvWND))
	switch {
	case !d.unmoved():
		return fmt.Sprintf("a RST with number %d changes something in %v", g.Seq, b.state)
	case inside && !d.told(b.rcvNXT):
		return fmt.Sprintf("a RST with number %d, in its window, is not challenged", g.Seq)
	case !inside && len(d.out) > 0:
		return fmt.Sprintf("a RST with number %d, outside its window, is answered", g.Seq)
	}
	return ""
}

// nobodyThere: where there is neither connection nor listener, everything but a
// RST gets one.
func nobodyThere(d *doing) string {
	if d.seg == nil || d.before.state != tcp.StateClosed {
		return ""
	}
	return d.resets(!d.seg.Flags.Has(wire.RST))
}

// resetsWrongly: a RST leaves for no other reason than those of §3.5.2, §3.10.5
// and SHLD-3, and none answers a RST.
func resetsWrongly(d *doing) string {
	if !d.sends(wire.RST) {
		return ""
	}
	b, g, u := d.before, d.seg, &d.was.user
	switch d.by {
	case byCall:
		if d.call != Abort && d.call != Close && d.call != Cancel && d.call != Unlisten {
			return fmt.Sprintf("its user %s, and a RST leaves", opNames[d.call])
		}
	case bySegment:
		if !b.synchronised() {
			return "" // the rules of those states say when
		}
		t := u.now()
		if given := !u.open || t != nil && t.shut && t.eof; !(given && len(g.Payload) > 0) {
			return fmt.Sprintf("in %v it answers a segment from %d to %d with a RST", b.state, g.Seq, g.End())
		}
	}
	return ""
}

// loses: bytes that no user will have are not swallowed: a RST tells.
func loses(d *doing) string {
	b, g := d.before, d.seg
	if b.record || d.sends(wire.RST) {
		return ""
	}
	switch {
	case d.by == byCall && d.call == Close && b.unread > 0:
		return fmt.Sprintf("its user gives up %d bytes that it has not read, and no RST tells", b.unread)
	case d.by == bySegment && d.good() && !d.was.user.open && !b.finGot && len(g.Payload) > 0 && b.rcvNXT.Less(g.Seq+tcp.Num(len(g.Payload))):
		return "bytes come for a user that has given up, and no RST tells"
	}
	return ""
}

// abortsWith: the RST of an ABORT has the number that the peer expects, if it
// has everything.
func abortsWith(d *doing) string {
	if d.by != byCall || d.call != Abort {
		return ""
	}
	sent := false
	for _, g := range d.out {
		switch {
		case !g.Flags.Has(wire.RST):
			return "its user aborts, and something else than a RST leaves"
		case g.Seq != d.before.nxt:
			return fmt.Sprintf("its user aborts, and the RST has number %d; SND.NXT is %d", g.Seq, d.before.nxt)
		}
		sent = true
	}
	switch d.before.state {
	case tcp.StateSynReceived, tcp.StateEstablished, tcp.StateFinWait1, tcp.StateFinWait2, tcp.StateCloseWait:
		if !sent {
			return fmt.Sprintf("its user aborts in %v, and no RST leaves", d.before.state)
		}
	}
	return ""
}

// synHalfOpen: a SYN in the window ends a half-open connection that a listener
// has. (One before the window is trimmed off, whatever comes behind it.)
func synHalfOpen(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || b.state != tcp.StateSynReceived || !b.passive || !g.Flags.Has(wire.SYN) || g.Flags.Has(wire.RST) || !b.acceptable(g) || g.Seq.Less(b.rcvNXT) || d.is.user.listener == 0 {
		return ""
	}
	if d.after.state != tcp.StateListen && !d.was.reused {
		return "a SYN in the window leads from SYN-RECEIVED to " + d.after.state.String()
	}
	return ""
}

// synChallenged: a SYN changes nothing in a connection that stands.
func synChallenged(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || !g.Flags.Has(wire.SYN) || g.Flags.Has(wire.RST) || !b.synchronised() || b.state == tcp.StateTimeWait {
		return ""
	}
	if !d.unmoved() {
		return fmt.Sprintf("a SYN changes something in %v", b.state)
	}
	if !d.told(b.rcvNXT) {
		return fmt.Sprintf("a SYN in %v is not challenged", b.state)
	}
	return ""
}
