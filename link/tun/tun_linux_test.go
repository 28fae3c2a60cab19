package tun

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"estab/internal/netns"
	"estab/link"
)

// inNamespace runs f with the kernel's network to itself, and skips the test
// where no device can be made.
func inNamespace(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	netns.Test(t, func(t *testing.T) {
		d, err := Open(Config{})
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		f(t)
	})
}

func mustOpen(t *testing.T, cfg Config) *Device {
	t.Helper()
	d, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

var addrs = []netip.Prefix{netip.MustParsePrefix("10.99.0.1/24"), netip.MustParsePrefix("fd99::1/64")}

// The kernel pings the other end, IPv4 and IPv6, from the smallest to the
// largest packet that fits.
func TestKernelPings(t *testing.T) {
	for _, mtu := range []int{0, 1280, 9000, 65535} {
		t.Run(fmt.Sprint("mtu ", mtu), func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				d := mustOpen(t, Config{Name: "estab%d", MTU: mtu, Addrs: addrs})
				if d.Name() != "estab0" {
					t.Errorf("the name is %q", d.Name())
				}
				want := mtu
				if mtu == 0 {
					want = 1500
				}
				if d.Caps().MTU != want {
					t.Errorf("the MTU is %d, want %d", d.Caps().MTU, want)
				}
				e := &echo{dev: d}
				if err := d.Attach(e); err != nil {
					t.Fatal(err)
				}
				p4 := newPinger(t, "ip4:icmp", "10.99.0.2")
				p6 := newPinger(t, "ip6:ipv6-icmp", "fd99::2")
				for i, size := range []int{1, 2, 56, 999, want - 48} {
					p4.ping(t, i, size)
					p6.ping(t, i, size)
				}
				p4.ping(t, 99, want-28) // IPv4 has the smaller header
				if s := d.Stats(); s.Out.Packets != 11 || s.Out.Dropped != 0 || s.In.Packets < 11 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// Bursts go through whole, in batches both ways.
func TestKernelPingsInBursts(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		d := mustOpen(t, Config{Addrs: addrs})
		if err := d.Attach(&echo{dev: d}); err != nil {
			t.Fatal(err)
		}
		p := newPinger(t, "ip4:icmp", "10.99.0.2")
		const bursts, size = 50, 100
		buf := make([]byte, 2000)
		for i := range bursts {
			for j := range size {
				if _, err := p.c.Write(p.request(i*size+j, 500)); err != nil {
					t.Fatal(err)
				}
			}
			for range size {
				if _, err := p.c.Read(buf); err != nil {
					t.Fatalf("burst %d: %v; %+v", i, err, d.Stats())
				}
			}
		}
		if s := d.Stats(); s.Out.Packets != bursts*size || s.Out.Dropped != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// An open device and a closed one leave nothing: no goroutine, no file, no
// interface.
func TestOpenCloseLeavesNothing(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		files := func() int {
			es, err := os.ReadDir("/proc/self/fd")
			if err != nil {
				t.Fatal(err)
			}
			return len(es)
		}
		n, g := files(), runtime.NumGoroutine()
		for i := range 100 {
			d, err := Open(Config{Addrs: addrs})
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			if i%4 != 0 {
				if err := d.Attach(&echo{dev: d}); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if m := files(); m > n {
			t.Errorf("%d files are open, %d before", m, n)
		}
		if h := runtime.NumGoroutine(); h > g {
			t.Errorf("%d goroutines, %d before", h, g)
		}
		ifs, err := net.Interfaces()
		if err != nil || len(ifs) != 1 {
			t.Errorf("interfaces: %v, %v", ifs, err)
		}
	})
}

// Close while the kernel sends and while we do.
func TestCloseUnderTraffic(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		for range 20 {
			d := mustOpen(t, Config{Addrs: addrs})
			e := &echo{dev: d, first: make(chan struct{})}
			if err := d.Attach(e); err != nil {
				t.Fatal(err)
			}
			p := newPinger(t, "ip4:icmp", "10.99.0.2")
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					for i := range 300 {
						if _, err := p.c.Write(p.request(i, 100)); err != nil {
							return // the route is gone
						}
					}
				})
			}
			<-e.first
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			e.mu.Lock()
			pings := e.pings
			e.mu.Unlock()
			wg.Wait()
			e.mu.Lock()
			if e.pings != pings {
				t.Error("packets were delivered after Close")
			}
			e.mu.Unlock()
			p.c.Close()
		}
	})
}

// While the interface is down the kernel refuses our packets, and they count
// as dropped; so do packets that are none.
func TestWriteErrorsAreCounted(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		d := mustOpen(t, Config{Addrs: addrs})
		send := func() {
			p := link.NewPacket(100)
			p.Append(make([]byte, 40)) // IP version 0
			var w link.Work
			if n := d.Enqueue(&w, []*link.Packet{p}); n != 1 {
				t.Fatalf("took %d", n)
			}
			w.Run()
		}
		send()
		if s := d.Stats().Out; s.Packets != 1 || s.Dropped != 1 {
			t.Errorf("no IP packet: %+v", s)
		}
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(s)
		ifr, err := unix.NewIfreq(d.Name())
		if err != nil {
			t.Fatal(err)
		}
		ifr.SetUint16(0)
		if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr); err != nil {
			t.Fatal(err)
		}
		send()
		if s := d.Stats().Out; s.Packets != 2 || s.Dropped != 2 {
			t.Errorf("interface down: %+v", s)
		}
	})
}

// What the kernel loses because nobody has emptied the device's queue is
// counted, also after Close; what another program lost before is not ours.
func TestFullQueueIsCounted(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		d := mustOpen(t, Config{Addrs: addrs[:1]})
		p := newPinger(t, "ip4:icmp", "10.99.0.2")
		const queue, over = 500, 77 // the kernel's TUN_READQ_SIZE, and more
		for i := range queue + over {
			if _, err := p.c.Write(p.request(i, 100)); err != nil {
				t.Fatal(err)
			}
		}
		lost := d.Stats().In.Dropped
		if lost < over || lost > over+10 { // the kernel may have had something to say of its own
			t.Errorf("%d of %d packets are counted as lost", lost, over)
		}
		other, err := newLostCounter(d.dev.(*file).miss.index)
		if err != nil {
			t.Fatal(err)
		}
		if n := other.read(); n != 0 {
			t.Errorf("a device that is opened now begins with %d", n)
		}
		other.close()
		rest := make(countdown, queue+over+10)
		if err := d.Attach(rest); err != nil {
			t.Fatal(err)
		}
		for range queue + over - int(lost) {
			<-rest
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if s := d.Stats().In; s.Dropped < lost || s.Dropped > lost+10 || s.Packets < queue+over || s.Packets > queue+over+10 {
			t.Errorf("in the end %+v; %d were lost", s, lost)
		}
	})
}

// countdown is a receiver that throws packets away and says so.
type countdown chan struct{}

func (c countdown) Deliver(_ *link.Work, pkts []*link.Packet) {
	for range pkts {
		c <- struct{}{}
	}
}

func (c countdown) Writable(*link.Work) {}

// A device that somebody with more rights has made and set up is opened as it
// is: what it has is neither added nor changed.
func TestOpenWhatIsSetUp(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		d := mustOpen(t, Config{MTU: 1400, Addrs: addrs})
		missing, err := missingAddrs(d.dev.(*file).miss.index, append(addrs, netip.MustParsePrefix("10.99.0.1/16")))
		if err != nil || len(missing) != 1 || missing[0].Bits() != 16 {
			t.Errorf("missing: %v, %v", missing, err)
		}
	})
}

// Somebody deletes the interface under us.
func TestInterfaceDeleted(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		d := mustOpen(t, Config{Addrs: addrs})
		if err := d.Attach(&echo{dev: d}); err != nil {
			t.Fatal(err)
		}
		ifi, err := net.InterfaceByName(d.Name())
		if err != nil {
			t.Fatal(err)
		}
		s, err := dialNetlink()
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(s)
		msg := append(header(unix.RTM_DELLINK, 0), make([]byte, unix.SizeofIfInfomsg)...)
		binary.NativeEndian.PutUint32(msg[unix.SizeofNlMsghdr+4:], uint32(ifi.Index))
		if err := request(s, 1, msg); err != nil {
			t.Fatal(err)
		}
		<-d.done
		if err := d.Err(); err == nil || errors.Is(err, net.ErrClosed) {
			t.Errorf("Err is %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		d := mustOpen(t, Config{Name: "mine"})
		for _, c := range []struct {
			cfg  Config
			want string
		}{
			{Config{Name: "sixteen-bytes-xx"}, `tun: interface "sixteen-bytes-xx": the name must have at most 15 bytes`},
			{Config{Name: d.Name()}, `tun: interface "mine": device or resource busy: another program has it open`},
			{Config{Name: "lo"}, `tun: interface "lo": invalid argument: the name is not valid, or an interface that is not a TUN device has it`},
			{Config{Name: "a/b"}, `tun: interface "a/b": invalid argument: the name is not valid, or an interface that is not a TUN device has it`},
		} {
			if _, err := Open(c.cfg); err == nil || err.Error() != c.want {
				t.Errorf("%+v:\n got %v\nwant %s", c.cfg, err, c.want)
			}
		}
	})
}

// Errors say what to do.
func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{openError(unix.EACCES), "tun: open /dev/net/tun: permission denied: run as root, or let everybody open it: chmod 0666 /dev/net/tun"},
		{openError(unix.EPERM), "tun: open /dev/net/tun: operation not permitted: this container may not: start it with --device /dev/net/tun --cap-add NET_ADMIN"},
		{openError(unix.ENOENT), "tun: open /dev/net/tun: no such file or directory: make it: mkdir -p /dev/net && mknod /dev/net/tun c 10 200"},
		{openError(unix.ENODEV), "tun: open /dev/net/tun: no such device: load the module: modprobe tun"},
		{openError(unix.EMFILE), "tun: open /dev/net/tun: too many open files"},
		{attachError("", unix.EPERM), `tun: interface "tun%d": operation not permitted: run as root (CAP_NET_ADMIN), or in a namespace of your own: unshare -Urn`},
		{configError("tun0", fmt.Errorf("add address fd00::1/64: %w", unix.EACCES)),
			`tun: interface "tun0": add address fd00::1/64: permission denied: is IPv6 disabled? see: sysctl net.ipv6.conf.all.disable_ipv6`},
	} {
		if c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}
