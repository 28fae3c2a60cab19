package explore

import (
	"os"
	"testing"
	"time"

	"estab/internal/trace"
)

func TestTry(t *testing.T) {
	if os.Getenv("ESTAB_LONG") == "" {
		t.Skip()
	}
	for _, w := range Worlds() {
		t0 := time.Now()
		r := Explore(&w, Options{States: 8_000_000})
		d := time.Since(t0)
		t.Logf("%-20s %9d states %9d steps in %v: %.0f states/s %.0f steps/s; %d locals, %d moves, %d segments, depth %d, full %v, crowded %d, arrows %d",
			w.Name, r.States, r.Steps, d, float64(r.States)/d.Seconds(), float64(r.Steps)/d.Seconds(), r.Locals, r.Moves, r.Segments, r.Depth, r.Full, r.Crowded, r.Figure.Count())
		if r.Wrong != "" {
			t.Errorf("%s", r.Wrong)
			r.Trail.Write(os.Stdout, trace.Style{Numbers: trace.Absolute})
		}
	}
}
