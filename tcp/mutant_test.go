package tcp

import (
	"fmt"
	"testing"
	"time"

	"estab/internal/wire"
)

// The tests of this file were written because a fault survived all others
// (internal/mutants).

// The peer's segments, and the buffer's steps, may be smaller than the unit of
// the window scale: the edge that is said still never moves left.
func TestEdgeWithStepsBelowTheScale(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoSACK: true, ReceiveBuffer: 100_000, ReceiveBufferMax: 1 << 29})
	r.connect(ConnConfig{}, "<mss 100,wscale 0>")
	scale := r.status().RcvScale
	if scale < 10 {
		t.Fatalf("the scale is %d; this test wants steps below it", scale)
	}
	edge := Num(0)
	next := 1
	for i := range 3000 {
		n := 1 + i*7%100
		r.in(fmt.Sprintf(". %d:%d(%d) ack 1", next, next+n, n))
		next += n
		if i%40 == 0 {
			r.read(r.e.Readable(r.id))
		}
		r.advance(50 * time.Millisecond)
		for _, s := range r.sent {
			e := s.Ack + Num(uint32(s.Wnd)<<scale)
			if edge != 0 && e.Less(edge) && edge.Diff(e) >= 1<<scale {
				t.Fatalf("after %d bytes the edge moved left by %d", next-1, edge.Diff(e))
			}
			if edge == 0 || edge.Less(e) {
				edge = e
			}
		}
		r.sent = r.sent[:0]
		if s := r.status(); (s.RcvNXT + Num(s.RcvWND)).Less(edge) {
			t.Fatalf("after %d bytes text up to the edge of %d is no longer taken up to it", next-1, edge-r.irs)
		}
	}
}

// The window of a segment that was overtaken is old news: SND.WL1 (RFC 9293
// §3.10.7.4: "The check here prevents using old segments to update the window").
func TestOvertakenSegmentDoesNotUpdateTheWindow(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	r.in(". 1001:2001(1000) ack 1 win 500")
	r.in(". 1:1001(1000) ack 1 win 5000")
	if w := r.status().SndWND; w != 500 {
		t.Errorf("the window is %d, want 500: the later segment's", w)
	}
	r.sent = r.sent[:0]
	r.in(". 2001:3001(1000) ack 1 win 6000")
	if w := r.status().SndWND; w != 6000 {
		t.Errorf("the window is %d, want 6000", w)
	}
	r.sent = r.sent[:0]
}

// A wrong ACK in SYN-RECEIVED gets its RST and makes nothing: no TCB, nothing to
// accept; the right one still does.
func TestWrongAckOfAHalfOpenRecordMakesNothing(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
	for _, ack := range []int{0, -1, 2, -1000, 1 << 30} {
		r.in(fmt.Sprintf(". 1:1(0) ack %d", ack))
		r.want(fmt.Sprintf("R %d:%d(0)", ack, ack))
		if c := r.e.Counts(); c.Conns != 0 || c.HalfOpen != 1 {
			t.Fatalf("ACK %d: %d TCBs, %d half-open records", ack, c.Conns, c.HalfOpen)
		}
	}
	r.in(". 1:1(0) ack 1")
	r.accept()
	r.wantState(StateEstablished)
}

// SACK blocks take their room from the text, all of it: kind, length, padding
// and eight bytes a block (RFC 6691). With them the packet is as large as
// without.
func TestSACKBlocksShortenTheText(t *testing.T) {
	for _, stamps := range []string{"", "TS val 1 ecr 0"} {
		r := newRig(t, Config{NoWindowScaling: true})
		r.connect(ConnConfig{}, "<mss 1000,sackOK,"+stamps+">")
		for stretch := range 5 {
			from := 1001 + 2000*stretch
			r.in(fmt.Sprintf(". %d:%d(1000) ack %d <%s>", from, from+1000, r.status().SndNXT-r.iss, stamps))
			r.sent = r.sent[:0]
			r.write(3000)
			s := &r.sent[0].Segment
			if n := wire.TCPHeaderLen(s) + s.DataLen(); n != 1020 {
				t.Errorf("%d stretches, %q: header and text are %d bytes, want 1020", stretch+1, stamps, n)
			}
			r.sent = r.sent[:0]
		}
	}
}

// A block that leaves out the last byte of a segment, or its first, says nothing
// about it (RFC 2018 §5: "wholly contained within that block").
func TestBlockMustHoldTheWholeSegment(t *testing.T) {
	r := sacking(t)
	r.write(4000)
	r.sent = r.sent[:0]
	for _, c := range []struct {
		block string
		want  uint32
	}{
		{"1001:2000", 0}, {"1002:2001", 0}, {"1001:2001", 1000}, {"3002:4001", 1000}, {"3001:4000", 1000}, {"3001:4001", 2000},
	} {
		r.in(". 1:1(0) ack 1 <sack " + c.block + ">")
		if got := r.status().Sacked; got != c.want {
			t.Errorf("after %s %d bytes are SACKed, want %d", c.block, got, c.want)
		}
		r.sent = r.sent[:0]
	}
}

// A CLOSE ends SENDs, in every state that it leads to.
func TestSendAfterClose(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	refused := func(st State) {
		t.Helper()
		r.wantState(st)
		if n, err := r.e.Send(r.now, r.id, []byte("more"), 0); n != 0 || err != ErrClosing {
			t.Errorf("in %v Send = %d, %v, want %v", st, n, err, ErrClosing)
		}
		r.output()
		r.want()
	}
	if err := r.e.Shutdown(r.now, r.id); err != 0 {
		t.Fatal(err)
	}
	r.output()
	r.want("F. 1:1(0) ack 1")
	refused(StateFinWait1)
	r.in(". 1:1(0) ack 2")
	refused(StateFinWait2)
	r.in("F. 1:1(0) ack 2")
	r.want(". 2:2(0) ack 2")
	refused(StateTimeWait)
}

// A peer's tiny segments hold no large buffers: their bytes are copied together,
// or a flood of them would hold a hundred times what they say.
func TestTinySegmentsShareSlabs(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	const n = 4000
	for i := range n {
		s := r.seg(fmt.Sprintf(". %d:%d(1) ack 1", i+1, i+2))
		s.Slab = r.e.Pool().Get(1500)
		s.Slab.Append(s.Payload)
		s.Payload = s.Slab.Bytes()
		r.e.Input(r.now, s)
		if s.Slab != nil {
			r.e.Pool().Put(s.Slab)
		}
		r.e.Output(r.now, r)
	}
	r.sent = r.sent[:0]
	if slabs := r.e.Counts().Slabs; slabs > 2*n/wire.SmallSlab+2 {
		t.Errorf("%d bytes in tiny segments hold %d buffers", n, slabs)
	}
	r.read(n)
	r.sent = r.sent[:0]
}

// When everything is acknowledged no timer runs, not even one that would do
// nothing (RFC 6298 5.2).
func TestNoTimerWhenAllIsAcknowledged(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(2000)
	r.sent = r.sent[:0]
	r.in(". 1:1(0) ack 1001")
	if r.status().Timers[TimerRetransmit] == Never {
		t.Error("no timer while text is in flight")
	}
	r.in(". 1:1(0) ack 2001")
	if at := r.e.NextDeadline(); at != Never {
		t.Errorf("a timer runs until %v", time.Duration(at))
	}
}

// Two segments of one millisecond have the same timestamp; both are taken (RFC
// 7323 §5.3: "SEG.TSval < TS.Recent").
func TestSegmentsOfOneMillisecond(t *testing.T) {
	for _, slow := range []bool{false, true} {
		r := newRig(t, Config{NoSACK: true, NoWindowScaling: true, NoFastPath: slow})
		r.connect(ConnConfig{}, "<mss 1000,TS val 7 ecr 0>")
		r.in(". 1:101(100) ack 1 <TS val 7 ecr 0>", ". 101:201(100) ack 1 <TS val 7 ecr 0>")
		r.want(". 1:1(0) ack 101", ". 1:1(0) ack 201")
		r.read(200)
	}
}

// Less than a segment fits into the peer's window: exactly that leaves, and not
// a byte more.
func TestNotAByteBeyondTheWindow(t *testing.T) {
	for _, win := range []int{1, 2, 700, 999, 1000, 1001} {
		r := newRig(t, plain())
		r.win = win
		r.connect(ConnConfig{NoDelay: true}, "<mss 1000>")
		r.write(3000)
		n := 0
		for i := range r.sent {
			n += r.sent[i].DataLen()
		}
		r.sent = r.sent[:0]
		if want := min(win, 1000); n != want { // 1001: one byte is no worthwhile segment
			t.Errorf("window %d: %d bytes left, want %d", win, n, want)
		}
	}
}

// A segment that overlaps what came before by one byte brings all the others.
func TestOverlapByOneByte(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	r.in(". 1:101(100) ack 1", ". 100:201(101) ack 1", ". 200:202(2) ack 1")
	r.want(". 1:1(0) ack 101", ". 1:1(0) ack 201", ". 1:1(0) ack 202")
	r.read(201)
}
