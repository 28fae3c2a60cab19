package lab

import (
	"time"

	"estab/internal/wire"
	"estab/sim"
	"estab/tcp"
)

// actor is the program on a host: it does what the script says, accepts what
// comes, and reads unless it was told not to.
type actor struct {
	stage    *Stage
	index    int
	host     *sim.Host
	config   tcp.Config
	ring     *tcp.Ring
	tag      uint32
	listener tcp.ListenerID
	ends     []*End
	deaf     bool // doesn't read
	noDelay  bool
	keep     tcp.KeepAlive
	greeting []byte
	onEOF    string
	eofAfter time.Duration
}

const crashText = "the host goes down: its memory is lost"

// End is a program's end of a connection.
type End struct {
	Port      uint16 // of the client
	Began     time.Duration
	Connected time.Duration // when the program learnt it; -1: never
	Sent      []byte        // what the program gave to Send
	Got       []byte        // what it read
	EOF       bool
	Err       tcp.Error // what it was told; 0: nothing
	ErrAt     time.Duration
	Closed    bool

	id      tcp.ConnID
	pending []byte // to be sent when there is room
	closing string // shut or close, once pending is empty
	gone    bool   // the handle is given up
	alive   bool   // there is a handle
}

// do does a step of the script.
func (s *Stage) do(step Step) {
	switch step.Do {
	case "cut":
		s.Note(-1, "the path is cut")
		s.Path.Cut()
		return
	case "join":
		s.Note(-1, "the path is whole again")
		s.Path.Join()
		return
	}
	a := s.actors[step.Who[0]-'A']
	if !a.host.Up() && step.Do != "restart" {
		return
	}
	a.do(step)
	a.host.Flush()
}

func (a *actor) do(step Step) {
	switch step.Do {
	case "listen":
		a.listen(tcp.ListenOptions{Conn: tcp.ConnConfig{DelayFinAck: step.Text != ""}})
	case "connect":
		a.connect(uint16(step.N))
	case "on-accept send":
		a.greeting = step.bytes(0)
	case "on-eof close", "on-eof shut":
		a.onEOF, a.eofAfter = step.Do[len("on-eof "):], step.For
	case "stop-reading":
		a.deaf = true
	case "read":
		a.deaf = false
		a.each(a.work)
	case "nodelay":
		a.noDelay = true
	case "keep-alive":
		a.keep = tcp.KeepAlive{On: true, Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3}
		a.each(func(e *End) {
			a.host.TCP().SetKeepAlive(a.now(), e.id, a.keep)
			a.called(e, "keep-alive", 0, 0)
		})
	case "crash":
		a.stage.Note(a.index, crashText)
		a.listener = 0
		a.host.Crash()
		a.each(func(e *End) { e.gone = true })
	case "restart":
		a.stage.Note(a.index, "the host is up again, and remembers nothing")
		a.host.Restart()
		a.tag = a.host.Start(a)
	default:
		if e := a.current(); e != nil {
			a.act(e, step)
		}
	}
}

// act does a step that is about a connection.
func (a *actor) act(e *End, step Step) {
	switch step.Do {
	case "send":
		e.pending = append(e.pending, step.bytes(len(e.Sent)+len(e.pending))...)
		a.work(e)
	case "shut", "close":
		e.closing = step.Do
		a.work(e)
	case "abort":
		a.host.TCP().Abort(a.now(), e.id)
		a.called(e, "abort", 0, 0)
		e.gone, e.Closed = true, true
	}
}

// bytes are what a send step sends: its text, or numbered lines.
func (s *Step) bytes(off int) []byte {
	if s.Text != "" {
		return []byte(s.Text)
	}
	b := make([]byte, s.N)
	for i := range b {
		b[i] = pattern(off + i)
	}
	return b
}

// pattern is byte i of a stream in which every byte says where it stands.
func pattern(i int) byte { return byte((uint32(i/8)*2654435761)>>16) ^ byte(i) }

func (a *actor) now() tcp.Time { return a.stage.World.Now() }

// current is the connection that a step without a name means: the latest.
func (a *actor) current() *End {
	for i := len(a.ends) - 1; i >= 0; i-- {
		if e := a.ends[i]; e.alive && !e.gone {
			return e
		}
	}
	return nil
}

func (a *actor) each(f func(*End)) {
	for _, e := range a.ends {
		if e.alive && !e.gone {
			f(e)
		}
	}
}

func (a *actor) listen(o tcp.ListenOptions) {
	o.Port, o.Tag = serverPort, a.tag
	if a.index == A {
		o.Port = clientPort // whoever opens it, a connection is between these two
	}
	id, err := a.host.TCP().Listen(a.now(), o)
	if err != 0 {
		a.stage.Note(a.index, "listen: "+err.Error())
	}
	a.listener = id
	a.called(nil, "listen", 0, err)
}

// connect opens a connection to B.
func (a *actor) connect(port uint16) *End {
	e := &End{Port: port, Began: a.stage.Now(), Connected: -1}
	a.ends = append(a.ends, e)
	to := a.stage.actors[B]
	if a.index == B {
		to = a.stage.actors[A]
	}
	o := tcp.OpenOptions{Tag: a.tag, Conn: tcp.ConnConfig{NoDelay: a.noDelay, KeepAlive: a.keep}}
	o.Tuple = tcp.Tuple{Local: wire.AddrFrom(a.host.Addrs[0]), LocalPort: port,
		Remote: wire.AddrFrom(to.host.Addrs[0]), RemotePort: serverPort}
	if a.index == B {
		o.Tuple.LocalPort, o.Tuple.RemotePort = serverPort, port
	}
	id, err := a.host.TCP().Open(a.now(), o)
	a.called(e, "connect", int(port), err)
	if err != 0 {
		e.Err, e.ErrAt = err, a.stage.Now()
		a.stage.Note(a.index, "connect: "+err.Error())
		return e
	}
	e.id, e.alive = id, true
	return e
}

// Ready is part of sim.App.
func (a *actor) Ready(_ *sim.Host, r tcp.Ready) {
	if r.Listener != 0 {
		a.accept()
		return
	}
	for _, e := range a.ends {
		if e.alive && !e.gone && e.id == r.Conn {
			if r.What&tcp.Connected != 0 && e.Connected < 0 {
				e.Connected = a.stage.Now()
			}
			a.work(e)
			if r.What&tcp.Ended != 0 && !e.gone && e.EOF {
				if err := a.host.TCP().TakeError(e.id); err != 0 {
					a.failed(e, err)
				}
			}
			return
		}
	}
}

func (a *actor) accept() {
	for {
		id, err := a.host.TCP().Accept(a.now(), a.listener)
		if err != 0 {
			return
		}
		a.host.TCP().SetTag(id, a.tag)
		a.host.TCP().SetNoDelay(a.now(), id, a.noDelay)
		if a.keep.On {
			a.host.TCP().SetKeepAlive(a.now(), id, a.keep)
		}
		e := &End{Began: a.stage.Now(), Connected: a.stage.Now(), id: id, alive: true}
		if t, err := a.host.TCP().Tuple(id); err == 0 {
			e.Port = t.RemotePort
			if a.index == A {
				e.Port = t.LocalPort
			}
		}
		e.pending = append(e.pending, a.greeting...)
		a.ends = append(a.ends, e)
		a.called(e, "accept", int(e.Port), 0)
		a.work(e)
	}
}

// work sends and reads what can be, and closes when it is time.
func (a *actor) work(e *End) {
	a.write(e)
	if !a.deaf {
		a.read(e)
	}
	if e.gone || len(e.pending) > 0 {
		return
	}
	switch e.closing {
	case "shut":
		a.host.TCP().Shutdown(a.now(), e.id)
		a.called(e, "shut", 0, 0)
		e.closing = ""
	case "close":
		a.host.TCP().Close(a.now(), e.id, -1)
		a.called(e, "close", 0, 0)
		e.gone, e.Closed, e.closing = true, true, ""
	}
}

func (a *actor) write(e *End) {
	for len(e.pending) > 0 && !e.gone && e.Connected >= 0 {
		n, err := a.host.TCP().Send(a.now(), e.id, e.pending, 0)
		a.called(e, "send", n, err)
		e.Sent = append(e.Sent, e.pending[:n]...)
		e.pending = e.pending[n:]
		if err != 0 {
			e.pending = nil
			a.failed(e, err)
		}
		if n == 0 {
			return
		}
	}
}

func (a *actor) read(e *End) {
	buf := make([]byte, 4096)
	for !e.gone && !e.EOF {
		n, err := a.host.TCP().Receive(a.now(), e.id, buf, 0)
		a.called(e, "read", n, err)
		e.Got = append(e.Got, buf[:n]...)
		switch {
		case err == tcp.ErrEOF && e.Err == 0:
			e.EOF = true
			a.atEOF(e)
			return
		case err == tcp.ErrNotConnected, err == tcp.ErrEOF:
			return
		case err != 0:
			a.failed(e, err)
			return
		case n == 0:
			return
		}
	}
}

// atEOF does what was to be done once the peer's FIN is read.
func (a *actor) atEOF(e *End) {
	if a.onEOF == "" || e.closing != "" {
		return
	}
	if a.eofAfter == 0 {
		e.closing = a.onEOF
		return
	}
	a.stage.World.After(a.eofAfter, func() {
		if !e.gone && a.host.Up() {
			e.closing = a.onEOF
			a.work(e)
			a.host.Flush()
		}
	})
}

// failed notes what the program was told.
func (a *actor) failed(e *End, err tcp.Error) {
	if e.Err == 0 {
		e.Err, e.ErrAt = err, a.stage.Now()
	}
	a.host.TCP().Close(a.now(), e.id, 0)
	a.called(e, "close", 0, 0)
	e.gone = true
}

// Call is something that a program asked its TCP to do.
type Call struct {
	At   tcp.Time
	End  int    // which of the host's connections; -1: none
	Do   string // listen, connect, accept, send, read, shut, close, abort, keep-alive
	N    int    // of connect and accept the client's port, of send and read bytes
	Size int    // of send: how many bytes there were to send
	Err  tcp.Error

	order int
}

// called notes a call. One that had no effect is not worth it.
func (a *actor) called(e *End, do string, n int, err tcp.Error) {
	if n == 0 && (do == "send" || do == "read") && (err == 0 || err == tcp.ErrNotConnected) {
		return
	}
	s := a.stage
	s.collect() // what was before
	s.order++
	c := Call{At: a.now(), End: -1, Do: do, N: n, Err: err, order: s.order}
	for i, x := range a.ends {
		if x == e {
			c.End = i
		}
	}
	if do == "send" {
		c.Size = len(e.pending)
	}
	s.play.Calls[a.index] = append(s.play.Calls[a.index], c)
}
