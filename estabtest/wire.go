package estabtest

import (
	"time"

	"estab/internal/netem"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/link"
)

// packet is a packet on its way.
type packet struct {
	p        *link.Packet
	from, to *node
	way      []*pipe
	hop      int // the next of way
	flow     *flow
	side     trace.Side
	rec      *record // of flow; nil for what isn't TCP
}

// send takes a packet from a host and returns an empty one for it, or nil.
func (n *Network) send(from *node, p *link.Packet) *link.Packet {
	now := n.now()
	var copied []byte
	if n.pcap != nil {
		copied = append(copied, p.Bytes()...)
	}
	n.latest = now
	k := &packet{p: p, from: from}
	fate := n.classify(k, now)
	if fate == "" {
		fate = n.forward(k, now)
	} else {
		n.lose(k, fate)
	}
	if n.pcap != nil {
		n.capture(k, copied, fate)
	}
	return n.takeSpare()
}

// classify finds out what a packet is and where it goes, and writes it down.
// It returns why the packet goes nowhere, or "".
func (n *Network) classify(k *packet, now int64) string {
	b := k.p.Bytes()
	var h wire.IPHeader
	if wire.ParseIP(b, &h) != wire.Accepted {
		return "malformed"
	}
	if k.to = n.byAddr[h.Dst]; k.to == nil {
		return "no such host"
	}
	if k.way = n.route(k.from, k.to); k.way == nil {
		return "no route"
	}
	if h.Proto != wire.ProtoTCP {
		return ""
	}
	n.seg.Local, n.seg.Remote = h.Dst, h.Src
	if wire.ParseTCP(b[h.HeaderLen:h.TotalLen], &n.seg) != wire.Accepted {
		return "malformed"
	}
	k.flow, k.side = n.flowOf(&n.seg, k.from, k.to, now)
	if k.flow == nil {
		return ""
	}
	hdr := trace.Header(&n.seg)
	var progress bool
	k.rec, progress = k.flow.add(k.side, &hdr, now)
	n.keep(k.flow, k.rec)
	n.watch(progress, now)
	for _, f := range n.filters {
		if f.drop(segmentOf(k.flow, k.rec)) {
			return "dropped by the test"
		}
	}
	return ""
}

// forward sends a packet into the next pipe, or delivers it. It says what
// becomes of it, if that is unusual.
func (n *Network) forward(k *packet, now int64) string {
	p := k.way[k.hop]
	fate := ""
	switch {
	case n.cutOff(k.from, k.to), n.cutOff(p.from, p.to):
		fate = "partition"
	case p.box != nil:
		fate = p.box.pass(n, k, now)
	}
	size := k.p.Len()
	if fate == "" && p.path.mtu > 0 && size > p.path.mtu {
		n.tooBig(k, p, now)
		fate = "too big"
	}
	at := now
	if fate == "" && p.path.rate.Rate.Bits > 0 {
		f := p.queue.Apply(now, size, &p.path.rate)
		at = f.At
		if f.Drop != netem.NotDropped {
			fate = "queue full"
		}
	}
	if fate != "" {
		n.lose(k, fate)
		return fate
	}
	return n.tryLuck(k, p, now, at)
}

// tryLuck applies what a pipe does to a packet by chance, from the time on
// when it has been sent.
func (n *Network) tryLuck(k *packet, p *pipe, now, sent int64) string {
	m := &p.path.luck
	lk := &p.luck
	if k.flow != nil {
		lk = n.luck(k.flow, k.side, p)
	}
	f := lk.state.Apply(sent, k.p.Len(), m)
	if f.Drop != netem.NotDropped {
		n.lose(k, f.Drop.String())
		return f.Drop.String()
	}
	text := ""
	if f.Duplicated && f.Copy.Drop == netem.NotDropped {
		text = "duplicated"
		double := *k
		double.p = n.copyOf(k.p)
		n.enterPipe(&double, lk, sent, &f.Copy)
	}
	if f.Corrupt {
		text = "corrupted"
	}
	n.enterPipe(k, lk, sent, &f.Passage)
	n.arm(now)
	return text
}

// enterPipe lets a packet arrive when its time has come.
//
// It comes some nanoseconds late: each packet of a connection a different
// number, never 0. What a program does in round numbers, every 50 ms, and what
// a host does 40 ms after a packet came, so never falls together with an
// arrival, and which of the two goes first is not left to Go's scheduler.
func (n *Network) enterPipe(k *packet, lk *luckOn, sent int64, f *netem.Passage) {
	path := &lk.pipe.path
	at, overtakes := f.At, f.At < lk.base
	if path.inOrder && overtakes {
		if overtakes = path.luck.Reorder.P != 0 && at == sent; !overtakes {
			at = lk.base
		}
	}
	lk.base = max(lk.base, at)
	lk.sent++
	at += int64(lk.sent%mostLate) + 1
	if !overtakes {
		at = max(at, lk.last)
	}
	lk.last = max(lk.last, at)
	a := arrival{at: at, key: lk.key, n: lk.sent, pkt: k}
	if f.Corrupt {
		f.Flip(k.p.Bytes())
		k.p.Hash = 0
	}
	if k.rec != nil {
		k.rec.corrupt = k.rec.corrupt || f.Corrupt
		k.rec.overtook = k.rec.overtook || overtakes
		k.rec.due = at
	}
	n.queue.push(a)
}

// mostLate is how late packets arrive at most, in nanoseconds.
const mostLate = 1000

// copyOf is a second packet with the same bytes.
func (n *Network) copyOf(p *link.Packet) *link.Packet {
	c := n.takeSpare()
	if c == nil || c.Cap() < p.Len() {
		c = link.NewPacket(p.Len())
	}
	copy(c.Resize(p.Len()), p.Bytes())
	return c
}

// lose writes down that a packet is lost, and keeps its buffer.
func (n *Network) lose(k *packet, why string) {
	if k.rec != nil {
		k.rec.fate = why
		k.flow.sides[k.side].lost++
	}
	n.giveSpare(k.p)
}

// keepSpare is how many empty packets are kept to give in exchange.
const keepSpare = 2048

func (n *Network) giveSpare(p *link.Packet) {
	if p != nil && len(n.spare) < keepSpare {
		p.Resize(0)
		n.spare = append(n.spare, p)
	}
}

func (n *Network) takeSpare() *link.Packet {
	last := len(n.spare) - 1
	if last < 0 {
		return nil
	}
	p := n.spare[last]
	n.spare[last] = nil
	n.spare = n.spare[:last]
	return p
}

// now is the network's clock, in nanoseconds since New.
func (n *Network) now() int64 { return int64(time.Since(n.base)) }

// arm sets the timer for the next arrival. It never goes off at once: in a
// bubble virtual time moves, and the timer with it, only when everybody waits.
// So whatever a packet causes has come to rest before the next one arrives.
func (n *Network) arm(now int64) {
	if n.running || n.closed || len(n.queue.h) == 0 {
		return
	}
	at := max(n.queue.h[0].at, now+1)
	if n.armed != 0 && n.armed <= at {
		return
	}
	n.armed = at
	if n.timer == nil {
		n.timer = time.AfterFunc(time.Duration(at-now), n.fire)
	} else {
		n.timer.Reset(time.Duration(at - now))
	}
}

// fire lets arrive what is due. In a bubble that is one arrival: the clock
// stands still meanwhile, and the next one gets a nanosecond of its own. Real
// time goes on, and there would be nothing to gain from waiting: there, what is
// due for a host lands together.
func (n *Network) fire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.armed = 0
	if n.running {
		return
	}
	n.running = true
	now := n.now()
	for n.due(now) {
		n.arrive(n.queue.pop(), now)
		for !n.virtual && n.due(now) && len(n.landing) < mostLanding {
			n.arrive(n.queue.pop(), now)
		}
		n.land()
		before := now
		if now = n.now(); now == before {
			break
		}
	}
	n.running = false
	n.arm(now)
}

// due reports whether something should have arrived by now.
func (n *Network) due(now int64) bool {
	return !n.closed && len(n.queue.h) > 0 && n.queue.h[0].at <= now
}

// mostLanding is how many packets are given to a host at once.
const mostLanding = 64

// arrive is called with the lock held, and may release it in between.
func (n *Network) arrive(a arrival, now int64) {
	if a.run != nil {
		n.land()
		n.mu.Unlock()
		a.run()
		n.mu.Lock()
		return
	}
	k := a.pkt
	if k.way != nil { // nobody injected it
		p := k.way[k.hop]
		if n.cutOff(k.from, k.to) || n.cutOff(p.from, p.to) {
			n.lose(k, "partition")
			return
		}
		if k.hop++; k.hop < len(k.way) {
			n.forward(k, now)
			return
		}
	}
	if k.to.host == nil { // for a router itself
		n.lose(k, "nobody there")
		return
	}
	n.deliver(k, now)
}

// deliver lets a packet land at its host.
func (n *Network) deliver(k *packet, now int64) {
	h := k.to.host
	c := h.nic
	switch {
	case c == nil || c.recv == nil:
		n.lose(k, "the host is down")
		return
	case c.paused:
		n.lose(k, "the host is paused")
		return
	}
	if h != n.landsAt {
		n.land()
		n.landsAt = h
	}
	if k.rec != nil {
		k.flow.arrived(k.rec, now)
	}
	n.landing = append(n.landing, k.p)
}

// land gives to a host the packets that have arrived there, and runs what that
// causes, without the lock.
func (n *Network) land() {
	h, pkts := n.landsAt, n.landing
	n.landsAt = nil
	if len(pkts) == 0 {
		return
	}
	recv, w := h.nic.recv, &n.work
	n.mu.Unlock()
	recv.Deliver(w, pkts)
	w.Run()
	if h.busy.Add(int32(len(pkts))) > drainEvery {
		h.drain()
	}
	n.mu.Lock()
	for i, p := range pkts {
		n.giveSpare(p)
		pkts[i] = nil
	}
	n.landing = pkts[:0]
}
