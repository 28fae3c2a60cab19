package trace

import "strings"

// Styles, by what they are for.
const (
	styleNone = iota
	styleTime
	styleState
	styleDetail
	styleData
	styleSyn
	styleFin
	styleReset
	styleLoss
	styleAgain
)

// pen is what a ladder is drawn with.
type pen struct {
	color             bool
	bar, shaft, cross string
	heads, bends      [2]string // of an arrow from the left, and from the right
	dots, lost        string
	ellipsis          string
}

func penFor(st Style) pen {
	p := pen{
		bar: "│", shaft: "─", cross: "x", heads: [2]string{"▶", "◀"}, bends: [2]string{"╲", "╱"},
		dots: "⋮", lost: "lost", ellipsis: "…", color: st.Color,
	}
	if st.ASCII {
		p.bar, p.shaft, p.dots, p.ellipsis = "|", "-", ":", "..."
		p.heads, p.bends = [2]string{">", "<"}, [2]string{`\`, "/"}
	}
	return p
}

// end is the head of an arrow; one that the receiver threw away is a cross.
func (p *pen) end(r *Row) string {
	if r.Mark&(MarkLost|MarkCorrupt|MarkDropped) != 0 {
		return p.cross
	}
	return p.heads[r.From]
}

func (p *pen) bend(from Side) string { return p.bends[from] }

// paint gives s a style, if there is colour. The codes are ECMA-48's SGR, of
// the sixteen colours that every terminal has, so that its theme applies.
func (p *pen) paint(style int, s string) string {
	if !p.color || strings.TrimSpace(s) == "" {
		return s
	}
	code := ""
	switch style {
	case styleTime, styleDetail:
		code = "2"
	case styleState:
		code = "1"
	case styleData:
		code = "36"
	case styleSyn:
		code = "32"
	case styleFin:
		code = "33"
	case styleReset, styleLoss:
		code = "31"
	case styleAgain:
		code = "35"
	default:
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
