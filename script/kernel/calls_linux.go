package kernel

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"estab/script"
)

// mayBlock are the calls that a thread of their own makes.
var mayBlock = map[string]bool{
	"accept4": true, "connect": true, "read": true, "recvfrom": true, "recvmsg": true, "write": true, "sendto": true,
	"poll": true, "close": true,
}

// Begin is part of script.Machine.
func (m *machine) Begin(c *script.SystemCall) {
	m.Now() // which begins the script, if nothing has
	if mayBlock[c.Name] {
		if !m.calls.begin(c) {
			return
		}
	} else {
		call(c)
		c.Ended, c.Done = m.Now(), true
	}
	m.settle(c)
}

// settle takes note of what a call that has ended means.
func (m *machine) settle(c *script.SystemCall) {
	switch {
	case c.Name == "close":
		delete(m.socks, c.FD)
	case c.Errno == "" && (c.Name == "socket" || c.Name == "accept4"):
		m.socks[c.N] = true
		if c.Name == "socket" && m.cc != "" {
			if err := unix.SetsockoptString(c.N, unix.IPPROTO_TCP, unix.TCP_CONGESTION, m.cc); err != nil {
				c.Errno = errnoName(err)
			}
		}
	}
}

// call makes a system call.
func call(c *script.SystemCall) {
	var err error
	a := &c.Args
	switch c.Name {
	case "socket":
		c.N, err = unix.Socket(a[0], a[1]|unix.SOCK_CLOEXEC, a[2])
	case "bind":
		err = unix.Bind(c.FD, sockaddr(c.Addr))
	case "listen":
		err = unix.Listen(c.FD, a[0])
	case "accept4":
		var from unix.Sockaddr
		c.N, from, err = unix.Accept4(c.FD, a[0]|unix.SOCK_CLOEXEC)
		c.Addr = addrPort(from)
	case "connect":
		err = connect(c)
	case "getsockname":
		var name unix.Sockaddr
		name, err = unix.Getsockname(c.FD)
		c.Addr = addrPort(name)
	case "shutdown":
		err = unix.Shutdown(c.FD, a[0])
	case "close":
		err = unix.Close(c.FD)
	case "read":
		if c.Null {
			err = null(c, unix.SYS_READ)
		} else {
			c.N, err = unix.Read(c.FD, c.Buf)
		}
	case "write":
		if c.Null {
			err = null(c, unix.SYS_WRITE)
		} else {
			c.N, err = unix.Write(c.FD, c.Data)
		}
	case "recvfrom", "recvmsg":
		err = receive(c)
	case "sendto":
		err = send(c)
	case "fcntl":
		c.N, err = unix.FcntlInt(uintptr(c.FD), a[0], a[1])
	case "ioctl":
		err = ioctl(c)
	case "poll":
		err = poll(c)
	case "setsockopt":
		err = setsockopt(c)
	case "getsockopt":
		err = getsockopt(c)
	default:
		err = unix.ENOSYS
	}
	if err != nil {
		c.N, c.Errno = -1, errnoName(err)
	}
}

func errnoName(err error) string {
	if e, ok := err.(unix.Errno); ok {
		if name := unix.ErrnoName(e); name != "" {
			return name
		}
	}
	return err.Error()
}

// sockaddr is an address for a socket of its family; an address in IPv6 may be a
// mapped one.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}
