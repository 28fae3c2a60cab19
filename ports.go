package estab

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"estab/internal/wire"
	"estab/tcp"
)

// tuple completes the two sockets of a connection: an unspecified remote
// address is the loopback (as on Linux), an unspecified local one is chosen by
// the route.
func (h *Host) tuple(laddr, raddr netip.AddrPort) (tcp.Tuple, error) {
	local, remote := laddr.Addr().Unmap(), raddr.Addr().Unmap()
	switch {
	case !remote.IsValid() && local.Is6(), remote == netip.IPv6Unspecified():
		remote = loopback6
	case !remote.IsValid(), remote == netip.IPv4Unspecified():
		remote = loopback4
	}
	if remote.Is6() && remote.IsLinkLocalUnicast() && remote.Zone() == "" && len(h.ports) == 2 {
		remote = remote.WithZone(h.ports[1].name) // there is but one
	}
	local, err := h.local(local, remote)
	if err != nil {
		return tcp.Tuple{}, err
	}
	zone, e := h.shards[0].stack.Zone(local, remote)
	if e != 0 {
		return tcp.Tuple{}, sysError("connect", e)
	}
	if raddr.Port() == 0 { // Linux: nobody can listen there
		return tcp.Tuple{}, os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	return tcp.Tuple{
		Local: wire.AddrFrom(local), LocalPort: laddr.Port(),
		Remote: wire.AddrFrom(remote), RemotePort: raddr.Port(), Zone: zone,
	}, nil
}

// local is the address to dial from.
// Obeys: RFC 9293 MUST-43, MUST-44.
func (h *Host) local(local, remote netip.Addr) (netip.Addr, error) {
	if !local.IsValid() || local.IsUnspecified() {
		src, e := h.source(remote)
		return src, sysError("connect", e)
	}
	if local.Is4() != remote.Is4() {
		return local, &net.AddrError{Err: "mismatched local address type", Addr: local.String()}
	}
	if !h.shards[0].stack.Local(local) {
		return local, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
	}
	return local, nil
}

// source is the address from which packets for the remote one leave. What it
// reads doesn't change after NewHost.
func (h *Host) source(remote netip.Addr) (netip.Addr, tcp.Error) {
	return h.shards[0].stack.Source(remote)
}

// open sends the SYN of a connection and puts a waiter on the list of those
// who want to write.
//
// Its local port, unless chosen by the user, is one that RFC 6056's algorithm
// proposes. The port decides the hash of the flow, the hash decides the shard,
// and in that shard the pair of sockets is claimed: a port that is taken there
// makes the algorithm propose another.
func (h *Host) open(c *Conn, cfg tcp.ConnConfig) (*waiter, error) {
	if c.tuple.LocalPort != 0 {
		return h.claim(c, cfg)
	}
	home := h.shard(h.shards[0].tcp.Hash(&c.tuple))
	tries := h.portRange()
	for attempt := range uint32(tries) {
		home.mu.Lock()
		c.tuple.LocalPort = 0
		port := home.tcp.CandidatePort(&c.tuple, attempt)
		home.mu.Unlock()
		if c.tuple.Local == c.tuple.Remote && port == c.tuple.RemotePort || h.listensAt(port) {
			continue // a socket connected to itself, or a server's port
		}
		c.tuple.LocalPort = port
		w, err := h.claim(c, cfg)
		if err != errInUse {
			return w, err
		}
	}
	return nil, os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)
}

// portRange is how many ephemeral ports there are.
func (h *Host) portRange() int {
	first, last := h.cfg.PortFirst, h.cfg.PortLast
	if first == 0 {
		first = 32768
	}
	if last == 0 {
		last = 60999
	}
	return int(last) - int(first) + 1
}

var errInUse error = os.NewSyscallError("bind", syscall.EADDRINUSE)

// claim opens the connection in the shard of its flow.
func (h *Host) claim(c *Conn, cfg tcp.ConnConfig) (*waiter, error) {
	sh := h.shard(h.shards[0].tcp.Hash(&c.tuple))
	now := sh.enter()
	if sh.ending {
		sh.mu.Unlock()
		return nil, net.ErrClosed
	}
	if h.conns.Load() >= int64(h.cfg.MaxConns) {
		sh.mu.Unlock()
		return nil, os.NewSyscallError("socket", syscall.ENOBUFS)
	}
	c.sh = sh
	sh.attach(c)
	h.conns.Add(1)
	id, e := sh.tcp.Open(now, tcp.OpenOptions{Tuple: c.tuple, Conn: cfg, Tag: c.tag})
	if e != 0 {
		h.conns.Add(-1)
		sh.detach(c)
		sh.mu.Unlock()
		if e == tcp.ErrInUse {
			return nil, errInUse
		}
		return nil, sysError("connect", e)
	}
	c.id = id
	w := sh.idle.get()
	c.wr.push(w)
	sh.leave()
	return w, nil
}
