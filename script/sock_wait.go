package script

import (
	"strings"
	"time"

	"estab/tcp"
)

// The calls that ask: fcntl, ioctl, poll.

func startFcntl(x *callContext) attempt {
	s, face := x.s, x.p.set.face
	switch x.args[1].name {
	case "F_GETFL":
		n := constants["O_RDWR"]
		if s.nonblock {
			n |= face.nonblock()
		}
		return done(okResult(n))
	case "F_SETFL":
		if len(x.args) > 2 {
			a := &x.args[2]
			s.nonblock = a.kind == argName && strings.Contains(a.name, "O_NONBLOCK") || a.n&face.nonblock() != 0
		}
		return done(okResult(0))
	}
	return done(okResult(0))
}

func startIoctl(x *callContext) attempt {
	s := x.s
	n := int64(0)
	switch name := x.args[1].name; name {
	case "FIONBIO":
		if len(x.args) > 2 && x.args[2].kind == argList && len(x.args[2].list) == 1 {
			s.nonblock = x.args[2].list[0].n != 0
		}
		return done(okResult(0))
	case "SIOCINQ", "FIONREAD":
		if s.kind == sockListening {
			return done(errResult("EINVAL"))
		}
		n = int64(s.tcp().Readable(s.conn))
	case "SIOCOUTQ", "TIOCOUTQ", "FIONWRITE", "SIOCOUTQNSD":
		if s.kind == sockListening {
			return done(errResult("EINVAL"))
		}
		st := s.status()
		n = int64(st.Unsent)
		if name != "SIOCOUTQNSD" {
			n = int64(st.SendQueue)
		}
		if st.FinSent && !st.FinAcked && name != "SIOCOUTQNSD" && s.p.set.face == faceLinux {
			n++ // Linux counts the FIN
		}
	}
	r := okResult(0)
	r.wrong = wrongIoctl(x, n)
	return done(r)
}

// wrongIoctl says how what an ioctl has told differs from the stated number.
func wrongIoctl(x *callContext, n int64) string {
	if len(x.args) > 2 && x.args[2].kind == argList && len(x.args[2].list) == 1 {
		return wrongNumber(x.args[1].name, &x.args[2].list[0], n)
	}
	return ""
}

// wrongNumber says how a number that was asked for differs from the stated one.
func wrongNumber(name string, want *arg, n int64) string {
	if want.kind == argAny || want.n == n {
		return ""
	}
	return name + " is " + itoa(n) + ", not " + want.String()
}

// events is what poll says of a socket.
func (s *sock) events() int64 {
	in := constants["POLLIN"] | constants["POLLRDNORM"]
	out := constants["POLLOUT"] | constants["POLLWRNORM"]
	s.settle()
	ev := int64(0)
	if s.hasError() {
		ev |= constants["POLLERR"]
	}
	switch s.kind {
	case sockListening:
		if s.acceptable() {
			ev |= in
		}
		return ev
	case sockNew:
		return ev | out | constants["POLLHUP"]
	case sockConnecting:
		return ev
	}
	st := s.status()
	over := st.State == tcp.StateClosed || st.State == tcp.StateTimeWait && st.FinSent
	rd := st.FinReceived || s.rdShut || over
	if over || rd && s.wrShut {
		ev |= constants["POLLHUP"]
	}
	if rd {
		ev |= in | constants["POLLRDHUP"]
	}
	if s.tcp().Readable(s.conn) >= int(max(s.ints["SO_RCVLOWAT"], 1)) {
		ev |= in
	}
	if s.wrShut || over || s.hasRoom(&st) {
		ev |= out
	}
	return ev
}

// hasRoom reports whether poll calls a socket writable.
func (s *sock) hasRoom(st *tcp.Status) bool {
	if s.counted() {
		return s.writable()
	}
	return 3*st.SendQueue <= 2*st.SendBuffer
}

// acceptable reports whether a connection waits for accept.
func (s *sock) acceptable() bool {
	waiting := 0
	s.tcp().States(func(t tcp.Tuple, st tcp.State) bool {
		if t.LocalPort == s.port && st != tcp.StateListen && st != tcp.StateSynReceived && st != tcp.StateTimeWait && s.p.flowOf(t.LocalPort, t.RemotePort).sock == nil {
			waiting++
		}
		return true
	})
	return waiting > 0
}

func startPoll(x *callContext) attempt {
	fds, timeout := &x.args[0], x.args[2].n
	deadline := tcp.Never
	if timeout >= 0 {
		deadline = x.e.host.now.Add(time.Duration(timeout) * time.Millisecond)
	}
	x.until(deadline)
	always := constants["POLLERR"] | constants["POLLHUP"] | constants["POLLNVAL"]
	return func() (callResult, bool) {
		ready := int64(0)
		r := okResult(0)
		for i := range fds.list {
			v := &fds.list[i]
			fd, events := v.field("fd"), v.field("events")
			if fd == nil || events == nil {
				continue
			}
			got := constants["POLLNVAL"]
			if s := x.e.socks[int(fd.n)]; s != nil {
				got = s.events() & (events.n | always)
			}
			if got != 0 {
				ready++
			}
			if why := wrongPoll(v, got); why != "" {
				r.wrong = why
			}
		}
		r.n = ready
		return r, ready > 0 || x.e.host.now >= deadline
	}
}

// wrongPoll says how what poll tells of a socket differs from what is stated.
func wrongPoll(v *arg, got int64) string {
	want := v.field("revents")
	if want == nil || want.kind == argAny || got == want.n {
		return ""
	}
	return "poll says revents=" + pollNames(got) + " of socket " + itoa(v.field("fd").n) + ", not " + want.String()
}

// pollNames writes poll's bits as a script does.
func pollNames(bits int64) string {
	var names []string
	for _, n := range [...]string{"POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDNORM", "POLLWRNORM", "POLLRDHUP"} {
		if bits&constants[n] != 0 {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "0"
	}
	return strings.Join(names, "|")
}
