package soak

import (
	"math/rand/v2"
	"time"

	"estab/internal/netem"
	"estab/sim"
	"estab/tcp"
)

// Draw makes the world of a seed.
func Draw(seed uint64, p Profile) Spec {
	d := drawer{r: rand.New(rand.NewPCG(seed, 0x50a4)), p: p}
	s := Spec{Seed: seed, MTU: 600 + d.r.IntN(900)}
	if d.r.IntN(4) == 0 {
		s.MTU = 1500
	}
	for i := range s.Hosts {
		s.Hosts[i], s.Conns[i] = d.config()
	}
	msl := d.msl()
	s.Hosts[Client].MSL, s.Hosts[Server].MSL = msl, msl
	d.path(&s)
	d.talks(&s)
	d.faults(&s, msl)
	s.tame()
	if s.rough() {
		for i := range s.Conns {
			s.Conns[i].KeepAlive = tcp.KeepAlive{On: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 5}
		}
	}
	return s
}

// mostSegments is what the text of an end takes at most, about.
const mostSegments = 400

// tame keeps tiny windows from making a world out of one connection.
func (s *Spec) tame() {
	for i := range s.Talks {
		for e := range s.Talks[i].Plans {
			p, peer := &s.Talks[i].Plans[e], &s.Talks[i].Plans[1-e]
			p.Send = min(p.Send, mostSegments*s.piece(e), mostSegments*peer.Read)
		}
	}
}

// rough reports whether an end may be left alone for good: then only
// keep-alive finds out.
func (s *Spec) rough() bool {
	for _, f := range s.Faults {
		if f.Kind == Partition || f.Kind == Crash || f.Kind >= ForgeReset {
			return true
		}
	}
	for i := range s.Talks {
		for e := range s.Talks[i].Plans {
			if !s.Talks[i].Plans[e].Orderly() || s.Talks[i].Plans[e].Linger > 0 {
				return true
			}
		}
		if s.Conns[0].UserTimeout+s.Conns[1].UserTimeout > 0 {
			return true
		}
	}
	for _, m := range s.Path {
		if m.Loss.Kind != netem.NoLoss {
			return true // a RST, or all of R2, can get lost
		}
	}
	return s.Silent || s.Path[0].MTU+s.Path[1].MTU > 0
}

type drawer struct {
	r *rand.Rand
	p Profile
}

// often is true in that many of a hundred cases.
func (d *drawer) often(percent int) bool { return d.r.IntN(100) < percent }

// between is a time, short ones as likely as long ones.
func (d *drawer) between(lo, hi time.Duration) time.Duration {
	t := lo
	for t < hi && d.r.IntN(3) > 0 {
		t *= 2
	}
	return min(t+time.Duration(d.r.Int64N(int64(t))), hi).Round(time.Microsecond)
}

func (d *drawer) msl() time.Duration {
	switch d.r.IntN(4) {
	case 0:
		return 5 * time.Second
	case 1:
		return 2 * time.Minute
	}
	return 0
}

func (d *drawer) config() (c tcp.Config, o tcp.ConnConfig) {
	c.NoSACK, c.NoTimestamps, c.NoWindowScaling = d.often(d.p.Options), d.often(d.p.Options), d.often(d.p.Options)
	c.NoFastPath, c.NoTimeWaitReuse = d.often(d.p.Options), d.often(d.p.Options/2)
	if d.r.IntN(2) == 0 {
		c.Congestion = "reno"
	}
	if d.often(d.p.Options) {
		c.DelayedAck = -1
	}
	if d.often(d.p.Options) {
		c.RTOMin = time.Second
	}
	o.NoDelay, o.DelayFinAck = d.often(d.p.Options), d.often(d.p.Options)
	if d.often(d.p.Tiny) {
		o.ReceiveBuffer = 1 + d.r.IntN([]int{5, 100, 3000}[d.r.IntN(3)])
	}
	if d.often(d.p.Tiny / 2) {
		o.SendBuffer = 1 + d.r.IntN([]int{20, 3000}[d.r.IntN(2)])
	}
	if d.often(d.p.Tiny / 2) {
		o.MSS = 48 + d.r.IntN(500)
	}
	if d.often(d.p.Rude / 3) {
		o.UserTimeout = d.between(time.Second, 5*time.Minute)
	}
	return c, o
}

// path draws both directions and what lies between.
func (d *drawer) path(s *Spec) {
	slow := d.often(d.p.Rate)
	for i := range s.Path {
		m := &s.Path[i]
		m.Delay.Mean = int64(d.between(100*time.Microsecond, 200*time.Millisecond))
		if d.often(d.p.Jitter) {
			m.Delay.Jitter = d.r.Int64N(m.Delay.Mean)
		}
		if d.often(d.p.Loss) {
			m.Loss = d.loss()
		}
		if d.often(d.p.Reorder) {
			m.Reorder = netem.Reorder{Chance: d.chance(20), Gap: 1 + d.r.IntN(4)}
		}
		if d.often(d.p.Double) {
			m.Duplicate = d.chance(10)
		}
		if d.often(d.p.Corrupt) {
			m.Corrupt = d.chance(10)
		}
		if slow {
			m.Rate.Bits = uint64(256+d.r.IntN(4000)) * 1000
			m.Limit = 5 + d.r.IntN(45)
		}
		if d.often(d.p.Swallow) {
			m.MTU = max(576, s.MTU-d.r.IntN(300))
		}
	}
	if d.often(d.p.Router) {
		s.Hop = max(576, s.MTU-d.r.IntN(600))
		s.Silent = d.often(d.p.Swallow)
	}
}

// chance is up to so many percent.
func (d *drawer) chance(percent int) netem.Chance {
	return netem.Chance{P: netem.MaxProb / 1000 * netem.Prob(1+d.r.IntN(10*percent))}
}

func (d *drawer) loss() netem.Loss {
	if d.r.IntN(3) == 0 { // in bursts
		p, r := d.chance(5), d.chance(60)
		return netem.Loss{Kind: netem.GilbertLoss, P: [5]netem.Prob{p.P, max(r.P, netem.MaxProb/10), netem.MaxProb}}
	}
	return netem.Loss{Kind: netem.RandomLoss, P: [5]netem.Prob{d.chance(20).P}}
}

func (d *drawer) talks(s *Spec) {
	n := 1 + d.r.IntN(4)
	at := time.Duration(0)
	reuse := d.often(d.p.Reuse)
	ipv6 := d.r.IntN(3) == 0
	for range n {
		t := Talk{At: at, IPv6: ipv6, Plans: [2]sim.Plan{d.plan(), d.plan()}}
		if reuse {
			t.Port = 40000
		} else {
			t.IPv6 = d.r.IntN(3) == 0
		}
		if t.IPv6 {
			s.MTU, s.Hop = max(s.MTU, 1280), hopAtLeast(s.Hop, 1280)
			for i := range s.Path {
				s.Path[i].MTU = hopAtLeast(s.Path[i].MTU, 1280)
			}
		}
		if !t.Plans[Client].HalfClose && !t.Plans[Server].HalfClose {
			t.Plans[d.r.IntN(2)].HalfClose = true // or both wait for ever
		}
		s.Talks = append(s.Talks, t)
		if reuse {
			at += d.between([]time.Duration{10 * time.Millisecond, 2 * time.Second, 2 * time.Minute}[d.r.IntN(3)], 10*time.Minute)
		} else {
			at += d.between(time.Millisecond, 5*time.Second)
		}
	}
}

func hopAtLeast(mtu, least int) int {
	if mtu == 0 {
		return 0
	}
	return max(mtu, least)
}

func (d *drawer) plan() sim.Plan {
	p := sim.Plan{
		Send:      d.r.IntN([]int{1, 2, 20, 1000, 4000}[d.r.IntN(5)]),
		Chunk:     1 + d.r.IntN([]int{20, 1460, 5000}[d.r.IntN(3)]),
		Read:      1 + d.r.IntN([]int{100, 5000}[d.r.IntN(2)]),
		HalfClose: d.r.IntN(3) > 0,
	}
	if d.often(d.p.Large) {
		p.Send, p.Chunk = d.r.IntN(200_000), 1+d.r.IntN(20_000)
	}
	if p.Chunk < 20 {
		p.Send = min(p.Send, 400)
	}
	if d.often(d.p.Slow) {
		p.Pause = d.between(time.Millisecond, time.Second)
		p.Send = min(p.Send, 20*p.Chunk)
	}
	if d.often(d.p.Slow) {
		p.ReadPause = d.between(time.Millisecond, time.Second)
		p.Read = max(p.Read, 500)
	}
	if d.often(d.p.Stall) {
		p.StallAt, p.Stall = d.r.IntN(2000), d.between(10*time.Millisecond, 5*time.Minute)
	}
	if d.often(d.p.Rude) {
		switch d.r.IntN(4) {
		case 0:
			p.Abort = 1 + d.r.IntN(p.Send+1)
		case 1:
			p.AbortAt = d.between(time.Millisecond, time.Minute)
		case 2:
			p.CloseAt = d.between(time.Millisecond, time.Minute)
		default:
			p.Linger = d.between(10*time.Millisecond, 10*time.Second)
		}
	}
	return p
}

func (d *drawer) faults(s *Spec, msl time.Duration) {
	if msl == 0 {
		msl = 30 * time.Second
	}
	last := s.Talks[len(s.Talks)-1].At
	when := func() time.Duration {
		return s.Talks[d.r.IntN(len(s.Talks))].At + d.between(time.Millisecond, 10*time.Second)
	}
	if d.often(d.p.Partition) {
		s.Faults = append(s.Faults, Fault{Kind: Partition, At: when(), For: d.between(10*time.Millisecond, 20*time.Minute)})
	}
	if d.often(d.p.Crash) {
		s.Faults = append(s.Faults, Fault{Kind: Crash, At: min(when(), last+time.Minute), Host: d.r.IntN(2), For: d.between(time.Millisecond, time.Minute)})
	}
	if d.often(d.p.Hold) {
		for range 1 + d.r.IntN(2) {
			s.Faults = append(s.Faults, Fault{Kind: Hold, N: d.r.IntN(30), For: d.between(10*time.Millisecond, msl/2)})
		}
	}
	if d.often(d.p.Forge) {
		for range 1 + d.r.IntN(4) {
			kind := ForgeReset + FaultKind(d.r.IntN(int(numFaults-ForgeReset)))
			s.Faults = append(s.Faults, Fault{Kind: kind, At: when(), Host: d.r.IntN(2), N: d.r.IntN(1 << 20)})
		}
	}
}
