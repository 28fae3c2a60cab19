package script

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// alteration is one way to make a stated line wrong.
type alteration struct {
	name  string
	apply func(e *Event, s *Segment) bool // false: it does not apply to this line
}

var alterations = []alteration{
	{"sequence number by one", func(_ *Event, s *Segment) bool {
		s.Seq.Begin++
		s.Seq.End++
		return !s.Seq.Any
	}},
	{"acknowledgement by one", func(_ *Event, s *Segment) bool {
		s.Ack.Value++
		return s.Ack.Kind == FieldExact
	}},
	{"length by one", func(_ *Event, s *Segment) bool {
		s.Seq.End++
		s.Seq.Len++
		return true
	}},
	{"PSH", func(_ *Event, s *Segment) bool { s.Flags.Bits ^= FlagPSH; return true }},
	{"FIN", func(_ *Event, s *Segment) bool { s.Flags.Bits ^= FlagFIN; return !s.Flags.Has(FlagSYN) }},
	{"later", func(e *Event, _ *Segment) bool { return shift(e, 1) }},
	{"earlier", func(e *Event, _ *Segment) bool { return shift(e, -1) }},
}

var shiftBy = 80 * time.Millisecond

// shift moves an event by more than the tolerance.
func shift(e *Event, way time.Duration) bool {
	d := way * shiftBy
	if e.Time.Kind == TimeAny || e.Time.At+d < 0 {
		return false
	}
	e.Time.At += d
	e.Time.Until += d
	return true
}

// altered calls f with every altered version of a script's stated segments,
// and with the script from which that line was taken out.
func altered(t *testing.T, name string, src []byte, o Options, f func(what string, s *Script)) {
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
			if a.apply(e, e.Action.(*Segment)) {
				f(fmt.Sprintf("%d: %s", e.Pos.Line, a.name), s)
			}
		}
		s := parse()
		gone := s.Events()[i]
		s.Items = without(s.Items, gone)
		f(fmt.Sprintf("%d: deleted", gone.Pos.Line), s)
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

func TestZZMutate(t *testing.T) {
	dir := os.Getenv("ZZM")
	if dir == "" {
		t.Skip()
	}
	files, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	total, alive := 0, map[string]int{}
	for _, path := range files {
		src, _ := os.ReadFile(path)
		o := Options{Loose: os.Getenv("LOOSE") != "", Strict: os.Getenv("STRICT") != ""}
		if o.Strict {
			shiftBy = time.Millisecond
		}
		rs, err := RunSource(path, src, o)
		if err != nil || rs[0].Verdict != Passed {
			continue
		}
		altered(t, path, src, o, func(what string, s *Script) {
			total++
			f := IPv4
			if g, ok := s.family(); ok {
				f = g
			}
			r, err := runOnce(s, &o, f)
			if err != nil {
				t.Error(err)
			}
			if r.Verdict != Failed {
				alive[what[len(fmt.Sprint(r.Line)):]]++
				fmt.Println(shortName(path), what, r.Verdict, r.Reason)
			}
		})
	}
	n := 0
	for _, k := range alive {
		n += k
	}
	fmt.Println(total, n, alive)
}
