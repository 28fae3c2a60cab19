package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab"
)

// behind makes a second kernel behind the first, which becomes a router: a
// namespace at the other end of a veth pair. It returns the namespace as a
// file. It is to be called in the first one.
func (w *world) behind() int {
	t := w.t
	t.Helper()
	w.sysctl("net.ipv4.ip_forward", "1")
	w.sysctl("net.ipv6.conf.all.forwarding", "1")
	ns := -1
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine; the file keeps the namespace
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			ns, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
		made <- err
	}()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(ns), "netns")
	t.Cleanup(func() { f.Close() })
	cmd := w.command("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{f}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no veth pair can be made: %v: %s", err, out)
	}
	w.must("ip", "addr", "add", "10.78.0.1/24", "dev", "near")
	w.must("ip", "addr", "add", "fd78::1/64", "dev", "near", "nodad")
	w.must("ip", "link", "set", "near", "up")
	enter(t, ns, func() {
		w.must("ip", "addr", "add", "10.78.0.2/24", "dev", "far")
		w.must("ip", "addr", "add", "fd78::2/64", "dev", "far", "nodad")
		w.must("ip", "link", "set", "lo", "up")
		w.must("ip", "link", "set", "far", "up")
		w.must("ip", "route", "add", "default", "via", "10.78.0.1")
		w.must("ip", "-6", "route", "add", "default", "via", "fd78::1")
	})
	return ns
}

// A path shrinks under a connection: a router between the two has a narrower
// link from now on and says so (ICMP fragmentation needed, packet too big).
// Both ends make their segments smaller, and every byte arrives.
func TestPathShrinks(t *testing.T) {
	t.Parallel()
	families(t, setting{}, func(w *world, family int) {
		t := w.t
		far := w.behind()
		addr := netip.MustParseAddr([]string{"10.78.0.2", "fd78::2"}[family])
		var l net.Listener
		var err error
		enter(t, far, func() { l, err = net.Listen("tcp", netip.AddrPortFrom(addr, 0).String()) })
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		d := estab.Dialer{Host: w.host, Timeout: patience}
		c, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		k, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		e := ends{k.(*net.TCPConn), c.(*estab.Conn)}
		deadline(t, k, c)
		header := []int{40, 60}[family] + 12 // with timestamps
		if i, err := e.estab.Info(); err != nil || i.MSS != 1500-header {
			t.Errorf("at first the MSS is %d, %v", i.MSS, err)
		}
		warmUp(t, e)
		w.must("ip", "link", "set", "near", "mtu", "1300")   // on estab's way there
		w.must("ip", "link", "set", "estab0", "mtu", "1300") // and back
		exchange(t, e, 1<<20)
		if i, err := e.estab.Info(); err != nil || i.MSS != 1300-header {
			t.Errorf("in the end the MSS is %d, not %d, %v", i.MSS, 1300-header, err)
		}
		// A new connection to the same place knows of it.
		c2, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c2.Close()
		if i, err := c2.(*estab.Conn).Info(); err != nil || i.MSS != 1300-header {
			t.Errorf("a new connection's MSS is %d, not %d, %v", i.MSS, 1300-header, err)
		}
	})
}

// warmUp sends something each way.
func warmUp(t testing.TB, e ends) {
	t.Helper()
	out, in := make([]byte, 200_000), make([]byte, 200_000)
	for _, c := range [][2]net.Conn{{e.kernel, e.estab}, {e.estab, e.kernel}} {
		go c[0].Write(out)
		if _, err := io.ReadFull(c[1], in); err != nil {
			t.Fatal(err)
		}
	}
}

// A path shrinks and nobody says so: packets above 1300 bytes vanish. Both
// ends find out by themselves (the kernel if it is told to, RFC 4821).
func TestBlackHole(t *testing.T) {
	t.Parallel()
	s := setting{sysctls: map[string]string{"net.ipv4.tcp_mtu_probing": "1"}}
	both(t, s, func(w *world, e ends) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		warmUp(t, e)
		if err := w.wire.Set("mtu 1300", "mtu 1300"); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		exchange(t, e, 500_000)
		t.Logf("half a megabyte each way took %v", time.Since(start))
		if i, err := e.estab.Info(); err != nil || i.MSS > 1300-52 {
			t.Errorf("the MSS is %d, %v: %v", i.MSS, err, i)
		}
	})
}

// Small and large links: the MSS follows the MTU, both ways, and 16 MiB pass.
func TestMTUs(t *testing.T) {
	t.Parallel()
	for _, mtu := range []int{1280, 1281, 9000, 65535} {
		t.Run(fmt.Sprint(mtu), func(t *testing.T) {
			both(t, setting{mtu: mtu}, func(w *world, e ends) {
				t := w.t
				deadline(t, e.kernel, e.estab)
				exchange(t, e, 16<<20)
				header := 40
				if e.kernel.LocalAddr().(*net.TCPAddr).IP.To4() == nil {
					header = 60
				}
				want := mtu - header - 12
				if i, err := e.estab.Info(); err != nil || i.MSS != want {
					t.Errorf("the MSS is %d, not %d, %v", i.MSS, want, err)
				}
				if k := kernelInfo(t, e.kernel); int(k.Snd_mss) > want {
					t.Errorf("the kernel's MSS is %d, more than %d", k.Snd_mss, want)
				}
			})
		})
	}
}

// Nobody routes to where estab wants to: the router's ICMP error ends the
// attempt with the errno that Linux gives it.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	families(t, setting{}, func(w *world, family int) {
		w.behind()
		to := []string{"192.0.2.1:80", "[2001:db8::1]:80"}[family]
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		c, err := w.host.DialContext(ctx, "tcp", to)
		if err == nil {
			c.Close()
		}
		if !isUnreachable(err) {
			w.t.Errorf("%v", err)
		}
	})
}

func isUnreachable(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH)
}
