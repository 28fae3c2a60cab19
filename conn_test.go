package estab_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
	"estab/link"
)

// After CloseWrite the other direction goes on for as long as the peer wants.
func TestHalfClose(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		mustWrite(t, c, "question")
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		mustRead(t, s, "question")
		mustEOF(t, s)
		time.Sleep(time.Hour)
		mustWrite(t, s, "answer")
		mustRead(t, c, "answer")
		s.Close()
		mustEOF(t, c)
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after CloseWrite: %v", err)
		}
	})
}

// A read deadline ends a Read that waits, at its instant, and Reads to come;
// moved, it lets them wait again.
func TestReadDeadline(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		start := time.Now()
		c.SetReadDeadline(start.Add(3 * time.Second))
		for range 2 {
			_, err := c.Read(make([]byte, 1))
			if !errors.Is(err, os.ErrDeadlineExceeded) || !err.(net.Error).Timeout() {
				t.Fatalf("Read: %v", err)
			}
			if d := time.Since(start); d != 3*time.Second {
				t.Errorf("after %v", d)
			}
		}
		c.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Hour)
			mustWrite(t, s, "late")
		}()
		mustRead(t, c, "late")
	})
}

// A deadline that is set, brought forward or moved back while a Read waits
// counts for that Read.
func TestDeadlineMovesWhileWaiting(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		for _, test := range []struct{ first, then, want time.Duration }{
			{0, 5 * time.Second, 5 * time.Second},
			{10 * time.Second, 5 * time.Second, 5 * time.Second},
			{5 * time.Second, 10 * time.Second, 10 * time.Second},
			{5 * time.Second, -time.Second, time.Second}, // in the past: at once
		} {
			c, _ := connected(t, network)
			start := time.Now()
			if test.first != 0 {
				c.SetReadDeadline(start.Add(test.first))
			}
			done := make(chan time.Duration)
			go func() {
				_, err := c.Read(make([]byte, 1))
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Read: %v", err)
				}
				done <- time.Since(start)
			}()
			time.Sleep(time.Second)
			c.SetDeadline(start.Add(test.then))
			if got := <-done; got != test.want {
				t.Errorf("%v then %v: after %v", test.first, test.then, got)
			}
		}
	})
}

// A write deadline ends a Write that waits for room, and the Writes that wait
// for that Write.
func TestWriteDeadline(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		start := time.Now()
		c.SetWriteDeadline(start.Add(time.Second))
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 3 {
			wg.Go(func() {
				n, err := c.Write(make([]byte, 32<<20))
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Write: %d, %v", n, err)
				}
				mu.Lock()
				total += n
				mu.Unlock()
			})
		}
		wg.Wait()
		if d := time.Since(start); d != time.Second {
			t.Errorf("after %v", d)
		}
		c.SetWriteDeadline(time.Time{})
		c.CloseWrite()
		n, err := io.Copy(io.Discard, s)
		if int(n) != total || err != nil {
			t.Errorf("wrote %d, read %d, %v", total, n, err)
		}
	})
}

// Writes by several goroutines don't mix.
func TestConcurrentWrites(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		const writers, size = 8, 300 << 10
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				if _, err := c.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
					t.Error(err)
				}
			})
		}
		go func() {
			wg.Wait()
			c.CloseWrite()
		}()
		got, err := io.ReadAll(s)
		if err != nil || len(got) != writers*size {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		for i := 0; i < len(got); i += size {
			if bytes.Count(got[i:i+size], got[i:i+1]) != size {
				t.Errorf("the bytes of two Writes are mixed at %d", i)
			}
		}
	})
}

// Every byte reaches exactly one of several Reads.
func TestConcurrentReads(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 4 {
			wg.Go(func() {
				b := make([]byte, 1000)
				for {
					n, err := s.Read(b)
					mu.Lock()
					total += n
					mu.Unlock()
					if err != nil {
						if err != io.EOF {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		c.Write(make([]byte, 1<<20))
		c.CloseWrite()
		wg.Wait()
		if total != 1<<20 {
			t.Errorf("%d bytes", total)
		}
	})
}

// Close unblocks whoever waits on the connection.
func TestCloseUnblocks(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, _ := connected(t, network)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("Read: %v", err)
				}
			})
			wg.Go(func() {
				if _, err := c.Write(make([]byte, 32<<20)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("Write: %v", err)
				}
			})
		}
		synctest.Wait()
		c.Close()
		wg.Wait()
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
	})
}

// Close with something unread resets, as RFC 2525 §2.17 asks and the kernel
// does; without, it ends the stream in order.
func TestCloseUnread(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		mustWrite(t, c, "unread")
		time.Sleep(time.Millisecond) // until it has arrived
		s.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
		c, s = connected(t, network)
		mustWrite(t, s, "last words")
		s.Close()
		mustRead(t, c, "last words")
		mustEOF(t, c)
	})
}

// SetLinger(0) makes Close a reset.
func TestLingerZero(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		s.SetLinger(0)
		s.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
	})
}

// ReadFrom and WriteTo carry a stream to its end, through io.Copy.
func TestReadFromWriteTo(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		want := pattern(3, 0, 1<<20)
		go func() {
			n, err := c.ReadFrom(bytes.NewReader(want))
			if n != 1<<20 || err != nil {
				t.Errorf("ReadFrom: %d, %v", n, err)
			}
			c.CloseWrite()
		}()
		var got bytes.Buffer
		n, err := s.WriteTo(&got)
		if n != 1<<20 || err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("WriteTo: %d, %v", n, err)
		}
	})
}

// Every setting works on an open connection and fails on a closed one.
func TestSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := connected(t, estabtest.New(t))
		settings := map[string]func() error{
			"SetNoDelay":         func() error { return c.SetNoDelay(false) },
			"SetLinger":          func() error { return c.SetLinger(5) },
			"SetKeepAlive":       func() error { return c.SetKeepAlive(false) },
			"SetKeepAlivePeriod": func() error { return c.SetKeepAlivePeriod(time.Minute) },
			"SetKeepAliveConfig": func() error { return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Count: 3}) },
			"SetReadBuffer":      func() error { return c.SetReadBuffer(1 << 16) },
			"SetWriteBuffer":     func() error { return c.SetWriteBuffer(1 << 16) },
			"SetDeadline":        func() error { return c.SetDeadline(time.Now().Add(time.Hour)) },
			"SetUserTimeout":     func() error { return c.SetUserTimeout(time.Minute) },
			"SetTOS":             func() error { return c.SetTOS(8) },
			"TOS":                func() error { _, err := c.TOS(); return err },
			"CloseRead":          c.CloseRead,
			"CloseWrite":         c.CloseWrite,
			"Info":               func() error { _, err := c.Info(); return err },
		}
		for name, f := range settings {
			if err := f(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		c.Close()
		for name, f := range settings {
			if err := f(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
	})
}

// What the user says about the type of service stands in the packets, those of the
// handshake included; the ECN bits are not the user's.
func TestTOS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const voice, bulk = 46 << 2, 8 << 2
		la, lb := link.Pair(link.PairOptions{})
		var seen []byte
		b := newHost(t, estab.Config{}, lb, addrB+"/24", addrB6+"/64")
		watched, err := link.Impair(la, link.Impairment{Observe: func(e link.TapEvent) {
			if p := e.Packet; p[0]>>4 == 4 {
				seen = append(seen, p[1])
			} else {
				seen = append(seen, p[0]<<4|p[1]>>4)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		a := newHost(t, estab.Config{}, watched, addrA+"/24", addrA6+"/64")
		for _, addr := range []string{addrB, addrB6} {
			seen = nil
			lc := estab.ListenConfig{Host: b, TOS: voice}
			l, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort(addr, "0"))
			if err != nil {
				t.Fatal(err)
			}
			d := estab.Dialer{Host: a, TOS: voice | 1}
			c, err := d.DialTCP(t.Context(), l.Addr().(*net.TCPAddr).AddrPort())
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, c, "x")
			mustRead(t, s, "x")
			if n := len(seen); n < 4 || bytes.Count(seen, []byte{voice}) != n {
				t.Errorf("%s: TOS %#x, want all %#x", addr, seen, voice)
			}
			if err := c.SetTOS(bulk); err != nil {
				t.Fatal(err)
			}
			if tos, err := c.TOS(); tos != bulk || err != nil {
				t.Errorf("TOS %#x, %v", tos, err)
			}
			seen = nil
			mustWrite(t, c, "y")
			mustRead(t, s, "y")
			if len(seen) == 0 || seen[0] != bulk {
				t.Errorf("%s: TOS %#x after SetTOS, want %#x first", addr, seen, bulk)
			}
			c.Close()
			s.Close()
			l.Close()
		}
	})
}

// A nil connection or listener answers with EINVAL, as package net's do.
func TestNil(t *testing.T) {
	var c *estab.Conn
	var l *estab.Listener
	calls := map[string]func() error{
		"Read":                 func() error { _, err := c.Read(nil); return err },
		"Write":                func() error { _, err := c.Write(nil); return err },
		"ReadFrom":             func() error { _, err := c.ReadFrom(nil); return err },
		"WriteTo":              func() error { _, err := c.WriteTo(nil); return err },
		"Close":                c.Close,
		"CloseRead":            c.CloseRead,
		"CloseWrite":           c.CloseWrite,
		"SetDeadline":          func() error { return c.SetDeadline(time.Time{}) },
		"SetLinger":            func() error { return c.SetLinger(0) },
		"SetNoDelay":           func() error { return c.SetNoDelay(true) },
		"SetKeepAlive":         func() error { return c.SetKeepAlive(true) },
		"SetReadBuffer":        func() error { return c.SetReadBuffer(1) },
		"SetUserTimeout":       func() error { return c.SetUserTimeout(1) },
		"SetTOS":               func() error { return c.SetTOS(0) },
		"TOS":                  func() error { _, err := c.TOS(); return err },
		"Info":                 func() error { _, err := c.Info(); return err },
		"Listener.Accept":      func() error { _, err := l.Accept(); return err },
		"Listener.Close":       l.Close,
		"Listener.SetDeadline": func() error { return l.SetDeadline(time.Time{}) },
	}
	for name, f := range calls {
		if err := f(); err != syscall.EINVAL {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, l = new(estab.Conn), new(estab.Listener)
	for name, f := range calls {
		if err := f(); err != syscall.EINVAL {
			t.Errorf("zero value: %s: %v", name, err)
		}
	}
	if c.LocalAddr() != nil || c.RemoteAddr() != nil || l.Addr() != nil {
		t.Error("nil has an address")
	}
}

// An idle connection lets virtual time flow; one under keep-alive sees its
// probes answered; one whose peer is gone ends with ETIMEDOUT after 15 s and
// nine probes 15 s apart, as package net configures it.
func TestVirtualTime(t *testing.T) {
	packageNet := configure(func(c *estab.Config) { c.KeepAlive = 0 })
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		time.Sleep(24 * time.Hour)
		mustWrite(t, c, "x")
		mustRead(t, s, "x")
	})
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		time.Sleep(time.Hour)
		mustWrite(t, c, "x")
		mustRead(t, s, "x")
	}, packageNet)
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, _ := connected(t, network)
		start := time.Now()
		network.Host("b").Crash()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("Read: %v", err)
		}
		if d := time.Since(start).Round(time.Millisecond); d != 150*time.Second {
			t.Errorf("after %v", d)
		}
	}, packageNet)
}

// A Write that waits lets virtual time flow until the reader comes.
func TestBlockedWriteInBubble(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		c, s := connected(t, network)
		start := time.Now()
		go func() {
			time.Sleep(20 * time.Minute)
			io.Copy(io.Discard, s)
		}()
		if _, err := c.Write(make([]byte, 32<<20)); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d < 20*time.Minute {
			t.Errorf("Write took %v", d)
		}
		c.Close()
	})
}

// Over a perfect path nothing waits for a timer: neither a stream of large
// Writes nor the small ones that answer it, whoever reads late. In virtual time
// a stall is a gap between two segments.
func TestNoStall(t *testing.T) {
	forShards(t, func(t *testing.T, network *estabtest.Network) {
		const size, record, answer, answerEvery = 64 << 20, 16406, 34, 256 << 10
		c, s := connected(t, network)
		var last time.Time
		var worst time.Duration
		defer network.Drop(func(estabtest.Segment) bool {
			now := time.Now()
			if !last.IsZero() {
				worst = max(worst, now.Sub(last))
			}
			last = now
			return false
		})()
		go func() {
			buf := make([]byte, record)
			for sent := 0; sent < size; sent += record {
				if _, err := c.Write(buf); err != nil {
					t.Error(err)
					return
				}
			}
			c.CloseWrite()
		}()
		go func() {
			defer s.CloseWrite()
			buf := make([]byte, 4096)
			for got, answered := 0, 0; ; {
				n, err := s.Read(buf)
				if err != nil {
					return
				}
				if got += n; got-answered >= answerEvery {
					answered = got
					time.Sleep(time.Microsecond)
					if _, err := s.Write(make([]byte, answer)); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}()
		answers, err := io.ReadAll(c)
		if err != nil || len(answers) < size/answerEvery/2*answer {
			t.Errorf("%d bytes of answers, %v", len(answers), err)
		}
		f := network.Conns()[0]
		if worst > time.Millisecond || f.Client.Retransmissions+f.Server.Retransmissions > 0 {
			t.Errorf("a gap of %v; %v", worst, f)
		}
	})
}
