package kernel

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab"
	"estab/internal/netns"
	"estab/link"
	"estab/link/tun"
)

// The addresses of the wire: the kernel's and estab's.
var (
	kernelAddrs = []netip.Prefix{netip.MustParsePrefix("10.77.0.1/24"), netip.MustParsePrefix("fd77::1/64")}
	estabAddrs  = []netip.Prefix{netip.MustParsePrefix("10.77.0.2/24"), netip.MustParsePrefix("fd77::2/64")}
)

// patience bounds every wait; nothing is measured by it. It is long because a
// goroutine that is due may wait long for a processor where eight worlds share
// two of them.
const patience = 2 * time.Minute

// lifetime bounds a connection, a listener and a program: a test that hangs is
// to say where, before all tests together run out of time.
func lifetime() time.Duration {
	if long() {
		return 15 * time.Minute
	}
	return 5 * time.Minute
}

// long reports whether a test may take its time.
func long() bool { return os.Getenv("ESTAB_LONG") != "" && !testing.Short() }

// TestMain lets more tests run at a time than there are processors: they have
// a namespace each, and most of their time they wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("8")
	}
	os.Exit(m.Run())
}

// world is a kernel and an estab host at the two ends of a wire.
type world struct {
	t    *testing.T
	ns   int // the namespace, as a file
	dev  *tun.Device
	wire *link.Impaired // around the device
	host *estab.Host
}

// setting says what a world is made with.
type setting struct {
	cfg     estab.Config
	mtu     int
	impair  link.Impairment
	sysctls map[string]string // of the namespace: "net.ipv4.tcp_sack": "0"
}

// run makes a world for all of test t. f runs in the namespace; goroutines
// that it starts do not, see world.inside.
func run(t *testing.T, s setting, f func(w *world)) {
	t.Helper()
	netns.Test(t, func(t *testing.T) {
		dev, err := tun.Open(tun.Config{Name: "estab0", MTU: s.mtu, Addrs: kernelAddrs})
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, dev: dev}
		if w.ns, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(w.ns)
		for k, v := range s.sysctls {
			w.sysctl(k, v)
		}
		if w.wire, err = link.Impair(dev, s.impair); err != nil {
			t.Fatal(err)
		}
		cfg := s.cfg
		cfg.Links = []estab.LinkConfig{{Link: w.wire, Addrs: estabAddrs}}
		cfg.Routes = []estab.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0")}, {Dst: netip.MustParsePrefix("::/0")}}
		if w.host, err = estab.NewHost(cfg); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.host.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(w)
	})
}

// families runs f for IPv4 and for IPv6, each in a world of its own, at the same
// time as others.
func families(t *testing.T, s setting, f func(w *world, family int)) {
	t.Helper()
	for i, name := range []string{"ip4", "ip6"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, s, func(w *world) { f(w, i) })
		})
	}
}

// sysctl sets a variable of the namespace. A kernel that hasn't got it, or
// doesn't let us, skips the test.
func (w *world) sysctl(name, value string) {
	w.t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		w.t.Skipf("sysctl %s: %v", name, err)
	}
}

// inside runs f in a goroutine that is in the namespace, and waits for it.
func (w *world) inside(f func()) { enter(w.t, w.ns, f) }

// enter does that for any namespace.
func enter(t testing.TB, ns int, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// kernelDial is the DialContext of the kernel in the namespace. It may be
// called from any goroutine.
func (w *world) kernelDial(ctx context.Context, network, address string) (c net.Conn, err error) {
	w.inside(func() { c, err = (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address) })
	return c, err
}

// kernelListen listens in the kernel. It is to be called in the namespace.
func (w *world) kernelListen(family int) net.Listener {
	w.t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(context.Background(), "tcp", netip.AddrPortFrom(kernelAddrs[family].Addr(), 0).String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(lifetime())); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// estabListen listens in estab.
func (w *world) estabListen(family int) net.Listener {
	w.t.Helper()
	l, err := w.host.Listen("tcp", netip.AddrPortFrom(estabAddrs[family].Addr(), 0).String())
	if err == nil {
		err = l.(*estab.Listener).SetDeadline(time.Now().Add(lifetime()))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// ends is a connection between the two.
type ends struct {
	kernel *net.TCPConn
	estab  *estab.Conn
}

// The roles: who dials.
const (
	kernelDials = iota
	estabDials
)

var roles = []string{"kernel dials", "estab dials"}

// connect makes a connection. It is to be called in the namespace.
func (w *world) connect(family, role int) ends {
	w.t.Helper()
	e, err := w.tryConnect(family, role)
	if err != nil {
		w.t.Fatal(err)
	}
	limit := time.Now().Add(lifetime())
	if err := errors.Join(e.kernel.SetDeadline(limit), e.estab.SetDeadline(limit)); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		e.kernel.Close()
		e.estab.Close()
	})
	return e
}

func (w *world) tryConnect(family, role int) (e ends, err error) {
	l := w.estabListen(family)
	dial := w.kernelDial
	if role == estabDials {
		l, dial = w.kernelListen(family), w.host.DialContext
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dialled, err := dial(ctx, "tcp", l.Addr().String())
	if err != nil {
		return ends{}, err
	}
	other := <-accepted
	if other == nil {
		return ends{}, errors.New("nothing was accepted")
	}
	if role == estabDials {
		dialled, other = other, dialled
	}
	return ends{dialled.(*net.TCPConn), other.(*estab.Conn)}, nil
}

// both runs f for each family and each role.
func both(t *testing.T, s setting, f func(w *world, e ends)) {
	t.Helper()
	for role, name := range roles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			families(t, s, func(w *world, family int) { f(w, w.connect(family, role)) })
		})
	}
}

// eventually waits until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// command prepares a program in the namespace, or skips the test.
func (w *world) command(name string, args ...string) *exec.Cmd {
	w.t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if err != nil {
			path, err = exec.LookPath(dir + name)
		}
	}
	if err != nil {
		w.t.Skipf("%s is not installed", name)
	}
	return exec.Command(path, args...)
}

// must runs a program in the namespace and returns what it prints.
func (w *world) must(name string, args ...string) string {
	w.t.Helper()
	cmd := w.command(name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// noiseAndSums is a site that gives n bytes of noise, and says what the sum of
// what it is given is.
func noiseAndSums() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /noise/{n}", func(rw http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.PathValue("n"), 10, 64)
		rw.Header().Set("Content-Length", r.PathValue("n"))
		io.Copy(rw, noise(1, n))
	})
	mux.HandleFunc("PUT /sum", func(rw http.ResponseWriter, r *http.Request) {
		h := newDigest()
		io.Copy(h, r.Body)
		io.WriteString(rw, h.sum())
	})
	return mux
}
