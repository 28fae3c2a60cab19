package script

import (
	"maps"
	"strings"
	"time"

	"estab/tcp"
)

// sock is a socket of the scripted program: a face over the engine's user
// calls that looks as the system does for which the script was written. It is
// no second TCP: every rule of the protocol is the engine's.
type sock struct {
	socket
	p        *player
	e        *engine
	kind     sockKind
	nonblock bool
	listener tcp.ListenerID
	conn     tcp.ConnID
	backlog  int
	ints     map[string]int64 // options that were set
	linger   time.Duration    // negative: SO_LINGER is off
	cc       string           // TCP_CONGESTION
	told     bool             // connect has reported that it succeeded
	rdShut   bool
	wrShut   bool
	mem      sendMemory
}

type sockKind uint8

const (
	sockNew sockKind = iota
	sockListening
	sockConnecting
	sockConnected // also when the connection is over
)

// newSock adds a socket under the script's number for it.
func (e *engine) newSock(fd int) *sock {
	s := &sock{socket: socket{fd: fd}, p: e.p, e: e, ints: map[string]int64{}, linger: -1}
	e.socks[fd] = s
	e.all = append(e.all, s)
	return s
}

// freeFD is a number for a socket that the script does not number.
func (e *engine) freeFD() int {
	fd := 3
	for e.socks[fd] != nil {
		fd++
	}
	return fd
}

// socketsInOrder are the open sockets.
func (e *engine) socketsInOrder() []*sock {
	var out []*sock
	for _, s := range e.all {
		if e.socks[s.fd] == s {
			out = append(out, s)
		}
	}
	return out
}

func (s *sock) tcp() *tcp.Engine { return s.e.host.tcp() }
func (s *sock) now() tcp.Time    { return s.e.host.now }

// status is that of the connection; zero if there is none.
func (s *sock) status() tcp.Status {
	if s.conn == 0 {
		return tcp.Status{}
	}
	st, _ := s.tcp().Status(s.now(), s.conn)
	return st
}

// state is the socket's state.
func (s *sock) state() tcp.State {
	switch s.kind {
	case sockNew:
		return tcp.StateClosed
	case sockListening:
		return tcp.StateListen
	}
	st := s.status().State
	if st == tcp.StateTimeWait && s.e.stateOf(s.flow) != tcp.StateTimeWait {
		return tcp.StateClosed // the record of the wait is gone
	}
	return st
}

// stateOf is the state in which the engine has a connection.
func (e *engine) stateOf(f *flow) tcp.State {
	found := tcp.StateClosed
	t := e.tuple(f)
	e.host.tcp().States(func(u tcp.Tuple, st tcp.State) bool {
		u.Zone = 0
		if u == t {
			found = st
		}
		return u != t
	})
	return found
}

// config is what the socket's options mean to the engine before a connection
// begins.
func (s *sock) config() tcp.ConnConfig {
	c := tcp.ConnConfig{
		MSS: int(s.ints["TCP_MAXSEG"]), Congestion: strings.TrimPrefix(s.cc, "new"), NoDelay: s.ints["TCP_NODELAY"] != 0,
		UserTimeout: time.Duration(s.ints["TCP_USER_TIMEOUT"]) * time.Millisecond,
		SynRetries:  int(s.ints["TCP_SYNCNT"]), TOS: uint8(s.ints["IP_TOS"] | s.ints["IPV6_TCLASS"]), KeepAlive: s.keepAlive(), FinWait2: s.finWait2(),
	}
	if n, ok := s.ints["SO_RCVBUF"]; ok {
		c.ReceiveBuffer = s.recvSpace(n)
	}
	if n, ok := s.ints["SO_SNDBUF"]; ok {
		c.SendBuffer = s.sendSpace(n)
	}
	return c
}

// recvSpace is how much text a receive buffer of n holds: of Linux's, which is
// twice what was asked for, half.
func (s *sock) recvSpace(n int64) int {
	if s.p.set.face == faceLinux {
		n /= 2
	}
	return int(min(max(n, 1), 1<<30))
}

// sendSpace is the same for a send buffer. That of Linux is counted here
// (sendMemory), and the engine gets more than enough.
func (s *sock) sendSpace(n int64) int {
	if s.p.set.face == faceLinux {
		return maxBuffered
	}
	return int(min(max(n, 1), 1<<30))
}

// finWait2 is TCP_LINGER2: how long an orphan waits for the peer's FIN. Less
// than nothing means not at all.
func (s *sock) finWait2() time.Duration {
	n, ok := s.ints["TCP_LINGER2"]
	if ok && n < 0 {
		return time.Millisecond
	}
	return time.Duration(min(n, 1<<20)) * time.Second
}

func (s *sock) keepAlive() tcp.KeepAlive {
	k := s.p.set.keep
	k.On = s.ints["SO_KEEPALIVE"] != 0
	secs := func(name string, d *time.Duration) {
		if n, ok := s.ints[name]; ok {
			*d = time.Duration(n) * time.Second
		}
	}
	secs("TCP_KEEPIDLE", &k.Idle)
	secs("TCP_KEEPINTVL", &k.Interval)
	if n, ok := s.ints["TCP_KEEPCNT"]; ok {
		k.Count = int(n)
	}
	return k
}

// inherit gives an accepted socket what the listening one had set.
func (s *sock) inherit(from *sock) {
	s.ints = maps.Clone(from.ints)
	s.linger, s.cc = from.linger, from.cc
	if s.ints["TCP_CORK"] != 0 {
		s.tcp().SetCork(s.now(), s.conn, true)
	}
}

// errnoOf is the engine's error as the program sees it.
func (s *sock) errnoOf(err tcp.Error) string {
	switch err {
	case tcp.ErrReset:
		return s.resetErrno()
	case tcp.ErrRefused, tcp.ErrPortUnreachable:
		return "ECONNREFUSED"
	case tcp.ErrTimeout:
		return "ETIMEDOUT"
	case tcp.ErrAborted:
		return "ECONNABORTED"
	case tcp.ErrHostUnreachable:
		return "EHOSTUNREACH"
	case tcp.ErrNetUnreachable:
		return "ENETUNREACH"
	case tcp.ErrNoPorts:
		return "EADDRNOTAVAIL"
	case tcp.ErrInUse:
		return "EADDRINUSE"
	case tcp.ErrNoMemory:
		return "ENOBUFS"
	case tcp.ErrClosing:
		return "EPIPE"
	case tcp.ErrNotConnected:
		return "ENOTCONN"
	case tcp.ErrInvalid:
		return "EINVAL"
	}
	return "EBADF"
}

// resetErrno: Linux tells a program whose peer has closed and then resets that
// its pipe is broken.
func (s *sock) resetErrno() string {
	if s.p.set.face == faceLinux && s.flow != nil && s.flow.resetFrom == tcp.StateCloseWait {
		return "EPIPE"
	}
	return "ECONNRESET"
}

// takeError takes the pending error, as SO_ERROR does.
func (s *sock) takeError() string {
	if s.conn == 0 {
		return ""
	}
	if err := s.tcp().TakeError(s.conn); err != 0 {
		return s.errnoOf(err)
	}
	return ""
}

// hasError reports whether an error is pending.
func (s *sock) hasError() bool { return s.status().Err != 0 }

// close gives up the socket.
func (s *sock) close() {
	delete(s.e.socks, s.fd)
	switch {
	case s.kind == sockListening:
		s.tcp().Unlisten(s.now(), s.listener)
	case s.conn != 0:
		s.tcp().Close(s.now(), s.conn, s.linger)
	}
	s.conn = 0
}

// dropAll ends what is in a state; "" is every state.
func (e *engine) dropAll(state string) {
	var found []tcp.Tuple
	e.host.tcp().States(func(t tcp.Tuple, st tcp.State) bool {
		if st != tcp.StateListen && (state == "" || freeBSDState(st) == state) {
			found = append(found, t)
		}
		return true
	})
	e.p.because(causeClose)
	for _, t := range found {
		e.host.tcp().Drop(e.host.now, t)
	}
	e.host.flush()
	e.p.wake()
}
