package script

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// realSock is a socket of the machine's.
type realSock struct {
	socket
	real  int  // the machine's number for it
	bound bool // bind was called
}

// leave makes the socket one without a connection.
func (s *realSock) leave() {
	if s.flow != nil && s.flow.real == s {
		s.flow.real = nil
	}
	s.flow = nil
	if !s.bound {
		s.port = 0
	}
}

// join makes a connection the socket's.
func (s *realSock) join(f *flow) {
	s.flow, s.port = f, f.local
	f.real, f.read = s, 0
}

// realCall is a system call on its way to the machine: what it is, and what its
// end means to the player.
type realCall struct {
	c    *SystemCall
	then func(c *SystemCall, r callResult) callResult
}

func (r *realSystem) start(x *callContext) (attempt, *failed) {
	var s *realSock
	if syscalls[x.call.Name].socket {
		if s = r.socks[int(x.args[0].n)]; s == nil {
			return nil, r.p.failAt(x.call.Pos, "there is no socket %d", x.args[0].n)
		}
	}
	made := realCalls[x.call.Name](r, x, s)
	c := made.c
	if c == nil {
		return done(okResult(0)), nil
	}
	if s != nil {
		c.FD = s.real
	}
	r.acted = r.now()
	r.m.Begin(c)
	return func() (callResult, bool) {
		if !c.Done {
			return callResult{}, false
		}
		res := okResult(int64(c.N))
		if c.Errno != "" {
			res = errResult(c.Errno)
		}
		if made.then != nil {
			res = made.then(c, res)
		}
		res.at = c.Ended
		return res, true
	}, nil
}

// realCalls translate the calls of scripts to those of a machine.
var realCalls = map[string]func(r *realSystem, x *callContext, s *realSock) realCall{
	"socket": (*realSystem).socket, "bind": (*realSystem).bind, "listen": (*realSystem).listen,
	"accept": (*realSystem).accept, "accept4": (*realSystem).accept, "connect": (*realSystem).connect,
	"shutdown": (*realSystem).shutdown, "close": (*realSystem).close,
	"read": (*realSystem).read, "readv": (*realSystem).read, "recv": (*realSystem).read, "recvfrom": (*realSystem).read, "recvmsg": (*realSystem).read,
	"write": (*realSystem).write, "writev": (*realSystem).write, "send": (*realSystem).write, "sendto": (*realSystem).write, "sendmsg": (*realSystem).write,
	"fcntl": (*realSystem).fcntl, "ioctl": (*realSystem).ioctl, "poll": (*realSystem).poll,
	"getsockopt": (*realSystem).getsockopt, "setsockopt": (*realSystem).setsockopt,
	"cap_set": func(*realSystem, *callContext, *realSock) realCall { return realCall{} },
}

// address is one of the two, as the sockets of the family see it.
func (r *realSystem) address(remote bool, port uint16) netip.AddrPort {
	local, peer, _ := r.p.set.addresses()
	a := local.Addr()
	if remote {
		a = peer.Addr()
	}
	if r.p.set.family == IPv4Mapped {
		a = netip.AddrFrom16(a.As16())
	}
	return netip.AddrPortFrom(a, port)
}

// add makes a socket of the machine's one of the script's.
func (r *realSystem) add(x *callContext, real int) (s *realSock, wrong string) {
	fd := 3
	if v := r.p.plan.results[x.call]; v.low.kind == argInt && v.low.n >= 0 {
		fd = int(v.low.n)
	} else {
		for r.socks[fd] != nil {
			fd++
		}
	}
	if r.socks[fd] != nil {
		return nil, whyTwice
	}
	s = &realSock{socket: socket{fd: fd}, real: real}
	r.socks[fd] = s
	return s, ""
}

func (r *realSystem) socket(x *callContext, _ *realSock) realCall {
	domain := constants["AF_INET"]
	if r.p.set.family != IPv4 {
		domain = constants["AF_INET6"]
	}
	c := &SystemCall{Name: "socket", Args: [3]int{int(domain), int(x.args[1].n), int(x.args[2].n)}}
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		if res.errno != "" {
			return res
		}
		s, wrong := r.add(x, c.N)
		if wrong != "" {
			return callResult{wrong: wrong}
		}
		r.p.cur, r.p.curSock = nil, &s.socket
		return okResult(int64(s.fd))
	}}
}

func (r *realSystem) bind(x *callContext, s *realSock) realCall {
	port := r.p.set.bindPort
	if n, ok := sockaddrPort(&x.args[1]); ok {
		port = n
	}
	return realCall{&SystemCall{Name: "bind", Addr: r.address(false, port)}, func(_ *SystemCall, res callResult) callResult {
		if res.errno == "" {
			s.port, s.bound = port, true
		}
		return res
	}}
}

func (r *realSystem) listen(x *callContext, s *realSock) realCall {
	return realCall{&SystemCall{Name: "listen", Args: [3]int{int(x.args[1].n)}}, func(_ *SystemCall, res callResult) callResult {
		if res.errno != "" {
			return res
		}
		if s.port == 0 {
			name := &SystemCall{Name: "getsockname", FD: s.real}
			r.m.Begin(name)
			s.port = name.Addr.Port()
		}
		return res
	}}
}

func (r *realSystem) accept(x *callContext, from *realSock) realCall {
	c := &SystemCall{Name: "accept4"}
	if len(x.args) > 3 {
		c.Args[0] = int(x.args[3].n)
	}
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		if res.errno != "" {
			return res
		}
		s, wrong := r.add(x, c.N)
		if wrong != "" {
			return callResult{wrong: wrong}
		}
		s.join(r.p.flowOf(from.port, c.Addr.Port()))
		return okResult(int64(s.fd))
	}}
}

func (r *realSystem) connect(x *callContext, s *realSock) realCall {
	c := &SystemCall{Name: "connect"}
	if x.args[1].kind == argName && x.args[1].name == "AF_UNSPEC" {
		return realCall{c, func(_ *SystemCall, res callResult) callResult {
			if res.errno == "" {
				s.leave()
			}
			return res
		}}
	}
	port := r.p.set.connectPort
	if n, ok := sockaddrPort(&x.args[1]); ok {
		port = n
	}
	c.Addr = r.address(true, port)
	r.notOpening(s)
	r.opening = append(r.opening, s)
	if s.flow == nil && r.p.curSock == &s.socket {
		r.p.cur = nil // until its SYN is seen
	}
	return realCall{c, func(_ *SystemCall, res callResult) callResult {
		switch res.errno {
		case "", "EINPROGRESS", "EINTR":
		case "EISCONN", "EALREADY":
			r.notOpening(s)
		default: // the socket is as new
			r.notOpening(s)
			s.leave()
		}
		return res
	}}
}

// notOpening takes a socket off the list of those whose SYN is yet to be seen.
func (r *realSystem) notOpening(s *realSock) {
	r.opening = slices.DeleteFunc(r.opening, func(o *realSock) bool { return o == s })
}

func (r *realSystem) shutdown(x *callContext, _ *realSock) realCall {
	return realCall{&SystemCall{Name: "shutdown", Args: [3]int{int(x.args[1].n)}}, nil}
}

func (r *realSystem) close(_ *callContext, s *realSock) realCall {
	return realCall{&SystemCall{Name: "close"}, func(_ *SystemCall, res callResult) callResult {
		delete(r.socks, s.fd)
		r.notOpening(s)
		s.leave()
		return res
	}}
}

func (r *realSystem) read(x *callContext, s *realSock) realCall {
	m, hdr := readMessage(x)
	c := &SystemCall{Name: "recvfrom", Args: [3]int{int(m.flags)}}
	if x.call.Name == "read" || x.call.Name == "readv" {
		c.Name = "read"
	}
	if hdr != nil {
		c.Name, c.OOB = "recvmsg", make([]byte, 256)
	}
	if m.null {
		c.Null, c.Length = true, m.n
	} else {
		c.Buf = make([]byte, m.n)
	}
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		if res.errno != "" {
			return res
		}
		if !m.has("MSG_TRUNC") && !m.null && s.flow != nil {
			s.flow.checkRead(r.p, c.Buf[:c.N])
		}
		if s.flow != nil && !m.has("MSG_PEEK") {
			s.flow.read += uint32(c.N)
		}
		return r.control(hdr, c, res)
	}}
}

// control compares what recvmsg says beside the text with what is stated.
func (r *realSystem) control(hdr *arg, c *SystemCall, res callResult) callResult {
	if hdr == nil {
		return res
	}
	if v := hdr.field("msg_flags"); v != nil && v.kind != argAny && v.n != int64(c.Flags)&^constants["MSG_CMSG_CLOEXEC"] {
		res.wrong = "recvmsg says msg_flags=" + itoa(int64(c.Flags)) + ", not " + v.String()
	}
	want := hdr.field("msg_control")
	if want == nil || want.kind == argAny {
		return res
	}
	inq, have := controlInq(c.OOB[:c.OOBCount])
	switch {
	case have && len(want.list) == 1:
		if v := want.list[0].field("cmsg_data"); v == nil || v.n != inq {
			res.wrong = "recvmsg says TCP_CM_INQ " + itoa(inq)
		}
	case len(want.list) > 0:
		res.wrong = "recvmsg has no control message"
	case have:
		res.wrong = "recvmsg has a control message of TCP_CM_INQ"
	}
	return res
}

// controlInq finds TCP_CM_INQ among control messages (struct cmsghdr: a length,
// a level and a type).
func controlInq(b []byte) (n int64, ok bool) {
	const head = 16 // on 64 bits
	for len(b) >= head+4 {
		length := int(binary.NativeEndian.Uint64(b))
		if length < head || length > len(b) {
			return 0, false
		}
		if binary.NativeEndian.Uint32(b[8:]) == 6 && binary.NativeEndian.Uint32(b[12:]) == 36 && length >= head+4 {
			return int64(int32(binary.NativeEndian.Uint32(b[head:]))), true
		}
		b = b[min((length+7)&^7, len(b)):]
	}
	return 0, false
}

func (r *realSystem) write(x *callContext, s *realSock) realCall {
	m := writeMessage(x)
	c := &SystemCall{Name: "sendto", Args: [3]int{int(m.flags | constants["MSG_NOSIGNAL"])}}
	if x.call.Name == "write" || x.call.Name == "writev" {
		c.Name = "write"
	}
	if m.null {
		c.Null, c.Length = true, m.n
		return realCall{c, nil}
	}
	p := r.p
	if p.buffered+m.n > maxBuffered {
		if p.failure == nil {
			p.failure = p.failAt(p.line, "the program writes more than %d bytes", maxBuffered)
		}
		return realCall{}
	}
	f := s.flow
	if f == nil {
		c.Data = make([]byte, m.n)
		return realCall{c, nil}
	}
	// What is offered may leave before the call has ended.
	before := len(f.written)
	c.Data = m.bytes(before)
	f.written = append(f.written, c.Data...)
	p.buffered += m.n
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		took := max(int(res.n), 0)
		if n := before + took; n <= len(f.written) {
			f.written = f.written[:n]
		}
		p.buffered -= m.n - took
		return res
	}}
}

func (r *realSystem) fcntl(x *callContext, _ *realSock) realCall {
	c := &SystemCall{Name: "fcntl", Args: [3]int{int(x.args[1].n)}}
	if len(x.args) > 2 {
		c.Args[1] = int(x.args[2].n)
	}
	return realCall{c, nil}
}

func (r *realSystem) ioctl(x *callContext, _ *realSock) realCall {
	c := &SystemCall{Name: "ioctl", Args: [3]int{int(x.args[1].n)}, Buf: make([]byte, 4)}
	asks := x.args[1].name != "FIONBIO"
	if !asks && len(x.args) > 2 && x.args[2].kind == argList && len(x.args[2].list) == 1 {
		binary.NativeEndian.PutUint32(c.Buf, uint32(x.args[2].list[0].n))
	}
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		if res.errno == "" && asks {
			res.wrong = wrongIoctl(x, int64(int32(binary.NativeEndian.Uint32(c.Buf))))
		}
		return res
	}}
}

func (r *realSystem) poll(x *callContext, _ *realSock) realCall {
	c := &SystemCall{Name: "poll", Args: [3]int{int(x.args[2].n)}}
	fds := &x.args[0]
	for i := range fds.list {
		fd, events := fds.list[i].field("fd"), fds.list[i].field("events")
		if fd == nil || events == nil {
			continue
		}
		real := 1 << 20 // there is none of that number
		if s := r.socks[int(fd.n)]; s != nil {
			real = s.real
		}
		c.Poll = append(c.Poll, PollFD{FD: real, Events: int16(events.n)})
	}
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		k := 0
		for i := range fds.list {
			v := &fds.list[i]
			if v.field("fd") == nil || v.field("events") == nil {
				continue
			}
			if why := wrongPoll(v, int64(uint16(c.Poll[k].Revents))); why != "" {
				res.wrong = why
			}
			k++
		}
		return res
	}}
}

// blockingLimit bounds what a script can make a call wait for by an argument.
const blockingLimit = 60 * time.Second
