package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// verify sends a megabyte each way and compares hashes, before anything is
// timed.
func verify(w world) error {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	deadline := time.Now().Add(20 * time.Second)
	result := make(chan error, 1)
	go func() {
		c, err := w.listener().Accept()
		if err != nil {
			result <- err
			return
		}
		defer c.Close()
		c.SetDeadline(deadline)
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
	c.SetDeadline(deadline)
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
