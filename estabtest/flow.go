package estabtest

import (
	"cmp"
	"slices"

	"estab/internal/netem"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// flow is what the network knows of one connection. The client, who sent the
// first segment, is trace.Left.
type flow struct {
	tuple  tcp.Tuple // as the client sees it
	luckID uint64
	nth    int // connection of these hosts and that port, from 1
	sides  [2]side
	began  int64 // ns since New
	last   int64

	first, tail []*record // the first segments, and, as a ring, the last
	tailAt      int
	forgotten   int // segments between the two

	events []sideEvent
	reset  bool // a RST was seen
}

// side is one end of a flow.
type side struct {
	host  *Host
	known bool
	state tcp.State // of the engine, as it last said
	spoke bool      // the engine said something
	err   error     // why the connection ended
	luck  []luckOn  // of what this end sends

	iss, high seq32 // its initial sequence number, and the one after its highest
	fin       bool  // high counts a FIN
	ack       seq32 // its latest acknowledgement
	wnd       uint16
	came      seq32 // what its peer expects next, as far as the network can tell

	segments, bytes, again, lost int
}

type seq32 = tcp.Num

// luckOn is the luck of one end's segments on one pipe.
type luckOn struct {
	pipe  *pipe
	key   uint64
	state netem.State
	sent  int   // packets
	base  int64 // the latest arrival, by the model
	last  int64 // and as it was
}

// sideEvent is an event that the ladder shows, in the network's time.
type sideEvent struct {
	side trace.Side
	ev   tcp.Event
}

// record is one segment that was sent.
type record struct {
	at       int64
	arrive   [2]int64
	due      int64 // when it will, or would have
	copies   uint8
	side     trace.Side
	again    bool // sent before, or part of it
	corrupt  bool
	overtook bool
	injected bool        // nobody sent it
	dropped  wire.Reason // why its receiver threw it away
	fate     string      // why it didn't arrive
	n        int         // it is its sender's nth in this connection
	hdr      tcp.SegHeader
}

// What is remembered. A test that goes beyond it loses details in the middle
// of its connections first, then the details of old ones that ended in order,
// then these themselves.
const (
	keepFirst   = 500
	keepLast    = 500
	keepRecords = 200_000
	keepEvents  = 400
	keepFlows   = 50_000
)

// flowKey names a connection whoever looks at it.
func flowKey(t tcp.Tuple) tcp.Tuple {
	t.Zone = 0
	l, r := t.Local, t.Remote
	if l.Hi > r.Hi || l.Hi == r.Hi && (l.Lo > r.Lo || l.Lo == r.Lo && t.LocalPort > t.RemotePort) {
		return t.Swap()
	}
	return t
}

// flowOf finds the flow of a segment as its receiver sees it, and which end
// sent it. A SYN begins a new one if the old one is over or had another
// sequence number. Nobody's segments, like resets of what was never there,
// have none.
func (n *Network) flowOf(seg *tcp.Segment, from, to *node, now int64) (*flow, trace.Side) {
	t := seg.Tuple.Swap() // as its sender sees it
	t.Zone = 0
	k := flowKey(t)
	f := n.flows[k]
	if f != nil {
		s := trace.Left
		if f.tuple != t {
			s = trace.Right
		}
		syn := seg.Flags.Any(wire.SYN) && !seg.Flags.Any(wire.ACK)
		if !syn || f.sides[s].known && f.sides[s].iss == seg.Seq || s == trace.Right && !f.over() {
			return f, s
		}
	}
	if seg.Flags.Any(wire.RST) || from.host == nil || to.host == nil {
		return nil, 0
	}
	return n.newFlow(k, t, from.host, to.host, now), trace.Left
}

// newFlow begins a flow. Its luck depends on who talks to whom, and on how
// many connections they had before.
func (n *Network) newFlow(k, t tcp.Tuple, client, server *Host, now int64) *flow {
	n.conns++
	service := hashOf(client.name, server.name) + uint64(t.RemotePort)
	n.nth[service]++
	f := &flow{tuple: t, began: now, last: now, nth: n.nth[service], luckID: service + uint64(n.nth[service])<<32}
	f.sides[trace.Left].host, f.sides[trace.Right].host = client, server
	n.flows[k] = f
	n.all = append(n.all, f)
	n.forget(keepRecords, keepFlows)
	return f
}

// forget keeps memory bounded: flows that ended in order give up their
// segments, and then themselves.
func (n *Network) forget(records, flows int) {
	for ; n.records > records && n.forgetAt < len(n.all)-1; n.forgetAt++ {
		if f := n.all[n.forgetAt]; f.over() && f.wellEnded() {
			n.records -= len(f.first) + len(f.tail)
			f.forgotten += len(f.first) + len(f.tail)
			f.first, f.tail, f.events = nil, nil, nil
		}
	}
	if len(n.all) <= flows {
		return
	}
	kept := n.all[:0]
	for i, f := range n.all {
		if i < flows/2 && f.over() && f.wellEnded() {
			n.records -= len(f.first) + len(f.tail)
			if k := flowKey(f.tuple); n.flows[k] == f {
				delete(n.flows, k)
			}
			continue
		}
		kept = append(kept, f)
	}
	clear(n.all[len(kept):])
	n.all, n.forgetAt = kept, 0
}

// add notes a segment, and reports whether it was progress: something new,
// which a probe, a retransmission and a repeated acknowledgement are not.
func (f *flow) add(s trace.Side, hdr *tcp.SegHeader, now int64) (rec *record, progress bool) {
	me := &f.sides[s]
	me.segments++
	me.bytes += int(hdr.Len)
	f.last = now
	rec = &record{at: now, side: s, n: me.segments, hdr: *hdr}
	progress = me.observe(hdr, rec)
	if rec.again {
		me.again++
	}
	if hdr.Flags.Any(wire.RST) {
		f.reset = true
	}
	return rec, progress
}

// observe moves what is known of the sender forward.
func (me *side) observe(h *tcp.SegHeader, rec *record) (progress bool) {
	end := h.Seq + seq32(h.Len)
	if h.Flags.Any(wire.SYN) {
		end++
	}
	if h.Flags.Any(wire.FIN) {
		end++
	}
	if !me.known {
		me.known, me.iss, me.high, me.came = true, h.Seq, h.Seq, h.Seq
	}
	if h.Flags.Any(wire.RST) {
		return true
	}
	fresh := me.high.Less(end)
	old := h.Seq.Less(me.high)
	probe := old && h.Len <= 1 && me.high-h.Seq == 1 && !h.Flags.Any(wire.SYN|wire.FIN)
	rec.again = old && end != h.Seq && !probe
	if fresh {
		me.high = end
		me.fin = me.fin || h.Flags.Any(wire.FIN)
	}
	progress = fresh
	if h.Flags.Any(wire.ACK) {
		progress = progress || h.Ack != me.ack || h.Wnd != me.wnd
		me.ack, me.wnd = h.Ack, h.Wnd
	}
	return progress
}

// keep remembers a segment, unless there are too many.
func (n *Network) keep(f *flow, rec *record) {
	switch {
	case len(f.first) < keepFirst:
		f.first = append(f.first, rec)
	case len(f.tail) < keepLast:
		f.tail = append(f.tail, rec)
	default:
		f.tail[f.tailAt] = rec
		f.tailAt = (f.tailAt + 1) % keepLast
		f.forgotten++
		return
	}
	n.records++
}

// kept are the remembered segments in the order in which they were sent; of
// the same instant, the client's first.
func (f *flow) kept() []*record {
	all := slices.Clone(f.first)
	for i := range f.tail {
		all = append(all, f.tail[(f.tailAt+i)%len(f.tail)])
	}
	slices.SortStableFunc(all, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.side, b.side))
	})
	return all
}

// luck is the luck of what an end sends on a pipe.
func (n *Network) luck(f *flow, s trace.Side, p *pipe) *luckOn {
	me := &f.sides[s]
	for i := range me.luck {
		if me.luck[i].pipe == p {
			return &me.luck[i]
		}
	}
	id := f.luckID + hashOf(p.from.name, p.to.name) + uint64(s)
	me.luck = append(me.luck, luckOn{pipe: p, key: id, state: netem.NewState(n.seed, id)})
	return &me.luck[len(me.luck)-1]
}

// arrived notes that a copy of a segment came to its receiver.
func (f *flow) arrived(rec *record, now int64) {
	if rec.copies < 2 {
		rec.arrive[rec.copies] = now
		rec.copies++
	}
	if rec.corrupt {
		return
	}
	me := &f.sides[rec.side]
	end := rec.hdr.Seq + seq32(rec.hdr.Len)
	if rec.hdr.Flags.Any(wire.SYN) {
		end++
	}
	if rec.hdr.Flags.Any(wire.FIN) {
		end++
	}
	if rec.hdr.Seq.LessEq(me.came) && me.came.Less(end) {
		me.came = end
	}
	// What the receiver acknowledges it has, whatever was remembered here.
	if peer := &f.sides[rec.side.Other()]; rec.hdr.Flags.Any(wire.ACK) && peer.known && peer.came.Less(rec.hdr.Ack) {
		peer.came = rec.hdr.Ack
	}
}

// seenBy is the connection as an end names it.
func (f *flow) seenBy(s trace.Side) tcp.Tuple {
	if s == trace.Right {
		return f.tuple.Swap()
	}
	return f.tuple
}

// apply takes an event of an end's engine, in the network's time.
func (f *flow) apply(s trace.Side, ev tcp.Event) {
	me := &f.sides[s]
	switch ev.Kind {
	case tcp.EventState:
		me.state, me.spoke = ev.To, true
	case tcp.EventClosed:
		if ev.Err != 0 {
			me.err = sysError(ev.Err)
		}
	case tcp.EventDrop:
		f.thrownAway(s, &ev)
	case tcp.EventTimer:
		if ev.Timer == tcp.TimerDelayedAck {
			return
		}
	case tcp.EventBlocked:
		if ev.Why != tcp.WhyZeroWindow {
			return
		}
	default:
		return
	}
	if len(f.events) < keepEvents {
		f.events = append(f.events, sideEvent{s, ev})
	}
}

// thrownAway notes why the receiver s threw a segment away.
func (f *flow) thrownAway(s trace.Side, ev *tcp.Event) {
	for i := range min(len(f.tail), drainEvery) {
		if f.tail[(f.tailAt-1-i+2*len(f.tail))%len(f.tail)].thrown(s, ev) {
			return
		}
	}
	for i := range min(len(f.first), drainEvery) {
		if f.first[len(f.first)-1-i].thrown(s, ev) {
			return
		}
	}
}

func (r *record) thrown(s trace.Side, ev *tcp.Event) bool {
	if r.side == s || r.copies == 0 || r.arrive[r.copies-1] != int64(ev.Time) ||
		r.hdr.Seq != ev.Seg.Seq || r.hdr.Flags != ev.Seg.Flags {
		return false
	}
	r.dropped = ev.Reason
	return true
}

// gone reports whether an end has nothing left of the connection but, at most,
// a record in TIME-WAIT.
func (f *flow) gone(s trace.Side) bool {
	me, peer := &f.sides[s], &f.sides[s.Other()]
	switch me.state {
	case tcp.StateClosed, tcp.StateListen, tcp.StateTimeWait:
		return me.spoke || s == trace.Right // the engine of a server may never have known
	}
	// If events were lost, the wire has to do.
	return me.host.lossy && (f.reset || me.fin && peer.fin && me.ack == peer.high && peer.ack == me.high)
}

// over reports whether both ends are done with the connection.
func (f *flow) over() bool { return f.gone(trace.Left) && f.gone(trace.Right) }

// wellEnded reports whether nothing went wrong on a connection that is over.
func (f *flow) wellEnded() bool {
	return !f.reset && f.sides[trace.Left].err == nil && f.sides[trace.Right].err == nil
}
