package inet

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"estab/internal/wire"
	"estab/tcp"
)

// LinkID names a link of a stack. Links are numbered in the order in which
// they were added; 0 is the loopback, which always exists.
type LinkID uint16

// Loopback is the link on which a host talks to itself. What is sent on it is
// to be handed back to Input as having arrived on it: by the shell, because in
// a host of several stacks the two ends of such a connection may live in
// different ones, or with a [Loop], if there is but one stack.
const Loopback LinkID = 0

const (
	maxMTU     = 65535 // bytes: the largest packet that a length field can name
	minMTU     = 68    // RFC 791 §3.2: what every link must carry
	defaultMTU = 1500
	maxLinks   = 64
)

// Config is what a stack is made with.
type Config struct {
	// TCP configures the engine. Its Paths is the stack, whatever it says here.
	TCP tcp.Config

	// EchoReplies is how many echo requests are answered in a second, with
	// bursts of a tenth of that. 0 means 1,000, negative none.
	EchoReplies int

	// TTL is the TTL, or hop limit, of what is sent; 0 means 64 (RFC 1122
	// §3.2.1.7: "it MUST be configurable").
	TTL uint8
}

// LinkConfig describes a link.
type LinkConfig struct {
	Name  string         // by which a zone names it: fe80::1%eth0
	MTU   int            // bytes of the largest packet; 0 means 1500
	Addrs []netip.Prefix // the host's addresses on it, each with its network

	RxVerified  bool // transport checksums of what arrives need not be checked
	TxUnchecked bool // transport checksums of what leaves need not be made

	// Shares: a packet is passed on in the memory in which it lies, and whoever
	// gets it doesn't write to it. Text is then not copied for it.
	Shares bool

	Local bool // whoever is at the other end is in the memory of this process
}

// ifLink is a link as the stack knows it.
type ifLink struct {
	name        string
	mtu         int
	addrs       []netip.Prefix
	rxVerified  bool
	txUnchecked bool
	shares      bool
	local       bool
}

// Stack is an IP host, or one shard of one. It is not safe for concurrent
// use, with two exceptions: Parse and Steer only read what AddLink and
// AddRoute wrote.
type Stack struct {
	cfg    Config
	tcp    *tcp.Engine
	now    tcp.Time
	links  []ifLink
	addrs  addrTable
	routes []route
	pmtu   pmtuCache
	echo   echoLimit
	echoes echoQueue

	labelKey wire.Key   // of IPv6 flow labels
	pool     *wire.Pool // the engine's
	emit     emitter
	parsed   Parsed // scratch of Input
	counters Counters
}

// Counters count what a stack did. They only grow. In is the sum of Accepted
// and of all Drops. What TCP then makes of a segment is counted there.
type Counters struct {
	In       uint64                  // packets
	Accepted uint64                  // of them, handed to TCP or ICMP
	Drops    [wire.NumReasons]uint64 // of them, by reason
	Out      uint64                  // packets
	OutDrops [wire.NumReasons]uint64 // packets that could not be sent, by reason
	Echoes   uint64                  // echo requests accepted
}

// New makes a stack with a loopback (127.0.0.1/8 and ::1) and no other link.
// The engine refuses a zero secret.
func New(cfg Config) (*Stack, error) {
	if cfg.EchoReplies == 0 {
		cfg.EchoReplies = 1000
	}
	// Obeys: RFC 9293 MUST-49.
	if cfg.TTL == 0 {
		cfg.TTL = 64
	}
	s := &Stack{cfg: cfg, labelKey: flowLabelKey(&cfg.TCP.Secret)}
	s.emit.s = s
	cfg.TCP.Paths = s
	var err error
	if s.tcp, err = tcp.New(cfg.TCP); err != nil {
		return nil, err
	}
	s.pool = s.tcp.Pool()
	_, err = s.AddLink(LinkConfig{
		Name: "lo", MTU: maxMTU, RxVerified: true, TxUnchecked: true, Shares: true, Local: true,
		Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")},
	})
	return s, err
}

// AddLink adds a link, its addresses, and the routes to the networks of its
// addresses. An address belongs to one link only.
func (s *Stack) AddLink(lc LinkConfig) (LinkID, error) {
	if lc.MTU == 0 {
		lc.MTU = defaultMTU
	}
	switch {
	case lc.MTU < minMTU:
		return 0, errors.New("inet: link MTU " + strconv.Itoa(lc.MTU) + " is below " + strconv.Itoa(minMTU))
	case len(s.links) == maxLinks:
		return 0, errors.New("inet: more than " + strconv.Itoa(maxLinks) + " links")
	}
	for i, p := range lc.Addrs {
		a := p.Addr()
		if !p.IsValid() || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return 0, fmt.Errorf("inet: link address %v: not a host's address in a network", p)
		}
		if s.addrs.has(wire.AddrFrom(a)) || hasAddr(lc.Addrs[:i], a) {
			return 0, fmt.Errorf("inet: link address %v: the host has it already", p)
		}
	}
	id := LinkID(len(s.links))
	s.links = append(s.links, ifLink{
		name: lc.Name, mtu: min(lc.MTU, maxMTU), addrs: append([]netip.Prefix(nil), lc.Addrs...),
		rxVerified: lc.RxVerified, txUnchecked: lc.TxUnchecked, shares: lc.Shares, local: lc.Local,
	})
	for _, p := range lc.Addrs {
		s.addrs.add(p, id)
		s.addRoute(p.Masked(), wire.Addr{}, id)
	}
	return id, nil
}

func hasAddr(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Addr() == a {
			return true
		}
	}
	return false
}

// TCP is the engine inside. User calls go to it directly; after them Pending
// says whether Output has work.
func (s *Stack) TCP() *tcp.Engine { return s.tcp }

// Pool is where the stack and its engine put the buffers of packets that they
// are done with, and take those that they need.
func (s *Stack) Pool() *wire.Pool { return s.pool }

// Counters are the stack's own, to be read.
func (s *Stack) Counters() *Counters { return &s.counters }

// Local reports whether packets to a are for this host.
func (s *Stack) Local(a netip.Addr) bool { return s.addrs.local(wire.AddrFrom(a)) }

// Zone is what goes into the Zone of a tuple of these two addresses: the link,
// if one of them is link-local, otherwise 0. The remote names the link
// (RFC 4007 §11: fe80::1%eth0, or %1) unless the host's own address does.
// local may be the zero Addr. ErrInvalid says that there is no such link, that
// one had to be named, or that the two addresses live on different ones.
func (s *Stack) Zone(local, remote netip.Addr) (uint32, tcp.Error) {
	var ofLocal, ofRemote uint32
	if a := wire.AddrFrom(local); local.IsValid() && linkLocal(a) {
		owner, _ := s.addrs.owner(a)
		ofLocal = uint32(owner)
	}
	if a := wire.AddrFrom(remote); linkLocal(a) {
		owner, _ := s.addrs.owner(a)
		ofRemote = max(s.namedZone(remote.Zone()), uint32(owner))
		if ofRemote == 0 {
			ofRemote = ofLocal
		}
		if ofRemote == 0 {
			return 0, tcp.ErrInvalid
		}
	}
	if ofLocal != 0 && ofRemote != 0 && ofLocal != ofRemote {
		return 0, tcp.ErrInvalid
	}
	return max(ofLocal, ofRemote), 0
}

// namedZone is the link of that name or number, 0 if there is none.
func (s *Stack) namedZone(zone string) uint32 {
	for i := 1; i < len(s.links) && zone != ""; i++ {
		if zone == s.links[i].name || zone == strconv.Itoa(i) {
			return uint32(i)
		}
	}
	return 0
}

// clock moves the stack's time forward; it never goes back.
func (s *Stack) clock(now tcp.Time) { s.now = max(s.now, now) }

// Advance runs the timers that are due.
func (s *Stack) Advance(now tcp.Time) {
	s.clock(now)
	s.tcp.Advance(now)
}

// NextDeadline is when Advance next has something to do. No part of the stack
// but TCP has timers: what lives here for a time is looked at when it is used.
func (s *Stack) NextDeadline() tcp.Time { return s.tcp.NextDeadline() }

// DeadlineFloor is not later than NextDeadline, and cheaper.
func (s *Stack) DeadlineFloor() tcp.Time { return s.tcp.DeadlineFloor() }

// Pending reports whether Output has something to do. What waits for room on
// a link is nothing to do.
func (s *Stack) Pending() bool {
	return s.echoes.n > 0 && !s.echoes.blocked || s.tcp.Pending()
}

// Writable says that a link for which Output found no room has some again.
func (s *Stack) Writable() {
	s.echoes.blocked = false
	s.tcp.Writable()
}
