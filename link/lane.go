package link

import (
	"time"

	"estab/internal/netem"
)

// laneBatch is how many packets a lane forwards at a time.
const laneBatch = 64

// keepSpare is how many empty packets a lane keeps to give in exchange.
const keepSpare = 256

// lane is one direction of an Impaired. Its fields are under the Impaired's
// lock. Packets that are not forwarded in the call that brings them are held
// in a heap by the time of their arrival; the lane is the Runner that forwards
// them when that has come.
type lane struct {
	link  *Impaired
	dir   Direction
	model netem.Model
	state netem.State

	perfect bool // the model leaves every packet alone

	held  []held // a heap, earliest first
	order uint64 // counts the packets, to keep those of the same time in order
	spare []*Packet
	count Counts

	due      []held    // the batch that Run forwards
	batch    []*Packet // and its packets
	draining bool      // somebody is in Run, without the lock
	marked   bool      // the lane is on somebody's Work

	blocked bool // the link within refused, and has not said Writable since
	retry   bool // Run shall try once although blocked is set
	refused bool // somebody waits for our Writable

	timer *time.Timer
	armed int64 // when the timer fires; 0 if it is not running
}

// held is a packet that is under way.
type held struct {
	at    int64 // ns
	order uint64
	p     *Packet
}

func (n *lane) init(d *Impaired, dir Direction, seed uint64) {
	n.link, n.dir = d, dir
	n.state = netem.NewState(seed, uint64(dir))
}

func (n *lane) set(m netem.Model) { n.model, n.perfect = m, m.Perfect() }

func (n *lane) stats() Counts {
	c := n.count
	c.Held = len(n.held) + len(n.due)
	return c
}

// take decides on packets and forwards what passes at once. It returns how
// many it took.
func (n *lane) take(w *Work, pkts []*Packet) int {
	d := n.link
	d.mu.Lock()
	if n.blocked && !d.closed {
		n.refused = true
		d.mu.Unlock()
		return 0
	}
	direct := len(pkts)
	if !n.idle(pkts) {
		direct = n.judge(pkts)
	}
	recv := d.recv
	add := n.settle()
	d.mu.Unlock()

	if took := d.forward(n.dir, recv, w, pkts[:direct]); took < direct {
		d.mu.Lock()
		n.keep(pkts[took:direct])
		add = n.settle() || add
		d.mu.Unlock()
	}
	if add {
		w.Add(n)
	}
	return len(pkts)
}

// idle reports whether there is nothing to decide on: a perfect path that
// nobody watches. Then it counts the packets.
func (n *lane) idle(pkts []*Packet) bool {
	if !n.perfect || len(n.held) > 0 || n.draining || n.link.observe != nil || n.dead() {
		return false
	}
	n.count.Packets += uint64(len(pkts))
	for _, p := range pkts {
		n.count.Bytes += uint64(p.Len())
	}
	return true
}

// dead reports whether packets have nowhere to go.
func (n *lane) dead() bool { return n.link.closed || n.dir == In && n.link.recv == nil }

// judge decides on packets. Those that pass at once it moves to the front, and
// returns how many they are; the others are held, or dropped in their places.
func (n *lane) judge(pkts []*Packet) (direct int) {
	now, t := n.link.now()
	for i, p := range pkts {
		n.count.Packets++
		n.count.Bytes += uint64(p.Len())
		if n.dead() {
			n.count.Dropped++
			p.Resize(0)
			continue
		}
		f := n.state.Apply(now, p.Len(), &n.model)
		if n.link.observe != nil {
			n.link.observe(TapEvent{Time: t, Dir: n.dir, Packet: p.Bytes(), Fate: fateOf(now, &f)})
		}
		if f.Drop != netem.NotDropped {
			n.count.Dropped++
			p.Resize(0)
			continue
		}
		var double *Packet
		if f.Duplicated && f.Copy.Drop == netem.NotDropped {
			double = n.copyOf(p)
		}
		p = n.flip(p, &f.Passage)
		pkts[i] = p
		if f.At <= now && len(n.held) == 0 && !n.draining {
			pkts[direct], pkts[i] = p, pkts[direct]
			direct++
		} else {
			n.hold(p, f.At)
			pkts[i] = n.takeSpare()
		}
		if double != nil {
			n.count.Duplicated++
			double = n.flip(double, &f.Copy)
			n.hold(double, f.Copy.At)
		}
	}
	return direct
}

// flip damages a packet if that is its fate, or a copy if its memory is somebody
// else's, too. Who then may trust its hash?
func (n *lane) flip(p *Packet, f *netem.Passage) *Packet {
	if f.Reordered {
		n.count.Reordered++
	}
	if f.Corrupt {
		n.count.Corrupted++
		if p.Shared() {
			p = p.Clone()
		}
		f.Flip(p.Bytes())
		p.Hash = 0
	}
	return p
}

// copyOf is a second packet with the same bytes.
func (n *lane) copyOf(p *Packet) *Packet {
	c := n.takeSpare()
	if c == nil || c.Cap() < p.Len() {
		c = NewPacket(p.Len())
	}
	copy(c.Resize(p.Len()), p.Bytes())
	c.Hash = p.Hash
	return c
}

// keep holds packets that the link within refused, due at once, and notes that
// it did.
func (n *lane) keep(pkts []*Packet) {
	now, _ := n.link.now()
	for i, p := range pkts {
		n.hold(p, now)
		pkts[i] = n.takeSpare()
	}
	n.block()
}

// block notes a refusal. Writable may have been said between the refusal and
// now, and would then not come again; so one more try is due.
func (n *lane) block() { n.blocked, n.retry = true, true }

// settle sees to it that what is held will be forwarded: by the timer, or, if
// it returns true, by whoever must now add the lane to his Work.
func (n *lane) settle() (add bool) {
	if len(n.held) == 0 || n.draining || n.marked || n.link.closed || n.blocked && !n.retry {
		return false
	}
	now, _ := n.link.now()
	if at := n.held[0].at; at > now && !n.blocked {
		n.arm(at, at-now)
		return false
	}
	n.marked = true
	return true
}

// arm lets the timer fire at the given time. If it fires earlier anyway, it
// will be set again then.
func (n *lane) arm(at, in int64) {
	if n.armed != 0 && n.armed <= at {
		return
	}
	n.armed = at
	if n.timer == nil {
		n.timer = time.AfterFunc(time.Duration(in), n.fire)
	} else {
		n.timer.Reset(time.Duration(in))
	}
}

// fire is called by the timer.
func (n *lane) fire() {
	d := n.link
	d.mu.Lock()
	n.armed = 0
	add := n.settle()
	d.mu.Unlock()
	if !add {
		return
	}
	w := d.works.Swap(nil)
	if w == nil {
		w = new(Work)
	}
	w.Add(n)
	w.Run()
	d.works.Store(w)
}

// Run is part of Runner: it forwards a batch of packets whose time has come.
func (n *lane) Run(w *Work) {
	d := n.link
	d.mu.Lock()
	n.marked = false
	if n.draining || d.closed || n.blocked && !n.retry {
		d.mu.Unlock()
		return
	}
	n.retry = false
	n.collect()
	n.draining = true
	recv := d.recv
	d.mu.Unlock()

	took := d.forward(n.dir, recv, w, n.batch)

	d.mu.Lock()
	n.draining = false
	writable := n.forwarded(took)
	add := n.settle()
	d.mu.Unlock()
	if writable && recv != nil {
		recv.Writable(w)
	}
	if add {
		w.Add(n)
	}
}

// collect moves what is due from the heap to the batch.
func (n *lane) collect() {
	now, _ := n.link.now()
	n.due, n.batch = n.due[:0], n.batch[:0]
	for len(n.held) > 0 && n.held[0].at <= now && len(n.batch) < laneBatch {
		h := n.pop()
		n.due = append(n.due, h)
		n.batch = append(n.batch, h.p)
	}
}

// forwarded cleans up after the link within has taken some of the batch. It
// reports whether somebody waits to hear that there is room.
func (n *lane) forwarded(took int) (writable bool) {
	for _, p := range n.batch[:took] {
		n.giveSpare(p)
	}
	rest := n.due[took:]
	if n.link.closed {
		n.count.Dropped += uint64(len(rest))
		rest = nil
	}
	for _, h := range rest {
		n.push(h)
	}
	clear(n.due)
	clear(n.batch)
	n.due, n.batch = n.due[:0], n.batch[:0]
	switch {
	case len(rest) == 0:
		writable = n.refused && n.blocked
		n.blocked = false
		if writable {
			n.refused = false
		}
	case !n.blocked:
		n.block()
	}
	return writable
}

// unblock notes that the link within has room again, and passes that on.
func (n *lane) unblock(w *Work) {
	d := n.link
	d.mu.Lock()
	n.blocked, n.retry = false, false
	tell := n.refused && d.recv != nil
	n.refused = false
	recv := d.recv
	add := n.settle()
	d.mu.Unlock()
	if add {
		w.Add(n)
	}
	if tell {
		recv.Writable(w)
	}
}

// drop forgets everything that is held, and stops the timer.
func (n *lane) drop() {
	n.count.Dropped += uint64(len(n.held))
	n.held, n.spare = nil, nil
	if n.timer != nil {
		n.timer.Stop()
	}
}
