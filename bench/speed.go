package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// bulk is n connections that send as fast as they can; the figure is what all
// of them deliver, in gigabytes a second.
func bulk(n int) func(world, time.Duration) ([]float64, error) {
	return func(w world, d time.Duration) ([]float64, error) {
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
				return nil, err
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
		return []float64{rate / 1e9}, nil
	}
}

func pingPong(n int) func(world, time.Duration) ([]float64, error) {
	return func(w world, d time.Duration) ([]float64, error) {
		serve(w, echo)
		conns := make(chan net.Conn, n)
		for range n {
			c, err := w.dial()
			if err != nil {
				return nil, err
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
			return nil, *p
		}
		return []float64{float64(count.Load()) / time.Since(start).Seconds() / 1e3}, nil
	}
}

func connect(n int) func(world, time.Duration) ([]float64, error) {
	return func(w world, d time.Duration) ([]float64, error) {
		serve(w, echo)
		return one(each(n, d, func() error {
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
		}))
	}
}

func httpGet(w world, d time.Duration) ([]float64, error) {
	body := bytes.Repeat([]byte("x"), 1024)
	go http.Serve(w.listener(), http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write(body) }))
	t := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return w.dial() }, MaxIdleConnsPerHost: 64}
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: t}
	return one(each(64, d, func() error {
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
	}))
}

// one makes a measurement of a single figure.
func one(v float64, err error) ([]float64, error) { return []float64{v}, err }
