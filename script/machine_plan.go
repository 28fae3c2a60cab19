package script

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// What keeps a script from being played against a machine, told from its text.

var (
	errNotNet = errors.New("only settings of the network (net.…) are made, in a namespace of their own")
	netName   = regexp.MustCompile(`^net\.(ipv4|ipv6|core|mptcp)\.[a-z0-9_]+(\.[a-z0-9_]+)*$`)
)

// sysctlName is a setting's name with dots, however it is written.
func sysctlName(name string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(name), "/proc/sys/"), "/", ".")
}

// realCommand looks for what a command asks for that a machine is not made to do.
func (c *checker) realCommand(cmd *shellCommand) *Error {
	for _, a := range cmd.sets {
		name := sysctlName(a.name)
		switch {
		case strings.HasPrefix(name, "net.inet") || strings.HasPrefix(name, "kern.ipc"):
			return c.unsupported(cmd.pos, "%s: that is FreeBSD's", name)
		case !netName.MatchString(name) || len(a.value) > 200:
			return c.unsupported(cmd.pos, "%s: %v", name, errNotNet)
		}
	}
	if cmd.run != nil {
		return c.unsupported(cmd.pos, "the command %q asks for FreeBSD's table of sockets", clipCommand(cmd.text))
	}
	return nil
}

// realCall looks at a call's arguments.
func (c *checker) realCall(a *Call, args []arg) *Error {
	switch a.Name {
	case "socket":
		return checkSocket(c, args)
	case "bind", "connect":
		return checkAddress(c, args)
	case "poll":
		if err := checkPoll(c, args); err != nil {
			return err
		}
		return c.notLonger(&args[2], time.Millisecond)
	case "ioctl":
		return checkIoctl(c, args)
	case "fcntl":
		return checkFcntl(c, args)
	case "readv", "writev":
		return checkVector(c, args)
	case "sendmsg":
		if err := checkSent(c, args); err != nil {
			return err
		}
		return c.realFlags(&args[2])
	case "recvmsg":
		return checkReceived(c, args)
	case "read", "recv", "recvfrom", "write", "send", "sendto":
		if n := &args[2]; n.kind != argInt || n.n < 0 || n.n > maxBuffered {
			return c.unsupported(n.pos, "a length is a number from 0 to %d", maxBuffered)
		}
		if len(args) > 3 {
			return c.realFlags(&args[3])
		}
	case "getsockopt", "setsockopt":
		return c.realOption(a.Name, args)
	}
	return nil
}

// realFlags declines what takes more than a stream of bytes.
func (c *checker) realFlags(a *arg) *Error {
	for _, name := range [...]string{"MSG_FASTOPEN", "MSG_ZEROCOPY", "MSG_ERRQUEUE"} {
		if a.kind == argName && a.n&constants[name] != 0 || a.kind == argInt && a.n&constants[name] != 0 {
			return c.unsupported(a.pos, "%s is not played here", name)
		}
	}
	return nil
}

func (c *checker) realOption(call string, args []arg) *Error {
	name := args[2].name
	if _, ok := optionNumbers[name]; !ok {
		return c.unsupported(args[2].pos, "the socket option %s is not played here", args[2].String())
	}
	if call == "setsockopt" && name == "SO_LINGER" {
		if secs := args[3].field("linger"); secs != nil {
			return c.notLonger(secs, time.Second)
		}
	}
	return nil
}

// notLonger declines an argument that makes a call wait for ever.
func (c *checker) notLonger(a *arg, unit time.Duration) *Error {
	if a.n < 0 || a.n > int64(blockingLimit/unit) {
		return c.unsupported(a.pos, "in real time no call waits for more than %d s", int(blockingLimit/time.Second))
	}
	return nil
}

// realTime looks whether the script's times add up to more than one can wait.
func (c *checker) realTime() *Error {
	at := time.Duration(0)
	for _, e := range c.plan.events {
		next := e.Time.At
		if e.Time.Relative() {
			next = min(at, maxVirtual) + min(e.Time.At, maxVirtual)
		}
		end := next
		if e.Time.HasEnd {
			end += max(min(e.Time.End, maxVirtual)-e.Time.At, 0)
		}
		if at = max(at, next); max(at, end) > maxReal {
			return c.unsupported(e.Pos, "in real time a script may take %d minutes: this is at %s", int(maxReal/time.Minute), seconds(max(at, end)))
		}
	}
	return nil
}

// realCode looks whether a name of TCP_INFO is one of Linux's.
func (c *checker) realCode(prog *Program) *Error {
	for _, n := range prog.Names() {
		_, known := realInfo[n.Name]
		if _, isConst := infoConstants[n.Name]; !known && !isConst {
			return c.unsupported(n.Pos, "%s is not known here", n.Name)
		}
	}
	return nil
}
