package gvisor

import (
	"fmt"

	"estab/internal/wire"
)

// wireJudge looks at what passes the wire and knows nothing of either end but
// the RFCs: what estab may say depends on what has reached it.
type wireJudge struct {
	peer, own end // gVisor's and estab's

	// Numbers of gVisor's stream are counted from its ISS, those of estab's
	// from its own.
	have   spans  // what has reached estab undamaged
	kept   spans  // of it, what estab can have no reason to refuse
	fin    uint32 // gVisor's FIN, if that has arrived
	tsvals map[uint32]bool
	newest uint32 // of tsvals
	edge   uint32 // the furthest right edge that gVisor's segments have offered; 0: none

	lastEdge  uint32 // of estab's window; 0: none
	lastEcr   uint32 // the last timestamp that estab has echoed
	hasEchoed bool

	broken      error // the first
	sacks, echo int   // how much was judged
}

// end is what a SYN says of who sent it.
type end struct {
	known, scaling, timestamps, sack bool
	iss                              uint32
	scale                            uint8
}

func (e *end) learn(s *wire.Segment) {
	o := &s.Options
	*e = end{true, o.Has(wire.OptWindowScale), o.Has(wire.OptTimestamps), o.Has(wire.OptSACKPermitted), uint32(s.Seq), min(o.WindowScale, 14)}
}

// both reports whether both ends offered something.
func (j *wireJudge) both(f func(e *end) bool) bool {
	return j.peer.known && j.own.known && f(&j.peer) && f(&j.own)
}

func (j *wireJudge) scaled(s *wire.Segment, e *end) uint32 {
	if s.Flags.Has(wire.SYN) || !j.both(func(e *end) bool { return e.scaling }) {
		return uint32(s.Wnd)
	}
	return uint32(s.Wnd) << e.scale
}

// arrives takes a segment of gVisor's that reaches estab undamaged.
func (j *wireJudge) arrives(s *wire.Segment) {
	if s.Flags.Has(wire.SYN) {
		j.peer.learn(s)
	}
	if !j.peer.known || s.Flags.Has(wire.RST) {
		return
	}
	at, end := uint32(s.Seq)-j.peer.iss, uint32(s.Seq)-j.peer.iss+s.Len()
	j.have.add(at, end)
	if s.Flags.Has(wire.FIN) {
		j.fin = end - 1
	}
	if end = min(end, j.lastEdge); end < at { // what is beyond the window may be refused
		end = at
	}
	if ts := s.Options.TSVal; !s.Options.Has(wire.OptTimestamps) {
		j.kept.add(at, end)
	} else {
		if len(j.tsvals) == 0 || int32(ts-j.newest) >= 0 { // otherwise PAWS may refuse it (RFC 7323 §5.3, R1)
			j.newest = ts
			j.kept.add(at, end)
		}
		j.tsvals[ts] = true
	}
	if s.Flags.Has(wire.ACK) && j.own.known {
		j.edge = max(j.edge, uint32(s.Ack)-j.own.iss+j.scaled(s, &j.peer))
	}
}

// leaves judges a segment of estab's.
func (j *wireJudge) leaves(s *wire.Segment) {
	if s.Flags.Has(wire.SYN) {
		j.own.learn(s)
	}
	if j.broken == nil && !s.Flags.Has(wire.RST) {
		j.broken = j.judge(s)
	}
}

func (j *wireJudge) judge(s *wire.Segment) error {
	if !s.Flags.Has(wire.SYN) {
		// RFC 9293 §3.8.6: nothing beyond the window, but for a probe.
		if end := uint32(s.Seq) - j.own.iss + s.Len(); end > j.edge+1 {
			return fmt.Errorf("sends up to %d, the window ends at %d", end, j.edge)
		}
		if want := j.both(func(e *end) bool { return e.timestamps }); want != s.Options.Has(wire.OptTimestamps) {
			return fmt.Errorf("timestamps: %v, agreed were %v (RFC 7323 §3.2)", !want, want)
		}
	}
	if !s.Flags.Has(wire.ACK) {
		return nil
	}
	ack := uint32(s.Ack) - j.peer.iss
	if reach := j.have.reach(); ack > reach {
		return fmt.Errorf("acknowledges %d, only up to %d has arrived", ack, reach)
	}
	edge := ack + j.scaled(s, &j.own)
	if edge < j.lastEdge && !s.Flags.Has(wire.SYN) {
		return fmt.Errorf("the right edge of the window moves left, from %d to %d", j.lastEdge, edge)
	}
	j.lastEdge = max(edge, j.lastEdge)
	if err := j.judgeEcho(s); err != nil {
		return err
	}
	return j.judgeSACK(s, ack)
}

// judgeEcho: RFC 7323 §3.2 and §4.3: what is echoed was received, and later
// segments echo no earlier value.
func (j *wireJudge) judgeEcho(s *wire.Segment) error {
	if !s.Options.Has(wire.OptTimestamps) {
		return nil
	}
	ecr := s.Options.TSEcr
	if !j.tsvals[ecr] {
		return fmt.Errorf("echoes a timestamp %d that has not arrived", ecr)
	}
	if j.hasEchoed && int32(ecr-j.lastEcr) < 0 {
		return fmt.Errorf("echoes %d after %d", ecr, j.lastEcr)
	}
	j.lastEcr, j.hasEchoed = ecr, true
	j.echo++
	return nil
}

// judgeSACK: RFC 2018 §3 and §4: a block is contiguous data that has arrived,
// and the bytes just below and just above it have not. RFC 2883: the first may
// be a duplicate, that is below the ACK or inside another.
func (j *wireJudge) judgeSACK(s *wire.Segment, ack uint32) error {
	o := &s.Options
	if !o.Has(wire.OptSACK) {
		return nil
	}
	if !j.both(func(e *end) bool { return e.sack }) {
		return fmt.Errorf("SACK was not agreed on")
	}
	for i, b := range o.SACK[:o.NSACK] {
		l, r := uint32(b.Left)-j.peer.iss, uint32(b.Right)-j.peer.iss
		if l >= r || !j.have.contains(l, r) {
			return fmt.Errorf("SACKs [%d,%d), which has not arrived: %v", l, r, j.have)
		}
		j.sacks++
		if i == 0 && (r <= ack || o.NSACK > 1 && inside(o.SACK[0], o.SACK[1])) {
			continue
		}
		if l <= ack {
			return fmt.Errorf("SACKs [%d,%d) and acknowledges %d", l, r, ack)
		}
		// A block reports text; whether a FIN belongs to it is not said.
		if j.kept.contains(l-1, l) || j.kept.contains(r, r+1) && r != j.fin {
			return fmt.Errorf("SACKs [%d,%d), although more has arrived: %v", l, r, j.kept)
		}
	}
	return nil
}

func inside(a, b wire.SACKBlock) bool { return b.Left.LessEq(a.Left) && a.Right.LessEq(b.Right) }

// spans are disjoint stretches of numbers, in order.
type spans [][2]uint32

func (s *spans) add(l, r uint32) {
	if l == r {
		return
	}
	var out spans
	for _, x := range *s {
		if x[1] < l || r < x[0] {
			out = append(out, x)
		} else {
			l, r = min(l, x[0]), max(r, x[1])
		}
	}
	i := 0
	for i < len(out) && out[i][0] < l {
		i++
	}
	out = append(out, [2]uint32{})
	copy(out[i+1:], out[i:])
	out[i] = [2]uint32{l, r}
	*s = out
}

func (s spans) contains(l, r uint32) bool {
	for _, x := range s {
		if x[0] <= l && r <= x[1] {
			return true
		}
	}
	return false
}

// reach is how far what has arrived goes without a gap.
func (s spans) reach() uint32 {
	if len(s) == 0 || s[0][0] != 0 {
		return 0
	}
	return s[0][1]
}
