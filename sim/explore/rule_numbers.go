package explore

import (
	"fmt"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// order: ISS =< SND.UNA =< SND.NXT.
func order(d *doing) string {
	v := d.after
	open := v.synchronised() && v.state != tcp.StateFinWait1 // §3.10.4: CLOSE in SYN-RECEIVED leads there at once
	if v.state <= tcp.StateListen || v.iss.LessEq(v.una) && v.una.LessEq(v.nxt) && !(open && v.iss == v.una) {
		return ""
	}
	return fmt.Sprintf("SND.UNA %d does not lie between ISS %d and SND.NXT %d", v.una, v.iss, v.nxt)
}

// counts: SYN and FIN take one number each, a byte takes one, nothing else any.
func counts(d *doing) string {
	v, t := d.after, d.talk()
	if t == nil || v.record || v.state < tcp.StateSynReceived {
		return ""
	}
	one := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	if got, want := int(v.nxt.Diff(v.iss)), 1+int(t.sent)-v.unsent+one(v.finSent); got != want {
		return fmt.Sprintf("SYN, %d bytes and FIN (%v) take %d numbers", int(t.sent)-v.unsent, v.finSent, got)
	}
	if got, want := int(v.rcvNXT.Diff(v.irs)), 1+int(t.got)+v.unread+one(v.finGot); d.is.user.open && got != want {
		return fmt.Sprintf("SYN, %d bytes and FIN (%v) from the peer take %d numbers", int(t.got)+v.unread, v.finGot, got)
	}
	return ""
}

// goesBack: what has advanced stays there.
func goesBack(d *doing) string {
	b, v := d.before, d.after
	if !v.same(b) {
		return ""
	}
	switch {
	case v.una.Less(b.una):
		return "SND.UNA goes back"
	case v.nxt.Less(b.nxt):
		return "SND.NXT goes back"
	case b.pair != 0 && b.pair == v.pair && v.rcvNXT.Less(b.rcvNXT):
		return "RCV.NXT goes back"
	case b.pair != 0 && b.pair != v.pair:
		return "it takes another number of the peer's for the first"
	}
	return ""
}

// binding: a number stands for one byte, whatever segment it is in, and FIN for
// the end of what the user has sent.
func binding(d *doing) string {
	v, t := d.after, d.is.user.now()
	if v.state <= tcp.StateListen || t == nil || v.record || v.pair != 0 && d.talk() == nil {
		return ""
	}
	for _, g := range d.out {
		if g.Flags.Has(wire.RST) {
			continue
		}
		first := g.Seq
		if g.Flags.Has(wire.SYN) {
			first++
		}
		for i, x := range g.Payload {
			k := int(first.Diff(v.iss)) - 1 + i
			if k < 0 || k >= int(t.sent) || x != byteOf(d.is.user.gen, uint8(k)) {
				return fmt.Sprintf("number %d stands for a byte that its user has not sent there", first+tcp.Num(i))
			}
		}
		if end := int(first.Diff(v.iss)) - 1 + len(g.Payload); g.Flags.Has(wire.FIN) && (!t.shut || end != int(t.sent)) {
			return fmt.Sprintf("FIN follows %d bytes of %d, its user having closed: %v", end, t.sent, t.shut)
		}
	}
	return ""
}

// currentAck: each segment says what its sender expects, and lies where its
// sender is.
func currentAck(d *doing) string {
	v := d.after
	if v.state < tcp.StateSynReceived {
		return ""
	}
	for _, g := range d.out {
		switch {
		case g.Flags.Has(wire.RST):
		case !g.Flags.Has(wire.ACK):
			return fmt.Sprintf("in %v it sends a segment without ACK", v.state)
		case g.Ack != v.rcvNXT:
			return fmt.Sprintf("it acknowledges %d, and expects %d", g.Ack, v.rcvNXT)
		case g.Seq.Less(v.una-1) && (!v.same(d.before) || g.Seq.Less(d.before.una-1)) || v.nxt.Less(g.End()):
			return fmt.Sprintf("it sends %d to %d; SND.UNA is %d and SND.NXT %d", g.Seq, g.End(), v.una, v.nxt)
		}
	}
	return ""
}

// unmoved reports whether the segment changed nothing.
func (d *doing) unmoved() bool {
	b, v := d.before, d.after
	return v.same(b) && v.state == b.state && v.una == b.una && v.nxt == b.nxt && v.rcvNXT == b.rcvNXT
}

// unacceptable: what lies outside the window changes nothing, and is told what
// is expected.
func unacceptable(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || b.state < tcp.StateSynReceived || g.Flags.Has(wire.RST) || b.acceptable(g) {
		return ""
	}
	switch {
	case b.state == tcp.StateTimeWait && g.Flags.Has(wire.SYN) && b.rcvNXT.LessEq(g.Seq):
		return "" // a new incarnation: reuses
	case b.state == tcp.StateSynReceived && g.Flags.Has(wire.SYN) && g.Seq == b.irs && b.acks(g):
		return "" // figure 7, line 7
	case b.rcvWND == 0 && b.acks(g):
		return "" // "special allowance should be made to accept valid ACKs"
	case !d.unmoved():
		return fmt.Sprintf("a segment from %d to %d, outside its window of %d from %d on, changes something: %v to %v", g.Seq, g.End(), b.rcvWND, b.rcvNXT, b.state, d.after.state)
	case !d.told(b.rcvNXT):
		return fmt.Sprintf("a segment from %d to %d, outside its window of %d from %d on, is not answered", g.Seq, g.End(), b.rcvWND, b.rcvNXT)
	}
	return ""
}

// believable reports whether an ACK lies in the range of RFC 5961 §5.2, (SND.UNA
// - MAX.SND.WND) =< SEG.ACK =< SND.NXT.
func (d *doing) believable(ack tcp.Num) bool {
	most := tcp.Num(d.w.connConfig(1 - d.end).ReceiveBuffer)
	return (d.before.una - most).LessEq(ack) && ack.LessEq(d.before.nxt)
}

// acksUnsent: an ACK of what was never sent, or of what is long past, changes
// nothing.
func acksUnsent(d *doing) string {
	b, g := d.before, d.seg
	if g == nil || !b.synchronised() || !g.Flags.Has(wire.ACK) || g.Flags.Any(wire.RST|wire.SYN) || d.believable(g.Ack) || !b.acceptable(g) {
		return ""
	}
	if !d.unmoved() {
		return fmt.Sprintf("an ACK of %d changes something, and %d to %d is not acknowledged", g.Ack, b.una, b.nxt)
	}
	if !d.told(b.rcvNXT) {
		return fmt.Sprintf("an ACK of %d is not answered, and %d to %d is not acknowledged", g.Ack, b.una, b.nxt)
	}
	return ""
}

// good reports whether the segment is one that an end in a synchronised state
// must take as it is.
func (d *doing) good() bool {
	b, g := d.before, d.seg
	return g != nil && b.synchronised() && !b.record && b.acceptable(g) && g.Flags.Has(wire.ACK) && !g.Flags.Any(wire.RST|wire.SYN) &&
		d.believable(g.Ack)
}

// takes: what comes in order is taken, half-closed or not. An end whose user has
// given it up may answer bytes with a RST instead (SHLD-3).
func takes(d *doing) string {
	b, v, g := d.before, d.after, d.seg
	if !d.good() || b.finGot || b.rcvNXT.Less(g.Seq) || !v.same(b) {
		return ""
	}
	want := tcp.Num(0)
	if want = g.End(); (b.rcvNXT + tcp.Num(b.rcvWND)).Less(want) {
		want = b.rcvNXT + tcp.Num(b.rcvWND)
	}
	if v.rcvNXT.Less(want) {
		return fmt.Sprintf("numbers up to %d have come, in its window, and it expects %d", want, v.rcvNXT)
	}
	return ""
}

// acknowledged: an acceptable ACK is believed.
func acknowledged(d *doing) string {
	if !d.good() || !d.before.acks(d.seg) || !d.after.same(d.before) || d.seg.Ack.LessEq(d.after.una) {
		return ""
	}
	return fmt.Sprintf("%d is acknowledged, and SND.UNA stays %d", d.seg.Ack, d.after.una)
}

// owesAck: what was taken is acknowledged; if not at once, within half a second.
func owesAck(d *doing) string {
	b, v := d.before, d.after
	if !v.same(b) || b.pair == 0 || !b.rcvNXT.Less(v.rcvNXT) || d.acksWith(v.rcvNXT) {
		return ""
	}
	if v.delays && d.is.deadline < 500*time.Millisecond {
		return "" // MUST-40
	}
	return fmt.Sprintf("%d to %d was taken and not acknowledged", b.rcvNXT, v.rcvNXT)
}

// garbled: bytes are delivered in the order in which they were sent, each once.
func garbled(d *doing) string {
	if d.garbled == "" {
		return ""
	}
	return "it gets bytes that are not the next ones of what was sent: " + d.garbled
}

// acksAcks: an ACK that tells nothing new is not answered.
func acksAcks(d *doing) string {
	b, g := d.before, d.seg
	if !d.good() || g.Len() > 0 || !d.unmoved() || b.una != b.nxt || b.unsent > 0 || len(d.out) == 0 {
		return ""
	}
	return "an ACK that tells nothing new is answered"
}
