package tcp

import (
	"time"

	"estab/internal/wire"
)

// OpenOptions are what an active OPEN takes (§3.10.1).
type OpenOptions struct {
	Tuple Tuple // both addresses and the remote port; LocalPort 0: choose one
	Conn  ConnConfig
	Tag   uint32 // handed back by NextReady
}

// Open is the active OPEN: it creates a TCB in SYN-SENT and owes a SYN.
//
// ErrInUse: the pair of sockets is in use. ErrNoPorts: LocalPort is 0 and no
// port is free. ErrNetUnreachable: no way leads there. ErrNoMemory: MaxConns.
// ErrInvalid: a port or an address is missing.
// Obeys: RFC 9293 MUST-43, MUST-46.
func (e *Engine) Open(now Time, o OpenOptions) (ConnID, Error) {
	e.clock(now)
	t := &o.Tuple
	if t.RemotePort == 0 || t.Remote.IsUnspecified() || t.Local.IsUnspecified() || t.Local.Is4() != t.Remote.Is4() {
		return 0, ErrInvalid
	}
	if e.nConns >= e.cfg.MaxConns {
		return 0, ErrNoMemory
	}
	path, err := e.path(t)
	if err != 0 {
		return 0, err
	}
	wait := uint32(0)
	if t.LocalPort != 0 {
		wait, err = e.claim(t, path.Local)
	} else {
		wait, err = e.choosePort(t, path.Local)
	}
	if err != 0 {
		return 0, err
	}
	return e.open(&o, wait), 0
}

// choosePort fills in a local port.
func (e *Engine) choosePort(t *Tuple, local bool) (wait uint32, err Error) {
	for n := range e.candidatePorts() {
		t.LocalPort = e.CandidatePort(t, n)
		if e.listenerFor(t) != nil {
			continue // a port that somebody serves
		}
		if wait, err = e.claim(t, local); err == 0 {
			return wait, 0
		}
	}
	t.LocalPort = 0
	return 0, ErrNoPorts
}

// How long a pair stays in TIME-WAIT before an active OPEN takes it over. By then
// every segment of the new connection must carry a newer timestamp than all of
// the old one did, in both directions, so that PAWS keeps those away from it:
// at least a tick of the peer's timestamp clock (RFC 7323 §B.2), which may take a
// second (§5.4). A peer in this process is known to count in milliseconds, but
// for the 31 by which a SYN cookie may turn it back; and 28,000 connections a
// second, as many as there are ports, are not many there.
//
// If the last ACK was lost, the peer answers the SYN with a challenge ACK, gets a
// RST, and takes the SYN that is repeated after a second.
const (
	reuseAfter      = time.Second
	reuseAfterLocal = 40 * time.Millisecond
)

// claim reports whether a pair of sockets may be opened. A pair that has been
// in TIME-WAIT for long enough may if both ends used timestamps (RFC 6191 from
// the client's side); wait is then its record (index+1).
func (e *Engine) claim(t *Tuple, local bool) (wait uint32, err Error) {
	k, i := e.find(t, e.Hash(t))
	switch k {
	case kindNone:
		return 0, 0
	case kindWait4, kindWait6:
		w := e.wait.record(k, i)
		since, enough := e.now-(w.deadline-Time(2*e.cfg.MSL)), reuseAfter
		if local {
			enough = reuseAfterLocal
		}
		if w.opts&waitTimestamps != 0 && since >= Time(enough) && !e.cfg.NoTimeWaitReuse && !e.cfg.NoTimestamps {
			return i + 1, 0
		}
	}
	return 0, ErrInUse
}

// open makes the TCB.
func (e *Engine) open(o *OpenOptions, wait uint32) ConnID {
	c := e.newConn(&o.Tuple)
	hash := e.Hash(&c.tuple)
	c.set(fUser | fInTable)
	c.tag = o.Tag
	e.configure(c, &o.Conn)
	iss := e.iss(&c.tuple)
	if wait != 0 {
		k := waitKind(&c.tuple)
		w := e.wait.record(k, wait-1)
		iss = e.issAfter(&c.tuple, w.sndNXT)
		w.opts |= waitHeld
		c.tw = wait
		e.table.replace(hash, k, wait-1, kindConn, c.slot)
	} else {
		e.table.insert(hash, kindConn, c.slot)
	}
	c.setISS(iss)
	c.setSMSS()
	c.alg.Algorithm().Init(&c.cong, uint32(c.smss), e.initialWindow(c))
	e.counters.ActiveOpens++
	e.setState(c, StateSynSent, nil)
	c.set(fSynDue)
	e.mark(c)
	return c.id()
}

// Listen is the passive OPEN: segments for the address and port find a
// listener from now on. ErrInUse: somebody listens there. ErrInvalid: port 0.
// Obeys: RFC 9293 MUST-41, MUST-42, MUST-43.
func (e *Engine) Listen(now Time, o ListenOptions) (ListenerID, Error) {
	e.clock(now)
	if o.Port == 0 {
		return 0, ErrInvalid
	}
	for _, a := range conflicts(o.Addr) {
		if e.listenerAt(a, o.Port) != nil {
			return 0, ErrInUse
		}
	}
	if o.Backlog <= 0 {
		o.Backlog = 128
	}
	slot := -1
	for i := range e.listeners {
		if !e.listeners[i].inUse {
			slot = i
			break
		}
	}
	if slot < 0 {
		if len(e.listeners) == maxListeners {
			return 0, ErrInUse
		}
		slot = len(e.listeners)
		e.listeners = append(e.listeners, listener{})
	}
	e.listeners[slot] = listener{slot: uint32(slot), gen: e.listeners[slot].gen + 1, inUse: true, opts: o}
	e.listenAt[listenKey{o.Addr, o.Port}] = uint32(slot)
	e.nListen++
	return e.listeners[slot].id(), 0
}

// conflicts are the addresses whose listener would leave a new one nothing.
// A listener at one address may stand beside one at every address: the more
// special one is asked first.
func conflicts(a wire.Addr) []wire.Addr {
	switch a {
	case Any:
		return []wire.Addr{Any, Any4, Any6}
	case Any4, Any6:
		return []wire.Addr{a, Any}
	}
	return []wire.Addr{a}
}

// Unlisten ends a listener: half-open connections are forgotten, completed
// ones that nobody accepted are reset.
func (e *Engine) Unlisten(now Time, id ListenerID) {
	e.clock(now)
	l := e.listener(id)
	if l == nil {
		return
	}
	e.dropHalfOpensOf(l)
	for _, s := range l.queue {
		c := e.conns[s]
		c.clear(fQueued)
		e.nOrphans++
		if c.state == StateClosed || c.state == StateTimeWait {
			e.nOrphans--
			e.freeConn(c)
			continue
		}
		e.sendReset(c)
		e.fail(c, ErrAborted, nil)
	}
	delete(e.listenAt, listenKey{l.opts.Addr, l.opts.Port})
	l.inUse, l.queue, l.notified = false, nil, false
	e.nListen--
}

// dropHalfOpensOf returns the listener's half-open connections to LISTEN, and
// so to nothing.
func (e *Engine) dropHalfOpensOf(l *listener) {
	for k := range maxStages {
		for n := e.half.v4.stages[k].head; n != 0 && l.halfOpen > 0; {
			r := e.half.v4.at(n - 1)
			i := n - 1
			n = r.next
			if uint32(r.listener) == l.slot {
				e.dropHalfOpen(kindHalf4, i, nil)
			}
		}
		for n := e.half.v6.stages[k].head; n != 0 && l.halfOpen > 0; {
			r := e.half.v6.at(n - 1)
			i := n - 1
			n = r.next
			if uint32(r.listener) == l.slot {
				e.dropHalfOpen(kindHalf6, i, nil)
			}
		}
	}
}

// Accept takes the oldest connection whose handshake completed out of the
// accept queue. ErrNotConnected: none waits. ErrNoConnection: no such listener.
func (e *Engine) Accept(now Time, id ListenerID) (ConnID, Error) {
	e.clock(now)
	l := e.listener(id)
	if l == nil {
		return 0, ErrNoConnection
	}
	if len(l.queue) == 0 {
		return 0, ErrNotConnected
	}
	c := e.conns[l.queue[0]]
	l.queue = append(l.queue[:0], l.queue[1:]...)
	c.clear(fQueued)
	c.set(fUser)
	return c.id(), 0
}
