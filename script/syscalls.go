package script

// syscalls are the system calls that scripts can make.
var syscalls = map[string]syscall{
	"socket":     {min: 3, max: 3, check: checkSocket, start: startSocket},
	"bind":       {min: 3, max: 3, socket: true, check: checkAddress, start: startBind},
	"listen":     {min: 2, max: 2, socket: true, start: startListen},
	"accept":     {min: 3, max: 3, socket: true, start: startAccept},
	"accept4":    {min: 4, max: 4, socket: true, start: startAccept},
	"connect":    {min: 3, max: 3, socket: true, check: checkAddress, start: startConnect},
	"shutdown":   {min: 2, max: 2, socket: true, start: startShutdown},
	"close":      {min: 1, max: 1, socket: true, start: startClose},
	"read":       {min: 3, max: 3, socket: true, check: checkBuffer, start: startRead},
	"readv":      {min: 3, max: 3, socket: true, check: checkVector, start: startRead},
	"recv":       {min: 4, max: 4, socket: true, check: checkBuffer, start: startRead},
	"recvfrom":   {min: 6, max: 6, socket: true, check: checkBuffer, start: startRead},
	"recvmsg":    {min: 3, max: 3, socket: true, check: checkReceived, start: startRead},
	"write":      {min: 3, max: 3, socket: true, check: checkBuffer, start: startWrite},
	"writev":     {min: 3, max: 3, socket: true, check: checkVector, start: startWrite},
	"send":       {min: 4, max: 4, socket: true, check: checkBuffer, start: startWrite},
	"sendto":     {min: 6, max: 6, socket: true, check: checkBuffer, start: startWrite},
	"sendmsg":    {min: 3, max: 3, socket: true, check: checkSent, start: startWrite},
	"fcntl":      {min: 2, max: 3, socket: true, check: checkFcntl, start: startFcntl},
	"ioctl":      {min: 2, max: 3, socket: true, check: checkIoctl, start: startIoctl},
	"poll":       {min: 3, max: 3, check: checkPoll, start: startPoll},
	"getsockopt": {min: 5, max: 5, socket: true, check: checkOption, start: startGetsockopt},
	"setsockopt": {min: 5, max: 5, socket: true, check: checkSetOption, start: startSetsockopt},
	"cap_set":    {min: 3, max: 3, start: func(*callContext) attempt { return done(okResult(0)) }},
}

func checkSocket(c *checker, a []arg) *Error {
	kind, proto := &a[1], &a[2]
	if kind.n&0xf != constants["SOCK_STREAM"] || proto.n != 0 && proto.n != constants["IPPROTO_TCP"] {
		return c.unsupported(kind.pos, "estab has no sockets but those of TCP")
	}
	return nil
}

// checkAddress: an address is left to packetdrill, or is its own.
func checkAddress(c *checker, a []arg) *Error {
	switch v := &a[1]; v.kind {
	case argAny, argStruct:
		return nil
	case argName:
		if v.name == "AF_UNSPEC" {
			return nil
		}
	}
	return c.unsupported(a[1].pos, "such an address is not known here")
}

// Flags that a call with the same name in every script can have.
var (
	sendFlags = flagSet("MSG_MORE", "MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_OOB", "MSG_DONTROUTE", "MSG_CONFIRM")
	recvFlags = flagSet("MSG_PEEK", "MSG_DONTWAIT", "MSG_TRUNC", "MSG_WAITALL", "MSG_NOSIGNAL", "MSG_CMSG_CLOEXEC")
)

func flagSet(names ...string) int64 {
	n := int64(0)
	for _, name := range names {
		n |= constants[name]
	}
	return n
}

// checkFlags looks for flags that ask for what estab does not have.
func checkFlags(c *checker, a *arg, sends bool) *Error {
	allowed := recvFlags
	if sends {
		allowed = sendFlags
	}
	for _, name := range a.names() {
		switch {
		case constants[name]&^allowed == 0:
		case name == "MSG_FASTOPEN":
			return c.unsupported(a.pos, whyTFO)
		case name == "MSG_ZEROCOPY":
			return c.unsupported(a.pos, whyZeroCopy)
		case name == "MSG_EOR":
			return c.unsupported(a.pos, "estab's stream has no records")
		default:
			return c.unsupported(a.pos, "%s is not known here", name)
		}
	}
	if a.kind == argInt && a.n&^allowed != 0 {
		return c.unsupported(a.pos, "the flags %#x are not known here", a.n)
	}
	return nil
}

// checkBuffer is for calls with a buffer, its length, and perhaps flags.
func checkBuffer(c *checker, a []arg) *Error {
	if n := &a[2]; n.kind != argInt || n.n < 0 || n.n > maxBuffered {
		return c.unsupported(n.pos, "a length is a number from 0 to %d", maxBuffered)
	}
	if len(a) < 4 {
		return nil
	}
	// Both directions at once: which one it is can't be told from the
	// arguments, and the sets differ only in flags that the other ignores.
	for _, name := range a[3].names() {
		if constants[name]&(sendFlags|recvFlags) == 0 {
			return checkFlags(c, &a[3], true)
		}
	}
	return nil
}

func checkVector(c *checker, a []arg) *Error { return checkIOV(c, &a[1]) }

// checkIOV looks at an array of buffers.
func checkIOV(c *checker, v *arg) *Error {
	if v.kind != argList {
		return c.unsupported(v.pos, "an array of buffers is wanted")
	}
	total := int64(0)
	for i := range v.list {
		b := &v.list[i]
		if b.kind != argStruct || len(b.list) != 2 || b.list[1].kind != argInt || b.list[1].n < 0 || b.list[1].n > maxBuffered {
			return c.unsupported(b.pos, "a buffer is {..., length}")
		}
		total += b.list[1].n
	}
	if total > maxBuffered {
		return c.unsupported(v.pos, "more than %d bytes", maxBuffered)
	}
	return nil
}

func checkMsghdr(c *checker, a []arg, sends bool) *Error {
	if a[1].kind != argStruct {
		return c.unsupported(a[1].pos, "a struct msghdr is wanted")
	}
	if v := a[1].field("msg_iov"); v != nil {
		if err := checkIOV(c, v); err != nil {
			return err
		}
	}
	return checkFlags(c, &a[2], sends)
}

func checkSent(c *checker, a []arg) *Error {
	if v := a[1].field("msg_control"); v != nil && v.kind != argAny {
		return c.unsupported(v.pos, "control messages can't be sent here")
	}
	return checkMsghdr(c, a, true)
}

func checkReceived(c *checker, a []arg) *Error {
	if v := a[1].field("msg_control"); v != nil && v.kind != argAny {
		for i := range v.list {
			if t := v.list[i].field("cmsg_type"); t == nil || t.name != "TCP_CM_INQ" {
				return c.unsupported(v.list[i].pos, "no control message but TCP_CM_INQ is known here")
			}
		}
	}
	return checkMsghdr(c, a, false)
}

func checkFcntl(c *checker, a []arg) *Error {
	switch a[1].name {
	case "F_GETFL", "F_SETFL", "F_GETFD", "F_SETFD":
		return nil
	}
	return c.unsupported(a[1].pos, "fcntl knows F_GETFL, F_SETFL, F_GETFD and F_SETFD here")
}

func checkIoctl(c *checker, a []arg) *Error {
	switch a[1].name {
	case "SIOCINQ", "FIONREAD", "SIOCOUTQ", "TIOCOUTQ", "FIONWRITE", "SIOCOUTQNSD", "FIONBIO":
		return nil
	}
	return c.unsupported(a[1].pos, "ioctl knows SIOCINQ, SIOCOUTQ, SIOCOUTQNSD and FIONBIO here")
}

func checkPoll(c *checker, a []arg) *Error {
	if a[0].kind != argList || a[1].n != int64(len(a[0].list)) {
		return c.unsupported(a[0].pos, "poll takes an array of struct pollfd and its length")
	}
	return nil
}

func checkOption(c *checker, a []arg) *Error {
	o, ok := sockOptions[a[2].name]
	if !ok {
		return c.unsupported(a[2].pos, "the socket option %s is not known here", a[2].String())
	}
	if o.why != "" {
		return c.unsupported(a[2].pos, "%s: %s", a[2].name, o.why)
	}
	return nil
}

func checkSetOption(c *checker, a []arg) *Error {
	if err := checkOption(c, a); err != nil {
		return err
	}
	if a[2].name != "TCP_CONGESTION" {
		return nil
	}
	switch name := trimNul(a[3].s); name {
	case "cubic", "reno", "newreno":
		return nil
	}
	return c.unsupported(a[3].pos, "estab has the congestion controls cubic and reno")
}
