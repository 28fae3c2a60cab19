package gvisor

import (
	"encoding/binary"
	"math/rand"
	"sync"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"estab/sim"
	"estab/tcp"
)

// netstack is a host that runs gVisor's stack in a world's time.
type netstack struct {
	w     *sim.World
	clock clock
	stack *stack.Stack
	link  *channel.Endpoint
	send  func(b []byte) // where packets go
	app   func()         // looks at its sockets; called whenever something has happened
	wake  tcp.Time       // when the world will call us for a timer; tcp.Never: it won't
}

// queueLimit is how many packets gVisor may send at once. It is more than any
// window of the tests holds.
const queueLimit = 1 << 13

// newNetstack makes a host with two addresses. All its luck comes from seed.
func newNetstack(t testing.TB, w *sim.World, seed int64, mtu int, cubic bool, addrs ...tcpip.Address) *netstack {
	n := &netstack{w: w, wake: tcp.Never, app: func() {}}
	n.clock.set(w.Now())
	proto := stack.TransportProtocolFactory(gtcp.NewProtocol)
	if cubic {
		proto = gtcp.NewProtocolCUBIC
	}
	src := &source{r: rand.New(rand.NewSource(seed))}
	n.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{proto},
		Clock:              &n.clock, RandSource: src, SecureRNG: src,
	})
	t.Cleanup(n.stack.Destroy)
	n.link = channel.New(queueLimit, uint32(mtu), "")
	if err := n.stack.CreateNIC(1, n.link); err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		proto, bits := network(a), 8
		if proto == header.IPv6ProtocolNumber {
			bits = 64
		}
		pa := tcpip.ProtocolAddress{Protocol: proto, AddressWithPrefix: tcpip.AddressWithPrefix{Address: a, PrefixLen: bits}}
		if err := n.stack.AddProtocolAddress(1, pa, stack.AddressProperties{}); err != nil {
			t.Fatal(err)
		}
	}
	n.stack.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: 1}, {Destination: header.IPv6EmptySubnet, NIC: 1},
	})
	return n
}

// network is the protocol to which an address belongs.
func network(a tcpip.Address) tcpip.NetworkProtocolNumber {
	if a.Len() == 4 {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

// option sets an option of gVisor's TCP.
func (n *netstack) option(t testing.TB, o tcpip.SettableTransportProtocolOption) {
	t.Helper()
	if err := n.stack.SetTransportProtocolOption(gtcp.ProtocolNumber, o); err != nil {
		t.Fatalf("%T: %v", o, err)
	}
}

// receive takes a packet from the wire.
func (n *netstack) receive(b []byte) {
	n.clock.set(n.w.Now())
	proto := header.IPv4ProtocolNumber
	if b[0]>>4 == 6 {
		proto = header.IPv6ProtocolNumber
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
	n.link.InjectInbound(proto, p)
	p.DecRef()
	n.settle()
}

// settle lets gVisor and its programs do all that there is to do now. It is to
// be called after everything that is done to the host.
func (n *netstack) settle() {
	n.clock.set(n.w.Now())
	for {
		n.wait()
		n.app()
		n.wait()
		if f := n.clock.due(); f != nil {
			f()
			continue
		}
		if !n.drain() {
			break
		}
	}
	if next := n.clock.next(); next < n.wake {
		n.wake = next
		n.w.At(next, n.expire)
	}
}

func (n *netstack) expire() {
	if n.w.Now() >= n.wake {
		n.wake = tcp.Never
	}
	n.settle()
}

// wait returns when no goroutine of gVisor's has work: Pause takes its turn
// behind what they have queued. A segment may be passed on from one of them to
// another (a SYN that reopens a pair in TIME-WAIT), so it is done twice.
func (n *netstack) wait() {
	for range 2 {
		n.stack.Pause()
		n.stack.Resume()
	}
}

// drain sends what gVisor has sent, and reports whether there was anything.
func (n *netstack) drain() bool {
	some := false
	for p := n.link.Read(); p != nil; p = n.link.Read() {
		some = true
		v := p.ToView()
		n.send(v.AsSlice())
		v.Release()
		p.DecRef()
	}
	return some
}

// source is the luck of a host: an io.Reader and a rand.Source for goroutines.
type source struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (s *source) Int63() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Int63()
}

func (s *source) Seed(int64) {}

func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var word [8]byte
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(word[:], s.r.Uint64())
		copy(b[i:], word[:])
	}
	return len(b), nil
}
