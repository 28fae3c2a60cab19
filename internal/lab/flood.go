package lab

import (
	"encoding/binary"
	"slices"
	"time"

	"estab/internal/netem"
	"estab/internal/seq"
	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// flooding is a SYN flood on B, and what is measured of it.
type flooding struct {
	Rate    int           // forged SYNs a second
	For     time.Duration // from the beginning of the world
	Sources int           // forged addresses: 1 is one, 0 as many as SYNs
	Victim  bool          // they all carry A's address

	stage    *Stage
	n        int
	template tcp.Segment
	synBytes int // of forged SYNs
	ackBytes int // of what B answers
	halfOpen int // most at a time
	Series   []Sample
}

// Sample is the state of a flooded B at a moment.
type Sample struct {
	At        time.Duration
	HalfOpen  int
	SynAcks   int // sent to forged addresses so far
	Connected int // honest clients so far
}

// start begins the flood.
func (f flooding) start(s *Stage) {
	f.stage = s
	s.flood = &f
	f.template = tcp.Segment{Flags: wire.SYN, Wnd: 65535}
	f.template.Remote, f.template.RemotePort = wire.AddrFrom(s.Host(B).Addrs[0]), serverPort
	f.template.Options.Set, f.template.Options.MSS = wire.OptMSS, 1460
	s.At(0, f.pulse)
	s.At(0, f.sample)
}

// pulse sends what is due. Above 1,000 a second several come at once.
func (f *flooding) pulse() {
	s := f.stage
	due := min(int(s.Now().Seconds()*float64(f.Rate))+1, int(f.For.Seconds()*float64(f.Rate)))
	for f.n < due {
		f.n++
		b := f.syn()
		if f.Rate <= 10 {
			s.Note(B, "a forged SYN arrives")
		}
		f.synBytes += len(b)
		s.inject(B, b)
	}
	f.halfOpen = max(f.halfOpen, s.Host(B).TCP().Counts().HalfOpen)
	if f.n < int(f.For.Seconds()*float64(f.Rate)) {
		s.World.After(max(time.Second/time.Duration(f.Rate), time.Millisecond), f.pulse)
	}
}

// sampleEvery is how often a flooded B is looked at.
const sampleEvery = 100 * time.Millisecond

func (f *flooding) sample() {
	x := Sample{At: f.stage.Now(), HalfOpen: f.stage.Host(B).TCP().Counts().HalfOpen, SynAcks: f.ackBytes}
	for _, e := range f.stage.actors[A].ends {
		if e.Connected >= 0 {
			x.Connected++
		}
	}
	f.Series = append(f.Series, x)
	if f.stage.Now() < f.For {
		f.stage.World.After(sampleEvery, f.sample)
	}
}

// syn is the next forged SYN.
func (f *flooding) syn() []byte {
	k := f.template
	r := wire.SipHash(wire.Key{f.stage.Params.Seed, 0xf100d}, uint64(f.n), 0)
	who := uint32(f.n)
	if f.Sources > 0 {
		who = uint32(f.n % f.Sources)
	}
	k.Local = forgedAddr(who)
	if f.Victim {
		k.Local = wire.AddrFrom(f.stage.Host(A).Addrs[0])
	}
	k.LocalPort = uint16(r)%28000 + 1024
	k.Seq = seq.Num(r >> 32)
	return packet(&k, nil)
}

// forgedAddr is an address in 10.16.0.0/12 for each n.
func forgedAddr(n uint32) wire.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|16<<16|n&0xfffff)
	return wire.AddrFrom4(b[:])
}

// forged reports whether a packet of B's is for an address that was forged, at
// which there is nobody; or for a port of the victim's from which it sent
// nothing.
func (f *flooding) forged(b []byte) bool {
	if len(b) < 24 {
		return false
	}
	if f.Victim {
		return b[19] == 1 && binary.BigEndian.Uint16(b[22:]) < clientPort && binary.BigEndian.Uint16(b[20:]) == serverPort
	}
	return b[16] == 10 && b[17]>>4 == 1
}

// swallow takes what B sends to forged addresses off the path.
func (f *flooding) swallow(p *sim.Packet) bool {
	if !p.Back || !f.forged(p.Data) {
		return false
	}
	f.ackBytes += len(p.Data)
	p.Fate = netem.Fate{Passage: netem.Passage{Drop: netem.Lost}}
	return true
}

// clients opens honest connections from A, so many, one after a gap each.
func clients(s *Stage, n int, first, gap time.Duration) {
	for i := range n {
		s.At(first+time.Duration(i)*gap, func() {
			s.actors[A].connect(uint16(clientPort + i))
			s.Host(A).Flush()
		})
	}
}

// measured are the figures of a flooded world.
type measured struct {
	clients, ok      int
	median, worst    time.Duration
	halfOpen         int
	ratio            float64 // bytes of SYN-ACK to forged addresses per byte of forged SYN
	cookies, limited uint64
	evicted, drops   uint64
}

func (p *Play) measure() measured {
	m := measured{clients: len(p.Ends[A])}
	var took []time.Duration
	for _, e := range p.Ends[A] {
		if e.Connected >= 0 && (e.Err == 0 || e.ErrAt-e.Connected > time.Second) {
			m.ok++
			took = append(took, e.Connected-e.Began)
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		m.median, m.worst = took[len(took)/2], took[len(took)-1]
	}
	c := &p.Counters[B]
	m.cookies, m.limited, m.evicted = c.CookiesSent, c.SourceLimited, c.HalfOpenEvictions
	m.drops = c.Drops[wire.DropBacklog] + c.Drops[wire.DropSourceLimit]
	if f := p.stage.flood; f != nil {
		m.halfOpen = f.halfOpen
		if f.synBytes > 0 {
			m.ratio = float64(f.ackBytes) / float64(f.synBytes)
		}
	}
	return m
}
