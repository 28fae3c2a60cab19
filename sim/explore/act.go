package explore

import (
	"estab/tcp"
)

// act lets the user take a step; false if it can't be taken now.
func (a *actor) act(s Step, serve bool) bool {
	a.doing.by, a.doing.call = byCall, s.Do
	if !a.do(s) {
		return false
	}
	a.l.user.advance(serve)
	a.finish()
	return true
}

func (a *actor) do(s Step) bool {
	u := &a.l.user
	switch s.Do {
	case Open:
		return a.open()
	case Listen:
		return a.listen()
	case Unlisten:
		return a.unlisten()
	case Cancel:
		if !a.open() {
			return false
		}
		a.pump()
		u.now().early, u.now().shut = true, true
		a.giveUp()
	case Turn:
		if !a.unlisten() {
			return false
		}
		a.l.tick(a.w)
		if !a.open() {
			return false
		}
		a.figure.cross(tcp.StateListen, tcp.StateSynSent)
	case Send:
		return a.send(s.N)
	case Shutdown, Early:
		if a.l.eng.Shutdown(a.l.now, u.conn) != 0 {
			return false
		}
		u.now().shut = true
	case Read:
		a.readAtLast()
	case Close:
		u.now().early = !u.now().eof
		u.now().shut = true
		a.giveUp()
	case Abort:
		u.now().aborted = true
		a.l.eng.Abort(a.l.now, u.conn)
		u.open = false
	case Crash:
		a.crash()
	case Restart:
		a.boot()
	}
	return true
}

func (a *actor) open() bool {
	o := tcp.OpenOptions{Tuple: tuple(a.l.end), Conn: a.w.connConfig(a.l.end)}
	id, err := a.l.eng.Open(a.l.now, o)
	if err != 0 {
		return false
	}
	a.begins(id, false)
	a.l.user.now().state = tcp.StateSynSent
	return true
}

func (a *actor) listen() bool {
	id, err := a.l.eng.Listen(a.l.now, tcp.ListenOptions{Port: ports[a.l.end], Conn: a.w.connConfig(a.l.end)})
	if err != 0 {
		return false
	}
	a.l.user.listener = id
	a.figure.cross(tcp.StateClosed, tcp.StateListen)
	return true
}

func (a *actor) unlisten() bool {
	u := &a.l.user
	if u.listener == 0 {
		return false
	}
	a.l.eng.Unlisten(a.l.now, u.listener)
	u.listener = 0
	a.figure.cross(tcp.StateListen, tcp.StateClosed)
	return true
}

func (a *actor) send(n int) bool {
	u := &a.l.user
	t := u.now()
	p := a.buf[:n]
	for i := range p {
		p[i] = byteOf(u.gen, t.sent+uint8(i))
	}
	k, err := a.l.eng.Send(a.l.now, u.conn, p, 0)
	if k != n || err != 0 {
		return false
	}
	t.sent += uint8(n)
	return true
}

// crash loses everything but what the invariants remember.
func (a *actor) crash() {
	u := &a.l.user
	if t := u.now(); t != nil && !t.closed {
		t.aborted, t.closed, t.clean = true, true, false
	}
	u.conn, u.listener, u.open = 0, 0, false
	a.l.eng = nil
}
