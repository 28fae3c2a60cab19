package estab

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"runtime"
	"time"

	"estab/link"
	"estab/tcp"
)

// Config says what a host is made of. The zero Config is a host with a
// loopback and nothing else. In every field 0 means the default and, where
// that makes sense, a negative value means off.
type Config struct {
	Links  []LinkConfig
	Routes []Route // beside those to the networks that the links are in

	// Shards is how many parts the connections are spread over, each with a
	// lock of its own: a power of two. 0: at least eight for each processor
	// that Go uses. One is enough for simulations and small tests.
	Shards int

	// Resolver looks up the names that Dial and Listen are given;
	// *net.Resolver fits. Nil: an IP literal is required.
	Resolver Resolver

	// Secret keys everything that an outsider must not predict: sequence
	// numbers (RFC 6528), timestamps, ports (RFC 6056), hash tables. Zero:
	// drawn from crypto/rand, which is what everybody should want who doesn't
	// need runs that repeat.
	Secret [32]byte

	MSL             time.Duration // maximum segment lifetime, half of TIME-WAIT; 30 s. Off: no TIME-WAIT
	RTOMin          time.Duration // shortest retransmission time-out; 200 ms
	DelayedAck      time.Duration // how long an acknowledgement may wait; 40 ms. Off: never
	FinWait2Timeout time.Duration // how long a closed connection waits for the peer's FIN; 60 s
	KeepAlive       time.Duration // idle time before keep-alive probes; 15 s, as package net. Off: none

	ReceiveBuffer    int // bytes a connection starts with; 64 KiB
	ReceiveBufferMax int // bytes it may grow to; 4 MiB
	SendBuffer       int // bytes a connection starts with; 64 KiB
	SendBufferMax    int // bytes it may grow to; 4 MiB

	TTL        uint8  // of packets (RFC 9293 MUST-49), and hop limit; 64
	Congestion string // "cubic" or "reno"; "cubic"
	NoFastPath bool   // every segment takes all steps of RFC 9293 §3.10.7.4; for whoever doubts the short cut
	ECN        int    // explicit congestion notification (RFC 3168): 0 where a peer offers it, 1 offered too. Off: never
	Backlog    int    // connections that wait for Accept, per listener; 4096
	MaxConns   int    // connections of the host that are in their user's hands; 1,048,576

	PortFirst, PortLast uint16 // ephemeral ports; 32768 to 60999

	// Events is how many protocol events a shard keeps for [Host.Events]. 0:
	// none. EventMask says of which kinds, so that the many that nobody wants
	// (a segment in, a segment out, a round trip) cost nothing and push nothing
	// out. 0: all.
	Events    int
	EventMask tcp.EventKind
}

// LinkConfig attaches a link to a host.
type LinkConfig struct {
	Link  link.Link
	Addrs []netip.Prefix // the host's addresses there, and the networks that the link reaches
	Name  string         // for routes and zones; "link1", "link2" and so on by default
}

// Route says that packets for Dst leave by a link.
type Route struct {
	Dst  netip.Prefix
	Via  netip.Addr // the router; may be zero where the link knows but one
	Link string     // the link's name; "" is the first
}

const (
	defaultBacklog   = 4096 // Linux: net.core.somaxconn
	defaultMaxConns  = 1 << 20
	defaultKeepAlive = 15 * time.Second // package net
	maxShards        = 1 << 12
	maxHalfOpen      = 1 << 16 // of the host: each shard has its part, by the keyed hash of the flow
	maxTimeWait      = 1 << 20
	maxSources       = 1 << 12 // entries in which SYNs are counted by source, likewise
	maxLinks         = 63      // with the loopback, one bit each in a word
)

// withDefaults checks the configuration and fills in what is zero.
func (c Config) withDefaults() (Config, error) {
	if c.Shards == 0 {
		c.Shards = 1 << bits.Len(uint(8*runtime.GOMAXPROCS(0)-1))
	}
	if c.Shards < 1 || c.Shards > maxShards || c.Shards&(c.Shards-1) != 0 {
		return c, fmt.Errorf("estab: Config.Shards is %d: it must be a power of two, at most %d", c.Shards, maxShards)
	}
	if c.Secret == [32]byte{} {
		// Obeys: RFC 6528 4.
		rand.Read(c.Secret[:])
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = defaultKeepAlive
	}
	if c.Backlog == 0 {
		c.Backlog = defaultBacklog
	}
	if c.MaxConns == 0 {
		c.MaxConns = defaultMaxConns
	}
	if c.EventMask == 0 {
		c.EventMask = tcp.EventAll
	}
	if len(c.Links) > maxLinks {
		return c, fmt.Errorf("estab: %d links: at most %d are possible", len(c.Links), maxLinks)
	}
	if c.Backlog < 0 || c.MaxConns < 0 || c.Events < 0 {
		return c, errors.New("estab: Config.Backlog, MaxConns and Events can't be negative")
	}
	links, err := nameLinks(c.Links)
	c.Links = links
	return c, err
}

// nameLinks gives names to the links that have none and refuses those that
// can't be told apart.
func nameLinks(links []LinkConfig) ([]LinkConfig, error) {
	named := make([]LinkConfig, len(links))
	seen := map[string]bool{loopbackName: true}
	for i, l := range links {
		if l.Link == nil {
			return nil, fmt.Errorf("estab: Config.Links[%d].Link is nil", i)
		}
		if l.Name == "" {
			l.Name = fmt.Sprintf("link%d", i+1)
		}
		if seen[l.Name] {
			return nil, fmt.Errorf("estab: two links are called %q", l.Name)
		}
		seen[l.Name] = true
		named[i] = l
	}
	return named, nil
}

// engine is the configuration of a shard's engine.
func (c *Config) engine(ring *tcp.Ring) tcp.Config {
	return tcp.Config{
		Secret: c.Secret, Events: ring,
		MSL: c.MSL, RTOMin: c.RTOMin, DelayedAck: c.DelayedAck, FinWait2Timeout: c.FinWait2Timeout,
		ReceiveBuffer: c.ReceiveBuffer, ReceiveBufferMax: c.ReceiveBufferMax,
		SendBuffer: c.SendBuffer, SendBufferMax: c.SendBufferMax,
		Congestion: c.Congestion, ECN: c.ECN,
		NoFastPath:  c.NoFastPath,
		MaxHalfOpen: max(maxHalfOpen/c.Shards, 256),
		Defence:     tcp.Defence{Sources: max(maxSources/c.Shards, 256)},
		MaxTimeWait: max(maxTimeWait/c.Shards, 1024),
		PortFirst:   c.PortFirst, PortLast: c.PortLast,
	}
}
