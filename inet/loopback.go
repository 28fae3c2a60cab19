package inet

import (
	"estab/internal/wire"
	"estab/tcp"
)

// Limits of a Loop: packets under way, and turns in one call of Output.
const (
	loopQueue = 256
	loopTurns = 64
)

// Loop carries what a stack sends to itself, for a shell that has one stack
// only: it stands between the stack and the shell's Outbox. The zero Loop is
// ready.
type Loop struct {
	stack *Stack
	out   Outbox
	queue []*wire.Slab
	full  bool // somebody found no room
}

// Output is that of the stack, with what is sent on the loopback handed back
// to it as input, until nothing is left to send. If there is no end to it, it
// stops after a while and Pending stays true.
func (l *Loop) Output(now tcp.Time, s *Stack, out Outbox) {
	l.stack, l.out = s, out
	s.Output(now, l)
	for turn := 0; len(l.queue) > 0 && turn < loopTurns; turn++ {
		arrived := len(l.queue)
		for _, p := range l.queue[:arrived] {
			s.Input(now, Loopback, p)
		}
		l.queue = l.queue[:copy(l.queue, l.queue[arrived:])]
		if l.full {
			l.full = false
			s.Writable()
		}
		s.Output(now, l)
	}
	l.stack, l.out = nil, nil
}

// Pending reports whether packets to the host itself are still under way, so
// that Output must be called again.
func (l *Loop) Pending() bool { return len(l.queue) > 0 }

// Room is part of [Outbox].
func (l *Loop) Room(link LinkID) bool {
	if link != Loopback {
		return l.out.Room(link)
	}
	if len(l.queue) == loopQueue {
		l.full = true
		return false
	}
	return true
}

// Send is part of [Outbox].
func (l *Loop) Send(link LinkID, p *wire.Slab) {
	if link != Loopback {
		l.out.Send(link, p)
		return
	}
	l.queue = append(l.queue, p)
}
