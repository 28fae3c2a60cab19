package estab_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
)

// A listener's deadline ends Accepts that wait and those to come.
func TestAcceptDeadline(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		h := network.Host("a").Stack()
		l := listen(t, h, addrA+":80")
		start := time.Now()
		l.SetDeadline(start.Add(time.Second))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Accept: %v", err)
				}
				if d := time.Since(start); d != time.Second {
					t.Errorf("after %v", d)
				}
			})
		}
		wg.Wait()
		l.SetDeadline(time.Time{})
		connect(t, network.Host("b").Stack(), l)
	})
}

// Close unblocks Accept, resets what nobody has accepted, and frees the port.
func TestListenerClose(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l := listen(t, b, addrB+":80")
		c, err := a.Dial("tcp", addrB+":80")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // until it waits to be accepted
		l.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("unaccepted: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		if _, err := a.Dial("tcp", addrB+":80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial: %v", err)
		}
		l = listen(t, b, addrB+":80")
		connect(t, a, l)
	})
}

// Which listening sockets get in each other's way.
func TestListenConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			net1, addr1, net2, addr2 string
			conflict                 bool
		}{
			{"tcp", ":80", "tcp", ":80", true},
			{"tcp", ":80", "tcp", ":81", false},
			{"tcp", ":80", "tcp", addrA + ":80", true},
			{"tcp", addrA + ":80", "tcp", ":80", true},
			{"tcp", addrA + ":80", "tcp", "127.0.0.1:80", false},
			{"tcp", addrA + ":80", "tcp4", ":80", true},
			{"tcp4", ":80", "tcp6", ":80", false},
			{"tcp4", ":80", "tcp", "[" + addrA6 + "]:80", false},
			{"tcp6", ":80", "tcp", "[" + addrA6 + "]:80", true},
			{"tcp", "[::]:80", "tcp4", ":80", true},
		} {
			h := estabtest.New(t).Host("a")
			if _, err := h.Listen(test.net1, test.addr1); err != nil {
				t.Fatal(err)
			}
			_, err := h.Listen(test.net2, test.addr2)
			if got := errors.Is(err, syscall.EADDRINUSE); got != test.conflict {
				t.Errorf("%+v: %v", test, err)
			}
		}
	})
}

// A listener on one family doesn't take the other's connections.
func TestListenFamily(t *testing.T) {
	eachShards(t, func(t *testing.T, cfg estab.Config) {
		h := newHost(t, cfg, nil)
		for network, accepts := range map[string][2]bool{"tcp4": {true, false}, "tcp6": {false, true}, "tcp": {true, true}} {
			l, err := h.Listen(network, ":0")
			if err != nil {
				t.Fatal(err)
			}
			port := uint16(l.Addr().(*net.TCPAddr).Port)
			for i, a := range []string{"127.0.0.1", "::1"} {
				c, err := h.DialTCP(t.Context(), netip.AddrPortFrom(netip.MustParseAddr(a), port))
				if (err == nil) != accepts[i] {
					t.Errorf("%s: %s: %v", network, a, err)
				}
				if err == nil {
					c.Close()
				}
			}
			l.Close()
		}
	})
}

// A full accept queue delays a client, it doesn't lose or refuse it; the
// connection completes when there is room.
func TestBacklog(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		lc := estab.ListenConfig{Host: b, Backlog: 2}
		l, err := lc.ListenTCP(netip.MustParseAddrPort(addrB + ":80"))
		if err != nil {
			t.Fatal(err)
		}
		const clients = 6
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				c, err := a.Dial("tcp", addrB+":80")
				if err != nil {
					t.Error(err)
					return
				}
				mustRead(t, c, "hello")
			})
		}
		synctest.Wait()
		for range clients {
			time.Sleep(100 * time.Millisecond)
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, s, "hello")
			s.Close()
		}
		wg.Wait()
	})
}

// Dial gives up after 127 s, as Linux does, or when its context, Timeout or
// Deadline says so; it can be cancelled.
func TestDialTimeouts(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		h := network.Host("a").Stack() // b, which isn't there, is silent
		dial := func(ctx context.Context, d estab.Dialer) (time.Duration, error) {
			start := time.Now()
			d.Host = h
			_, err := d.DialContext(ctx, "tcp", addrB+":80")
			return time.Since(start), err
		}
		short, stop := context.WithTimeout(t.Context(), 4*time.Second)
		defer stop()
		cancelled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(6*time.Second, cancel)
		for _, test := range []struct {
			ctx    context.Context
			dialer estab.Dialer
			took   time.Duration
			is     error
		}{
			{short, estab.Dialer{}, 4 * time.Second, context.DeadlineExceeded},
			{cancelled, estab.Dialer{}, 2 * time.Second, context.Canceled},
			{context.Background(), estab.Dialer{}, 127 * time.Second, syscall.ETIMEDOUT},
			{context.Background(), estab.Dialer{Timeout: 3 * time.Second}, 3 * time.Second, context.DeadlineExceeded},
			{context.Background(), estab.Dialer{Deadline: time.Now().Add(time.Hour)}, 127 * time.Second, syscall.ETIMEDOUT},
			{context.Background(), estab.Dialer{Deadline: time.Now()}, 0, context.DeadlineExceeded},
		} {
			took, err := dial(test.ctx, test.dialer)
			if took != test.took || !errors.Is(err, test.is) {
				t.Errorf("after %v: %v; want %v after %v", took, err, test.is, test.took)
			}
		}
	})
}

// resolver is a Resolver of one name.
type resolver map[string][]netip.Addr

func (r resolver) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	if addrs, ok := r[host]; ok {
		return addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// Names are resolved by the configured resolver only, and the addresses tried
// in turn, those without a route last.
func TestResolver(t *testing.T) {
	var _ estab.Resolver = net.DefaultResolver
	synctest.Test(t, func(t *testing.T) {
		a, b := twoHosts(estabtest.New(t, estabtest.Configure(func(host string, c *estab.Config) {
			c.Routes, c.Resolver = nil, nil
			if host == "a" {
				c.Resolver = resolver{"b.test": {
					netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr(addrB6), netip.MustParseAddr(addrB),
				}}
			}
		})))
		listen(t, b, addrB+":80")
		c, err := a.Dial("tcp", "b.test:80") // addrB6 refuses
		if err != nil {
			t.Fatal(err)
		}
		if got := c.RemoteAddr().String(); got != addrB+":80" {
			t.Errorf("connected to %s", got)
		}
		var dns *net.DNSError
		if _, err := a.Dial("tcp", "c.test:80"); !errors.As(err, &dns) {
			t.Errorf("unknown name: %v", err)
		}
		if _, err := b.Dial("tcp", "b.test:80"); !errors.As(err, &dns) {
			t.Errorf("without a resolver: %v", err)
		}
		if _, err := a.Dial("tcp6", addrB+":80"); err == nil {
			t.Error("tcp6 took an IPv4 address")
		}
		if _, err := a.Dial("udp", addrB+":80"); !errors.As(err, new(net.UnknownNetworkError)) {
			t.Errorf("udp: %v", err)
		}
		for _, bad := range []string{"", "10.0.0.2", "10.0.0.2:http", "10.0.0.2:99999", "[::1:80"} {
			if _, err := a.Dial("tcp", bad); err == nil {
				t.Errorf("%q: no error", bad)
			}
		}
	})
}

// Who opens and closes many connections to one server doesn't run out of ports:
// those in TIME-WAIT can be used again after a moment.
func TestPortsComeRound(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l := listen(t, b, addrB+":80")
		for i := range 100 {
			c, err := a.Dial("tcp", addrB+":80")
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if _, err := s.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("connection %d: %v", i, err)
			}
			s.Close()
		}
	}, estabtest.Link{Delay: time.Millisecond}, configure(func(c *estab.Config) { c.PortFirst, c.PortLast = 40000, 40015 }))
}

// All ports can be used, and when they are, Dial says so and doesn't spin.
func TestPortsExhausted(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l := listen(t, b, addrB+":80")
		seen := make(map[string]bool)
		for range 100 {
			c, _ := connect(t, a, l)
			seen[c.LocalAddr().String()] = true
		}
		if len(seen) != 100 {
			t.Errorf("%d ports used", len(seen))
		}
		if _, err := a.Dial("tcp", addrB+":80"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("with no port left: %v", err)
		}
	}, configure(func(c *estab.Config) { c.PortFirst, c.PortLast = 40000, 40099 }))
}
