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
	edge := func(s Step) {
		class := "arrow dim"
		if lit[s] {
			class = "arrow lit"
		}
		f, t := at[s.From], at[s.To]
		fmt.Fprintf(&b, "<path class=\"%s\" d=\"M%d %dL%d %d\"/>", class, f.x, f.y+svgSlope, t.x, t.y+svgSlope)
		// The head stands two thirds along: boxes cover the ends.
		fmt.Fprintf(&b, "<circle class=\"tip data\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>\n", f.x+(t.x-f.x)*2/3, f.y+svgSlope+(t.y-f.y)*2/3, map[bool]int{true: 4, false: 0}[lit[s]])
	}
	for from := tcp.StateClosed; from <= tcp.StateTimeWait; from++ {
		for to := tcp.StateClosed; to <= tcp.StateTimeWait; to++ {
			// Everything can become CLOSED by a reset or a time-out: drawn only where it happened.
			drawn := to != tcp.StateClosed || from == tcp.StateTimeWait || from == tcp.StateLastAck
			if s := (Step{from, to}); from != to && tcp.Legal(from, to) && (drawn || lit[s]) {
				edge(s)
			}
		}
	}
	for s := tcp.StateClosed; s <= tcp.StateTimeWait; s++ {
		k := at[s]
		class := "line"
		if seen[s] {
			class = "lit"
		}
		fmt.Fprintf(&b, "<rect class=\"%s %s\" x=\"%d\" y=\"%d\" width=\"116\" height=\"26\" rx=\"4\"/><text class=\"state\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%v</text>\n",
			stateClass(s.String()), class, k.x-58, k.y, k.x, k.y+17, s)
	}
	return Picture{b.String(), 720, 550}
}
