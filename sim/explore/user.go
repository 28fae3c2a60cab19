package explore

import (
	"fmt"

	"estab/tcp"
)

// user is the program of an end, and what it has seen. It is a value; so are
// its connections, past and present, of which it remembers what the invariants
// ask for.
type user struct {
	pc, spc  uint8 // the next step of Program, of Serve
	listener tcp.ListenerID
	conn     tcp.ConnID // 0: none
	serving  bool       // conn came from the listener
	open     bool       // conn has not been given up
	late     bool       // it takes no byte yet
	reads    tcp.Time   // from when on it does
	pausing  bool
	pause    tcp.Time // until when

	gen   uint8 // connections that this end has had
	past  [maxGens]talk
	pairs [maxPairs]pairID // every pair of numbers it has ever agreed to, sorted; 0: none
}

const (
	maxGens  = 3
	maxPairs = 6
)

// pairID names a pair of initial sequence numbers, A's and B's; 0 is none.
type pairID uint16

// talk is a connection as its user knows it.
type talk struct {
	pair           pairID
	sent, got      uint8 // bytes
	from           uint8 // which of the peer's connections the bytes come from; 0: none came
	shut, eof      bool  // we have closed our direction, the peer has closed its
	early, aborted bool
	closed, clean  bool // the protocol is done with it; in order
	err            tcp.Error
	state          tcp.State
	acked          bool // the peer has acknowledged our SYN

	// Numbers used up, SYN and FIN included: acknowledged by the peer, sent, and
	// received. They outlive the connection.
	una, nxt, had uint8
	fin           bool // the peer's FIN has arrived, and all before it
}

// now is the connection that the user has or had last; nil if none.
func (u *user) now() *talk {
	if u.gen == 0 {
		return nil
	}
	return &u.past[(u.gen-1)%maxGens]
}

// begin starts a connection.
func (u *user) begin(id tcp.ConnID, serving bool) {
	u.gen++
	*u.now() = talk{}
	u.conn, u.open, u.serving, u.late, u.spc = id, true, serving, false, 0
}

// agree notes a pair of numbers.
func (u *user) agree(p pairID) {
	u.now().pair = p
	u.hold(p)
}

// hold notes a pair that the end holds, in SYN-RECEIVED or beyond.
func (u *user) hold(p pairID) {
	i := 0
	for i < maxPairs && u.pairs[i] != 0 && u.pairs[i] < p {
		i++
	}
	if i == maxPairs || u.pairs[i] == p {
		return
	}
	copy(u.pairs[i+1:], u.pairs[i:])
	u.pairs[i] = p
}

func (u *user) holds(p pairID) bool {
	for _, q := range u.pairs {
		if q == p {
			return true
		}
	}
	return false
}

// byteOf is byte i of the stream of an end's gen-th connection: no two streams
// of an end have one in common, as long as they have at most 16.
func byteOf(gen, i uint8) byte { return gen<<4 | i&15 }

// take takes what Receive gave; if that is not the peer's stream, it says what
// else it is.
func (t *talk) take(p []byte) string {
	for _, b := range p {
		if t.from == 0 {
			t.from = b >> 4
		}
		if b != byteOf(t.from, t.got) {
			return fmt.Sprintf("byte %d of its peer's connection %d, and byte %d is due", b&15+1, b>>4, t.got+1)
		}
		t.got++
	}
	return ""
}

// next is the step that the user is at, of Program or (serve) of Serve.
func (u *user) next(e *End, serve bool) (Step, bool) {
	steps, pc := e.Program, u.pc
	if serve {
		steps, pc = e.Serve, u.spc
		if !u.serving {
			return Step{}, false
		}
	}
	if int(pc) >= len(steps) {
		return Step{}, false
	}
	return steps[pc], true
}

func (u *user) advance(serve bool) {
	if serve {
		u.spc++
	} else {
		u.pc++
	}
}

// busy reports whether the user still has something to do with its connection.
func (u *user) busy(e *End) bool {
	s, ok := u.next(e, u.serving)
	return ok && s.ofConnection()
}
