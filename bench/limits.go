package main

import (
	"encoding/json"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"estab/internal/wire"
)

// limit is something that the machine takes for one step of a stack's work: no
// stack in user space does without it.
type limit struct {
	Name string  `json:"name"`
	Unit string  `json:"unit"`
	Note string  `json:"note,omitempty"`
	Y    float64 `json:"median"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`

	measure func(d time.Duration) float64
}

func physicalLimits() []limit {
	return []limit{
		{Name: "copying 1,460 bytes that are in the cache", Unit: "GB/s", measure: copying(1460, 1)},
		{Name: "copying 64 KiB that are in the cache", Unit: "GB/s", measure: copying(64<<10, 1)},
		{Name: "copying 64 KiB out of 64 MiB", Unit: "GB/s", measure: copying(64<<10, 1024)},
		{Name: "checksum of 1,460 bytes", Unit: "GB/s", measure: summing(1460)},
		{Name: "checksum of 64 KiB", Unit: "GB/s", measure: summing(64 << 10)},
		{Name: "copy and checksum of 1,460 bytes in one pass", Unit: "GB/s", measure: copySumming(1460)},
		{Name: "copy and checksum of 64 KiB in one pass", Unit: "GB/s", measure: copySumming(64 << 10)},
		{Name: "what bulk does to 1,460 bytes: three copies, one of which sums, one more sum", Unit: "GB/s",
			Note: "Write and Read copy, Output copies and sums, the receiver sums: one core, if everything else were free", measure: ceiling(1460, false)},
		{Name: "what bulk does to 64 KiB, which are lent: two copies, one of which sums, one more sum", Unit: "GB/s",
			Note: "Write copies and sums, the receiver sums, Read copies", measure: ceiling(64<<10, true)},
		{Name: "SipHash of an IPv4 flow", Unit: "ns", measure: hashing},
		{Name: "reading the clock", Unit: "ns", measure: perOp(func(n int) {
			for range n {
				keep(uint64(time.Now().Nanosecond()))
			}
		})},
		{Name: "a mutex locked and unlocked, nobody else wants it", Unit: "ns", measure: locking},
		{Name: "handing over through a channel to a goroutine that waits, and back", Unit: "ns", Note: "one goroutine wakes the other: what a request costs at least if both ends wait", measure: handOver(1)},
		{Name: "the same, 64 pairs at once, for one", Unit: "ns", measure: handOver(64)},
		{Name: "a byte through a net.Pipe and back", Unit: "ns", measure: throughPipe},
		{Name: "waking another thread and being woken by it", Unit: "ns", Note: "two threads locked to goroutines: futex and scheduler", measure: threads},
	}
}

// keep uses a result, so that the compiler leaves its computation in.
//
//go:noinline
func keep(uint64) {}

// limits measures them; it takes some 20 s.
func limits(o options) error {
	p := newProgress()
	all := physicalLimits()
	for i := range all {
		l := &all[i]
		var v []float64
		for k := range o.count {
			p.say("%s, %d of %d", l.Name, k+1, o.count)
			v = append(v, l.measure(min(o.time, 300*time.Millisecond)))
		}
		slices.Sort(v)
		l.Y, l.Min, l.Max = v[len(v)/2], v[0], v[len(v)-1]
	}
	p.clear()
	switch {
	case o.json:
		enc := json.NewEncoder(o.out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Machine machine `json:"machine"`
			Limits  []limit `json:"limits"`
		}{thisMachine(), all})
	case o.markdown:
		fmt.Fprint(o.out, "| | median | least to most |\n|---|---|---|\n")
		for _, l := range all {
			fmt.Fprintf(o.out, "| %s | %s %s | %s to %s |\n", l.Name, digits(l.Y), l.Unit, digits(l.Min), digits(l.Max))
		}
		fmt.Fprintln(o.out)
	default:
		for _, l := range all {
			fmt.Fprintf(o.out, "%-74s %8s %-4s [%s, %s]\n", l.Name, digits(l.Y), l.Unit, digits(l.Min), digits(l.Max))
		}
	}
	fmt.Fprintln(o.out, thisMachine())
	return nil
}

// perOp makes a measurement of a loop: nanoseconds for one of n. What the loop
// works on is made before.
func perOp(loop func(n int)) func(time.Duration) float64 {
	return perOpOn(func() func(int) { return loop })
}

func perOpOn(prepare func() func(n int)) func(time.Duration) float64 {
	return func(d time.Duration) float64 {
		loop := prepare()
		loop(1024)
		for n := 1024; ; n *= 2 {
			start := time.Now()
			loop(n)
			if took := time.Since(start); took > d/2 {
				return float64(took.Nanoseconds()) / float64(n)
			}
		}
	}
}

// rate is bytes for an operation in GB/s.
func rate(bytes int, f func(time.Duration) float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 { return float64(bytes) / f(d) }
}

// copying copies from one of several sources to a place of its own.
func copying(size, sources int) func(time.Duration) float64 {
	return rate(size, perOpOn(func() func(int) {
		src, dst := make([]byte, size*sources), make([]byte, size*sources)
		return func(n int) {
			for i := range n {
				at := i % sources * size
				copy(dst[at:at+size], src[at:at+size])
			}
		}
	}))
}

func summing(size int) func(time.Duration) float64 {
	return rate(size, perOpOn(func() func(int) {
		b := make([]byte, size)
		return func(n int) {
			sum := uint64(0)
			for range n {
				sum += wire.Sum(0, b)
			}
			keep(sum)
		}
	}))
}

func copySumming(size int) func(time.Duration) float64 {
	return rate(size, perOpOn(func() func(int) {
		src, dst := make([]byte, size), make([]byte, size)
		return func(n int) {
			sum := uint64(0)
			for range n {
				sum += wire.CopySum(0, dst, src)
			}
			keep(sum)
		}
	}))
}

func ceiling(size int, lent bool) func(time.Duration) float64 {
	return rate(size, perOpOn(func() func(int) {
		var b [4][]byte
		for i := range b {
			b[i] = make([]byte, size)
		}
		return func(n int) {
			sum := uint64(0)
			for range n {
				if !lent {
					copy(b[1], b[0])
				}
				sum += wire.CopySum(0, b[2], b[1])
				sum += wire.Sum(0, b[2])
				copy(b[3], b[2])
			}
			keep(sum)
		}
	}))
}

var hashing = perOp(func(n int) {
	t := ghost(1).tuple(false, 1)
	sum := uint64(0)
	for i := range n {
		t.LocalPort = uint16(i)
		sum += t.Hash(wire.Key{1, 2})
	}
	keep(sum)
})

var locking = perOp(func(n int) {
	var mu sync.Mutex
	locked := uint64(0)
	for range n {
		mu.Lock()
		locked++
		mu.Unlock()
	}
	keep(locked)
})

func handOver(pairs int) func(time.Duration) float64 {
	return perOp(func(n int) {
		var wg sync.WaitGroup
		for range pairs {
			a, b := make(chan struct{}, 1), make(chan struct{}, 1)
			wg.Go(func() {
				for range n / pairs {
					<-a
					b <- struct{}{}
				}
			})
			wg.Go(func() {
				for range n / pairs {
					a <- struct{}{}
					<-b
				}
			})
		}
		wg.Wait()
	})
}

var throughPipe = perOp(func(n int) {
	a, b := net.Pipe()
	go echo(b)
	for range n {
		exchange(a)
	}
	a.Close()
})

var threads = perOp(func(n int) {
	a, b := make(chan struct{}, 1), make(chan struct{}, 1)
	var wg sync.WaitGroup
	locked := func(f func()) {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			f()
		})
	}
	locked(func() {
		for range n {
			<-a
			b <- struct{}{}
		}
	})
	locked(func() {
		for range n {
			a <- struct{}{}
			<-b
		}
	})
	wg.Wait()
})
