package lab

import (
	"fmt"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// Run is a scenario that was played.
type Run struct {
	Scenario Scenario
	Params   Params
	Plays    []*Play
	Verdicts []Verdict
	Tables   []Table
}

// Play is one of its worlds, after the end.
type Play struct {
	Name     Text
	Script   string        // what was to happen
	Ends     [][]*End      // of connections, by host
	Events   [][]tcp.Event // by host
	Packets  []Packet      // that crossed the path between A and B
	Calls    [][]Call      // of the programs, by host
	Forged   []Forged      // packets that came from nobody on the path; not those of a flood
	Notes    []Note
	Shots    []Shot
	Story    []Told
	Left     []tcp.Counts // what each host still holds at the end
	Counters []tcp.Counters
	End      tcp.Time
	Cut      bool // there were more segments than a world may have

	// Of an observed run: what each host held, for which of the client's ports.
	Held  [2][]Held
	Ports []uint16

	start     tcp.Time
	stage     *Stage
	roundTrip []roundTrip // that A measured, if a plot of them is wanted
	orders    [][]int     // of the events, by host: which came first in the world
	steps     [][]int     // of the events, by host: in which step of the world
}

// Packet is a packet on the path.
type Packet struct {
	trace.Packet
	tcp.Tuple         // as A sees it
	Nth       int     // which of its sender's segments, from 1
	Struck    string  // the fault that met it
	Damaged   [2]bool // which of its copies
	Data      []byte
}

// roundTrip is a measurement.
type roundTrip struct {
	at                 tcp.Time
	measured, smoothed time.Duration
}

// Forged is a packet that a third party let arrive at a host.
type Forged struct {
	At   tcp.Time
	Host int
	Data []byte

	order int
}

// Note is something at one host that no event tells.
type Note struct {
	At   tcp.Time
	Host int // -1: the path
	Text string

	order int
}

// Verdict is what became of a claim.
type Verdict struct {
	Text   Text
	State  VerdictState
	Reason Text // why it does not hold
	Always bool
	Since  time.Duration // of an observed run: it holds from then to the end
}

// VerdictState is holds, fails or does not apply.
type VerdictState uint8

// What can become of a claim.
const (
	Holds VerdictState = iota
	Fails
	NotApplicable // the parameters were changed and it speaks of the scripted run
)

// Play runs the scenario.
func (s Scenario) Play(p Params) (*Run, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	r := &Run{Scenario: s, Params: p}
	for i := range s.Worlds {
		play, err := r.play(i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		play.Story = r.tell(play, s.Worlds[i].Story)
		r.Plays = append(r.Plays, play)
	}
	r.conclude()
	return r, nil
}

// conclude judges the claims and computes the tables.
func (r *Run) conclude() {
	for _, c := range r.Scenario.Claims {
		r.Verdicts = append(r.Verdicts, r.judge(&c))
	}
	if r.Scenario.Table != nil {
		r.Tables = r.Scenario.Table(r)
	}
}

func (r *Run) judge(c *Claim) Verdict {
	v := Verdict{Text: c.Text.fill(&r.Params), Always: c.Always}
	if err := r.check(c); err != nil {
		v.State, v.Reason = Fails, TextOf(err)
		if !c.Always && r.Params.Changed() {
			v.State = NotApplicable
		}
	}
	return v
}

// check checks a claim. Checks are written for runs as they were scripted: in
// others they may look for what is not there.
func (r *Run) check(c *Claim) (err error) {
	defer func() {
		if recover() != nil {
			err = problem("what it speaks of did not happen", "它所说的事没有发生")
		}
	}()
	return c.Check(r)
}

// OK reports whether no claim failed.
func (r *Run) OK() bool {
	for _, v := range r.Verdicts {
		if v.State == Fails {
			return false
		}
	}
	return true
}

// At is a time since the beginning of the world.
func (p *Play) At(t tcp.Time) time.Duration { return t.Sub(p.start) }

// change is a state that a host's connection entered.
type change struct {
	at    tcp.Time
	to    tcp.State
	event tcp.Event
	order int
}

// history is the states that a host went through, of all its connections. A
// state that is entered twice in a row, because a record became a connection,
// counts once.
func (p *Play) history(host int) []change {
	var h []change
	for i, e := range p.Events[host] {
		if e.Kind != tcp.EventState || len(h) > 0 && h[len(h)-1].to == e.To && h[len(h)-1].event.Tuple == e.Tuple ||
			e.From == e.To || e.From == tcp.StateClosed && e.To == tcp.StateSynReceived {
			continue
		}
		h = append(h, change{e.Time, e.To, e, p.orders[host][i]})
	}
	return h
}

// entered is when a host entered a state for the n-th time, from 1.
func (p *Play) entered(host int, s tcp.State, n int) (change, bool) {
	for _, c := range p.history(host) {
		if c.to == s {
			if n--; n == 0 {
				return c, true
			}
		}
	}
	return change{}, false
}

// path is the states in order, as text.
func (p *Play) path(host int) string {
	s := ""
	for i, c := range p.history(host) {
		if i > 0 {
			s += " "
		}
		s += c.to.String()
	}
	return s
}

// stateAt is the state of a host's latest connection at a time.
func (p *Play) stateAt(host int, at tcp.Time) tcp.State {
	s := tcp.StateClosed
	for _, c := range p.history(host) {
		if c.at > at {
			break
		}
		s = c.to
	}
	return s
}
