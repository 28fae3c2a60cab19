package tun

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"estab/link"
)

// fakeFile is a device without a kernel.
type fakeFile struct {
	arrive  chan string
	gone    chan struct{} // closed when somebody deletes the interface
	closed  chan struct{}
	mu      sync.Mutex
	written []string
	batches []int
	lose    int           // writes that fail from now on
	gate    chan struct{} // if not nil, write waits for it
	inside  atomic.Int32  // writers at once
}

func newFake(mtu int) (*Device, *fakeFile) {
	f := &fakeFile{arrive: make(chan string), gone: make(chan struct{}), closed: make(chan struct{})}
	return newDevice(f, "fake0", mtu), f
}

func (f *fakeFile) read(pkts []*link.Packet) (int, error) {
	select {
	case s := <-f.arrive:
		if pkts[0] == nil {
			pkts[0] = link.NewPacket(1500)
		}
		copy(pkts[0].Resize(len(s)), s)
		return 1, nil
	case <-f.gone:
		return 0, io.ErrUnexpectedEOF
	case <-f.closed:
		return 0, errors.New("closed")
	}
}

func (f *fakeFile) write(pkts []*link.Packet) (lost int) {
	if f.inside.Add(1) != 1 {
		panic("two writers at once")
	}
	defer f.inside.Add(-1)
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, len(pkts))
	for _, p := range pkts {
		if f.lose > 0 {
			f.lose--
			lost++
			continue
		}
		f.written = append(f.written, string(p.Bytes()))
	}
	return lost
}

func (f *fakeFile) lost() uint64 { return 0 }

func (f *fakeFile) close() error {
	close(f.closed)
	return nil
}

// host is a receiver that notes what it gets.
type host struct {
	mu       sync.Mutex
	got      []string
	writable int
	onRoom   func(w *link.Work)
}

func (h *host) Deliver(w *link.Work, pkts []*link.Packet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range pkts {
		h.got = append(h.got, string(p.Bytes()))
		p.Resize(0)
	}
}

func (h *host) Writable(w *link.Work) {
	h.mu.Lock()
	h.writable++
	f := h.onRoom
	h.mu.Unlock()
	if f != nil {
		f(w)
	}
}

func packets(from, to int) (ps []*link.Packet) {
	for i := from; i < to; i++ {
		p := link.NewPacket(100)
		p.Append(fmt.Append(nil, i))
		ps = append(ps, p)
	}
	return ps
}

func numbers(n int) (s []string) {
	for i := range n {
		s = append(s, fmt.Sprint(i))
	}
	return s
}

func TestDeviceReceives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, f := newFake(1500)
		h := &host{}
		if err := d.Attach(nil); err == nil {
			t.Error("no receiver is accepted")
		}
		if err := d.Attach(h); err != nil {
			t.Fatal(err)
		}
		if err := d.Attach(&host{}); err == nil {
			t.Error("a second receiver is accepted")
		}
		f.arrive <- "one"
		f.arrive <- "three"
		synctest.Wait()
		if !slices.Equal(h.got, []string{"one", "three"}) {
			t.Errorf("got %q", h.got)
		}
		if s := d.Stats().In; s != (link.Counts{Packets: 2, Bytes: 8}) {
			t.Errorf("%+v", s)
		}
		if d.Err() != nil || d.Name() != "fake0" || d.Caps() != (link.Caps{MTU: 1500}) {
			t.Errorf("%v, %s, %+v", d.Err(), d.Name(), d.Caps())
		}
		for range 2 { // the second time it does nothing
			if err := d.Close(); err != nil { // the reader has ended, or the bubble would not
				t.Error(err)
			}
		}
		if err := d.Err(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Err is %v", err)
		}
		if err := d.Attach(h); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Attach after Close: %v", err)
		}
	})
}

// Somebody deletes the interface: the reader ends, Err says so, Close works.
func TestDeviceGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, f := newFake(1500)
		if err := d.Attach(&host{}); err != nil {
			t.Fatal(err)
		}
		close(f.gone)
		synctest.Wait()
		if err := d.Err(); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), "tun: read fake0: ") {
			t.Errorf("Err is %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseWithoutAttach(t *testing.T) {
	d, _ := newFake(1500)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// Nothing is written before Run; then it is written in order and in batches.
// The slabs come back with the next packets.
func TestTransmit(t *testing.T) {
	d, f := newFake(1500)
	var w link.Work
	pkts := packets(0, 200)
	if n := d.Enqueue(&w, pkts); n != 200 {
		t.Fatalf("took %d", n)
	}
	if i := slices.IndexFunc(pkts, func(p *link.Packet) bool { return p != nil }); i >= 0 {
		t.Errorf("place %d has a slab, where from?", i)
	}
	if len(f.written) != 0 || d.Stats().Out.Held != 200 {
		t.Error("written too early")
	}
	w.Run()
	if !slices.Equal(f.written, numbers(200)) || !slices.Equal(f.batches, []int{64, 64, 64, 8}) {
		t.Errorf("wrote %d packets in batches of %v", len(f.written), f.batches)
	}
	pkts = packets(200, 300)
	d.Enqueue(&w, pkts)
	for i, p := range pkts {
		if p == nil || p.Len() != 0 {
			t.Fatalf("place %d: no empty slab", i)
		}
	}
	w.Run()
	if s := d.Stats().Out; s != (link.Counts{Packets: 300, Bytes: 10 + 2*90 + 3*200}) {
		t.Errorf("%+v", s)
	}
}

// What the kernel doesn't take, and what is larger than the MTU, is counted.
func TestTransmitLosses(t *testing.T) {
	d, f := newFake(68)
	f.lose = 2
	var w link.Work
	fits, big := link.NewPacket(100), link.NewPacket(100)
	fits.Resize(68)
	big.Resize(69)
	pkts := append(packets(0, 3), fits, big)
	if n := d.Enqueue(&w, pkts); n != 5 {
		t.Fatalf("took %d", n)
	}
	if pkts[4] != big || big.Len() != 0 {
		t.Error("the large packet's slab did not come back")
	}
	w.Run()
	if s := d.Stats().Out; s.Packets != 5 || s.Dropped != 3 || len(f.written) != 2 {
		t.Errorf("%+v, %d written", s, len(f.written))
	}
}

// Both sides of the queue's limit: it refuses what is over, says when it is
// half empty, once, and loses nothing.
func TestTransmitRefuses(t *testing.T) {
	d, f := newFake(1500)
	h := &host{}
	d.recv = h
	var w link.Work
	if n := d.Enqueue(&w, packets(0, queueLimit-1)); n != queueLimit-1 {
		t.Fatalf("took %d", n)
	}
	if n := d.Enqueue(&w, packets(queueLimit-1, queueLimit)); n != 1 {
		t.Fatalf("took %d, to the brim", n)
	}
	rest := packets(queueLimit, queueLimit+1)
	if n := d.Enqueue(&w, rest); n != 0 || rest[0] == nil || rest[0].Len() == 0 {
		t.Fatalf("took %d of too many", n)
	}
	held := 0
	h.onRoom = func(w *link.Work) {
		held = d.Stats().Out.Held
		if n := d.Enqueue(w, rest); n != 1 {
			t.Errorf("took %d after Writable", n)
		}
	}
	w.Run()
	if h.writable != 1 || held > queueLimit/2 || held <= queueLimit/2-batchSize {
		t.Errorf("writable said %d times, with %d in the queue", h.writable, held)
	}
	if !slices.Equal(f.written, numbers(queueLimit+1)) {
		t.Errorf("wrote %d packets, or not in order", len(f.written))
	}
}

// While one writes, others only queue; the one who writes looks again, and
// nothing is forgotten.
func TestTransmitToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, f := newFake(1500)
		f.gate = make(chan struct{})
		done := make(chan struct{})
		go func() {
			var w link.Work
			d.Enqueue(&w, packets(0, 1))
			w.Run()
			close(done)
		}()
		synctest.Wait() // it is in the system call
		var w link.Work
		d.Enqueue(&w, packets(1, 2))
		w.Run() // doesn't wait
		if d.Stats().Out.Held != 1 {
			t.Errorf("%+v", d.Stats().Out)
		}
		close(f.gate)
		<-done
		synctest.Wait()
		if !slices.Equal(f.written, numbers(2)) {
			t.Errorf("wrote %q", f.written)
		}
	})
}

// Many senders, a full queue, writers that take turns: all is written once, in
// each sender's order.
func TestTransmitConcurrent(t *testing.T) {
	d, f := newFake(1500)
	const senders, each = 4, 3000
	var wg sync.WaitGroup
	for g := range senders {
		wg.Go(func() {
			var w link.Work
			for i := range each {
				p := link.NewPacket(100)
				p.Append(fmt.Append(nil, g, " ", i))
				for d.Enqueue(&w, []*link.Packet{p}) == 0 {
					w.Run()
				}
				if i%7 == 0 {
					w.Run()
				}
			}
			w.Run()
		})
	}
	wg.Wait()
	for d.Stats().Out.Held > 0 { // a helper is still at it
		var w link.Work
		w.Add(&d.tx)
		w.Run()
	}
	d.tx.token.Lock()
	defer d.tx.token.Unlock()
	next := [senders]int{}
	for _, s := range f.written {
		var g, i int
		fmt.Sscan(s, &g, &i)
		if i != next[g] {
			t.Fatalf("sender %d: %d where %d was due", g, i, next[g])
		}
		next[g]++
	}
	if len(f.written) != senders*each {
		t.Errorf("%d written", len(f.written))
	}
}

// Close writes what waits, and drops and counts what comes then.
func TestTransmitClose(t *testing.T) {
	d, f := newFake(1500)
	var w link.Work
	const wait = 3*batchSize + 5
	d.Enqueue(&w, packets(0, wait))
	d.Close()
	if !slices.Equal(f.written, numbers(wait)) {
		t.Errorf("%d written: %q", len(f.written), f.written)
	}
	pkts := packets(3, 4)
	if n := d.Enqueue(&w, pkts); n != 1 || pkts[0] == nil {
		t.Errorf("took %d", n)
	}
	w.Run()
	if s := d.Stats().Out; len(f.written) != wait || s.Packets != wait+1 || s.Dropped != 1 || s.Held != 0 {
		t.Errorf("%+v, %d written", s, len(f.written))
	}
}

// countless is a file that takes everything and notes nothing.
type countless struct{ fakeFile }

func (*countless) write([]*link.Packet) int { return 0 }

func TestEnqueueAllocatesNothing(t *testing.T) {
	d := newDevice(&countless{}, "fake0", 1500)
	var w link.Work
	pkts := packets(0, 32)
	run := func() {
		for i := range pkts {
			if pkts[i] == nil {
				pkts[i] = link.NewPacket(1500)
			}
			pkts[i].Resize(1000)
		}
		d.Enqueue(&w, pkts)
		w.Run()
	}
	for range 10 {
		run()
	}
	if n := testing.AllocsPerRun(200, run); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{MTU: 67}, "tun: MTU 67: must be from 68 to 65535, or 0"},
		{Config{MTU: 65536}, "tun: MTU 65536: must be from 68 to 65535, or 0"},
		{Config{MTU: -1}, "tun: MTU -1: must be from 68 to 65535, or 0"},
		{Config{Addrs: []netip.Prefix{{}}}, "tun: address invalid Prefix: not a prefix such as 10.0.0.1/24"},
	} {
		if _, err := Open(c.cfg); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
