package estab

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// Resolver looks up names. *net.Resolver is one.
type Resolver interface {
	// LookupNetIP returns the addresses of host; network is "ip", "ip4" or
	// "ip6".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// portResolver is what a Resolver may also be, for the names of services.
type portResolver interface {
	LookupPort(ctx context.Context, network, service string) (int, error)
}

var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// resolve turns an address of package net into sockets to try, in that order.
// An empty host is the zero Addr.
func (h *Host) resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	if _, err := networkIndex(network); err != nil {
		return nil, err
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := h.lookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, port)}, nil
	}
	addrs, err := h.lookupHost(ctx, network, host)
	if err != nil {
		return nil, err
	}
	var socks []netip.AddrPort
	for _, a := range addrs {
		if a = a.Unmap(); family(network, a) {
			socks = append(socks, netip.AddrPortFrom(a, port))
		}
	}
	if len(socks) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return socks, nil
}

// family reports whether the network takes the address.
func family(network string, a netip.Addr) bool {
	switch network {
	case "tcp4":
		return a.Is4()
	case "tcp6":
		return a.Is6()
	}
	return true
}

// lookupPort finds a port's number.
func (h *Host) lookupPort(ctx context.Context, network, service string) (uint16, error) {
	if service == "" {
		return 0, nil
	}
	if n, err := strconv.Atoi(service); err == nil {
		if n < 0 || n > 65535 {
			return 0, &net.AddrError{Err: "invalid port", Addr: service}
		}
		return uint16(n), nil
	}
	if r, ok := h.cfg.Resolver.(portResolver); ok {
		n, err := r.LookupPort(ctx, network, service)
		return uint16(n), err
	}
	return 0, &net.DNSError{Err: "unknown port", Name: network + "/" + service, IsNotFound: true}
}

// lookupHost finds a host's addresses. A literal needs no resolver, and
// "localhost" is never asked for (RFC 6761 §6.3).
func (h *Host) lookupHost(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	if host == "localhost" || host == "localhost." {
		return []netip.Addr{loopback4, loopback6}, nil
	}
	if h.cfg.Resolver == nil {
		return nil, &net.DNSError{
			Err: "the host has no resolver (Config.Resolver): an IP address is required", Name: host, IsNotFound: true,
		}
	}
	addrs, err := h.cfg.Resolver.LookupNetIP(ctx, "ip"+network[len("tcp"):], host)
	if err != nil {
		return nil, err
	}
	return h.reachableFirst(addrs), nil
}

// reachableFirst moves the addresses to which there is no route behind the
// others: a resolver sorts by the routes of another stack.
func (h *Host) reachableFirst(addrs []netip.Addr) []netip.Addr {
	var near, far []netip.Addr
	for _, a := range addrs {
		if _, err := h.source(a.Unmap()); err == 0 {
			near = append(near, a)
		} else {
			far = append(far, a)
		}
	}
	return append(near, far...)
}
