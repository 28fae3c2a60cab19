package explore

import (
	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

// An engine draws its initial sequence number from a clock, so that states
// that are alike but for the time of an OPEN would never meet. Therefore what
// the two ends see of each other are canonical numbers: A's first ISS is 100
// and B's 300, as in the RFC's figures, and a later one lies as far behind the
// one before as it really does, or, if that is more than any window, just so
// far that it can't be mistaken. An engine sees its own numbers as they are;
// they are translated where a segment leaves or arrives.

// far is a distance that no window and no stream of a world reaches.
const far = 10_000

// farTime is how long the clock of the initial sequence numbers takes for it.
const farTime = tcp.Time(far * 4000)

var firstISS = [2]seq.Num{100, 300}

// wrapISS are those of a world whose numbers wrap: the second byte of A's has
// number 0, and the second of B's 2^31.
var wrapISS = [2]seq.Num{1<<32 - 2, 1<<31 - 2}

// iss is an end's first.
func (w *World) iss(end int) seq.Num {
	if w.Wrap {
		return wrapISS[end]
	}
	return firstISS[end]
}

// life is the numbers of one incarnation: of one initial sequence number that
// an end has drawn.
type life struct {
	real, iss seq.Num // as its engine has it, and canonical
	end       seq.Num // after what was sent, canonical
	ack       seq.Num // the latest acknowledgement sent: the peer's number, canonical
	edge      seq.Num // the furthest end of the window offered: likewise
	told      bool    // there was one
}

// numbers are the incarnations of an end, the latest last. No more than
// maxLives are remembered.
type numbers struct {
	lives [maxLives]life
	n     uint8
	drawn tcp.Time // when the latest was
}

const maxLives = 3

func (u *numbers) last() *life {
	if u.n == 0 {
		return nil
	}
	return &u.lives[u.n-1]
}

// of is the incarnation to which a canonical number belongs: the latest that
// began no later.
func (u *numbers) of(x seq.Num) *life {
	for i := int(u.n) - 1; i > 0; i-- {
		if u.lives[i].iss.LessEq(x) {
			return &u.lives[i]
		}
	}
	if u.n == 0 {
		return nil
	}
	return &u.lives[0]
}

// draw notes the initial sequence number of a SYN that the engine sends. first
// is what the end's first is shown as.
func (u *numbers) draw(first, real seq.Num, now tcp.Time) {
	l := u.last()
	if l != nil && l.real == real {
		return
	}
	next := life{real: real, iss: first}
	if l != nil {
		gap := real.Diff(l.real)
		if gap <= -far || gap >= far {
			gap = far
		}
		next.iss = l.iss + seq.Num(gap)
	}
	next.end = next.iss
	u.drawn = now
	if u.n == maxLives {
		copy(u.lives[:], u.lives[1:])
		u.n--
	}
	u.lives[u.n] = next
	u.n++
}

// canonical translates one of the engine's own numbers.
func (u *numbers) canonical(x seq.Num) seq.Num {
	best, dist := x, int64(1)<<40
	for i := range u.lives[:u.n] {
		l := &u.lives[i]
		if d := abs(x.Diff(l.real)); d < dist {
			best, dist = l.iss+(x-l.real), d
		}
	}
	return best
}

// own translates a canonical number into the engine's own.
func (u *numbers) own(x seq.Num) seq.Num {
	best, dist := x, int64(1)<<40
	for i := range u.lives[:u.n] {
		l := &u.lives[i]
		if d := abs(x.Diff(l.iss)); d < dist {
			best, dist = l.real+(x-l.iss), d
		}
	}
	return best
}

func abs(d int32) int64 { return max(int64(d), -int64(d)) }

// leaves makes the numbers of a segment canonical, and notes what it tells; it
// reports whether the window ends before where one did that was offered earlier.
func (u *numbers) leaves(first seq.Num, seg *tcp.Segment, now tcp.Time) (shrunk bool) {
	if seg.Flags.Has(wire.SYN) {
		u.draw(first, seg.Seq, now)
	}
	if !seg.Flags.Has(wire.RST) || seg.Seq != 0 { // §3.5.2: a RST may have number 0, which is nobody's
		seg.Seq = u.canonical(seg.Seq)
	}
	l := u.of(seg.Seq)
	if l == nil || seg.Flags.Has(wire.RST) {
		return false
	}
	if e := seg.End(); l.end.Less(e) {
		l.end = e
	}
	if !seg.Flags.Has(wire.ACK) {
		return false
	}
	edge := seg.Ack + seq.Num(seg.Wnd)
	shrunk = l.told && edge.Less(l.edge)
	if !shrunk {
		l.edge = edge
	}
	l.ack, l.told = seg.Ack, true
	return shrunk
}

// forget drops what nobody remembers, once the engine holds no connection and
// no record: only the latest initial sequence number still means something,
// to the next one.
func (u *numbers) forget() {
	l := u.last()
	if l == nil {
		return
	}
	*u = numbers{n: 1, drawn: u.drawn, lives: [maxLives]life{{real: l.real, iss: l.iss, end: l.iss}}}
}
