package soak

import (
	"slices"
	"strings"
	"time"

	"estab/internal/netem"
	"estab/sim"
	"estab/tcp"
)

// maxTries bounds how many worlds are played to make a failing one smaller.
const maxTries = 5000

// shrink looks for the smallest world that fails in the same way: it leaves
// out and reduces one thing at a time, and keeps what still fails, until
// nothing more can go.
func (f *Failure) shrink(o *Options) {
	f.Small, f.Again, f.options = f.World.clone(), f.Err, o
	kind := kindOf(f.Err)
	for changed := true; changed && f.Tries < maxTries; {
		changed = false
		for _, step := range f.Small.smaller() {
			s := f.Small.clone()
			if !step(&s) {
				continue
			}
			f.Tries++
			r := play(&s, o, 0)
			if conn, err := r.judge(); err != nil && kindOf(err.Error()) == kind {
				f.Small, f.Conn, f.Again = s, conn, err.Error()
				changed = true
			}
			if f.Tries >= maxTries {
				break
			}
		}
	}
	f.Text = f.Small.String()
}

// kindOf is an error without its numbers.
func kindOf(text string) string {
	var words []string
	for _, w := range strings.Fields(text) {
		if !strings.ContainsAny(w, "0123456789") {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

func (s *Spec) clone() Spec {
	c := *s
	c.Talks, c.Faults = slices.Clone(s.Talks), slices.Clone(s.Faults)
	return c
}

// step makes a world smaller; false if there was nothing to do.
type step func(s *Spec) bool

// smaller lists the steps to try, those that leave out most first.
func (s *Spec) smaller() []step {
	var steps []step
	for i := range s.Talks {
		steps = append(steps, func(s *Spec) bool {
			if i >= len(s.Talks) || len(s.Talks) == 1 {
				return false
			}
			s.Talks = slices.Delete(s.Talks, i, i+1)
			return true
		})
	}
	for i := range s.Faults {
		steps = append(steps, func(s *Spec) bool {
			if i >= len(s.Faults) {
				return false
			}
			s.Faults = slices.Delete(s.Faults, i, i+1)
			return true
		})
	}
	steps = append(steps, func(s *Spec) bool { return set(&s.Hop, 0) }, func(s *Spec) bool { return set(&s.Silent, false) },
		func(s *Spec) bool { return set(&s.MTU, 1500) })
	for way := range s.Path {
		steps = append(steps, pathSteps(way)...)
	}
	for host := range s.Hosts {
		steps = append(steps, configSteps(host)...)
	}
	for i := range s.Talks {
		steps = append(steps, func(s *Spec) bool { return i < len(s.Talks) && set(&s.Talks[i].IPv6, false) },
			func(s *Spec) bool { return len(s.Talks) == 1 && set(&s.Talks[0].Port, 0) },
			func(s *Spec) bool { return i < len(s.Talks) && halve(&s.Talks[i].At, time.Millisecond) })
		for e := range 2 {
			steps = append(steps, planSteps(i, e)...)
		}
	}
	for i := range s.Faults {
		steps = append(steps, func(s *Spec) bool { return i < len(s.Faults) && halve(&s.Faults[i].For, time.Millisecond) },
			func(s *Spec) bool { return i < len(s.Faults) && halve(&s.Faults[i].At, time.Millisecond) },
			func(s *Spec) bool { return i < len(s.Faults) && s.Faults[i].Kind != Hold && set(&s.Faults[i].N, 0) })
	}
	return steps
}

func set[T comparable](v *T, to T) bool {
	if *v == to {
		return false
	}
	*v = to
	return true
}

// halve halves a number that is above the least.
func halve[T int | int64 | time.Duration](v *T, least T) bool {
	if *v <= least {
		return false
	}
	*v = max(*v/2, least)
	return true
}

// less takes n from a number, and leaves at least 1.
func less(v *int, n int) bool {
	if n == 0 || *v-n < 1 {
		return false
	}
	*v -= n
	return true
}

func pathSteps(way int) []step {
	change := func(f func(m *netem.Model) bool) step { return func(s *Spec) bool { return f(&s.Path[way]) } }
	return []step{
		change(func(m *netem.Model) bool { return set(&m.Loss, netem.Loss{}) }),
		change(func(m *netem.Model) bool { return set(&m.Duplicate, netem.Chance{}) }),
		change(func(m *netem.Model) bool { return set(&m.Corrupt, netem.Chance{}) }),
		change(func(m *netem.Model) bool { return set(&m.Reorder, netem.Reorder{}) }),
		change(func(m *netem.Model) bool { return set(&m.Delay.Jitter, 0) }),
		change(func(m *netem.Model) bool { return set(&m.Rate, netem.Rate{}) }),
		change(func(m *netem.Model) bool { return set(&m.Limit, 0) }),
		change(func(m *netem.Model) bool { return set(&m.MTU, 0) }),
		change(func(m *netem.Model) bool { return set(&m.Delay.Mean, int64(time.Millisecond)) }),
	}
}

// configSteps take back settings one by one. Keep-alive stays: without it an
// end that was left alone waits for ever, and rightly.
func configSteps(host int) []step {
	change := func(f func(c *tcp.Config, o *tcp.ConnConfig) bool) step {
		return func(s *Spec) bool { return f(&s.Hosts[host], &s.Conns[host]) }
	}
	flag := func(f func(c *tcp.Config, o *tcp.ConnConfig) *bool) step {
		return change(func(c *tcp.Config, o *tcp.ConnConfig) bool { return set(f(c, o), false) })
	}
	return []step{
		flag(func(c *tcp.Config, _ *tcp.ConnConfig) *bool { return &c.NoFastPath }),
		flag(func(c *tcp.Config, _ *tcp.ConnConfig) *bool { return &c.NoTimeWaitReuse }),
		flag(func(_ *tcp.Config, o *tcp.ConnConfig) *bool { return &o.NoDelay }),
		flag(func(_ *tcp.Config, o *tcp.ConnConfig) *bool { return &o.DelayFinAck }),
		change(func(c *tcp.Config, _ *tcp.ConnConfig) bool { return set(&c.NoTimestamps, true) }),
		change(func(c *tcp.Config, _ *tcp.ConnConfig) bool { return set(&c.NoWindowScaling, true) }),
		change(func(c *tcp.Config, _ *tcp.ConnConfig) bool { return set(&c.NoSACK, true) }),
		change(func(c *tcp.Config, _ *tcp.ConnConfig) bool { return set(&c.Congestion, "reno") }),
		change(func(c *tcp.Config, _ *tcp.ConnConfig) bool { return set(&c.DelayedAck, -1) }),
		change(func(c *tcp.Config, _ *tcp.ConnConfig) bool { return set(&c.RTOMin, 0) }),
		change(func(_ *tcp.Config, o *tcp.ConnConfig) bool { return set(&o.MSS, 0) }),
		change(func(_ *tcp.Config, o *tcp.ConnConfig) bool { return set(&o.ReceiveBuffer, 0) }),
		change(func(_ *tcp.Config, o *tcp.ConnConfig) bool { return set(&o.SendBuffer, 0) }),
		change(func(_ *tcp.Config, o *tcp.ConnConfig) bool { return set(&o.UserTimeout, 0) }),
	}
}

func planSteps(i, e int) []step {
	change := func(f func(p *sim.Plan) bool) step {
		return func(s *Spec) bool { return i < len(s.Talks) && f(&s.Talks[i].Plans[e]) }
	}
	return []step{
		change(func(p *sim.Plan) bool { return set(&p.Send, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.Pause, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.ReadPause, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.Stall, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.StallAt, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.Abort, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.AbortAt, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.CloseAt, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.Linger, 0) }),
		change(func(p *sim.Plan) bool { return set(&p.Chunk, 100000) }),
		change(func(p *sim.Plan) bool { return set(&p.Read, 100000) }),
		change(func(p *sim.Plan) bool { return less(&p.Send, p.Send/2) }),
		change(func(p *sim.Plan) bool { return less(&p.Send, p.Send/8) }),
		change(func(p *sim.Plan) bool { return less(&p.Send, p.Send/64) }),
		change(func(p *sim.Plan) bool { return less(&p.Send, 1) }),
	}
}
