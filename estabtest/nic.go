package estabtest

import (
	"errors"
	"net"

	"estab/link"
)

// nic is a host's end of the network: the link.Link of one of its lives. Its
// fields are under the network's lock.
type nic struct {
	net     *Network
	node    *node
	mtu     int
	recv    link.Receiver // nil: not attached yet, or dead
	dead    bool
	paused  bool
	refused bool // the host waits to hear that there is room
}

var errAttached = errors.New("estabtest: the link is attached already")

// Caps is part of link.Link.
func (c *nic) Caps() link.Caps { return link.Caps{MTU: c.mtu, Local: true} }

// Attach is part of link.Link.
func (c *nic) Attach(r link.Receiver) error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	switch {
	case c.dead:
		return net.ErrClosed
	case c.recv != nil:
		return errAttached
	}
	c.recv = r
	return nil
}

// Enqueue is part of link.Link. A paused host's link has no room, so that the
// host keeps what it has to send.
func (c *nic) Enqueue(_ *link.Work, pkts []*link.Packet) int {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.paused && !c.dead {
		c.refused = true
		return 0
	}
	c.node.host.busy.Add(int32(len(pkts)))
	for i, p := range pkts {
		if c.dead || n.closed {
			p.Resize(0)
			continue
		}
		pkts[i] = n.send(c.node, p)
	}
	return len(pkts)
}

// Close is part of link.Link.
func (c *nic) Close() error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.dead, c.recv = true, nil
	return nil
}

// resume says to the host that there is room again, if it waits for that.
func (c *nic) resume() {
	n := c.net
	n.mu.Lock()
	c.paused = false
	var tell link.Receiver
	if c.refused {
		tell, c.refused = c.recv, false
	}
	n.mu.Unlock()
	if tell != nil {
		var w link.Work
		tell.Writable(&w)
		w.Run()
	}
}
