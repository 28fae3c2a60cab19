package lab

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"estab/internal/trace"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestScenarios plays each scenario: its claims hold, every sentence of its
// story finds its moment, and its events are those of the golden file.
func TestScenarios(t *testing.T) {
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			r, err := s.Play(Defaults())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Verdicts {
				if v.State != Holds {
					t.Errorf("%s: %s", v.Text.EN, v.Reason)
				}
			}
			for i, p := range r.Plays {
				if n := len(s.Worlds[i].Story); len(p.Story) != n {
					t.Errorf("world %d: %d of %d sentences found their moment: %s", i, len(p.Story), n, missing(p, s.Worlds[i].Story))
				}
			}
			if !t.Failed() {
				golden(t, s.Name+".events", events(r))
			}
		})
	}
}

func missing(p *Play, story []Beat) string {
	var m []string
	for _, b := range story {
		if _, ok := p.find(b.Cue); !ok {
			m = append(m, b.Cue)
		}
	}
	return strings.Join(m, "; ")
}

// maxEvents is how many events of a host a golden file holds. What follows is
// told by a count and a hash.
const maxEvents = 120

// events is a run in the canonical form of package trace.
func events(r *Run) string {
	var b strings.Builder
	for i, p := range r.Plays {
		for host, events := range p.Events {
			fmt.Fprintf(&b, "# world %d, host %c: %d events\n", i+1, 'A'+host, len(events))
			h := fnv(14695981039346656037)
			for n, e := range events {
				line := trace.FormatEvent(e)
				h.add(line)
				if n < maxEvents {
					b.WriteString(line + "\n")
				}
			}
			fmt.Fprintf(&b, "# hash %x\n\n", uint64(h))
		}
	}
	return b.String()
}

type fnv uint64

func (h *fnv) add(s string) {
	for _, c := range []byte(s) {
		*h = (*h ^ fnv(c)) * 1099511628211
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: the events differ; first difference: %s", file, difference(got, string(want)))
	}
}

func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			was := ""
			if i < len(w) {
				was = w[i]
			}
			return fmt.Sprintf("line %d: got\n%s\nwant\n%s", i+1, g[i], was)
		}
	}
	return "lines are missing"
}

// TestNames: names are unique, and whoever mistypes one is told which was meant.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		if seen[s.Name] {
			t.Errorf("two scenarios are called %s", s.Name)
		}
		seen[s.Name] = true
		for _, x := range []Text{s.Title, s.Intro, s.Lesson, SectionTitle(s.Section)} {
			if x.EN == "" || x.ZH == "" {
				t.Errorf("%s: a text is missing in one language: %+v", s.Name, x)
			}
		}
	}
	if len(seen) < 30 {
		t.Errorf("there are only %d", len(seen))
	}
	for typed, meant := range map[string]string{"handshke": "handshake", "4-way-close": "four-way-close", "sak": "sack", "stale": "stale-syn"} {
		if got := Nearest(typed); got != meant {
			t.Errorf("%s: %s is suggested, want %s", typed, got, meant)
		}
	}
}

// TestChanged: with other parameters no scenario breaks, and what must hold
// always does.
func TestChanged(t *testing.T) {
	for _, s := range Scenarios() {
		if s.Section == 3 {
			continue // rates and limits are made for each other
		}
		p := Defaults()
		p.Seed, p.MSL = 7, 30*time.Second
		r, err := s.Play(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Verdicts {
			if v.State == Fails {
				t.Errorf("%s: %s: %s", s.Name, v.Text.EN, v.Reason)
			}
		}
	}
}

// TestSame: the same seed gives the same packets, byte for byte.
func TestSame(t *testing.T) {
	s, _ := Find("handshake")
	var runs [2]*Run
	for i := range runs {
		var err error
		if runs[i], err = s.Play(Defaults()); err != nil {
			t.Fatal(err)
		}
	}
	for i, k := range runs[0].Plays[0].Packets {
		if o := runs[1].Plays[0].Packets[i]; string(k.Data) != string(o.Data) || k.Time != o.Time {
			t.Errorf("packet %d differs", i)
		}
	}
}
