package tcp

import "time"

// Config is what an engine is made with. In every field 0 means the default
// and, where that makes sense, a negative value means off. docs/defaults.md
// gives the source of each default, check the limits, beyond which New
// refuses a value.
type Config struct {
	// Secret is the key from which all keys of the engine come: ISS
	// (RFC 6528), timestamp offsets, flow hashes, ports, random choices. It
	// must not be zero.
	Secret [32]byte

	Paths  Paths // routes and path MTU; nil: egress 0, 1500 bytes
	Events *Ring // where events go; nil: nowhere

	MSL             time.Duration // maximum segment lifetime; 30 s. Off: no TIME-WAIT
	RTOInitial      time.Duration // before a round trip was measured; 1 s (RFC 6298 2.1)
	RTOMin          time.Duration // 200 ms (RFC 6298 2.4 says 1 s)
	RTOMax          time.Duration // 120 s, and the ceiling of the two above. RFC 6298 2.5: at least 60 s; less is for simulations
	DelayedAck      time.Duration // 40 ms (RFC 9293 SHLD-18); less than 500 ms (MUST-40). Off: every segment is acknowledged
	SynRetries      int           // repeats of a SYN; 7: R2 is 247 s (MUST-23: at least 3 min)
	SynAckRetries   int           // repeats of a SYN-ACK; 3, at most 14
	Retries1        int           // R1 in repeats of a segment; 3 (SHLD-10)
	Retries2        int           // R2 in repeats of a segment; 15 (SHLD-11: at least 100 s)
	OrphanRetries   int           // R2 once the user is gone; 8
	FinWait2Timeout time.Duration // how long an orphan waits for the peer's FIN; 60 s

	ReceiveBuffer    int // bytes a connection starts with; 64 KiB
	ReceiveBufferMax int // bytes it may grow to; 4 MiB
	SendBuffer       int // bytes a connection starts with; 64 KiB
	SendBufferMax    int // bytes it may grow to; 4 MiB

	MaxConns    int // TCBs; 1,048,576
	MaxHalfOpen int // half-open records; 65,536
	MaxTimeWait int // TIME-WAIT records; 1,048,576: the oldest goes first

	Defence       Defence // against SYN floods: what to do without; the limits of a source
	CookiesAlways bool    // take SYN cookies at any time, as in a fleet that shares RotateCookies' secret

	PortFirst, PortLast uint16 // ephemeral ports; 32768 to 60999

	InitialWindow   int    // segments; 10 (RFC 6928)
	Congestion      string // "cubic" or "reno"; "cubic"
	NoTimestamps    bool   // don't offer or accept RFC 7323 timestamps
	NoWindowScaling bool   // don't offer or accept RFC 7323 window scaling
	NoSACK          bool   // don't offer or accept RFC 2018 selective acknowledgements
	NoTimeWaitReuse bool   // never let a newer SYN reopen a pair in TIME-WAIT (RFC 6191)
	ECN             int    // RFC 3168: 0 takes it if the peer offers it (Linux's tcp_ecn=2), 1 offers it too. Off: neither
	NoIdleRestart   bool   // keep the congestion window however long nothing was sent (RFC 5681 §4.1 off)
	FixedBuffers    bool   // buffers stay at the size that they start with
	NoFastPath      bool   // header prediction off: every segment takes the long way

	ChallengeAcks    int           // challenge ACKs a second, all connections together, before jitter; 1,000
	ChallengeAckWait time.Duration // between two challenge ACKs of one connection; 500 ms
}

// Paths is what the engine asks of the layer below.
type Paths interface {
	// Path says how packets for t.Remote leave. An error (ErrNetUnreachable) is
	// 0 if there is a way.
	Path(t *Tuple) (Path, Error)
}

// Path is the way to a peer.
type Path struct {
	Egress uint32 // goes into segments
	MTU    int    // bytes, as far as it is known

	Lends bool // text can leave in the memory in which it is queued, if that is laid out for it
	Sums  bool // the link wants checksums
	Local bool // the other end is in the memory of this process
}

// ConnConfig is what can be chosen for one connection, or for those of a
// listener, before its first segment. The zero value chooses nothing.
type ConnConfig struct {
	MSS           int           // bytes: our MSS option and the largest segment sent are capped at it
	ReceiveBuffer int           // bytes, 1 GiB at most; fixes the size, which then no longer grows by itself
	SendBuffer    int           // bytes; likewise
	Congestion    string        // as Config.Congestion
	UserTimeout   time.Duration // how long sent data may stay unacknowledged, in place of Retries2 (RFC 9293 §3.9.1.1, RFC 5482). Off: for ever
	SynRetries    int           // as Config.SynRetries
	FinWait2      time.Duration // as Config.FinWait2Timeout
	NoDelay       bool          // Nagle off
	DelayFinAck   bool          // delay the ACK of a FIN, so that it can travel with ours
	KeepAlive     KeepAlive
	TOS           uint8 // of what is sent; the ECN bits are ignored
}

// KeepAlive configures keep-alive (RFC 9293 §3.8.4). It is off by default
// (MUST-25).
// Obeys: RFC 9293 MUST-25, MUST-27.
type KeepAlive struct {
	On       bool
	Idle     time.Duration // without anything received; 2 h (MUST-28)
	Interval time.Duration // between probes; 75 s
	Count    int           // unanswered probes before the connection is dead; 9
}

func def[T int | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// withDefaults fills in what is zero.
// Obeys: RFC 9293 MUST-23, SHLD-10, SHLD-11; RFC 5961 7b; RFC 6298 2.1, 2.5.
func (c Config) withDefaults() Config {
	def(&c.MSL, 30*time.Second)
	def(&c.RTOInitial, time.Second)
	def(&c.RTOMin, 200*time.Millisecond)
	def(&c.RTOMax, 120*time.Second)
	def(&c.DelayedAck, 40*time.Millisecond)
	def(&c.SynRetries, 7)
	def(&c.SynAckRetries, 3)
	def(&c.Retries1, 3)
	def(&c.Retries2, 15)
	def(&c.OrphanRetries, 8)
	def(&c.FinWait2Timeout, 60*time.Second)
	def(&c.ReceiveBuffer, 64<<10)
	def(&c.ReceiveBufferMax, 4<<20)
	def(&c.SendBuffer, 64<<10)
	def(&c.SendBufferMax, 4<<20)
	def(&c.MaxConns, 1<<20)
	def(&c.MaxHalfOpen, 1<<16)
	def(&c.MaxTimeWait, 1<<20)
	def(&c.Defence.SourceHalfOpen, max(c.MaxHalfOpen/16, 16))
	def(&c.Defence.SourceSyns, 512)
	def(&c.Defence.Sources, 4096)
	if c.PortFirst == 0 {
		c.PortFirst = 32768
	}
	if c.PortLast == 0 {
		c.PortLast = 60999
	}
	def(&c.InitialWindow, 10)
	if c.Congestion == "" {
		c.Congestion = "cubic"
	}
	def(&c.ChallengeAcks, 1000)
	def(&c.ChallengeAckWait, 500*time.Millisecond)
	c.RTOMin = max(min(c.RTOMin, c.RTOMax), time.Millisecond) // RFC 6298 4: the variance term is not zero
	c.RTOInitial = max(min(c.RTOInitial, c.RTOMax), c.RTOMin)
	c.ReceiveBufferMax = max(c.ReceiveBufferMax, c.ReceiveBuffer)
	c.SendBufferMax = max(c.SendBufferMax, c.SendBuffer)
	return c
}
