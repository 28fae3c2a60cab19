package estab

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"estab/inet"
	"estab/link"
	"estab/tcp"
)

// Host is a machine on the network: addresses, routes, connections and
// listeners. Its methods may be called by any number of goroutines at once.
//
// A host has no goroutine of its own. It lives on those of its users, of its
// devices and of its timers.
type Host struct {
	cfg    Config
	base   link.Instant // what its clock counts from
	shards []shard
	shift  uint8   // a flow's hash shifted right by it is the index of its shard
	ports  []*port // by LinkID; 0 is the loopback
	works  sync.Pool
	bufs   sync.Pool
	conns  atomic.Int64 // in their users' hands
	asleep atomic.Bool  // Suspend was called: timers do nothing

	mu        sync.Mutex // a leaf
	listeners map[uint16][]*Listener
	ending    bool // Shutdown or Close was called
}

const loopbackName = "lo"

// NewHost makes a host. It attaches itself to the links of the configuration,
// which belong to it from then on: Close closes them.
//
// In a testing/synctest bubble the host, its links and whoever uses them
// belong to that bubble.
func NewHost(cfg Config) (*Host, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Host{
		cfg: cfg, base: link.Now(), shards: make([]shard, cfg.Shards),
		shift:     uint8(64 - bits.TrailingZeros(uint(cfg.Shards))),
		listeners: make(map[uint16][]*Listener),
	}
	h.works.New = func() any { return new(link.Work) }
	h.bufs.New = func() any { return new(copyBuffer) }
	h.ports = []*port{{host: h, name: loopbackName}}
	for i, l := range cfg.Links {
		h.ports = append(h.ports, &port{host: h, id: inet.LinkID(i + 1), link: l.Link, name: l.Name})
	}
	for i := range h.shards {
		h.shards[i].index = i
		if err := h.makeShard(&h.shards[i]); err != nil {
			return nil, err
		}
	}
	for _, p := range h.ports[1:] {
		if err := p.link.Attach(p); err != nil {
			return nil, fmt.Errorf("estab: link %s: %w", p.name, err)
		}
	}
	return h, nil
}

// makeShard gives a shard its stack. All shards have the same.
func (h *Host) makeShard(sh *shard) error {
	var ring *tcp.Ring
	if h.cfg.Events > 0 {
		ring = tcp.NewRing(h.cfg.Events, h.cfg.EventMask)
	}
	stack, err := inet.New(inet.Config{TCP: h.cfg.engine(ring), TTL: h.cfg.TTL})
	if err != nil {
		return fmt.Errorf("estab: %w", err)
	}
	for _, l := range h.cfg.Links {
		caps := l.Link.Caps()
		_, err := stack.AddLink(inet.LinkConfig{
			Name: l.Name, MTU: caps.MTU, Addrs: l.Addrs,
			RxVerified: caps.RxVerified, TxUnchecked: caps.TxUnchecked, Shares: caps.Shares, Local: caps.Local,
		})
		if err != nil {
			return fmt.Errorf("estab: link %s: %w", l.Name, err)
		}
	}
	for _, r := range h.cfg.Routes {
		id, ok := h.linkByName(r.Link)
		if !ok {
			return fmt.Errorf("estab: route to %v: no link is called %q", r.Dst, r.Link)
		}
		if err := stack.AddRoute(r.Dst, r.Via, id); err != nil {
			return fmt.Errorf("estab: route to %v: %w", r.Dst, err)
		}
	}
	sh.init(h, stack, ring)
	return nil
}

// linkByName is the link of that name; "" is the first after the loopback.
func (h *Host) linkByName(name string) (inet.LinkID, bool) {
	if name == "" && len(h.ports) > 1 {
		return 1, true
	}
	for _, p := range h.ports {
		if p.name == name {
			return p.id, true
		}
	}
	return 0, false
}

// now is the host's clock. It never runs backwards, and never says 0, which
// stands for "no deadline". Read under a shard's lock it is monotonic there.
func (h *Host) now() tcp.Time { return tcp.Time(link.Now()-h.base) + 1 }

// at is what the host's clock said at an instant; zero is now.
func (h *Host) at(t link.Instant) tcp.Time {
	if t == 0 {
		return h.now()
	}
	return tcp.Time(t-h.base) + 1
}

// shard is where the flow with that hash lives. The tables in the shard go by
// the low bits of the hash.
func (h *Host) shard(hash uint64) *shard { return &h.shards[hash>>h.shift] }

func (h *Host) getWork() *link.Work  { return h.works.Get().(*link.Work) }
func (h *Host) putWork(w *link.Work) { h.works.Put(w) }

// Addrs are the host's addresses, loopback not included.
func (h *Host) Addrs() []netip.Addr {
	var addrs []netip.Addr
	for _, l := range h.cfg.Links {
		for _, p := range l.Addrs {
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs
}

// Shutdown lets the host end in order. It closes all listeners, refuses new
// connections, and returns when nothing is left that a peer has not
// acknowledged: of every connection all data and the FIN. So it waits for
// users who have not yet closed (or closed for writing) their connections,
// and it does not wait for TIME-WAIT. If the context ends first, its error is
// returned; the host then goes on as it is, and Shutdown may be called again.
//
// Connections stay readable. Close is still needed to give everything back.
func (h *Host) Shutdown(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	h.end()
	for i := range h.shards {
		if err := h.shards[i].waitDrained(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the host at once: every connection is reset, every call that
// waits returns net.ErrClosed, the links are closed, and no timer remains.
// Connections that their users have closed are reset, too, unless all of their
// data and the FIN was acknowledged. Calling it again does nothing.
func (h *Host) Close() error {
	h.end()
	for i := range h.shards {
		h.shards[i].close()
	}
	var errs []error
	for _, p := range h.ports[1:] {
		if err := p.link.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// end refuses what is new and closes the listeners.
func (h *Host) end() {
	h.mu.Lock()
	h.ending = true
	var all []*Listener
	for _, ls := range h.listeners {
		all = append(all, ls...)
	}
	h.mu.Unlock()
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		sh.ending = true
		sh.mu.Unlock()
	}
	for _, l := range all {
		l.Close()
	}
}

// waitDrained waits until the shard has drained.
func (sh *shard) waitDrained(ctx context.Context) error {
	sh.mu.Lock()
	for !sh.closed && !sh.drained() {
		if err := ctx.Err(); err != nil {
			sh.mu.Unlock()
			return err
		}
		w := sh.idle.get()
		sh.drain.push(w)
		sh.mu.Unlock()
		select {
		case <-w.ch:
			sh.mu.Lock()
		case <-ctx.Done():
			sh.mu.Lock()
			if !sh.drain.remove(w) {
				<-w.ch // the token is in it, or about to be
			}
		}
		sh.idle.put(w)
	}
	closed := sh.closed
	sh.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	return nil
}
