package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"estab/internal/netns"
)

// nsVar tells a process that it has a network namespace of its own, or why
// not.
const nsVar = "ESTAB_BENCH_NETNS"

// ownNamespace is what nsVar says there.
const ownNamespace = "own"

// inNamespace runs the program again, as root of a network namespace of its
// own: with the rights of root, or else in a user namespace. The child does
// everything; its exit status is returned. Where that isn't allowed, done is
// false and the rows of the kernel run on the machine's own loopback.
func inNamespace() (code int, done bool) {
	if os.Getenv(nsVar) != "" {
		if err := settle(); err != nil {
			os.Setenv(nsVar, err.Error())
		}
		return 0, false
	}
	runtime.LockOSThread() // the child dies with the thread that started it
	err := errors.New("no /proc/self/exe")
	for _, attr := range []*syscall.SysProcAttr{
		{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL},
		{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWUSER, Pdeathsig: syscall.SIGKILL,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}},
	} {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Args[0] = os.Args[0]
		cmd.Env = append(os.Environ(), nsVar+"="+ownNamespace)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = attr
		if err = cmd.Start(); err != nil {
			continue
		}
		cmd.Wait()
		return cmd.ProcessState.ExitCode(), true
	}
	os.Setenv(nsVar, "run as root, or allow user namespaces: "+err.Error())
	return 0, false
}

// settle brings the namespace's loopback up and lets ports be used again soon,
// as a busy host's administrator would.
func settle() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	for name, v := range map[string]string{"tcp_tw_reuse": "1", "ip_local_port_range": "1024 65535"} {
		// Where /proc is read-only the defaults have to do: dial goes round
		// several addresses anyway.
		os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(v), 0)
	}
	return nil
}

// noVeth is why there is no veth here, or "".
func noVeth() string {
	if s := os.Getenv(nsVar); s != ownNamespace {
		return s
	}
	return ""
}

// addrsPerWorld is over how many addresses of the server connections are
// spread, since each pair of addresses has but 64 k ports, which TIME-WAIT
// keeps for a minute.
const addrsPerWorld = 8

// kernelWorld is a listener of package net and addresses that reach it.
type kernelWorld struct {
	ln    net.Listener
	addrs []string
	next  atomic.Uint32
	end   func()
}

func newLoopback(wiring) (world, error) {
	ln, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	w := &kernelWorld{ln: ln, end: func() {}}
	w.reach("127.0.0.%d")
	return w, nil
}

func (w *kernelWorld) reach(format string) {
	port := w.ln.Addr().(*net.TCPAddr).Port
	for i := range addrsPerWorld {
		w.addrs = append(w.addrs, fmt.Sprintf(format+":%d", i+2, port))
	}
}

func (w *kernelWorld) dial() (net.Conn, error) {
	return net.Dial("tcp4", w.addrs[w.next.Add(1)%addrsPerWorld])
}
func (w *kernelWorld) listener() net.Listener { return w.ln }
func (w *kernelWorld) close()                 { w.ln.Close(); w.end() }

func vethNote(w wiring) string {
	if w.trusted {
		return fmt.Sprintf("Linux, veth to another network namespace, MTU %d, offloads on, package net", w.mtu)
	}
	return fmt.Sprintf("Linux, veth to another network namespace, MTU %d, offloads off: every packet crosses by itself, sums made and verified, package net", w.mtu)
}

var vethMu sync.Mutex
var veths int // made so far: their addresses are removed only a while after

// newVeth joins this namespace, in which the client lives, to another, in
// which the server listens.
func newVeth(w wiring) (world, error) {
	vethMu.Lock()
	defer vethMu.Unlock()
	veths++
	k := veths
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer here.Close()
	near, far := fmt.Sprintf("near%d", k), fmt.Sprintf("far%d", k)
	kw := &kernelWorld{}
	err = netns.Run(func() error {
		v := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: near, PeerNamespace: netlink.NsFd(int(here.Fd()))}
		v.Name, v.MTU = far, w.mtu
		if err := netlink.LinkAdd(v); err != nil {
			return fmt.Errorf("veth: %w", err)
		}
		var addrs []string
		for i := range addrsPerWorld {
			addrs = append(addrs, fmt.Sprintf("10.%d.%d.%d/24", 100+k/256, k%256, i+2))
		}
		if err := bringUp(far, w, addrs...); err != nil {
			return err
		}
		kw.ln, err = net.Listen("tcp4", "0.0.0.0:0")
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := bringUp(near, w, fmt.Sprintf("10.%d.%d.1/24", 100+k/256, k%256)); err != nil {
		kw.ln.Close()
		return nil, err
	}
	kw.reach(fmt.Sprintf("10.%d.%d.%%d", 100+k/256, k%256))
	kw.end = func() {
		if l, err := netlink.LinkByName(near); err == nil {
			netlink.LinkDel(l)
		}
	}
	return kw, nil
}

// bringUp configures one end of a veth in the namespace of this thread.
func bringUp(name string, w wiring, addrs ...string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("veth: %w", err)
	}
	if err := netlink.LinkSetMTU(l, w.mtu); err != nil {
		return fmt.Errorf("veth: MTU %d: %w", w.mtu, err)
	}
	for _, a := range addrs {
		p, err := netlink.ParseAddr(a)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(l, p); err != nil {
			return fmt.Errorf("veth: address %s: %w", a, err)
		}
	}
	if !w.trusted {
		e, err := ethtool.NewEthtool()
		if err != nil {
			return fmt.Errorf("veth: ethtool: %w", err)
		}
		defer e.Close()
		off := map[string]bool{}
		for _, f := range []string{"tx-checksum-ip-generic", "tx-generic-segmentation", "tx-tcp-segmentation", "tx-tcp6-segmentation", "rx-gro"} {
			off[f] = false
		}
		if err := e.Change(name, off); err != nil {
			return fmt.Errorf("veth: offloads off: %w", err)
		}
	}
	return netlink.LinkSetUp(l)
}

// maxFiles is how many files the process may have open.
func maxFiles() int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 1024
	}
	return int(min(l.Cur, 1<<30))
}
