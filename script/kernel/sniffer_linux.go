package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"estab/internal/wire"
	"estab/link"
	"estab/script"
)

// sniffer sees what the kernel sends through a device, with the time at which
// the packet passed, whenever it is read.
type sniffer struct {
	fd            int
	local, remote wire.Addr
	buf           [link.MaxPacket]byte
	oob           [128]byte
}

// sniffBuffer is how much may lie there unread, in bytes.
const sniffBuffer = 8 << 20

// sniff opens a packet socket on the device.
func sniff(index int, local, remote netip.Addr) (*sniffer, error) {
	all := htons(unix.ETH_P_ALL)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(all))
	if err != nil {
		return nil, fmt.Errorf("a packet socket (CAP_NET_RAW): %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index})
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}
	if err == nil && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, sniffBuffer) != nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, sniffBuffer)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("a packet socket: %w", err)
	}
	return &sniffer{fd: fd, local: wire.AddrFrom(local), remote: wire.AddrFrom(remote)}, nil
}

func htons(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}

// read appends all that has left.
func (s *sniffer) read(list []script.Happening, begun time.Time) ([]script.Happening, error) {
	for {
		n, oobn, _, from, err := unix.Recvmsg(s.fd, s.buf[:], s.oob[:], 0)
		switch err {
		case nil:
		case unix.EAGAIN:
			return list, nil
		case unix.EINTR:
			continue
		default:
			return list, fmt.Errorf("packet socket: %w", err)
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok || ll.Pkttype != unix.PACKET_OUTGOING || !s.wanted(s.buf[:n]) {
			continue
		}
		list = append(list, script.Happening{Packet: append([]byte(nil), s.buf[:n]...), At: s.time(s.oob[:oobn]).Sub(begun)})
	}
}

// wanted reports whether a packet is for the script: the kernel sends a few of
// its own (neighbours, multicast).
func (s *sniffer) wanted(b []byte) bool {
	var h wire.IPHeader
	return wire.ParseIP(b, &h) == wire.Accepted && h.Src == s.local && h.Dst == s.remote
}

// time is when a packet passed. The kernel tells the time of day; on the clock
// that never jumps, that is as long ago as it is on that one.
func (s *sniffer) time(oob []byte) time.Time {
	now := time.Now()
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return now
	}
	for _, m := range msgs {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			ts := (*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return now.Add(-max(time.Duration(now.UnixNano()-ts.Nano()), 0))
		}
	}
	return now
}

// lost reports packets that were not read in time.
func (s *sniffer) lost() error {
	st, err := unix.GetsockoptTpacketStats(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil && st.Drops > 0 {
		return fmt.Errorf("%d of %d packets were lost before they could be looked at: the computer is too busy", st.Drops, st.Packets)
	}
	return err
}

func (s *sniffer) close() { unix.Close(s.fd) }
