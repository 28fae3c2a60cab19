package explore

import (
	"estab/internal/wire"
	"estab/tcp"
)

// Arrow is an arrow of RFC 9293's figure 5.
type Arrow struct {
	From, To tcp.State
	Event    string // in the figure's words
}

// Arrows are those of figure 5, from top to bottom, and that of its note 2.
func Arrows() []Arrow {
	return []Arrow{
		{tcp.StateClosed, tcp.StateListen, "passive OPEN"},
		{tcp.StateClosed, tcp.StateSynSent, "active OPEN"},
		{tcp.StateListen, tcp.StateClosed, "CLOSE"},
		{tcp.StateListen, tcp.StateSynReceived, "rcv SYN"},
		{tcp.StateListen, tcp.StateSynSent, "SEND"},
		{tcp.StateSynReceived, tcp.StateListen, "rcv RST"},
		{tcp.StateSynReceived, tcp.StateEstablished, "rcv ACK of SYN"},
		{tcp.StateSynReceived, tcp.StateFinWait1, "CLOSE"},
		{tcp.StateSynSent, tcp.StateClosed, "CLOSE"},
		{tcp.StateSynSent, tcp.StateSynReceived, "rcv SYN"},
		{tcp.StateSynSent, tcp.StateEstablished, "rcv SYN,ACK"},
		{tcp.StateEstablished, tcp.StateFinWait1, "CLOSE"},
		{tcp.StateEstablished, tcp.StateCloseWait, "rcv FIN"},
		{tcp.StateFinWait1, tcp.StateFinWait2, "rcv ACK of FIN"},
		{tcp.StateFinWait1, tcp.StateClosing, "rcv FIN"},
		{tcp.StateFinWait2, tcp.StateTimeWait, "rcv FIN"},
		{tcp.StateClosing, tcp.StateTimeWait, "rcv ACK of FIN"},
		{tcp.StateCloseWait, tcp.StateLastAck, "CLOSE"},
		{tcp.StateLastAck, tcp.StateClosed, "rcv ACK of FIN"},
		{tcp.StateTimeWait, tcp.StateClosed, "Timeout=2MSL"},
	}
}

// Figure says which arrows were taken.
type Figure struct {
	taken [numStates][numStates]bool
}

const numStates = tcp.StateTimeWait + 1

func (f *Figure) cross(from, to tcp.State) { f.taken[from][to] = true }

// see takes in a transition of an engine, if what caused it is what the figure
// says. closing: its user has called CLOSE just now.
func (f *Figure) see(e *tcp.Event, closing bool) {
	reset := e.HasSeg && e.Seg.Flags.Has(wire.RST)
	switch from := e.From; {
	case e.To == tcp.StateListen && !reset:
		return // a time-out, or a listener that goes
	case e.To != tcp.StateClosed:
	case from == tcp.StateSynSent && !closing, // a RST, or a time-out
		from == tcp.StateLastAck && (reset || !e.HasSeg):
		return
	}
	f.cross(e.From, e.To)
}

// Taken reports whether the arrow was.
func (f *Figure) Taken(a Arrow) bool { return f.taken[a.From][a.To] }

// Count is how many arrows of figure 5 were taken.
func (f *Figure) Count() int {
	n := 0
	for _, a := range Arrows() {
		if f.Taken(a) {
			n++
		}
	}
	return n
}

// Add takes in what another search took.
func (f *Figure) Add(g *Figure) {
	for i := range f.taken {
		for j := range f.taken[i] {
			f.taken[i][j] = f.taken[i][j] || g.taken[i][j]
		}
	}
}

// lawful reports whether RFC 9293 has the transition: figure 5, and what the
// text adds. Any state can become CLOSED: ABORT, a RST, a time-out (§3.10.5,
// §3.10.7.4, §3.10.8).
func lawful(from, to tcp.State) bool {
	if to == tcp.StateClosed && from != tcp.StateClosed {
		return true
	}
	for _, a := range Arrows() {
		if a.From == from && a.To == to {
			return true
		}
	}
	switch {
	case from == tcp.StateClosed && to == tcp.StateSynReceived:
		return true // a record of LISTEN's becomes a TCB; no transition of the RFC's
	case from == tcp.StateSynReceived && to == tcp.StateCloseWait:
		return true // §3.10.7.4, eighth check
	case from == tcp.StateFinWait1 && to == tcp.StateTimeWait:
		return true // note 2
	case from == tcp.StateTimeWait && to == tcp.StateSynReceived:
		return true // §3.10.7.4: TIME-WAIT and a newer SYN
	}
	return false
}

func endName(end int) string {
	if end == A {
		return "A"
	}
	return "B"
}
