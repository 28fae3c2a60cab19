package script

import "time"

// watch makes a player look at what a system does instead of judging it: what is
// not as stated is taken down, and the script goes on, as far as it can.
type watch struct {
	seen    []observation
	stopped *Error // why the script could not go on
	at      int    // where: the offset of the event that was not played, or the end
	busy    bool   // the script itself was late
}

// observation is what a system did where an event of the script was played.
type observation struct {
	pos   Pos
	kind  string   // "segment", "icmp", "call", "assertion", "unstated"
	seg   *Segment // of a segment, in the script's numbers
	text  string   // of everything else
	at    time.Duration
	off   time.Duration // from the stated time; negative: early
	wait  time.Duration // how long after the event before that is
	wrong string        // how that differs from what is stated; "" if it doesn't
}

// offTime is how far a time lies outside a range.
func offTime(when, at, until time.Duration) time.Duration {
	switch {
	case when < at:
		return when - at
	case when > until:
		return when - until
	}
	return 0
}

// sawSegment takes down what left where a line states a segment. What left before
// the one that is stated, nothing states.
func (p *player) sawSegment(e *Event, want *Segment, f *flow, at, until time.Duration) {
	w := p.watch
	for skip := p.unstatedBefore(want, f); skip > 0; skip-- {
		p.sawUnstated(want.Pos, f, f.out[0])
		f.out = f.out[1:]
	}
	pkt := f.out[0]
	last, n := p.gather(f, want)
	if pkt.icmp {
		w.seen = append(w.seen, observation{pos: want.Pos, kind: "icmp", text: p.describe(f, pkt), at: pkt.at, wrong: "an ICMP message left"})
		f.out = f.out[1:]
		return
	}
	f.learn(want, pkt)
	got := p.assemble(f, want, last, n)
	if raw := f.rawReset(pkt, got); raw != nil && (pkt.seq == 0 || p.set.match.mismatch(want, got) != "") {
		got = raw
	}
	o := observation{pos: want.Pos, kind: "segment", seg: got, at: last.at, wait: max(last.at-p.waitFrom, 0)}
	if e.Time.Kind != TimeAny {
		o.off = offTime(last.at, at, until)
	}
	if fail := p.compare(want, got, f, pkt, n); fail != nil {
		o.wrong = fail.err.Msg
	} else if fail := p.onTime(e, last.at, at, until, ""); fail != nil {
		o.wrong = fail.err.Msg
	}
	w.seen = append(w.seen, o)
	f.out = f.out[n:]
	p.last = last
}

// unstatedBefore is the number of segments before the stated one, if that is among
// those that have left.
func (p *player) unstatedBefore(want *Segment, f *flow) int {
	for i, q := range f.out {
		if !q.icmp && !q.isSynOf(want) && p.set.match.mismatch(want, p.assemble(f, want, q, 1)) == "" {
			return i
		}
	}
	return 0
}

// isSynOf reports whether a packet is a SYN where one is stated: its number is not
// known yet.
func (p *packet) isSynOf(want *Segment) bool { return p.flags&FlagSYN != 0 && want.Flags.Has(FlagSYN) }

func (p *player) sawUnstated(pos Pos, f *flow, pkt *packet) *observation {
	o := observation{pos: pos, kind: "unstated", text: p.describe(f, pkt), at: pkt.at}
	if !pkt.icmp {
		o.seg, o.text = f.outbound(pkt), ""
	}
	p.watch.seen = append(p.watch.seen, o)
	return &p.watch.seen[len(p.watch.seen)-1]
}

// sawCall takes down how a call ended.
func (p *player) sawCall(c *pendingCall, r callResult, at time.Duration, wrong string) {
	o := observation{pos: c.call.Pos, kind: "call", text: c.call.Name + "() = " + r.String(), at: at, wrong: wrong}
	if r.wrong != "" {
		o.text += ", " + r.wrong
	}
	if c.event.Time.HasEnd {
		o.off, o.wait = at-c.end, c.end
	}
	p.watch.seen = append(p.watch.seen, o)
}

// sawCode takes down whether a block's assertions hold.
func (p *player) sawCode(c *Code, fail *failed) {
	o := observation{pos: c.Pos, kind: "assertion", text: "holds", at: p.now()}
	if fail != nil {
		o.text, o.wrong = fail.err.Msg, fail.err.Msg
	}
	p.watch.seen = append(p.watch.seen, o)
}

// watchAll plays all events, and takes down what no line stated at the end.
func (p *player) watchAll() {
	for _, e := range p.plan.events[p.begun:] {
		p.line = e.Pos
		f := p.event(e)
		if f == nil {
			f = p.failure
		}
		if f != nil {
			p.watch.stopped, p.watch.at = f.err, e.Pos.Offset
			return
		}
	}
	p.watch.at = len(p.script.src) + 1
	f := p.idle()
	if f == nil {
		f = p.wait(p.now() + packetdrillTolerance)
	}
	if f != nil {
		p.watch.stopped = f.err
	}
	for _, f := range p.order {
		for len(f.out) > 0 {
			n := f.run(packetdrillTolerance)
			o := p.sawUnstated(p.line, f, f.out[0])
			if last := f.out[n-1]; n > 1 {
				o.at = last.at
				o.seg = p.assemble(f, &Segment{}, last, n)
			}
			f.out = f.out[n:]
		}
	}
}

// run is the number of segments at the head of what left that are one text, sent
// at once.
func (f *flow) run(instant time.Duration) int {
	n := 1
	for ; n < len(f.out); n++ {
		last, next := f.out[n-1], f.out[n]
		if next.icmp || last.icmp || len(last.payload) == 0 || len(next.payload) == 0 || next.seq != last.end() || next.ack != last.ack ||
			next.at-f.out[0].at > instant || last.flags&^(FlagACK|FlagPSH) != 0 || next.flags&(FlagSYN|FlagRST) != 0 {
			break
		}
	}
	return n
}
