package inet_test

import (
	"fmt"
	"net/netip"

	"estab/inet"
	"estab/internal/wire"
	"estab/tcp"
)

// direct is an Outbox that hands each packet to the other host.
type direct struct{ to *inet.Stack }

func (d direct) Room(inet.LinkID) bool            { return true }
func (d direct) Send(_ inet.LinkID, p *wire.Slab) { d.to.Input(0, 1, p) }

// Two hosts, one connection, and no clock: what happens in no time needs none.
func Example() {
	host := func(secret byte, addr string) *inet.Stack {
		s, err := inet.New(inet.Config{TCP: tcp.Config{Secret: [32]byte{secret}}})
		if err != nil {
			fmt.Println(err)
		}
		if _, err := s.AddLink(inet.LinkConfig{Name: "eth0", Addrs: []netip.Prefix{netip.MustParsePrefix(addr)}}); err != nil {
			fmt.Println(err)
		}
		return s
	}
	client, server := host(1, "192.0.2.1/24"), host(2, "192.0.2.2/24")
	listener, _ := server.TCP().Listen(0, tcp.ListenOptions{Port: 80, Backlog: 1})

	remote := netip.MustParseAddrPort("192.0.2.2:80")
	source, _ := client.Source(remote.Addr())
	conn, _ := client.TCP().Open(0, tcp.OpenOptions{Tuple: wire.TupleFrom(netip.AddrPortFrom(source, 40000), remote, 0)})
	client.TCP().Send(0, conn, []byte("hello"), 0)
	for client.Pending() || server.Pending() {
		client.Output(0, direct{server})
		server.Output(0, direct{client})
	}

	accepted, _ := server.TCP().Accept(0, listener)
	text := make([]byte, 16)
	n, _ := server.TCP().Receive(0, accepted, text, 0)
	status, _ := server.TCP().Status(0, accepted)
	fmt.Printf("%v %v %q\n", status.Tuple, status.State, text[:n])
	// Output: 192.0.2.2:80-192.0.2.1:40000 ESTABLISHED "hello"
}
