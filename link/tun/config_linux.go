package tun

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// configure gives the interface its MTU and addresses, brings it up, and
// returns its index and the MTU that it then has. What is as it should be is
// not touched: so a device that root has set up can be opened without his
// rights.
func configure(name string, cfg Config) (index, mtu int, err error) {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, 0, err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFMTU, ifr); err != nil {
		return 0, 0, fmt.Errorf("get the MTU: %w", err)
	}
	mtu = int(ifr.Uint32())
	if cfg.MTU != 0 && cfg.MTU != mtu {
		mtu = cfg.MTU
		ifr.SetUint32(uint32(mtu))
		if err := unix.IoctlIfreq(s, unix.SIOCSIFMTU, ifr); err != nil {
			return 0, 0, fmt.Errorf("set the MTU to %d: %w", mtu, err)
		}
	}
	if err := bringUp(s, ifr); err != nil {
		return 0, 0, fmt.Errorf("bring it up: %w", err)
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, 0, fmt.Errorf("get the index: %w", err)
	}
	index = int(ifr.Uint32())
	missing, err := missingAddrs(index, cfg.Addrs)
	if err == nil && len(missing) > 0 {
		err = addAddrs(index, missing)
	}
	return index, mtu, err
}

func bringUp(s int, ifr *unix.Ifreq) error {
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, ifr); err != nil {
		return err
	}
	if ifr.Uint16()&unix.IFF_UP != 0 {
		return nil
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}

// missingAddrs are those that the interface does not have yet.
func missingAddrs(index int, addrs []netip.Prefix) (missing []netip.Prefix, err error) {
	if len(addrs) == 0 {
		return nil, nil
	}
	have, err := (&net.Interface{Index: index}).Addrs()
	if err != nil {
		return nil, fmt.Errorf("list its addresses: %w", err)
	}
	for _, a := range addrs {
		if !slices.ContainsFunc(have, func(h net.Addr) bool { return h.String() == a.String() }) {
			missing = append(missing, a)
		}
	}
	return missing, nil
}

// addAddrs adds addresses, and returns when they can be used.
func addAddrs(index int, addrs []netip.Prefix) error {
	s, err := dialNetlink()
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer unix.Close(s)
	routes, err := dialNetlink(unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer unix.Close(routes)
	for i, p := range addrs {
		err := request(s, uint32(i+1), addAddr(index, p))
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		if err == nil && !p.Addr().Is4() {
			err = awaitLocal(routes, p.Addr())
		}
		if err != nil {
			return fmt.Errorf("add address %v: %w", p, err)
		}
	}
	return nil
}

// addAddr is the message that adds an address (rtnetlink(7), RTM_NEWADDR).
func addAddr(index int, p netip.Prefix) []byte {
	family := byte(unix.AF_INET6)
	if p.Addr().Is4() {
		family = unix.AF_INET
	}
	b := header(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	b = append(b, family, byte(p.Bits()), unix.IFA_F_NODAD, unix.RT_SCOPE_UNIVERSE)
	b = binary.NativeEndian.AppendUint32(b, uint32(index))
	addr := p.Addr().AsSlice()
	b = attribute(b, unix.IFA_LOCAL, addr)
	return attribute(b, unix.IFA_ADDRESS, addr)
}

// awaitLocal waits until the kernel takes packets for an IPv6 address of its
// own: the route for that is made by a work queue, milliseconds after the
// address, and what arrives before it is lost.
func awaitLocal(s int, addr netip.Addr) error {
	want := addr.As16()
	var buf [8192]byte
	for {
		n, err := receive(s, buf[:])
		if err == unix.EAGAIN {
			return errors.New("not in use after two seconds")
		}
		if err != nil {
			return err
		}
		for b := buf[:n]; ; {
			m, rest, ok := cutMessage(b)
			if !ok {
				break
			}
			if b = rest; m.kind == unix.RTM_NEWROUTE && isLocalRoute(m.body, want[:]) {
				return nil
			}
		}
	}
}

// isLocalRoute reports whether a route message (rtnetlink(7), struct rtmsg) is
// that of a host's own address.
func isLocalRoute(body, addr []byte) bool {
	if len(body) < unix.SizeofRtMsg || body[0] != unix.AF_INET6 || body[7] != unix.RTN_LOCAL {
		return false
	}
	for b := body[unix.SizeofRtMsg:]; len(b) >= unix.SizeofRtAttr; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return false
		}
		if binary.NativeEndian.Uint16(b[2:]) == unix.RTA_DST {
			return bytes.Equal(b[unix.SizeofRtAttr:n], addr)
		}
		b = b[min(align(n), len(b)):]
	}
	return false
}
