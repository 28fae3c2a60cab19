package main

import (
	"fmt"
	"net"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// gvisorWorld is two of gVisor's stacks joined by its own link in memory.
type gvisorWorld struct {
	client, server *stack.Stack
	ln             *gonet.TCPListener
	addr           tcpip.FullAddress
}

// vouched is a pipe whose packets need no checksums.
type vouched struct{ *pipe.Endpoint }

func (vouched) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityTXChecksumOffload | stack.CapabilityRXChecksumOffload
}

func newGvisor(w wire) (world, error) {
	left, right := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", uint32(w.mtu))
	var a, b stack.LinkEndpoint = left, right
	if w.trusted {
		a, b = vouched{left}, vouched{right}
	}
	client, err := gvisorStack(a, tcpip.AddrFrom4([4]byte{10, 0, 0, 1}))
	if err != nil {
		return nil, err
	}
	server, err := gvisorStack(b, tcpip.AddrFrom4([4]byte{10, 0, 0, 2}))
	if err != nil {
		return nil, err
	}
	addr := tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 80}
	ln, err := gonet.ListenTCP(server, addr, ipv4.ProtocolNumber)
	return &gvisorWorld{client, server, ln, addr}, err
}

func gvisorStack(ep stack.LinkEndpoint, addr tcpip.Address) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	set := func(err tcpip.Error) error {
		if err != nil {
			return fmt.Errorf("gVisor: %s", err)
		}
		return nil
	}
	sack := tcpip.TCPSACKEnabled(true)
	cubic := tcpip.CongestionControlOption("cubic")
	rcv := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: 4 << 20}
	snd := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: 4 << 20}
	wait := tcpip.TCPTimeWaitTimeoutOption(200 * time.Millisecond)
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &cubic, &rcv, &snd, &wait} {
		if err := set(s.SetTransportProtocolOption(tcp.ProtocolNumber, o)); err != nil {
			return nil, err
		}
	}
	if err := set(s.CreateNIC(1, ep)); err != nil {
		return nil, err
	}
	pa := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: addr.WithPrefix()}
	if err := set(s.AddProtocolAddress(1, pa, stack.AddressProperties{})); err != nil {
		return nil, err
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	return s, nil
}

func (w *gvisorWorld) dial() (net.Conn, error) {
	return gonet.DialTCP(w.client, w.addr, ipv4.ProtocolNumber)
}
func (w *gvisorWorld) listener() net.Listener { return w.ln }
func (w *gvisorWorld) close() {
	w.ln.Close()
	w.client.Close()
	w.server.Close()
}
