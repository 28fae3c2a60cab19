package tcp

import (
	"errors"

	"estab/internal/wire"
	"estab/tcp/cc"
)

// Engine is the TCP of one host, or of one shard of a host: its connections,
// its listeners and what is left of both. It is not safe for concurrent use.
type Engine struct {
	cfg     Config
	now     Time
	keys    struct{ iss, timestamp, flow, portOffset, portCounter, source, cookieMask wire.Key }
	cookies cookieKeys
	alg     cc.Kind

	table     table
	conns     []*conn
	gens      []uint32 // of the slots, also of empty ones
	freeConns []uint32
	nConns    int
	nOrphans  int
	half      halfOpens
	wait      timeWaits
	listeners []listener
	listenAt  map[listenKey]uint32
	nListen   int

	timers    timerHeap
	floor     Time     // see DeadlineFloor
	dirty     []uint32 // slots of connections for which Output may have work
	blocked   []uint32 // slots of connections whose link had no room
	ready     []readyRef
	readyHead int // ready[:readyHead] is taken
	replies   replyQueue
	resets    []Segment // for peers of aborted connections: the link had no room
	chal      challengeLimit
	sources   sources
	ports     portCounters

	pool     wire.Pool
	rings    ringPool
	oooFree  []*reassembly
	out      Segment // scratch of Output
	scratch  [][]byte
	counters Counters
}

// Counters count what an engine did. They only grow.
type Counters struct {
	SegsIn, SegsOut       uint64
	BytesIn, BytesOut     uint64 // text delivered to users; text sent, repeats included
	Drops                 [wire.NumReasons]uint64
	ActiveOpens           uint64 // SYN-SENT entered
	PassiveOpens          uint64 // SYN-RECEIVED entered from LISTEN
	Established           uint64 // handshakes completed
	AttemptFails          uint64 // SYN-SENT or SYN-RECEIVED that ended in CLOSED or LISTEN
	Resets                uint64 // connections ended by a RST
	ResetsSent            uint64
	Aborts                uint64 // connections aborted by their user
	Timeouts              uint64 // connections given up
	Retransmits           uint64 // segments sent again, SYNs and FINs included
	RetransmitBytes       uint64
	RTOs                  uint64 // retransmission time-outs
	FastRecoveries        uint64
	DupAcksIn             uint64
	ChallengeAcks         uint64
	Reneges               uint64 // peers that forgot what they had SACKed
	MissingTimestamps     uint64 // segments without the timestamps that were negotiated
	ZeroWindowProbes      uint64
	KeepAliveProbes       uint64
	TimeWaits             uint64 // TIME-WAIT entered
	TimeWaitRestarts      uint64 // by a repeated FIN
	TimeWaitReuses        uint64 // pairs reopened by a newer SYN
	TimeWaitEvictions     uint64
	SynAckRetransmits     uint64
	ReceiveQueueCollapses uint64 // small segments copied together
	FastPath              uint64 // segments that took it
	CookiesSent           uint64
	CookiesAccepted       uint64
	CookiesRejected       uint64 // ACKs that brought none back while they were taken
	HalfOpenEvictions     uint64
	SourceLimited         uint64 // SYNs over a limit of their source
	IllegalTransitions    uint64 // must stay 0
	MTUReductions         uint64
	ECNReductions         uint64 // of the congestion window, because of marks
}

// Counts are how many things an engine holds now.
type Counts struct {
	Conns     int // TCBs
	Orphans   int // of them, without a user
	HalfOpen  int
	TimeWait  int
	Listeners int
	Timers    int // connections in the timer heap
	Slabs     int // buffers in use
}

// New makes an engine. It refuses a zero secret, congestion control that it does
// not know, and values beyond the limits of Config.
func New(cfg Config) (*Engine, error) {
	if cfg.Secret == [32]byte{} {
		return nil, errors.New("tcp: Config.Secret is zero: draw 32 random bytes")
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	alg, ok := cc.ByName(cfg.Congestion)
	if !ok {
		return nil, errors.New("tcp: unknown congestion control " + cfg.Congestion + ": use cubic or reno")
	}
	if cfg.PortFirst > cfg.PortLast {
		return nil, errors.New("tcp: Config.PortFirst is above PortLast")
	}
	e := &Engine{cfg: cfg, alg: alg, listenAt: make(map[listenKey]uint32), floor: Never}
	e.keys.iss = deriveKey(&cfg.Secret, keyISS)
	e.keys.timestamp = deriveKey(&cfg.Secret, keyTimestamp)
	e.keys.flow = deriveKey(&cfg.Secret, keyFlow)
	e.keys.portOffset = deriveKey(&cfg.Secret, keyPortOffset)
	e.keys.source = deriveKey(&cfg.Secret, keySource)
	e.keys.cookieMask = deriveKey(&cfg.Secret, keyCookieMask)
	e.cookies.current = deriveKey(&cfg.Secret, keyCookie)
	e.keys.portCounter = deriveKey(&cfg.Secret, keyPortCounter)
	e.chal = newChallengeLimit(newStream(deriveKey(&cfg.Secret, keyChallenge)))
	return e, nil
}

// Hash is the keyed hash of a flow. Engines with the same secret agree on it.
// It reads only what never changes and may be called concurrently.
func (e *Engine) Hash(t *Tuple) uint64 {
	h := t.Hash(e.keys.flow)
	if h == 0 {
		return 1
	}
	return h
}

// Counters are the engine's own, to be read.
func (e *Engine) Counters() *Counters { return &e.counters }

// Counts says how many things the engine holds.
func (e *Engine) Counts() Counts {
	return Counts{
		Conns: e.nConns, Orphans: e.nOrphans, HalfOpen: e.half.n, TimeWait: e.wait.n,
		Listeners: e.nListen, Timers: len(e.timers.h), Slabs: e.pool.Out,
	}
}

// clock moves the engine's time forward; it never goes back.
func (e *Engine) clock(now Time) {
	if now > e.now {
		e.now = now
	}
}

// path asks the layer below how to reach the other end of t.
func (e *Engine) path(t *Tuple) (Path, Error) {
	if e.cfg.Paths == nil {
		return Path{MTU: 1500}, 0
	}
	return e.cfg.Paths.Path(t)
}

// mssOf is the largest text in a packet of mtu bytes without options
// (RFC 9293 §3.7.1, RFC 6691).
// Obeys: RFC 9293 MUST-67; RFC 1122 3.4.
func mssOf(t *Tuple, mtu int) int {
	headers := 60
	if t.Remote.Is4() {
		headers = 40
	}
	return min(max(mtu-headers, minMSS), 65535)
}

// Readiness says what a user can do now that it could not before.
type Readiness uint8

const (
	Connected  Readiness = 1 << iota // the active open succeeded
	Readable                         // data, end of stream or an error can be read
	Writable                         // at least half of the send buffer is free, or an error waits
	Acceptable                       // a listener has a connection
	Ended                            // nothing more will happen: an error, or both ends closed
	Drained                          // all data and our FIN are acknowledged, or the connection ended
	Urgent                           // the urgent pointer has moved ahead of what was read (RFC 9293 MUST-32)
)

// Ready is an entry of the ready list.
type Ready struct {
	Conn     ConnID     // zero for a listener
	Listener ListenerID // zero for a connection
	Tag      uint32     // the shell's, from OpenOptions, ListenOptions or SetTag
	What     Readiness
}

// readyRef is a slot in the ready list: a connection, or a listener (high bit).
type readyRef uint32

const readyListener readyRef = 1 << 31

// notify puts the connection on the ready list. Nobody is told about a
// connection that has no user yet or any more.
func (e *Engine) notify(c *conn, what Readiness) {
	if !c.has(fUser) {
		return
	}
	c.ready |= what
	if !c.has(fReady) {
		c.set(fReady)
		e.ready = append(e.ready, readyRef(c.slot))
	}
}

// NextReady takes the next entry off the ready list. A connection stands there
// once, whatever happened to it meanwhile.
func (e *Engine) NextReady() (Ready, bool) {
	for e.readyHead < len(e.ready) {
		ref := e.ready[e.readyHead]
		if e.readyHead++; e.readyHead == len(e.ready) {
			e.ready, e.readyHead = e.ready[:0], 0
		}
		if ref&readyListener != 0 {
			l := &e.listeners[ref&^readyListener]
			if !l.notified {
				continue
			}
			l.notified = false
			return Ready{Listener: l.id(), Tag: l.opts.Tag, What: Acceptable}, true
		}
		c := e.conns[ref]
		if c == nil || !c.has(fReady) {
			continue
		}
		c.clear(fReady)
		r := Ready{Conn: c.id(), Tag: c.tag, What: c.ready}
		c.ready = 0
		return r, true
	}
	return Ready{}, false
}

// AnyReady reports whether NextReady may have something; it is cheaper.
func (e *Engine) AnyReady() bool { return e.readyHead < len(e.ready) }

// mark says that Output may have something to do for the connection.
func (e *Engine) mark(c *conn) {
	if !c.has(fDirty | fBlocked) {
		c.set(fDirty)
		e.dirty = append(e.dirty, c.slot)
	}
}

// Writable says that a link that had refused has room again.
func (e *Engine) Writable() {
	for _, s := range e.blocked {
		if c := e.conns[s]; c != nil && c.has(fBlocked) {
			c.clear(fBlocked)
			e.mark(c)
		}
	}
	e.blocked = e.blocked[:0]
	for i := range e.resets {
		e.reply(&e.resets[i])
	}
	e.resets = e.resets[:0]
}

// Pending reports whether Output has something to do.
func (e *Engine) Pending() bool { return len(e.dirty) > 0 || e.replies.n > 0 }
