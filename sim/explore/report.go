package explore

import (
	"fmt"
	"io"
	"strings"
	"time"

	"estab/internal/trace"
)

// Describe says in words what is in the world and what may happen in it.
func (w *World) Describe() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: %s.\n", w.Name, w.Title)
	for end := range w.Ends {
		e := &w.Ends[end]
		var parts []string
		if e.Listens {
			parts = append(parts, "listens")
		}
		if e.Program != nil {
			parts = append(parts, stepsText(e.Program))
		}
		if e.Serve != nil {
			parts = append(parts, "with a connection of its listener: "+stepsText(e.Serve))
		}
		if n := e.Conn.ReceiveBuffer; n > 0 {
			parts = append(parts, fmt.Sprintf("it has room for %d bytes", n))
		}
		if e.Late > 0 {
			parts = append(parts, "reads nothing at first, for up to "+trace.Duration(e.Late))
		}
		if e.TCP.DelayedAck > 0 {
			parts = append(parts, "delays its ACKs")
		}
		if e.Conn.KeepAlive.On {
			parts = append(parts, "keep-alive is on")
		}
		fmt.Fprintf(b, "  %s: %s.\n", endName(end), strings.Join(parts, "; "))
	}
	for i := range w.Strays {
		x := &w.Strays[i]
		fmt.Fprintf(b, "  Under way from the beginning, as if %s had sent it: %v.\n", endName(x.From), &segment{seg: x.Seg})
	}
	var may []string
	add := func(n int, text string) {
		if n > 0 {
			may = append(may, fmt.Sprintf(text, n))
		}
	}
	add(w.Lose, "lose %d")
	add(w.Double, "double %d")
	add(w.Delay, "keep what is under way back while %d time-outs pass")
	fmt.Fprintf(b, "  The network delivers segments in %s order", map[bool]string{false: "any", true: "their"}[w.InOrder])
	if may != nil {
		fmt.Fprintf(b, "; in all it may %s", strings.Join(may, ", "))
	}
	b.WriteString(".\n")
	if w.Fault != "" {
		fmt.Fprintf(b, "  Planted: %s.\n", w.Fault)
	}
	return b.String()
}

func stepsText(steps []Step) string {
	var t []string
	for _, s := range steps {
		t = append(t, s.String())
	}
	return strings.Join(t, ", ")
}

// String is the step in words.
func (s Step) String() string {
	switch {
	case s.Do == Send && s.N == 1:
		return "sends 1 byte"
	case s.Do == Send:
		return fmt.Sprintf("sends %d bytes", s.N)
	case s.Do == Pause:
		return "pauses for " + trace.Duration(time.Duration(s.N)*time.Millisecond)
	case s.Do == Await:
		return "waits for the other end's FIN"
	}
	return opNames[s.Do]
}

// Write tells what was found. took is how long the search took.
func (r *Result) Write(out io.Writer, took time.Duration, st trace.Style) error {
	b := &strings.Builder{}
	b.WriteString(r.World.Describe())
	fmt.Fprintf(b, "\n%s states, %s steps tried, in %s (%s states a second); up to %d steps deep.\n",
		trace.Count(r.States), trace.Count(r.Steps), trace.Duration(took), trace.Count(int(float64(r.States)/max(took.Seconds(), 1e-9))), r.Depth)
	fmt.Fprintf(b, "%s states of one end, %s moves of the engine, %d different segments; %d of the %d arrows of figure 5.\n",
		trace.Count(r.Locals), trace.Count(r.Moves), r.Segments, r.Figure.Count(), len(Arrows()))
	if r.Crowded > 0 {
		fmt.Fprintf(b, "%s times more segments would have been under way than the search has room for: not followed.\n", trace.Count(r.Crowded))
	}
	b.WriteByte('\n')
	switch {
	case r.Wrong != "":
		fmt.Fprintf(b, "FOUND, and there is no shorter way to it:\n\n")
	case r.Full:
		b.WriteString("Nothing found: every state was looked at.\n")
	default:
		b.WriteString("Nothing found so far: the search was not complete.\n")
	}
	if r.Trail != nil {
		if err := r.Trail.Write(b, st); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// WriteFigure lists the arrows of figure 5, and for each the first of the
// searches that took it.
func WriteFigure(out io.Writer, results []Result) error {
	b := &strings.Builder{}
	taken := 0
	for _, a := range Arrows() {
		by := "-"
		for i := range results {
			if results[i].Figure.Taken(a) {
				by = results[i].World.Name
				taken++
				break
			}
		}
		fmt.Fprintf(b, "  %-13s %-13s %-16s %s\n", a.From, a.To, a.Event, by)
	}
	_, err := fmt.Fprintf(out, "%d of the %d arrows of RFC 9293's figure 5 were taken, first in:\n%s", taken, len(Arrows()), b)
	return err
}
