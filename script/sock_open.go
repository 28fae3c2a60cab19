package script

import (
	"time"

	"estab/tcp"
)

// The calls that open and end: socket, bind, listen, accept, connect,
// shutdown, close.

const whyTwice = "the script has a socket of this number already"

func startSocket(x *callContext) attempt {
	fd := x.descriptor()
	if x.e.socks[fd] != nil {
		return done(callResult{wrong: whyTwice})
	}
	s := x.e.newSock(fd)
	s.nonblock = x.args[1].n&constants["SOCK_NONBLOCK"] != 0
	x.p.cur, x.p.curSock = nil, &s.socket
	return done(okResult(int64(fd)))
}

// descriptor is the number that the script gives to a new socket.
func (x *callContext) descriptor() int {
	if v := x.p.plan.results[x.call]; v.low.kind == argInt && v.low.n >= 0 {
		return int(v.low.n)
	}
	return x.e.freeFD()
}

func startBind(x *callContext) attempt {
	port := x.p.set.bindPort
	if n, ok := sockaddrPort(&x.args[1]); ok {
		port = n
	}
	for _, o := range x.e.socketsInOrder() {
		shared := o.kind == sockNew && o.ints["SO_REUSEADDR"] != 0 && x.s.ints["SO_REUSEADDR"] != 0
		if o != x.s && o.port == port && (o.kind == sockNew || o.kind == sockListening) && !shared {
			return done(errResult("EADDRINUSE"))
		}
	}
	if x.s.port != 0 {
		return done(errResult("EINVAL"))
	}
	x.s.port = port
	return done(okResult(0))
}

// sockaddrPort is the port in a sockaddr that a script spells out.
func sockaddrPort(a *arg) (port uint16, ok bool) {
	if a.kind != argStruct {
		return 0, false
	}
	for i, f := range a.expr.Fields {
		if (f.Name == "sin_port" || f.Name == "sin6_port") && a.list[i].n > 0 && a.list[i].n < 65536 {
			return uint16(a.list[i].n), true
		}
	}
	return 0, false
}

func startListen(x *callContext) attempt {
	s := x.s
	if s.kind == sockListening {
		s.backlog = int(x.args[1].n)
		return done(okResult(0))
	}
	if s.kind != sockNew {
		return done(errResult("EINVAL"))
	}
	if s.port == 0 {
		s.port = 32768
	}
	s.backlog = int(x.args[1].n)
	if err := s.listen(); err != 0 {
		return done(errResult(s.errnoOf(err)))
	}
	s.kind = sockListening
	return done(okResult(0))
}

func (s *sock) listen() tcp.Error {
	o := tcp.ListenOptions{Addr: s.e.host.addr, Port: s.port, Backlog: s.p.set.face.backlog(s.backlog), Conn: s.config()}
	if n := s.ints["TCP_DEFER_ACCEPT"]; n > 0 {
		o.DeferAccept = time.Duration(min(n, 1<<20)) * time.Second
	}
	var err tcp.Error
	s.listener, err = s.tcp().Listen(s.now(), o)
	return err
}

// relisten makes the engine take over options that were set after listen. It
// is for scripts that set them before the first segment arrives.
func (s *sock) relisten() {
	if s.kind != sockListening || s.p.cur != nil {
		return
	}
	s.tcp().Unlisten(s.now(), s.listener)
	s.listen()
}

func startAccept(x *callContext) attempt {
	s := x.s
	if s.kind != sockListening {
		return done(errResult("EINVAL"))
	}
	return func() (callResult, bool) {
		id, err := s.tcp().Accept(s.now(), s.listener)
		switch {
		case err == tcp.ErrNotConnected && s.nonblock:
			return errResult("EAGAIN"), true
		case err == tcp.ErrNotConnected:
			return callResult{}, false
		case err != 0:
			return errResult(s.errnoOf(err)), true
		}
		fd := x.descriptor()
		if x.e.socks[fd] != nil {
			return callResult{wrong: whyTwice}, true
		}
		c := x.e.newSock(fd)
		c.conn, c.kind, c.port, c.told = id, sockConnected, s.port, true
		c.inherit(s)
		if len(x.args) > 3 { // accept4
			c.nonblock = x.args[3].n&constants["SOCK_NONBLOCK"] != 0
		}
		t, _ := s.tcp().Tuple(id)
		c.flow = x.p.flowOf(t.LocalPort, t.RemotePort)
		c.flow.sock, c.flow.read = c, 0
		return okResult(int64(fd)), true
	}
}

func startConnect(x *callContext) attempt {
	s := x.s
	if x.args[1].kind == argName && x.args[1].name == "AF_UNSPEC" {
		s.disconnect()
		return done(okResult(0))
	}
	switch s.kind {
	case sockListening:
		return done(errResult("EISCONN"))
	case sockNew:
		port := x.p.set.connectPort
		if n, ok := sockaddrPort(&x.args[1]); ok {
			port = n
		}
		if errno := s.open(port); errno != "" {
			return done(errResult(errno))
		}
		if s.nonblock {
			return done(errResult("EINPROGRESS"))
		}
	}
	return s.connected
}

// open begins an active open.
func (s *sock) open(port uint16) (errno string) {
	p := s.p
	o := tcp.OpenOptions{Conn: s.config(), Tuple: tcp.Tuple{Local: s.e.host.addr, Remote: s.e.host.peer, LocalPort: s.port, RemotePort: port}}
	id, err := s.tcp().Open(s.now(), o)
	if err != 0 {
		return s.errnoOf(err)
	}
	s.conn, s.kind = id, sockConnecting
	t, _ := s.tcp().Tuple(id)
	s.port = t.LocalPort
	s.flow = p.flowOf(t.LocalPort, t.RemotePort)
	s.flow.sock, s.flow.read = s, 0
	if s.ints["TCP_CORK"] != 0 {
		s.tcp().SetCork(s.now(), id, true)
	}
	if &s.socket == p.curSock || p.cur == nil {
		p.cur = s.flow
	}
	return ""
}

// connected says how connect goes on once the SYN is on its way: also when it
// is called again.
func (s *sock) connected() (callResult, bool) {
	s.settle()
	switch s.kind {
	case sockConnected:
		e := s.takeError()
		if e == "" && !s.told && s.state() == tcp.StateClosed {
			e = "ECONNABORTED" // SO_ERROR has told why already
		}
		if e != "" {
			s.tcp().Close(s.now(), s.conn, -1)
			s.kind, s.conn = sockNew, 0
			return errResult(e), true
		}
		if s.told {
			return errResult("EISCONN"), true
		}
		s.told = true
		return okResult(0), true
	case sockConnecting:
		if s.nonblock {
			return errResult("EALREADY"), true
		}
	}
	return callResult{}, false
}

// settle notices that a handshake is over.
func (s *sock) settle() {
	if s.kind == sockConnecting {
		switch s.status().State {
		case tcp.StateSynSent, tcp.StateSynReceived:
		default:
			s.kind = sockConnected
		}
	}
}

// disconnect is connect with AF_UNSPEC: the socket is as new.
func (s *sock) disconnect() {
	switch {
	case s.kind == sockListening:
		s.tcp().Unlisten(s.now(), s.listener)
	case s.conn != 0:
		s.tcp().Abort(s.now(), s.conn)
		s.tcp().Close(s.now(), s.conn, -1)
	}
	s.kind, s.conn, s.flow, s.told, s.rdShut, s.wrShut = sockNew, 0, nil, false, false, false
}

func startShutdown(x *callContext) attempt {
	s, how := x.s, x.args[1].n
	if how < 0 || how > 2 {
		return done(errResult("EINVAL"))
	}
	s.settle()
	rd, wr := how != 1, how != 0
	switch s.kind {
	case sockNew:
		return done(errResult("ENOTCONN"))
	case sockListening:
		if rd && x.p.set.face == faceLinux {
			s.disconnect()
		}
		return done(okResult(0))
	case sockConnecting:
		if x.p.set.face == faceLinux {
			s.disconnect()
			return done(okResult(0))
		}
		return done(errResult("ENOTCONN"))
	}
	if st := s.state(); st == tcp.StateClosed || st == tcp.StateTimeWait && x.p.set.face == faceFreeBSD {
		return done(errResult("ENOTCONN"))
	}
	if rd {
		s.rdShut = true
		if x.p.set.face != faceLinux { // Linux goes on taking what arrives
			s.tcp().ShutdownRead(s.now(), s.conn)
		}
	}
	if wr {
		s.wrShut = true
		s.flow.corked = false
		s.tcp().Shutdown(s.now(), s.conn)
		s.flow.pushEnds = append(s.flow.pushEnds, uint32(len(s.flow.written)))
	}
	return done(okResult(0))
}

func startClose(x *callContext) attempt {
	if f := x.s.flow; f != nil {
		f.corked = false
		f.pushEnds = append(f.pushEnds, uint32(len(f.written)))
	}
	x.s.close()
	return done(okResult(0))
}
