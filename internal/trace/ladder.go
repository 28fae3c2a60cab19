package trace

import (
	"io"
	"strconv"
	"strings"
	"time"

	"estab/tcp"
)

// Side is one of the two ends of a ladder.
type Side uint8

// The left column and the right one.
const (
	Left Side = iota
	Right
)

// Other is the opposite side.
func (s Side) Other() Side { return 1 - s }

// End is what stands at the head of a column.
type End struct {
	Name, Addr string
	State      string // before the first row
}

// Mark qualifies an arrow.
type Mark uint8

// What can have become of a segment, and how its arrow is drawn.
const (
	MarkLost       Mark = 1 << iota // the path lost it
	MarkCorrupt                     // the path damaged it; the receiver threw it away
	MarkDropped                     // the receiver threw it away: a note says why
	MarkRetransmit                  // it had been sent before
	MarkDuplicate                   // the path doubled it
	MarkDeparts                     // the tail only: the head has a row of its own
	MarkArrives                     // the head only
)

// Names are the marks in words.
func (m Mark) Names() []string {
	var names []string
	for i, n := range [...]string{"lost", "damaged", "dropped", "again", "doubled", "departs", "arrives"} {
		if m>>i&1 != 0 {
			names = append(names, n)
		}
	}
	return names
}

// Row is a line of a ladder, with the lines that belong to it.
type Row struct {
	Time   time.Duration // since the first row
	Kind   RowKind
	From   Side // of an arrow or a note
	Seg    Label
	Mark   Mark
	States [2][]string // states that each end entered here, in order
	Notes  []string
	Fold   *Fold // of a RowFold

	Arrive  time.Duration // when an arrow that was not lost reached the other end
	Packet  int           // tail and head of one segment have the same number, from 1
	Caption []string      // what is told above the row, across its whole width
}

// RowKind says what a row shows.
type RowKind uint8

// The kinds of rows.
const (
	RowArrow RowKind = iota // a segment
	RowNote                 // something at one end; or, without notes, states only
	RowFold                 // what stands for many segments
)

// Ladder is a conversation of two ends, as rows from top to bottom.
type Ladder struct {
	Ends  [2]End
	Rows  []Row
	Began tcp.Time // of the first row
	After []string // what is told below the last row
}

// Numbering says which sequence numbers a ladder shows.
type Numbering uint8

// Relative numbers count from the initial sequence numbers; absolute ones are
// those on the wire.
const (
	Relative Numbering = iota
	Absolute
	Both
	Textbook // with letters: see Ladder.Letters
)

// Style says how a ladder is drawn.
type Style struct {
	Width   int // columns; 0: 80
	Numbers Numbering
	Color   bool // ANSI colours
	ASCII   bool // no characters beyond ASCII for lines and arrows

	// Words, if not nil, says a phrase of the ladder in another language.
	Words func(string) string
}

// The columns of a ladder, from the left: time, state, line, arrows, line,
// state.
const (
	timeWidth  = 8
	stateWidth = 12                                 // SYN-RECEIVED
	fixedWidth = timeWidth + 2*stateWidth + 2*2 + 1 // with the lines and the spaces between
	minArrow   = 24                                 // the narrowest ladder that says something

	labelMargin = 6 // columns of an arrow that its label leaves free
)

// Write draws the ladder.
func (l *Ladder) Write(w io.Writer, st Style) error {
	if st.Width == 0 {
		st.Width = 80
	}
	d := drawing{ladder: l, style: st, pen: penFor(st), arrow: max(st.Width-fixedWidth, minArrow)}
	d.unit, d.unitName = timeUnit(l.Rows)
	d.heads()
	for i := range l.Rows {
		d.caption(l.Rows[i].Caption)
		d.row(&l.Rows[i])
	}
	d.caption(l.After)
	_, err := io.WriteString(w, d.out.String())
	return err
}

// timeUnit chooses seconds for what takes long.
func timeUnit(rows []Row) (time.Duration, string) {
	for _, r := range rows {
		if r.Time >= 10*time.Second {
			return time.Second, "s"
		}
	}
	return time.Millisecond, "ms"
}

// drawing is a ladder being drawn.
type drawing struct {
	ladder   *Ladder
	style    Style
	pen      pen
	arrow    int // columns between the two lines
	unit     time.Duration
	unitName string
	out      strings.Builder
}

// line writes one line. The states and the middle come in their widths.
func (d *drawing) line(when, left, middle, right string) {
	s := padLeft(when, timeWidth)
	s = d.pen.paint(styleTime, s) + " " +
		d.pen.paint(styleState, padLeft(left, stateWidth)) + " " +
		d.pen.bar + middle + d.pen.bar + " " +
		d.pen.paint(styleState, fit(right, stateWidth))
	d.out.WriteString(strings.TrimRight(s, " "))
	d.out.WriteByte('\n')
}

// heads writes the names of the ends, their addresses, and their states to
// begin with.
func (d *drawing) heads() {
	full := d.style.Width - timeWidth - 1
	pair := func(left, right string, style int) {
		lines := []string{left + padLeft(right, full-width(left))}
		if width(left)+width(right)+2 > full {
			lines = []string{fit(left, full), padLeft(right, full)}
		}
		for _, s := range lines {
			d.out.WriteString(strings.TrimRight(strings.Repeat(" ", timeWidth+1)+d.pen.paint(style, s), " ") + "\n")
		}
	}
	e := &d.ladder.Ends
	a, b := strings.TrimSpace(e[0].Name+" "+e[0].Addr), strings.TrimSpace(e[1].Name+" "+e[1].Addr)
	if width(a)+width(b)+2 <= full {
		pair(a, b, styleState)
	} else {
		pair(e[0].Name, e[1].Name, styleState)
		pair(e[0].Addr, e[1].Addr, styleTime)
	}
	d.line(d.unitName, e[0].State, strings.Repeat(" ", d.arrow), e[1].State)
}

// caption writes what is told between two rows.
func (d *drawing) caption(texts []string) {
	for _, t := range texts {
		for _, s := range Wrap(t, d.style.Width-2) {
			d.out.WriteString("  " + s + "\n")
		}
	}
}

// word says a phrase in the language of the drawing.
func (d *drawing) word(s string) string {
	if d.style.Words == nil {
		return s
	}
	return d.style.Words(s)
}

func (d *drawing) row(r *Row) {
	var middle []string
	style := r.Seg.style()
	switch r.Kind {
	case RowArrow:
		first, rest := r.Seg.lines(d.style.Numbers, r.Mark, d.arrow)
		for _, w := range [...]string{"(again)", "(doubled)"} {
			first = strings.Replace(first, w, d.word(w), 1)
		}
		middle = append(middle, d.pen.paint(style, d.shaft(r, first)))
		for _, s := range rest {
			middle = append(middle, d.pen.paint(styleDetail, d.aside(r.From, s)))
		}
		middle = append(middle, d.notes(r, r.From.Other(), styleLoss)...)
	case RowFold:
		for _, s := range r.Fold.lines(&d.pen, d.arrow) {
			middle = append(middle, d.pen.paint(styleData, center(s, d.arrow)))
		}
	case RowNote:
		middle = append(middle, d.notes(r, r.From, styleDetail)...)
	}
	d.write(r, middle)
}

// notes are the notes of a row, at one side, in as many lines as they take.
func (d *drawing) notes(r *Row, side Side, style int) []string {
	var lines []string
	for _, n := range r.Notes {
		for _, s := range Wrap(d.word(n), d.arrow-6) {
			lines = append(lines, d.pen.paint(style, d.aside(side, s)))
		}
	}
	return lines
}

// write puts the lines of a row and the states beside them.
func (d *drawing) write(r *Row, middle []string) {
	when := strconv.FormatFloat(float64(r.Time)/float64(d.unit), 'f', 3, 64)
	if r.Kind == RowFold {
		when = d.pen.dots
	}
	for i := 0; i < max(len(middle), len(r.States[Left]), len(r.States[Right]), 1); i++ {
		m := strings.Repeat(" ", d.arrow)
		if i < len(middle) {
			m = middle[i]
		}
		d.line(when, at(r.States[Left], i), m, at(r.States[Right], i))
		if r.Kind != RowFold {
			when = ""
		}
	}
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return ""
}

// aside is text that belongs to one side: three columns from its line, like
// the label of an arrow that begins there.
func (d *drawing) aside(side Side, s string) string {
	if side == Left {
		return padRight("   "+s, d.arrow)
	}
	return padLeft(s, d.arrow-3) + "   "
}

// shaft draws an arrow with its label in the columns between the lines. It is
// drawn to the right; an arrow to the left is its mirror image.
func (d *drawing) shaft(r *Row, label string) string {
	p := &d.pen
	label = fit(label, d.arrow-labelMargin)
	free := d.arrow - width(label) - 3 // columns beyond the tail and the label
	run := func(n int) string { return strings.Repeat(p.shaft, max(n, 0)) }
	gap := func(n int) string { return strings.Repeat(" ", max(n, 0)) }
	tail := []string{run(2), " ", label}
	var rest []string
	switch {
	case r.Mark&MarkArrives != 0:
		// The label moves towards the head: "   ╲─ label ────▶".
		lead := max(free-6, 0) / 2
		return mirror(r.From, gap(lead), p.bend(r.From), run(1), " ", label, " ", run(free-lead-2), p.end(r))
	case r.Mark&MarkDeparts != 0:
		n := max(free-6, 0)
		rest = []string{" ", run(n / 2), p.bend(r.From), gap(free - 2 - n/2)}
	case r.Mark&MarkLost != 0 && free >= 10:
		n := (free - 7) / 2
		lost := d.word(p.lost)
		rest = []string{" ", run(n), p.cross, " ", lost, gap(free - n - 3 - width(lost))}
	default:
		rest = []string{" ", run(free - 2), p.end(r)}
	}
	return mirror(r.From, append(tail, rest...)...)
}

// mirror joins the pieces of an arrow that begins at the given side.
func mirror(from Side, pieces ...string) string {
	if from == Right {
		for i, j := 0, len(pieces)-1; i < j; i, j = i+1, j-1 {
			pieces[i], pieces[j] = pieces[j], pieces[i]
		}
	}
	return strings.Join(pieces, "")
}
