package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"estab/tcp"
)

// The programs' calls in the language of packetdrill.

// together makes one of reads that followed each other at once, and puts it
// before the writes of that moment: what a program did before its TCP sent
// anything, a script does call by call.
func together(calls []Call) (all []Call) {
	for i := 0; i < len(calls); {
		n := i + 1
		for n < len(calls) && calls[n].atOnce(&calls[n-1]) {
			n++
		}
		moment := slices.Clone(calls[i:n])
		slices.SortStableFunc(moment, func(a, b Call) int { return cmp.Compare(a.rank(), b.rank()) })
		for k, c := range moment {
			c.order = calls[i+k].order
			if last := len(all) - 1; k > 0 && c.rank() == 0 && all[last].rank() == 0 {
				all[last].N += c.N
				continue
			}
			all = append(all, c)
		}
		i = n
	}
	return all
}

// atOnce reports whether nothing was between a read or write and the one
// before it.
func (c *Call) atOnce(before *Call) bool {
	moves := func(c *Call) bool { return (c.Do == "read" || c.Do == "send") && c.Err == 0 }
	return moves(c) && moves(before) && c.order == before.order+1 && c.End == before.End && c.At == before.At
}

// rank is 0 for a read and 1 for what comes after it.
func (c *Call) rank() int {
	if c.Do == "read" && c.Err == 0 {
		return 0
	}
	return 1
}

// call is a program's call as system calls. What was accepted is read and
// written without waiting.
func (d *drill) call(c *Call) string {
	fd := d.fds[c.End]
	switch c.Do {
	case "listen":
		d.next = 4
		return d.several("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
			"bind(3, ..., ...) = 0", "listen(3, 128) = 0")
	case "connect":
		fd = max(d.next, 3)
		port := c.N
		if d.host == B {
			port = serverPort
		}
		d.next, d.fds[c.End] = fd+1, fd
		lines := []string{fmt.Sprintf("socket(..., SOCK_STREAM, IPPROTO_TCP) = %d", fd), fmt.Sprintf("fcntl(%d, F_SETFL, O_RDWR|O_NONBLOCK) = 0", fd),
			fmt.Sprintf("setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0", fd), fmt.Sprintf("bind(%d, {sa_family = AF_INET, sin_port = htons(%d), sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0", fd, port)}
		lines = append(lines, d.options(fd)...)
		result := "-1 EINPROGRESS (Operation now in progress)"
		if c.Err != 0 {
			result = "-1 " + errno(c.Err)
		}
		return d.several(append(lines, fmt.Sprintf("connect(%d, ..., ...) = %s", fd, result))...)
	case "accept":
		fd = d.next
		d.next, d.fds[c.End] = fd+1, fd
		lines := []string{fmt.Sprintf("accept(3, ..., ...) = %d", fd), fmt.Sprintf("fcntl(%d, F_SETFL, O_RDWR|O_NONBLOCK) = 0", fd)}
		return d.several(append(lines, d.options(fd)...)...)
	case "send":
		if c.Err != 0 {
			return fmt.Sprintf("write(%d, ..., %d) = -1 %s", fd, c.Size, errno(c.Err))
		}
		return fmt.Sprintf("write(%d, ..., %d) = %d", fd, c.Size, c.N)
	case "read":
		if c.Err != 0 && c.Err != tcp.ErrEOF {
			return fmt.Sprintf("read(%d, ..., 4096) = -1 %s", fd, errno(c.Err))
		}
		return fmt.Sprintf("read(%d, ..., %d) = %d", fd, max(c.N, 4096), c.N)
	case "shut":
		return fmt.Sprintf("shutdown(%d, SHUT_WR) = 0", fd)
	case "abort":
		return d.several(fmt.Sprintf("setsockopt(%d, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0", fd), fmt.Sprintf("close(%d) = 0", fd))
	case "close":
		return fmt.Sprintf("close(%d) = 0", fd)
	case "keep-alive":
		return d.several(keepAliveCalls(fd)...)
	}
	return ""
}

// options are what a program asks for each of its connections.
func (d *drill) options(fd int) (lines []string) {
	a := d.play.stage.actors[d.host]
	if a.noDelay {
		lines = append(lines, fmt.Sprintf("setsockopt(%d, SOL_TCP, TCP_NODELAY, [1], 4) = 0", fd))
	}
	if a.keep.On {
		lines = append(lines, keepAliveCalls(fd)...)
	}
	return lines
}

func keepAliveCalls(fd int) []string {
	set := func(name string, v int) string {
		return fmt.Sprintf("setsockopt(%d, SOL_TCP, %s, [%d], 4) = 0", fd, name, v)
	}
	return []string{set("TCP_KEEPIDLE", 60), set("TCP_KEEPINTVL", 10), set("TCP_KEEPCNT", 3), fmt.Sprintf("setsockopt(%d, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0", fd)}
}

// several puts calls that happen at the same time below each other.
func (d *drill) several(lines ...string) string {
	return strings.Join(lines, "\n"+fmt.Sprintf("%-12s ", "+0"))
}

func errno(e tcp.Error) string {
	switch e {
	case tcp.ErrReset:
		return "ECONNRESET"
	case tcp.ErrRefused:
		return "ECONNREFUSED"
	case tcp.ErrTimeout:
		return "ETIMEDOUT"
	case tcp.ErrAborted:
		return "ECONNABORTED"
	case tcp.ErrInUse:
		return "EADDRINUSE"
	case tcp.ErrClosing:
		return "EPIPE"
	case tcp.ErrNotConnected:
		return "ENOTCONN"
	case tcp.ErrHostUnreachable:
		return "EHOSTUNREACH"
	}
	return "EINVAL"
}
