package trace

import "estab/internal/wire"

// Totals count what one end sent.
type Totals struct {
	Segments   uint64 // all
	Data       uint64 // of them, with text
	Bytes      uint64 // of text, repeats included
	Again      uint64 // segments that had been sent before, or parts of which had
	AgainBytes uint64 // of text in them
	Acks       uint64 // without text, SYN, FIN and RST
	DupAcks    uint64 // of them, duplicates in the sense of RFC 5681 §2
	Repeated   uint64 // of Acks, what would be a duplicate but that nothing was in flight; tshark counts these too
	Lost       uint64 // segments that did not reach the other end whole
	Corrupt    uint64 // segments that were damaged on the way
	Doubled    uint64 // that reached the other end twice
	Overtook   uint64 // that overtook others
}

// Totals are the counts of what an end sent, so far.
func (b *Builder) Totals(s Side) Totals { return b.totals[s] }

// add counts a packet, before the streams have taken notice of it.
func (t *Totals) add(p *shown, me, peer *stream) {
	t.Segments++
	if p.Again {
		t.Again++
		t.AgainBytes += uint64(p.Seg.Len)
	}
	if p.Seg.Len > 0 {
		t.Data++
		t.Bytes += uint64(p.Seg.Len)
	}
	switch {
	case p.Corrupt:
		t.Corrupt++
	case p.Copies == 0:
		t.Lost++
	case p.Copies > 1:
		t.Doubled++
	}
	if p.Overtook {
		t.Overtook++
	}
	t.acknowledgement(p, me, peer)
}

// acknowledgement counts a segment that only acknowledges. RFC 5681 §2: it is
// a duplicate if "(a) the receiver of the ACK has outstanding data, (b) the
// incoming acknowledgment carries no data, (c) the SYN and FIN bits are both
// off, (d) the acknowledgment number is equal to the greatest acknowledgment
// received on the given connection … and (e) the advertised window in the
// incoming acknowledgment equals the advertised window in the last incoming
// acknowledgment".
func (t *Totals) acknowledgement(p *shown, me, peer *stream) {
	if p.Seg.Flags.Any(wire.SYN|wire.FIN|wire.RST) || !p.Seg.Flags.Any(wire.ACK) {
		return
	}
	if p.Seg.Len == 0 {
		t.Acks++
		same := p.label.RelAck == me.lastAck && p.Seg.Wnd == me.lastWnd
		if same && peer.high > p.label.RelAck {
			t.DupAcks++
		} else if same {
			t.Repeated++
		}
	}
	me.lastAck, me.lastWnd = p.label.RelAck, p.Seg.Wnd
}
