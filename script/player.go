package script

import (
	"fmt"
	"io"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
)

// player plays a script against a host: it makes the system calls, lets the
// packets arrive, and compares what happens with what is stated, event by
// event. Its rules of time, and of which packet belongs to which connection,
// are packetdrill's.
type player struct {
	script *Script
	set    *setting
	plan   *plan
	strict bool
	sys    system
	local  wire.Addr // of the system
	peer   wire.Addr // of the script

	flows   map[flowKey]*flow
	order   []*flow // in the order of their making
	cur     *flow   // the connection that packets without ports belong to
	curSock *socket // the socket that was made last
	port    uint16  // the script's next port
	cause   cause   // of what leaves now
	pending *pendingCall
	failure *failed // of a call that ended in its own time

	watch      *watch        // not nil: nothing is judged
	waitFrom   time.Duration // when the event before ended
	arrived    time.Duration // the stated time of the event before, if a packet arrived at it; else 0
	begun      int           // events that were played before the script began
	last       *packet       // the last one that was stated
	serial     int           // counts what makes the stack send
	aboutCalls bool          // see isAboutCalls
	packets    int
	buffered   int // bytes that the programs wrote
	printed    []string
	line       Pos // of the event that is being played
	pcap       *trace.Pcapng
	pcapErr    error
	in         [maxPacket]byte // scratch: a packet on its way in
}

type flowKey struct{ local, remote uint16 }

// What a script may cost when it is played.
const (
	maxSteps    = 300_000             // timers that go off
	maxVirtual  = 60 * 24 * time.Hour // virtual time
	maxPackets  = 100_000             // that the stack sends
	maxBuffered = 64 << 20            // bytes that programs write
)

// failed is why a script failed.
type failed struct {
	Failure
	err  *Error
	flow *flow
}

// failAt makes a failure at a place in the script.
func (p *player) failAt(at Pos, format string, args ...any) *failed {
	f := &failed{err: p.script.Errorf(Mismatch, at, format, args...), flow: p.cur}
	f.Time = p.now()
	return f
}

// newPlayer makes a player. It still needs a system.
func newPlayer(s *Script, pl *plan, o *Options) (*player, error) {
	p := &player{script: s, plan: pl, set: pl.set, strict: o.Strict, flows: map[flowKey]*flow{}, port: 40000}
	p.aboutCalls = isAboutCalls(pl.events)
	local, peer, err := p.set.addresses()
	if err != nil {
		return nil, err
	}
	p.local, p.peer = wire.AddrFrom(local.Addr()), wire.AddrFrom(peer.Addr())
	return p, nil
}

func (p *player) capture(w io.Writer) {
	if w != nil {
		p.pcap, p.pcapErr = trace.NewPcapng(w, "estab script", trace.Interface{Name: "script0", Description: p.script.Name})
	}
}

func (p *player) now() time.Duration { return p.sys.now() }

// setUp runs the commands that stand before the first event.
func (p *player) setUp() *Error {
	for p.begun < len(p.plan.events) {
		c, ok := p.plan.events[p.begun].Action.(*Command)
		if !ok {
			return nil
		}
		p.line = c.Pos
		if done, err := p.sys.setUp(c); !done {
			return err
		}
		p.begun++
	}
	return nil
}

// play plays all events.
func (p *player) play() *failed {
	for _, e := range p.plan.events[p.begun:] {
		p.line = e.Pos
		f := p.event(e)
		if f == nil {
			f = p.failure
		}
		if f == nil && p.pcapErr != nil {
			f = p.failAt(e.Pos, "the capture can't be written: %v", p.pcapErr)
		}
		if f != nil {
			return f
		}
	}
	if f := p.idle(); f != nil {
		return f
	}
	return p.atEnd()
}

// event plays one event.
func (p *player) event(e *Event) *failed {
	at, until := p.when(e)
	switch a := e.Action.(type) {
	case *Segment:
		if a.Dir == Outbound {
			return p.expect(e, a, at, until)
		}
	case *ICMP:
		if a.Dir == Outbound {
			return p.expectICMP(e, a, at, until)
		}
	}
	if call, ok := e.Action.(*Call); ok {
		if f := p.idle(); f != nil { // one call after the other
			return f
		}
		if f := p.reach(e, at); f != nil {
			return f
		}
		return p.call(e, call, at)
	}
	if f := p.reach(e, at); f != nil {
		return f
	}
	switch a := e.Action.(type) {
	case *Segment:
		return p.inject(a)
	case *ICMP:
		return p.injectICMP(a)
	case *Command:
		return p.sys.command(a)
	case *Code:
		f := p.code(a)
		if p.watch != nil {
			p.sawCode(a, f)
			return nil
		}
		return f
	}
	return nil
}

// when works out the times of an event. Relative ones count from now, which is
// when the event before ended. In real time now is a little later than the time
// stated for that; between segments that arrive one after the other packetdrill
// counts from the stated time, so that this does not add up.
func (p *player) when(e *Event) (at, until time.Duration) {
	now, arrives := p.now(), e.isArrival()
	p.waitFrom = now
	if p.set.real && arrives && p.arrived > 0 {
		now = p.arrived
	}
	defer func() {
		p.arrived = 0
		if arrives {
			p.arrived = at
		}
	}()
	t := &e.Time
	at, until = t.At, t.At
	switch t.Kind {
	case TimeNone, TimeAny:
		return now, now
	case TimeAbsoluteRange, TimeRelativeRange:
		until = t.Until
	}
	if t.Relative() {
		at += now
		until += now
	}
	return at, until
}

// isArrival reports whether a packet arrives at an event.
func (e *Event) isArrival() bool {
	switch a := e.Action.(type) {
	case *Segment:
		return a.Dir == Inbound
	case *ICMP:
		return a.Dir == Inbound
	}
	return false
}

// tolerance is what an event may be off that should happen at a time; a percentage
// is one of the time since the event before.
func (p *player) tolerance(at time.Duration) time.Duration {
	if p.set.percent > 0 {
		return max(p.set.tolerance, time.Duration(float64(max(at-p.waitFrom, 0))*p.set.percent/100))
	}
	return p.set.tolerance
}

// reach lets time pass until an event is due.
func (p *player) reach(e *Event, at time.Duration) *failed {
	tol := p.set.tolerance
	if f := p.wait(at); f != nil {
		return f
	}
	if late := p.now() - at; late > tol && p.watch == nil {
		f := p.failAt(e.Action.Position(), "this should happen at %s, but what came before ended only at %s", seconds(at), seconds(p.now()))
		f.Late = &late
		return f
	}
	return nil
}

// wait lets time pass: timers go off, and a call that blocks may end.
func (p *player) wait(until time.Duration) *failed {
	if until > maxVirtual {
		return p.failAt(p.line, "the script takes more than %d days", int(maxVirtual/(24*time.Hour)))
	}
	for p.failure == nil {
		if !p.sys.next(until) {
			p.sys.rest(until)
			return nil
		}
	}
	return p.failure
}

// because says what makes the stack send from now on.
func (p *player) because(c cause) {
	p.cause = c
	p.serial++
}

// sent takes a packet that left the system at a time.
func (p *player) sent(b []byte, at time.Duration) *packet {
	p.packets++
	p.dump(trace.Outbound, at, b)
	pkt, ok := parsePacket(b)
	if !ok {
		if p.failure == nil {
			p.failure = p.failAt(p.line, "the stack sent a packet that can't be parsed: % x", b[:min(len(b), 60)])
		}
		return nil
	}
	pkt.at, pkt.cause, pkt.serial = at, p.cause, p.serial
	if pkt.icmp {
		if p.cur != nil {
			p.cur.out = append(p.cur.out, pkt)
		}
		return pkt
	}
	p.flowOf(pkt.src, pkt.dst).observe(pkt)
	return pkt
}

// dump writes a packet to the capture, with the line of the script that was
// being played.
func (p *player) dump(d trace.Direction, at time.Duration, b []byte) {
	if p.pcap == nil || p.pcapErr != nil {
		return
	}
	comment := fmt.Sprintf("line %d: %s", p.line.Line, p.script.Line(p.line.Line))
	p.pcapErr = p.pcap.Packet(0, time.Unix(0, int64(at)).UTC(), d, b, comment)
}

// flowOf is the connection of a pair of ports, which it may make.
func (p *player) flowOf(local, remote uint16) *flow {
	k := flowKey{local, remote}
	f := p.flows[k]
	if f == nil {
		f = &flow{local: local, remote: remote}
		p.flows[k] = f
		p.order = append(p.order, f)
	}
	return f
}
