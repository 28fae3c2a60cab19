package lab

import (
	"time"

	"estab/tcp"
)

// Observe plays the scenario as Play does, but with all its worlds in step,
// and looks at it after each moment: at what both hosts hold (Play.Held), and
// at the claims, to know since when they hold.
func (s Scenario) Observe(p Params) (*Run, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	r := &Run{Scenario: s, Params: p}
	var stages []*Stage
	for i := range s.Worlds {
		st, err := r.stage(i)
		if err != nil {
			return nil, err
		}
		st.look()
		stages, r.Plays = append(stages, st), append(r.Plays, st.play)
	}
	o := observer{r: r, since: make([]observed, len(s.Claims))}
	o.claims()
	for i := range o.since {
		o.since[i].vacuous = o.since[i].holds
	}
	for {
		st := first(stages)
		if st == nil {
			break
		}
		o.step(st)
	}
	for i, st := range stages {
		if err := st.World.Err(); err != nil {
			return nil, err
		}
		st.finish()
		st.play.Story = r.tell(st.play, s.Worlds[i].Story)
	}
	r.conclude()
	o.conclude()
	return r, nil
}

// first is the stage on which the next thing happens; nil: nothing is left.
func first(stages []*Stage) *Stage {
	var best *Stage
	at := tcp.Never
	for _, s := range stages {
		if t := s.World.Next(); !s.over && t < at {
			best, at = s, t
		}
	}
	return best
}

// observer watches a run.
type observer struct {
	r     *Run
	since []observed // by claim
	steps int        // at which something happened
}

type observed struct {
	holds   bool
	at      time.Duration // since then
	vacuous bool          // it has held from the very beginning
}

func (o *observer) step(s *Stage) {
	n, k := s.told(), len(s.play.Packets)
	if !s.step() {
		s.over = true
		return
	}
	if s.told() == n && len(s.play.Packets) == k && s.def.Quiet {
		return
	}
	s.holdings()
	if s.told() == n && len(s.play.Packets) == k {
		return
	}
	o.steps++
	// Of long transfers not every moment is worth the look.
	if stride := 1 + o.steps/400; o.steps%stride != 0 && !s.turned {
		return
	}
	s.turned = false
	s.look()
	o.claims()
}

// told is how many events the hosts have told.
func (s *Stage) told() int {
	n := 0
	for _, e := range s.play.Events {
		n += len(e)
	}
	return n
}

// claims looks at all claims.
func (o *observer) claims() {
	var now time.Duration
	for _, p := range o.r.Plays {
		now = max(now, p.At(p.End))
	}
	for i := range o.since {
		x := &o.since[i]
		holds := o.r.check(&o.r.Scenario.Claims[i]) == nil
		if holds && !x.holds {
			x.at = now
		}
		x.vacuous = x.vacuous && holds
		x.holds = holds
	}
}

// conclude writes down since when the claims hold. What nothing could have
// refuted so far is known only at the end.
func (o *observer) conclude() {
	var end time.Duration
	for _, p := range o.r.Plays {
		end = max(end, p.At(p.End))
	}
	for i := range o.since {
		v, x := &o.r.Verdicts[i], &o.since[i]
		v.Since = x.at
		if x.vacuous || !x.holds {
			v.Since = end
		}
	}
}

// Held is what a host holds for a pair of sockets, from a time on.
type Held struct {
	At   time.Duration
	Port uint16 // the client's
	Holding
}

// holdings notes what has changed in what both hosts hold.
func (s *Stage) holdings() {
	for _, port := range s.ports() {
		if w := s.def.Watch; w != 0 && port != w {
			continue
		}
		t := s.tupleOf(port)
		for i := A; i <= B; i++ {
			h := s.holding(i, t)
			t = t.Swap()
			if s.last[i] == nil {
				s.last[i] = map[uint16]Holding{}
			}
			if last, ok := s.last[i][port]; !ok || last != h {
				s.last[i][port] = h
				s.play.Held[i] = append(s.play.Held[i], Held{s.Now(), port, h})
			}
		}
	}
}

// ports are the client's ports that were used so far.
func (s *Stage) ports() []uint16 {
	for i := A; i <= B; i++ {
		events := s.play.Events[i]
		for _, e := range events[s.seen[i]:] {
			t := e.Tuple
			if i == B {
				t = t.Swap()
			}
			if t.LocalPort != 0 && t.Local == s.tupleOf(0).Local && !s.known[t.LocalPort] {
				if s.known == nil {
					s.known = map[uint16]bool{}
				}
				s.known[t.LocalPort] = true
				s.play.Ports = append(s.play.Ports, t.LocalPort)
			}
		}
		s.seen[i] = len(events)
	}
	return s.play.Ports
}
