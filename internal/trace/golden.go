package trace

import (
	"strconv"

	"estab/internal/wire"
	"estab/tcp"
)

// AppendEvent appends an event as one line of text, without the newline, in
// the canonical form that ParseEvent reads: the time in seconds, the kind, the
// two sockets, and then a word for each field that is not zero.
//
//	0.020000000 state 10.0.0.1:32768-10.0.0.2:80 conn=1 from=SYN-SENT to=ESTABLISHED seg=S. seq=2993482931 ack=1146377411 win=65535 mss=1460
//
// Two events have the same line only if they are equal, apart from fields
// that mean nothing (see Canonical).
func AppendEvent(b []byte, e *tcp.Event) []byte {
	b = appendSeconds(b, int64(e.Time))
	b = append(append(b, ' '), kindName(e.Kind)...)
	b = append(append(b, ' '), e.Tuple.String()...)
	w := words{b}
	w.num("zone", uint64(e.Zone))
	w.num("conn", uint64(e.Conn))
	if e.From != 0 || e.To != 0 {
		w.text("from", stateName(e.From))
		w.text("to", stateName(e.To))
	}
	w.name("reason", int(e.Reason), reasonName(e.Reason))
	w.name("timer", int(e.Timer), timerName(e.Timer))
	w.name("why", int(e.Why), whyName(e.Why))
	w.name("err", int(e.Err), errName(e.Err))
	w.flag("passive", e.Passive)
	w.flag("again", e.Retransmit)
	w.num("count", uint64(e.Count))
	w.num("cwnd", uint64(e.Cwnd))
	w.num("ssthresh", uint64(e.Ssthresh))
	if e.Value != 0 {
		w.text("value", strconv.FormatInt(e.Value, 10))
	}
	if e.HasSeg {
		w.text("seg", flagText(e.Seg.Flags))
		w.segment(&e.Seg)
	}
	return w.b
}

// FormatEvent is AppendEvent as a string.
func FormatEvent(e tcp.Event) string { return string(AppendEvent(nil, &e)) }

// segment writes the fields of a segment but its flags, which stand in "seg".
func (w *words) segment(s *tcp.SegHeader) {
	w.num("seq", uint64(s.Seq))
	w.num("ack", uint64(s.Ack))
	w.num("len", uint64(s.Len))
	w.num("win", uint64(s.Wnd))
	w.num("urg", uint64(s.Up))
	o := &s.Options
	if o.Has(wire.OptMSS) {
		w.text("mss", strconv.Itoa(int(o.MSS)))
	}
	if o.Has(wire.OptWindowScale) {
		w.text("wscale", strconv.Itoa(int(o.WindowScale)))
	}
	w.flag("sackok", o.Has(wire.OptSACKPermitted))
	if o.Has(wire.OptTimestamps) {
		w.text("ts", pairText(o.TSVal, o.TSEcr))
	}
	if o.Has(wire.OptSACK) {
		text := ""
		for i, k := range o.SACK[:min(int(o.NSACK), wire.MaxSACKBlocks)] {
			if i > 0 {
				text += ","
			}
			text += pairText(uint32(k.Left), uint32(k.Right))
		}
		w.text("sack", text)
	}
}

func pairText(a, b uint32) string {
	return strconv.FormatUint(uint64(a), 10) + ":" + strconv.FormatUint(uint64(b), 10)
}

// words appends " name=value" words.
type words struct{ b []byte }

func (w *words) text(name, value string) {
	w.b = append(append(append(append(w.b, ' '), name...), '='), value...)
}

func (w *words) num(name string, v uint64) {
	if v != 0 {
		w.text(name, strconv.FormatUint(v, 10))
	}
}

func (w *words) name(name string, v int, text string) {
	if v != 0 {
		w.text(name, text)
	}
}

func (w *words) flag(name string, on bool) {
	if on {
		w.b = append(append(w.b, ' '), name...)
	}
}

// appendSeconds writes nanoseconds as seconds with nine digits.
func appendSeconds(b []byte, ns int64) []byte {
	u := uint64(ns)
	if ns < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/1e9, 10)
	b = append(b, '.')
	f := strconv.FormatUint(u%1e9+1e9, 10)
	return append(b, f[1:]...)
}

// Names. A value that has none, because it is of a newer engine or of a
// damaged event, is written as #number.

func unknown[T ~uint8 | ~uint16](v T) string { return "#" + strconv.Itoa(int(v)) }

func kindName(k tcp.EventKind) string {
	for i, n := range kindNames() {
		if k == 1<<i {
			return n
		}
	}
	return unknown(k)
}

// kindNames are in the order of the bits.
func kindNames() []string {
	return []string{"state", "in", "out", "drop", "timer", "cwnd", "blocked", "rtt", "closed", "icmp"}
}

func stateName(s tcp.State) string {
	if s <= tcp.StateTimeWait {
		return s.String()
	}
	return unknown(s)
}

func reasonName(r wire.Reason) string {
	if r < wire.NumReasons {
		return r.String()
	}
	return unknown(r)
}

func timerName(k tcp.TimerKind) string {
	if n := k.String(); n != "timer?" {
		return n
	}
	return unknown(k)
}

func whyName(w tcp.Why) string {
	if n := w.String(); n != "why?" {
		return n
	}
	return unknown(w)
}

func errName(e tcp.Error) string {
	n := []byte(e.Error())
	if string(n) == tcp.Error(0).Error() {
		return unknown(e)
	}
	for i, c := range n {
		if c == ' ' {
			n[i] = '-'
		}
	}
	return string(n)
}

// flagText is tcpdump's text for flags, or a number if it can't say them all.
func flagText(f wire.Flags) string {
	if f>>9 != 0 {
		return unknown(f)
	}
	return f.String()
}

// Canonical is e without the fields that mean nothing: those of a segment if
// there is none, and those of options that it doesn't carry.
func Canonical(e tcp.Event) tcp.Event {
	if !e.HasSeg {
		e.Seg = tcp.SegHeader{}
		return e
	}
	o := e.Seg.Options
	c := wire.Options{Set: o.Set & (wire.OptMSS | wire.OptWindowScale | wire.OptSACKPermitted | wire.OptTimestamps | wire.OptSACK)}
	if o.Has(wire.OptMSS) {
		c.MSS = o.MSS
	}
	if o.Has(wire.OptWindowScale) {
		c.WindowScale = o.WindowScale
	}
	if o.Has(wire.OptTimestamps) {
		c.TSVal, c.TSEcr = o.TSVal, o.TSEcr
	}
	if o.Has(wire.OptSACK) {
		c.NSACK = min(o.NSACK, wire.MaxSACKBlocks)
		copy(c.SACK[:c.NSACK], o.SACK[:c.NSACK])
	}
	e.Seg.Options = c
	return e
}
