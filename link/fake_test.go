package link

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// catcher is a Receiver that takes everything in at once and gives the slabs
// back.
type catcher struct {
	mu       sync.Mutex
	start    time.Time
	got      []string // the packets' bytes
	at       []time.Duration
	writable int
	onRoom   func(w *Work)
}

func newCatcher() *catcher { return &catcher{start: time.Now()} }

func (c *catcher) Deliver(_ *Work, pkts []*Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range pkts {
		c.got = append(c.got, string(p.Bytes()))
		c.at = append(c.at, time.Since(c.start))
		p.Resize(0)
	}
}

func (c *catcher) Writable(w *Work) {
	c.mu.Lock()
	c.writable++
	f := c.onRoom
	c.mu.Unlock()
	if f != nil {
		f(w)
	}
}

// take returns what has arrived, and forgets it.
func (c *catcher) take() (got []string, at []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, at = c.got, c.at
	c.got, c.at = nil, nil
	return got, at
}

func packet(text string) *Packet {
	p := NewPacket(len(text))
	p.Append([]byte(text))
	return p
}

func packets(texts ...string) []*Packet {
	var ps []*Packet
	for _, s := range texts {
		ps = append(ps, packet(s))
	}
	return ps
}

// numbered makes texts "0", "1", … of n packets.
func numbered(n int) []string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprint(i))
	}
	return s
}

// send enqueues and runs; everything must be taken, and what lies in the
// packets' places must be empty.
func send(t testing.TB, l Link, texts ...string) {
	t.Helper()
	var w Work
	ps := packets(texts...)
	if n := l.Enqueue(&w, ps); n != len(ps) {
		t.Fatalf("took %d of %d packets", n, len(ps))
	}
	for i, p := range ps {
		if p != nil && p.Len() != 0 {
			t.Fatalf("place %d holds %q", i, p.Bytes())
		}
	}
	w.Run()
}

// narrow is a Link that takes room packets and then refuses.
type narrow struct {
	mu      sync.Mutex
	room    int
	refused bool
	sent    []string
	recv    Receiver
	closed  bool
	onFull  func() // called once, when it refuses, still in Enqueue
}

func (l *narrow) Caps() Caps              { return Caps{MTU: 1500} }
func (l *narrow) Attach(r Receiver) error { l.recv = r; return nil }
func (l *narrow) Close() error            { l.closed = true; return nil }

func (l *narrow) Enqueue(w *Work, pkts []*Packet) int {
	l.mu.Lock()
	n := min(l.room, len(pkts))
	l.room -= n
	for _, p := range pkts[:n] {
		l.sent = append(l.sent, string(p.Bytes()))
		p.Resize(0)
	}
	var full func()
	if n < len(pkts) {
		l.refused = true
		full, l.onFull = l.onFull, nil
	}
	l.mu.Unlock()
	if full != nil {
		full()
	}
	return n
}

// widen makes room and says so if somebody was refused.
func (l *narrow) widen(n int) {
	l.mu.Lock()
	l.room += n
	tell := l.refused
	l.refused = false
	l.mu.Unlock()
	if tell {
		var w Work
		l.recv.Writable(&w)
		w.Run()
	}
}

func (l *narrow) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.sent...)
}
