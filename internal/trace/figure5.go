package trace

import (
	"fmt"
	"strings"

	"estab/tcp"
)

// box is where a state stands in the picture of figure 5.
type box struct{ x, y int }

func boxes() map[tcp.State]box {
	return map[tcp.State]box{
		tcp.StateClosed: {360, 30}, tcp.StateListen: {360, 110}, tcp.StateSynReceived: {150, 190},
		tcp.StateSynSent: {570, 190}, tcp.StateEstablished: {360, 270}, tcp.StateFinWait1: {150, 350},
		tcp.StateCloseWait: {570, 350}, tcp.StateFinWait2: {150, 450}, tcp.StateClosing: {360, 400},
		tcp.StateLastAck: {570, 450}, tcp.StateTimeWait: {360, 510},
	}
}

// Step is a transition from one state to another.
type Step struct{ From, To tcp.State }

// Figure5 draws RFC 9293's figure 5, lighting the transitions that were made.
func Figure5(heading string, taken []Step) Picture {
	at := boxes()
	lit := map[Step]bool{}
	seen := map[tcp.State]bool{}
	for _, s := range taken {
		lit[s] = true
		seen[s.From], seen[s.To] = true, true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<text class=\"head\" x=\"0\" y=\"16\">%s</text>\n", Escape(heading))
	for from := tcp.StateClosed; from <= tcp.StateTimeWait; from++ {
		for to := tcp.StateClosed; to <= tcp.StateTimeWait; to++ {
			s := Step{from, to}
			if from != to && tcp.Legal(from, to) && (lit[s] || s.inFigure()) {
				edge(&b, s, at[from], at[to], lit[s])
			}
		}
	}
	for s := tcp.StateClosed; s <= tcp.StateTimeWait; s++ {
		k := at[s]
		class := "line"
		if seen[s] {
			class = "lit"
		}
		fmt.Fprintf(&b, "<rect class=\"%s %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/><text class=\"state\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%v</text>\n",
			stateClass(s.String()), class, k.x-boxWidth/2, k.y, boxWidth, boxHeight, k.x, k.y+17, s)
	}
	return Picture{b.String(), 720, 550}
}

// inFigure reports whether a legal transition is drawn even if nobody made it.
// A reset or a time-out can end every state; that a record becomes a
// connection is the engine's own affair; and a pair is seldom used again out
// of TIME-WAIT.
func (s Step) inFigure() bool {
	switch {
	case s.To == tcp.StateClosed:
		return s.From == tcp.StateTimeWait || s.From == tcp.StateLastAck
	case s.To == tcp.StateSynReceived:
		return s.From == tcp.StateListen || s.From == tcp.StateSynSent
	case s.From == tcp.StateSynReceived:
		return s.To == tcp.StateEstablished || s.To == tcp.StateFinWait1
	}
	return true
}

// edge draws a transition; a dot tells which way it was made.
func edge(b *strings.Builder, s Step, f, t box, lit bool) {
	class := "arrow dim"
	if lit {
		class = "arrow lit"
	}
	d, x, y := s.route(f, t)
	fmt.Fprintf(b, "<path class=\"%s\" d=\"%s\"/>", class, d)
	if lit {
		fmt.Fprintf(b, "<circle class=\"tip data\" cx=\"%d\" cy=\"%d\" r=\"5\"/>\n", x, y)
	}
}

// The size of a box in the picture, in px.
const (
	boxWidth  = 116
	boxHeight = 26
)

// route is the path of a transition, and a place beside it nearer to its end.
func (s Step) route(f, t box) (d string, x, y int) {
	const half = boxHeight / 2
	if s.To == tcp.StateClosed && (s.From == tcp.StateTimeWait || s.From == tcp.StateLastAck) {
		x = 690 // around everything else
		if s.From == tcp.StateLastAck {
			x = 660
		}
		return fmt.Sprintf("M%d %dH%dV%dH%d", f.x, f.y+half, x, t.y+half, t.x), x, 250
	}
	return fmt.Sprintf("M%d %dL%d %d", f.x, f.y+half, t.x, t.y+half), f.x + (t.x-f.x)*2/3, f.y + half + (t.y-f.y)*2/3
}

// FigureState is a state in the picture of figure 5, in px.
type FigureState struct {
	Name, Class string
	X, Y, W, H  int // of its box
}

// FigureStates are the states in the picture.
func FigureStates() []FigureState {
	var all []FigureState
	for s := tcp.StateClosed; s <= tcp.StateTimeWait; s++ {
		k := boxes()[s]
		all = append(all, FigureState{s.String(), stateClass(s.String()), k.x - boxWidth/2, k.y, boxWidth, boxHeight})
	}
	return all
}

// FigureArrow is a legal transition in the picture.
type FigureArrow struct {
	From, To string
	Rare     bool   // drawn only if it was made
	D        string // its path
	LX, LY   int    // where a word about it may stand
}

// FigureArrows are the legal transitions.
func FigureArrows() []FigureArrow {
	var all []FigureArrow
	at := boxes()
	for from := tcp.StateClosed; from <= tcp.StateTimeWait; from++ {
		for to := tcp.StateClosed; to <= tcp.StateTimeWait; to++ {
			s := Step{from, to}
			if from != to && tcp.Legal(from, to) {
				d, x, y := s.route(at[from], at[to])
				all = append(all, FigureArrow{from.String(), to.String(), !s.inFigure(), d, x, y})
			}
		}
	}
	return all
}
