package page

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"estab/internal/lab"
	"estab/script"
)

var (
	seed  = flag.Uint64("seed", 1, "first seed of TestAnything")
	seeds = flag.Uint64("seeds", 60, "how many")
)

// TestAnything: whatever is changed about a scenario, it can be run, and what
// is told of it is consistent.
func TestAnything(t *testing.T) {
	s := &Session{}
	for n := *seed; n < *seed+*seeds; n++ {
		x := anything(n)
		r, err := s.Run(x)
		if err != nil {
			if x.Set["delay"] == "0s" && strings.Contains(err.Error(), "needs a delay") {
				continue
			}
			t.Fatalf("go test ./internal/lab/page -run TestAnything -seeds 1 -seed %d\n%s: %v", n, x.Link(), err)
		}
		for _, w := range r.Worlds {
			checkWorld(t, w)
		}
		if r.Touched {
			for i, d := range r.Diff.Worlds {
				was, now := len(s.untouched[x.Scenario].Worlds[i].Packets)-len(d.Removed), len(r.Worlds[i].Packets)-len(d.Added)
				if was != now {
					t.Errorf("%d packets of the untouched run remain, %d of the other are not new", was, now)
				}
			}
		}
		for _, kind := range []string{"pcapng", "svg", "text", "script-a", "script-b"} {
			f, err := s.Export(kind, x)
			isScript := strings.HasPrefix(kind, "script") // which not every world can be
			switch {
			case err != nil && !isScript:
				t.Errorf("%s: %v", kind, err)
			case err == nil && isScript:
				if _, err := script.Parse(f.Name, f.Data, script.ParseOptions{}); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("go test ./internal/lab/page -run TestAnything -seeds 1 -seed %d\n%s", n, x.Link())
		}
	}
}

// anything is an experiment.
func anything(seed uint64) *Experiment {
	r := rand.New(rand.NewPCG(seed, 0))
	all := append(lab.Scenarios(), lab.Sandbox(), lab.Sandbox(), lab.Sandbox())
	s := all[r.IntN(len(all))]
	for s.Name == "flood-defences" || s.Name == "flood-record" {
		s = all[r.IntN(len(all))]
	}
	x := &Experiment{Scenario: s.Name, Set: map[string]string{}}
	for _, p := range lab.Specs() {
		if r.IntN(5) == 0 {
			x.Set[p.Name] = value(r, &p)
		}
	}
	which := []string{"1", "2", "3-5", "4-", "SYN", "FIN", "RST"}
	for range r.IntN(3) {
		segment := string("AB"[r.IntN(2)]) + ":" + which[r.IntN(len(which))]
		x.Faults = append(x.Faults, []string{"lose " + segment, "delay " + segment + " 3s", "double " + segment, "double " + segment + " 70s"}[r.IntN(4)])
	}
	for i := range s.Worlds {
		script := ""
		if s.Name == "sandbox" || r.IntN(4) == 0 {
			script = program(r)
		}
		x.Scripts = append(x.Scripts, s.Worlds[i].Script+script)
	}
	return x
}

func value(r *rand.Rand, p *lab.Spec) string {
	switch p.Kind {
	case lab.KindTime:
		return time.Duration(p.Min + r.Int64N(min(p.Max-p.Min, int64(5*time.Second)))).Round(time.Millisecond / 4).String()
	case lab.KindSwitch:
		return []string{"on", "off"}[r.IntN(2)]
	case lab.KindChoice:
		return p.Choices[r.IntN(len(p.Choices))]
	case lab.KindPath:
		return []string{"loss 10%", "duplicate 10% reorder 5%", "corrupt 5%", "delay 20ms 10ms rate 2mbit limit 10", "rate 100kbit"}[r.IntN(5)]
	}
	return fmt.Sprint(p.Min + r.Int64N(min(p.Max-p.Min, 8000)))
}

// program is a script of up to ten lines.
func program(r *rand.Rand) string {
	words := []string{"connect", "connect 40001", `send "hello"`, "send 20000", "shut", "close", "abort", "stop-reading", "read", "nodelay", "keep-alive",
		`on-accept send "hi"`, "on-eof close 1s", "on-eof shut", "crash", "restart", "listen"}
	var b strings.Builder
	for range r.IntN(10) {
		who := string("AB"[r.IntN(2)])
		do := words[r.IntN(len(words))]
		if r.IntN(12) == 0 {
			who, do = "net", []string{"cut", "join"}[r.IntN(2)]
		}
		fmt.Fprintf(&b, "%dms %s %s\n", r.IntN(8000), who, do)
	}
	return b.String()
}
