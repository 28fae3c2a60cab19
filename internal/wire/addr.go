package wire

import (
	"encoding/binary"
	"net/netip"
)

// Addr is an IP address without pointers, 16 bytes: an IPv6 address, or an
// IPv4 address in its mapped form ::ffff:a.b.c.d. (A packet that carries a
// mapped address in an IPv6 header is dropped, so the two can't be confused.)
// The words hold the address in network order: Hi is its first eight bytes.
type Addr struct{ Hi, Lo uint64 }

const mapped4 = 0xffff << 32

// AddrFrom4 makes an Addr of the four bytes of an IPv4 address.
func AddrFrom4(b []byte) Addr {
	return Addr{0, mapped4 | uint64(binary.BigEndian.Uint32(b))}
}

// AddrFrom16 makes an Addr of the sixteen bytes of an IPv6 address.
func AddrFrom16(b []byte) Addr {
	return Addr{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

// AddrFrom makes an Addr of a netip.Addr; its zone is dropped.
func AddrFrom(a netip.Addr) Addr {
	b := a.As16()
	return AddrFrom16(b[:])
}

// Is4 reports whether a is an IPv4 address.
func (a Addr) Is4() bool { return a.Hi == 0 && a.Lo>>32 == 0xffff }

// V4 is the IPv4 address as a number; meaningful only if Is4.
func (a Addr) V4() uint32 { return uint32(a.Lo) }

// IsZero reports whether a is the zero Addr, which is also "::".
func (a Addr) IsZero() bool { return a == Addr{} }

// IsUnspecified reports whether a is 0.0.0.0 or "::".
func (a Addr) IsUnspecified() bool {
	return a.Hi == 0 && (a.Lo == 0 || a.Lo == mapped4)
}

// Netip is a as a netip.Addr, IPv4 unmapped.
func (a Addr) Netip() netip.Addr {
	if a.Is4() {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], a.V4())
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	a.Put16(b[:])
	return netip.AddrFrom16(b)
}

// Put16 writes the sixteen bytes of an IPv6 address.
func (a Addr) Put16(b []byte) {
	binary.BigEndian.PutUint64(b, a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
}

func (a Addr) String() string { return a.Netip().String() }

// Tuple names a connection from one end: RFC 9293's pair of sockets, and the
// zone (the link) when the addresses mean something on that link only
// (fe80::/10); otherwise 0.
type Tuple struct {
	Local, Remote         Addr
	LocalPort, RemotePort uint16
	Zone                  uint32
}

// Equal reports whether both name the same connection. It is ==, word by word.
func (t *Tuple) Equal(u *Tuple) bool {
	return t.LocalPort == u.LocalPort && t.RemotePort == u.RemotePort &&
		t.Remote == u.Remote && t.Local == u.Local && t.Zone == u.Zone
}

// Swap is the tuple as the other end names it.
func (t Tuple) Swap() Tuple {
	t.Local, t.Remote = t.Remote, t.Local
	t.LocalPort, t.RemotePort = t.RemotePort, t.LocalPort
	return t
}

// LocalAddrPort is the local socket.
func (t *Tuple) LocalAddrPort() netip.AddrPort {
	return netip.AddrPortFrom(t.Local.Netip(), t.LocalPort)
}

// RemoteAddrPort is the remote socket.
func (t *Tuple) RemoteAddrPort() netip.AddrPort {
	return netip.AddrPortFrom(t.Remote.Netip(), t.RemotePort)
}

// TupleFrom makes a Tuple of two sockets.
func TupleFrom(local, remote netip.AddrPort, zone uint32) Tuple {
	return Tuple{
		Local: AddrFrom(local.Addr()), Remote: AddrFrom(remote.Addr()),
		LocalPort: local.Port(), RemotePort: remote.Port(), Zone: zone,
	}
}

func (t Tuple) String() string {
	return t.LocalAddrPort().String() + "-" + t.RemoteAddrPort().String()
}

// Addr4 makes an Addr of an IPv4 address as a number.
func Addr4(v uint32) Addr { return Addr{0, mapped4 | uint64(v)} }
