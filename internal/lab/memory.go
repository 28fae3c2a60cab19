package lab

import (
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// What a connection takes in memory, in bytes. The sizes of estab's own
// structures are checked by a test that measures them.
const (
	tcbBytes       = 576 // a TCB of the engine
	halfOpenBytes  = 56  // a half-open record, IPv4
	timeWaitBytes  = 56  // a TIME-WAIT record, IPv4
	tableBytes     = 8   // an entry of the connection table
	classicBuffers = 2 * 64 << 10
)

// Shot is what both hosts hold at the moment at which one of them changed its
// state.
type Shot struct {
	At    time.Duration
	Host  int // whose state changed
	Sides [2]Holding
}

// Holding is what one host holds for the connection.
type Holding struct {
	State   tcp.State
	Status  tcp.Status // of a TCB; of a record only State and Tuple
	Held    bool       // something is held at all
	Estab   int        // bytes that the engine has allocated
	Classic int        // bytes that a TCP allocates which makes TCB and buffers at step 2 (B) and 1 (A)
	Late    int        // the same if A allocates at step 3
}

// Kind is what is held: nothing, listen, half-open, tcb or time-wait.
func (h *Holding) Kind() string {
	switch {
	case !h.Held && h.State == tcp.StateListen:
		return "listen"
	case !h.Held:
		return "nothing"
	case h.State == tcp.StateTimeWait:
		return "time-wait"
	case h.State == tcp.StateSynReceived && h.Status.SMSS == 0:
		return "half-open"
	}
	return "tcb"
}

// snapshot looks at both hosts.
func (s *Stage) snapshot(host int, e tcp.Event) {
	shot := Shot{At: s.Now(), Host: host}
	t := e.Tuple
	if host == B {
		t = t.Swap()
	}
	if host > B {
		return
	}
	for i := A; i <= B; i++ {
		if i == B {
			t = t.Swap()
		}
		shot.Sides[i] = s.holding(i, t)
	}
	if n := len(s.play.Shots); n > 0 && s.play.Shots[n-1] == shot {
		return
	}
	s.play.Shots = append(s.play.Shots, shot)
}

func (s *Stage) holding(host int, t tcp.Tuple) Holding {
	h := Holding{}
	a := s.actors[host]
	if !a.host.Up() {
		return h
	}
	st, err := a.host.TCP().StatusOf(s.World.Now(), t)
	if err != 0 {
		if a.listener != 0 {
			h.State = tcp.StateListen
		}
		return h
	}
	h.Held, h.State, h.Status = true, st.State, st
	const tcb = tcbBytes + tableBytes
	switch h.Kind() {
	case "time-wait":
		h.Estab = timeWaitBytes + tableBytes
	case "half-open":
		h.Estab = halfOpenBytes + tableBytes
	default:
		h.Estab = tcb + st.SendQueue + st.ReceiveQueue
	}
	h.Classic = tcb + classicBuffers
	h.Late = h.Classic
	if st.State == tcp.StateSynSent {
		h.Late = 0
	}
	return h
}

// tupleOf is the pair of sockets of a client's port, as A sees it.
func (s *Stage) tupleOf(port uint16) tcp.Tuple {
	return tcp.Tuple{Local: wire.AddrFrom(s.Host(A).Addrs[0]), LocalPort: port,
		Remote: wire.AddrFrom(s.Host(B).Addrs[0]), RemotePort: serverPort}
}
