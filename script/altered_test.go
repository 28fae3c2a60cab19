package script

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A judge that lets everything pass is worth nothing: each stated line of the
// scripts that pass is made wrong in every way below, and nearly all of these
// altered scripts must fail.

// alteration is one way to make a stated line wrong.
type alteration struct {
	name  string
	apply func(e *Event, s *Segment, shift time.Duration) bool // false: it does not apply to this line
}

var alterations = []alteration{
	{"sequence number", func(_ *Event, s *Segment, _ time.Duration) bool {
		s.Seq.Begin++
		s.Seq.End++
		return !s.Seq.Any
	}},
	{"acknowledgement", func(_ *Event, s *Segment, _ time.Duration) bool {
		s.Ack.Value++
		return s.Ack.Kind == FieldExact
	}},
	{"length", func(_ *Event, s *Segment, _ time.Duration) bool {
		s.Seq.End++
		s.Seq.Len++
		return true
	}},
	{"PSH", func(_ *Event, s *Segment, _ time.Duration) bool { s.Flags.Bits ^= FlagPSH; return true }},
	{"FIN", func(_ *Event, s *Segment, _ time.Duration) bool {
		s.Flags.Bits ^= FlagFIN
		return !s.Flags.Has(FlagSYN)
	}},
	{"RST", func(_ *Event, s *Segment, _ time.Duration) bool { s.Flags.Bits ^= FlagRST; return true }},
	{"later", func(e *Event, _ *Segment, shift time.Duration) bool { return e.move(shift) }},
	{"earlier", func(e *Event, _ *Segment, shift time.Duration) bool { return e.move(-shift) }},
}

// move shifts the time of an event.
func (e *Event) move(d time.Duration) bool {
	if e.Time.Kind == TimeAny || e.Time.At+d < 0 {
		return false
	}
	e.Time.At += d
	e.Time.Until += d
	return true
}

// altered calls f with every altered version of a script's stated segments,
// and with the script from which that line was taken out.
func altered(t *testing.T, name string, src []byte, o Options, shift time.Duration, f func(what string, s *Script)) {
	parse := func() *Script {
		s, err := Parse(name, src, ParseOptions{Defines: o.defines()})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for i, e := range parse().Events() {
		seg, ok := e.Action.(*Segment)
		if !ok || seg.Dir != Outbound {
			continue
		}
		for _, a := range alterations {
			s := parse()
			e := s.Events()[i]
			if a.apply(e, e.Action.(*Segment), shift) {
				f(fmt.Sprintf("line %d, %s", e.Pos.Line, a.name), s)
			}
		}
		s := parse()
		gone := s.Events()[i]
		s.Items = without(s.Items, gone)
		f(fmt.Sprintf("line %d, deleted", gone.Pos.Line), s)
	}
}

func without(items []Item, gone *Event) []Item {
	items = slices.DeleteFunc(slices.Clone(items), func(it Item) bool { return it == Item(gone) })
	for _, it := range items {
		if c, ok := it.(*Conditional); ok {
			c.Then, c.Else = without(c.Then, gone), without(c.Else, gone)
		}
	}
	return items
}

// survivors plays all altered versions of the scripts in files that pass, and
// returns how many there were and which did not fail.
func survivors(t *testing.T, files []string, o Options, shift time.Duration) (total int, alive []string) {
	t.Helper()
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		reports, err := RunSource(path, src, o)
		if err != nil || reports[0].Verdict != Passed {
			continue
		}
		family := reports[0].Family
		altered(t, path, src, o, shift, func(what string, s *Script) {
			total++
			r, err := runOnce(s, &o, family)
			if err != nil {
				t.Fatalf("%s, %s: %v", path, what, err)
			}
			if r.Verdict != Failed {
				alive = append(alive, shortName(path)+" "+what)
			}
		})
	}
	return total, alive
}

// checkSurvivors fails if more of the altered scripts pass than may.
func checkSurvivors(t *testing.T, total int, alive []string, perMille int) {
	t.Helper()
	t.Logf("%d of %d altered scripts fail", total-len(alive), total)
	if total == 0 || len(alive)*1000 > perMille*total {
		t.Errorf("%d of %d altered scripts don't fail:\n%s", len(alive), total, strings.Join(alive, "\n"))
	}
}

// TestAlteredOwn: what is left are lines whose absence makes another script
// that is right, too (one probe of several, the first of two retransmissions).
func TestAlteredOwn(t *testing.T) {
	total, alive := survivors(t, ownScripts(t), Options{Strict: true}, time.Millisecond)
	checkSurvivors(t, total, alive, 10)
}

// TestAlteredSuites: the same for the public suites. What is left are lines of
// that kind, a SYN's retransmission that FreeBSD's scripts state at an absolute
// time, and PSH where Linux's own rules for it are not followed.
func TestAlteredSuites(t *testing.T) {
	google := scriptFiles(t, suites+"/google")
	total, alive := survivors(t, google, Options{}, 30*time.Millisecond)
	n, more := survivors(t, scriptFiles(t, suites+"/freebsd"), Options{Loose: true}, 80*time.Millisecond)
	checkSurvivors(t, total+n, append(alive, more...), 12)
}
