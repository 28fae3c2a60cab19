package estab_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/link"
)

var (
	soakSeeds = flag.Int("soak.seeds", 40, "how many seeds TestRandomCalls plays")
	soakSeed  = flag.Uint64("soak.seed", 0, "the one seed that TestRandomCalls plays")
)

// Random calls from many goroutines, on connections that end in order and on
// connections that are closed under everybody's hands: nothing hangs, and no
// byte is lost, invented or out of order. A seed that fails is replayed by
// go test -run TestRandomCalls -soak.seed N.
func TestRandomCalls(t *testing.T) {
	first, n := uint64(1), *soakSeeds
	if *soakSeed != 0 {
		first, n = *soakSeed, 1
	}
	if testing.Short() {
		n = min(n, 10)
	}
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { (&soak{t: t, seed: seed}).run() })
		})
	}
}

type soak struct {
	t    *testing.T
	seed uint64
	wg   sync.WaitGroup
}

// random is a generator of its own for one goroutine.
func (s *soak) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, stream)) }

func (s *soak) run() {
	r := s.random(0)
	cfg := estab.Config{
		Secret: [32]byte{1: byte(s.seed), 2: byte(s.seed >> 8), 3: 1},
		Shards: []int{1, 2, 16}[r.IntN(3)], KeepAlive: -1,
		ReceiveBuffer: 4096 << r.IntN(6), SendBuffer: 4096 << r.IntN(6), MSL: time.Second,
	}
	cfg.ReceiveBufferMax, cfg.SendBufferMax = cfg.ReceiveBuffer, cfg.SendBuffer
	la, lb := s.wire(r)
	a, b := newHost(s.t, cfg, la, addrA+"/24"), newHost(s.t, cfg, lb, addrB+"/24")
	watch := time.AfterFunc(2*time.Hour, func() { panic(fmt.Sprintf("seed %d hangs", s.seed)) })
	defer watch.Stop()
	l := listen(s.t, b, addrB+":80")
	for i := range uint64(1 + r.IntN(8)) {
		c, x := connect(s.t, a, l)
		if r.IntN(3) == 0 {
			s.rude(c, x, 100*i)
		} else {
			s.orderly(c, x, 100*i)
		}
	}
	if r.IntN(4) == 0 { // Shutdown while everything goes on
		s.wg.Go(func() {
			time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(r.IntN(5000))*time.Millisecond)
			defer cancel()
			if err := a.Shutdown(ctx); err != nil && err != context.DeadlineExceeded {
				s.t.Errorf("early Shutdown: %v", err)
			}
		})
	}
	if r := s.random(1 << 32); r.IntN(3) == 0 { // one host falls asleep, and wakes up
		h := []*estab.Host{a, b}[r.IntN(2)]
		s.wg.Go(func() {
			time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
			h.Suspend()
			time.Sleep(time.Duration(r.IntN(60000)) * time.Millisecond)
			h.Resume()
		})
	}
	s.wg.Wait()
	for _, h := range []*estab.Host{a, b} {
		if err := h.Shutdown(s.t.Context()); err != nil {
			s.t.Errorf("Shutdown: %v", err)
		}
	}
	for _, h := range []*estab.Host{a, b} {
		if err := h.Close(); err != nil {
			s.t.Errorf("Close: %v", err)
		}
	}
}

// wire is a wire of random size that is perfect, bad, or narrow.
func (s *soak) wire(r *rand.Rand) (a, b link.Link) {
	a, b = link.Pair(link.PairOptions{MTU: []int{576, 1500, 9000, 65535}[r.IntN(4)]})
	switch r.IntN(3) {
	case 0:
		const path = "delay 5ms 2ms loss 2% reorder 5% duplicate 2% corrupt 1%"
		bad, err := link.Impair(a, link.Impairment{Out: path, In: path, Seed: s.seed})
		if err != nil {
			s.t.Fatal(err)
		}
		return bad, b
	case 1:
		return &narrow{Link: a, room: 5}, &narrow{Link: b, room: 5}
	}
	return a, b
}

// narrow is a link that takes five packets at a time, and more a millisecond
// later: it refuses, and says when it has room again.
type narrow struct {
	link.Link
	mu      sync.Mutex
	recv    link.Receiver
	room    int
	refused bool
}

func (n *narrow) Attach(r link.Receiver) error {
	n.recv = r
	return n.Link.Attach(r)
}

func (n *narrow) Enqueue(w *link.Work, pkts []*link.Packet) int {
	n.mu.Lock()
	took := min(n.room, len(pkts))
	n.room -= took
	if took < len(pkts) && !n.refused {
		n.refused = true
		time.AfterFunc(time.Millisecond, n.widen)
	}
	n.mu.Unlock()
	return n.Link.Enqueue(w, pkts[:took])
}

func (n *narrow) widen() {
	n.mu.Lock()
	n.room, n.refused = 5, false
	n.mu.Unlock()
	var w link.Work
	n.recv.Writable(&w)
	w.Run()
}

// orderly plays a connection of which both ends write what they have, close
// for writing, read to the end and close: everything must arrive.
func (s *soak) orderly(c, x *estab.Conn, stream uint64) {
	r := s.random(stream + 1)
	size := [2]int{r.IntN(200000), r.IntN(200000)}
	for i, end := range []*estab.Conn{c, x} {
		var both sync.WaitGroup
		both.Go(func() {
			n, err := s.write(end, s.random(stream+2+uint64(i)), byte(i+1), size[i])
			if n != size[i] || err != nil {
				s.t.Errorf("wrote %d of %d: %v", n, size[i], err)
			}
			if err := end.CloseWrite(); err != nil {
				s.t.Errorf("CloseWrite: %v", err)
			}
		})
		both.Go(func() {
			n, err := s.read(end, s.random(stream+4+uint64(i)), byte(2-i))
			if n != size[1-i] || err != io.EOF {
				s.t.Errorf("read %d of %d: %v", n, size[1-i], err)
			}
		})
		stop := make(chan struct{})
		s.wg.Go(func() { s.hurry(end, s.random(stream+6+uint64(i)), stop) })
		s.wg.Go(func() {
			both.Wait()
			close(stop)
			if err := end.Close(); err != nil {
				s.t.Errorf("Close: %v", err)
			}
		})
	}
}

// rude plays a connection that somebody closes while others use it. What was
// read must be what was written, as far as it goes.
func (s *soak) rude(c, x *estab.Conn, stream uint64) {
	for i, end := range []*estab.Conn{c, x} {
		r := s.random(stream + 10 + uint64(i))
		stop := make(chan struct{})
		for j := range uint64(2) {
			s.wg.Go(func() { s.read(end, s.random(stream+20+2*uint64(i)+j), 0) })
			s.wg.Go(func() { s.write(end, s.random(stream+30+2*uint64(i)+j), 0, 1<<20) })
		}
		s.wg.Go(func() { s.hurry(end, s.random(stream+40+uint64(i)), stop) })
		s.wg.Go(func() {
			time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
			switch r.IntN(5) {
			case 0:
				end.SetLinger(0)
			case 1:
				end.SetLinger(3)
			case 2:
				end.CloseWrite()
				time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
			case 3:
				end.CloseRead()
			}
			close(stop)
			end.Close()
		})
	}
}

// write writes size bytes of the pattern in pieces, whatever deadlines say.
func (s *soak) write(c *estab.Conn, r *rand.Rand, seed byte, size int) (total int, err error) {
	for total < size {
		if r.IntN(20) == 0 {
			time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
		}
		n, err := c.Write(pattern(seed, total, min(size-total, 1+r.IntN(30000))))
		total += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.SetWriteDeadline(time.Time{})
		} else if err != nil {
			return total, s.allowed(err)
		}
	}
	return total, nil
}

// read reads to the end and compares with the pattern, unless seed is 0.
func (s *soak) read(c *estab.Conn, r *rand.Rand, seed byte) (total int, err error) {
	for {
		if r.IntN(20) == 0 {
			time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
		}
		b := make([]byte, 1+r.IntN(30000))
		n, err := c.Read(b)
		if seed != 0 && !isPattern(seed, total, b[:n]) {
			s.t.Errorf("wrong bytes at %d", total)
			return total, io.ErrUnexpectedEOF
		}
		total += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.SetReadDeadline(time.Time{})
		} else if err != nil {
			return total, s.allowed(err)
		}
	}
}

// hurry sets deadlines at random, and asks what can be asked.
func (s *soak) hurry(c *estab.Conn, r *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(700)) * time.Millisecond):
		}
		at := time.Now().Add(time.Duration(r.IntN(300)-50) * time.Millisecond)
		switch r.IntN(5) {
		case 0:
			c.SetDeadline(at)
		case 1:
			c.SetReadDeadline(at)
		case 2:
			c.SetWriteDeadline(at)
		case 3:
			c.SetNoDelay(r.IntN(2) == 0)
		case 4:
			c.Info()
		}
	}
}

// allowed complains about an error that no call here may cause.
func (s *soak) allowed(err error) error {
	switch {
	case err == io.EOF, errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ETIMEDOUT):
	default:
		s.t.Errorf("unexpected error: %v", err)
	}
	return err
}
