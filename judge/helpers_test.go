package judge

import (
	"flag"
	"net"
	"net/netip"
	"os"
	"testing"

	"estab"
	"estab/link"
)

// The two hosts of a test.
const (
	addrA, addrB   = "10.0.0.1", "10.0.0.2"
	addrA6, addrB6 = "fd00::1", "fd00::2"
)

// TestMain lets more tests run at a time than there are processors: most of
// their time they wait for bad wires and for deadlines.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("8")
	}
	os.Exit(m.Run())
}

// long reports whether a test may take its time.
func long() bool { return os.Getenv("ESTAB_LONG") != "" && !testing.Short() }

// joined makes two hosts and a wire in memory between them.
func joined(cfg estab.Config) (a, b *estab.Host, err error) {
	la, lb := link.Pair(link.PairOptions{})
	if a, err = newHost(cfg, la, addrA, addrA6); err != nil {
		return nil, nil, err
	}
	if b, err = newHost(cfg, lb, addrB, addrB6); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// newHost makes a host at one end of a link.
func newHost(cfg estab.Config, l link.Link, addr4, addr6 string) (*estab.Host, error) {
	cfg.Links = []estab.LinkConfig{{Link: l, Addrs: []netip.Prefix{
		netip.PrefixFrom(netip.MustParseAddr(addr4), 24),
		netip.PrefixFrom(netip.MustParseAddr(addr6), 64),
	}}}
	return estab.NewHost(cfg)
}

func close2(t testing.TB, a, b *estab.Host) {
	t.Helper()
	for _, h := range []*estab.Host{a, b} {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func listen(t testing.TB, h *estab.Host, address string) net.Listener {
	t.Helper()
	l, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
