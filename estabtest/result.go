package estabtest

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// Flow is what the network saw of one connection, at the time when it was
// asked. Segments and Ladder tell what has happened by the time they are called.
type Flow struct {
	Client, Server End
	Nth            int           // connection of these hosts and that port, from 1
	Began, Last    time.Duration // its first and its latest segment, since New

	net  *Network
	flow *flow
}

// End is one end of a connection.
type End struct {
	Host  string
	Addr  netip.AddrPort
	State string // as RFC 9293 §3.3.2 names it: "ESTABLISHED"; CLOSED if the end doesn't know of it
	Err   error  // why it ended before its time, as a syscall.Errno where there is one; nil: it didn't

	Segments        int // sent
	Retransmissions int // of them, those that were sent before, or parts of which were
	Lost            int // of them, those that didn't arrive
	Bytes           int // of text in them, what was sent again included
}

// Conns are the connections between hosts so far, in the order of their first
// segments. A host's connections to itself don't use the network. Of more than
// 50,000 the oldest that ended in order are left out.
func (n *Network) Conns() []Flow {
	n.collect()
	n.mu.Lock()
	defer n.mu.Unlock()
	flows := make([]Flow, len(n.all))
	for i, f := range n.all {
		flows[i] = n.snapshot(f)
	}
	return flows
}

// collect brings everything that hosts know to the flows, and the flows into
// order.
func (n *Network) collect() {
	n.mu.Lock()
	hosts := n.hosts
	n.mu.Unlock()
	for _, h := range hosts {
		h.drain()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	slices.SortStableFunc(n.all, func(a, b *flow) int {
		return cmp.Or(cmp.Compare(a.began, b.began), cmp.Compare(a.luckID, b.luckID))
	})
}

func (n *Network) snapshot(f *flow) Flow {
	v := Flow{Nth: f.nth, Began: time.Duration(f.began), Last: time.Duration(f.last), net: n, flow: f}
	v.Client, v.Server = f.sides[trace.Left].end(), f.sides[trace.Right].end()
	v.Client.Addr, v.Server.Addr = f.tuple.LocalAddrPort(), f.tuple.RemoteAddrPort()
	return v
}

func (s *side) end() End {
	return End{
		Host: s.host.name, State: s.state.String(), Err: s.err,
		Segments: s.segments, Retransmissions: s.again, Lost: s.lost, Bytes: s.bytes,
	}
}

// Done reports whether both ends are through with the connection. A record in
// TIME-WAIT may be left of it.
func (f Flow) Done() bool { return f.Client.done() && f.Server.done() }

func (e *End) done() bool {
	switch e.State {
	case tcp.StateClosed.String(), tcp.StateListen.String(), tcp.StateTimeWait.String():
		return true
	}
	return false
}

// String is the connection in one line.
func (f Flow) String() string {
	return fmt.Sprintf("%v > %v", f.Client, f.Server)
}

// String is the end in a few words.
func (e End) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d %s", e.Host, e.Addr.Port(), e.State)
	if e.Err != nil {
		fmt.Fprintf(&b, " (%v)", e.Err)
	}
	fmt.Fprintf(&b, ", %d segments", e.Segments)
	if e.Retransmissions > 0 {
		fmt.Fprintf(&b, ", %d again", e.Retransmissions)
	}
	if e.Lost > 0 {
		fmt.Fprintf(&b, ", %d lost", e.Lost)
	}
	return b.String()
}

// Segments are the connection's segments, in the order in which they were
// sent: the first 500 and the last 500.
func (f Flow) Segments() []Segment {
	f.net.mu.Lock()
	defer f.net.mu.Unlock()
	var all []Segment
	for _, r := range f.flow.kept() {
		all = append(all, segmentOf(f.flow, r))
	}
	return all
}

// Ladder draws the connection: who sent what, when, what arrived, and which
// states the ends went through. Long runs of data are folded.
func (f Flow) Ladder() string {
	f.net.collect()
	f.net.mu.Lock()
	defer f.net.mu.Unlock()
	return f.flow.ladder()
}

// keepHead and keepTail are how many segments a ladder shows at the beginning
// and at the end of a run in which nothing is opened or closed.
const keepHead, keepTail = 4, 16

func (f *flow) ladder() string {
	end := func(s *side, addr netip.AddrPort) trace.End {
		return trace.End{Name: s.host.name, Addr: addr.String()}
	}
	b := trace.NewBuilder(end(&f.sides[0], f.tuple.LocalAddrPort()), end(&f.sides[1], f.tuple.RemoteAddrPort()), f.tuple)
	b.Keep(keepHead, keepTail)
	for _, r := range f.kept() {
		p := trace.Packet{
			From: r.side, Time: tcp.Time(r.at), Copies: r.copies, Corrupt: r.corrupt, Dropped: r.dropped,
			Again: r.again, Overtook: r.overtook, Seg: r.hdr,
		}
		for i, at := range r.arrive {
			p.Arrive[i] = tcp.Time(at)
		}
		if r.copies == 0 && r.fate == "" { // under way
			p.Copies, p.Arrive[0] = 1, tcp.Time(r.due)
		}
		b.Packet(p)
	}
	slices.SortStableFunc(f.events, func(a, b sideEvent) int {
		return cmp.Or(cmp.Compare(a.ev.Time, b.ev.Time), cmp.Compare(a.side, b.side))
	})
	for _, e := range f.events {
		if e.ev.Kind != tcp.EventDrop { // the packets tell
			b.Event(e.side, e.ev)
		}
	}
	var out strings.Builder
	b.Ladder().Write(&out, trace.Style{})
	return out.String()
}

// sysError is the kernel's word for why a connection ended, if it has one.
func sysError(e tcp.Error) error {
	switch e {
	case tcp.ErrReset:
		return syscall.ECONNRESET
	case tcp.ErrRefused, tcp.ErrPortUnreachable:
		return syscall.ECONNREFUSED
	case tcp.ErrTimeout:
		return syscall.ETIMEDOUT
	case tcp.ErrAborted:
		return syscall.ECONNABORTED
	case tcp.ErrHostUnreachable:
		return syscall.EHOSTUNREACH
	case tcp.ErrNetUnreachable:
		return syscall.ENETUNREACH
	}
	return e
}
