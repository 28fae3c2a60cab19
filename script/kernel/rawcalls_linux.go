package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"estab/script"
)

// The calls that x/sys/unix has in another form than scripts want: with a null
// pointer for a buffer, with an option's value as bytes.

func errnoOrNil(e unix.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

// null is read or write with the null pointer as buffer.
func null(c *script.SystemCall, trap uintptr) error {
	n, _, e := unix.Syscall(trap, uintptr(c.FD), 0, uintptr(c.Length))
	c.N = int(n)
	return errnoOrNil(e)
}

// nullMessage is recvmsg or sendmsg with the null pointer as its one buffer.
func nullMessage(c *script.SystemCall, trap uintptr) error {
	var iov unix.Iovec
	iov.SetLen(c.Length)
	hdr := unix.Msghdr{Iov: &iov}
	hdr.SetIovlen(1)
	n, _, e := unix.Syscall(trap, uintptr(c.FD), uintptr(unsafe.Pointer(&hdr)), uintptr(c.Args[0]))
	c.N, c.Flags = int(n), int(hdr.Flags)
	return errnoOrNil(e)
}

func receive(c *script.SystemCall) (err error) {
	switch {
	case c.Null:
		return nullMessage(c, unix.SYS_RECVMSG)
	case c.Name == "recvmsg":
		c.N, c.OOBCount, c.Flags, _, err = unix.Recvmsg(c.FD, c.Buf, c.OOB, c.Args[0])
	default:
		c.N, _, err = unix.Recvfrom(c.FD, c.Buf, c.Args[0])
	}
	return err
}

func send(c *script.SystemCall) (err error) {
	if c.Null {
		return nullMessage(c, unix.SYS_SENDMSG)
	}
	c.N, err = unix.SendmsgN(c.FD, c.Data, nil, nil, c.Args[0])
	return err
}

// connect without an address is that with AF_UNSPEC.
func connect(c *script.SystemCall) error {
	if c.Addr.IsValid() {
		return unix.Connect(c.FD, sockaddr(c.Addr))
	}
	sa := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(c.FD), uintptr(unsafe.Pointer(&sa)), unsafe.Sizeof(sa))
	return errnoOrNil(e)
}

func ioctl(c *script.SystemCall) error {
	_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(c.FD), uintptr(c.Args[0]), uintptr(unsafe.Pointer(unsafe.SliceData(c.Buf))))
	return errnoOrNil(e)
}

func poll(c *script.SystemCall) (err error) {
	fds := make([]unix.PollFd, len(c.Poll))
	for i, p := range c.Poll {
		fds[i] = unix.PollFd{Fd: int32(p.FD), Events: p.Events}
	}
	c.N, err = unix.Poll(fds, c.Args[0])
	for i := range fds {
		c.Poll[i].Revents = fds[i].Revents
	}
	return err
}

func setsockopt(c *script.SystemCall) error {
	data, n := unsafe.Pointer(unsafe.SliceData(c.Data)), len(c.Data)
	if c.Null {
		data, n = nil, c.Length
	}
	_, _, e := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(c.FD), uintptr(c.Args[0]), uintptr(c.Args[1]), uintptr(data), uintptr(n), 0)
	return errnoOrNil(e)
}

func getsockopt(c *script.SystemCall) error {
	n := uint32(len(c.Buf))
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(c.FD), uintptr(c.Args[0]), uintptr(c.Args[1]),
		uintptr(unsafe.Pointer(unsafe.SliceData(c.Buf))), uintptr(unsafe.Pointer(&n)), 0)
	if e == 0 {
		c.Buf = c.Buf[:min(int(n), len(c.Buf))]
	}
	return errnoOrNil(e)
}
