package script

import (
	"fmt"
	"time"

	"estab/internal/trace"
)

// expect waits for the segment that a line states and compares it with the one
// that leaves. Like packetdrill it takes the next segment of the connection,
// whenever it left, so that one that nobody stated is found here.
func (p *player) expect(e *Event, want *Segment, at, until time.Duration) *failed {
	f := p.flowForOutbound(want)
	for f == nil && p.set.real && p.failure == nil && p.sys.next(until+p.set.lookAhead) {
		f = p.flowForOutbound(want) // the SYN of a call that is on its way
	}
	if f == nil {
		return p.failAt(want.Pos, "there is no connection that could send this")
	}
	pkt, fail := p.await(e, f, until, want.String())
	if fail != nil {
		return fail
	}
	p.collect(f, want)
	if p.watch != nil {
		p.sawSegment(e, want, f, at, until)
		return p.failure
	}
	if pkt.icmp {
		return p.surprise(want, f, pkt, "the stack sent an ICMP message")
	}
	last, n := p.gather(f, want)
	if want.Flags.Has(FlagSYN) && !want.Seq.Any && want.Seq.Begin != 0 {
		return p.surprise(want, f, pkt, "the initial sequence number of the stack is called 0", f.outbound(pkt))
	}
	f.learn(want, pkt)
	got := p.assemble(f, want, last, n)
	if fail := p.compare(want, got, f, pkt, n); fail != nil {
		return fail
	}
	if fail := p.onTime(e, last.at, at, until, got.forDisplay(want).String()); fail != nil {
		return fail
	}
	f.out = f.out[n:]
	p.last = last
	return nil
}

// assemble makes one segment, in the script's numbers, of the first n that left,
// or of the one that is last.
func (p *player) assemble(f *flow, want *Segment, last *packet, n int) *Segment {
	if n == 1 {
		got := f.outbound(last)
		p.adjustPush(want, got, f, n, last)
		return got
	}
	got := f.outbound(f.out[0])
	got.Flags.Bits = last.flags
	got.Seq.Len = 0
	for _, q := range f.out[:n] {
		got.Seq.Len += uint32(len(q.payload))
	}
	got.Seq.End = got.Seq.Begin + got.Seq.Len
	p.adjustPush(want, got, f, n, last)
	return got
}

// compare compares all but the time.
func (p *player) compare(want, got *Segment, f *flow, pkt *packet, n int) *failed {
	why := p.set.match.mismatch(want, got)
	if raw := f.rawReset(pkt, got); why != "" && raw != nil && p.set.match.mismatch(want, raw) == "" {
		why = ""
	}
	if why == "" {
		why = mismatchMarks(&want.IP, pkt)
	}
	if why != "" {
		return p.surprise(want, f, pkt, why, got)
	}
	for _, q := range f.out[:n] {
		if !f.checkPayload(q) {
			return p.surprise(want, f, q, "its text is not what the program wrote", got)
		}
	}
	return nil
}

// rawReset is a reset with the number that it has on the wire, nil if that can't
// be meant: one that answers a segment of no connection has the number which that
// segment gives it, whatever was before.
func (f *flow) rawReset(pkt *packet, got *Segment) *Segment {
	if pkt.flags&FlagRST == 0 || pkt.seq != 0 && f.synced {
		return nil
	}
	raw := *got
	raw.Seq.Begin, raw.Seq.End = pkt.seq, pkt.seq+got.Seq.Len
	return &raw
}

// surprise is the failure of a segment that is not the one stated.
func (p *player) surprise(want *Segment, f *flow, pkt *packet, why string, got ...*Segment) *failed {
	fail := p.failAt(want.Pos, "the segment that left is another: %s", why)
	fail.flow = f
	fail.Expected = want.String()
	if len(got) > 0 {
		fail.Got = got[0].forDisplay(want).String()
	}
	fail.Time = pkt.at
	return fail
}

// await returns the next packet of a connection, waiting for it.
func (p *player) await(e *Event, f *flow, until time.Duration, what string) (*packet, *failed) {
	horizon := max(until, p.now()) + p.set.lookAhead
	if e.Time.Kind == TimeAny {
		horizon = p.now() + p.set.anyAhead
	}
	for len(f.out) == 0 && p.failure == nil {
		if !p.sys.next(horizon) {
			fail := p.failAt(e.Action.Position(), "no segment is sent: nothing more happens by itself")
			if p.set.real {
				fail = p.failAt(e.Action.Position(), "no segment was sent by %s", seconds(horizon))
			}
			fail.flow, fail.Expected, fail.Time = f, what, until
			return nil, fail
		}
	}
	if p.failure != nil {
		return nil, p.failure
	}
	return f.out[0], nil
}

// onTime compares the time at which something happened with the stated one.
func (p *player) onTime(e *Event, when, at, until time.Duration, what string) *failed {
	if e.Time.Kind == TimeAny {
		return nil
	}
	tol := p.tolerance(at)
	off := time.Duration(0)
	switch {
	case when < at-tol:
		off = when - at
	case when > until+tol:
		off = when - until
	default:
		return nil
	}
	stated := seconds(at)
	if until != at {
		stated += "~" + seconds(until)
	}
	how := "late"
	if off < 0 {
		how = "early"
	}
	fail := p.failAt(e.Action.Position(), "stated for %s, it left at %s: %s s too %s", stated, seconds(when), seconds(max(off, -off)), how)
	fail.Expected = stated + " " + what
	fail.Got = seconds(when) + " " + what
	fail.Late = &off
	fail.Time = when
	return fail
}

// collect waits, in real time, for the rest of what a line states as one segment.
func (p *player) collect(f *flow, want *Segment) {
	if !p.set.real || f.out[0].icmp {
		return
	}
	for end := f.out[0].at + p.set.instant; p.failure == nil; {
		length := uint32(0)
		for _, q := range f.out {
			length += uint32(len(q.payload))
		}
		if length >= want.Seq.Len || !p.sys.next(end) {
			return
		}
	}
}

// gather finds the segments that together are the stated one: where a script
// was written for a system whose network card cuts up what TCP hands it, it
// states one long segment. They must follow each other, at one instant. It
// returns the last of them and their number.
func (p *player) gather(f *flow, want *Segment) (last *packet, n int) {
	last, n = f.out[0], 1
	if p.set.whole {
		return last, n
	}
	length := uint32(len(last.payload))
	for n < len(f.out) && length < want.Seq.Len && length > 0 {
		next := f.out[n]
		if next.icmp || next.at-f.out[0].at > p.set.instant || next.seq != last.end() || next.ack != last.ack || next.win != last.win ||
			last.flags&(FlagSYN|FlagFIN|FlagRST) != 0 || next.flags&(FlagSYN|FlagRST) != 0 || len(next.payload) == 0 {
			break
		}
		length += uint32(len(next.payload))
		last = next
		n++
	}
	return last, n
}

// adjustPush decides what PSH means on a segment in a script for Linux. RFC 9293
// wants it where a SEND ends (MUST-61), and there it is compared. But Linux sets
// it also on whatever it lets the network card cut up, wherever that ends; so
// what left as several segments and is stated as one has it. Where Linux sends
// such a segment again, and where the card cuts up nothing, it depends on how
// the text lies in its buffers: there either will do.
func (p *player) adjustPush(want, got *Segment, f *flow, n int, last *packet) {
	if p.set.face != faceLinux || p.set.real || got.Seq.Len == 0 || got.Flags.Has(FlagPSH) || f.isPushEnd(last.seq+uint32(len(last.payload))) {
		return
	}
	whole := n > 1 && !last.again && !p.set.noTSO && !f.corked
	depends := n > 1 && last.again || p.set.noTSO
	if whole || depends && want.Flags.Has(FlagPSH) {
		got.Flags.Bits |= FlagPSH
	}
}

// flowForOutbound is the connection that a stated segment must come from.
func (p *player) flowForOutbound(want *Segment) *flow {
	if want.Ports == nil || want.Ports.Source.Kind != FieldExact && want.Ports.Dest.Kind != FieldExact {
		return p.cur
	}
	src, dst := want.Ports.Source, want.Ports.Dest
	for _, f := range p.order {
		if matchesPort(src, f.local) && matchesPort(dst, f.remote) {
			return f
		}
	}
	// The script has its own name for a port that the stack has chosen.
	if p.cur != nil && matchesPort(dst, p.cur.remote) {
		return p.cur
	}
	if src.Kind == FieldExact && dst.Kind == FieldExact {
		return p.flowOf(uint16(src.Value), uint16(dst.Value))
	}
	return nil
}

func matchesPort(f Field, port uint16) bool { return f.Kind != FieldExact || f.Value == uint32(port) }

// flowForInbound is the connection that a segment of the script's belongs to.
// Without ports it is that of the last socket; a segment for a socket that
// listens, or for none, makes a new one.
func (p *player) flowForInbound(ports *Ports) *flow {
	local := p.set.bindPort
	if p.curSock != nil && p.curSock.port != 0 {
		local = p.curSock.port
	}
	if ports != nil && (ports.Source.Kind == FieldExact || ports.Dest.Kind == FieldExact) {
		remote := p.port
		if p.cur != nil {
			local, remote = p.cur.local, p.cur.remote
		}
		if ports.Dest.Kind == FieldExact {
			local = uint16(ports.Dest.Value)
		}
		if ports.Source.Kind == FieldExact {
			remote = uint16(ports.Source.Value)
		}
		f := p.flowOf(local, remote)
		if p.cur == nil {
			p.cur = f
		}
		return f
	}
	if p.cur == nil {
		p.cur = p.flowOf(local, p.port)
		p.port++
	}
	return p.cur
}

// inject lets a segment of the script's arrive.
func (p *player) inject(s *Segment) *failed {
	f := p.flowForInbound(s.Ports)
	pkt, options := f.inbound(s)
	pkt.at = p.now()
	f.arrive(pkt)
	local, peer := p.local, p.peer
	b := pkt.build(p.in[:], peer, local, marksOf(&s.IP), putOptions(options))
	p.dump(trace.Inbound, p.now(), b)
	p.because(causeInput)
	p.sys.input(b)
	p.wake()
	return p.failure
}

// atEnd looks at what is left when the last line has been played.
func (p *player) atEnd() *failed {
	switch {
	case p.set.real && p.strict:
		if f := p.wait(p.now() + p.set.tolerance); f != nil { // what comes at once may take that long
			return f
		}
		return p.unstated()
	case p.set.real:
		return nil // what a system does that is not ours is not the script's concern
	case !p.strict:
		return p.leftOver()
	}
	for p.failure == nil {
		if f := p.unstated(); f != nil {
			return f
		}
		if !p.sys.next(maxVirtual) {
			return nil
		}
	}
	return p.failure
}

// unstated is the failure of a segment that no line states.
func (p *player) unstated() *failed {
	for _, f := range p.order {
		if len(f.out) > 0 {
			return p.leftBehind(f, f.out[0])
		}
	}
	return nil
}

func (p *player) leftBehind(f *flow, pkt *packet) *failed {
	fail := p.failAt(p.line, "no line states the segment that left at %s", seconds(pkt.at))
	fail.flow, fail.Time = f, pkt.at
	fail.Got = fmt.Sprintf("%s %s", seconds(pkt.at), p.describe(f, pkt))
	return fail
}

func (p *player) describe(f *flow, pkt *packet) string {
	if pkt.icmp {
		return fmt.Sprintf("> icmp %d %d", pkt.typ, pkt.code)
	}
	return f.outbound(pkt).String()
}

// leftOver judges segments that no line stated. packetdrill stops looking after
// the last line that states one; but then nobody would notice if that line were
// missing. So they are failures, but for what scripts leave open on purpose.
func (p *player) leftOver() *failed {
	f := p.cur
	if f == nil || len(f.out) == 0 {
		return nil
	}
	pkt := f.out[0]
	switch {
	case pkt.cause == causeClose:
		return nil // the last line tidies up
	case p.set.face != faceLinux:
	case pkt.cause == causeTimer:
		return nil // time goes on behind what the script is about
	case p.aboutCalls && pkt.flags&FlagSYN == 0:
		return nil // how the text leaves is not what the script is about
	case p.last != nil && p.last.flow == f && p.last.serial == pkt.serial && pkt.seq == p.last.end() && !p.set.noTSO:
		return nil // the rest of what Linux would have sent as several long segments
	case pkt.flags == FlagACK && len(pkt.payload) == 0 && p.last != nil && p.last.ack == pkt.ack:
		return nil // the last segments that arrive are often such that they are not acceptable
	}
	return p.leftBehind(f, pkt)
}

// isAboutCalls reports whether a script states nothing but handshakes and has a
// write that blocks: it is about the write.
func isAboutCalls(events []*Event) bool {
	blocks := false
	for _, e := range events {
		switch a := e.Action.(type) {
		case *Segment:
			if a.Dir == Outbound && !a.Flags.Has(FlagSYN) {
				return false
			}
		case *Call:
			blocks = blocks || e.Time.HasEnd && (a.Name == "write" || a.Name == "send")
		}
	}
	return blocks
}
