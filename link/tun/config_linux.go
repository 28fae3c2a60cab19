package tun

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// configure gives the interface its MTU and addresses, brings it up, and
// returns the MTU that it then has. What is as it should be is not touched:
// so a device that root has set up can be opened without his rights.
func configure(name string, cfg Config) (mtu int, err error) {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFMTU, ifr); err != nil {
		return 0, fmt.Errorf("get the MTU: %w", err)
	}
	mtu = int(ifr.Uint32())
	if cfg.MTU != 0 && cfg.MTU != mtu {
		mtu = cfg.MTU
		ifr.SetUint32(uint32(mtu))
		if err := unix.IoctlIfreq(s, unix.SIOCSIFMTU, ifr); err != nil {
			return 0, fmt.Errorf("set the MTU to %d: %w", mtu, err)
		}
	}
	if err := bringUp(s, ifr); err != nil {
		return 0, fmt.Errorf("bring it up: %w", err)
	}
	if len(cfg.Addrs) == 0 {
		return mtu, nil
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, fmt.Errorf("get the index: %w", err)
	}
	return mtu, addAddrs(int(ifr.Uint32()), cfg.Addrs)
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

func addAddrs(index int, addrs []netip.Prefix) error {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer unix.Close(s)
	for i, p := range addrs {
		err := request(s, uint32(i+1), addAddr(index, p))
		if err != nil && !errors.Is(err, unix.EEXIST) {
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

// header begins a request (netlink(7)); request fills in what is missing.
func header(kind, flags uint16) []byte {
	b := make([]byte, unix.SizeofNlMsghdr, 128)
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags)
	return b
}

// attribute appends an attribute whose value is a multiple of four bytes.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(b, value...)
}

// request sends a message and waits for the kernel to say what came of it.
func request(s int, seq uint32, msg []byte) error {
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	binary.NativeEndian.PutUint32(msg[8:], seq)
	if err := unix.Sendto(s, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var buf [4096]byte
	for {
		n, _, err := unix.Recvfrom(s, buf[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if done, err := ack(buf[:n], seq); done {
			return err
		}
	}
}

// ack finds the answer to request seq in what the kernel has sent: NLMSG_ERROR
// with a negative errno, or 0.
func ack(b []byte, seq uint32) (done bool, err error) {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(binary.NativeEndian.Uint32(b))
		kind, s := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
		if n < unix.SizeofNlMsghdr || n > len(b) {
			break
		}
		if kind == unix.NLMSG_ERROR && s == seq && n >= unix.SizeofNlMsghdr+4 {
			if e := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); e != 0 {
				return true, unix.Errno(-e)
			}
			return true, nil
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return false, nil
}
