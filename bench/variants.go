package main

import (
	"fmt"
	"maps"
	"slices"
)

// gvisorConfigs are what gVisor may be run with. For each row that measures
// speed those that could suit it are tried first, and the best is what the row
// is measured with; "go run ./bench gvisor" shows all of them in every row. Its
// GRO is not among them: a pipe hands over packet by packet, so that there is
// nothing to put together.
var gvisorConfigs = map[string]gvisorConfig{
	"":                {},
	"64 KiB":          {initial: 64 << 10, buffers: 64 << 10},
	"256 KiB":         {initial: 256 << 10, buffers: 256 << 10},
	"4 MiB":           {initial: 4 << 20},
	"moderated":       {moderate: true, buffers: 8 << 20},
	"GSO":             {gso: true},
	"GSO, 4 MiB":      {gso: true, initial: 4 << 20},
	"GSO, no RACK":    {gso: true, noRACK: true},
	"fifo":            {queue: true},
	"GSO, fifo":       {gso: true, queue: true},
	"GSO, fifo, 4M":   {gso: true, queue: true, initial: 4 << 20},
	"no RACK":         {noRACK: true},
	"Reno":            {reno: true},
	"cookies":         {cookies: true},
	"loopback":        {loopback: true},
	"loopback, 4 MiB": {loopback: true, initial: 4 << 20},
}

// What could suit rows of a kind.
var (
	forBulk    = []string{"", "4 MiB", "GSO", "GSO, no RACK", "GSO, fifo", "GSO, fifo, 4M"}
	forVouched = []string{"", "4 MiB", "fifo", "GSO, 4 MiB", "loopback", "loopback, 4 MiB"}
	forTalk    = []string{"", "64 KiB", "fifo", "no RACK"}
	forBeside  = []string{"", "64 KiB"}
	forFlood   = []string{"", "cookies"}
)

// suit tries the configurations of gVisor that could suit the row, twice, and
// returns the one that did best in its first figure.
func suit(r row, s subject, o options, p *progress) string {
	best, most := "", 0.0
	for range 2 {
		for _, n := range r.tries {
			p.say("%s: gVisor, looking for its best configuration", r.name)
			r.wire.gvisor = n
			v, err := once(r, s, o.time/2)
			if err != nil {
				continue
			}
			if r.figures[0].less {
				v[0] = 1 / v[0]
			}
			if v[0] > most {
				best, most = n, v[0]
			}
		}
	}
	return best
}

// gvisorNote says which configuration a row has.
func gvisorNote(w wiring) string { return gvisorConfigs[w.gvisor].String() }

func (c gvisorConfig) String() string {
	s := "two stacks over link/pipe"
	if c.loopback {
		s = "one stack and link/loopback"
	}
	add := func(on bool, what string) {
		if on {
			s += ", " + what
		}
	}
	add(!c.noRACK, "SACK and RACK")
	add(c.noRACK, "SACK without RACK")
	add(!c.reno, "CUBIC")
	add(c.reno, "Reno")
	add(c.gso, "its software GSO")
	add(c.queue, "fifo queueing")
	add(c.moderate, "receive buffer moderation")
	add(c.cookies, "SYN cookies always")
	first, most := max(c.initial, 0), max(c.buffers, 0)
	if first == 0 {
		first = 1 << 20
	}
	if most == 0 {
		most = 4 << 20
	}
	return fmt.Sprintf("%s, buffers %d to %d KiB", s, first>>10, max(first, most)>>10)
}

// gvisorVariants measures gVisor in every configuration, row by row.
func gvisorVariants(o options) error {
	p := newProgress()
	names := slices.Sorted(maps.Keys(gvisorConfigs))
	for _, r := range rows() {
		s := subjects()[1]
		if !o.row.MatchString(r.name) || r.why(s) != "" || len(r.tries) == 0 {
			continue
		}
		fmt.Fprintln(o.out, r.name)
		values := make(map[string][][]float64)
		failed := make(map[string]error)
		for k := range o.count {
			for _, n := range names {
				if failed[n] != nil || gvisorConfigs[n].loopback && !r.wire.trusted {
					continue // the loopback makes no checksums
				}
				p.say("%s: %s, %d of %d", r.name, n, k+1, o.count)
				v := r
				v.wire.gvisor = n
				x, err := once(v, s, o.time)
				if err != nil {
					failed[n] = err
					continue
				}
				values[n] = append(values[n], x)
			}
		}
		p.clear()
		for _, n := range names {
			c, mark := gvisorConfigs[n], " "
			if slices.Contains(r.tries, n) {
				mark = "*" // the table tries it
			}
			switch vs := values[n]; {
			case failed[n] != nil:
				fmt.Fprintf(o.out, "%s %v: FAILED: %v\n", mark, c, failed[n])
			case vs != nil:
				fmt.Fprintf(o.out, "%s ", mark)
				for f, fig := range r.figures {
					var one []float64
					for _, v := range vs {
						one = append(one, v[f])
					}
					slices.Sort(one)
					fmt.Fprintf(o.out, "%s %s [%s, %s]  ", digits(one[len(one)/2]), fig.unit, digits(one[0]), digits(one[len(one)-1]))
				}
				fmt.Fprintln(o.out, c)
			}
		}
	}
	return nil
}
