// Command bench runs estab, gVisor's netstack, the kernel and net.Pipe side by
// side, in one run, and prints ratios.
//
//	go run ./bench                  # everything, medians of five
//	go run ./bench -row bulk        # the rows whose name matches
//	go run ./bench -markdown        # the table of the README
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what one subject did in one row.
type result struct {
	Row     string    `json:"row"`
	Unit    string    `json:"unit"`
	Subject string    `json:"subject"`
	Values  []float64 `json:"values,omitempty"` // sorted
	Not     string    `json:"not,omitempty"`    // why there is none
	Failed  string    `json:"failed,omitempty"`
	Ratio   float64   `json:"ratio,omitempty"` // estab's median over this one, or the inverse where less is better
}

func (r *result) median() float64 {
	if len(r.Values) == 0 {
		return 0
	}
	return r.Values[len(r.Values)/2]
}

func main() {
	pattern := flag.String("row", "", "run the rows whose name matches this regular expression")
	only := flag.String("subject", "", "run the subjects whose name matches this regular expression")
	count := flag.Int("count", 5, "how often each measurement is made")
	long := flag.Duration("time", time.Second, "how long each measurement takes")
	asJSON := flag.Bool("json", false, "print JSON")
	markdown := flag.Bool("markdown", false, "print a Markdown table")
	flag.Parse()
	rx, err := regexp.Compile(*pattern)
	sx, err2 := regexp.Compile(*only)
	if err != nil || err2 != nil || *count < 1 || *long <= 0 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "bench: a bad regular expression, count, time or argument; see -help")
		os.Exit(2)
	}
	var all []result
	failed := false
	for _, r := range rows() {
		if !rx.MatchString(r.name) {
			continue
		}
		res := run(r, sx, *count, *long)
		if !*asJSON && !*markdown {
			printRow(r, res)
		}
		for _, x := range res {
			failed = failed || x.Failed != ""
		}
		all = append(all, res...)
	}
	switch {
	case *asJSON:
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		enc.Encode(all)
	case *markdown:
		printMarkdown(all)
	}
	if failed {
		os.Exit(1)
	}
}

// run measures a row, the subjects taking turns.
func run(r row, only *regexp.Regexp, count int, d time.Duration) []result {
	var res []result
	var who []subject
	for _, s := range subjects() {
		if only.MatchString(s.name) {
			who = append(who, s)
			res = append(res, result{Row: r.name, Unit: r.unit, Subject: s.name, Not: r.not[s.name]})
		}
	}
	for range count {
		for i, s := range who {
			if res[i].Not != "" || res[i].Failed != "" {
				continue
			}
			v, err := once(r, s, d)
			if err != nil {
				res[i].Failed = err.Error()
				continue
			}
			res[i].Values = append(res[i].Values, v)
		}
	}
	for i := range res {
		slices.Sort(res[i].Values)
	}
	for i := range res {
		if a, b := res[0].median(), res[i].median(); a > 0 && b > 0 {
			res[i].Ratio = a / b
			if r.less {
				res[i].Ratio = b / a
			}
		}
	}
	return res
}

// once makes a fresh world, checks that it carries data, and measures.
func once(r row, s subject, d time.Duration) (float64, error) {
	w, err := s.make(r.wire)
	if err != nil {
		return 0, err
	}
	defer func() {
		w.close()
		runtime.GC()
	}()
	if err := verify(w); err != nil {
		return 0, fmt.Errorf("verify: %w", err)
	}
	return r.measure(w, d)
}

func percentile(d []time.Duration, p int) time.Duration {
	slices.Sort(d)
	return d[(len(d)*p+99)/100-1]
}

func printRow(r row, res []result) {
	fmt.Printf("%s (%s)\n", r.name, r.unit)
	for _, x := range res {
		switch {
		case x.Not != "":
			fmt.Printf("  %-9s  none: %s\n", x.Subject, x.Not)
		case x.Failed != "":
			fmt.Printf("  %-9s  FAILED: %s\n", x.Subject, x.Failed)
		default:
			fmt.Printf("  %-9s %10.2f  [%.2f, %.2f]  estab is %.2f x\n", x.Subject, x.median(), x.Values[0], x.Values[len(x.Values)-1], x.Ratio)
		}
	}
}

// printMarkdown writes a line a row and a column a subject: the median, and in
// parentheses how many times better estab is.
func printMarkdown(all []result) {
	names := []string{}
	for _, s := range subjects() {
		names = append(names, s.name)
	}
	fmt.Printf("| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for i := 0; i < len(all); {
		fmt.Printf("| %s, %s |", all[i].Row, all[i].Unit)
		name := all[i].Row
		for ; i < len(all) && all[i].Row == name; i++ {
			switch x := all[i]; {
			case x.Not != "":
				fmt.Print(" – |")
			case x.Failed != "":
				fmt.Print(" failed |")
			case x.Subject == "estab":
				fmt.Printf(" %.4g |", x.median())
			default:
				fmt.Printf(" %.4g (%.2g ×) |", x.median(), x.Ratio)
			}
		}
		fmt.Println()
	}
}
