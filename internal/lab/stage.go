package lab

import (
	"fmt"
	"time"

	"estab/internal/netem"
	"estab/internal/trace"
	"estab/sim"
	"estab/tcp"
)

// The hosts of every world.
const (
	A = int(trace.Left)  // the client: the active open
	B = int(trace.Right) // the server
)

const (
	serverPort = 80
	clientPort = 40000
)

// Stage is a world while it is played.
type Stage struct {
	Params *Params
	World  *sim.World
	Path   *sim.Path // to A
	PathB  *sim.Path // to B: the same, unless there is a router
	model  netem.Model
	play   *Play
	def    *World
	faults []Fault
	actors []*actor
	sent   [2]int // segments, by host
	meddle []func(*sim.Packet)
	flood  *flooding // nil: none
}

// Host is one of the two hosts, or one that Setup has added.
func (s *Stage) Host(i int) *sim.Host { return s.actors[i].host }

// Now is the time since the beginning of the world.
func (s *Stage) Now() time.Duration { return s.World.Now().Sub(s.play.start) }

// At does something at a time since the beginning.
func (s *Stage) At(d time.Duration, f func()) { s.World.At(s.play.start.Add(d), f) }

// Note writes something beside the ladder.
func (s *Stage) Note(host int, text string) {
	s.play.Notes = append(s.play.Notes, Note{s.World.Now(), host, text})
}

// ringSize is how many events a host keeps between two steps of its world. Of
// events that an unverified source causes it keeps an eighth in a row.
const ringSize = 1 << 15

// play runs a world.
func (r *Run) play(def *World) (*Play, error) {
	steps, faults, err := ParseScript(def.Script)
	if err != nil {
		return nil, err
	}
	for _, line := range r.Params.Faults {
		f, err := parseFault(line)
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	s := &Stage{Params: &r.Params, World: sim.New(r.Params.Seed), def: def, faults: faults}
	s.play = &Play{Name: def.Name, start: s.World.Now(), stage: s}
	s.addHost("A")
	s.addHost("B")
	if err := s.connect(); err != nil {
		return nil, err
	}
	for _, step := range steps {
		s.At(step.At, func() { s.do(step) })
	}
	if def.TwoWay {
		s.twoWay()
	}
	if def.Setup != nil {
		def.Setup(s)
	}
	s.run()
	return s.play, s.World.Err()
}

// addHost adds a host with its program.
func (s *Stage) addHost(name string) *actor {
	i := len(s.actors)
	cfg := tcp.Config{MSL: s.Params.MSL, RTOMin: time.Second}
	if s.def.Config != nil {
		s.def.Config(i, &cfg)
	}
	s.Params.configure(&cfg)
	mask := tcp.EventAll
	if s.def.Quiet && i == B {
		mask = tcp.EventClosed
		s.World.CheckEvery(1 << 20)
	}
	a := &actor{stage: s, index: i, config: cfg, ring: tcp.NewRing(ringSize, mask)}
	cfg.Events = a.ring
	a.host = s.World.Host(name, sim.HostConfig{TCP: cfg})
	a.tag = a.host.Start(a)
	s.actors = append(s.actors, a)
	s.play.Ends = append(s.play.Ends, nil)
	s.play.Events = append(s.play.Events, nil)
	return a
}

// connect joins A and B.
func (s *Stage) connect() error {
	m, err := netem.Parse(fmt.Sprintf("delay %dns %s", orElse(s.def.Delay, s.Params.Delay).Nanoseconds(), s.def.Path))
	if err != nil {
		return err
	}
	s.model = m
	a, b := s.actors[A].host, s.actors[B].host
	if s.def.Narrow == 0 {
		s.Path = s.World.Connect(a, b, sim.PathConfig{AB: m, BA: m, Meddle: s.pass})
		s.PathB = s.Path
	} else {
		near, far := s.World.Router("R1", sim.RouterConfig{}), s.World.Router("R2", sim.RouterConfig{})
		s.Path = s.World.Connect(a, near, sim.PathConfig{AB: m, BA: m, Meddle: s.pass})
		s.World.Connect(near, far, sim.PathConfig{MTU: s.def.Narrow})
		s.PathB = s.World.Connect(far, b, sim.PathConfig{AB: m, BA: m, Meddle: s.pass})
	}
	s.World.Tap(s.tap)
	return nil
}

// sender is which of A and B gives a packet to the path; false if it is the
// router that passes it on.
func (s *Stage) sender(p *sim.Packet) (host int, ok bool) {
	if p.Back {
		return B, p.Path == s.PathB
	}
	return A, p.Path == s.Path
}

// pass lets the script and the shims change what becomes of a packet.
func (s *Stage) pass(p *sim.Packet) {
	host, ok := s.sender(p)
	if ok && s.flood != nil && s.flood.swallow(p) {
		return
	}
	seg, isTCP := segment(p.Data)
	if !ok || !isTCP {
		return
	}
	s.sent[host]++
	for i := range s.faults {
		if f := &s.faults[i]; f.hits(host, s.sent[host], seg.Flags) {
			f.strike(p)
		}
	}
	for _, f := range s.meddle {
		f(p)
	}
}

// tap keeps what crosses the path between A and B.
func (s *Stage) tap(p sim.Packet) {
	host, ok := s.sender(&p)
	if !ok || s.flood != nil && s.flood.forged(p.Data) {
		return
	}
	t, ok := p.Trace(trace.Side(host))
	if !s.actors[1-host].host.Up() {
		t.Copies = 0 // it will meet nobody
	}
	if !ok {
		return
	}
	seg, _ := segment(p.Data)
	if host == A {
		seg.Tuple = seg.Tuple.Swap()
	}
	s.play.Packets = append(s.play.Packets, Packet{t, seg.Tuple, append([]byte(nil), p.Data...)})
}

// run plays the world to its end.
func (s *Stage) run() {
	limit := s.def.For
	if limit == 0 {
		limit = 20 * time.Minute
	}
	ended, last := false, s.World.Now()
	s.At(limit, func() { ended = true })
	for s.World.Step() && !ended {
		s.drain()
		last = s.World.Now()
	}
	s.drain()
	s.play.End = last
	for i, a := range s.actors {
		s.play.Left = append(s.play.Left, a.host.TCP().Counts())
		s.play.Counters = append(s.play.Counters, *a.host.TCP().Counters())
		s.play.Ends[i] = a.ends
		if s.play.Left[i].Conns > 0 {
			s.play.End = s.World.Now() // it goes on living
		}
	}
}

// drain takes the events out of the rings, and looks at the TCBs when a state
// has changed.
func (s *Stage) drain() {
	for i, a := range s.actors {
		n := len(s.play.Events[i])
		s.play.Events[i] = a.ring.Drain(s.play.Events[i])
		for _, e := range s.play.Events[i][n:] {
			if e.Kind == tcp.EventState && e.From != e.To {
				s.snapshot(i, e)
			}
		}
	}
}
