package script

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Comparison is what the engine and a machine did with the same script: where they
// differ. Neither is right because of that; the RFC says who is.
type Comparison struct {
	Name        string       `json:"name"`
	Family      Family       `json:"family"`
	Reason      string       `json:"notApplicable,omitempty"` // why the script was not played on both
	Line        int          `json:"line,omitempty"`          // that this is about
	Differences []Difference `json:"differences"`
}

// Difference is a line of the script at which the two differ.
type Difference struct {
	Line    int      `json:"line"`
	Source  string   `json:"source"` // that line
	Kind    string   `json:"kind"`   // segment, icmp, call, assertion, unstated, end
	What    []string `json:"what"`   // flags, number, length, acknowledgement, window, urgent pointer, options, time, result …
	Engine  *Seen    `json:"estab"`  // nil: nothing
	Machine *Seen    `json:"kernel"`
}

// Seen is what one of them did.
type Seen struct {
	Text     string        `json:"text"`
	Time     time.Duration `json:"timeNanoseconds"`
	AsStated bool          `json:"asStated"` // by the script
}

// CompareFile plays the script in a file on both.
func CompareFile(path string, o Options) ([]Comparison, error) {
	src, err := readScript(path)
	if err != nil {
		return nil, err
	}
	return CompareSource(path, src, o)
}

// CompareSource plays a script on the engine and on the machine that o.Machine
// makes, once in each family, and compares what they do. What is not as the script
// states does not end it. Times are compared with the tolerance that holds, relative
// to what is stated, and after a silence with an eighth of it, which is how exact a
// kernel's timers are; values of timestamps are not compared. With o.Loose the order of options
// and windows are not compared either.
func CompareSource(name string, src []byte, o Options) ([]Comparison, error) {
	s, err := Parse(name, src, ParseOptions{Defines: o.defines()})
	if err != nil {
		return nil, err
	}
	o.Pcap, o.Strict = nil, false
	var list []Comparison
	for _, f := range s.families(&o) {
		c, err := compareOnce(s, &o, f)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func compareOnce(s *Script, o *Options, f Family) (Comparison, error) {
	c := Comparison{Name: s.Name, Family: f, Differences: []Difference{}}
	onEngine := *o
	onEngine.Machine = nil
	engine, notHere, err := observe(s, &onEngine, f)
	tolerance := packetdrillTolerance
	if set, err := newSetting(s, o, faceLinux); err == nil && set.tolerance > 0 {
		tolerance = set.tolerance
	}
	cmp := comparer{s: s, loose: o.Loose, tolerance: tolerance}
	for tries := 0; err == nil && notHere == nil; tries++ {
		var machine *watch
		if machine, notHere, err = observe(s, o, f); err != nil || notHere != nil {
			break
		}
		list := cmp.compare(engine, machine)
		if tries == 0 || len(list) < len(c.Differences) {
			c.Differences = append([]Difference{}, list...)
		}
		if tries >= o.Retries || !onlyTimes(list) && !machine.busy {
			break
		}
	}
	if notHere != nil {
		c.Reason, c.Line = notHere.Msg, notHere.Pos.Line
	}
	return c, err
}

// onlyTimes reports whether there are differences, and all of them are of time: the
// computer may have been busy.
func onlyTimes(list []Difference) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(d Difference) bool { return len(d.What) != 1 || d.What[0] != "time" })
}

// observe plays a script and takes down what the system does. notHere says why it
// does not apply.
func observe(s *Script, o *Options, f Family) (w *watch, notHere *Error, err error) {
	pl, bad := newPlan(s, o, f)
	if bad != nil {
		if bad.Kind == NotSupported || bad.Kind == UnknownName {
			return nil, bad, nil
		}
		return nil, nil, bad
	}
	p, err := newPlayer(s, pl, o)
	if err != nil {
		return nil, nil, err
	}
	p.watch = &watch{}
	err = p.against(o.Machine, func() {
		if notHere = p.setUp(); notHere == nil {
			p.watchAll()
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return p.watch, notHere, nil
}

// timerSlack: a kernel's timer may go off late by an eighth of what it waits for
// (the levels of Linux's timer wheel).
const timerSlack = 8

// comparer finds differences.
type comparer struct {
	s         *Script
	loose     bool
	tolerance time.Duration
}

// key tells which observations of the two belong together.
type key struct {
	pos  Pos
	kind string
}

func (c *comparer) compare(engine, machine *watch) (list []Difference) {
	stop := min(engine.at, machine.at)
	theirs := map[key]*observation{}
	for i := range machine.seen {
		if o := &machine.seen[i]; o.kind != "unstated" && o.pos.Offset < stop {
			theirs[key{o.pos, o.kind}] = o
		}
	}
	for i := range engine.seen {
		o := &engine.seen[i]
		if o.kind == "unstated" || o.pos.Offset >= stop {
			continue
		}
		k := key{o.pos, o.kind}
		if d, differ := c.pair(o, theirs[k]); differ {
			list = append(list, d)
		}
		delete(theirs, k)
	}
	for _, o := range theirs {
		d, _ := c.pair(nil, o)
		list = append(list, d)
	}
	list = append(list, c.unstated(engine.seen, machine.seen, stop)...)
	slices.SortStableFunc(list, func(a, b Difference) int { return cmp.Compare(a.Line, b.Line) })
	return append(list, c.ends(engine, machine, stop)...)
}

// ends is the line at which one of the two could not go on, if the other could.
func (c *comparer) ends(engine, machine *watch, stop int) []Difference {
	seen := func(w *watch) *Seen {
		if w.stopped != nil && w.at == stop {
			return &Seen{Text: w.stopped.Msg}
		}
		return &Seen{Text: "goes on", AsStated: true}
	}
	a, b := seen(engine), seen(machine)
	if a.AsStated == b.AsStated {
		return nil // both could, or neither
	}
	at := cmp.Or(machine.stopped, engine.stopped).Pos
	if !a.AsStated {
		at = engine.stopped.Pos
	}
	d := c.difference(at, "end", []string{"the script can't go on"})
	d.Engine, d.Machine = a, b
	return []Difference{d}
}

func (c *comparer) difference(at Pos, kind string, what []string) Difference {
	return Difference{Line: at.Line, Source: strings.TrimSpace(c.s.Line(at.Line)), Kind: kind, What: what}
}

// pair compares what the two did at one event.
func (c *comparer) pair(a, b *observation) (d Difference, differ bool) {
	if a == nil || b == nil {
		o := cmp.Or(a, b)
		d = c.difference(o.pos, o.kind, []string{"only one of them"})
		d.Engine, d.Machine = seenBy(a), seenBy(b)
		return d, true
	}
	var what []string
	switch {
	case a.seg != nil && b.seg != nil:
		what = c.segments(a.seg, b.seg)
	case a.text != b.text:
		what = []string{"result"}
	}
	if off := a.off - b.off; max(off, -off) > max(c.tolerance, max(a.wait, b.wait)/timerSlack) {
		what = append(what, "time")
	}
	if a.seg != nil && b.seg != nil && !slices.Contains(what, "options") {
		a, b = a.withoutOptions(), b.withoutOptions()
	}
	d = c.difference(a.pos, a.kind, what)
	d.Engine, d.Machine = seenBy(a), seenBy(b)
	return d, len(what) > 0
}

// withoutOptions leaves out what is the same anyway.
func (o *observation) withoutOptions() *observation {
	short, seg := *o, *o.seg
	seg.Options = TCPOptions{}
	short.seg = &seg
	return &short
}

// segments names the fields in which two segments differ.
func (c *comparer) segments(a, b *Segment) (what []string) {
	say := func(name string, differ bool) {
		if differ {
			what = append(what, name)
		}
	}
	say("flags", a.Flags.Bits != b.Flags.Bits)
	say("number", a.Seq.Begin != b.Seq.Begin)
	say("length", a.Seq.Len != b.Seq.Len)
	say("acknowledgement", a.Ack != b.Ack)
	say("window", a.Win != b.Win && (!c.loose || (matchMode{}).closes(a, b)))
	say("urgent pointer", a.Urg != b.Urg)
	m := matchMode{loose: c.loose}
	if c.loose {
		say("options", m.mismatchSet(a.Options.List, b.Options.List) != "")
	} else {
		say("options", m.mismatchList(a.Options.List, b.Options.List) != "")
	}
	return what
}

// unstated are the segments that no line states.
func (c *comparer) unstated(engine, machine []observation, stop int) (list []Difference) {
	pick := func(seen []observation) (out []*observation) {
		for i := range seen {
			if seen[i].kind == "unstated" && seen[i].pos.Offset < stop {
				out = append(out, &seen[i])
			}
		}
		return out
	}
	theirs := pick(machine)
	for _, a := range pick(engine) {
		i := slices.IndexFunc(theirs, func(b *observation) bool {
			return (a.seg == nil) == (b.seg == nil) && a.text == b.text && (a.seg == nil || a.seg.Seq.Begin == b.seg.Seq.Begin)
		})
		var b *observation
		if i >= 0 {
			b = theirs[i]
			theirs = slices.Delete(theirs, i, i+1)
		}
		if d, differ := c.pair(a, b); differ {
			list = append(list, d)
		}
	}
	for _, b := range theirs {
		d, _ := c.pair(nil, b)
		list = append(list, d)
	}
	return list
}

// seenBy is an observation as it is reported.
func seenBy(o *observation) *Seen {
	if o == nil {
		return nil
	}
	s := &Seen{Text: o.text, Time: o.at, AsStated: o.wrong == "" && o.kind != "unstated"}
	if o.seg != nil {
		s.Text = o.seg.String()
	}
	return s
}

// maxShown is how many differences are printed: one leads to the next.
const maxShown = 24

// String is the comparison as two columns.
func (c *Comparison) String() string {
	var b strings.Builder
	switch n := len(c.Differences); {
	case c.Reason != "":
		fmt.Fprintf(&b, "not applicable: %s:%d: %s", c.Name, c.Line, c.Reason)
		return b.String()
	case n == 0:
		fmt.Fprintf(&b, "the same: %s (%s)", c.Name, c.Family)
		return b.String()
	case n == 1:
		fmt.Fprintf(&b, "1 difference: %s (%s)", c.Name, c.Family)
	default:
		fmt.Fprintf(&b, "%d differences: %s (%s)", n, c.Name, c.Family)
	}
	const gap = 2
	column := utf8.RuneCountInString("estab")
	for i := range min(len(c.Differences), maxShown) {
		column = max(column, utf8.RuneCountInString(c.Differences[i].Engine.String()))
	}
	for i := range c.Differences {
		d := &c.Differences[i]
		if i == maxShown {
			fmt.Fprintf(&b, "\n       and %d more", len(c.Differences)-i)
			break
		}
		if i == 0 || d.Line != c.Differences[i-1].Line {
			fmt.Fprintf(&b, "\n%5d: %s", d.Line, printable(clipLine(d.Source)))
			fmt.Fprintf(&b, "\n       %s%skernel", "estab", strings.Repeat(" ", column+gap-len("estab")))
		}
		left := d.Engine.String()
		fmt.Fprintf(&b, "\n       %s%s%s", left, strings.Repeat(" ", column+gap-utf8.RuneCountInString(left)), d.Machine.String())
		fmt.Fprintf(&b, "\n       └ %s", strings.Join(d.What, ", "))
		if d.Kind == "unstated" {
			b.WriteString("; no line states it")
		}
	}
	return b.String()
}

// clipLine bounds the line of a script that is shown.
func clipLine(s string) string {
	if len(s) > maxSourceColumns {
		return s[:maxSourceColumns] + "…"
	}
	return s
}

// String is the time and what was seen at it, or "nothing".
func (s *Seen) String() string {
	switch {
	case s == nil:
		return "nothing"
	case s.Time == 0 && !strings.HasPrefix(s.Text, ">"):
		return s.Text
	}
	return fmt.Sprintf("%.3f %s", s.Time.Seconds(), s.Text)
}
