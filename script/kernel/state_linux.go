package kernel

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// State is part of script.Machine. The kernel's tables know what waits in TIME-WAIT
// and what no program holds, too. It is asked for the one connection
// (sock_diag(7)); where it can't be, its lists are read (proc(5), /proc/net/tcp),
// which takes milliseconds.
func (m *machine) State(local, remote uint16) (int, error) {
	st, err := m.diagnose(local, remote)
	if errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) {
		return m.readTables(local, remote)
	}
	return st, err
}

// diagnose asks for a connection with a struct inet_diag_req_v2
// (linux/inet_diag.h).
func (m *machine) diagnose(local, remote uint16) (int, error) {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, err
	}
	defer unix.Close(s)
	const sockDiagByFamily, listen = 20, 10
	ne, be := binary.NativeEndian, binary.BigEndian
	msg := make([]byte, unix.SizeofNlMsghdr, 128)
	ne.PutUint16(msg[4:], sockDiagByFamily)
	ne.PutUint16(msg[6:], unix.NLM_F_REQUEST)
	family := byte(unix.AF_INET6)
	if m.local.Is4() {
		family = unix.AF_INET
	}
	msg = append(msg, family, unix.IPPROTO_TCP, 0, 0)
	msg = ne.AppendUint32(msg, 0xffffffff) // every state
	msg = be.AppendUint16(msg, local)
	msg = be.AppendUint16(msg, remote)
	for _, a := range [...][]byte{m.local.AsSlice(), m.remote.AsSlice()} {
		msg = append(append(msg, a...), make([]byte, 16-len(a))...)
	}
	msg = ne.AppendUint32(msg, 0)                                     // any interface
	msg = append(msg, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // no cookie
	ne.PutUint32(msg, uint32(len(msg)))
	if err := unix.Sendto(s, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	var buf [4096]byte
	n, _, err := unix.Recvfrom(s, buf[:], 0)
	switch {
	case err != nil:
		return 0, err
	case n < unix.SizeofNlMsghdr+4:
		return 0, errors.New("sock_diag: the answer is none")
	case ne.Uint16(buf[4:]) == unix.NLMSG_ERROR:
		if e := unix.Errno(-int32(ne.Uint32(buf[unix.SizeofNlMsghdr:]))); e != unix.ENOENT {
			return 0, e
		}
		return 0, nil
	}
	if st := int(buf[unix.SizeofNlMsghdr+1]); st != listen { // which is what would take a new one
		return st, nil
	}
	return 0, nil
}

// readTables looks for a connection in the namespace's lists.
func (m *machine) readTables(local, remote uint16) (int, error) {
	for _, table := range [...]string{"tcp", "tcp6"} {
		f, err := os.Open("/proc/thread-self/net/" + table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			return 0, err
		}
		st := 0
		for s := bufio.NewScanner(f); st == 0 && s.Scan(); {
			st = lineState(s.Text(), local, remote)
		}
		f.Close()
		if st != 0 {
			return st, nil
		}
	}
	return 0, nil
}

// lineState is the state in a line of the table, 0 if it is about another
// connection: number, local address:port, remote address:port, state, all in
// hexadecimal.
func lineState(line string, local, remote uint16) int {
	w := strings.Fields(line)
	if len(w) < 4 || port(w[1]) != int(local) || port(w[2]) != int(remote) {
		return 0
	}
	n, err := strconv.ParseUint(w[3], 16, 8)
	if err != nil {
		return 0
	}
	return int(n)
}

func port(address string) int {
	i := strings.LastIndexByte(address, ':')
	n, err := strconv.ParseUint(address[i+1:], 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}
