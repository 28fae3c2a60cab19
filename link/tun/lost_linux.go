package tun

import (
	"encoding/binary"
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// lostCounter asks the kernel how many packets it had for us and found the
// device's queue full. Its socket belongs to the namespace in which the device
// was opened, whoever asks.
type lostCounter struct {
	mu     sync.Mutex
	socket int
	index  int // of the interface
	seq    uint32
	before uint64 // the device may be older than we
	last   uint64
	closed bool
}

func newLostCounter(index int) (*lostCounter, error) {
	s, err := dialNetlink()
	if err != nil {
		return nil, err
	}
	c := &lostCounter{socket: s, index: index}
	c.before = c.read()
	c.last = 0
	return c, nil
}

// read is the count since the device was opened. If the kernel doesn't say, as
// once the interface is gone, it is what it was the last time.
func (c *lostCounter) read() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.last
	}
	c.seq++
	if n, err := c.ask(); err == nil {
		c.last = n - c.before
	}
	return c.last
}

// close asks once more and gives the socket back.
func (c *lostCounter) close() {
	c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		unix.Close(c.socket)
	}
}

var errNoAnswer = errors.New("no answer")

// ask makes one request: RTM_GETSTATS for struct rtnl_link_stats64
// (linux/if_link.h).
func (c *lostCounter) ask() (uint64, error) {
	b := header(unix.RTM_GETSTATS, 0)
	b = append(b, unix.AF_UNSPEC, 0, 0, 0) // struct if_stats_msg
	b = binary.NativeEndian.AppendUint32(b, uint32(c.index))
	b = binary.NativeEndian.AppendUint32(b, 1<<(unix.IFLA_STATS_LINK_64-1))
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint32(b[8:], c.seq)
	if err := unix.Sendto(c.socket, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	var buf [4096]byte
	for {
		n, err := receive(c.socket, buf[:])
		if err != nil {
			return 0, err
		}
		for b := buf[:n]; ; {
			m, rest, ok := cutMessage(b)
			if !ok {
				break
			}
			if b = rest; m.seq != c.seq {
				continue // of a request that was given up
			}
			if lost, ok := txDropped(m); ok {
				return lost, nil
			}
			return 0, errNoAnswer
		}
	}
}

// txDropped finds the field in an answer. The interface transmits to us.
func txDropped(m message) (uint64, bool) {
	const (
		sizeofIfStatsMsg = 12
		field            = 7 // the eighth of the 64-bit fields
	)
	if m.kind != unix.RTM_NEWSTATS || len(m.body) < sizeofIfStatsMsg {
		return 0, false
	}
	for b := m.body[sizeofIfStatsMsg:]; len(b) >= unix.SizeofRtAttr; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		if v := b[unix.SizeofRtAttr:n]; binary.NativeEndian.Uint16(b[2:]) == unix.IFLA_STATS_LINK_64 && len(v) >= 8*(field+1) {
			return binary.NativeEndian.Uint64(v[8*field:]), true
		}
		b = b[min(align(n), len(b)):]
	}
	return 0, false
}
