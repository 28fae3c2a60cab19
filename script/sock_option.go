package script

import (
	"time"

	"estab/tcp"
)

// sockOption is an option of sockets: what setsockopt does with it, and what
// getsockopt says.
type sockOption struct {
	set    func(s *sock, n int64) (errno string)
	get    func(s *sock) int64
	text   bool                     // its value is a string
	reject func(x *setting) string  // why a script that uses it does not apply
	ranges func(n int64) (bad bool) // EINVAL
}

// stored is an option that is kept and given back, and that nothing here
// depends on.
var stored = sockOption{}

// unsupported is an option that asks for what estab does not have.
func unsupportedOption(why string) sockOption {
	return sockOption{reject: func(*setting) string { return why }}
}

// onLive is an option that also concerns a connection that exists.
func onLive(f func(s *sock, n int64)) sockOption {
	return sockOption{set: func(s *sock, n int64) string {
		if s.conn != 0 {
			f(s, n)
			s.p.host.flush()
		}
		return ""
	}}
}

func outside(low, high int64) func(int64) bool {
	return func(n int64) bool { return n < low || n > high }
}

func (o sockOption) within(low, high int64) sockOption {
	o.ranges = outside(low, high)
	return o
}

// keepAliveOption is one of the four that keep-alive is made of.
func keepAliveOption(get func(k *tcp.KeepAlive) int64) sockOption {
	o := onLive(func(s *sock, _ int64) { s.tcp().SetKeepAlive(s.now(), s.conn, s.keepAlive()) })
	o.get = func(s *sock) int64 {
		k := s.keepAlive()
		if k.Idle == 0 {
			k.Idle = 2 * time.Hour
		}
		if k.Interval == 0 {
			k.Interval = 75 * time.Second
		}
		if k.Count == 0 {
			k.Count = 9
		}
		return get(&k)
	}
	return o
}

// sockOptions are the options that scripts can name. It is filled by a function
// because resolving names, which these functions can lead to, looks here.
var sockOptions = map[string]sockOption{
	"SO_RCVBUF":      {set: (*sock).setRecvBuf, get: (*sock).getRecvBuf},
	"SO_SNDBUF":      {set: (*sock).setSendBuf, get: (*sock).getSendBuf},
	"SO_RCVBUFFORCE": {set: (*sock).setRecvBuf, get: (*sock).getRecvBuf},
	"SO_SNDBUFFORCE": {set: (*sock).setSendBuf, get: (*sock).getSendBuf},
	"SO_ERROR":       {}, // getsockopt knows it
	"SO_LINGER":      {}, // setsockopt knows it
	"SO_TYPE":        {get: func(*sock) int64 { return 1 }},
	"SO_PROTOCOL":    {get: func(*sock) int64 { return 6 }},
	"SO_DOMAIN": {get: func(s *sock) int64 {
		if s.p.set.family == IPv4 {
			return constants["AF_INET"]
		}
		return constants["AF_INET6"]
	}},
	"SO_ACCEPTCONN": {get: func(s *sock) int64 {
		if s.kind == sockListening {
			return 1
		}
		return 0
	}},
	"SO_KEEPALIVE": keepAliveOption(func(k *tcp.KeepAlive) int64 {
		if k.On {
			return 1
		}
		return 0
	}),
	"TCP_KEEPIDLE":  keepAliveOption(func(k *tcp.KeepAlive) int64 { return int64(k.Idle / time.Second) }).within(1, 32767),
	"TCP_KEEPINTVL": keepAliveOption(func(k *tcp.KeepAlive) int64 { return int64(k.Interval / time.Second) }).within(1, 32767),
	"TCP_KEEPCNT":   keepAliveOption(func(k *tcp.KeepAlive) int64 { return int64(k.Count) }).within(1, 127),
	"TCP_NODELAY":   onLive(func(s *sock, n int64) { s.tcp().SetNoDelay(s.now(), s.conn, n != 0) }),
	"TCP_CORK": onLive(func(s *sock, n int64) {
		s.setCork(n != 0)
	}),
	"TCP_NOPUSH":   onLive(func(s *sock, n int64) { s.setCork(n != 0) }),
	"TCP_QUICKACK": {set: (*sock).setQuickAck, get: func(s *sock) int64 { return 1 }},
	"TCP_USER_TIMEOUT": onLive(func(s *sock, n int64) {
		s.tcp().SetUserTimeout(s.now(), s.conn, time.Duration(n)*time.Millisecond)
	}).within(0, 1<<31-1),
	"TCP_MAXSEG": {set: func(*sock, int64) string { return "" }, get: (*sock).getMaxSeg, ranges: func(n int64) bool { return n != 0 && (n < 88 || n > 32767) }},
	"TCP_SYNCNT": sockOption{get: func(s *sock) int64 {
		if n, ok := s.ints["TCP_SYNCNT"]; ok {
			return n
		}
		return int64(max(s.p.set.tcp.SynRetries, 0))
	}}.within(1, 127),
	"TCP_LINGER2":                onLive(func(s *sock, _ int64) { s.tcp().SetFinWait2(s.now(), s.conn, s.finWait2()) }),
	"TCP_DEFER_ACCEPT":           {get: func(s *sock) int64 { return s.ints["TCP_DEFER_ACCEPT"] }},
	"TCP_NOTSENT_LOWAT":          stored,
	"TCP_INQ":                    sockOption{}.within(0, 1),
	"TCP_CONGESTION":             {text: true},
	"TCP_INFO":                   unsupportedOption("TCP_INFO is read in %{ }% blocks"),
	"TCP_WINDOW_CLAMP":           unsupportedOption("estab has no limit on the window but the buffer"),
	"TCP_FASTOPEN":               unsupportedOption(whyTFO),
	"TCP_FASTOPEN_CONNECT":       unsupportedOption(whyTFO),
	"TCP_FASTOPEN_KEY":           unsupportedOption(whyTFO),
	"TCP_FASTOPEN_NO_COOKIE":     unsupportedOption(whyTFO),
	"TCP_MD5SIG":                 unsupportedOption("estab has no TCP-MD5 (RFC 2385)"),
	"TCP_REPAIR":                 unsupportedOption("a live connection can't be made by hand"),
	"TCP_TIMESTAMP":              unsupportedOption("the timestamp of a connection can't be set"),
	"TCP_SAVE_SYN":               unsupportedOption("estab keeps no SYN"),
	"TCP_SAVED_SYN":              unsupportedOption("estab keeps no SYN"),
	"TCP_ULP":                    unsupportedOption("estab has no protocols above TCP"),
	"TCP_ZEROCOPY_RECEIVE":       unsupportedOption(whyZeroCopy),
	"TCP_TX_DELAY":               unsupportedOption("estab does not delay what it sends"),
	"TCP_THIN_LINEAR_TIMEOUTS":   unsupportedOption("estab backs off always (RFC 6298)"),
	"TCP_THIN_DUPACK":            unsupportedOption("estab's threshold is 3 (RFC 6675)"),
	"TCP_CC_INFO":                unsupportedOption("estab tells nothing about congestion control but its window"),
	"TCP_FUNCTION_BLK":           unsupportedOption("estab has one stack"),
	"TCP_LOG":                    unsupportedOption("estab keeps no log in the socket"),
	"TCP_REMOTE_UDP_ENCAPS_PORT": unsupportedOption("estab's segments travel in IP"),
	"SO_ZEROCOPY":                unsupportedOption(whyZeroCopy),
	"SO_TIMESTAMPING":            unsupportedOption("estab tells a program no times of packets"),
	"SO_TIMESTAMP":               unsupportedOption("estab tells a program no times of packets"),
	"SO_TIMESTAMPNS":             unsupportedOption("estab tells a program no times of packets"),
	"SO_MAX_PACING_RATE":         unsupportedOption("estab does not pace"),
	"SO_TXTIME":                  unsupportedOption("estab does not pace"),
	"SO_ATTACH_FILTER":           unsupportedOption("estab has no filters"),
	"SO_RCVTIMEO":                unsupportedOption("times of sockets are not known here"),
	"SO_SNDTIMEO":                unsupportedOption("times of sockets are not known here"),
	"SO_MEMINFO":                 unsupportedOption("estab counts memory by itself"),
	"IP_RECVERR":                 unsupportedOption("estab keeps no queue of errors"),
	"IPV6_RECVERR":               unsupportedOption("estab keeps no queue of errors"),
	"SO_REUSEADDR":               stored,
	"SO_REUSEPORT":               stored,
	"SO_RCVLOWAT":                stored,
	"SO_SNDLOWAT":                stored,
	"SO_OOBINLINE":               stored,
	"SO_BROADCAST":               stored,
	"SO_DONTROUTE":               stored,
	"SO_DEBUG":                   stored,
	"SO_PRIORITY":                stored,
	"SO_MARK":                    stored,
	"SO_BUSY_POLL":               stored,
	"SO_INCOMING_CPU":            stored,
	"SO_NO_CHECK":                stored,
	"IP_MTU_DISCOVER":            stored,
	"IPV6_MTU_DISCOVER":          stored,
	"IP_FREEBIND":                stored,
	"IP_BIND_ADDRESS_NO_PORT":    stored,
	"IP_TTL":                     stored,
	"IPV6_UNICAST_HOPS":          stored,
	"IPV6_V6ONLY":                stored,
	"IPV6_AUTOFLOWLABEL":         stored,
	"IP_TOS":                     {set: (*sock).setTOS, get: func(s *sock) int64 { return s.ints["IP_TOS"] }},
	"IPV6_TCLASS":                {set: (*sock).setTOS, get: func(s *sock) int64 { return s.ints["IP_TOS"] }},
	"IP_MTU":                     {get: (*sock).getMTU},
	"IPV6_MTU":                   {get: (*sock).getMTU},
}

const (
	whyTFO      = "estab has no TCP Fast Open (RFC 7413)"
	whyZeroCopy = "estab copies what a program writes and reads"
)

func (s *sock) setCork(on bool) {
	s.tcp().SetCork(s.now(), s.conn, on)
	s.flow.corked = on
	if !on {
		s.flow.pushEnds = append(s.flow.pushEnds, uint32(len(s.flow.written)))
	}
}

func (s *sock) setQuickAck(n int64) string {
	if s.conn != 0 {
		s.tcp().SetQuickAck(s.now(), s.conn, n != 0)
	}
	return ""
}

func (s *sock) setTOS(n int64) string {
	s.ints["IP_TOS"] = n
	if s.conn != 0 {
		s.tcp().SetTOS(s.now(), s.conn, uint8(n))
	}
	return ""
}

func (s *sock) getMTU() int64 { return int64(s.p.set.linkMTU()) }

// Linux doubles the size of a buffer, so that half of it holds text; it has a
// smallest and a largest one.
const (
	linuxMinRecvBuf = 2304
	linuxMinSendBuf = 4608
	linuxMaxBuf     = 4 << 20
)

func (s *sock) setRecvBuf(n int64) string {
	if s.p.set.face == faceLinux {
		n = max(2*min(n, linuxMaxBuf), linuxMinRecvBuf)
	}
	s.ints["SO_RCVBUF"] = n
	if s.conn != 0 {
		s.tcp().SetReceiveBuffer(s.now(), s.conn, s.recvSpace(n))
	}
	return ""
}

func (s *sock) setSendBuf(n int64) string {
	if s.p.set.face == faceLinux {
		n = max(2*min(n, linuxMaxBuf), linuxMinSendBuf)
	}
	s.ints["SO_SNDBUF"] = n
	if s.conn != 0 {
		s.tcp().SetSendBuffer(s.now(), s.conn, s.sendSpace(n))
	}
	return ""
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
	if mss := int64(s.status().PathMSS); s.p.set.face == faceFreeBSD && s.kind == sockConnected || s.p.set.face == faceFreeBSD && s.established() {
		if mss > 0 && n > mss {
			n = (n + mss - 1) / mss * mss
		}
	}
	return n
}

func (s *sock) established() bool {
	s.settle()
	return s.kind == sockConnected
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

func startSetsockopt(x *callContext) attempt {
	s, name, v := x.s, x.args[2].name, &x.args[3]
	switch name {
	case "SO_LINGER":
		on, off := v.field("onoff"), v.field("linger")
		if on == nil || off == nil {
			return done(errResult("EINVAL"))
		}
		s.linger = -1
		if on.n != 0 {
			s.linger = time.Duration(off.n) * time.Second
		}
		return done(okResult(0))
	case "TCP_CONGESTION":
		s.cc = v.s
		s.relisten()
		return done(okResult(0))
	}
	if v.kind != argList || len(v.list) != 1 {
		return done(errResult("EFAULT"))
	}
	o, n := sockOptions[name], v.list[0].n
	if o.ranges != nil && o.ranges(n) {
		return done(errResult("EINVAL"))
	}
	if o.get != nil && o.set == nil && (name == "SO_TYPE" || name == "SO_PROTOCOL" || name == "SO_DOMAIN" || name == "SO_ACCEPTCONN" || name == "IP_MTU" || name == "IPV6_MTU") {
		return done(errResult("ENOPROTOOPT"))
	}
	s.ints[name] = n
	if o.set != nil {
		if errno := o.set(s, n); errno != "" {
			return done(errResult(errno))
		}
	}
	s.relisten()
	return done(okResult(0))
}

func startGetsockopt(x *callContext) attempt {
	s, name, want := x.s, x.args[2].name, &x.args[3]
	r := okResult(0)
	switch {
	case name == "TCP_CONGESTION":
		cc := s.cc
		if cc == "" {
			cc = s.p.set.congestion()
		}
		if want.kind == argString && trimNul(want.s) != cc {
			r.wrong = "TCP_CONGESTION is " + cc
		}
		return done(r)
	case name == "SO_LINGER":
		return done(s.getLinger(want))
	case want.kind == argAny:
		return done(r)
	case want.kind != argList || len(want.list) != 1:
		return done(errResult("EFAULT"))
	}
	w := &want.list[0]
	if name == "SO_ERROR" {
		s.settle()
		if errno := s.takeError(); w.kind != argAny && !errnoMatches(w, errno) {
			if errno == "" {
				errno = "0"
			}
			r.wrong = "SO_ERROR is " + errno + ", not " + w.String()
		}
		return done(r)
	}
	n, ok := s.ints[name]
	if o := sockOptions[name]; o.get != nil {
		n, ok = o.get(s), true
	}
	_ = ok
	if w.kind != argAny && w.n != n {
		r.wrong = name + " is " + itoa(n) + ", not " + w.String()
	}
	return done(r)
}

func trimNul(s string) string {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return s
}

func (s *sock) getLinger(want *arg) callResult {
	r := okResult(0)
	on, secs := int64(0), int64(0)
	if s.linger >= 0 {
		on, secs = 1, int64(s.linger/time.Second)
	}
	if v := want.field("onoff"); v != nil && (v.n != 0) != (on != 0) {
		r.wrong = "SO_LINGER is {onoff=" + itoa(on) + ", linger=" + itoa(secs) + "}"
	}
	if v := want.field("linger"); v != nil && v.n != secs && on != 0 {
		r.wrong = "SO_LINGER is {onoff=" + itoa(on) + ", linger=" + itoa(secs) + "}"
	}
	return r
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
