package estabtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"estab"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// Host is a machine on a [Network]. It outlives its crashes: what is called
// after [Host.Restart] happens in its new life.
type Host struct {
	net   *Network
	name  string
	node  *node
	addrs []netip.Addr

	life  sync.Mutex // held while it is made, killed, paused or resumed
	lives int
	stack atomic.Pointer[estab.Host]

	nic     *nic         // of the present life; under the network's lock
	busy    atomic.Int32 // packets since the last drain
	stalled atomic.Pointer[stall]

	draining sync.Mutex // held over taking events and applying them
	shift    int64      // how far the clock of the present life is behind the network's
	lossy    bool       // events were lost
}

// ring is how many events a host holds until they are taken, drainEvery after
// how many packets they are, and wanted which: segments the network sees itself.
const (
	ring       = 1024
	drainEvery = 256
	wanted     = tcp.EventState | tcp.EventDrop | tcp.EventTimer | tcp.EventBlocked | tcp.EventClosed
)

// Host is the host of that name; the first call makes it. It is on the switch,
// has an address of each family, and its name and those of all others resolve
// there.
func (n *Network) Host(name string) *Host {
	n.t.Helper()
	if err := n.check(); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	v := n.nodes[name]
	n.mu.Unlock()
	if v != nil {
		if v.host == nil {
			n.t.Fatalf("estabtest: Host: %q is not a host", name)
		}
		return v.host
	}
	if name == "" {
		n.t.Fatal("estabtest: Host: a host needs a name")
	}
	h := n.addHost(name)
	if err := h.boot(); err != nil {
		n.t.Fatal(err)
	}
	return h
}

func (n *Network) addHost(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := n.addNode(name)
	h := &Host{net: n, name: name, node: v}
	h.addrs = []netip.Addr{netip.AddrFrom4(v.addr4), netip.AddrFrom16(v.addr6)}
	v.host = h
	n.hosts = append(n.hosts, h)
	for _, a := range h.addrs {
		n.byAddr[wire.AddrFrom(a)] = v
	}
	return h
}

// boot begins a life of the host.
func (h *Host) boot() error {
	h.life.Lock()
	defer h.life.Unlock()
	n := h.net
	c := &nic{net: n, node: h.node, mtu: n.mtu}
	n.mu.Lock()
	closed := n.closed
	n.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	h.lives++
	cfg := estab.Config{
		Links: []estab.LinkConfig{{Link: c, Name: "net", Addrs: []netip.Prefix{
			netip.PrefixFrom(h.addrs[0], 8), netip.PrefixFrom(h.addrs[1], 64),
		}}},
		// Answers to invented addresses leave the host, and are lost.
		Routes: []estab.Route{
			{Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}, {Dst: netip.PrefixFrom(netip.IPv6Unspecified(), 0)},
		},
		Shards: 1, Resolver: n, Secret: n.secret(h.name, h.lives), KeepAlive: n.opts.keepAlive,
		Events: ring, EventMask: wanted,
	}
	for _, f := range n.opts.configure {
		f(h.name, &cfg)
	}
	shift := n.now() - 1 // a host's clock begins with 1
	stack, err := estab.NewHost(cfg)
	if err != nil {
		return fmt.Errorf("estabtest: host %s: %w", h.name, err)
	}
	h.draining.Lock()
	h.shift = shift
	h.stack.Store(stack)
	h.draining.Unlock()
	n.mu.Lock()
	h.nic = c
	n.mu.Unlock()
	return nil
}

// secret is that of a life of a host.
func (n *Network) secret(name string, life int) (s [32]byte) {
	for i := range 4 {
		k := wire.Key{n.seed, hashOf(name)}
		binary.LittleEndian.PutUint64(s[8*i:], wire.SipHash(k, uint64(life), uint64(i)))
	}
	return s
}

// Name is the host's name.
func (h *Host) Name() string { return h.name }

// Addrs are the host's addresses: one of IPv4, then one of IPv6.
func (h *Host) Addrs() []netip.Addr { return append([]netip.Addr(nil), h.addrs...) }

// Stack is the host as package estab knows it, in its present life: for what
// this type has no method for. Connections that are opened through it are like
// all others, except that [Host.Stall] doesn't hold them up.
func (h *Host) Stack() *estab.Host { return h.stack.Load() }

// Dial connects to an address of package net, such as "db.internal:5432". The
// connection is a [*Conn].
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext connects to an address. It fits http.Transport.DialContext and
// its like in other packages.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return h.dial(ctx, estab.Dialer{}, network, address)
}

// DialFunc is [Host.DialContext] with the dialer's settings; its Host needs not
// be set.
func (h *Host) DialFunc(d estab.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return h.dial(ctx, d, network, address)
	}
}

func (h *Host) dial(ctx context.Context, d estab.Dialer, network, address string) (net.Conn, error) {
	if err := h.net.check(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	d.Host = h.Stack()
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: c.(*estab.Conn), host: h}, nil
}

// Listen announces on an address of the host: ":80" for all of them,
// "db.internal:80" for the one of IPv4. The listener ends with the host's
// present life. Its connections are [*Conn]s.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	return h.ListenFunc(estab.ListenConfig{})(network, address)
}

// ListenFunc is [Host.Listen] with the configuration's settings; its Host
// needs not be set.
func (h *Host) ListenFunc(lc estab.ListenConfig) func(network, address string) (net.Listener, error) {
	return func(network, address string) (net.Listener, error) {
		if err := h.net.check(); err != nil {
			return nil, &net.OpError{Op: "listen", Net: network, Err: err}
		}
		lc := lc
		lc.Host = h.Stack()
		l, err := lc.Listen(context.Background(), network, address)
		if err != nil {
			return nil, err
		}
		return &listener{Listener: l.(*estab.Listener), host: h}, nil
	}
}

// drain takes the events of the host's engine and lets the flows know.
func (h *Host) drain() {
	h.draining.Lock()
	defer h.draining.Unlock()
	h.busy.Store(0)
	events, lost := h.stack.Load().Events()
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.nic == nil {
		return // what a dead host's engine says is no news
	}
	h.lossy = h.lossy || lost > 0
	for _, ev := range events {
		if ev.Kind&wanted == 0 {
			continue // somebody's Configure wants more
		}
		ev.Time = ev.Time.Add(durationOf(h.shift))
		f := n.flows[flowKey(ev.Tuple)]
		if f == nil || int64(ev.Time) < f.began {
			continue
		}
		s := trace.Left
		if t := ev.Tuple; f.tuple.Local != t.Local || f.tuple.LocalPort != t.LocalPort {
			s = trace.Right
		}
		f.apply(s, ev)
	}
}
