package estab

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"estab/tcp"
)

// errno is the kernel's word for what the engine says, or nil.
func errno(e tcp.Error) error {
	switch e {
	case 0:
		return nil
	case tcp.ErrReset:
		return syscall.ECONNRESET
	case tcp.ErrRefused, tcp.ErrPortUnreachable:
		return syscall.ECONNREFUSED
	case tcp.ErrTimeout:
		return syscall.ETIMEDOUT
	case tcp.ErrAborted:
		return syscall.ECONNABORTED
	case tcp.ErrClosing:
		return syscall.EPIPE
	case tcp.ErrNotConnected:
		return syscall.ENOTCONN
	case tcp.ErrInUse:
		return syscall.EADDRINUSE
	case tcp.ErrNoPorts:
		return syscall.EADDRNOTAVAIL
	case tcp.ErrHostUnreachable:
		return syscall.EHOSTUNREACH
	case tcp.ErrNetUnreachable:
		return syscall.ENETUNREACH
	case tcp.ErrNoMemory:
		return syscall.ENOBUFS
	case tcp.ErrNoConnection:
		return net.ErrClosed
	case tcp.ErrEOF:
		return io.EOF
	}
	return syscall.EINVAL
}

// sysError is errno in the wrapping that package net gives the results of
// system calls.
func sysError(call string, e tcp.Error) error {
	if e == 0 {
		return nil
	}
	return wrapped(call, e)
}

func wrapped(call string, e tcp.Error) error {
	err := errno(e)
	if n, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(call, n)
	}
	return err
}

// The networks, by the number that a Conn keeps.
var networks = [...]string{"tcp", "tcp4", "tcp6"}

// networkIndex is the number of a network, or an error as package net's.
func networkIndex(network string) (uint8, error) {
	for i, n := range networks {
		if n == network {
			return uint8(i), nil
		}
	}
	return 0, net.UnknownNetworkError(network)
}

// timeoutError is what package net says when a context's deadline ends a
// Dial. There the operating system's poller and the context race for the same
// instant, and either answer may come out; this one is both.
type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Is(err error) bool {
	return err == context.DeadlineExceeded || err == os.ErrDeadlineExceeded
}

// canceledError is what package net says when a context was canceled.
type canceledError struct{}

func (canceledError) Error() string        { return "operation was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// contextError maps the error of a context as package net does.
func contextError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return canceledError{}
	case errors.Is(err, context.DeadlineExceeded):
		return timeoutError{}
	}
	return err
}

// opError wraps what became of an operation on a connection.
func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// localError is opError for the settings of which package net names the local
// address only.
func (c *Conn) localError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network(), Addr: c.LocalAddr(), Err: err}
}
