package soak

import (
	"estab/tcp"
)

// fate is how an end's connection ended, as its engine's events tell.
type fate struct {
	known  bool      // events tell of it at all
	err    tcp.Error // what ended it; 0: in order, or not at all
	synced bool      // it was established
	last   tcp.State // the last state of its TCB
	at     tcp.Time  // when it got there
	failed tcp.Time  // when err ended it
}

// clean reports whether both directions were closed in order: TIME-WAIT was
// reached, or CLOSED from LAST-ACK, and nothing ended the connection before.
func (f *fate) clean() bool {
	return f.known && f.err == 0 && (f.last == tcp.StateTimeWait || f.last == tcp.StateClosed)
}

// over reports whether the protocol is done with it.
func (f *fate) over() bool { return f.last == tcp.StateTimeWait || f.last == tcp.StateClosed }

// readFates finds out about all ends from the events of both hosts.
func (r *run) readFates() {
	for host, ring := range r.rings {
		for e, ok := ring.Next(); ok; e, ok = ring.Next() {
			if e.Conn != 0 {
				r.readFate(host, &e)
			}
		}
	}
}

func (r *run) readFate(host int, e *tcp.Event) {
	f := r.fateOf(host, e)
	if f == nil {
		return
	}
	f.known = true
	switch e.Kind {
	case tcp.EventState:
		f.last, f.at = e.To, e.Time
		f.synced = f.synced || e.To == tcp.StateEstablished
	case tcp.EventClosed:
		f.err, f.failed = e.Err, e.Time
	}
}

// fateOf finds the end that an event is about. A server's TCB exists a moment
// before its program has it, a client's before Open returns.
func (r *run) fateOf(host int, e *tcp.Event) *fate {
	for i := len(r.talks) - 1; i >= 0; i-- {
		t := &r.talks[i]
		x := &t.ends[host]
		flow := t.flow
		if host == Server {
			flow = flow.Swap()
		}
		if x.talker != nil && x.talker.Conn == e.Conn && flow == e.Tuple && x.attached <= e.Time {
			return &x.fate
		}
	}
	return nil
}
