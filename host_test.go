package estab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
	"estab/link"
)

// A connection carries bytes both ways over IPv4 and IPv6.
func TestEcho(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		for _, addr := range []string{addrB, "[" + addrB6 + "]"} {
			c, s := connect(t, a, listen(t, b, addr+":80"))
			mustWrite(t, c, "ping")
			mustRead(t, s, "ping")
			mustWrite(t, s, "pong")
			mustRead(t, c, "pong")
			if c.LocalAddr().String() != s.RemoteAddr().String() || c.RemoteAddr().String() != s.LocalAddr().String() {
				t.Errorf("%v-%v is %v-%v at the other end", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
			}
			c.Close()
			mustEOF(t, s)
			s.Close()
		}
	})
}

// More than any buffer holds arrives unharmed, in both directions at once, at
// several packet sizes.
func TestBulk(t *testing.T) {
	const size = 8 << 20
	for _, mtu := range []int{1280, 1500, 9000, 65535} {
		t.Run(fmt.Sprint(mtu), func(t *testing.T) {
			eachShards(t, func(t *testing.T, cfg estab.Config) {
				a, b := wired(t, cfg, link.PairOptions{MTU: mtu})
				c, s := connect(t, a, listen(t, b, addrB+":80"))
				var wg sync.WaitGroup
				for i, x := range []*estab.Conn{c, s} {
					out, in := pattern(byte(i), 0, size), byte(1-i)
					wg.Go(func() {
						if n, err := x.Write(out); n != size || err != nil {
							t.Errorf("Write: %d, %v", n, err)
						}
						if err := x.CloseWrite(); err != nil {
							t.Error(err)
						}
					})
					wg.Go(func() {
						got, err := io.ReadAll(x)
						if err != nil || len(got) != size || !isPattern(in, 0, got) {
							t.Errorf("Read: %d bytes, %v", len(got), err)
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// A host without links dials itself, by every name it has for itself.
func TestLoopback(t *testing.T) {
	eachShards(t, func(t *testing.T, cfg estab.Config) {
		h := newHost(t, cfg, nil)
		l := listen(t, h, ":0")
		port := l.Addr().(*net.TCPAddr).Port
		for _, host := range []string{"", "127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::]", "localhost"} {
			c, err := h.Dial("tcp", fmt.Sprintf("%s:%d", host, port))
			if err != nil {
				t.Errorf("%q: %v", host, err)
				continue
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, c, "self")
			mustRead(t, s, "self")
			c.Close()
			s.Close()
		}
	})
}

// A host with links reaches its own addresses there without the link.
func TestDialOwnAddress(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		h := network.Host("a").Stack()
		c, s := connect(t, h, listen(t, h, addrA+":80"))
		mustWrite(t, c, "self")
		mustRead(t, s, "self")
		if f := network.Conns(); len(f) != 0 {
			t.Errorf("on the link: %v", f)
		}
	})
}

// Many connections at once, each with its own bytes.
func TestManyConnections(t *testing.T) {
	eachShards(t, func(t *testing.T, cfg estab.Config) {
		a, b := wired(t, cfg, link.PairOptions{})
		l := listen(t, b, addrB+":80")
		go func() {
			for {
				s, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					io.Copy(s, s)
					s.Close()
				}()
			}
		}()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				c, err := a.Dial("tcp", addrB+":80")
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				want := pattern(byte(i), i, 20000)
				go func() {
					c.Write(want)
					c.(*estab.Conn).CloseWrite()
				}()
				got, err := io.ReadAll(c)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("connection %d: %d bytes, %v", i, len(got), err)
				}
			})
		}
		wg.Wait()
		l.Close()
	})
}

// A test that forgets every Close ends: the host owns no goroutine, and its
// timers hold nothing up.
func TestForgottenHost(t *testing.T) {
	eachShards(t, func(t *testing.T, cfg estab.Config) {
		a, b := wired(t, cfg, link.PairOptions{})
		c, s := connect(t, a, listen(t, b, addrB+":80"))
		mustWrite(t, c, "x")
		mustRead(t, s, "x")
		synctest.Wait()
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if i := bytes.Index(stacks, []byte("\nestab.(*")); i >= 0 {
			t.Errorf("a goroutine of the host's:\n%s", stacks[i:])
		}
	})
}

// A host that has carried much and is idle gives its buffers back.
func TestIdleHostGivesBuffersBack(t *testing.T) {
	eachShards(t, func(t *testing.T, cfg estab.Config) {
		a, b := wired(t, cfg, link.PairOptions{MTU: 9000})
		l := listen(t, b, addrB+":80")
		carry := func() {
			c, s := connect(t, a, l)
			go func() {
				c.Write(make([]byte, 8<<20))
				c.Close()
			}()
			io.Copy(io.Discard, s)
			s.Close()
			time.Sleep(5 * time.Minute)
		}
		heap := func() int {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC() // once more for what sync.Pools keep
			runtime.ReadMemStats(&m)
			return int(m.HeapAlloc)
		}
		before := heap()
		carry()
		if grown := heap() - before; grown > 512<<10 {
			t.Errorf("%d bytes are left", grown)
		}
		runtime.KeepAlive(a)
		runtime.KeepAlive(b)
	})
}

// Shutdown waits until the peer has acknowledged everything.
func TestShutdownDrains(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l := listen(t, b, addrB+":80")
		c, s := connect(t, a, l)
		const size = 50000
		if _, err := c.Write(pattern(1, 0, size)); err != nil {
			t.Fatal(err)
		}
		// An open connection is waited for.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Errorf("with an open connection: %v", err)
		}
		if _, err := a.Dial("tcp", addrB+":80"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Dial after Shutdown: %v", err)
		}
		if _, err := a.Listen("tcp", ":81"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Listen after Shutdown: %v", err)
		}
		c.Close()
		if err := a.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		a.Close()
		got, err := io.ReadAll(s)
		if err != nil || len(got) != size {
			t.Errorf("the peer read %d bytes, %v", len(got), err)
		}
	})
}

// Shutdown waits for a peer that reads late: what doesn't fit its window is
// still ours.
func TestShutdownWaitsForReader(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		c, s := connect(t, a, listen(t, b, addrB+":80"))
		c.Write(pattern(1, 0, 40000))
		c.Close()
		start := time.Now()
		go func() {
			time.Sleep(time.Minute)
			io.Copy(io.Discard, s)
		}()
		if err := a.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d < time.Minute {
			t.Errorf("Shutdown took %v only", d)
		}
	}, configure(func(c *estab.Config) { c.ReceiveBuffer, c.ReceiveBufferMax = 8192, 8192 }))
}

// Close unblocks every kind of call with net.ErrClosed and leaves no timer.
func TestHostCloseUnblocks(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l := listen(t, b, addrB+":80")
		c, _ := connect(t, a, l)
		al := listen(t, a, addrA+":80")
		var wg sync.WaitGroup
		blocked := func(what string, f func() error) {
			wg.Go(func() {
				if err := f(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		blocked("Read", func() error { _, err := c.Read(make([]byte, 1)); return err })
		blocked("Write", func() error { _, err := c.Write(make([]byte, 32<<20)); return err })
		blocked("second Write", func() error { _, err := c.Write(make([]byte, 32<<20)); return err })
		blocked("Accept", func() error { _, err := al.Accept(); return err })
		blocked("Dial", func() error { _, err := a.Dial("tcp", "10.0.0.77:80"); return err })
		blocked("Shutdown", func() error { return a.Shutdown(t.Context()) })
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if err := a.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		b.Close()
	})
}

// The peer of a host that is closed learns it.
func TestHostCloseResets(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		_, s := connect(t, a, listen(t, b, addrB+":80"))
		a.Close()
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
	})
}

// So does the peer of a connection that its user had closed before with
// something still to be sent; but not one who has acknowledged everything.
func TestHostCloseResetsWhatIsNotDelivered(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l := listen(t, b, addrB+":80")
		c, s := connect(t, a, l)
		c.Write(pattern(1, 0, 40000))
		c.Close()
		done, d := connect(t, a, l)
		done.Write(pattern(2, 0, 1000))
		done.Close()
		time.Sleep(time.Millisecond) // until everything has arrived
		a.Close()
		if n, err := io.Copy(io.Discard, s); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("half of it: %d bytes, %v", n, err)
		}
		if n, err := io.Copy(io.Discard, d); n != 1000 || err != nil {
			t.Errorf("all of it: %d bytes, %v", n, err)
		}
	}, configure(func(c *estab.Config) { c.ReceiveBuffer, c.ReceiveBufferMax = 8192, 8192 }))
}

// The netip twins of Dial and Listen.
func TestAddrPort(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		l, err := b.ListenTCP(netip.MustParseAddrPort(addrB + ":0"))
		if err != nil {
			t.Fatal(err)
		}
		at := l.Addr().(*net.TCPAddr).AddrPort()
		d := estab.Dialer{Host: a, LocalAddr: netip.MustParseAddrPort(addrA + ":1234")}
		c, err := d.DialTCP(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.LocalAddr().String(); got != addrA+":1234" {
			t.Errorf("local address %s", got)
		}
		if _, err := d.DialTCP(t.Context(), at); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("the same pair again: %v", err)
		}
	})
}

// Whoever gets a wrong configuration learns what is wrong with it.
func TestConfigErrors(t *testing.T) {
	la, _ := link.Pair(link.PairOptions{})
	for name, cfg := range map[string]estab.Config{
		"shards not a power of two": {Shards: 3},
		"no link":                   {Links: []estab.LinkConfig{{}}},
		"two links of one name":     {Links: []estab.LinkConfig{{Link: la, Name: "x"}, {Link: la, Name: "x"}}},
		"unknown congestion":        {Congestion: "vegas"},
		"route without a link":      {Routes: []estab.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Link: "nowhere"}}},
		"negative backlog":          {Backlog: -1},
		"bad address":               {Links: []estab.LinkConfig{{Link: la, Addrs: prefixes("0.0.0.0/8")}}},
	} {
		if _, err := estab.NewHost(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
