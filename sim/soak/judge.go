package soak

import (
	"errors"
	"fmt"
	"time"

	"estab/internal/netem"
	"estab/tcp"
)

// judge says what is wrong with a world that was played, and with which of its
// connections (-1: with none in particular); nil if nothing is.
func (r *run) judge() (conn int, err error) {
	r.readFates()
	if err := r.w.Err(); err != nil {
		return -1, err
	}
	if r.ghost {
		return -1, errors.New("the server has a connection that nobody opened")
	}
	for i := range r.talks {
		if err := r.talks[i].judge(r); err != nil {
			return i, err
		}
	}
	if !r.atRest {
		return -1, errors.New("something still happens: it should have ended long ago")
	}
	if err := r.judgeLeft(); err != nil {
		return -1, err
	}
	if n := r.bound(); r.sent > n {
		return r.busiest(), fmt.Errorf("%d segments were sent, more than %d", r.sent, n)
	}
	return -1, nil
}

// judgeLeft: once 2 MSL are over nothing is left but the listener.
func (r *run) judgeLeft() error {
	for i, h := range r.hosts {
		c := h.TCP().Counts()
		if c.Conns+c.HalfOpen+c.TimeWait+c.Timers+c.Orphans != 0 || c.Listeners != i {
			return fmt.Errorf("the %s is left with %+v", endName(i), c)
		}
	}
	if n, ok := r.w.Buffers(); ok && n != 0 {
		return fmt.Errorf("%d buffers are still in use", n)
	}
	return nil
}

func (t *talk) judge(r *run) error {
	for e := range t.ends {
		x, y := &t.ends[e], &t.ends[1-e]
		if x.talker == nil {
			continue
		}
		if err := x.judgeStream(y); err != nil {
			return fmt.Errorf("the %s: %w", endName(e), err)
		}
		if err := x.judgeEnd(y, r, e); err != nil {
			return fmt.Errorf("the %s: %w", endName(e), err)
		}
	}
	return nil
}

// judgeStream: every byte arrives once and in order, and before the peer's FIN
// all of them.
func (x *end) judgeStream(y *end) error {
	t := x.talker
	switch {
	case t.Wrong != nil:
		return t.Wrong
	case t.EOF && y.talker == nil:
		return errors.New("end of stream from nobody")
	case t.Received > 0 && (y.talker == nil || t.Received > y.talker.Sent):
		return fmt.Errorf("received %d bytes, more than were sent", t.Received)
	case t.EOF && !y.talker.Shut:
		return errors.New("end of stream, and the other end has not closed")
	case t.EOF && t.Received != y.talker.Sent:
		return fmt.Errorf("end of stream after %d of %d bytes", t.Received, y.talker.Sent)
	}
	return nil
}

// judgeEnd: how the connection ended has a reason.
func (x *end) judgeEnd(y *end, r *run, e int) error {
	t := x.talker
	if t.Lost() {
		return nil // with its host
	}
	if !t.Closed {
		return fmt.Errorf("still at work, in %v, after %d of %d bytes sent, %d received", x.fate.last, t.Sent, t.Plan.Send, t.Received)
	}
	if !x.fate.over() {
		return fmt.Errorf("the connection is in %v", x.fate.last)
	}
	if x.fate.clean() {
		return x.judgeClean(y)
	}
	if why := x.why(y, r, e); why == "" {
		return fmt.Errorf("it ended with %q, for no reason to be seen", x.fate.err)
	}
	return nil
}

// judgeClean: who closed in order has everything, the peer's FIN included, and
// so has the peer.
func (x *end) judgeClean(y *end) error {
	t := x.talker
	if !t.EOF && !t.Early && !t.Aborted {
		return errors.New("closed in order without the peer's FIN")
	}
	if y.talker == nil {
		return errors.New("closed in order with nobody")
	}
	if y.fate.clean() && !y.talker.Early && !y.talker.Aborted && !y.talker.Lost() && y.talker.Received != t.Sent {
		return fmt.Errorf("closed in order, and the other end has %d of its %d bytes", y.talker.Received, t.Sent)
	}
	return nil
}

// why says what explains that an end ended with an error; "" if nothing does.
func (x *end) why(y *end, r *run, e int) string {
	t := x.talker
	switch x.fate.err {
	case tcp.ErrAborted:
		return x.whyAborted()
	case tcp.ErrReset, tcp.ErrRefused:
		return x.whyReset(y, r, e)
	case tcp.ErrTimeout:
		switch {
		case r.spec.lossy():
			return "the path lost too much"
		case t.Plan.Linger > 0 || t.Early || x.fate.last == tcp.StateFinWait2:
			return "the other end did not close in time"
		case y.talker == nil && r.reuses():
			return "the other end held the pair in TIME-WAIT"
		case y.talker != nil && (y.fate.err != 0 || y.talker.Lost()):
			return "the other end was gone"
		case r.spec.Conns[e].UserTimeout > 0:
			return "the user's time limit"
		}
	}
	return ""
}

// reuses reports whether connections of the world share a pair of sockets.
func (r *run) reuses() bool { return len(r.talks) > 1 && r.talks[1].plan.Port != 0 }

func (x *end) whyAborted() string {
	t := x.talker
	switch {
	case t.Aborted:
		return "its program aborted it"
	case t.Plan.Linger > 0:
		return "the time to linger was over"
	case t.Early:
		return "it was closed with text unread"
	case t.Err != 0 || t.Wrong != nil:
		return "its program saw an error"
	}
	return ""
}

// whyReset looks for who sent the RST, and why it might.
func (x *end) whyReset(y *end, r *run, e int) string {
	if r.spec.crashes(1-e) > 0 {
		return "the other end's host crashed"
	}
	if y.reset == 0 || y.reset > x.fate.failed {
		return "" // no RST was sent
	}
	switch {
	case y.talker == nil && (r.spec.lossy() || x.talker.Early || r.spec.forged()):
		return "the other end had no connection"
	case y.talker == nil:
		return ""
	case y.talker.Aborted, y.talker.Early, y.fate.err != 0:
		return "the other end had given up"
	case y.fate.over() && y.fate.at < y.resets && y.fate.at < x.fate.failed:
		return "the other end had closed, and 2 MSL were over"
	}
	return ""
}

// lossy reports whether the path may lose packets.
func (s *Spec) lossy() bool {
	for i := range s.Path {
		m := &s.Path[i]
		if m.Loss.Kind != netem.NoLoss || m.Corrupt.P > 0 || m.MTU > 0 || m.Rate.Bits > 0 {
			return true
		}
	}
	return s.Silent || s.faulty(Partition) || s.faulty(Crash)
}

func (s *Spec) faulty(k FaultKind) bool {
	for _, f := range s.Faults {
		if f.Kind == k {
			return true
		}
	}
	return false
}

func (s *Spec) forged() bool {
	for k := ForgeReset; k < numFaults; k++ {
		if s.faulty(k) {
			return true
		}
	}
	return false
}

func (s *Spec) crashes(host int) int {
	n := 0
	for _, f := range s.Faults {
		if f.Kind == Crash && f.Host == host {
			n++
		}
	}
	return n
}

// bound is how many segments a world may send at most: what the text needs at
// the smallest segment or window that can be, each sent over and over with its
// ACK, and as many more as opening, closing, probing and keeping alive take.
func (r *run) bound() int {
	n := 0
	for i := range r.talks {
		t := &r.talks[i]
		for e := range t.ends {
			if p := t.ends[e].talker; p != nil {
				n += 400 + 12*p.Sent/r.spec.piece(e) + 4*p.Sent/max(p.Plan.Chunk, 1) + 4*p.Sent/max(t.plan.Plans[1-e].Read, 1)
				n += int((t.plan.Plans[e].Stall + t.plan.Plans[e].Linger) / time.Second)
			}
		}
	}
	return n
}

// busiest is the connection that sent most.
func (r *run) busiest() int {
	most := 0
	for i := range r.talks {
		if r.talks[i].sent > r.talks[most].sent {
			most = i
		}
	}
	return most
}

// piece is the text that a segment of an end holds at least, on the whole.
func (s *Spec) piece(e int) int {
	piece := 536
	for i := range s.Conns {
		if m := s.Conns[i].MSS; m > 0 {
			piece = min(piece, max(m-12, 36))
		}
	}
	if b := s.Conns[1-e].ReceiveBuffer; b > 0 {
		piece = min(piece, max(b/4, 1))
	}
	if b := s.Conns[e].SendBuffer; b > 0 {
		piece = min(piece, max(b/4, 1))
	}
	return piece
}
