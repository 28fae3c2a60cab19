package script

import (
	"strconv"
	"strings"
)

// argKind is what an argument of a system call is.
type argKind uint8

const (
	argInt argKind = iota
	argName
	argString
	argAny // "..."
	argList
	argStruct
	argCall
	argFloat
)

// arg is an argument of a system call with its names resolved.
type arg struct {
	kind argKind
	pos  Pos
	n    int64  // of an int, or of a name that is a number
	name string // of a name or a function
	s    string
	list []arg
	expr *StructExpr
}

// names are the names joined by "|" in an argument of flags.
func (a *arg) names() []string {
	if a.name == "" {
		return nil
	}
	return strings.Split(a.name, "|")
}

// isNull reports whether the argument is the null pointer.
func (a *arg) isNull() bool { return a.kind == argInt && a.n == 0 }

// resolve works out an argument. The error says that estab does not know a
// name in it.
func (s *Script) resolve(e Expr) (arg, *Error) {
	a := arg{pos: e.Position()}
	switch e := e.(type) {
	case *IntLit:
		n, ok := e.Int64()
		if !ok {
			return a, s.Errorf(NotSupported, a.pos, "the number %s does not fit an argument", e.Text)
		}
		a.n = n
	case *FloatLit:
		a.kind, a.s = argFloat, e.Text
	case *StringLit:
		a.kind, a.s = argString, e.Value
	case *Ident:
		return s.resolveName(e)
	case *Wildcard:
		a.kind = argAny
	case *ArrayExpr:
		a.kind = argList
		list, err := s.resolveAll(e.Elems)
		a.list = list
		return a, err
	case *StructExpr:
		a.kind, a.expr = argStruct, e
		for i := range e.Fields {
			v, err := s.resolve(e.Fields[i].Value)
			if err != nil {
				return a, err
			}
			a.list = append(a.list, v)
		}
	case *CallExpr:
		return s.resolveCall(e)
	case *OrExpr:
		for i, t := range e.Terms {
			v, err := s.resolve(t)
			if err != nil {
				return a, err
			}
			if v.kind != argInt && v.kind != argName {
				return a, s.Errorf(NotSupported, t.Position(), "only numbers can be joined by '|'")
			}
			a.n |= v.n
			if i > 0 {
				a.name += "|"
			}
			a.name += v.name
			a.kind = argName
		}
	}
	return a, nil
}

func (s *Script) resolveAll(list []Expr) ([]arg, *Error) {
	out := make([]arg, len(list))
	for i, e := range list {
		var err *Error
		if out[i], err = s.resolve(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Script) resolveName(e *Ident) (arg, *Error) {
	a := arg{kind: argName, pos: e.Pos, name: e.Name}
	if n, ok := constants[e.Name]; ok {
		a.n = n
		return a, nil
	}
	if _, ok := sockOptions[e.Name]; ok || isErrno(e.Name) {
		return a, nil
	}
	return a, s.Errorf(NotSupported, e.Pos, "%s is not known here", e.Name)
}

// resolveCall knows the few functions that stand in addresses.
func (s *Script) resolveCall(e *CallExpr) (arg, *Error) {
	a := arg{kind: argCall, pos: e.Pos, name: e.Name}
	list, err := s.resolveAll(e.Args)
	if err != nil {
		return a, err
	}
	a.list = list
	switch {
	case (e.Name == "htons" || e.Name == "htonl") && len(list) == 1 && list[0].kind == argInt:
		return arg{kind: argInt, pos: e.Pos, n: list[0].n}, nil
	case e.Name == "inet_addr" && len(list) == 1 && list[0].kind == argString:
		return a, nil
	}
	return a, s.Errorf(NotSupported, e.Pos, "the function %s is not known here", e.Name)
}

// isErrno reports whether a name is that of an error of Unix.
func isErrno(name string) bool {
	return len(name) > 2 && name[0] == 'E' && strings.ToUpper(name) == name && !strings.HasPrefix(name, "EPOLL")
}

// sameErrno compares names of errors, some of which are two names of one.
func sameErrno(a, b string) bool {
	canonical := func(s string) string {
		switch s {
		case "EWOULDBLOCK":
			return "EAGAIN"
		case "EOPNOTSUPP":
			return "ENOTSUP"
		}
		return s
	}
	return canonical(a) == canonical(b)
}

// errnoNumbers are those of Linux, for scripts that write a number.
var errnoNumbers = [...]struct {
	name string
	n    int64
}{
	{"ECONNRESET", 104}, {"ECONNREFUSED", 111}, {"ETIMEDOUT", 110}, {"EPIPE", 32}, {"EHOSTUNREACH", 113},
	{"ENETUNREACH", 101}, {"ECONNABORTED", 103}, {"ENOTCONN", 107}, {"EMSGSIZE", 90}, {"EPROTO", 71}, {"EOPNOTSUPP", 95},
	{"EACCES", 13}, {"ENOPROTOOPT", 92},
}

// errnoName is the name of an error's number, "" for none.
func errnoName(n int64) string {
	for _, e := range errnoNumbers {
		if e.n == n {
			return e.name
		}
	}
	if n == 0 {
		return ""
	}
	return itoa(n)
}

// errnoText writes an error as a script may state it: its name, or its number.
func errnoMatches(want *arg, got string) bool {
	if want.kind == argName {
		return sameErrno(want.name, got)
	}
	if want.n == 0 {
		return got == ""
	}
	for _, e := range errnoNumbers {
		if e.n == want.n {
			return e.name == got
		}
	}
	return false
}

// String is the argument as a message shows it.
func (a *arg) String() string {
	switch {
	case a.name != "":
		return a.name
	case a.kind == argString:
		return strconv.Quote(a.s)
	case a.kind == argInt:
		return strconv.FormatInt(a.n, 10)
	}
	return "..."
}

// constants are the numbers behind names, where a number is needed at all:
// those of Linux. What only has to be told apart is told apart by its name.
var constants = map[string]int64{
	"AF_UNSPEC": 0, "AF_INET": 2, "AF_INET6": 10, "PF_INET": 2, "PF_INET6": 10,
	"SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "SOCK_NONBLOCK": 0x800, "SOCK_CLOEXEC": 0x80000,
	"IPPROTO_IP": 0, "IPPROTO_ICMP": 1, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_IPV6": 41,
	"IPPROTO_ICMPV6": 58, "IPPROTO_MPTCP": 262, "IPPROTO_UDPLITE": 136,
	"SOL_SOCKET": 1, "SOL_IP": 0, "SOL_TCP": 6, "SOL_IPV6": 41, "SOL_UDP": 17,
	"SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2,
	"F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "FD_CLOEXEC": 1,
	"O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2, "O_NONBLOCK": 0x800, "O_NDELAY": 0x800,
	"MSG_OOB": 0x1, "MSG_PEEK": 0x2, "MSG_DONTROUTE": 0x4, "MSG_CTRUNC": 0x8, "MSG_TRUNC": 0x20,
	"MSG_DONTWAIT": 0x40, "MSG_EOR": 0x80, "MSG_WAITALL": 0x100, "MSG_NOSIGNAL": 0x4000, "MSG_MORE": 0x8000,
	"MSG_ERRQUEUE": 0x2000, "MSG_ZEROCOPY": 0x4000000, "MSG_FASTOPEN": 0x20000000, "MSG_CMSG_CLOEXEC": 0x40000000,
	"MSG_CONFIRM": 0x800, "MSG_EOF": 0x200,
	"SIOCINQ": 0x541b, "FIONREAD": 0x541b, "SIOCOUTQ": 0x5411, "TIOCOUTQ": 0x5411, "FIONWRITE": 0x5411,
	"SIOCOUTQNSD": 0x894b, "FIONBIO": 0x5421,
	"POLLIN": 0x1, "POLLPRI": 0x2, "POLLOUT": 0x4, "POLLERR": 0x8, "POLLHUP": 0x10, "POLLNVAL": 0x20,
	"POLLRDNORM": 0x40, "POLLRDBAND": 0x80, "POLLWRNORM": 0x100, "POLLWRBAND": 0x200, "POLLRDHUP": 0x2000,
	"EPOLLIN": 0x1, "EPOLLPRI": 0x2, "EPOLLOUT": 0x4, "EPOLLERR": 0x8, "EPOLLHUP": 0x10, "EPOLLRDNORM": 0x40,
	"EPOLLWRNORM": 0x100, "EPOLLRDHUP": 0x2000, "EPOLLET": 1 << 31, "EPOLLONESHOT": 1 << 30,
	"EPOLL_CTL_ADD": 1, "EPOLL_CTL_DEL": 2, "EPOLL_CTL_MOD": 3,
	"IP_PMTUDISC_DONT": 0, "IP_PMTUDISC_WANT": 1, "IP_PMTUDISC_DO": 2, "IP_PMTUDISC_PROBE": 3,
	"IPV6_PMTUDISC_DONT": 0, "IPV6_PMTUDISC_WANT": 1, "IPV6_PMTUDISC_DO": 2,
	"TCP_CM_INQ": 36, "TCP_INFINITE_SSTHRESH": 0x7fffffff,
	"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_EFFECTIVE": 0, "CAP_PERMITTED": 1, "CAP_INHERITABLE": 2,
	"CAP_SET": 1, "CAP_CLEAR": 0,
}
