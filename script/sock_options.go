package script

import (
	"time"

	"estab/tcp"
)

// sockOption is an option of sockets whose value is a number: what setsockopt
// does beside keeping it, and what getsockopt says instead of what was kept.
type sockOption struct {
	set      func(s *sock, n int64)
	get      func(s *sock) int64
	low      int64 // the smallest value that is none of EINVAL, if high is not 0
	high     int64
	readOnly bool
	why      string // a script that uses it does not apply: this is why
}

// onLive is an option that concerns a connection also when it exists already.
func onLive(f func(s *sock, n int64)) sockOption {
	return sockOption{set: func(s *sock, n int64) {
		if s.conn != 0 {
			f(s, n)
			s.e.host.flush()
		}
	}}
}

func (o sockOption) within(low, high int64) sockOption {
	o.low, o.high = low, high
	return o
}

// told is an option that can only be asked for.
func told(get func(s *sock) int64) sockOption { return sockOption{get: get, readOnly: true} }

func notHere(why string) sockOption { return sockOption{why: why} }

// kept is an option that is kept and given back, and changes nothing here.
var kept = sockOption{}

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

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

const (
	whyTFO      = "estab has no TCP Fast Open (RFC 7413)"
	whyZeroCopy = "estab copies what a program writes and reads"
	whyTimes    = "estab tells a program no times of packets"
	whyPacing   = "estab does not pace"
	whyThin     = "estab treats thin streams as all others"
	whyErrors   = "estab keeps no queue of errors"
)

// sockOptions are the options that scripts can name.
var sockOptions = map[string]sockOption{
	// These have values of their own; startSetsockopt and startGetsockopt know
	// them.
	"SO_ERROR":       {readOnly: true},
	"SO_LINGER":      {},
	"TCP_CONGESTION": {},

	"SO_RCVBUF":         {set: (*sock).setRecvBuf, get: (*sock).getRecvBuf},
	"SO_SNDBUF":         {set: (*sock).setSendBuf, get: (*sock).getSendBuf},
	"SO_RCVBUFFORCE":    {set: (*sock).setRecvBuf, get: (*sock).getRecvBuf},
	"SO_SNDBUFFORCE":    {set: (*sock).setSendBuf, get: (*sock).getSendBuf},
	"SO_TYPE":           told(func(*sock) int64 { return constants["SOCK_STREAM"] }),
	"SO_PROTOCOL":       told(func(*sock) int64 { return constants["IPPROTO_TCP"] }),
	"SO_DOMAIN":         told((*sock).getDomain),
	"SO_ACCEPTCONN":     told(func(s *sock) int64 { return truth(s.kind == sockListening) }),
	"IP_MTU":            told((*sock).getMTU),
	"IPV6_MTU":          told((*sock).getMTU),
	"SO_KEEPALIVE":      keepAliveOption(func(k *tcp.KeepAlive) int64 { return truth(k.On) }),
	"TCP_KEEPIDLE":      keepAliveOption(func(k *tcp.KeepAlive) int64 { return int64(k.Idle / time.Second) }).within(1, 32767),
	"TCP_KEEPINTVL":     keepAliveOption(func(k *tcp.KeepAlive) int64 { return int64(k.Interval / time.Second) }).within(1, 32767),
	"TCP_KEEPCNT":       keepAliveOption(func(k *tcp.KeepAlive) int64 { return int64(k.Count) }).within(1, 127),
	"TCP_NODELAY":       onLive(func(s *sock, n int64) { s.tcp().SetNoDelay(s.now(), s.conn, n != 0) }),
	"TCP_CORK":          onLive((*sock).setCork),
	"TCP_NOPUSH":        onLive((*sock).setCork),
	"TCP_QUICKACK":      onLive(func(s *sock, n int64) { s.tcp().SetQuickAck(s.now(), s.conn, n != 0) }),
	"TCP_USER_TIMEOUT":  onLive((*sock).setUserTimeout).within(0, 1<<31-1),
	"TCP_LINGER2":       onLive(func(s *sock, _ int64) { s.tcp().SetFinWait2(s.now(), s.conn, s.finWait2()) }),
	"TCP_MAXSEG":        sockOption{get: (*sock).getMaxSeg}.within(88, 32767),
	"TCP_SYNCNT":        sockOption{get: (*sock).getSynCount}.within(1, 127),
	"TCP_INQ":           sockOption{}.within(0, 1),
	"TCP_DEFER_ACCEPT":  kept, // listen looks at it
	"TCP_NOTSENT_LOWAT": kept, // sendMemory does
	"SO_RCVLOWAT":       kept, // poll does
	"SO_REUSEADDR":      kept, // bind does
	"IP_TOS":            onLive((*sock).setTOS),
	"IPV6_TCLASS":       onLive((*sock).setTOS),

	"SO_REUSEPORT": kept, "SO_SNDLOWAT": kept, "SO_OOBINLINE": kept, "SO_BROADCAST": kept, "SO_DONTROUTE": kept,
	"SO_DEBUG": kept, "SO_PRIORITY": kept, "SO_MARK": kept, "SO_BUSY_POLL": kept, "SO_INCOMING_CPU": kept,
	"SO_NO_CHECK": kept, "IP_MTU_DISCOVER": kept, "IPV6_MTU_DISCOVER": kept, "IP_FREEBIND": kept,
	"IP_BIND_ADDRESS_NO_PORT": kept, "IP_TTL": kept, "IPV6_UNICAST_HOPS": kept, "IPV6_V6ONLY": kept,
	"IPV6_AUTOFLOWLABEL": kept,

	"TCP_INFO":                   notHere("it is read in %{ }% blocks"),
	"TCP_WINDOW_CLAMP":           notHere("estab has no limit on the window but the buffer"),
	"TCP_FASTOPEN":               notHere(whyTFO),
	"TCP_FASTOPEN_CONNECT":       notHere(whyTFO),
	"TCP_FASTOPEN_KEY":           notHere(whyTFO),
	"TCP_FASTOPEN_NO_COOKIE":     notHere(whyTFO),
	"TCP_MD5SIG":                 notHere("estab has no TCP-MD5 (RFC 2385)"),
	"TCP_REPAIR":                 notHere("a live connection can't be made by hand"),
	"TCP_TIMESTAMP":              notHere("the timestamp of a connection can't be set"),
	"TCP_SAVE_SYN":               notHere("estab keeps no SYN"),
	"TCP_SAVED_SYN":              notHere("estab keeps no SYN"),
	"TCP_ULP":                    notHere("estab has no protocols above TCP"),
	"TCP_ZEROCOPY_RECEIVE":       notHere(whyZeroCopy),
	"TCP_TX_DELAY":               notHere("estab does not delay what it sends"),
	"TCP_THIN_LINEAR_TIMEOUTS":   notHere(whyThin),
	"TCP_THIN_DUPACK":            notHere(whyThin),
	"TCP_CC_INFO":                notHere("estab tells nothing about congestion control but its window"),
	"TCP_FUNCTION_BLK":           notHere("estab has one stack"),
	"TCP_LOG":                    notHere("estab keeps no log in the socket"),
	"TCP_REMOTE_UDP_ENCAPS_PORT": notHere("estab's segments travel in IP"),
	"SO_ZEROCOPY":                notHere(whyZeroCopy),
	"SO_TIMESTAMPING":            notHere(whyTimes),
	"SO_TIMESTAMP":               notHere(whyTimes),
	"SO_TIMESTAMPNS":             notHere(whyTimes),
	"SO_MAX_PACING_RATE":         notHere(whyPacing),
	"SO_TXTIME":                  notHere(whyPacing),
	"SO_ATTACH_FILTER":           notHere("estab has no filters"),
	"SO_RCVTIMEO":                notHere("calls here have no time limit"),
	"SO_SNDTIMEO":                notHere("calls here have no time limit"),
	"SO_MEMINFO":                 notHere("estab counts memory in its own way"),
	"IP_RECVERR":                 notHere(whyErrors),
	"IPV6_RECVERR":               notHere(whyErrors),
}
