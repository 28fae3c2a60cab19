package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// classes of functions, by the beginning of a name; the first that fits.
var functionClasses = []struct {
	class string
	names []string
}{
	{"copying", []string{"runtime.memmove", "runtime.memclr"}},
	{"copying and summing in one pass", []string{"estab/internal/wire.copySum", "estab/internal/wire.CopySum"}},
	{"checksums", []string{"estab/internal/wire.Sum", "estab/internal/wire.Fold", "estab/internal/wire.Combine", "estab/internal/wire.PutTCPChecksum", "estab/internal/wire.VerifyTCP",
		"estab/internal/wire.PseudoSum", "estab/internal/wire.add", "estab/internal/wire.sumBlocks", "estab/internal/wire.sumWords", "math/bits.Add64", "encoding/binary"}},
	{"headers, parsing, flow hash", []string{"estab/internal/wire.", "estab/inet."}},
	{"TCP: the engine", []string{"estab/tcp.", "estab/tcp/cc.", "estab/internal/seq."}},
	{"host and link: queues, hand-over", []string{"estab.", "estab/link."}},
	{"locks", []string{"sync.", "internal/sync.", "sync/atomic.", "internal/runtime/atomic."}},
	{"the clock", []string{"time.now", "time.Now", "time.Since", "runtime.nanotime", "time.runtimeNow", "runtime.walltime", "runtime.vdso", "time.(*Time)", "time.Time"}},
	{"allocation and garbage collection", []string{"runtime.malloc", "runtime.gc", "runtime.scan", "runtime.mark", "runtime.bgsweep", "runtime.sweep", "runtime.newobject", "runtime.(*mheap)", "runtime.(*mcache)", "runtime.(*mspan)", "runtime.(*gcWork)", "runtime.grey", "runtime.find", "runtime.nextFree", "runtime.heap", "runtime.wb", "runtime.typePointers", "runtime.spanOf", "runtime.tryDefer", "runtime.publicationBarrier"}},
	{"scheduler: goroutines woken and parked, threads, system calls", []string{"runtime.", "internal/runtime/", "runtime/internal/", "syscall.", "internal/poll."}},
	{"the benchmark itself", []string{"main."}},
}

func classOf(name string) string {
	for _, c := range functionClasses {
		for _, n := range c.names {
			if strings.HasPrefix(name, n) {
				return c.class
			}
		}
	}
	return "others"
}

// share is a part of a profile.
type share struct {
	Class   string  `json:"class"`
	Percent float64 `json:"percent"`
	Top     string  `json:"top"` // the function that takes most of it
}

// profiles says where estab's time goes in the rows that measure speed, by
// class of what is done. It takes some 15 s.
func profiles(o options) error {
	type out struct {
		Row    string  `json:"row"`
		Rate   float64 `json:"rate"`
		Unit   string  `json:"unit"`
		Shares []share `json:"shares"`
	}
	var all []out
	p := newProgress()
	for _, r := range rows() {
		if u := r.figures[0].unit; u != "GB/s" && u != "k/s" || !o.row.MatchString(r.name) {
			continue
		}
		p.say("%s", r.name)
		var b bytes.Buffer
		v, err := profiled(r, max(o.time, time.Second), &b)
		p.clear()
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		shares, err := byClass(&b)
		if err != nil {
			return err
		}
		all = append(all, out{r.name, v[0], r.figures[0].unit, shares})
	}
	if o.json {
		enc := json.NewEncoder(o.out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	for _, x := range all {
		if o.markdown {
			fmt.Fprintf(o.out, "**%s**: %s %s\n\n| | %% of the time | most of it in |\n|---|---|---|\n", x.Row, digits(x.Rate), x.Unit)
		} else {
			fmt.Fprintf(o.out, "%s: %s %s\n", x.Row, digits(x.Rate), x.Unit)
		}
		for _, s := range x.Shares {
			if s.Percent < 0.5 {
				continue
			}
			if o.markdown {
				fmt.Fprintf(o.out, "| %s | %.0f | `%s` |\n", s.Class, s.Percent, s.Top)
			} else {
				fmt.Fprintf(o.out, "  %5.1f %%  %-62s %s\n", s.Percent, s.Class, s.Top)
			}
		}
		fmt.Fprintln(o.out)
	}
	fmt.Fprintln(o.out, thisMachine())
	return nil
}

// profiled measures a row once with estab, under the profiler once data flows.
func profiled(r row, d time.Duration, b *bytes.Buffer) ([]float64, error) {
	w, err := newEstab(r.wire)
	if err != nil {
		return nil, err
	}
	defer finish(w)
	if err := verify(w); err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(b); err != nil {
		return nil, err
	}
	defer pprof.StopCPUProfile()
	return r.measure(w, d)
}

// byClass adds up the samples by the class of their innermost function.
func byClass(b *bytes.Buffer) ([]share, error) {
	p, err := profile.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	total := int64(0)
	class := make(map[string]int64)
	function := make(map[string]int64)
	for _, s := range p.Sample {
		name, v := "?", s.Value[len(s.Value)-1]
		if len(s.Location) > 0 && len(s.Location[0].Line) > 0 {
			name = s.Location[0].Line[0].Function.Name
		}
		total += v
		class[classOf(name)] += v
		function[name] += v
	}
	var shares []share
	for c, v := range class {
		x := share{Class: c, Percent: 100 * float64(v) / float64(max(total, 1))}
		most := int64(0)
		for f, n := range function {
			if classOf(f) == c && (n > most || n == most && f < x.Top) {
				x.Top, most = f, n
			}
		}
		shares = append(shares, x)
	}
	slices.SortFunc(shares, func(a, b share) int {
		if a.Percent != b.Percent {
			return int(b.Percent*1000 - a.Percent*1000)
		}
		return strings.Compare(a.Class, b.Class)
	})
	return shares, nil
}
