package trace

import (
	"strconv"
	"strings"

	"estab/internal/wire"
	"estab/tcp"
)

// Label is what a ladder says about a segment: its header as on the wire, and
// what it means to the connection.
type Label struct {
	tcp.SegHeader
	RelSeq uint64 // since the sender's initial sequence number
	RelAck uint64 // since the receiver's
	Window uint64 // bytes: Wnd with its scale applied
	Step   bool   // a step of opening or closing, of which the ladder tells everything
	// SACK blocks since the receiver's initial sequence number.
	RelSACK [wire.MaxSACKBlocks][2]uint64

	SeqName, AckName string // in letters: see Ladder.Letters
	seqOf, ackOf     int    // which of the pair's connections, from 0, a number belongs to
}

// FlagNames writes flags in the RFC's words: "SYN,ACK".
func FlagNames(f wire.Flags) string {
	var names []string
	for _, n := range [...]struct {
		bit  wire.Flags
		name string
	}{
		{wire.SYN, "SYN"}, {wire.FIN, "FIN"}, {wire.RST, "RST"}, {wire.PSH, "PSH"}, {wire.URG, "URG"},
		{wire.ACK, "ACK"}, {wire.ECE, "ECE"}, {wire.CWR, "CWR"}, {wire.AE, "AE"},
	} {
		if f&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	if names == nil {
		return "no flags"
	}
	return strings.Join(names, ",")
}

// Life is which of the pair's connections the sequence number belongs to,
// from 0.
func (l *Label) Life() int { return l.seqOf }

// HasAck reports whether the acknowledgement number means anything.
func (l *Label) HasAck() bool { return l.Flags.Any(wire.ACK) }

func (l *Label) style() int {
	switch {
	case l.Flags.Any(wire.RST):
		return styleReset
	case l.Flags.Any(wire.SYN):
		return styleSyn
	case l.Flags.Any(wire.FIN):
		return styleFin
	case l.Len > 0:
		return styleData
	}
	return styleNone
}

// lines are the text on the arrow and what stands below it, for that many
// columns between the lines of the ladder.
func (l *Label) lines(n Numbering, m Mark, columns int) (first string, rest []string) {
	first = FlagNames(l.Flags)
	words := l.arrowWords(n, m)
	if m&(MarkArrives|MarkDuplicate) == 0 && (!l.Step || n.counts() && !l.Flags.Any(wire.SYN)) {
		words = append(words, l.windowWords()...)
	}
	for len(words) > 0 && width(first)+1+width(words[0]) <= columns-labelMargin {
		first += " " + words[0]
		words = words[1:]
	}
	switch {
	case m&MarkArrives != 0:
		return first, nil // the row of its departure has it all
	case l.Wnd != 0 && (!l.Step || n.counts()):
		words = nil // its window was of no importance
	}
	if l.Step && n == Both {
		words = append(words, l.absoluteWords()...)
	}
	if l.Step && l.Flags.Any(wire.SYN) {
		rest = fill(rest, columns-4, words)
		return first, append(rest, fill(nil, columns-4, append(l.windowWords(), l.OptionWords()...))...)
	}
	if l.Step && !n.counts() {
		words = append(words, l.windowWords()...)
	}
	return first, fill(rest, columns-4, append(words, l.OptionWords()...))
}

// fill packs words into lines of so many columns.
func fill(lines []string, columns int, words []string) []string {
	for _, w := range words {
		if i := len(lines) - 1; i >= 0 && width(lines[i])+1+width(w) <= columns {
			lines[i] += " " + w
			continue
		}
		lines = append(lines, w)
	}
	return lines
}

// counts reports whether numbers count from the initial ones.
func (n Numbering) counts() bool { return n == Relative || n == Textbook }

// arrowWords belong on the arrow, most important first.
func (l *Label) arrowWords(n Numbering, m Mark) []string {
	num := func(rel uint64, abs uint32) string {
		if n == Absolute {
			return strconv.FormatUint(uint64(abs), 10)
		}
		return strconv.FormatUint(rel, 10)
	}
	seqText, ackText := num(l.RelSeq, uint32(l.Seq)), num(l.RelAck, uint32(l.Ack))
	if n == Textbook && l.SeqName != "" {
		seqText, ackText = l.SeqName, l.AckName
	}
	w := []string{"seq " + seqText}
	if m&MarkDuplicate != 0 {
		return append(w, "(doubled)")
	}
	if l.Flags.Any(wire.ACK) {
		w = append(w, "ack "+ackText)
	}
	if l.Len > 0 {
		w = append(w, "len "+strconv.FormatUint(uint64(l.Len), 10))
	}
	if m&MarkRetransmit != 0 {
		w = append(w, "(again)")
	}
	return w
}

// absoluteWords are the numbers as they are on the wire.
func (l *Label) absoluteWords() []string {
	w := []string{"seq=" + strconv.FormatUint(uint64(l.Seq), 10)}
	if l.Flags.Any(wire.ACK) {
		w = append(w, "ack="+strconv.FormatUint(uint64(l.Ack), 10))
	}
	return w
}

// windowWords are the window and the urgent pointer.
func (l *Label) windowWords() []string {
	var w []string
	if l.Flags.Any(wire.URG) {
		w = append(w, "urg "+strconv.Itoa(int(l.Up)))
	}
	if !l.Flags.Any(wire.RST) {
		w = append(w, "win "+windowText(l.Window))
	}
	return w
}

func windowText(v uint64) string {
	switch {
	case v < 100_000:
		return strconv.FormatUint(v, 10)
	case v < 100_000<<10:
		return strconv.FormatUint(v>>10, 10) + "K"
	}
	return strconv.FormatUint(v>>20, 10) + "M"
}

// OptionWords are the options that tell something: timestamps, which every
// segment has, only on a SYN.
func (l *Label) OptionWords() []string {
	var w []string
	o := &l.Options
	if o.Has(wire.OptMSS) {
		w = append(w, "mss "+strconv.Itoa(int(o.MSS)))
	}
	if o.Has(wire.OptSACKPermitted) {
		w = append(w, "sackOK")
	}
	if o.Has(wire.OptWindowScale) {
		w = append(w, "wscale "+strconv.Itoa(int(o.WindowScale)))
	}
	if o.Has(wire.OptTimestamps) && l.Flags.Any(wire.SYN) {
		w = append(w, "ts")
	}
	if o.Has(wire.OptSACK) {
		for _, b := range l.RelSACK[:min(int(o.NSACK), wire.MaxSACKBlocks)] {
			w = append(w, "sack "+strconv.FormatUint(b[0], 10)+":"+strconv.FormatUint(b[1], 10))
		}
	}
	return w
}
