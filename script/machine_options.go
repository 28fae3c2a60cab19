package script

import "encoding/binary"

// optionNumbers are the numbers of Linux's socket options (asm-generic/socket.h,
// linux/tcp.h, linux/in.h, linux/in6.h).
var optionNumbers = map[string]int{
	"SO_DEBUG": 1, "SO_REUSEADDR": 2, "SO_TYPE": 3, "SO_ERROR": 4, "SO_DONTROUTE": 5, "SO_BROADCAST": 6, "SO_SNDBUF": 7,
	"SO_RCVBUF": 8, "SO_KEEPALIVE": 9, "SO_OOBINLINE": 10, "SO_NO_CHECK": 11, "SO_PRIORITY": 12, "SO_LINGER": 13,
	"SO_REUSEPORT": 15, "SO_RCVLOWAT": 18, "SO_SNDLOWAT": 19, "SO_ACCEPTCONN": 30, "SO_SNDBUFFORCE": 32,
	"SO_RCVBUFFORCE": 33, "SO_MARK": 36, "SO_PROTOCOL": 38, "SO_DOMAIN": 39,
	"SO_MAX_PACING_RATE": 47, "SO_INCOMING_CPU": 49,

	"TCP_NODELAY": 1, "TCP_MAXSEG": 2, "TCP_CORK": 3, "TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 6,
	"TCP_SYNCNT": 7, "TCP_LINGER2": 8, "TCP_DEFER_ACCEPT": 9, "TCP_WINDOW_CLAMP": 10, "TCP_QUICKACK": 12,
	"TCP_CONGESTION": 13, "TCP_THIN_LINEAR_TIMEOUTS": 16, "TCP_THIN_DUPACK": 17, "TCP_USER_TIMEOUT": 18,
	"TCP_TIMESTAMP": 24, "TCP_NOTSENT_LOWAT": 25, "TCP_SAVE_SYN": 27, "TCP_INQ": 36, "TCP_TX_DELAY": 37,

	"IP_TOS": 1, "IP_TTL": 2, "IP_MTU_DISCOVER": 10, "IP_MTU": 14, "IP_FREEBIND": 15, "IP_BIND_ADDRESS_NO_PORT": 24,
	"IPV6_UNICAST_HOPS": 16, "IPV6_MTU_DISCOVER": 23, "IPV6_MTU": 24, "IPV6_V6ONLY": 26, "IPV6_TCLASS": 67,
	"IPV6_AUTOFLOWLABEL": 70,
}

// optionCall is what setsockopt and getsockopt have in common.
func optionCall(x *callContext) *SystemCall {
	return &SystemCall{Name: x.call.Name, Args: [3]int{int(x.args[1].n), optionNumbers[x.args[2].name]}}
}

// maxOption bounds the value of an option, in bytes.
const maxOption = 256

func (r *realSystem) setsockopt(x *callContext, _ *realSock) realCall {
	c, v := optionCall(x), &x.args[3]
	length := int(min(max(x.args[4].n, 0), maxOption))
	switch {
	case x.args[2].name == "SO_LINGER" && v.kind == argStruct:
		c.Data = make([]byte, 8)
		if on, secs := v.field("onoff"), v.field("linger"); on != nil && secs != nil {
			binary.NativeEndian.PutUint32(c.Data, uint32(on.n))
			binary.NativeEndian.PutUint32(c.Data[4:], uint32(secs.n))
		}
	case v.kind == argString:
		c.Data = []byte(v.s)
	case v.kind == argList && len(v.list) == 1:
		c.Data = binary.NativeEndian.AppendUint32(nil, uint32(v.list[0].n))
	default:
		c.Null, c.Length = true, length
		return realCall{c, nil}
	}
	for len(c.Data) < length {
		c.Data = append(c.Data, 0)
	}
	c.Data = c.Data[:length]
	return realCall{c, nil}
}

func (r *realSystem) getsockopt(x *callContext, _ *realSock) realCall {
	c, want := optionCall(x), &x.args[3]
	name := x.args[2].name
	length := 4
	switch {
	case name == "SO_LINGER":
		length = 8
	case name == "TCP_CONGESTION":
		length = 16
	case x.args[4].kind == argList && len(x.args[4].list) == 1:
		length = int(min(max(x.args[4].list[0].n, 0), maxOption))
	}
	c.Buf = make([]byte, length)
	return realCall{c, func(c *SystemCall, res callResult) callResult {
		if res.errno == "" {
			res.wrong = wrongOption(name, want, c.Buf)
		}
		return res
	}}
}

// wrongOption says how the value of an option differs from the stated one.
func wrongOption(name string, want *arg, got []byte) string {
	switch {
	case name == "SO_LINGER" && len(got) == 8:
		return wrongLinger(want, int64(int32(binary.NativeEndian.Uint32(got))), int64(int32(binary.NativeEndian.Uint32(got[4:]))))
	case name == "TCP_CONGESTION":
		return wrongCongestion(want, trimNul(string(got)))
	case want.kind != argList || len(want.list) != 1:
		return ""
	}
	n, w := optionValue(got), &want.list[0]
	if name == "SO_ERROR" {
		return wrongError(w, errnoName(n))
	}
	return wrongNumber(name, w, n)
}

func optionValue(b []byte) int64 {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 4:
		return int64(int32(binary.NativeEndian.Uint32(b)))
	case 8:
		return int64(binary.NativeEndian.Uint64(b))
	}
	return 0
}
