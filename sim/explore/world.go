package explore

import (
	"time"

	"estab/tcp"
)

// A and B are the two ends.
const (
	A = iota
	B
)

// World is what is searched.
type World struct {
	Name, Title string
	Ends        [2]End

	// What the network may do in all: lose and double so many segments, and
	// keep segments in flight while so many time-outs pass.
	Lose, Double, Delay int
	InFlight            int // segments under way at once at most; 0: 6

	// InOrder makes the network deliver what an end sends in the order in which
	// it was sent.
	InOrder bool

	// Strays are under way when the world begins: from an earlier time, or
	// forged.
	Strays []Stray

	// Tick is how much time passes at least between the end of an end's last
	// connection and its next: 0: 40 ms. RFC 9293 §3.4.1 takes for granted that
	// the clock of initial sequence numbers outruns what a connection sends;
	// with a shorter time it doesn't.
	Tick time.Duration

	Wrap   bool // sequence numbers pass 2^31 and 2^32
	Stay   bool // the world may end with both ends in ESTABLISHED
	Resets bool // a RST may end a connection: somebody aborts, crashes or is not there
	GiveUp bool // a time-out may end a connection: keep-alive, or nobody there

	// TwoWay makes B's handshake one of two segments: a shim answers B's own
	// SYN,ACK with a forged third segment at once. Engine and search are the
	// same.
	TwoWay bool

	// Brief lets an end be for a moment in a connection of which the other does
	// not know yet; what counts is how it ends.
	Brief bool

	Fault string // what is planted in this world, in words; "": nothing
}

// Stray is a segment that looks as if an end had sent it.
type Stray struct {
	From int
	Seg  tcp.Segment // Tuple apart; A's first initial sequence number is 100, B's 300
}

// End is one end of a world.
type End struct {
	TCP     tcp.Config     // where it is not 0, instead of what the search sets
	Conn    tcp.ConnConfig // of its connections
	Listens bool           // it is in LISTEN when the world begins
	Late    time.Duration  // its user takes no byte of a connection before a step Read, or this time
	Program []Step         // what its user does, in this order, each step at any time
	Serve   []Step         // what its user does with each connection that its listener has
}

// Op is what a user can do.
type Op uint8

// The steps of a user. Receiving is none but in an End that is Late: a user
// takes what there is at once, and gives the connection up when both directions are closed and it has
// nothing left to do with it, or when an error has ended it.
const (
	Open     Op = iota // active OPEN
	Listen             // passive OPEN
	Unlisten           // CLOSE in LISTEN
	Cancel             // active OPEN, given up as soon as the SYN has left
	Turn               // LISTEN to SYN-SENT: passive to active (§3.10.1); Unlisten and Open in one step
	Send               // SEND of N bytes, once the connection stands
	Shutdown           // CLOSE, once the connection stands
	Early              // CLOSE, already in SYN-RECEIVED
	Close              // give the connection up, in whatever state
	Abort              // ABORT
	Read               // begin to RECEIVE, before End.Late makes it
	Await              // wait for the peer's FIN, or an error
	Pause              // let N milliseconds pass
	Crash              // the host loses its memory
	Restart            // and comes back
)

var opNames = [...]string{"opens", "listens", "stops listening", "opens, and gives up before an answer comes", "opens instead of listening", "sends", "closes", "closes already",
	"gives the connection up", "aborts", "begins to read", "waits", "pauses", "crashes", "comes back again"}

// Step is a step of a user.
type Step struct {
	Do Op
	N  int
}

// ofConnection reports whether the step needs a connection.
func (s Step) ofConnection() bool {
	switch s.Do {
	case Send, Shutdown, Early, Close, Abort, Read, Await:
		return true
	}
	return false
}

// The constants of the search. Time-outs all take the same time, so that
// states meet again; the window is small, so that numbers that are far apart
// can be told from those that are not.
const (
	msl     = 10 * time.Second // what lives longer in the network is gone
	rto     = time.Second
	retries = 12   // of everything: more than a search loses
	window  = 1000 // bytes
	boot    = tcp.Time(time.Hour)
)

// config is the configuration of an end.
func (w *World) config(end int, boots uint8) tcp.Config {
	c := w.Ends[end].TCP
	for i := range c.Secret {
		c.Secret[i] = byte(1 + end*16 + int(boots)*64 + i)
	}
	c.NoTimestamps, c.NoWindowScaling, c.NoSACK = true, true, true
	c.Congestion = "reno"
	c.RTOInitial, c.RTOMin, c.RTOMax = rto, rto, rto
	if c.DelayedAck == 0 {
		c.DelayedAck = -1
	}
	c.ChallengeAcks = -1
	if c.ChallengeAckWait == 0 {
		c.ChallengeAckWait = -1
	}
	c.Defence.NoSources, c.NoIdleRestart, c.FixedBuffers = true, true, true
	c.SynRetries, c.SynAckRetries = retries, retries
	c.Retries1, c.Retries2, c.OrphanRetries = retries, retries, retries
	c.FinWait2Timeout = 20 * time.Second
	if c.MSL == 0 {
		c.MSL = msl
	}
	c.MaxConns, c.MaxHalfOpen, c.MaxTimeWait = 8, 8, 8
	return c
}

// connConfig is that of an end's connections.
func (w *World) connConfig(end int) tcp.ConnConfig {
	o := w.Ends[end].Conn
	if o.ReceiveBuffer == 0 {
		o.ReceiveBuffer = window
	}
	o.SendBuffer, o.NoDelay = window, true
	return o
}

// draws reports whether an end may draw an initial sequence number more than
// once.
func (w *World) draws(end int) bool {
	n := 0
	if w.Ends[end].Listens {
		return true
	}
	for _, s := range w.Ends[end].Program {
		switch s.Do {
		case Open, Cancel, Turn:
			n++
		case Listen:
			return true
		}
	}
	return n > 1
}
