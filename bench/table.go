package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is a measurement, of one or several figures.
type row struct {
	name    string
	figures []figure // what measure returns, in order
	wire    wiring
	measure func(world, time.Duration) ([]float64, error)
	sized   bool              // memory, which hardly differs from run to run: three are enough
	tries   []string          // configurations of gVisor that could suit it; the best is taken
	not     map[string]string // subjects that don't have it, and why
}

// figure is a line of the table.
type figure struct {
	name   string // "" if the row has but one
	unit   string
	less   bool               // a smaller value is better
	ratios map[string]float64 // to be at least so many times better than a subject
	bound  float64            // to be reached; 0: none
	zero   bool               // it is to be 0
}

// result is what one subject did in one line of the table.
type result struct {
	Row     string    `json:"row"`
	Unit    string    `json:"unit,omitempty"`
	Subject string    `json:"subject"`
	Config  string    `json:"config,omitempty"` // of the subject, in this row
	Values  []float64 `json:"values,omitempty"` // sorted
	Median  float64   `json:"median"`
	Not     string    `json:"not,omitempty"` // why there is none
	Failed  string    `json:"failed,omitempty"`
	Ratio   float64   `json:"ratio,omitempty"`    // how many times better estab is
	AtLeast float64   `json:"at_least,omitempty"` // what it is to be
	Bound   float64   `json:"bound,omitempty"`    // what estab's figure is to reach
	Zero    bool      `json:"to_be_zero,omitempty"`
	Less    bool      `json:"less_is_better,omitempty"`
}

func (r *result) median() float64 {
	if len(r.Values) == 0 {
		return 0
	}
	return r.Values[len(r.Values)/2]
}

// unit is the unit between two texts; what is counted has none.
func (r *result) unit(before, after string) string {
	if r.Unit == "" {
		return ""
	}
	return before + r.Unit + after
}

// short says by how much a target was missed, "" if it was not.
func (r *result) short() string {
	m := r.median()
	switch {
	case r.Subject == "estab" && r.Zero && m > 0:
		return "to be 0"
	case r.Subject == "estab" && r.Bound > 0 && len(r.Values) > 0 && (r.Less && m > r.Bound || !r.Less && m < r.Bound):
		return fmt.Sprintf("short of %.4g", r.Bound)
	case r.AtLeast > 0 && r.Ratio > 0 && r.Ratio < r.AtLeast:
		return fmt.Sprintf("short of %.3g x", r.AtLeast)
	}
	return ""
}

// errSomeFailed says that a measurement failed; the table says which.
var errSomeFailed = errors.New("some measurements failed")

// table runs the rows and prints them.
func table(o options) error {
	start := time.Now()
	var all []result
	failed := false
	p := newProgress()
	for _, r := range rows() {
		if !o.row.MatchString(r.name) {
			continue
		}
		res := run(r, o, p)
		if !o.json && !o.markdown {
			p.clear()
			printRow(o.out, res)
		}
		for _, x := range res {
			failed = failed || x.Failed != ""
		}
		all = append(all, res...)
	}
	p.clear()
	if len(all) == 0 {
		return badInput(fmt.Sprintf("no row matches -row %v", o.row))
	}
	took := time.Since(start).Round(time.Second)
	switch {
	case o.json:
		enc := json.NewEncoder(o.out)
		enc.SetIndent("", "  ")
		enc.Encode(struct {
			Machine machine  `json:"machine"`
			Seconds float64  `json:"seconds"`
			Results []result `json:"results"`
		}{thisMachine(), took.Seconds(), all})
	case o.markdown:
		printMarkdown(o.out, all)
	default:
		fmt.Fprintf(o.out, "%v\n%v, medians of %d (memory: of %d) with minimum and maximum\n", thisMachine(), took, o.count, min(o.count, 3))
	}
	if failed {
		return errSomeFailed
	}
	return nil
}

// run measures a row, the subjects taking turns. The results come line by
// line, estab first.
func run(r row, o options, p *progress) []result {
	var who []subject
	for _, s := range subjects() {
		if !o.subject.MatchString(s.name) {
			continue
		}
		who = append(who, s)
		if s.name == "gVisor" && len(r.tries) > 0 {
			r.wire.gvisor = suit(r, s, o, p)
		}
	}
	failed := make([]string, len(who))
	values := make([][][]float64, len(who)) // by subject, measurement, figure
	count := o.count
	if r.sized {
		count = min(count, 3)
	}
	for k := range count {
		for i, s := range who {
			if failed[i] != "" || r.why(s) != "" {
				continue
			}
			p.say("%s: %s, %d of %d", r.name, s.name, k+1, count)
			v, err := once(r, s, o.time)
			if err != nil {
				failed[i] = err.Error()
				continue
			}
			values[i] = append(values[i], v)
		}
	}
	var all []result
	for f, fig := range r.figures {
		res := make([]result, len(who))
		for i, s := range who {
			x := result{Row: r.name, Unit: fig.unit, Subject: s.name, Config: s.note(r.wire), Not: r.why(s), Failed: failed[i],
				AtLeast: fig.ratios[s.name], Less: fig.less}
			if fig.name != "" {
				x.Row += ": " + fig.name
			}
			if s.name == "estab" {
				x.Bound, x.Zero = fig.bound, fig.zero
			}
			for _, v := range values[i] {
				x.Values = append(x.Values, v[f])
			}
			slices.Sort(x.Values)
			x.Median = x.median()
			res[i] = x
		}
		compare(res)
		all = append(all, res...)
	}
	return all
}

// why is the reason for which a subject has no such row, or "".
func (r *row) why(s subject) string {
	if why := r.not[s.name]; why != "" {
		return why
	}
	return s.missing()
}

// compare sets the ratios to estab's figure.
func compare(res []result) {
	at := slices.IndexFunc(res, func(x result) bool { return x.Subject == "estab" })
	if at < 0 {
		return
	}
	for i := range res {
		if a, b := res[at].median(), res[i].median(); i != at && a > 0 && b > 0 {
			res[i].Ratio = a / b
			if res[i].Less {
				res[i].Ratio = b / a
			}
		}
	}
}

// once makes a fresh world, checks that it carries data, and measures.
func once(r row, s subject, d time.Duration) (v []float64, err error) {
	w, err := s.make(r.wire)
	if err != nil {
		return nil, err
	}
	defer func() {
		w.close()
		runtime.GC()
	}()
	if err := verify(w); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return r.measure(w, d)
}

func printRow(w io.Writer, res []result) {
	name := ""
	for i := range res {
		x := &res[i]
		if x.Row != name {
			name = x.Row
			fmt.Fprintf(w, "%s%s\n", x.Row, x.unit(" (", ")"))
		}
		switch {
		case x.Not != "":
			fmt.Fprintf(w, "  %-9s       none: %s\n", x.Subject, x.Not)
		case x.Failed != "":
			fmt.Fprintf(w, "  %-9s       FAILED: %s\n", x.Subject, x.Failed)
		default:
			fmt.Fprintf(w, "  %-9s %10s  [%s, %s]", x.Subject, digits(x.median()), digits(x.Values[0]), digits(x.Values[len(x.Values)-1]))
			if x.Ratio > 0 {
				fmt.Fprintf(w, "  estab is %s x better", digits(x.Ratio))
				if x.AtLeast > 0 {
					fmt.Fprintf(w, ", to be %.3g", x.AtLeast)
				}
			}
			if s := x.short(); s != "" {
				fmt.Fprintf(w, "  (%s)", s)
			}
			if x.Subject == "gVisor" {
				fmt.Fprintf(w, "  [%s]", x.Config)
			}
			fmt.Fprintln(w)
		}
	}
}

// digits writes a figure with three or four digits, never in powers of ten.
func digits(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 0 || v >= 999.5:
		return group(int64(math.Round(v)))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// group writes thousands apart.
func group(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// printMarkdown writes a line a figure and a column a subject: the median, its
// range, and how many times better estab is; last, what it is to be.
func printMarkdown(w io.Writer, all []result) {
	var names []string
	for _, x := range all {
		if !slices.Contains(names, x.Subject) {
			names = append(names, x.Subject)
		}
	}
	fmt.Fprintf(w, "| | %s | at least |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)+1))
	var notes []string
	note := func(s string) string {
		k := slices.Index(notes, s)
		if k < 0 {
			k, notes = len(notes), append(notes, s)
		}
		return fmt.Sprintf(" <sup>%d</sup>", k+1)
	}
	foot := func(x *result) string { // which configuration of gVisor it was
		if x.Subject != "gVisor" || x.Zero {
			return ""
		}
		return note("gVisor: " + x.Config)
	}
	for i := 0; i < len(all); {
		name := all[i].Row
		fmt.Fprintf(w, "| %s%s |", name, all[i].unit(", ", ""))
		var goals []string
		for ; i < len(all) && all[i].Row == name; i++ {
			x := &all[i]
			switch {
			case x.Not != "":
				fmt.Fprintf(w, " –%s |", note(x.Not))
			case x.Failed != "":
				fmt.Fprint(w, " failed |")
			case x.Ratio > 0:
				fmt.Fprintf(w, " %s (%s ×)%s |", digits(x.median()), digits(x.Ratio), foot(x))
			default:
				fmt.Fprintf(w, " %s |", digits(x.median()))
			}
			goals = append(goals, x.goal()...)
		}
		fmt.Fprintf(w, " %s |\n", strings.Join(goals, ", "))
	}
	fmt.Fprintln(w)
	for k, n := range notes {
		fmt.Fprintf(w, "%d. %s\n", k+1, n)
	}
	fmt.Fprintf(w, "\n%v\n", thisMachine())
}

// goal is what the table asks, with a mark where it is missed.
func (r *result) goal() []string {
	var g []string
	if r.AtLeast > 0 {
		g = append(g, fmt.Sprintf("%.3g × %s", r.AtLeast, r.Subject))
	}
	if r.Bound > 0 {
		word := "at least"
		if r.Less {
			word = "at most"
		}
		g = append(g, word+" "+digits(r.Bound))
	}
	if r.Zero {
		g = append(g, "0")
	}
	if len(g) > 0 && r.short() != "" {
		g[len(g)-1] += " (missed)"
	}
	return g
}
