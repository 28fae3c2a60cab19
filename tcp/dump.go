package tcp

import (
	"encoding/binary"
	"slices"
	"time"

	"estab/internal/wire"
)

// AppendState appends a canonical dump of everything that decides what the
// engine does next: two engines with the same dump behave alike. Times are
// relative to now; slots, generations and places in memory don't appear;
// connections come in the order of their tuples. Counters are left out.
//
// What depends on absolute time is relative too, but for three clocks: ISS,
// timestamps and the epoch of cookies. An explorer that wants to recognise
// states across time gives the engine NoTimestamps. Sequence numbers are
// relative to ISS and IRS. Left out are those of a TIME-WAIT record, which has
// neither, what only spreads choices (the counters of ports) and the counts of
// sources (Defence.NoSources does without).
func (e *Engine) AppendState(b []byte, now Time) []byte {
	d := dumper{b: b, now: now}
	keys := make([]string, 0, e.nConns+e.half.n+e.wait.n)
	for _, c := range e.conns {
		if c != nil && (c.state != StateClosed || c.has(fUser|fQueued)) {
			keys = append(keys, string(e.dumpConn(dumper{now: now}, c).b))
		}
	}
	e.half.dump(e, &keys, now)
	e.wait.dump(e, &keys, now)
	for i := range e.listeners {
		if l := &e.listeners[i]; l.inUse {
			ld := dumper{now: now}
			ld.tuple(&Tuple{Local: l.opts.Addr, LocalPort: l.opts.Port})
			ld.u64('L', uint64(len(l.queue)), uint64(l.halfOpen))
			if l.cookies {
				ld.u64(uint64(min(now.Sub(l.cookieAt), 2*cookieEpoch+1)))
			}
			keys = append(keys, string(ld.b))
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		d.u64(uint64(len(k)))
		d.b = append(d.b, k...)
	}
	for i := range e.replies.n {
		d.reply(&e.replies.q[(e.replies.head+i)%len(e.replies.q)])
	}
	d.u64(uint64(len(e.resets)))
	for i := range e.resets {
		d.reply(&e.resets[i])
	}
	d.u64(uint64(e.chal.left), e.chal.rnd.state)
	d.time(e.chal.until)
	return d.b
}

// dumper appends numbers.
type dumper struct {
	b   []byte
	now Time
}

func (d *dumper) u64(v ...uint64) {
	for _, x := range v {
		d.b = binary.AppendUvarint(d.b, x)
	}
}

func (d *dumper) reply(seg *Segment) {
	d.tuple(&seg.Tuple)
	d.u64(uint64(seg.Seq), uint64(seg.Ack), uint64(seg.Flags), uint64(seg.Wnd))
}

// time appends an instant relative to now; what has passed is all the same.
func (d *dumper) time(t Time) {
	switch {
	case t == Never:
		d.u64(0)
	case t <= d.now:
		d.u64(1)
	default:
		d.u64(uint64(t-d.now) + 1)
	}
}

// spaced appends when a record may answer again (Engine.spaced).
func (d *dumper) tuple(t *Tuple) {
	var a [16]byte
	t.Local.Put16(a[:])
	d.b = append(d.b, a[:]...)
	t.Remote.Put16(a[:])
	d.b = append(d.b, a[:]...)
	d.u64(uint64(t.LocalPort), uint64(t.RemotePort), uint64(t.Zone))
}

// dumpAges appends how long ago something was, where that decides anything and
// as far as it does: a connection that only grows older stays the same.
func (e *Engine) dumpAges(d *dumper, c *conn) {
	age := func(on bool, since Time, limit time.Duration) {
		a := time.Duration(0)
		if on {
			a = min(d.now.Sub(since), limit)
		}
		d.u64(uint64(a))
	}
	age(!e.cfg.NoIdleRestart, c.sentAt, c.rto+1)
	age(c.has(fKeepAlive), c.heardAt, max(c.idleTime(), c.userLimit()))
	age(c.has(fTimestamps), c.tsRecentAt, tsValid)
	if rtt := c.growthRTT(); !c.has(fFixedRcvBuf) {
		limit := rtt + time.Duration(2*uint64(c.autoArrived)*uint64(rtt)/uint64(max(c.rcvBuf, 1)))
		d.u64(uint64(c.autoArrived), uint64(c.autoRTT), uint64(min(e.growthTime(c), limit)))
	}
}

// blocks appends those that are set.
func (d *dumper) blocks(base Num, blocks ...SACKBlock) {
	for _, b := range blocks {
		if b.Left != b.Right {
			d.u64(uint64(b.Left-base), uint64(b.Right-base))
		}
	}
	d.u64(0)
}

func (d *dumper) slabs(s *wire.Slab) {
	for ; s != nil; s = s.Next {
		d.b = append(d.b, s.Bytes()...)
	}
	d.u64(0)
}

func (e *Engine) dumpConn(d dumper, c *conn) dumper {
	const volatile = fDirty | fReady | fBlocked
	d.tuple(&c.tuple)
	d.u64('C', uint64(c.state), uint64(c.flags&^volatile), uint64(c.err), uint64(c.softErr))
	iss, irs := c.snd.ISS, c.rcv.IRS
	fin := Num(0)
	if c.has(fFinKnown) {
		fin = c.rcv.fin - irs
	}
	d.u64(uint64(c.snd.UNA-iss), uint64(c.snd.NXT-iss), uint64(c.snd.UP-iss), uint64(c.snd.WL1-irs), uint64(c.snd.WL2-iss),
		uint64(c.snd.WND), uint64(c.snd.maxWND), uint64(c.snd.push-iss), uint64(c.snd.small-iss), uint64(c.snd.scale))
	d.u64(uint64(c.rcv.NXT-irs), uint64(c.rcv.UP-irs), uint64(c.rcv.WND), uint64(fin), uint64(c.rcv.rounded), uint64(c.rcv.lastAck-irs), uint64(c.rcv.scale))
	d.u64(uint64(c.smss), uint64(c.rmss), uint64(c.pathMSS), uint64(c.rcvBuf), uint64(c.sndBuf))
	d.u64(uint64(c.unacked), uint64(c.dupAcksDue), uint64(c.quickAcks))
	d.blocks(irs, c.dsack)
	d.blocks(iss, c.lastSACK[:]...)
	d.u64(uint64(c.srtt), uint64(c.rttvar), uint64(c.rto), uint64(c.tsRecent))
	d.u64(uint64(c.retries), uint64(c.probes), uint64(c.backoff), uint64(c.stuckFull), uint64(c.maxRetries))
	d.u64(uint64(c.ca), uint64(c.dupAcks), uint64(c.recover-iss), uint64(c.highSacked-iss), uint64(c.lossSeen-iss), uint64(c.rescue-iss),
		uint64(c.sacked), uint64(c.lost), uint64(c.retrans), uint64(c.twice), uint64(c.maxFlight), uint64(c.usageSeq-iss))
	if c.alg != 0 {
		d.b = c.alg.Algorithm().AppendState(d.b, &c.cong, int64(d.now))
	}
	for _, t := range c.deadlines {
		d.time(t)
	}
	d.u64(uint64(c.lostHint-iss), uint64(min(c.tw, 1)))
	e.dumpAges(&d, c)
	d.time(c.challengeAt)
	d.time(c.lastOOWAck)
	d.slabs(c.sendq.head)
	d.slabs(c.recvq.head)
	d.u64(uint64(c.rtx.len()))
	for i := range c.rtx.len() {
		s := c.rtx.at(i)
		d.u64(uint64(s.seq-iss), uint64(s.end-iss), uint64(s.marks), uint64(d.now-s.at))
	}
	if c.ooo != nil {
		d.ooo(c.ooo, irs)
	}
	return d
}

func (d *dumper) ooo(r *reassembly, irs Num) {
	d.u64(uint64(r.spans.n))
	for ci, i := 0, 0; ci < len(r.spans.chunks); ci, i = r.spans.next(ci, i) {
		sp := r.spans.chunks[ci][i]
		d.u64(uint64(sp.l-irs), uint64(sp.r-irs))
		for at := sp.l; at != sp.r; {
			k, off := int(uint32(at-r.base)/pageSize), int(uint32(at-r.base)%pageSize)
			p := r.pages[k].Bytes()[off:]
			p = p[:min(len(p), int(sp.r-at))]
			d.b = append(d.b, p...)
			at += Num(len(p))
		}
	}
	for _, x := range r.recent[:r.nRecent] {
		d.u64(uint64(x - irs))
	}
}

func (h *halfOpens) dump(e *Engine, keys *[]string, now Time) {
	h.each2(func(t Tuple, r *halfOpen) {
		d := dumper{now: now}
		d.tuple(&t)
		d.u64('H', uint64(min(r.wait, 1)), uint64(r.tsRecent), uint64(r.mss), uint64(r.wnd), uint64(r.opts), uint64(r.stage()), uint64(r.sends()))
		d.time(r.deadline)
		d.u64(uint64(e.halfOpenWait(r.ackAt, now)))
		*keys = append(*keys, string(d.b))
	})
}

func (h *halfOpens) each2(f func(Tuple, *halfOpen)) {
	for k := range maxStages {
		for n := h.v4.stages[k].head; n != 0; n = h.v4.at(n - 1).next {
			f(h.v4.tuple(n-1), &h.v4.at(n-1).halfOpen)
		}
		for n := h.v6.stages[k].head; n != 0; n = h.v6.at(n - 1).next {
			f(h.v6.tuple(n-1), &h.v6.at(n-1).halfOpen)
		}
	}
}

func (w *timeWaits) dump(e *Engine, keys *[]string, now Time) {
	one := func(t Tuple, r *timeWait) {
		d := dumper{now: now}
		d.tuple(&t)
		d.u64('W', uint64(r.maxWND), uint64(r.rcvWND), uint64(r.tsRecent), uint64(r.opts), uint64(r.tos))
		d.time(r.deadline)
		d.u64(uint64(e.spacedWait(r.ackAt, now)))
		*keys = append(*keys, string(d.b))
	}
	for n := w.v4.head; n != 0; n = w.v4.at(n - 1).next {
		one(w.v4.tuple(n-1), &w.v4.at(n-1).timeWait)
	}
	for n := w.v6.head; n != 0; n = w.v6.at(n - 1).next {
		one(w.v6.tuple(n-1), &w.v6.at(n-1).timeWait)
	}
}
