package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// row is a line of the table.
type row struct {
	name    string
	unit    string // of value
	wire    wire
	less    bool // a smaller value is better
	measure func(world, time.Duration) (float64, error)
	not     map[string]string // subjects that don't have it, and why
}

func rows() []row {
	noLink := map[string]string{"kernel": "its loopback has MTU 65536 and no checksums", "net.Pipe": "no packets"}
	small, large, vouched := wire{mtu: 1500}, wire{mtu: 65535}, wire{mtu: 65535, trusted: true}
	return []row{
		{name: "bulk, 1 connection, MTU 1500, checksums", unit: "GB/s", wire: small, measure: bulk(1), not: noLink},
		{name: "bulk, 64 connections, MTU 1500, checksums", unit: "GB/s", wire: small, measure: bulk(64), not: noLink},
		{name: "bulk, 64 KiB packets, checksums", unit: "GB/s", wire: large, measure: bulk(1), not: noLink},
		{name: "bulk, link vouches for its bytes", unit: "GB/s", wire: vouched, measure: bulk(1)},
		{name: "request/response of 1 byte, 1 connection", unit: "k/s", wire: small, measure: pingPong(1)},
		{name: "request/response of 1 byte, 64 connections", unit: "k/s", wire: small, measure: pingPong(64)},
		{name: "connect, 1 byte each way, close, one after another", unit: "k/s", wire: small, measure: connect(1)},
		{name: "connect, 1 byte each way, close, 64 at once", unit: "k/s", wire: small, measure: connect(64)},
		{name: "1-byte request beside 16 bulk flows, p99", unit: "us", wire: small, measure: fairness, less: true,
			not: map[string]string{"net.Pipe": "no shared link"}},
		{name: "heap of an idle connection, one end", unit: "B", wire: small, measure: idleHeap, less: true,
			not: map[string]string{"kernel": "not on the Go heap"}},
		{name: "HTTP/1.1 GET of 1 KiB, keep-alive, 64 clients", unit: "k/s", wire: small, measure: httpGet,
			not: map[string]string{"net.Pipe": "its server would need an address"}},
	}
}

// verify sends a megabyte each way and compares hashes, before anything is
// timed.
func verify(w world) error {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	result := make(chan error, 1)
	go func() {
		c, err := w.listener().Accept()
		if err != nil {
			result <- err
			return
		}
		defer c.Close()
		got := make([]byte, len(data))
		if _, err := io.ReadFull(c, got); err != nil {
			result <- err
			return
		}
		if sha256.Sum256(got) != sha256.Sum256(data) {
			result <- errors.New("the bytes differ")
			return
		}
		_, err = c.Write(got)
		result <- err
	}()
	c, err := w.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	go c.Write(data)
	got := make([]byte, len(data))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return errors.New("the bytes differ on the way back")
	}
	return <-result
}

// serve accepts connections and runs f on each, until the listener ends.
func serve(w world, f func(net.Conn)) {
	go func() {
		for {
			c, err := w.listener().Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
}

func echo(c net.Conn) {
	defer c.Close()
	var b [1]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return
		}
		if _, err := c.Write(b[:]); err != nil {
			return
		}
	}
}

// bulk is n connections that send as fast as they can; the figure is what all
// of them deliver, in gigabytes a second.
func bulk(n int) func(world, time.Duration) (float64, error) {
	return func(w world, d time.Duration) (float64, error) {
		var got atomic.Int64
		serve(w, func(c net.Conn) {
			buf := make([]byte, 128<<10)
			for {
				k, err := c.Read(buf)
				got.Add(int64(k))
				if err != nil {
					return
				}
			}
		})
		var conns []net.Conn
		for range n {
			c, err := w.dial()
			if err != nil {
				return 0, err
			}
			conns = append(conns, c)
			go func() {
				buf := make([]byte, 128<<10)
				for {
					if _, err := c.Write(buf); err != nil {
						return
					}
				}
			}()
		}
		time.Sleep(d / 5) // past slow start
		before, start := got.Load(), time.Now()
		time.Sleep(d)
		rate := float64(got.Load()-before) / time.Since(start).Seconds()
		for _, c := range conns {
			c.Close()
		}
		return rate / 1e9, nil
	}
}

// each runs f on n goroutines until d has passed, and returns how often it
// was done a second, in thousands.
func each(n int, d time.Duration, f func() error) (float64, error) {
	var count atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	start := time.Now()
	for range n {
		wg.Go(func() {
			for time.Since(start) < d {
				if err := f(); err != nil {
					failed.Store(&err)
					return
				}
				count.Add(1)
			}
		})
	}
	wg.Wait()
	if p := failed.Load(); p != nil {
		return 0, *p
	}
	return float64(count.Load()) / time.Since(start).Seconds() / 1e3, nil
}

func pingPong(n int) func(world, time.Duration) (float64, error) {
	return func(w world, d time.Duration) (float64, error) {
		serve(w, echo)
		conns := make(chan net.Conn, n)
		for range n {
			c, err := w.dial()
			if err != nil {
				return 0, err
			}
			defer c.Close()
			conns <- c
		}
		var count atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		var failed atomic.Pointer[error]
		for range n {
			wg.Go(func() {
				c := <-conns
				var b [1]byte
				for k := 0; k%64 != 0 || time.Since(start) < d; k++ {
					if _, err := c.Write(b[:]); err != nil {
						failed.Store(&err)
						return
					}
					if _, err := c.Read(b[:]); err != nil {
						failed.Store(&err)
						return
					}
					count.Add(1)
				}
			})
		}
		wg.Wait()
		if p := failed.Load(); p != nil {
			return 0, *p
		}
		return float64(count.Load()) / time.Since(start).Seconds() / 1e3, nil
	}
}

func connect(n int) func(world, time.Duration) (float64, error) {
	return func(w world, d time.Duration) (float64, error) {
		serve(w, echo)
		return each(n, d, func() error {
			c, err := w.dial()
			if err != nil {
				return fmt.Errorf("dial: %w", err)
			}
			defer c.Close()
			var b [1]byte
			if _, err := c.Write(b[:]); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			if _, err := io.ReadFull(c, b[:]); err != nil {
				return fmt.Errorf("read: %w", err)
			}
			return nil
		})
	}
}

// fairness measures one connection's requests beside 16 that send without end.
func fairness(w world, d time.Duration) (float64, error) {
	serve(w, func(c net.Conn) {
		var kind [1]byte
		if _, err := io.ReadFull(c, kind[:]); err != nil {
			return
		}
		if kind[0] == 'e' {
			echo(c)
			return
		}
		io.Copy(io.Discard, c)
	})
	open := func(kind byte) (net.Conn, error) {
		c, err := w.dial()
		if err != nil {
			return nil, err
		}
		_, err = c.Write([]byte{kind})
		return c, err
	}
	for range 16 {
		c, err := open('b')
		if err != nil {
			return 0, err
		}
		defer c.Close()
		go func() {
			buf := make([]byte, 64<<10)
			for {
				if _, err := c.Write(buf); err != nil {
					return
				}
			}
		}()
	}
	c, err := open('e')
	if err != nil {
		return 0, err
	}
	defer c.Close()
	var took []time.Duration
	var b [1]byte
	for start := time.Now(); time.Since(start) < 2*d || len(took) < 100; {
		t := time.Now()
		if _, err := c.Write(b[:]); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, b[:]); err != nil {
			return 0, err
		}
		took = append(took, time.Since(t))
	}
	return float64(percentile(took, 99).Nanoseconds()) / 1e3, nil
}

// idleHeap is what a connection costs at one end when nothing is in it.
func idleHeap(w world, _ time.Duration) (float64, error) {
	const n = 5000
	accepted := make(chan net.Conn, n)
	go func() {
		for {
			c, err := w.listener().Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	conns := make([]net.Conn, 0, 2*n)
	before := heap()
	for range n {
		c, err := w.dial()
		if err != nil {
			return 0, err
		}
		conns = append(conns, c, <-accepted)
	}
	after := heap()
	for _, c := range conns {
		c.Close()
	}
	return (float64(after) - float64(before)) / (2 * n), nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func httpGet(w world, d time.Duration) (float64, error) {
	body := bytes.Repeat([]byte("x"), 1024)
	go http.Serve(w.listener(), http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write(body) }))
	t := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return w.dial() }, MaxIdleConnsPerHost: 64}
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: t}
	return each(64, d, func() error {
		resp, err := client.Get("http://10.0.0.2/")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && n != 1024 {
			err = fmt.Errorf("got %d bytes of 1024", n)
		}
		return err
	})
}
