package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// configure gives the device its MTU and a queue that does not pace, and returns
// its index.
func configure(name string, mtu int) (index int, err error) {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	ifr.SetUint32(uint32(mtu))
	if err := unix.IoctlIfreq(s, unix.SIOCSIFMTU, ifr); err != nil {
		return 0, fmt.Errorf("%s: set the MTU to %d: %w", name, mtu, err)
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, fmt.Errorf("%s: get the index: %w", name, err)
	}
	index = int(ifr.Uint32())
	if err := setQueue(index, "pfifo"); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return 0, fmt.Errorf("%s: set the queueing discipline: %w", name, err)
	}
	return index, nil
}

// setQueue gives a device a queueing discipline (rtnetlink(7), RTM_NEWQDISC),
// whatever the machine's own default is: fq, which is some machines', paces.
func setQueue(index int, kind string) error {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return err
	}
	ne := binary.NativeEndian
	value := append([]byte(kind), 0)
	attr := unix.SizeofRtAttr + len(value)
	msg := make([]byte, unix.SizeofNlMsghdr+20+(attr+3)&^3)
	ne.PutUint32(msg[0:], uint32(len(msg)))
	ne.PutUint16(msg[4:], unix.RTM_NEWQDISC)
	ne.PutUint16(msg[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	tc := msg[unix.SizeofNlMsghdr:] // struct tcmsg: family, index, handle, parent, info
	ne.PutUint32(tc[4:], uint32(index))
	ne.PutUint32(tc[12:], 0xffffffff) // TC_H_ROOT
	const tcaKind = 1
	ne.PutUint16(tc[20:], uint16(attr))
	ne.PutUint16(tc[22:], tcaKind)
	copy(tc[24:], value)
	if err := unix.Sendto(s, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var buf [4096]byte
	n, _, err := unix.Recvfrom(s, buf[:], 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || ne.Uint16(buf[4:]) != unix.NLMSG_ERROR {
		return errors.New("the kernel's answer is none")
	}
	if e := int32(ne.Uint32(buf[unix.SizeofNlMsghdr:])); e != 0 {
		return unix.Errno(-e)
	}
	return nil
}

// setGSO is ethtool -K DEVICE gso on or off (linux/ethtool.h).
func setGSO(name string, on bool) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	value := struct{ cmd, data uint32 }{cmd: unix.ETHTOOL_SGSO}
	if on {
		value.data = 1
	}
	var ifr struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(ifr.name[:], name)
	ifr.data = unsafe.Pointer(&value)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifr))); errno != 0 {
		return fmt.Errorf("ethtool -K %s gso: %w", name, errno)
	}
	return nil
}

// realTime makes the thread one that runs when it wants to, as packetdrill does,
// where that is allowed and there is more than one processor. What it returns
// undoes it.
func realTime() (undo func()) {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	const schedOther, schedRR = 0, 2
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: schedRR, Priority: 1}
	var set unix.CPUSet
	allowed := unix.SchedGetaffinity(0, &set) == nil && set.Count() > 1 && unix.SchedSetAttr(0, &attr, 0) == nil
	return func() {
		unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // as it was
		if allowed {
			unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: schedOther}, 0)
		}
	}
}
