package tun

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// dialNetlink opens a socket to rtnetlink(7) that also receives what the kernel
// tells the given groups. A receive waits two seconds at most.
func dialNetlink(groups ...int) (s int, err error) {
	s, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, err
	}
	err = unix.Bind(s, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err == nil {
		err = unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2})
	}
	for _, g := range groups {
		if err == nil {
			err = unix.SetsockoptInt(s, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g)
		}
	}
	if err != nil {
		unix.Close(s)
		return -1, err
	}
	return s, nil
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

// align rounds up to four bytes, as messages and attributes are.
func align(n int) int { return (n + 3) &^ 3 }

// request sends a message and waits for the kernel to say what came of it.
func request(s int, seq uint32, msg []byte) error {
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	binary.NativeEndian.PutUint32(msg[8:], seq)
	if err := unix.Sendto(s, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var buf [4096]byte
	for {
		n, err := receive(s, buf[:])
		if err != nil {
			return err
		}
		if done, err := ack(buf[:n], seq); done {
			return err
		}
	}
}

func receive(s int, buf []byte) (int, error) {
	for {
		n, _, err := unix.Recvfrom(s, buf, 0)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// message is one netlink message.
type message struct {
	kind uint16
	seq  uint32
	body []byte
}

// cutMessage splits what was received into its first message and the rest. ok
// is false at the end, and if there is no message.
func cutMessage(b []byte) (m message, rest []byte, ok bool) {
	if len(b) < unix.SizeofNlMsghdr {
		return m, nil, false
	}
	n := binary.NativeEndian.Uint32(b)
	if n < unix.SizeofNlMsghdr || uint64(n) > uint64(len(b)) {
		return m, nil, false
	}
	m.kind, m.seq = binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
	m.body = b[unix.SizeofNlMsghdr:n]
	return m, b[min(align(int(n)), len(b)):], true
}

// ack finds the answer to request seq in what the kernel has sent: NLMSG_ERROR
// with a negative errno, or 0.
func ack(b []byte, seq uint32) (done bool, err error) {
	for {
		m, rest, ok := cutMessage(b)
		if !ok {
			return false, nil
		}
		if m.kind == unix.NLMSG_ERROR && m.seq == seq && len(m.body) >= 4 {
			if e := int32(binary.NativeEndian.Uint32(m.body)); e != 0 {
				return true, unix.Errno(-e)
			}
			return true, nil
		}
		b = rest
	}
}
