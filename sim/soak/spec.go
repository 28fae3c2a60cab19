package soak

import (
	"fmt"
	"strings"
	"time"

	"estab/internal/netem"
	"estab/sim"
	"estab/tcp"
)

// Client and Server are the two hosts, in the order in which a Spec has them.
const (
	Client = iota
	Server
)

// Spec describes a world: everything that happens in it follows from this.
type Spec struct {
	Seed   uint64 // of the world's luck
	Hosts  [2]tcp.Config
	Conns  [2]tcp.ConnConfig // of the connections at each end
	MTU    int               // of the path, bytes
	Hop    int               // MTU of a hop in the middle, between two routers; 0: no routers
	Silent bool              // the routers swallow what is too large without a word
	Path   [2]netem.Model    // from client to server, and back
	Talks  []Talk
	Faults []Fault
}

// Talk is a connection and what its two programs do.
type Talk struct {
	At    time.Duration // when the client opens it
	IPv6  bool
	Port  uint16 // the client's; 0: its engine chooses
	Plans [2]sim.Plan
}

// FaultKind says what befalls a world.
type FaultKind uint8

// The kinds of faults.
const (
	Partition  FaultKind = iota // the path drops everything for a time
	Crash                       // a host loses its memory, and is down for a time
	Hold                        // the N-th packet is kept back for a time
	ForgeReset                  // a third party sends Host a RST, in the window but not exact
	ForgeSyn                    // … a SYN in the window
	ForgeText                   // … text in the window with an ACK that can't be
	ForgeBlind                  // … a RST and text with random numbers
	ForgeICMP                   // … an ICMP error about a segment that was never sent
	numFaults
)

var faultNames = [numFaults]string{"partition", "crash", "segment held back", "forged reset", "forged SYN", "forged text", "blind forgery", "forged ICMP"}

func (k FaultKind) String() string { return faultNames[k] }

// Fault is something that befalls a world.
type Fault struct {
	Kind FaultKind
	At   time.Duration
	For  time.Duration // how long it lasts
	Host int           // whom
	N    int           // which packet; luck of a forger
}

func (f Fault) String() string {
	switch f.Kind {
	case Partition:
		return fmt.Sprintf("%v at %v for %v", f.Kind, f.At, f.For)
	case Crash:
		return fmt.Sprintf("%v of the %s at %v, down for %v", f.Kind, endName(f.Host), f.At, f.For)
	case Hold:
		return fmt.Sprintf("packet %d is kept back for %v", f.N, f.For)
	}
	return fmt.Sprintf("%v to the %s at %v", f.Kind, endName(f.Host), f.At)
}

func endName(host int) string {
	if host == Client {
		return "client"
	}
	return "server"
}

// String describes the world in a few lines.
func (s *Spec) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, MTU %d", s.Seed, s.MTU)
	if s.Hop > 0 {
		fmt.Fprintf(&b, ", %d between two routers", s.Hop)
		if s.Silent {
			b.WriteString(" that swallow what is larger")
		}
	}
	b.WriteByte('\n')
	for i, way := range [2]string{"to the server", "to the client"} {
		if text := s.Path[i].String(); text != "" {
			fmt.Fprintf(&b, "path %s: %s\n", way, text)
		}
	}
	for i := range s.Hosts {
		if text := configText(&s.Hosts[i], &s.Conns[i]); text != "" {
			fmt.Fprintf(&b, "%s: %s\n", endName(i), text)
		}
	}
	for i, t := range s.Talks {
		version := 4
		if t.IPv6 {
			version = 6
		}
		fmt.Fprintf(&b, "connection %d at %v, IPv%d", i+1, t.At, version)
		if t.Port != 0 {
			fmt.Fprintf(&b, ", port %d", t.Port)
		}
		b.WriteByte('\n')
		for e := range t.Plans {
			fmt.Fprintf(&b, "  %s %s\n", endName(e), planText(&t.Plans[e]))
		}
	}
	for _, f := range s.Faults {
		fmt.Fprintf(&b, "%v\n", f)
	}
	return b.String()
}

// configText lists what is not as always.
func configText(c *tcp.Config, o *tcp.ConnConfig) string {
	var t []string
	add := func(on bool, format string, args ...any) {
		if on {
			t = append(t, fmt.Sprintf(format, args...))
		}
	}
	add(c.NoSACK, "no SACK")
	add(c.NoTimestamps, "no timestamps")
	add(c.NoWindowScaling, "no window scaling")
	add(c.NoFastPath, "no fast path")
	add(c.NoTimeWaitReuse, "no reuse of TIME-WAIT")
	add(c.Congestion != "", "%s", c.Congestion)
	add(c.DelayedAck < 0, "no delayed ACKs")
	add(c.MSL != 0, "MSL %v", c.MSL)
	add(c.RTOMin != 0, "RTO at least %v", c.RTOMin)
	add(o.MSS != 0, "MSS %d", o.MSS)
	add(o.ReceiveBuffer != 0, "receive buffer %d", o.ReceiveBuffer)
	add(o.SendBuffer != 0, "send buffer %d", o.SendBuffer)
	add(o.NoDelay, "no Nagle")
	add(o.DelayFinAck, "the ACK of a FIN waits")
	add(o.UserTimeout != 0, "user timeout %v", o.UserTimeout)
	add(o.KeepAlive.On, "keep-alive")
	return strings.Join(t, ", ")
}

func planText(p *sim.Plan) string {
	t := []string{fmt.Sprintf("sends %d in pieces of %d", p.Send, max(min(p.Chunk, p.Send), 1))}
	add := func(on bool, format string, args ...any) {
		if on {
			t = append(t, fmt.Sprintf(format, args...))
		}
	}
	add(p.Pause > 0, "every %v", p.Pause)
	add(true, "reads %d at a time", p.Read)
	add(p.ReadPause > 0, "every %v", p.ReadPause)
	add(p.Stall > 0, "after %d bytes nothing for %v", p.StallAt, p.Stall)
	add(p.HalfClose, "closes when it has sent")
	add(!p.HalfClose, "closes after the other end")
	add(p.Abort > 0, "aborts after %d bytes", p.Abort)
	add(p.AbortAt > 0, "aborts after %v", p.AbortAt)
	add(p.CloseAt > 0, "gives up after %v", p.CloseAt)
	add(p.Linger > 0, "lingers %v", p.Linger)
	return strings.Join(t, ", ")
}
