package estab_test

import (
	"errors"
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

// Clients that connect and then say nothing cost little: at most 2 KiB each,
// both their ends together counted for one.
func TestIdleConnectionsAreSmall(t *testing.T) {
	const n = 10000
	synctest.Test(t, func(t *testing.T) {
		a, b := wired(t, estab.Config{KeepAlive: -1}, link.PairOptions{})
		l := listen(t, b, addrB+":80")
		connect(t, a, l) // what all connections share
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := heap()
		conns := make([]net.Conn, 0, 2*n)
		for range n {
			c, s := connect(t, a, l)
			conns = append(conns, c, s)
		}
		each := (heap() - before) / n
		t.Logf("%d bytes for both ends", each)
		if each > 2<<10 {
			t.Errorf("a connection takes %d bytes", each)
		}
		runtime.KeepAlive(conns)
	})
}

// A listener that nobody accepts from delays nobody else, and its own clients
// are not left hanging: those that found no room are reset once the server has
// given up on them.
func TestNobodyAccepts(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		c, s := connect(t, a, listen(t, b, addrB+":80"))
		lc := estab.ListenConfig{Host: b, Backlog: 1}
		if _, err := lc.ListenTCP(netip.MustParseAddrPort(addrB + ":81")); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		waiting := 0
		for range 20 {
			wg.Go(func() {
				x, err := a.Dial("tcp", addrB+":81")
				if err != nil {
					return // refused or timed out: not hanging
				}
				x.Write([]byte("hello"))
				x.SetReadDeadline(time.Now().Add(10 * time.Minute))
				_, err = x.Read(make([]byte, 1))
				var timeout net.Error
				if errors.As(err, &timeout) && timeout.Timeout() {
					mu.Lock()
					waiting++
					mu.Unlock()
				} else if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("Read: %v", err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		for range 100 {
			mustWrite(t, c, "ping")
			mustRead(t, s, "ping")
			mustWrite(t, s, "pong")
			mustRead(t, c, "pong")
		}
		if d := time.Since(start); d > time.Millisecond {
			t.Errorf("a hundred round trips beside the full listener took %v", d)
		}
		wg.Wait()
		if waiting > 1 {
			t.Errorf("%d clients hang", waiting)
		}
	})
}

// A thousand hosts come and go under calls that wait: each returns
// net.ErrClosed, and nothing is left. (The bubble sees to the goroutines.)
func TestOpenCloseCycles(t *testing.T) {
	cycles := 1000
	if testing.Short() {
		cycles = 100
	}
	synctest.Test(t, func(t *testing.T) {
		for range cycles {
			a, b := wired(t, estab.Config{Shards: 2}, link.PairOptions{})
			l := listen(t, b, addrB+":80")
			c, _ := connect(t, a, l)
			_, s := connect(t, a, l)
			var wg sync.WaitGroup
			for _, call := range []func() error{
				func() error { _, err := c.Read(make([]byte, 1)); return err },
				func() error { _, err := s.Write(make([]byte, 16<<20)); return err },
				func() error { _, err := l.Accept(); return err },
				func() error { _, err := b.Dial("tcp", "10.0.0.99:1"); return err },
			} {
				wg.Go(func() {
					if err := call(); !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("got %v", err)
					}
				})
			}
			synctest.Wait()
			b.Close()
			a.Close()
			wg.Wait()
		}
	})
}

// A peer that floods a closed or absent socket gets an answer or none, and the
// host stays as it was.
func TestPacketsAfterClose(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		a, b := twoHosts(network)
		c, _ := connect(t, a, listen(t, b, addrB+":80"))
		b.Close()
		c.SetDeadline(time.Now().Add(time.Hour))
		for {
			if _, err := c.Write(make([]byte, 1000)); err != nil {
				break
			}
		}
		if _, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
	})
}
