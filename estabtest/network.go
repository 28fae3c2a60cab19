package estabtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"estab/internal/wire"
	"estab/link"
	"estab/tcp"
)

// Network is a network with its hosts. Its methods may be called by any number
// of goroutines at once, but those that report mistakes do so as
// testing.T.Fatal does, and so belong into the goroutine of the test.
//
// It has no goroutine: what is under way arrives on that of a timer.
type Network struct {
	t        testing.TB
	opts     options
	seed     uint64
	base     time.Time
	virtual  bool // it is in a bubble
	mtu      int  // of the hosts' links
	standard path

	mu       sync.Mutex // taken under locks of hosts; nothing but leaves is taken under it
	nodes    map[string]*node
	hub      *node
	sorted   []*node
	numbered int
	hosts    []*Host
	byAddr   map[wire.Addr]*node
	aliases  map[string][]string
	mesh     map[[2]*node]*pipe
	routes   map[[2]*node][]*pipe
	boxes    map[pair]*middlebox
	cuts     map[cut]bool
	filters  []*filter

	queue   arrivals
	running bool // somebody is in fire
	timer   *time.Timer
	armed   int64 // when the timer goes off; 0: it isn't set
	work    link.Work
	landsAt *Host          // where landing lands
	landing []*link.Packet // what has arrived at a host and isn't given to it yet; in a bubble one at a time
	spare   []*link.Packet
	seg     tcp.Segment

	flows    map[tcp.Tuple]*flow
	all      []*flow
	forgetAt int
	conns    int
	nth      map[uint64]int // connections by who talks to whom
	records  int
	notes    []note
	pcap     *capture

	latest   int64 // when a packet was last sent
	progress int64 // when something happened that wasn't a probe
	gaveUp   bool
	idle     *time.Timer
	closed   bool
	reported bool
}

// note is something that the test did to the network.
type note struct {
	at   int64
	text string
}

// New makes a network for a test. In a testing/synctest bubble it must be
// called there, and serves that bubble only.
//
// When the test ends, all hosts are closed, and so the goroutines of servers
// and clients end; in a bubble they have ten virtual minutes to wake up and
// notice. If it has failed, its log gets the seed and the ladders of
// the connections that didn't end well.
func New(t testing.TB, opts ...Option) *Network {
	t.Helper()
	o := makeOptions(t, opts)
	n := &Network{
		t: t, opts: o, seed: o.seed, base: time.Now(), mtu: link.DefaultMTU,
		nodes: map[string]*node{}, byAddr: map[wire.Addr]*node{}, aliases: map[string][]string{},
		mesh: map[[2]*node]*pipe{}, boxes: map[pair]*middlebox{}, cuts: map[cut]bool{},
		flows: map[tcp.Tuple]*flow{}, nth: map[uint64]int{},
	}
	n.virtual = n.base.Before(time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)) // the clock of a bubble starts in 2000
	n.standard, _ = o.link.compile()
	if o.link.MTU != 0 {
		n.mtu = o.link.MTU
	}
	n.hub = &node{name: Switch, addr4: [4]byte{10, 255, 255, 254}, addr6: [16]byte{0: 0xfd, 15: 0xff, 14: 0xff}}
	n.nodes[Switch] = n.hub
	n.pcap = openCapture(t)
	n.idle = time.AfterFunc(eternity, n.waitsForEver)
	t.Cleanup(n.end)
	return n
}

// Seed is the seed that decides on all luck.
func (n *Network) Seed() uint64 { return n.seed }

// note remembers what the test did, for the report; the lock is held.
func (n *Network) note(format string, args ...any) {
	const most = 50
	if len(n.notes) < most {
		n.notes = append(n.notes, note{n.now(), fmt.Sprintf(format, args...)})
	}
}

// brief is a struct without the fields that say nothing.
func brief(v any) string {
	fields := strings.Fields(strings.Trim(fmt.Sprintf("%+v", v), "{}"))
	return "{" + strings.Join(slices.DeleteFunc(fields, func(f string) bool {
		_, value, found := strings.Cut(f, ":")
		return found && (value == "" || value == "0" || value == "0s" || value == "false")
	}), " ") + "}"
}

// end is the Cleanup.
func (n *Network) end() {
	n.collect()
	if n.t.Failed() {
		n.report()
	}
	n.close()
	n.pcap.close(n.t)
	if n.virtual {
		time.Sleep(linger)
	}
}

// linger is how much virtual time goroutines get to notice that all is closed.
// Once the test's own goroutine has ended, time stands still, and who sleeps
// sleeps for ever.
const linger = 10 * time.Minute

// close ends all hosts and whatever is under way.
func (n *Network) close() {
	n.mu.Lock()
	n.closed = true
	n.queue = arrivals{}
	if n.timer != nil {
		n.timer.Stop()
	}
	n.idle.Stop()
	hosts := n.hosts
	n.mu.Unlock()
	for _, h := range hosts {
		h.life.Lock()
		h.kill()
		h.life.Unlock()
	}
}

// errBubble is what happens to a network that is taken into a bubble or out of
// one: clocks and timers of the two worlds have nothing in common.
var errBubble = errors.New("estabtest: this network was made outside of the synctest bubble in which it is used, " +
	"or the other way round: call estabtest.New inside of synctest.Test, with the t that it passes")

// check tells whether the network's clock is that of its caller.
func (n *Network) check() error {
	const impossible = 10 * 365 * 24 * time.Hour
	if d := time.Since(n.base); (d < -impossible || d > impossible) && !n.isClosed() {
		return errBubble
	}
	return nil
}

func (n *Network) isClosed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}
