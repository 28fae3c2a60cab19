package estabtest

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// Alias makes a name resolve to the addresses of hosts, in that order: the name
// of a service, of a cluster, of a leader that changes. Without hosts the name
// is unknown again.
func (n *Network) Alias(name string, hosts ...string) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range hosts {
		if n.node("Alias", h).host == nil {
			n.t.Fatalf("estabtest: Alias: %q is not a host", h)
		}
	}
	if n.aliases[canonical(name)] = hosts; len(hosts) == 0 {
		delete(n.aliases, canonical(name))
	}
}

// canonical is a name as it is compared: DNS has no upper case, and a dot at
// the end makes no difference.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// LookupNetIP is the resolver of all hosts; network is "ip", "ip4" or "ip6".
// It is what estab.Config.Resolver wants. An unknown name is a *net.DNSError.
func (n *Network) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	n.mu.Lock()
	for _, h := range n.named(canonical(host)) {
		for _, a := range h.addrs {
			if network == "ip" || network == "ip4" && a.Is4() || network == "ip6" && a.Is6() {
				addrs = append(addrs, a)
			}
		}
	}
	n.mu.Unlock()
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

// named are the hosts that a name stands for.
func (n *Network) named(name string) []*Host {
	var hosts []*Host
	for _, h := range n.aliases[name] {
		hosts = append(hosts, n.nodes[h].host)
	}
	if hosts != nil {
		return hosts
	}
	for _, h := range n.hosts {
		if canonical(h.name) == name {
			return []*Host{h}
		}
	}
	return nil
}
