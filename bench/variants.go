package main

import (
	"fmt"
	"maps"
	"slices"
)

// gvisorConfigs are what the rows run gVisor with. "go run ./bench gvisor"
// tries them, and others, in every row; the best has its place here. Its GRO
// is not among them: a pipe hands over packet by packet, so that there is
// nothing to put together.
var gvisorConfigs = map[string]gvisorConfig{
	"":            {},
	"small":       {gso: true, queue: true},
	"small, many": {gso: true, queue: true},
	"large":       {gso: true, noRACK: true},
	"vouched":     {loopback: true, initial: 4 << 20},
	"talk":        {},
	"beside":      {initial: 64 << 10, buffers: 64 << 10},
	"flooded":     {},

	"try: default":         {},
	"try: 64 KiB buffers":  {initial: 64 << 10, buffers: 64 << 10},
	"try: 256 KiB buffers": {initial: 256 << 10, buffers: 256 << 10},
	"try: 4 MiB buffers":   {initial: 4 << 20},
	"try: moderated":       {moderate: true, buffers: 8 << 20},
	"try: GSO":             {gso: true},
	"try: GSO, 4 MiB":      {gso: true, initial: 4 << 20},
	"try: fifo":            {queue: true},
	"try: GSO, fifo":       {gso: true, queue: true},
	"try: GSO, fifo, 4M":   {gso: true, queue: true, initial: 4 << 20},
	"try: loopback":        {loopback: true},
	"try: loopback, 4 MiB": {loopback: true, initial: 4 << 20},
	"try: no RACK":         {noRACK: true},
	"try: GSO, no RACK":    {gso: true, noRACK: true},
	"try: Reno":            {reno: true},
	"try: cookies always":  {cookies: true},
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
		if !o.row.MatchString(r.name) || r.why(s) != "" || r.wire == (wiring{}) {
			continue
		}
		fmt.Fprintln(o.out, r.name)
		chosen := gvisorConfigs[r.wire.gvisor]
		values := make(map[string][][]float64)
		failed := make(map[string]error)
		for k := range o.count {
			for _, n := range names {
				c := gvisorConfigs[n]
				if n != r.wire.gvisor && (n == "" || n[:3] != "try") || failed[n] != nil || c.loopback && !r.wire.trusted {
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
			c := gvisorConfigs[n]
			mark := " "
			if n == r.wire.gvisor {
				mark = "*"
			} else if c == chosen {
				continue
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
