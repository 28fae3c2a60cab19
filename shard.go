package estab

import (
	"sync"
	"time"

	"estab/inet"
	"estab/link"
	"estab/tcp"
)

// shard is a part of a host: a whole IP stack and its lock. The keyed hash of
// a flow says which shard it lives in. Shards share nothing on the hot path.
//
// Whoever has something to do does it, on his own goroutine and to the end. A
// call of a user locks mu, acts on the engine, hands what the engine wants to
// send to the links while still holding mu (which fixes the order of a
// connection's packets), unlocks, wakes the goroutines that waited for it,
// and then pumps: it runs the shards, of this host or another, that its
// packets have reached.
//
// Three locks are ever held together, in this order: a token, a mu, and one
// leaf (a queue's lock, a listener's). The token is tried for and never waited
// for, so that it may be tried under mu, too. No lock is held while a goroutine
// waits for anything else.
type shard struct {
	host  *Host
	index int
	queue rxQueue // what has arrived; its lock is a leaf

	mu        sync.Mutex // guards everything below
	stack     *inet.Stack
	tcp       *tcp.Engine // the stack's
	ring      *tcp.Ring   // the engine's events; may be nil
	out       []egress    // by LinkID
	conns     []*Conn     // by tag; [0] is never used
	freeTags  []uint32
	listeners map[tcp.ListenerID]*Listener
	idle      waiterPool
	now       tcp.Time // when the clock was last read
	timer     *time.Timer
	timerAt   tcp.Time   // when the timer goes off; tcp.Never: it is not set
	restUntil tcp.Time   // it goes off no earlier
	written   int        // bytes of long Writes since one gave up the processor
	trimAt    tcp.Time   // when buffers are given back next; tcp.Never: there are none
	work      *link.Work // where the operation under way lists what it causes
	woken     waiters    // whom it wakes once mu is unlocked
	drain     waiters    // calls of Shutdown that wait for this shard
	ending    bool       // nothing new is opened: Shutdown or Close was called
	closing   bool       // close is under way, or done
	closed    bool
}

func (sh *shard) init(h *Host, stack *inet.Stack, ring *tcp.Ring) {
	sh.host, sh.stack, sh.tcp, sh.ring = h, stack, stack.TCP(), ring
	sh.out = make([]egress, len(h.ports))
	sh.conns = make([]*Conn, 1)
	sh.listeners = make(map[tcp.ListenerID]*Listener)
	sh.timerAt, sh.trimAt = tcp.Never, tcp.Never
}

// enter begins an operation: it locks mu and reads the clock.
func (sh *shard) enter() (now tcp.Time) {
	sh.mu.Lock()
	sh.now = sh.host.now()
	return sh.now
}

// leave ends an operation: whatever it made the engine want to send goes out,
// mu is unlocked, those who waited for it are woken, and what the packets
// caused elsewhere is run.
func (sh *shard) leave() {
	sh.settle(sh.now)
	now, w, woken := sh.now, sh.work, sh.woken
	sh.work, sh.woken = nil, waiters{}
	sh.mu.Unlock()
	woken.wake()
	if w != nil {
		w.Clock = sh.host.base + link.Instant(now-1)
		w.Run()
		w.Clock = 0
		sh.host.putWork(w)
	}
}

// settle brings the engine's wishes to an end: output, readiness, timer.
func (sh *shard) settle(now tcp.Time) {
	if sh.closed {
		return
	}
	for sh.stack.Pending() || sh.tcp.AnyReady() {
		if sh.stack.Pending() {
			sh.output(now)
		}
		sh.collect(now)
	}
	if min(sh.stack.DeadlineFloor(), sh.trimAt) < sh.timerAt {
		sh.arm(now)
	}
	if !sh.drain.empty() && !sh.closing && sh.drained() {
		sh.drain.moveTo(&sh.woken)
	}
}

// arm sets the shard's timer if the engine's next deadline is earlier than
// what it is set for, as DeadlineFloor has said that it may be. A later deadline
// leaves it alone: it then goes off for nothing and is set again, which costs
// less than a reset for every acknowledgement. After it has gone off it rests for
// a millisecond: where very many deadlines follow each other, one expiry serves
// all that are due.
func (sh *shard) arm(now tcp.Time) {
	next := max(min(sh.stack.NextDeadline(), sh.trimAt), sh.restUntil)
	if next >= sh.timerAt {
		return
	}
	sh.timerAt = next
	if wait := next.Sub(now); sh.timer == nil {
		sh.timer = time.AfterFunc(wait, sh.expire)
	} else {
		sh.timer.Reset(wait)
	}
}

// expire runs when the timer goes off.
func (sh *shard) expire() {
	now := sh.enter()
	sh.timerAt, sh.restUntil = tcp.Never, now.Add(time.Millisecond)
	if sh.host.asleep.Load() {
		sh.mu.Unlock()
		return // Resume comes back to it
	}
	if !sh.closed {
		sh.stack.Advance(now)
		sh.trim(now)
	}
	sh.leave()
}

// trimEvery is how long a buffer waits for its next use.
const trimEvery = 10 * time.Second

// trim gives back the buffers that were not needed for a while. An idle shard
// ends up with none, and needs no timer for it any more.
func (sh *shard) trim(now tcp.Time) {
	if now < sh.trimAt {
		return
	}
	sh.trimAt = now.Add(trimEvery)
	left, waits := sh.queue.trim()
	if sh.stack.Pool().Trim()+left == 0 {
		sh.trimAt = tcp.Never
	}
	if waits {
		sh.needWork().Add((*backlog)(sh))
	}
}

// collect acts on what became of connections and listeners.
func (sh *shard) collect(now tcp.Time) {
	for sh.tcp.AnyReady() {
		r, ok := sh.tcp.NextReady()
		if !ok {
			return
		}
		if r.What&tcp.Acceptable != 0 {
			sh.accept(now, r.Listener)
			continue
		}
		if c := sh.conn(r.Tag, r.Conn); c != nil {
			c.notice(r.What)
		}
	}
}

// conn finds the connection that a tag names. Its id must be the one the
// engine speaks of: a tag is reused.
func (sh *shard) conn(tag uint32, id tcp.ConnID) *Conn {
	if int(tag) < len(sh.conns) {
		if c := sh.conns[tag]; c != nil && c.id == id {
			return c
		}
	}
	return nil
}

// attach gives the connection a tag.
func (sh *shard) attach(c *Conn) {
	if n := len(sh.freeTags); n > 0 {
		c.tag = sh.freeTags[n-1]
		sh.freeTags = sh.freeTags[:n-1]
		sh.conns[c.tag] = c
		return
	}
	c.tag = uint32(len(sh.conns))
	sh.conns = append(sh.conns, c)
}

// detach takes the tag back.
func (sh *shard) detach(c *Conn) {
	sh.conns[c.tag] = nil
	sh.freeTags = append(sh.freeTags, c.tag)
	c.tag = 0
}

// drained reports whether nothing is left that a peer has not acknowledged:
// no data, no FIN of ours, no handshake.
func (sh *shard) drained() bool {
	drained := true
	sh.tcp.States(func(_ tcp.Tuple, s tcp.State) bool {
		drained = delivered(s)
		return drained
	})
	return drained
}

// delivered reports whether a peer has acknowledged all that it had to.
func delivered(s tcp.State) bool {
	switch s {
	case tcp.StateFinWait2, tcp.StateTimeWait, tcp.StateClosed, tcp.StateListen:
		return true
	}
	return false
}

// undelivered are the connections of which that isn't so.
func (sh *shard) undelivered() (list []tcp.Tuple) {
	sh.tcp.States(func(t tcp.Tuple, s tcp.State) bool {
		if !delivered(s) {
			list = append(list, t)
		}
		return true
	})
	return list
}

// close ends everything in the shard: connections are aborted and whoever
// waits is woken.
func (sh *shard) close() {
	now := sh.enter()
	if sh.closed || sh.closing {
		sh.mu.Unlock()
		return
	}
	sh.closing = true
	for _, c := range sh.conns {
		if c != nil {
			c.abort(now)
		}
	}
	for _, t := range sh.undelivered() {
		sh.tcp.Drop(now, t)
	}
	// The resets go out, and a link that had no room for all has some then.
	sh.leave()

	sh.enter()
	sh.needWork()
	sh.unblock(^uint64(0))
	sh.settle(sh.now)
	sh.closed = true
	if sh.timer != nil {
		sh.timer.Stop()
	}
	sh.drain.moveTo(&sh.woken)
	sh.queue.close()
	sh.leave()
}
