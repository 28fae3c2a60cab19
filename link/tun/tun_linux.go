package tun

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"estab/link"
)

const clonePath = "/dev/net/tun"

// open makes the device and sets the interface up.
func open(cfg Config) (device, string, int, error) {
	fd, err := unix.Open(clonePath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", 0, openError(err)
	}
	name, index, mtu, err := attach(fd, cfg)
	if err != nil {
		unix.Close(fd)
		return nil, "", 0, err
	}
	// Only now does the file belong to an interface, so that it can be polled.
	f := os.NewFile(uintptr(fd), clonePath)
	conn, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, "", 0, fmt.Errorf("tun: %s: %w", name, err)
	}
	lost, err := newLostCounter(index)
	if err != nil {
		f.Close()
		return nil, "", 0, fmt.Errorf("tun: %s: netlink: %w", name, err)
	}
	return newFile(f, conn, mtu, lost), name, mtu, nil
}

// attach joins the file to an interface. This is the place for offloads:
// IFF_VNET_HDR here, a header in front of each packet, TUNSETOFFLOAD, and then
// Caps with a larger segment than the MTU; and for several queues:
// IFF_MULTI_QUEUE, and a file for each.
func attach(fd int, cfg Config) (name string, index, mtu int, err error) {
	ifr, err := unix.NewIfreq(cfg.Name)
	if err != nil {
		return "", 0, 0, fmt.Errorf("tun: interface %q: the name must have at most %d bytes", cfg.Name, unix.IFNAMSIZ-1)
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return "", 0, 0, attachError(cfg.Name, err)
	}
	name = ifr.Name()
	index, mtu, err = configure(name, cfg)
	if err != nil {
		return "", 0, 0, configError(name, err)
	}
	return name, index, mtu, nil
}

// openError says what keeps us from opening the file.
func openError(err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EACCES):
		hint = ": run as root, or let everybody open it: chmod 0666 " + clonePath
	case errors.Is(err, unix.EPERM):
		hint = ": this container may not: start it with --device " + clonePath + " --cap-add NET_ADMIN"
	case errors.Is(err, unix.ENOENT):
		hint = ": make it: mkdir -p /dev/net && mknod " + clonePath + " c 10 200"
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		hint = ": load the module: modprobe tun"
	}
	return fmt.Errorf("tun: open %s: %w%s", clonePath, err, hint)
}

const needAdmin = ": run as root (CAP_NET_ADMIN), or in a namespace of your own: unshare -Urn"

// attachError says what keeps us from making or opening the interface.
func attachError(name string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EPERM):
		hint = needAdmin
	case errors.Is(err, unix.EBUSY):
		hint = ": another program has it open"
	case errors.Is(err, unix.EINVAL):
		hint = ": the name is not valid, or an interface that is not a TUN device has it"
	}
	if name == "" {
		name = "tun%d"
	}
	return fmt.Errorf("tun: interface %q: %w%s", name, err, hint)
}

// configError says what keeps us from setting the interface up.
func configError(name string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EPERM):
		hint = needAdmin
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EOPNOTSUPP):
		hint = ": is IPv6 disabled? see: sysctl net.ipv6.conf.all.disable_ipv6"
	}
	return fmt.Errorf("tun: interface %q: %w%s", name, err, hint)
}

// file is a device of the kernel's. The runtime's poller waits for packets, so
// that close ends a read.
type file struct {
	f    *os.File
	conn syscall.RawConn
	size int // of a slab, bytes
	miss *lostCounter

	// What the functions below work on: they are made once, so that a read
	// and a write allocate nothing. Reading is up to the reader alone, writing
	// to whoever has the token.
	rx struct {
		pkts []*link.Packet
		n    int
		err  error
		try  func(fd uintptr) bool
	}
	tx struct {
		pkts []*link.Packet
		lost int
		try  func(fd uintptr) bool
	}
}

func newFile(f *os.File, conn syscall.RawConn, mtu int, lost *lostCounter) *file {
	d := &file{f: f, conn: conn, size: mtu, miss: lost}
	d.rx.try, d.tx.try = d.tryRead, d.tryWrite
	return d
}

func (d *file) close() error {
	d.miss.close() // first: with the file a device that is not persistent goes
	return d.f.Close()
}

func (d *file) lost() uint64 { return d.miss.read() }

func (d *file) read(pkts []*link.Packet) (int, error) {
	d.rx.pkts, d.rx.n, d.rx.err = pkts, 0, nil
	err := d.conn.Read(d.rx.try)
	if err == nil {
		err = d.rx.err
	}
	return d.rx.n, err
}

// tryRead reads what is there. It returns false if there was nothing, and is
// called again when there is.
func (d *file) tryRead(fd uintptr) bool {
	r := &d.rx
	for r.n < len(r.pkts) {
		p := r.pkts[r.n]
		if p == nil || p.Cap() < d.size {
			p = link.NewPacket(d.size)
			r.pkts[r.n] = p
		}
		n, err := unix.Read(int(fd), p.Resize(p.Cap()))
		p.Resize(max(n, 0))
		switch err {
		case nil:
			r.n++
		case unix.EINTR:
		case unix.EAGAIN:
			return r.n > 0
		case unix.EBADFD:
			r.err = fmt.Errorf("the interface was deleted: %w", err)
			return true
		default:
			r.err = err
			return true
		}
	}
	return true
}

func (d *file) write(pkts []*link.Packet) int {
	d.tx.pkts, d.tx.lost = pkts, 0
	if d.conn.Write(d.tx.try) != nil {
		return len(pkts) // closed
	}
	d.tx.pkts = nil
	return d.tx.lost
}

// tryWrite writes each packet once. The kernel has no room (EAGAIN, ENOBUFS),
// the interface is down (EIO), the packet is no IP packet (EINVAL): then it is
// lost, as on any network card.
func (d *file) tryWrite(fd uintptr) bool {
	for _, p := range d.tx.pkts {
		_, err := unix.Write(int(fd), p.Bytes())
		for err == unix.EINTR {
			_, err = unix.Write(int(fd), p.Bytes())
		}
		if err != nil {
			d.tx.lost++
		}
	}
	return true
}
