package main

import (
	"fmt"
	"net"
	"runtime"
	"time"

	"estab/internal/wire"
)

// idleHeap is what a connection costs at one end when nothing is in it.
func idleHeap(w world, _ time.Duration) ([]float64, error) {
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
			return nil, err
		}
		conns = append(conns, c, <-accepted)
	}
	after := heap()
	for _, c := range conns {
		c.Close()
	}
	return []float64{(float64(after) - float64(before)) / (2 * n)}, nil
}

// heap is what the garbage collector leaves, once that no longer falls: what
// earlier worlds held goes in its own time, and must not count for this one.
func heap() uint64 {
	for last := collected(); ; {
		time.Sleep(100 * time.Millisecond)
		now := collected()
		if now+4096 >= last {
			return now
		}
		last = now
	}
}

func collected() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// crowd is how many peers a row on records makes: first some that vanish, then
// those that leave a record. The first fill the pools and tables of fixed size,
// whose memory does not count, with the same traffic.
func crowd(w world, estabs, gvisors ghost) (warm, all ghost) {
	if _, ok := w.(*estabWorld); ok {
		return estabs / 4, estabs/4 + estabs
	}
	return gvisors / 4, gvisors/4 + gvisors
}

// timeWaitHeap is what the end that closed first keeps for 2 MSL: 1,000,000
// records of estab's.
func timeWaitHeap(six bool) func(world, time.Duration) ([]float64, error) {
	return func(w world, _ time.Duration) ([]float64, error) {
		warm, all := crowd(w, 1_000_000, 3000)
		g := newGhosts(w.(rawWorld).raw(), all)
		serve(w, func(c net.Conn) { c.Close() })
		g.rude = wire.FIN
		if err := g.leave(0, warm, six); err != nil {
			return nil, err
		}
		g.rude = 0
		before := heap()
		if err := g.leave(warm, all, six); err != nil {
			return nil, err
		}
		return one((float64(heap())-float64(before))/float64(all-warm), nil)
	}
}

// leave opens connections which the server closes at once.
func (g *ghosts) leave(from, to ghost, six bool) error {
	const underway = 512
	for k := from; k < to; k = min(k+64, to) {
		g.syns(k, min(k+64, to), six)
		if err := g.until(func(_, closed int) bool { return closed+underway >= int(k) }); err != nil {
			return err
		}
	}
	err := g.until(func(_, closed int) bool { return closed == int(to) })
	time.Sleep(20 * time.Millisecond) // gVisor takes the last ACK in on a goroutine of its own
	return err
}

// until answers until what was opened and closed satisfies f.
func (g *ghosts) until(f func(opened, closed int) bool) error {
	for last, n := time.Now(), -1; ; {
		g.answer()
		o, c := g.counts()
		if f(o, c) {
			return nil
		}
		if o+c > n {
			last, n = time.Now(), o+c
		} else if time.Since(last) > 10*time.Second {
			return fmt.Errorf("ghosts: nothing has happened for 10 s: %d opened, %d closed", o, c)
		}
		runtime.Gosched()
	}
}

// halfOpenHeap is what a listener keeps for a SYN. 60,000 are nearly as many
// as estab's default allows.
func halfOpenHeap(six bool) func(world, time.Duration) ([]float64, error) {
	return func(w world, _ time.Duration) ([]float64, error) {
		warm, all := crowd(w, 60_000, 3000)
		g := newGhosts(w.(rawWorld).raw(), all)
		g.ports = 1
		g.rude = wire.SYN
		if err := g.knock(0, warm, six); err != nil {
			return nil, err
		}
		g.answer()
		g.rude, g.mute = 0, true
		before := heap()
		if err := g.knock(warm, all, six); err != nil {
			return nil, err
		}
		return one((float64(heap())-float64(before))/float64(all-warm), nil)
	}
}

// knock sends SYNs, each from an address of its own, and waits for answers,
// which it leaves without one.
func (g *ghosts) knock(from, to ghost, six bool) error {
	for k := from; k < to; k = min(k+64, to) {
		end := min(k+64, to)
		g.syns(k, end, six)
		if err := g.until(func(opened, _ int) bool { return opened >= int(end) }); err != nil {
			return err
		}
	}
	return nil
}
