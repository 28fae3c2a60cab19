package script

import (
	"bytes"
	"fmt"
	"slices"
)

// matchMode says how exactly a segment is compared.
type matchMode struct {
	loose  bool
	strict bool  // timestamps too
	tsTick int64 // nanoseconds of a tick of the script's timestamps, to compare them; 0: they aren't
	tsSlop int64 // nanoseconds of tolerance in that
}

// mismatch compares a stated segment with the one that left, both in the
// script's numbers, and says in what they differ; "" if they don't.
func (m matchMode) mismatch(want, got *Segment) string {
	switch {
	case want.Flags.Bits != got.Flags.Bits:
		return fmt.Sprintf("the flags are %s, not %s", got.Flags, want.Flags)
	case want.Seq.Len != got.Seq.Len:
		return fmt.Sprintf("it carries %d bytes, not %d", got.Seq.Len, want.Seq.Len)
	case !want.Seq.Any && want.Seq.Begin != got.Seq.Begin:
		return fmt.Sprintf("its sequence number is %d, not %d", got.Seq.Begin, want.Seq.Begin)
	case differ(want.Ack, got.Ack):
		return fmt.Sprintf("its acknowledgement number is %d, not %d", got.Ack.Value, want.Ack.Value)
	case differ(want.Win, got.Win) && (!m.loose || m.closes(want, got)):
		return fmt.Sprintf("its window is %d, not %d", got.Win.Value, want.Win.Value)
	case want.Flags.Has(FlagURG) && differ(want.Urg, got.Urg):
		return fmt.Sprintf("its urgent pointer is %d, not %d", got.Urg.Value, want.Urg.Value)
	}
	if want.Options.Any {
		return ""
	}
	if m.loose {
		return m.mismatchSet(want.Options.List, got.Options.List)
	}
	return m.mismatchList(want.Options.List, got.Options.List)
}

// closes reports whether one of two windows is closed and the other is not. That
// of a reset means nothing.
func (m matchMode) closes(a, b *Segment) bool {
	return (a.Win.Value == 0) != (b.Win.Value == 0) && !a.Flags.Has(FlagRST)
}

// differ compares a field that the script states.
func differ(want, got Field) bool {
	return want.Kind == FieldExact && (got.Kind != FieldExact || want.Value != got.Value)
}

// mismatchList compares options in their order, with their padding.
func (m matchMode) mismatchList(want, got []TCPOption) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return "it has the option " + got[i].String() + ", which is not stated"
		case i >= len(got):
			return "it lacks the option " + want[i].String()
		case !want[i].sameKind(&got[i]):
			return fmt.Sprintf("its option %d is %s, not %s", i+1, got[i], want[i])
		}
		if !m.sameOption(&want[i], &got[i]) {
			return fmt.Sprintf("its option is %s, not %s", got[i], want[i])
		}
	}
	return ""
}

// mismatchSet compares which options there are, and what they say.
func (m matchMode) mismatchSet(want, got []TCPOption) string {
	for i := range want {
		w := &want[i]
		if w.isPadding() {
			continue
		}
		k := slices.IndexFunc(got, func(g TCPOption) bool { return w.sameKind(&g) })
		if k < 0 {
			return "it lacks the option " + w.String()
		}
		if !m.sameOption(w, &got[k]) {
			return fmt.Sprintf("its option is %s, not %s", got[k], *w)
		}
	}
	for i := range got {
		g := &got[i]
		if !g.isPadding() && !slices.ContainsFunc(want, func(w TCPOption) bool { return w.sameKind(g) }) {
			return "it has the option " + g.String() + ", which is not stated"
		}
	}
	return ""
}

func (o *TCPOption) isPadding() bool { return o.Kind == OptNOP || o.Kind == OptEOL }

// number is the option's on the wire.
func (o *TCPOption) number() uint8 {
	switch o.Kind {
	case OptEOL:
		return kindEOL
	case OptNOP:
		return kindNOP
	case OptMSS:
		return kindMSS
	case OptWScale:
		return kindWScale
	case OptSACKOK:
		return kindSACKOK
	case OptSACK:
		return kindSACK
	case OptTS:
		return kindTS
	case OptFO:
		return kindFO
	case OptFOExp:
		return kindExp
	}
	return o.Number
}

func (o *TCPOption) sameKind(p *TCPOption) bool {
	return o.Kind != OptNamed && p.Kind != OptNamed && o.number() == p.number()
}

// sameOption compares two options of one kind.
func (m matchMode) sameOption(want, got *TCPOption) bool {
	switch {
	case want.Kind != got.Kind:
		return want.Kind == OptRaw || bytes.Equal(want.Data, got.Data)
	case want.Kind == OptTS:
		return m.sameTimestamps(want, got)
	case want.Kind == OptSACK:
		return slices.Equal(want.Blocks, got.Blocks)
	case want.Kind == OptWScale && m.loose:
		return true // it is a part of the window
	}
	return !differ(want.Value, got.Value) && bytes.Equal(want.Data, got.Data)
}

// sameTimestamps compares timestamps. packetdrill doesn't unless asked: what
// Linux puts there depends on when its timer ticked.
func (m matchMode) sameTimestamps(want, got *TCPOption) bool {
	if m.strict && differ(want.Echo, got.Echo) {
		return false
	}
	if want.Value.Kind != FieldExact || m.tsTick == 0 {
		return true
	}
	off := int64(int32(got.Value.Value - want.Value.Value))
	return max(off, -off)*m.tsTick <= m.tsSlop
}

// mismatchMarks compares the stated fields of the IP header.
func mismatchMarks(want *IPMarks, p *packet) string {
	ecn := p.tos & 3
	switch {
	case want.ECN == ECT01 && ecn != 1 && ecn != 2,
		want.ECN == NotECT && ecn != 0, want.ECN == ECT0 && ecn != 2,
		want.ECN == ECT1 && ecn != 1, want.ECN == CE && ecn != 3:
		return fmt.Sprintf("the ECN bits of its IP header are %d, not %s", ecn, ecnNames[want.ECN])
	case want.TOS.Kind == FieldExact && want.TOS.Value != uint32(p.tos):
		return fmt.Sprintf("the TOS of its IP header is %#x, not %#x", p.tos, want.TOS.Value)
	case want.TTL.Kind == FieldExact && want.TTL.Value != uint32(p.ttl):
		return fmt.Sprintf("the TTL of its IP header is %d, not %d", p.ttl, want.TTL.Value)
	}
	return ""
}

// forDisplay leaves of a segment that left what the stated one states, so that
// the two can be read side by side.
func (s *Segment) forDisplay(like *Segment) *Segment {
	d := *s
	d.Ports = like.Ports
	if like.Win.Kind == FieldAbsent {
		d.Win = Field{}
	}
	if like.Options.Any {
		d.Options = TCPOptions{Present: true, Any: true}
	}
	return &d
}
