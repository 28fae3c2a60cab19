package gvisor

import (
	"container/heap"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"estab/tcp"
)

// clock is a tcpip.Clock that stands still until it is set. Unlike gVisor's
// own faketime.ManualClock it can say when its next timer is due, and timers
// for the same instant go off in the order in which they were set.
type clock struct {
	mu     sync.Mutex
	now    tcp.Time
	order  uint64
	timers timerHeap
}

// timer is a tcpip.Timer.
type timer struct {
	clock *clock
	run   func()
	at    tcp.Time
	order uint64
	index int // in the heap; -1: it is not set
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, int64(c.now))
}

func (c *clock) NowMonotonic() (t tcpip.MonotonicTime) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return t.Add(time.Duration(c.now))
}

func (c *clock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	t := &timer{clock: c, run: f, index: -1}
	t.Reset(d)
	return t
}

func (t *timer) Reset(d time.Duration) {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop(t)
	c.order++
	t.at, t.order = c.now.Add(max(d, 0)), c.order
	heap.Push(&c.timers, t)
}

func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.clock.stop(t)
}

func (c *clock) stop(t *timer) bool {
	if t.index < 0 {
		return false
	}
	heap.Remove(&c.timers, t.index)
	return true
}

// set moves the clock.
func (c *clock) set(now tcp.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = max(c.now, now)
}

// next is when the next timer is due.
func (c *clock) next() tcp.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return tcp.Never
	}
	return c.timers[0].at
}

// due takes a timer that is due off the list, or nil.
func (c *clock) due() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 || c.timers[0].at > c.now {
		return nil
	}
	return heap.Pop(&c.timers).(*timer).run
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	x.(*timer).index = len(*h)
	*h = append(*h, x.(*timer))
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
