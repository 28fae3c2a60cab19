package kernel

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"estab/internal/netns"
	"estab/link"
	"estab/link/tun"
	"estab/script"
)

// machine is the kernel in a namespace. All but its caller belongs to the thread
// that is in the namespace.
type machine struct {
	dev   *tun.Device
	index int // of the interface
	wire  *sniffer
	work  link.Work
	calls *caller
	socks map[int]bool // of the script, open
	cc    string       // congestion control for new sockets, if the namespace may not have it by default
	begun time.Time
	queue []script.Happening

	local, remote netip.Addr
	out           [1]*link.Packet // scratch: a packet on its way in
}

// deviceName is what packetdrill's scripts call the device.
const deviceName = "tun0"

// Run is a script.Options.Machine: it makes a machine, calls use with it, and
// gives it up. The error says what is missing: a right, a file, a module.
func Run(c script.MachineConfig, use func(script.Machine) error) error {
	inside := false
	err := netns.Run(func() error {
		inside = true
		defer realTime()()
		m, err := open(c)
		if err != nil {
			return err
		}
		defer m.close()
		if err := use(m); err != nil {
			return err
		}
		return m.wire.lost()
	})
	if err != nil && !inside {
		return noNamespace(err)
	}
	return err
}

// noNamespace says what to do about a namespace that can't be made.
func noNamespace(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("a network namespace can't be made: %w: run as root (CAP_SYS_ADMIN), or allow user namespaces", unix.EPERM)
	case errors.Is(err, unix.ENOSPC):
		return errors.New("a network namespace can't be made: there are as many as there may be: sysctl user.max_net_namespaces")
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return errors.New("a network namespace can't be made: this kernel was built without them (CONFIG_NET_NS)")
	}
	return err
}

// Prepare readies this process for playing jobs scripts at once, and returns what
// undoes that. A thread that returns from a system call needs a processor of Go's
// at once, and must not wait for the collector of garbage, whose threads wait for
// their turn on a busy computer.
func Prepare(jobs int) (undo func()) {
	procs := runtime.GOMAXPROCS(0)
	if n := 2*jobs + 4; n > procs {
		runtime.GOMAXPROCS(n)
	}
	percent := debug.SetGCPercent(gcPercent)
	return func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
	}
}

// gcPercent lets the heap grow to some 100 MB before there is anything to collect.
const gcPercent = 2500

// Allowed tries whether a machine can be made, and says why not. The error
// wraps unix.EPERM where a user namespace might help.
func Allowed() error {
	return Run(script.MachineConfig{
		Local: netip.MustParsePrefix("192.168.0.1/16"), Remote: netip.MustParsePrefix("192.0.2.1/24"), MTU: 1500,
	}, func(script.Machine) error { return nil })
}

// open makes the device and what listens to it.
func open(c script.MachineConfig) (*machine, error) {
	// A script's packets may be larger than the MTU, but a device takes none that
	// are larger than the MTU it was opened with: that comes afterwards.
	dev, err := tun.Open(tun.Config{Name: deviceName, MTU: link.MaxPacket, Addrs: []netip.Prefix{both(c.Local.Addr(), c.Remote.Addr())}})
	if err != nil {
		return nil, err
	}
	m := &machine{dev: dev, socks: map[int]bool{}, local: c.Local.Addr(), remote: c.Remote.Addr()}
	if err := m.setUp(c); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *machine) setUp(c script.MachineConfig) (err error) {
	if m.index, err = configure(deviceName, c.MTU); err != nil {
		return err
	}
	if m.wire, err = sniff(m.index, c.Local.Addr(), c.Remote.Addr()); err != nil {
		return err
	}
	if m.calls, err = newCaller(m.Now); err != nil {
		return err
	}
	return m.dev.Attach(drop{})
}

// both is the local address with a prefix that holds the remote one too, so that
// packets for it go to the device.
func both(local, remote netip.Addr) netip.Prefix {
	a, b := local.AsSlice(), remote.AsSlice()
	n := 0
	for i := range min(len(a), len(b)) {
		if x := a[i] ^ b[i]; x != 0 {
			n += bits.LeadingZeros8(x)
			break
		}
		n += 8
	}
	return netip.PrefixFrom(local, n)
}

// drop is who reads the device: the kernel must get rid of its packets, which the
// sniffer has seen before.
type drop struct{}

func (drop) Deliver(*link.Work, []*link.Packet) {}

// Writable is part of link.Receiver.
func (drop) Writable(*link.Work) {}

// close ends whatever the script has left open, and then the device.
func (m *machine) close() {
	for fd := range m.socks {
		unix.Shutdown(fd, unix.SHUT_RDWR)
	}
	if m.calls != nil {
		m.calls.stop()
	}
	for fd := range m.socks {
		// An orphan would keep the namespace alive until it has given up.
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		unix.Close(fd)
	}
	m.Set("net.ipv4.tcp_orphan_retries", "1") // what the script itself has orphaned
	m.Set("net.ipv4.tcp_fin_timeout", "1")
	if m.wire != nil {
		m.wire.close()
	}
	m.dev.Close()
}

// Now is part of script.Machine. A script begins late between two ticks of the
// kernel's coarse clock, by which TCP sets its timers: they go off at the tick
// after the one that is due. So what scripts state for kernels with a finer tick
// is not missed by a whole one.
func (m *machine) Now() time.Duration {
	if m.begun.IsZero() {
		m.begun = awaitTick()
	}
	return time.Since(m.begun)
}

// awaitTick waits for the coarse clock to tick, some milliseconds, and returns a
// time three quarters on the way to the next.
func awaitTick() time.Time {
	var res, first, now unix.Timespec
	if unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &res) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &first) != nil {
		return time.Now()
	}
	tick := time.Duration(res.Nano())
	for end := time.Now().Add(2 * tick); time.Now().Before(end); {
		if unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &now) != nil || now != first {
			break
		}
	}
	return time.Now().Add(tick * 3 / 4)
}

// Inject is part of script.Machine.
func (m *machine) Inject(packet []byte) error {
	p := m.out[0]
	if p == nil || p.Cap() < len(packet) {
		p = link.NewPacket(link.MaxPacket)
	}
	copy(p.Resize(len(packet)), packet)
	m.out[0] = p
	dropped := m.dev.Stats().Out.Dropped
	m.dev.Enqueue(&m.work, m.out[:])
	m.work.Run()
	if m.dev.Stats().Out.Dropped != dropped {
		return errors.New("the device did not take a packet")
	}
	m.calls.letEnd()
	return m.dev.Err()
}

// Wait is part of script.Machine.
func (m *machine) Wait(until time.Duration) (h script.Happening, ok bool, err error) {
	fds := [...]unix.PollFd{{Fd: int32(m.wire.fd), Events: unix.POLLIN}, {Fd: int32(m.calls.ended), Events: unix.POLLIN}}
	for {
		if len(m.queue) > 0 {
			h, m.queue = m.queue[0], m.queue[1:]
			return h, true, nil
		}
		left := until - m.Now()
		timeout := unix.NsecToTimespec(int64(max(left, 0)))
		if _, err := unix.Ppoll(fds[:], &timeout, nil); err != nil && err != unix.EINTR {
			return h, false, fmt.Errorf("poll: %w", err)
		}
		if m.queue, err = m.wire.read(m.queue, m.begun); err != nil {
			return h, false, err
		}
		if c := m.calls.finished(); c != nil {
			m.settle(c)
			m.queue = append(m.queue, script.Happening{At: c.Ended, Ended: c})
		}
		if len(m.queue) == 0 && left <= 0 {
			return h, false, nil
		}
	}
}

// Set is part of script.Machine.
func (m *machine) Set(name, value string) error {
	if !strings.HasPrefix(name, "net.") || strings.Contains(name, "..") || strings.Contains(name, "/") {
		return fmt.Errorf("%s: not a setting of the network", name)
	}
	// The file is that of the thread's namespace.
	f, err := os.OpenFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	if name == congestionControl {
		// Only root's own namespace may make a restricted algorithm the default; but
		// who administers a namespace may use it in each socket (tcp(7)).
		m.cc = ""
		if errors.Is(err, unix.EPERM) && m.hasCongestionControl(value) {
			m.cc, err = value, nil
		}
	}
	return errors.Join(err, f.Close())
}

const congestionControl = "net.ipv4.tcp_congestion_control"

func (m *machine) hasCongestionControl(name string) bool {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
	return err == nil && slices.Contains(strings.Fields(string(b)), name)
}

// Queue is part of script.Machine.
func (m *machine) Queue(kind string) error { return setQueue(m.index, kind) }

// Offload is part of script.Machine. The device has no TSO: what TCP hands over in
// one piece the kernel cuts up before the sniffer sees it.
func (m *machine) Offload(feature string, on bool) error {
	if feature == "gso" {
		return setGSO(deviceName, on)
	}
	return nil
}
