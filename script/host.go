package script

import (
	"net/netip"
	"time"

	"estab/inet"
	"estab/internal/wire"
	"estab/tcp"
)

// host is the stack under test: one inet.Stack in virtual time, at the end of
// a wire that the script plays.
type host struct {
	stack *inet.Stack
	link  inet.LinkID
	now   tcp.Time
	ring  *tcp.Ring
	pool  wire.Pool
	addr  wire.Addr // of the stack
	peer  wire.Addr // of the script

	sent  func(packet []byte) // takes what leaves
	event func(*tcp.Event)    // takes the events
	check func(broken error)  // takes a broken invariant
	steps int                 // timers that went off
	queue []tcp.Event         // scratch
}

// hostStart is the time at which a script begins. Clocks that start at 0 hide
// mistakes about clocks.
const hostStart = tcp.Time(time.Hour)

// maxPacket is the largest IP packet.
const maxPacket = 65535

// newHost makes a stack with one link.
func newHost(cfg tcp.Config, addr, peer netip.Prefix, mtu int) (*host, error) {
	h := &host{now: hostStart, ring: tcp.NewRing(1024, tcp.EventState|tcp.EventRTT|tcp.EventTimer)}
	cfg.Events = h.ring
	if cfg.Secret == [32]byte{} {
		cfg.Secret = [32]byte{'s', 'c', 'r', 'i', 'p', 't'}
	}
	h.addr, h.peer = wire.AddrFrom(addr.Addr()), wire.AddrFrom(peer.Addr())
	var err error
	if h.stack, err = inet.New(inet.Config{TCP: cfg}); err != nil {
		return nil, err
	}
	h.link, err = h.stack.AddLink(inet.LinkConfig{Name: "script0", MTU: mtu, Addrs: []netip.Prefix{addr}})
	if err != nil {
		return nil, err
	}
	return h, h.stack.AddRoute(peer.Masked(), netip.Addr{}, h.link)
}

func (h *host) tcp() *tcp.Engine { return h.stack.TCP() }

// flush sends what the last call or packet has caused.
func (h *host) flush() {
	for {
		h.stack.Output(h.now, h)
		h.queue = h.ring.Drain(h.queue[:0])
		for i := range h.queue {
			h.event(&h.queue[i])
		}
		for {
			if _, ok := h.tcp().NextReady(); !ok {
				break
			}
		}
		if err := h.tcp().CheckInvariants(); err != nil {
			h.check(err)
			return
		}
		if !h.stack.Pending() {
			return
		}
	}
}

// input lets a packet arrive.
func (h *host) input(packet []byte) {
	h.stack.InputBytes(h.now, h.link, packet)
	h.flush()
}

// next is when the next timer is due.
func (h *host) next() tcp.Time { return h.stack.NextDeadline() }

// advance moves the clock to t, which no timer is due before, and runs those
// that are due then.
func (h *host) advance(t tcp.Time) {
	h.now = max(h.now, t)
	if h.next() <= h.now {
		h.steps++
		h.stack.Advance(h.now)
		h.flush()
	}
}

// Room and Send make a host its stack's Outbox.
func (h *host) Room(inet.LinkID) bool { return true }

func (h *host) Send(link inet.LinkID, p *wire.Slab) {
	if link == h.link {
		h.sent(p.Bytes())
	}
	h.pool.Put(p)
}
