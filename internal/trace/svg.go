package trace

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Picture is a part of a drawing: the inside of an SVG, and its size.
type Picture struct {
	Body          string
	Width, Height int // px
}

// palette are the colours of a picture.
type palette struct {
	ink, faint, paper, band  string // text, small text, background, states without a connection and grids
	syn, fin, rst, data, ack string // segments
	warm, cold, calm         string // states of closing, of opening, and ESTABLISHED
}

// rules are the parts of a style that colours make. They are written out, since
// not every program that shows SVG knows variables.
func (p *palette) rules() string {
	var b strings.Builder
	fmt.Fprintf(&b, "text{fill:%s}.paper{fill:%s}.small{fill:%s}.small,.label{stroke:%s}.line{stroke:%s}.grid{stroke:%s}.dim{stroke:%s}.loss{stroke:%s}.lit{stroke:%s}",
		p.ink, p.paper, p.faint, p.paper, p.ink, p.band, p.faint, p.rst, p.data)
	fmt.Fprintf(&b, ".open{fill:%s}.est{fill:%s}.closing{fill:%s}.idle{fill:%s}", p.cold, p.calm, p.warm, p.band)
	for _, x := range [...][2]string{{"syn", p.syn}, {"fin", p.fin}, {"rst", p.rst}, {"data", p.data}, {"ack", p.ack}} {
		fmt.Fprintf(&b, ".%s{stroke:%s}.tip.%s{fill:%s}", x[0], x[1], x[0], x[1])
	}
	return b.String()
}

// svgStyle has the colours of a light page, of a dark one, and of paper. What
// a colour says is also said by a shape or a word.
func svgStyle() string {
	light := palette{"#1b1f24", "#5c656f", "#fff", "#eef2f6", "#1a7f37", "#9a6700", "#cf222e", "#0550ae", "#57606a", "#fff3d6", "#dbeafe", "#dcf3e2"}
	dark := palette{"#e6edf3", "#9aa4af", "#0d1117", "#1c2128", "#3fb950", "#d29922", "#ff7b72", "#79c0ff", "#9aa4af", "#3a2f14", "#12263f", "#12301c"}
	paper := palette{"#000", "#333", "#fff", "#ececec", "#000", "#000", "#000", "#000", "#000", "#e6e6e6", "#f4f4f4", "#fff"}
	return "<style>\n" +
		`text{font:13px system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}` +
		`.head{font-weight:600;font-size:15px}.small{font-size:11px}.label{font-size:11px}.small,.label{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}.state{font-size:11px;font-weight:600}` +
		`.line{stroke-width:1.5}.arrow{stroke-width:1.8;fill:none}.again,.dash{stroke-dasharray:6 4}.thin{stroke-width:1.2}.lit{stroke-width:3}.dim{opacity:.45}` +
		"\n" + light.rules() + ".tip{stroke:none}" +
		"\n@media (prefers-color-scheme:dark){" + dark.rules() + ".tip{stroke:none}}" +
		"\n@media print{" + paper.rules() + ".tip{stroke:none}}\n</style>"
}

// svgAbreast is how many pictures stand beside each other; more go below.
const svgAbreast = 3

// WriteSVG writes pictures beside and below each other as one SVG.
func WriteSVG(w io.Writer, title string, pictures ...Picture) error {
	return WriteSVGRows(w, title, pictures)
}

// WriteSVGRows writes rows of pictures as one SVG.
func WriteSVGRows(w io.Writer, title string, rows ...[]Picture) error {
	const gap = 24
	width, y := 0, gap
	var b strings.Builder
	for _, row := range rows {
		for few := range slices.Chunk(row, svgAbreast) {
			x, tallest := gap, 0
			for _, p := range few {
				fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\">\n%s</g>\n", x, y, p.Body)
				x += p.Width + gap
				tallest = max(tallest, p.Height)
			}
			width, y = max(width, x), y+tallest+gap
		}
	}
	_, err := fmt.Fprintf(w, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n<title>%s</title>\n%s\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n%s</svg>\n",
		width, y, width, y, Escape(title), svgStyle(), b.String())
	return err
}

// Escape makes a text fit for XML and HTML.
func Escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

// The columns of a ladder's picture, in px.
const (
	svgWidth = 720
	svgLeft  = 190 // the line of the left end
	svgRight = 600
	svgBand  = 96 // width of a band of states
	svgRow   = 40
	svgLine  = 17
	svgChars = 104 // columns of a line of running text
	svgSlope = 12  // how much later a segment arrives, as drawn
)

// svgLadder is a picture being drawn.
type svgLadder struct {
	l      *Ladder
	st     Style
	words  drawing // for its words
	b      strings.Builder
	y      []int // of each row
	bottom int
	unit   string
	div    float64
}

// SVG draws the ladder, under a heading.
func (l *Ladder) SVG(heading string, st Style) Picture {
	d := &svgLadder{l: l, st: st, words: drawing{style: st}}
	unit, name := timeUnit(l.Rows)
	d.unit, d.div = name, float64(unit)
	captions := d.layout()
	if heading != "" {
		fmt.Fprintf(&d.b, "<text class=\"head\" x=\"0\" y=\"16\">%s</text>\n", Escape(heading))
	}
	for s, e := range l.Ends {
		x := []int{svgLeft, svgRight}[s]
		fmt.Fprintf(&d.b, "<text class=\"head\" x=\"%d\" y=\"40\" text-anchor=\"middle\">%s</text><text class=\"small\" x=\"%d\" y=\"54\" text-anchor=\"middle\">%s</text>\n",
			x, Escape(e.Name), x, Escape(e.Addr))
		d.band(Side(s))
	}
	for x := range []int{svgLeft, svgRight} {
		x = []int{svgLeft, svgRight}[x]
		fmt.Fprintf(&d.b, "<line class=\"line\" x1=\"%d\" y1=\"60\" x2=\"%d\" y2=\"%d\"/>\n", x, x, d.bottom)
	}
	d.b.WriteString(captions)
	for i := range l.Rows {
		d.row(i)
	}
	return Picture{d.b.String(), svgWidth, d.bottom + 8}
}

// layout finds the height of each row, and writes what stands between them.
func (d *svgLadder) layout() string {
	var b strings.Builder
	y := 78
	caption := func(texts []string) {
		for _, t := range texts {
			lines := Wrap(t, svgChars)
			fmt.Fprintf(&b, "<rect class=\"paper\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", y-4, svgWidth, len(lines)*svgLine+8)
			for _, s := range lines {
				y += svgLine
				fmt.Fprintf(&b, "<text x=\"8\" y=\"%d\">%s</text>\n", y-4, Escape(s))
			}
			y += 8
		}
	}
	for i := range d.l.Rows {
		r := &d.l.Rows[i]
		caption(r.Caption)
		d.y = append(d.y, y+14)
		y += svgRow + svgLine*d.extra(r)
	}
	caption(d.l.After)
	d.bottom = y + 4
	return b.String()
}

// extra is how many lines a row needs beyond the first.
func (d *svgLadder) extra(r *Row) int {
	n := max(len(r.States[0]), len(r.States[1])) - 1
	switch r.Kind {
	case RowFold:
		p := penFor(d.st)
		n = max(n, len(r.Fold.lines(&p, 60))-1)
	case RowArrow:
		_, rest := r.Seg.lines(d.st.Numbers, r.Mark, 60)
		n = max(n, len(rest)+d.noteLines(r))
	case RowNote:
		n = max(n, d.noteLines(r)-1)
	}
	return max(n, 0)
}

func (d *svgLadder) noteLines(r *Row) int {
	n := 0
	for _, s := range r.Notes {
		n += len(Wrap(d.words.word(s), 56))
	}
	return n
}

// band draws the states of one end beside its line.
func (d *svgLadder) band(s Side) {
	x := svgLeft - svgBand - 4
	if s == Right {
		x = svgRight + 4
	}
	state, from := d.l.Ends[s].State, 60
	end := func(to int) {
		if state != "" && to > from {
			fmt.Fprintf(&d.b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/><text class=\"state\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
				stateClass(state), x, from, svgBand, to-from, x+svgBand/2, from+12, Escape(state))
		}
		from = to
	}
	for i := range d.l.Rows {
		r := &d.l.Rows[i]
		for k, st := range r.States[s] {
			y := d.y[i] - 6 + k*svgLine
			if s != r.From && r.Kind == RowArrow && r.Mark&MarkArrives == 0 {
				y += svgSlope - 6
			}
			end(y)
			state = st
		}
	}
	end(d.bottom)
}

func stateClass(s string) string {
	switch s {
	case "SYN-SENT", "SYN-RECEIVED":
		return "open"
	case "ESTABLISHED":
		return "est"
	case "CLOSED", "LISTEN":
		return "idle"
	}
	return "closing"
}

func (l *Label) class() string {
	switch l.style() {
	case styleReset:
		return "rst"
	case styleSyn:
		return "syn"
	case styleFin:
		return "fin"
	case styleData:
		return "data"
	}
	return "ack"
}

func (d *svgLadder) row(i int) {
	r, y := &d.l.Rows[i], d.y[i]
	when := fmt.Sprintf("%.3f", float64(r.Time)/d.div)
	if r.Kind != RowFold {
		fmt.Fprintf(&d.b, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s %s</text>\n", svgLeft-svgBand-10, y+4, when, d.unit)
	}
	mid := (svgLeft + svgRight) / 2
	switch r.Kind {
	case RowArrow:
		d.arrow(i)
	case RowFold:
		p := penFor(d.st)
		for k, s := range r.Fold.lines(&p, 60) {
			fmt.Fprintf(&d.b, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", mid, y+4+k*svgLine, Escape(s))
		}
	case RowNote:
		d.notes(r, r.From, y+4)
	}
}

// notes writes the notes of a row beside the line of one end.
func (d *svgLadder) notes(r *Row, s Side, y int) {
	for _, n := range r.Notes {
		for _, line := range Wrap(d.words.word(n), 56) {
			d.aside(s, y, line)
			y += svgLine
		}
	}
}

func (d *svgLadder) aside(s Side, y int, text string) { d.text("small", s, y, text) }

// text writes a line that begins, or ends, at the line of one end.
func (d *svgLadder) text(class string, s Side, y int, text string) {
	x, anchor := svgLeft+10, "start"
	if s == Right {
		x, anchor = svgRight-10, "end"
	}
	fmt.Fprintf(&d.b, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", class, x, y, anchor, Escape(text))
}

// arrow draws a segment: from the row in which it left to that in which it
// arrived.
func (d *svgLadder) arrow(i int) {
	r, y := &d.l.Rows[i], d.y[i]
	x1, x2 := svgLeft, svgRight
	if r.From == Right {
		x1, x2 = x2, x1
	}
	first, rest := r.Seg.lines(d.st.Numbers, r.Mark, 60)
	for _, w := range [...]string{"(again)", "(doubled)"} {
		first = strings.Replace(first, w, d.words.word(w), 1)
	}
	class := r.Seg.class()
	if r.Mark&MarkRetransmit != 0 {
		class += " again"
	}
	switch {
	case r.Mark&MarkArrives != 0:
		if r.Mark&MarkDuplicate != 0 {
			d.shaft(class, (x1+x2)/2, y-svgSlope/2, x2, y, r.Mark&(MarkCorrupt|MarkDropped) != 0)
		}
		d.text("label", r.From.Other(), y-5, first)
		d.notes(r, r.From.Other(), y+svgLine-2)
		return
	case r.Mark&MarkLost != 0:
		xm := x1 + (x2-x1)*3/5
		d.shaft(class, x1, y, xm, y+svgSlope*3/5, true)
		fmt.Fprintf(&d.b, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", xm+(x2-x1)/12, y+svgSlope+2, Escape(d.words.word("lost")))
	case r.Mark&MarkDeparts != 0:
		to, dropped := d.head(r.Packet)
		d.shaft(class, x1, y, x2, to, dropped)
	default:
		d.shaft(class, x1, y, x2, y+svgSlope, r.Mark&(MarkCorrupt|MarkDropped) != 0)
	}
	d.text("label", r.From, y-4, first)
	y += svgSlope + 10
	for _, s := range rest {
		d.aside(r.From, y, s)
		y += svgLine
	}
	d.notes(r, r.From.Other(), y+4)
}

// head is where a packet arrives, and whether it was thrown away there.
func (d *svgLadder) head(packet int) (y int, dropped bool) {
	for i := range d.l.Rows {
		if r := &d.l.Rows[i]; r.Packet == packet && r.Mark&MarkArrives != 0 {
			return d.y[i], r.Mark&(MarkCorrupt|MarkDropped) != 0
		}
	}
	return d.bottom, false
}

// shaft draws a line with a head, or with a cross.
func (d *svgLadder) shaft(class string, x1, y1, x2, y2 int, cross bool) {
	fmt.Fprintf(&d.b, "<line class=\"arrow %s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", class, x1, y1, x2, y2)
	if cross {
		fmt.Fprintf(&d.b, "<path class=\"arrow loss\" d=\"M%d %dl12 12m0 -12l-12 12\"/>\n", x2-6, y2-6)
		return
	}
	back := -9
	if x2 < x1 {
		back = 9
	}
	fmt.Fprintf(&d.b, "<path class=\"tip %s\" d=\"M%d %dl%d -5l0 10z\"/>\n", class, x2, y2, back)
}
