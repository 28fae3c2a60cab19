package main

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// bulkFlows is how many connections send without end in the row on fairness.
const bulkFlows = 16

// fairness is what happens to others beside 16 flows that send as fast as they
// can: the 99th percentile of a request's time on a connection of long
// standing, the rate of new connections, and the flows' shares.
func fairness(w world, d time.Duration) ([]float64, error) {
	f := &flows{}
	serve(w, f.serve)
	for range bulkFlows {
		c, err := f.open(w, 'b')
		if err != nil {
			return nil, err
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
	c, err := f.open(w, 'e')
	if err != nil {
		return nil, err
	}
	defer c.Close()
	before := f.shares()
	var took []time.Duration
	for start := time.Now(); time.Since(start) < 2*d || len(took) < 100; {
		t := time.Now()
		if err := exchange(c); err != nil {
			return nil, err
		}
		took = append(took, time.Since(t))
	}
	after := f.shares()
	for i := range after {
		after[i] -= before[i]
	}
	rate, err := each(1, d, func() error {
		c, err := f.open(w, 'e')
		if err != nil {
			return err
		}
		defer c.Close()
		return exchange(c)
	})
	return []float64{float64(percentile(took, 99).Nanoseconds()) / 1e3, rate, slices.Min(after) / max(slices.Max(after), 1)}, err
}

// flows counts what arrives on each bulk connection.
type flows struct {
	mu   sync.Mutex
	bulk []*atomic.Int64
}

// open dials and says of which kind the connection is to be.
func (f *flows) open(w world, kind byte) (net.Conn, error) {
	c, err := w.dial()
	if err != nil {
		return nil, err
	}
	_, err = c.Write([]byte{kind})
	return c, err
}

func (f *flows) serve(c net.Conn) {
	var kind [1]byte
	if _, err := io.ReadFull(c, kind[:]); err != nil {
		c.Close()
		return
	}
	if kind[0] == 'e' {
		echo(c)
		return
	}
	var n atomic.Int64
	f.mu.Lock()
	f.bulk = append(f.bulk, &n)
	f.mu.Unlock()
	buf := make([]byte, 64<<10)
	for {
		k, err := c.Read(buf)
		n.Add(int64(k))
		if err != nil {
			return
		}
	}
}

// shares are the bytes of each bulk connection, once all have begun.
func (f *flows) shares() []float64 {
	for {
		f.mu.Lock()
		var s []float64
		for _, n := range f.bulk {
			if v := n.Load(); v > 0 {
				s = append(s, float64(v))
			}
		}
		f.mu.Unlock()
		if len(s) == bulkFlows {
			return s
		}
		time.Sleep(time.Millisecond)
	}
}

// exchange sends a byte and reads the answer.
func exchange(c net.Conn) error {
	var b [1]byte
	if _, err := c.Write(b[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b[:])
	return err
}

func percentile(d []time.Duration, p int) time.Duration {
	slices.Sort(d)
	return d[(len(d)*p+99)/100-1]
}
