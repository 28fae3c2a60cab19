package estab_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"estab"
)

// stack is what the kernel and a host have in common.
type stack struct {
	listen func(network, address string) (net.Listener, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	// dialFrom dials from a local socket.
	dialFrom func(laddr, raddr string) (net.Conn, error)
}

func kernelStack() stack {
	return stack{
		listen: net.Listen,
		dial:   new(net.Dialer).DialContext,
		dialFrom: func(laddr, raddr string) (net.Conn, error) {
			a, err := net.ResolveTCPAddr("tcp", laddr)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{LocalAddr: a}).Dial("tcp", raddr)
		},
	}
}

func hostStack(t *testing.T) stack {
	h := newHost(t, estab.Config{}, nil)
	t.Cleanup(func() { h.Close() })
	return stack{
		listen: h.Listen,
		dial:   h.DialContext,
		dialFrom: func(laddr, raddr string) (net.Conn, error) {
			a, err := net.ResolveTCPAddr("tcp", laddr)
			if err != nil {
				return nil, err
			}
			return (&estab.Dialer{Host: h, LocalAddr: a.AddrPort()}).Dial("tcp", raddr)
		},
	}
}

// tcpConn is what *net.TCPConn and *estab.Conn have in common.
type tcpConn interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
	SetLinger(int) error
	SetNoDelay(bool) error
}

// sentinels are what users compare errors with.
var sentinels = []struct {
	name string
	err  error
}{
	{"ECONNREFUSED", syscall.ECONNREFUSED}, {"ECONNRESET", syscall.ECONNRESET}, {"EPIPE", syscall.EPIPE},
	{"ETIMEDOUT", syscall.ETIMEDOUT}, {"EADDRINUSE", syscall.EADDRINUSE}, {"EADDRNOTAVAIL", syscall.EADDRNOTAVAIL},
	{"EHOSTUNREACH", syscall.EHOSTUNREACH}, {"ENETUNREACH", syscall.ENETUNREACH}, {"ENOTCONN", syscall.ENOTCONN},
	{"EINVAL", syscall.EINVAL}, {"deadline", os.ErrDeadlineExceeded}, {"closed", net.ErrClosed}, {"EOF", io.EOF},
	{"canceled", context.Canceled}, {"ctxdeadline", context.DeadlineExceeded},
}

// describe says what a user sees of an error.
func describe(err error) string {
	if err == nil {
		return "ok"
	}
	var is []string
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			is = append(is, s.name)
		}
	}
	if err == io.EOF {
		return "EOF"
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		return fmt.Sprintf("%v (%T)", is, err)
	}
	_, syscallError := op.Err.(*os.SyscallError)
	return fmt.Sprintf("%s op=%s net=%s source=%v addr=%v timeout=%v syscall=%v",
		strings.Join(is, "+"), op.Op, op.Net, op.Source != nil, op.Addr != nil, op.Timeout(), syscallError)
}

// record collects what the calls of a situation returned.
type record struct{ lines []string }

func (l *record) add(what string, err error) {
	l.lines = append(l.lines, what+": "+describe(err))
}

func (l *record) read(c net.Conn)  { _, err := c.Read(make([]byte, 16)); l.add("read", err) }
func (l *record) write(c net.Conn) { _, err := c.Write([]byte("x")); l.add("write", err) }

// pair makes both ends of a connection.
func (s stack) pair(t *testing.T) (client, server tcpConn) {
	t.Helper()
	ln, err := s.listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := s.dial(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	x, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); x.Close() })
	return c.(tcpConn), x.(tcpConn)
}

// resetPair makes a connection whose server end has been reset, and the RST
// arrived.
func (s stack) resetPair(t *testing.T) tcpConn {
	c, x := s.pair(t)
	x.SetLinger(0)
	x.Close()
	waitFor(c)
	return c
}

// waitFor returns when something can be read from c: it blocks in a Read that
// takes nothing if anything is there. On a reset connection the error would be
// taken, so it only gives the kernel's loopback, which is synchronous, and the
// host's, which is too, the processor for a moment.
func waitFor(net.Conn) {}

// unusedPort is a port where nobody listens.
func (s stack) unusedPort(t *testing.T) string {
	ln, err := s.listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// situations are played on the kernel and on a host; what users see must be
// the same.
var situations = map[string]func(t *testing.T, s stack, l *record){
	"dial refused": func(t *testing.T, s stack, l *record) {
		at := s.unusedPort(t)
		for range 2 {
			_, err := s.dial(t.Context(), "tcp", at)
			l.add("dial", err)
		}
	},
	"dial canceled": func(t *testing.T, s stack, l *record) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.dial(ctx, "tcp", s.unusedPort(t))
		l.add("dial", err)
	},
	"dial network": func(t *testing.T, s stack, l *record) {
		_, err := s.dial(t.Context(), "nonsense", "127.0.0.1:1")
		l.add("dial", err)
		_, err = s.dial(t.Context(), "tcp", "127.0.0.1")
		l.add("dial", err)
		_, err = s.dial(t.Context(), "tcp6", "127.0.0.1:1")
		l.add("dial", err)
	},
	"dial from a foreign address": func(t *testing.T, s stack, l *record) {
		_, err := s.dialFrom("192.0.2.1:0", s.unusedPort(t))
		l.add("dial", err)
	},
	"dial from a pair in use": func(t *testing.T, s stack, l *record) {
		ln, err := s.listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		c, err := s.dial(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = s.dialFrom(c.LocalAddr().String(), ln.Addr().String())
		l.add("dial", err)
	},
	"listen in use": func(t *testing.T, s stack, l *record) {
		ln, err := s.listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		for range 2 {
			_, err = s.listen("tcp", ln.Addr().String())
			l.add("listen", err)
		}
	},
	"listen on a foreign address": func(t *testing.T, s stack, l *record) {
		_, err := s.listen("tcp", "192.0.2.1:0")
		l.add("listen", err)
	},
	"listener closed": func(t *testing.T, s stack, l *record) {
		ln, err := s.listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.add("close", ln.Close())
		l.add("close", ln.Close())
		_, err = ln.Accept()
		l.add("accept", err)
		l.add("set", ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now()))
	},
	"listener deadline": func(t *testing.T, s stack, l *record) {
		ln, err := s.listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now())
		for range 2 {
			_, err = ln.Accept()
			l.add("accept", err)
		}
	},
	"closed here": func(t *testing.T, s stack, l *record) {
		c, _ := s.pair(t)
		l.add("close", c.Close())
		l.add("close", c.Close())
		l.read(c)
		l.write(c)
		l.add("closewrite", c.CloseWrite())
		l.add("closeread", c.CloseRead())
		l.add("set deadline", c.SetDeadline(time.Now()))
		l.add("set nodelay", c.SetNoDelay(true))
		l.add("set linger", c.SetLinger(1))
	},
	"closed there": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		x.Close()
		for range 2 {
			l.read(c)
		}
		for range 3 { // the first is answered with a RST
			l.write(c)
		}
		for range 2 {
			l.read(c)
		}
		l.add("closewrite", c.CloseWrite())
		l.add("close", c.Close())
	},
	"closed there unread": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		l.write(c)
		x.Read(make([]byte, 0))
		x.Close()
		l.read(c)
		l.read(c)
		l.write(c)
		l.write(c)
	},
	"reset then read": func(t *testing.T, s stack, l *record) {
		c := s.resetPair(t)
		for range 3 {
			l.read(c)
		}
		for range 2 {
			l.write(c)
		}
		l.add("closewrite", c.CloseWrite())
		l.add("closeread", c.CloseRead())
		l.add("set nodelay", c.SetNoDelay(true))
		l.add("close", c.Close())
	},
	"reset then write": func(t *testing.T, s stack, l *record) {
		c := s.resetPair(t)
		for range 3 {
			l.write(c)
		}
		for range 2 {
			l.read(c)
		}
	},
	"reset with data before it": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		l.write(x)
		x.SetLinger(0)
		x.Close()
		for range 3 {
			l.read(c)
		}
	},
	"reset after the FIN": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		x.CloseWrite()
		l.read(c)
		x.SetLinger(0)
		x.Close()
		for range 2 {
			l.read(c)
		}
		for range 2 {
			l.write(c)
		}
	},
	"read deadline": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		l.write(x)
		c.SetReadDeadline(time.Now())
		for range 2 { // data doesn't help
			l.read(c)
		}
		l.write(c)
		c.SetReadDeadline(time.Time{})
		l.read(c)
	},
	"write deadline": func(t *testing.T, s stack, l *record) {
		c, _ := s.pair(t)
		c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := c.Write(make([]byte, 64<<20))
		l.add("write", err)
		for range 2 {
			l.write(c)
		}
	},
	"write closed": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		for range 2 {
			l.add("closewrite", c.CloseWrite())
		}
		for range 2 {
			l.write(c)
		}
		l.read(x)
		l.write(x)
		l.read(c)
	},
	"read closed": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		for range 2 {
			l.add("closeread", c.CloseRead())
		}
		l.read(c)
		l.write(c)
		l.read(x)
		l.add("close", c.Close())
	},
	"empty": func(t *testing.T, s stack, l *record) {
		c, x := s.pair(t)
		_, err := c.Read(nil)
		l.add("read", err)
		_, err = c.Write(nil)
		l.add("write", err)
		x.Close()
		_, err = c.Read(nil)
		l.add("read", err)
		c.Close()
		_, err = c.Read(nil)
		l.add("read", err)
		_, err = c.Write(nil)
		l.add("write", err)
	},
}

// In every situation the calls, and the calls that follow, return what they
// return on the kernel's loopback through package net: the same errors by
// errors.Is, the same Timeout, the same fields of *net.OpError.
func TestErrorsLikeKernel(t *testing.T) {
	if _, err := os.Stat("/proc/sys/net/ipv4"); err != nil {
		t.Skip("the kernel that errors are compared with is Linux's")
	}
	for name, play := range situations {
		t.Run(name, func(t *testing.T) {
			var want, got record
			play(t, kernelStack(), &want)
			play(t, hostStack(t), &got)
			if !slices.Equal(got.lines, want.lines) {
				t.Errorf("kernel:\n\t%s\nestab:\n\t%s", strings.Join(want.lines, "\n\t"), strings.Join(got.lines, "\n\t"))
			}
		})
	}
}
