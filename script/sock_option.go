package script

import (
	"time"

	"estab/tcp"
)

// The calls setsockopt and getsockopt, and what the options do (the table of
// them is sockOptions).

func startSetsockopt(x *callContext) attempt {
	s, name, v := x.s, x.args[2].name, &x.args[3]
	o := sockOptions[name]
	switch {
	case o.readOnly:
		return done(errResult("ENOPROTOOPT"))
	case name == "SO_LINGER":
		return done(s.setLinger(v))
	case name == "TCP_CONGESTION":
		s.cc = trimNul(v.s)
		s.relisten()
		return done(okResult(0))
	case v.kind != argList || len(v.list) != 1:
		return done(errResult("EFAULT"))
	case x.args[4].n < 4 && x.args[1].name != "SOL_IP" && x.args[1].name != "IPPROTO_IP":
		return done(errResult("EINVAL")) // too short for a number
	}
	n := v.list[0].n
	if o.high != 0 && (n < o.low || n > o.high) && !(name == "TCP_MAXSEG" && n == 0) {
		return done(errResult("EINVAL"))
	}
	s.ints[name] = n
	if o.set != nil {
		o.set(s, n)
	}
	s.relisten()
	return done(okResult(0))
}

func startGetsockopt(x *callContext) attempt {
	s, name, want := x.s, x.args[2].name, &x.args[3]
	switch {
	case name == "TCP_CONGESTION":
		return done(s.getCongestion(want))
	case name == "SO_LINGER":
		return done(s.getLinger(want))
	case want.kind == argAny:
		return done(okResult(0))
	case want.kind != argList || len(want.list) != 1:
		return done(errResult("EFAULT"))
	case name == "SO_ERROR":
		return done(s.getError(&want.list[0]))
	}
	n := s.ints[name]
	if o := sockOptions[name]; o.get != nil {
		n = o.get(s)
	}
	r := okResult(0)
	r.wrong = wrongNumber(name, &want.list[0], n)
	return done(r)
}

// getError is SO_ERROR, which takes the error that is pending.
func (s *sock) getError(want *arg) callResult {
	s.settle()
	r := okResult(0)
	r.wrong = wrongError(want, s.takeError())
	return r
}

// wrongError says how the pending error, "" if there is none, differs from the
// stated one.
func wrongError(want *arg, errno string) string {
	if want.kind == argAny || errnoMatches(want, errno) {
		return ""
	}
	if errno == "" {
		errno = "0"
	}
	return "SO_ERROR is " + errno + ", not " + want.String()
}

func (s *sock) getCongestion(want *arg) callResult {
	cc := s.cc
	if cc == "" {
		cc = s.p.set.congestion()
	}
	r := okResult(0)
	r.wrong = wrongCongestion(want, cc)
	return r
}

func wrongCongestion(want *arg, cc string) string {
	if want.kind == argString && trimNul(want.s) != cc {
		return "TCP_CONGESTION is " + cc + ", not " + trimNul(want.s)
	}
	return ""
}

// congestion is the name of the congestion control in use.
func (x *setting) congestion() string {
	switch {
	case x.tcp.Congestion == "":
		return "cubic"
	case x.face == faceFreeBSD && x.tcp.Congestion == "reno":
		return "newreno"
	}
	return x.tcp.Congestion
}

// trimNul drops the zero bytes with which C ends its strings.
func trimNul(s string) string {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return s
}

func (s *sock) setLinger(v *arg) callResult {
	on, secs := v.field("onoff"), v.field("linger")
	if on == nil || secs == nil {
		return errResult("EINVAL")
	}
	s.linger = -1
	if on.n != 0 {
		s.linger = time.Duration(min(max(secs.n, 0), 1<<20)) * time.Second
	}
	return okResult(0)
}

func (s *sock) getLinger(want *arg) callResult {
	on, secs := int64(0), int64(0)
	if s.linger >= 0 {
		on, secs = 1, int64(s.linger/time.Second)
	}
	r := okResult(0)
	r.wrong = wrongLinger(want, on, secs)
	return r
}

func wrongLinger(want *arg, on, secs int64) string {
	wantOn, wantSecs := want.field("onoff"), want.field("linger")
	if wantOn != nil && (wantOn.n != 0) != (on != 0) || on != 0 && wantSecs != nil && wantSecs.n != secs {
		return "SO_LINGER is {onoff=" + itoa(on) + ", linger=" + itoa(secs) + "}"
	}
	return ""
}

func (s *sock) setCork(n int64) {
	s.tcp().SetCork(s.now(), s.conn, n != 0)
	s.flow.corked = n != 0
	if n == 0 {
		s.flow.pushEnds = append(s.flow.pushEnds, uint32(len(s.flow.written)))
	}
}

func (s *sock) setUserTimeout(n int64) {
	s.tcp().SetUserTimeout(s.now(), s.conn, time.Duration(n)*time.Millisecond)
}

func (s *sock) setTOS(n int64) { s.tcp().SetTOS(s.now(), s.conn, uint8(n)) }

func (s *sock) getMTU() int64 { return int64(s.p.set.linkMTU()) }

func (s *sock) getDomain() int64 {
	if s.p.set.family == IPv4 {
		return constants["AF_INET"]
	}
	return constants["AF_INET6"]
}

func (s *sock) getSynCount() int64 {
	if n, ok := s.ints["TCP_SYNCNT"]; ok {
		return n
	}
	return int64(max(s.p.set.tcp.SynRetries, 0))
}

// getMaxSeg is the size of segments as Linux tells it: what was asked for, or
// what the connection uses.
func (s *sock) getMaxSeg() int64 {
	if n := s.ints["TCP_MAXSEG"]; n > 0 && (s.conn == 0 || s.state() == tcp.StateClosed) {
		return n
	}
	if s.conn == 0 {
		return 536
	}
	return int64(s.status().SMSS)
}

// Linux doubles the size of a buffer, so that half of it holds text; it has a
// smallest and a largest one.
const (
	linuxMinRecvBuf = 2304
	linuxMinSendBuf = 4608
	linuxMaxBuf     = 4 << 20
)

func (s *sock) setRecvBuf(n int64) {
	if s.p.set.face == faceLinux {
		n = max(2*min(n, linuxMaxBuf), linuxMinRecvBuf)
	}
	s.ints["SO_RCVBUF"] = n
	if s.conn != 0 {
		s.tcp().SetReceiveBuffer(s.now(), s.conn, s.recvSpace(n))
	}
}

func (s *sock) setSendBuf(n int64) {
	if s.p.set.face == faceLinux {
		n = max(2*min(n, linuxMaxBuf), linuxMinSendBuf)
	}
	s.ints["SO_SNDBUF"] = n
	if s.conn != 0 {
		s.tcp().SetSendBuffer(s.now(), s.conn, s.sendSpace(n))
	}
}

func (s *sock) getRecvBuf() int64 { return s.buffer("SO_RCVBUF", s.p.set.recvBuf) }
func (s *sock) getSendBuf() int64 { return s.buffer("SO_SNDBUF", s.p.set.sendBuf) }

// buffer is the size of a buffer. FreeBSD rounds it up to whole segments once
// the handshake has told their size.
func (s *sock) buffer(name string, initial int) int64 {
	n, ok := s.ints[name]
	if !ok {
		n = int64(initial)
	}
	s.settle()
	if mss := int64(s.status().PathMSS); s.p.set.face == faceFreeBSD && s.kind == sockConnected && mss > 0 && n > mss {
		n = (n + mss - 1) / mss * mss
	}
	return n
}
