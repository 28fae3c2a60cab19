package soak

import (
	"cmp"
	"slices"
	"time"

	"estab/sim"
)

// Options say which worlds are played, and how.
type Options struct {
	Profile    Profile
	From, To   uint64        // the seeds, both included
	Workers    int           // goroutines, each with a world of its own; 0: 1
	CheckEvery int           // the engines' invariants are checked after every so many events; 0: 1
	Limit      time.Duration // virtual time in which a world must come to rest; 0: two days
	Failures   int           // after how many failures to stop; 0: 1

	// Stop, if not nil, is asked now and then; true ends the run after the
	// worlds that are being played.
	Stop func() bool

	// Progress, if not nil, is told now and then how far it is.
	Progress func(Progress)

	// Meddle is handed to each path: a way to plant a fault.
	Meddle func(*sim.Packet)
}

func (o *Options) limit() time.Duration {
	if o.Limit > 0 {
		return o.Limit
	}
	return 48 * time.Hour
}

// Progress is how far a run is.
type Progress struct {
	Worlds, Conns, Failures int
	Total                   uint64 // worlds in all, if it isn't stopped
}

// Summary is what a run found. It does not depend on the number of workers,
// unless the run was stopped.
type Summary struct {
	Profile     string       `json:"profile"`
	From        uint64       `json:"from"`
	To          uint64       `json:"to"` // the last seed that was played
	Worlds      int          `json:"worlds"`
	Conns       int          `json:"connections"`
	Bytes       int          `json:"bytes"` // that arrived
	Segments    int          `json:"segments"`
	Again       int          `json:"again"` // segments that were sent again
	Endings     []Count      `json:"endings"`
	Reasons     []Count      `json:"reasons"`  // of the ends that ended with an error
	Disagree    []Count      `json:"disagree"` // of those, where the other end closed in order
	Impairments []Impairment `json:"impairments"`
	Failures    []Failure    `json:"failures"`
}

// Failure is a world in which something is wrong.
type Failure struct {
	Seed  uint64 `json:"seed"`
	Err   string `json:"error"`
	World Spec   `json:"-"`
	Small Spec   `json:"-"` // the smallest world that still fails
	Tries int    `json:"tries"`
	Conn  int    `json:"-"` // which of the small world's connections; -1: none in particular
	Again string `json:"smallError"`
	Text  string `json:"small"` // the small world in words

	options *Options
}

// batch is how many seeds a worker takes at a time.
const batch = 16

// part is what a worker has played: the seeds from first on.
type part struct {
	first    uint64
	n        uint64
	tally    tally
	failures []Failure
}

// Run plays the worlds of the seeds.
func Run(o *Options) Summary {
	seeds := make(chan uint64)
	parts := make(chan part)
	stop := make(chan struct{})
	workers := max(o.Workers, 1)
	go deal(o, seeds, stop)
	done := make(chan struct{})
	for range workers {
		go func() {
			for first := range seeds {
				parts <- playBatch(o, first)
			}
			done <- struct{}{}
		}()
	}
	s := Summary{Profile: o.Profile.Name, From: o.From, To: o.From}
	var sum tally
	stopped := false
	for workers > 0 {
		select {
		case p := <-parts:
			sum.add(&p.tally)
			s.To = max(s.To, p.first+p.n-1)
			s.Failures = append(s.Failures, p.failures...)
			if o.Progress != nil {
				o.Progress(Progress{Worlds: sum.worlds, Conns: sum.conns, Failures: len(s.Failures), Total: o.To - o.From + 1})
			}
			if !stopped && (len(s.Failures) >= max(o.Failures, 1) || o.Stop != nil && o.Stop()) {
				stopped = true
				close(stop)
			}
		case <-done:
			workers--
		}
	}
	s.finish(o, &sum)
	return s
}

// deal hands out the seeds in batches.
func deal(o *Options, seeds chan<- uint64, stop <-chan struct{}) {
	defer close(seeds)
	for first := o.From; ; first += batch {
		select {
		case seeds <- first:
		case <-stop:
			return
		}
		if o.To-first < batch {
			return
		}
	}
}

// playBatch plays and judges a batch of worlds.
func playBatch(o *Options, first uint64) part {
	p := part{first: first, n: min(batch-1, o.To-first) + 1}
	for seed := first; seed-first < p.n; seed++ {
		s := Draw(seed, o.Profile)
		r := play(&s, o, 0)
		if conn, err := r.judge(); err != nil {
			p.failures = append(p.failures, Failure{Seed: seed, Err: err.Error(), World: s, Conn: conn})
		}
		p.tally.count(r)
	}
	return p
}

// finish shrinks the failures and puts everything in order.
func (s *Summary) finish(o *Options, sum *tally) {
	s.Worlds, s.Conns, s.Bytes, s.Segments, s.Again = sum.worlds, sum.conns, sum.bytes, sum.segments, sum.again
	s.Endings, s.Reasons, s.Disagree = sorted(sum.endings), sorted(sum.reasons), sorted(sum.disagree)
	s.Impairments = sum.impairments
	slices.SortFunc(s.Impairments, func(a, b Impairment) int {
		return cmp.Or(cmp.Compare(b.Worlds, a.Worlds), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(s.Failures, func(a, b Failure) int { return cmp.Compare(a.Seed, b.Seed) })
	for i := range s.Failures[:min(len(s.Failures), max(o.Failures, 1))] {
		s.Failures[i].shrink(o)
	}
	s.Failures = s.Failures[:min(len(s.Failures), max(o.Failures, 1))]
}
