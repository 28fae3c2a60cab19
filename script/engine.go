package script

import (
	"time"

	"estab/tcp"
)

// engine is estab's own stack as the system under test, in virtual time.
type engine struct {
	p     *player
	host  *host
	socks map[int]*sock // by the script's numbers
	all   []*sock       // in the order of their making
}

// newEngine makes a stack for a player.
func newEngine(p *player) (*engine, error) {
	local, remote, err := p.set.addresses()
	if err != nil {
		return nil, err
	}
	e := &engine{p: p, socks: map[int]*sock{}}
	if e.host, err = newHost(p.set.tcp, local, remote, p.set.linkMTU()); err != nil {
		return nil, err
	}
	e.host.sent, e.host.event = e.sent, e.tell
	e.host.check = func(broken error) {
		if p.failure == nil {
			p.failure = p.failAt(p.line, "an invariant of the engine is broken: %v", broken)
		}
	}
	return e, nil
}

func (e *engine) name() string { return "estab" }

func (e *engine) now() time.Duration { return e.host.now.Sub(hostStart) }

// nextWake is when something happens by itself.
func (e *engine) nextWake() tcp.Time {
	next := e.host.next()
	if e.p.pending != nil {
		next = min(next, e.p.pending.deadline)
	}
	return next
}

func (e *engine) next(by time.Duration) bool {
	at := e.nextWake()
	if at > hostStart.Add(by) {
		return false
	}
	p := e.p
	if e.host.steps > maxSteps || p.packets > maxPackets {
		if p.failure == nil {
			p.failure = p.failAt(p.line, "the script costs too much: %d timers went off, %d packets left", e.host.steps, p.packets)
		}
		return true
	}
	p.because(causeTimer)
	e.host.advance(at)
	p.wake()
	return true
}

func (e *engine) rest(until time.Duration) { e.host.now = max(e.host.now, hostStart.Add(until)) }

func (e *engine) input(packet []byte) { e.host.input(packet) }

func (e *engine) start(x *callContext) (attempt, *failed) {
	sc := syscalls[x.call.Name]
	x.e = e
	if sc.socket {
		x.s = e.socks[int(x.args[0].n)]
		if x.s == nil {
			return nil, e.p.failAt(x.call.Pos, "there is no socket %d", x.args[0].n)
		}
	}
	return sc.start(x), nil
}

func (e *engine) flush() { e.host.flush() }

// setUp has nothing left to do: the settings are in the plan.
func (e *engine) setUp(*Command) (done bool, err *Error) { return false, nil }

func (e *engine) command(c *Command) *failed {
	for _, c := range e.p.plan.commands[c] {
		if c.run != nil {
			if f := c.run(e); f != nil {
				return f
			}
		}
		if c.sleep > 0 {
			if f := e.p.wait(e.now() + c.sleep); f != nil {
				return f
			}
		}
	}
	return nil
}

// sent takes a packet that leaves the stack.
func (e *engine) sent(b []byte) { e.p.sent(b, e.now()) }

// tell hands an event of the engine's to its connection.
func (e *engine) tell(ev *tcp.Event) {
	if ev.RemotePort != 0 {
		e.p.flowOf(ev.LocalPort, ev.RemotePort).event(ev)
	}
}

// tuple is the pair of sockets of a connection, seen from the stack.
func (e *engine) tuple(f *flow) tcp.Tuple {
	return tcp.Tuple{Local: e.host.addr, Remote: e.host.peer, LocalPort: f.local, RemotePort: f.remote}
}

func (e *engine) info() func(name string) (int64, bool) {
	facts, ok := e.facts()
	return func(name string) (int64, bool) {
		if f, known := infoNames[name]; known && (ok || name == "tcpi_state") {
			return f(facts), true
		}
		return 0, false
	}
}

// facts are those of the connection that packets without ports belong to. ok
// is false if no program holds it: then only its state is known.
func (e *engine) facts() (i *infoFacts, ok bool) {
	p := e.p
	i = &infoFacts{set: p.set, now: e.host.now, f: p.cur}
	if p.cur == nil {
		if p.curSock != nil {
			if s := e.socks[p.curSock.fd]; s != nil {
				i.st.State = s.state()
			}
		}
		return i, false
	}
	if s := p.cur.sock; s != nil && s.conn != 0 && e.socks[s.fd] == s {
		i.st = s.status()
		i.st.State = s.state()
		return i, true
	}
	i.st.State = e.stateOf(p.cur)
	return i, false
}
