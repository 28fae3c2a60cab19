package main

import (
	"sync"
	"sync/atomic"
	"time"

	"estab/internal/wire"
)

// flood sends SYNs of addresses that will never answer as fast as one
// goroutine can, on a link of its own, while four clients connect, exchange a
// byte and close on the other. It returns how many thousand SYNs a second were
// answered, the 99th percentile of the clients' connections in milliseconds,
// and how many of these failed. What is under way at the end counts with the
// time it has taken so far.
func flood(w world, d time.Duration) ([]float64, error) {
	const clients = 4
	serve(w, echo)
	raw := w.(rawWorld).raw()
	var answered atomic.Int64
	raw.onSent(func([]byte) { answered.Add(1) })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { inject(raw, stop) })

	var mu sync.Mutex
	var took []time.Duration
	var under [clients]time.Time
	failed := 0
	time.Sleep(d / 2) // tables fill
	before, start := answered.Load(), time.Now()
	end := start.Add(4 * d)
	for i := range clients {
		go func() {
			for {
				t := time.Now()
				mu.Lock()
				under[i] = t
				mu.Unlock()
				err := visit(w)
				mu.Lock()
				if time.Now().After(end) { // counted already
					mu.Unlock()
					return
				}
				took = append(took, time.Since(t))
				if err != nil {
					failed++
				}
				mu.Unlock()
			}
		}()
	}
	time.Sleep(time.Until(end))
	rate := float64(answered.Load()-before) / time.Since(start).Seconds() / 1e3
	mu.Lock()
	for _, t := range under {
		took = append(took, max(end.Sub(t), 0))
	}
	v := []float64{rate, float64(percentile(took, 99)) / 1e6, float64(failed)}
	mu.Unlock()
	close(stop)
	wg.Wait()
	return v, nil
}

// visit is a connection of an honest client.
func visit(w world) error {
	c, err := w.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	return exchange(c)
}

// inject sends SYNs until it is told to stop. All are made from one: what
// differs are address and port, and with them two checksums.
func inject(raw rawLink, stop chan struct{}) {
	var buf [64][128]byte
	var pkts [64][]byte
	first := ghost(0).tuple(false, 1)
	seg := ghostSYN(first)
	seg.Options = wire.Options{Set: wire.OptMSS | wire.OptSACKPermitted | wire.OptTimestamps | wire.OptWindowScale, MSS: 1460, TSVal: 1, WindowScale: 7}
	for i := range pkts {
		pkts[i] = craft(buf[i][:], seg)
	}
	rng := uint32(1)
	for {
		select {
		case <-stop:
			return
		default:
		}
		for _, b := range pkts {
			rng = rng*1664525 + 1013904223
			host, port := first.Local.V4()+rng>>12, uint16(rng|1024)
			put32(b, 12, host, 10, 36)
			put16(b, 20, port, 36)
		}
		raw.send(pkts[:])
	}
}

// put16 changes a word of a packet and the checksums that cover it, by
// RFC 1624's equation 3.
func put16(b []byte, at int, v uint16, sums ...int) {
	old := uint16(b[at])<<8 | uint16(b[at+1])
	b[at], b[at+1] = byte(v>>8), byte(v)
	for _, s := range sums {
		x := uint32(^(uint16(b[s])<<8 | uint16(b[s+1]))) + uint32(^old) + uint32(v)
		x = x&0xffff + x>>16
		x = ^(x&0xffff + x>>16)
		b[s], b[s+1] = byte(x>>8), byte(x)
	}
}

func put32(b []byte, at int, v uint32, sums ...int) {
	put16(b, at, uint16(v>>16), sums...)
	put16(b, at+2, uint16(v), sums...)
}
