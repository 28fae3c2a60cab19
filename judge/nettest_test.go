package judge

import (
	"fmt"
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"estab"
)

// A pair of connections is what package net says a net.Conn is: reads,
// writes, deadlines, races, closing. Each round has hosts of its own, of one
// shard and of many, over IPv4 and IPv6 and over a loopback.
func TestNetConn(t *testing.T) {
	rounds := 3
	if long() {
		rounds = 100
	}
	for _, shards := range []int{1, 0} {
		for _, c := range []struct{ name, address string }{
			{"ip4", addrB + ":0"}, {"ip6", "[" + addrB6 + "]:0"}, {"loopback", "127.0.0.1:0"},
		} {
			t.Run(fmt.Sprintf("shards=%d/%s", shards, c.name), func(t *testing.T) {
				for i := range rounds {
					t.Run(fmt.Sprint(i), func(t *testing.T) {
						t.Parallel()
						nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
							return makePipe(estab.Config{Shards: shards}, c.address)
						})
					})
				}
			})
		}
	}
}

// makePipe is a nettest.MakePipe: a connection between two fresh hosts, or
// from a host to itself.
func makePipe(cfg estab.Config, address string) (c1, c2 net.Conn, stop func(), err error) {
	a, b, err := joined(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	stop = func() { a.Close(); b.Close() }
	defer func() {
		if err != nil {
			stop()
		}
	}()
	l, err := b.Listen("tcp", address)
	if err != nil {
		return nil, nil, nil, err
	}
	defer l.Close()
	from := a
	if l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		from = b
	}
	if c1, err = from.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, nil, err
	}
	c2, err = l.Accept()
	return c1, c2, stop, err
}
