package main

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/link/qdisc/fifo"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// gvisorConfig is what can be chosen about gVisor's stacks. The zero value is
// its own defaults over its own pipe, with SACK.
type gvisorConfig struct {
	buffers  int  // most bytes of either buffer; 0: 4 MiB
	initial  int  // bytes that they start with; 0: 1 MiB
	gso      bool // segments of up to 64 KiB, split by gVisor below its TCP
	queue    bool // a fifo queueing discipline: a goroutine per link that sends batches
	loopback bool // one stack and its loopback, where it omits checksums
	noRACK   bool // loss recovery by SACK alone
	moderate bool // receive buffers grow
	reno     bool // in place of CUBIC
	cookies  bool // SYN cookies always
}

// gvisorWorld is two of gVisor's stacks joined by its own link in memory, or
// one with a loopback.
type gvisorWorld struct {
	client, server *stack.Stack
	ln             *gonet.TCPListener
	addr           tcpip.FullAddress
	ghosts         *gvisorRaw
}

// gvisorEnd is one end of gVisor's pipe, with what is chosen about it.
type gvisorEnd struct {
	*pipe.Endpoint
	trusted, gso bool
}

func (e *gvisorEnd) Capabilities() stack.LinkEndpointCapabilities {
	if e.trusted {
		return stack.CapabilityTXChecksumOffload | stack.CapabilityRXChecksumOffload
	}
	return 0
}

// GSOMaxSize is part of stack.GSOEndpoint.
func (e *gvisorEnd) GSOMaxSize() uint32 { return stack.GVisorGSOMaxSize }

// SupportedGSO is part of stack.GSOEndpoint.
func (e *gvisorEnd) SupportedGSO() stack.SupportedGSO {
	if e.gso {
		return stack.GVisorGSOSupported
	}
	return stack.GSONotSupported
}

func newGvisor(w wiring) (world, error) {
	c, ok := gvisorConfigs[w.gvisor]
	if !ok {
		return nil, fmt.Errorf("gVisor has no configuration %q", w.gvisor)
	}
	addr := tcpip.AddrFrom4([4]byte{10, 0, 0, 2})
	gw := &gvisorWorld{addr: tcpip.FullAddress{NIC: 1, Addr: addr, Port: 80}}
	var err error
	if c.loopback {
		if gw.server, err = gvisorStack(w, c, loopback.New(), addr); err != nil {
			return nil, err
		}
		gw.client = gw.server
	} else {
		left, right := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", uint32(w.mtu))
		if gw.client, err = gvisorStack(w, c, &gvisorEnd{left, w.trusted, c.gso}, tcpip.AddrFrom4([4]byte{10, 0, 0, 1})); err != nil {
			return nil, err
		}
		if gw.server, err = gvisorStack(w, c, &gvisorEnd{right, w.trusted, c.gso}, addr); err != nil {
			return nil, err
		}
	}
	if !w.raw {
		gw.ln, err = gonet.ListenTCP(gw.server, gw.addr, ipv4.ProtocolNumber)
		return gw, err
	}
	if err := gw.addRaw(); err != nil {
		return nil, err
	}
	// Port 80 of every address, of both families.
	gw.ln, err = gonet.ListenTCP(gw.server, tcpip.FullAddress{Port: 80}, ipv6.ProtocolNumber)
	return gw, err
}

func gvisorError(err tcpip.Error) error {
	if err != nil {
		return fmt.Errorf("gVisor: %s", err)
	}
	return nil
}

func gvisorStack(w wiring, c gvisorConfig, ep stack.LinkEndpoint, addr tcpip.Address) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	most, first, msl := c.buffers, c.initial, w.msl
	if most == 0 {
		most = 4 << 20
	}
	if first == 0 {
		first = 1 << 20
	}
	if msl == 0 {
		msl = 100 * time.Millisecond // or it would run out of ports
	}
	sack := tcpip.TCPSACKEnabled(true)
	cc := tcpip.CongestionControlOption("cubic")
	if c.reno {
		cc = "reno"
	}
	rcv := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: first, Max: most}
	snd := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: first, Max: most}
	wait := tcpip.TCPTimeWaitTimeoutOption(2 * msl)
	moderate := tcpip.TCPModerateReceiveBufferOption(c.moderate)
	cookies := tcpip.TCPAlwaysUseSynCookies(c.cookies)
	opts := []tcpip.SettableTransportProtocolOption{&sack, &cc, &rcv, &snd, &wait, &moderate, &cookies}
	if c.noRACK {
		recovery := tcpip.TCPRecovery(0)
		opts = append(opts, &recovery)
	}
	for _, o := range opts {
		if err := gvisorError(s.SetTransportProtocolOption(tcp.ProtocolNumber, o)); err != nil {
			return nil, err
		}
	}
	nic := stack.NICOptions{}
	if c.queue {
		nic.QDisc = fifo.New(ep, runtime.GOMAXPROCS(0), 1000)
	}
	if err := gvisorError(s.CreateNICWithOptions(1, ep, nic)); err != nil {
		return nil, err
	}
	pa := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: addr.WithPrefix()}
	if err := gvisorError(s.AddProtocolAddress(1, pa, stack.AddressProperties{})); err != nil {
		return nil, err
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	return s, nil
}

// gvisorRaw is a link of gVisor's that a row drives by hand.
type gvisorRaw struct {
	*pipe.Endpoint
	d stack.NetworkDispatcher
	f func([]byte)
}

// addRaw gives the server its second link.
func (w *gvisorWorld) addRaw() error {
	ep, _ := pipe.New("\x02\x00\x00\x00\x00\x03", "\x02\x00\x00\x00\x00\x04", 1500)
	w.ghosts = &gvisorRaw{Endpoint: ep}
	if err := gvisorError(w.server.CreateNIC(2, w.ghosts)); err != nil {
		return err
	}
	a4, a6 := ghostServer4.Addr().As4(), ghostServer6.Addr().As16()
	for _, pa := range []tcpip.ProtocolAddress{
		{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{Address: tcpip.AddrFrom4(a4), PrefixLen: ghostServer4.Bits()}},
		{Protocol: ipv6.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{Address: tcpip.AddrFrom16(a6), PrefixLen: ghostServer6.Bits()}},
	} {
		if err := gvisorError(w.server.AddProtocolAddress(2, pa, stack.AddressProperties{})); err != nil {
			return err
		}
		w.server.AddRoute(tcpip.Route{Destination: pa.AddressWithPrefix.Subnet(), NIC: 2})
	}
	// The more special routes first.
	routes := w.server.GetRouteTable()
	w.server.SetRouteTable(append(routes[1:], routes[0]))
	return nil
}

func (w *gvisorWorld) raw() rawLink { return w.ghosts }

func (w *gvisorWorld) listen(port int) (net.Listener, error) {
	return gonet.ListenTCP(w.server, tcpip.FullAddress{Port: uint16(port)}, ipv6.ProtocolNumber)
}

func (r *gvisorRaw) onSent(f func([]byte)) { r.f = f }

// Attach is part of stack.LinkEndpoint.
func (r *gvisorRaw) Attach(d stack.NetworkDispatcher) {
	r.d = d
	r.Endpoint.Attach(d)
}

// WritePackets is part of stack.LinkEndpoint.
func (r *gvisorRaw) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	for _, pkt := range pkts.AsSlice() {
		v := pkt.ToView()
		r.f(v.AsSlice())
		v.Release()
	}
	return pkts.Len(), nil
}

func (r *gvisorRaw) send(pkts [][]byte) {
	for _, b := range pkts {
		proto := ipv4.ProtocolNumber
		if b[0]>>4 == 6 {
			proto = ipv6.ProtocolNumber
		}
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(bytes.Clone(b))})
		r.d.DeliverNetworkPacket(proto, pkt)
		pkt.DecRef()
	}
}

func (w *gvisorWorld) dial() (net.Conn, error) {
	return gonet.DialTCP(w.client, w.addr, ipv4.ProtocolNumber)
}
func (w *gvisorWorld) listener() net.Listener { return w.ln }
func (w *gvisorWorld) close() {
	w.ln.Close()
	w.client.Close()
	if w.server != w.client {
		w.server.Close()
	}
}
