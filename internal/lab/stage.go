package lab

import (
	"slices"
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
	Params  *Params
	World   *sim.World
	Path    *sim.Path // to A
	PathB   *sim.Path // to B: the same, unless there is a router
	model   netem.Model
	play    *Play
	def     *World
	nth     int // which world of the scenario
	faults  []Fault
	actors  []*actor
	sent    [2]int // segments, by host
	meddle  []func(*sim.Packet)
	flood   *flooding // nil: none
	over    bool      // its time is up
	shimmed bool      // B has the shim of a two-way handshake
	struck  string    // the fault that met the packet which is about to pass

	order int // of what has happened so far
	steps int // of the world; a packet arrives in a step of its own

	rtt    bool  // round trips are wanted
	looked []int // events by host that were looked at

	// What an observer knows.
	turned bool // a state has changed since it looked
	last   [2]map[uint16]Holding
	seen   [2]int // events
	known  map[uint16]bool
}

// Host is one of the two hosts, or one that Setup has added.
func (s *Stage) Host(i int) *sim.Host { return s.actors[i].host }

// Now is the time since the beginning of the world.
func (s *Stage) Now() time.Duration { return s.World.Now().Sub(s.play.start) }

// At does something at a time since the beginning.
func (s *Stage) At(d time.Duration, f func()) { s.World.At(s.play.start.Add(d), f) }

// Note writes something beside the ladder.
func (s *Stage) Note(host int, text string) {
	s.order++
	s.play.Notes = append(s.play.Notes, Note{s.World.Now(), host, text, s.order})
}

// ringSize is how many events a host keeps between two steps of its world. Of
// events that an unverified source causes it keeps an eighth in a row. In a
// quiet world little is told.
const (
	ringSize      = 1 << 14
	quietRingSize = 1 << 12
)

// play runs a world.
func (r *Run) play(n int) (*Play, error) {
	s, err := r.stage(n)
	if err != nil {
		return nil, err
	}
	for s.step() {
	}
	s.finish()
	return s.play, s.World.Err()
}

// stage makes a world ready to be played.
func (r *Run) stage(n int) (*Stage, error) {
	def := &r.Scenario.Worlds[n]
	script := r.Params.script(n, def.Script)
	steps, faults, err := ParseScript(script)
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
	s := &Stage{Params: &r.Params, World: sim.New(r.Params.Seed), def: def, nth: n, faults: faults, rtt: slices.Contains(r.Scenario.Plot, "rtt")}
	s.play = &Play{Name: def.Name, Script: script, start: s.World.Now(), End: s.World.Now(), stage: s}
	s.addHost("A")
	s.addHost("B")
	if err := s.connect(); err != nil {
		return nil, err
	}
	for _, step := range steps {
		s.At(step.At, func() { s.do(step) })
	}
	if def.TwoWay && r.Params.TwoWay != Off || r.Params.TwoWay == On {
		s.shimmed = true
		s.twoWay()
	}
	if def.Setup != nil {
		def.Setup(s)
	}
	s.At(orElse(def.For, 20*time.Minute), func() { s.over = true })
	return s, nil
}

// addHost adds a host with its program.
func (s *Stage) addHost(name string) *actor {
	i := len(s.actors)
	cfg := tcp.Config{MSL: s.Params.MSL, RTOMin: time.Second}
	if s.def.Config != nil {
		s.def.Config(i, &cfg)
	}
	s.Params.configure(&cfg)
	mask, size := tcp.EventAll, ringSize
	if s.def.Quiet {
		size = quietRingSize
	}
	if s.def.Quiet && i == B {
		mask = tcp.EventClosed
		s.World.CheckEvery(1 << 20)
	}
	a := &actor{stage: s, index: i, config: cfg, ring: tcp.NewRing(size, mask)}
	cfg.Events = a.ring
	a.host = s.World.Host(name, sim.HostConfig{TCP: cfg})
	a.tag = a.host.Start(a)
	s.actors = append(s.actors, a)
	s.play.Ends = append(s.play.Ends, nil)
	s.play.Events = append(s.play.Events, nil)
	s.play.orders, s.play.steps = append(s.play.orders, nil), append(s.play.steps, nil)
	s.play.Calls = append(s.play.Calls, nil)
	s.looked = append(s.looked, 0)
	s.play.Left = append(s.play.Left, tcp.Counts{})
	s.play.Counters = append(s.play.Counters, tcp.Counters{})
	return a
}

// connect joins A and B.
func (s *Stage) connect() error {
	m, err := netem.Parse(s.Params.path(s.def))
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
	s.struck = ""
	for i := range s.faults {
		if f := &s.faults[i]; f.hits(host, s.sent[host], seg.Flags) {
			f.strike(p)
			s.struck = f.Line
		}
	}
	for _, f := range s.meddle {
		f(p)
	}
}

// maxPackets bounds a world: who asks for more than can be looked at gets the
// beginning.
const maxPackets = 10_000

const cutText = "the run is cut short here: it has more than 10,000 segments"

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
	if len(s.play.Packets) == maxPackets {
		if !s.over {
			s.over, s.play.Cut = true, true
			s.Note(-1, cutText)
		}
		return
	}
	k := Packet{Packet: t, Tuple: seg.Tuple, Nth: s.sent[host], Struck: s.struck, Data: append([]byte(nil), p.Data...)}
	k.Damaged = damaged(&p.Fate)
	k.Corrupt = k.Damaged[0]
	s.play.Packets = append(s.play.Packets, k)
}

// damaged says which of a packet's copies that arrive are damaged.
func damaged(f *netem.Fate) (d [2]bool) {
	n := 0
	for _, x := range []netem.Passage{f.Passage, f.Copy} {
		if n == 1 && !f.Duplicated || x.Drop != netem.NotDropped {
			continue
		}
		d[n] = x.Corrupt
		n++
	}
	return d
}

// step does the next thing. It reports false at the world's end.
func (s *Stage) step() bool {
	s.steps++
	if !s.World.Step() || s.over {
		return false
	}
	s.drain()
	s.play.End = s.World.Now()
	return true
}

// finish looks at what is left when the world is over.
func (s *Stage) finish() {
	s.drain()
	s.look()
	for i := range s.actors {
		if s.play.Left[i].Conns > 0 {
			s.play.End = s.World.Now() // it goes on living
		}
	}
}

// look notes what the hosts hold and what their programs have done.
func (s *Stage) look() {
	p := s.play
	for i, a := range s.actors {
		p.Left[i], p.Counters[i], p.Ends[i] = a.host.TCP().Counts(), *a.host.TCP().Counters(), a.ends
	}
}

// drain takes the events out of the rings, and looks at the TCBs when a state
// has changed.
func (s *Stage) drain() {
	s.collect()
	for i := range s.actors {
		events := s.play.Events[i]
		for _, e := range events[s.looked[i]:] {
			if e.Kind == tcp.EventState && e.From != e.To {
				s.turned = true
				s.snapshot(i, e)
			}
			if e.Kind == tcp.EventRTT && i == A && s.rtt {
				s.measured(e)
			}
		}
		s.looked[i] = len(events)
	}
}

// collect takes the events out of the rings, in the order of what happened.
func (s *Stage) collect() {
	for i, a := range s.actors {
		n := len(s.play.Events[i])
		s.play.Events[i] = a.ring.Drain(s.play.Events[i])
		for range s.play.Events[i][n:] {
			s.order++
			s.play.orders[i] = append(s.play.orders[i], s.order)
			s.play.steps[i] = append(s.play.steps[i], s.steps)
		}
	}
}

// measured notes a round trip that A has measured, and its estimate now.
func (s *Stage) measured(e tcp.Event) {
	st, err := s.Host(A).TCP().StatusOf(s.World.Now(), e.Tuple)
	if err == 0 && st.SRTT != 0 {
		s.play.roundTrip = append(s.play.roundTrip, roundTrip{e.Time, time.Duration(e.Value), st.SRTT})
	}
}

// inject lets a forged packet arrive at a host.
func (s *Stage) inject(host int, b []byte) {
	s.collect()
	s.order++
	if s.flood == nil {
		s.play.Forged = append(s.play.Forged, Forged{s.World.Now(), host, b, s.order})
	}
	s.Host(host).Inject(b)
}
