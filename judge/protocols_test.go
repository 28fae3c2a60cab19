package judge

import (
	"net"
	"testing"

	"estab"
	"estab/judge/internal/protocols"
	"estab/link"
)

// Real programs' protocols between two hosts, of one shard and of many, over a
// clean wire and over a bad one.
func TestProtocols(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  estab.Config
		bad  string
		addr string
	}{
		{"one shard", estab.Config{Shards: 1}, "", addrB + ":0"},
		{"many shards", estab.Config{}, "", "[" + addrB6 + "]:0"},
		{"bad wire", estab.Config{}, "delay 2ms 1ms loss 0.5% reorder 5% duplicate 1% corrupt 0.2%", addrB + ":0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range protocols.All {
				t.Run(p.Name, func(t *testing.T) {
					t.Parallel()
					a, b := impairedHosts(t, c.cfg, c.bad)
					p.Run(t, protocols.Net{
						Listen: func(t testing.TB) net.Listener { return listen(t, b, c.addr) },
						Dial:   a.DialContext,
					})
				})
			}
		})
	}
}

// impairedHosts is twoHosts with a bad wire between them.
func impairedHosts(t testing.TB, cfg estab.Config, bad string) (a, b *estab.Host) {
	t.Helper()
	la, lb := link.Pair(link.PairOptions{})
	li, err := link.Impair(la, link.Impairment{Out: bad, In: bad, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a, err = newHost(cfg, li, addrA, addrA6); err != nil {
		t.Fatal(err)
	}
	if b, err = newHost(cfg, lb, addrB, addrB6); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close2(t, a, b) })
	return a, b
}
