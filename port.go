package estab

import (
	"estab/inet"
	"estab/internal/wire"
	"estab/link"
	"estab/tcp"
)

// port is where a link meets the host: the link's Receiver. The loopback's
// has no link.
type port struct {
	host *Host
	id   inet.LinkID
	link link.Link
	name string
}

// Deliver takes packets that arrived and queues them for the shards that
// their flows live in. It may be called under the lock of the shard that sent
// them.
func (p *port) Deliver(w *link.Work, pkts []*link.Packet) {
	for len(pkts) > batchSize {
		p.Deliver(w, pkts[:batchSize])
		pkts = pkts[batchSize:]
	}
	if len(pkts) == 0 {
		return
	}
	sh, n := p.steer(pkts[0]), 1
	for n < len(pkts) && p.steer(pkts[n]) == sh {
		n++
	}
	if n < len(pkts) {
		p.distribute(w, pkts)
	} else if sh.queue.push(p.id, pkts) {
		w.Add(sh)
	}
}

// distribute is Deliver for packets of several shards: each gets its own together.
func (p *port) distribute(w *link.Work, pkts []*link.Packet) {
	var to [batchSize]*shard // nil: it is there
	for i, pkt := range pkts {
		to[i] = p.steer(pkt)
	}
	var own [batchSize]*link.Packet
	var from [batchSize]int
	for i := range pkts {
		sh := to[i]
		if sh == nil {
			continue
		}
		n := 0
		for j := i; j < len(pkts); j++ {
			if to[j] == sh {
				own[n], from[n], to[j] = pkts[j], j, nil
				n++
			}
		}
		if sh.queue.push(p.id, own[:n]) {
			w.Add(sh)
		}
		for k, j := range from[:n] {
			pkts[j] = own[k]
		}
	}
}

// steer is the shard that a packet's flow lives in.
func (p *port) steer(pkt *link.Packet) *shard {
	h := p.host
	if len(h.shards) == 1 {
		return &h.shards[0]
	}
	if pkt.Hash == 0 {
		pkt.Hash = h.shards[0].stack.Steer(p.id, pkt.Bytes())
	}
	return h.shard(pkt.Hash)
}

// Writable runs the shards for which the link had no room.
func (p *port) Writable(w *link.Work) {
	for i := range p.host.shards {
		if sh := &p.host.shards[i]; sh.queue.unstall(p.id) {
			w.Add(sh)
		}
	}
}

// Run takes in a batch of what has arrived, and sends what the shard wants to
// send in return. Who calls it has the token.
func (sh *shard) Run(w *link.Work) {
	b := sh.queue.batch
	sh.queue.batch = batch{}
	var woken waiters
	if b.list != nil || b.room != 0 {
		woken = sh.receive(w, b)
	}
	if sh.queue.end() {
		w.Add((*backlog)(sh))
	}
	woken.wake() // last: they are to find nothing locked
}

// HandOff is part of link.HandOffer: the token goes back.
func (sh *shard) HandOff() link.Runner {
	sh.queue.putBack()
	return (*backlog)(sh).HandOff()
}

// backlog is a shard on the list of somebody who hasn't got its token.
type backlog shard

// Run takes in a batch, unless somebody else is at it.
func (b *backlog) Run(w *link.Work) {
	if sh := (*shard)(b); sh.queue.resume() {
		sh.Run(w)
	}
}

// HandOff is part of link.HandOffer: one helper for a shard is enough.
func (b *backlog) HandOff() link.Runner {
	if !b.queue.hand() {
		return nil
	}
	return (*handed)(b)
}

// handed is a backlog on the list of a helper that has yet to begin.
type handed shard

func (h *handed) Run(w *link.Work) {
	h.queue.taken()
	(*backlog)(h).Run(w)
}

// receive takes in a batch, and returns whom that wakes. Headers and checksums
// are verified before mu is locked.
func (sh *shard) receive(w *link.Work, b batch) (woken waiters) {
	var came [2]int
	parsed := sh.queue.parsed[:0]
	for p := b.list; p != nil; {
		next := p.Next
		p.Next = nil
		came[class(p)]++
		if n := len(parsed); n < cap(parsed) {
			parsed = parsed[:n+1]
		} else {
			parsed = append(parsed, inet.Parsed{})
		}
		sh.stack.Parse(inet.LinkID(p.Meta), p, &parsed[len(parsed)-1])
		p = next
	}
	sh.queue.parsed = parsed
	sh.mu.Lock()
	now := max(sh.host.at(w.Clock), sh.now)
	sh.now, sh.work = now, w
	if b.room != 0 {
		sh.unblock(b.room)
	}
	for i := range parsed {
		sh.stack.InputParsed(now, &parsed[i])
	}
	sh.restock(came)
	sh.settle(now)
	woken = sh.woken
	sh.work, sh.woken = nil, waiters{}
	sh.mu.Unlock()
	return woken
}

// restock sets empty buffers aside, to be exchanged with those who will send
// next for those that came: as many, if there are any. Where traffic flows one
// way, what it brings goes back like this; where it goes both ways each side
// has its own.
func (sh *shard) restock(came [2]int) {
	if sh.trimAt == tcp.Never {
		sh.trimAt = sh.now.Add(trimEvery)
	}
	pool := sh.stack.Pool()
	for class, n := range came {
		for spare := &sh.queue.spare[class]; n > 0 && spare.n < batchSize; n-- {
			p := pool.Spare(classSize[class])
			if p == nil {
				break
			}
			spare.push(p)
		}
	}
}

// egress is what a shard has for one link and not yet handed over.
type egress struct {
	batch   []*link.Packet
	refused bool // the link took less than it was offered
}

// output gives out what the engine wants to send.
func (sh *shard) output(now tcp.Time) {
	sh.needWork()
	sh.stack.Output(now, sh)
	for id := range sh.out {
		if len(sh.out[id].batch) > 0 {
			sh.flush(inet.LinkID(id))
		}
	}
}

// needWork is the list of work of the operation under way.
func (sh *shard) needWork() *link.Work {
	if sh.work == nil {
		sh.work = sh.host.getWork()
	}
	return sh.work
}

// Room is part of inet.Outbox: whether the link takes another packet.
func (sh *shard) Room(id inet.LinkID) bool {
	out := &sh.out[id]
	if len(out.batch) == batchSize {
		sh.flush(id)
	}
	return !out.refused
}

// Send is part of inet.Outbox. Room promised the room.
func (sh *shard) Send(id inet.LinkID, p *wire.Slab) {
	out := &sh.out[id]
	out.batch = append(out.batch, p)
}

// flush hands the batch to the link. What the link refuses stays until it
// says that it is writable again: nothing of ours is dropped here.
func (sh *shard) flush(id inet.LinkID) {
	out, p := &sh.out[id], sh.host.ports[id]
	if out.refused {
		return
	}
	sh.hand(p, out)
	if len(out.batch) == 0 {
		return
	}
	// Say that we wait before the last try, or the word that there is room
	// could come between the refusal and the wish to hear it.
	sh.queue.stall(id)
	sh.hand(p, out)
	out.refused = len(out.batch) > 0
}

// hand offers the batch and keeps what is not taken. The buffers that come
// back go to the pool.
func (sh *shard) hand(p *port, out *egress) {
	n := len(out.batch)
	if p.link == nil {
		p.Deliver(sh.work, out.batch)
	} else {
		n = p.link.Enqueue(sh.work, out.batch)
	}
	for i, empty := range out.batch[:n] {
		if empty != nil {
			out.batch[i] = nil
			sh.stack.Pool().Put(empty)
		}
	}
	if n < len(out.batch) {
		rest := copy(out.batch, out.batch[n:])
		clear(out.batch[rest:])
		n = len(out.batch) - rest
	}
	out.batch = out.batch[:len(out.batch)-n]
}

// unblock tries again what links refused.
func (sh *shard) unblock(room uint64) {
	for id := range sh.out {
		if room>>id&1 != 0 {
			sh.out[id].refused = false
			sh.flush(inet.LinkID(id))
		}
	}
	sh.stack.Writable()
}
