package estab_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"estab"
	"estab/estabtest"
	"estab/link"
)

const (
	addrA, addrB   = "10.0.0.1", "10.0.0.2"
	addrA6, addrB6 = "fd00::1", "fd00::2"
)

func prefixes(ss ...string) (ps []netip.Prefix) {
	for _, s := range ss {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

// twoHosts are hosts a and b of a network, by the addresses above.
func twoHosts(network *estabtest.Network) (a, b *estab.Host) {
	return network.Host("a").Stack(), network.Host("b").Stack()
}

// wired joins two hosts by a wire in memory, over which a Write runs to the
// other end's Read without anything between. It is for tests of that way: of
// what it costs, and of many who are on it at once. All others have a network
// of package estabtest.
func wired(t testing.TB, cfg estab.Config, wire link.PairOptions) (a, b *estab.Host) {
	t.Helper()
	la, lb := link.Pair(wire)
	return newHost(t, cfg, la, addrA+"/24"), newHost(t, cfg, lb, addrB+"/24")
}

func newHost(t testing.TB, cfg estab.Config, l link.Link, addrs ...string) *estab.Host {
	t.Helper()
	if l != nil {
		cfg.Links = []estab.LinkConfig{{Link: l, Addrs: prefixes(addrs...)}}
	}
	h, err := estab.NewHost(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// eachShards runs a test in a bubble for hosts of one shard and of many.
func eachShards(t *testing.T, f func(t *testing.T, cfg estab.Config)) {
	t.Helper()
	for _, shards := range []int{1, 16} {
		t.Run(fmt.Sprintf("shards=%d", shards), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, estab.Config{Shards: shards}) })
		})
	}
}

// forShards runs a test in a bubble on networks whose hosts have one shard and
// many.
func forShards(t *testing.T, f func(t *testing.T, network *estabtest.Network), opts ...estabtest.Option) {
	t.Helper()
	eachShards(t, func(t *testing.T, cfg estab.Config) {
		shards := configure(func(c *estab.Config) { c.Shards = cfg.Shards })
		f(t, estabtest.New(t, append([]estabtest.Option{shards}, opts...)...))
	})
}

// configure changes the configuration of all hosts of a network.
func configure(f func(c *estab.Config)) estabtest.Option {
	return estabtest.Configure(func(_ string, c *estab.Config) { f(c) })
}

func listen(t testing.TB, h *estab.Host, address string) *estab.Listener {
	t.Helper()
	l, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l.(*estab.Listener)
}

// connect opens a connection from a to l and returns both ends.
func connect(t testing.TB, a *estab.Host, l *estab.Listener) (client, server *estab.Conn) {
	t.Helper()
	c, err := a.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*estab.Conn), s
}

// connected opens a connection between the two hosts of a network.
func connected(t testing.TB, network *estabtest.Network) (client, server *estab.Conn) {
	t.Helper()
	a, b := twoHosts(network)
	l := listen(t, b, addrB+":0")
	defer l.Close()
	return connect(t, a, l)
}

func mustWrite(t testing.TB, c net.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
}

func mustRead(t testing.TB, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("Read: %q, %v; want %q", b, err, want)
	}
}

func mustEOF(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("Read: %d, %v; want EOF", n, err)
	}
}

// pattern is a stream in which every stretch of bytes tells its place.
func pattern(seed byte, from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		x := from + i
		b[i] = byte(x*7) ^ byte(x>>8) ^ byte(x>>16)*31 ^ seed
	}
	return b
}

func isPattern(seed byte, from int, b []byte) bool {
	return bytes.Equal(b, pattern(seed, from, len(b)))
}
