package script

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"estab/tcp"
)

// setting is what a script is played with: what its option lines, its commands
// and the caller's Options say.
type setting struct {
	face      face
	family    Family
	tcp       tcp.Config
	mtu       int // 0: the face's
	tolerance time.Duration
	percent   float64       // of the time since the event before, if that is more
	lookAhead time.Duration // how far to look for what did not happen
	anyAhead  time.Duration // the same for what may happen at any time
	real      bool          // played against a machine, in real time
	instant   time.Duration // what leaves within it leaves at once
	match     matchMode
	whole     bool // a stated segment is one segment on the wire (--strict_segments)
	noTSO     bool // Linux was told to send no segment larger than a packet

	bindPort, connectPort uint16
	local, remote         string // addresses, if stated

	recvBuf, sendBuf int // what getsockopt says before anything was set
	keep             tcp.KeepAlive
	notSentLowat     int64
}

// onMachine makes of a setting for the engine one for a machine: its sockets are
// Linux's whatever the script was written for, and its clock is the computer's.
func (x *setting) onMachine() {
	x.face = faceLinux
	x.lookAhead, x.anyAhead = realLookAhead, anyLookAhead
	if x.tolerance == 0 {
		x.tolerance = packetdrillTolerance
	}
	x.instant = x.tolerance
	x.match.strict, x.match.tsTick = false, 0
}

// packetdrillTolerance is the tolerance of a script that states none.
const packetdrillTolerance = 4 * time.Millisecond

// newSetting reads the option lines of a script. The error says which of them
// asks for something that estab has no match for.
func newSetting(s *Script, o *Options, f face) (*setting, *Error) {
	x := &setting{face: f, tcp: o.TCP, tolerance: o.Tolerance, bindPort: 8080, connectPort: 8080, lookAhead: time.Hour, anyAhead: time.Hour}
	x.match.loose, x.match.strict = o.Loose, o.Strict
	if x.tolerance == 0 && !o.Strict {
		x.tolerance = packetdrillTolerance
	}
	if o.Strict {
		x.match.tsTick = int64(time.Millisecond)
	}
	for _, opt := range s.Options() {
		if reason := x.option(opt.Name, opt.Value); reason != "" {
			return nil, s.Errorf(NotSupported, opt.Pos, "the option --%s: %s", opt.Name, reason)
		}
	}
	if o.Override != nil {
		x.tolerance = *o.Override
	}
	x.match.tsSlop = int64(x.tolerance)
	x.defaults()
	return x, nil
}

// defaults are those of the system whose sockets the script expects. What the
// caller has set stays.
func (x *setting) defaults() {
	switch x.face {
	case faceLinux:
		x.recvMemory(131072, 6291456)
		x.sendMemory(16384, 4194304)
	case faceFreeBSD:
		x.recvBuf, x.sendBuf = 65536, 32768
		x.tcp.ReceiveBuffer, x.tcp.ReceiveBufferMax = 65536, 2097152
		x.tcp.SendBuffer, x.tcp.SendBufferMax = 32768, 2097152
	default:
		x.recvBuf, x.sendBuf = orDefault(x.tcp.ReceiveBuffer, 64<<10), orDefault(x.tcp.SendBuffer, 64<<10)
	}
	x.notSentLowat = -1
}

func orDefault(n, d int) int {
	if n == 0 {
		return d
	}
	return n
}

// recvMemory is Linux's tcp_rmem: about half of what a socket may hold is
// text, the rest is what surrounds it.
func (x *setting) recvMemory(initial, most int) {
	x.recvBuf = initial
	x.tcp.ReceiveBuffer, x.tcp.ReceiveBufferMax = initial/2, most
}

func (x *setting) sendMemory(initial, most int) {
	x.sendBuf = initial
	x.tcp.SendBuffer, x.tcp.SendBufferMax = max(initial, 64<<10), most
}

// slowStartAfterIdle says whether a sender that was silent for longer than an
// RTO begins again with a small window (RFC 5681 §4.1).
func (x *setting) slowStartAfterIdle(on bool) { x.tcp.NoIdleRestart = !on }

// option takes one option line; reason says why it can't be obeyed.
func (x *setting) option(name, value string) (reason string) {
	n, err := strconv.ParseInt(value, 10, 64)
	port := func(p *uint16) string {
		if err != nil || n < 1 || n > 65535 {
			return "a port is a number from 1 to 65535"
		}
		*p = uint16(n)
		return ""
	}
	switch name {
	case "ip_version":
		if _, ok := ParseFamily(value); !ok {
			return "the families are ipv4, ipv6 and ipv4-mapped-ipv6"
		}
	case "tolerance_usecs":
		if err != nil || n < 0 || n > 1e12 {
			return "a number of microseconds is wanted"
		}
		x.tolerance = time.Duration(n) * time.Microsecond
	case "tolerance_percent":
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || !(f >= 0 && f <= 1000) {
			return "a percentage is wanted"
		}
		x.percent = f
	case "tcp_ts_tick_usecs":
		if err != nil || n < 0 || n > 1e9 {
			return "a number of microseconds is wanted"
		}
		x.match.tsTick = n * 1000
	case "mtu":
		if err != nil || n < 576 || n > maxPacket {
			return "an MTU is a number from 576 to 65535"
		}
		x.mtu = int(n)
	case "bind_port":
		return port(&x.bindPort)
	case "connect_port":
		return port(&x.connectPort)
	case "local_ip":
		x.local = value
	case "remote_ip":
		x.remote = value
	case "strict_segments":
		x.whole = true
	case "gateway_ip", "netmask_ip", "speed", "tcp_ts_ecr_scaled", "verbose", "debug", "send_omit_free",
		"mss", "persistent_tun_dev", "tun_dev", "v", "d":
		// Nothing here depends on it.
	case "dry_run", "wire_client", "wire_server", "so_filename", "init_scripts", "udp_encaps", "is_anyip":
		return "estab plays scripts in virtual time, on its own stack"
	case "define", "D":
		return "names are defined by the caller"
	default:
		return "it is not known here"
	}
	return ""
}

// addresses are the host's own and the script's, each with its network: those
// of packetdrill and of the harness of google's suite.
func (x *setting) addresses() (local, remote netip.Prefix, err error) {
	l, r := "192.168.0.1/16", "192.0.2.1/24"
	if x.family == IPv6 {
		l, r = "fd3d:a0b:17d6::1/48", "fd3d:fa7b:d17d::1/48"
	}
	for _, a := range []struct {
		stated string
		use    *string
	}{{x.local, &l}, {x.remote, &r}} {
		addr, _, _ := strings.Cut(a.stated, "/")
		if p, err := netip.ParseAddr(addr); err == nil && p.Is4() != (x.family == IPv6) {
			_, bits, _ := strings.Cut(*a.use, "/")
			*a.use = addr + "/" + bits
		}
	}
	if local, err = netip.ParsePrefix(l); err == nil {
		remote, err = netip.ParsePrefix(r)
	}
	return local, remote, err
}

// linkMTU is 1500, but for google's scripts over IPv6: they are written so
// that the segment size is that of IPv4, and their harness widens the link by
// the larger header.
func (x *setting) linkMTU() int {
	switch {
	case x.mtu != 0:
		return x.mtu
	case x.family == IPv6 && x.face != faceFreeBSD:
		return 1520
	}
	return 1500
}

// roundBuffer makes of FreeBSD's receive buffer what that system makes of it
// when a handshake has told the size of segments: whole segments. Its window
// is then larger than a header without a scale can say.
func (x *setting) roundBuffer() {
	if x.face == faceFreeBSD {
		mss := x.linkMTU() - x.family.headers()
		x.tcp.ReceiveBuffer = (x.tcp.ReceiveBuffer + mss - 1) / mss * mss
	}
}

// headers is the length of the headers of IP and TCP without options.
func (f Family) headers() int {
	if f == IPv6 {
		return 60
	}
	return 40
}

// faceOf finds out whose script it is, from the commands and branches in it.
func faceOf(s *Script) face {
	f := faceEstab
	var visit func(items []Item)
	visit = func(items []Item) {
		for _, it := range items {
			switch it := it.(type) {
			case *Conditional:
				if it.Name == "STANDARD" || it.Name == "FreeBSD" {
					f = faceFreeBSD
				}
				visit(it.Then)
				visit(it.Else)
			case *Event:
				c, ok := it.Action.(*Command)
				if !ok || f == faceFreeBSD {
					continue
				}
				text := strings.ReplaceAll(c.Text, "/", ".")
				switch {
				case containsAny(text, "net.inet.", "net.inet6.", "kern.ipc.", "sockstat", "tcpdrop"):
					f = faceFreeBSD
				case containsAny(text, "defaults.sh", "set_sysctls.py", "net.ipv4", "net.core", "sysctl_restore"):
					f = faceLinux
				}
			}
		}
	}
	visit(s.Items)
	return f
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// hasBranch reports whether a script has an #ifdef of that name.
func hasBranch(items []Item, name string) bool {
	for _, it := range items {
		if c, ok := it.(*Conditional); ok && (c.Name == name || hasBranch(c.Then, name) || hasBranch(c.Else, name)) {
			return true
		}
	}
	return false
}
