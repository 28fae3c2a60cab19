package tcp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"estab/internal/wire"
)

// edge is the right edge that a segment of ours advertises, relative to IRS+1.
func (r *rig) edge(s *Segment) int32 {
	shift := uint8(0)
	if !s.Flags.Has(wire.SYN) {
		shift = r.status().RcvScale
	}
	return (s.Ack + Num(s.Wnd)<<shift).Diff(r.irs + 1)
}

// The right edge of our window never moves left (RFC 9293 SHLD-14), whatever
// the peer sends and in which pieces, whatever the user reads, whatever size
// the buffer is given meanwhile and whatever the scale cuts off. What lies
// within the edge is taken: the peer, who fills every window, gets all of its
// text through.
// Shows: RFC 9293 SHLD-14; RFC 7323 2.4a, 2.4b.
func TestRightEdgeNeverMovesLeft(t *testing.T) {
	for seed := range seeds(60) {
		rnd := rand.New(rand.NewPCG(seed, 20))
		scale := rnd.IntN(5) > 0
		cfg := Config{NoTimestamps: true, NoSACK: rnd.IntN(2) == 0, NoWindowScaling: !scale, NoFastPath: seed%2 == 0}
		cfg.ReceiveBuffer = 1 + rnd.IntN(1<<(8+rnd.IntN(12)))
		cfg.ReceiveBufferMax = cfg.ReceiveBuffer << rnd.IntN(9)
		r := newRig(t, cfg)
		r.irs = []Num{0, 1<<31 - 1, 1<<32 - 1, 1<<32 - 30000}[seed%4]
		mss := 40 + rnd.IntN(1400)
		options := fmt.Sprintf("<mss %d,sackOK", mss)
		if scale {
			options += ",wscale 3"
		}
		r.connect(ConnConfig{}, options+">")
		edge := r.edge(&Segment{Ack: r.irs + 1, Wnd: uint16(r.status().RcvWND >> r.status().RcvScale)})
		watch := func() {
			for i := range r.sent {
				got := r.edge(&r.sent[i].Segment)
				if c := r.e.lookup(r.id); got < edge && c.rcv.rounded >= maxRounding+c.rcvBuf/2 && edge-got < 1<<c.rcv.scale {
					continue // TestRoundingGivesAwayALimitedAmount
				}
				if got < edge {
					t.Fatalf("seed %d: the right edge moved from %d to %d", seed, edge, got)
				}
				edge = max(edge, got)
			}
			r.sent = r.sent[:0]
		}
		next := 1 // the first byte that was never sent
		resized := 0
		for range 1500 {
			una := int(r.status().RcvNXT - r.irs)
			switch x := rnd.IntN(20); {
			case x < 12: // text up to the edge that we were told
				n := min(int(edge)+1-next, []int{1, 1 + rnd.IntN(mss), mss}[rnd.IntN(3)])
				if n > 0 {
					if rnd.IntN(8) > 0 {
						r.in(fmt.Sprintf(". %s ack 1", segRange(next, n)))
					} // or it is lost
					next += n
				}
			case x < 14: // what was lost, or came before
				if from := una - rnd.IntN(3*mss); from > 0 {
					r.in(fmt.Sprintf(". %s ack 1", segRange(from, min(mss, next-from))))
				} else if next > una {
					r.in(fmt.Sprintf(". %s ack 1", segRange(una, min(mss, next-una))))
				}
			case x < 18:
				if k := r.e.Readable(r.id); k > 0 {
					r.read(1 + rnd.IntN(k))
				}
			case x == 18:
				r.advance(1 + 1e6*50)
			default:
				if resized++; resized < 6 {
					r.e.SetReceiveBuffer(r.now, r.id, 1+rnd.IntN(1<<(4+rnd.IntN(16))))
					r.output()
				}
			}
			watch()
		}
		for from := int(r.status().RcvNXT - r.irs); from < next; from = int(r.status().RcvNXT - r.irs) {
			r.in(fmt.Sprintf(". %s ack 1", segRange(from, min(mss, next-from))))
			if int(r.status().RcvNXT-r.irs) == from {
				t.Fatalf("seed %d: byte %d of %d lies within the edge %d and is not taken (window %d)", seed, from, next, edge, r.status().RcvWND)
			}
			if k := r.e.Readable(r.id); k > 0 {
				r.read(k)
			}
			watch()
		}
	}
}

// The window is counted from what is queued: nobody reads, and the peer, in
// pieces of any size, gets in what the buffer takes and no more, but for what
// rounding by the scale gives away (limits.go).
// Shows: RFC 9293 MAY-8.
func TestReceiveQueueIsBounded(t *testing.T) {
	for _, n := range []int{20, 127, 128, 129, 300, 1460} {
		r := newRig(t, Config{NoTimestamps: true, NoSACK: true, DelayedAck: -1})
		r.connect(ConnConfig{}, "<mss 1460,wscale 7>")
		for i := 1; i < 200_000 && r.status().RcvWND > 0; i += n {
			r.in(fmt.Sprintf(". %s ack 1", segRange(i, n)))
		}
		s := r.status()
		if s.ReceiveQueue > s.ReceiveBuffer*3/2+maxRounding+n {
			t.Errorf("segments of %d: %d bytes in a buffer of %d", n, s.ReceiveQueue, s.ReceiveBuffer)
		}
		if s.ReceiveQueue < s.ReceiveBuffer-n {
			t.Errorf("segments of %d: the window closed at %d of %d bytes", n, s.ReceiveQueue, s.ReceiveBuffer)
		}
		r.sent = nil
	}
}

// A peer that sends single bytes into a scaled window which nobody reads: once
// rounding up has given away enough, the edge that it sees may move left by
// less than the scale's unit (RFC 7323 §2.4); text up to the old edge is still
// taken.
func TestRoundingGivesAwayALimitedAmount(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoSACK: true, DelayedAck: -1})
	r.connect(ConnConfig{}, "<mss 1460,wscale 7>")
	r.e.SetReceiveBuffer(r.now, r.id, 4000)
	edge, back := int32(0), int32(0)
	first := r.seg(". 1:2(1) ack 1")
	for i := 1; r.status().RcvWND > 0; i++ {
		if i > 300_000 {
			t.Fatal("the window never closes")
		}
		seg := *first
		seg.Seq += Num(i - 1)
		r.e.Input(r.now, &seg)
		r.e.Output(r.now, r)
		if got := int(r.status().RcvNXT - r.irs); got != i+1 {
			t.Fatalf("byte %d within the window was not taken", i)
		}
		for j := range r.sent {
			e := r.edge(&r.sent[j].Segment)
			back = max(back, edge-e)
			edge = max(edge, e)
		}
		r.sent = r.sent[:0]
	}
	if unit := int32(1) << r.status().RcvScale; back >= unit {
		t.Errorf("the edge moved left by %d, the unit is %d", back, unit)
	}
}

// RFC 9293 §3.8.6.2.2: "the receiver … must keep RCV.NXT+RCV.WND fixed until
// RCV.BUFF - RCV.USER - RCV.WND >= min(Fr * RCV.BUFF, Eff.snd.MSS)", Fr = 1/2: a
// reader of single bytes opens the window by segments.
// Shows: RFC 9293 MUST-39.
func TestReceiverAvoidsSillyWindows(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{ReceiveBuffer: 10_000, MSS: 1000}, "<mss 1000>")
	for i := range 10 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(1+1000*i, 1000)))
	}
	r.advance(1e8)
	r.sent = r.sent[:0]
	if w := r.status().RcvWND; w != 0 {
		t.Fatalf("window %d after the buffer was filled", w)
	}
	for range 999 {
		r.read(1)
		r.want()
	}
	r.read(1) // a full segment has room: the peer, who sees 0, must hear of it
	r.want(". 1:1(0) ack 10001 win 1000")
	for range 999 {
		r.read(1)
		r.want()
	}
	r.read(1) // 2000 free: twice what was offered
	r.want(". 1:1(0) ack 10001 win 2000")
	for range 1999 {
		r.read(1)
		r.want() // less than twice: the next ACK will say it
	}
	r.read(1)
	r.want(". 1:1(0) ack 10001 win 4000")
}

// With a buffer smaller than two segments it is half of the buffer that counts.
func TestReceiverOpensByHalfOfASmallBuffer(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{ReceiveBuffer: 1000, MSS: 1000}, "<mss 1000>")
	r.in(". 1:1001(1000) ack 1")
	r.want(". 1:1(0) ack 1001 win 0")
	r.read(499)
	r.want()
	r.read(1)
	r.want(". 1:1(0) ack 1001 win 500")
}

// A smaller buffer takes nothing back: the edge stands until what was offered
// has arrived, and then what is queued counts against the new size.
func TestSmallerReceiveBufferKeepsTheEdge(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{ReceiveBuffer: 8000, MSS: 1000}, "<mss 1000>")
	if err := r.e.SetReceiveBuffer(r.now, r.id, 2000); err != 0 {
		t.Fatal(err)
	}
	r.output()
	r.want()
	for i := range 8 {
		r.in(fmt.Sprintf(". %s ack 1", segRange(1+1000*i, 1000)))
		r.want(fmt.Sprintf(". 1:1(0) ack %d win %d", 1001+1000*i, 7000-1000*i))
	}
	r.read(6999)
	r.want()
	r.read(1)
	r.want(". 1:1(0) ack 8001 win 1000")
	r.read(1000)
	r.want(". 1:1(0) ack 8001 win 2000")
}

// A larger buffer is announced at once, if that is worth a segment.
func TestLargerReceiveBufferIsAnnounced(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{ReceiveBuffer: 2000, MSS: 1000}, "<mss 1000>")
	if err := r.e.SetReceiveBuffer(r.now, r.id, 9000); err != 0 {
		t.Fatal(err)
	}
	r.output()
	r.want(". 1:1(0) ack 1 win 9000")
}

// RFC 7323 §2.2: the window of a SYN is not scaled, in either direction; the
// scale is the smallest that lets the buffer's limit be said.
// Shows: RFC 7323 2.2c, 2.3b, 2.3c.
func TestWindowScale(t *testing.T) {
	for _, x := range []struct{ buffer, want int }{
		{1000, 0}, {65535, 0}, {65536, 1}, {131071, 1}, {131072, 2}, {4 << 20, 7}, {1 << 30, 14},
	} {
		r := newRig(t, Config{NoTimestamps: true, NoSACK: true})
		r.open(ConnConfig{ReceiveBuffer: x.buffer})
		r.want(fmt.Sprintf("S 0:0(0) win %d <mss 1460,wscale %d>", min(x.buffer, 65535), x.want))
		r.in("S. 0:0(0) ack 1 win 1000 <mss 1460,wscale 3>")
		r.sent = r.sent[:0]
		if w := r.status().SndWND; w != 1000 {
			t.Errorf("the window of the SYN,ACK is taken as %d", w)
		}
		r.in(". 1:1(0) ack 1 win 1000")
		if w := r.status().SndWND; w != 8000 {
			t.Errorf("the next window is taken as %d", w)
		}
	}
}

// RFC 7323 §2.3: "If a Window Scale option is received with a shift.cnt value
// larger than 14, the TCP SHOULD log the error but MUST use 14".
// Shows: RFC 7323 2.3d.
func TestWindowScaleAbove14(t *testing.T) {
	for shift, want := range map[int]uint8{13: 13, 14: 14, 15: 14, 255: 14} {
		a := newRig(t, Config{NoTimestamps: true, NoSACK: true})
		a.connect(ConnConfig{}, fmt.Sprintf("<mss 1000,wscale %d>", shift))
		b := newRig(t, Config{NoTimestamps: true, NoSACK: true})
		b.serve(ListenOptions{}, fmt.Sprintf("<mss 1000,wscale %d>", shift))
		for _, r := range []*rig{a, b} {
			if got := r.status().SndScale; got != want {
				t.Errorf("a shift of %d is used as %d", shift, got)
			}
		}
	}
}

// Neither end scales if only one of them sent the option (RFC 7323 §2.2), nor
// uses timestamps or SACK (§3.2; RFC 2018 §2).
// Shows: RFC 2018 4a; RFC 7323 2.2d, 3.2c.
func TestOptionsNeedBothEnds(t *testing.T) {
	for name, x := range map[string]struct {
		cfg  Config
		peer string
	}{
		"we do not offer":        {plain(), "<mss 1000,sackOK,TS val 1 ecr 0,wscale 7>"},
		"the peer does not take": {Config{}, "<mss 1000>"},
	} {
		a := newRig(t, x.cfg)
		a.connect(ConnConfig{}, x.peer)
		b := newRig(t, x.cfg)
		b.serve(ListenOptions{}, x.peer)
		for end, r := range map[string]*rig{"active": a, "passive": b} {
			s := r.status()
			if s.Timestamps || s.SACK || s.Scaling || s.SndScale != 0 || s.RcvScale != 0 {
				t.Errorf("%s, %s: %+v", name, end, s)
			}
			r.write(10)
			r.want("P. 1:11(10) ack 1 <>")
		}
	}
}

// What our SYN said about the shift stands, whatever size the buffer is given
// before the handshake ends; a repeated SYN says the same (RFC 7323 §2.2).
func TestReceiveBufferChangedDuringTheHandshake(t *testing.T) {
	for _, size := range []int{1000, 1 << 20, 1 << 28} {
		r := newRig(t, Config{NoTimestamps: true, NoSACK: true})
		r.open(ConnConfig{})
		r.want("S 0:0(0) win 65535 <mss 1460,wscale 7>")
		r.e.SetReceiveBuffer(r.now, r.id, size)
		r.output()
		r.advance(1e9)
		if got := r.optionLine(&r.sent[0].Options); got != "mss 1460,wscale 7" {
			t.Errorf("a buffer of %d: the repeated SYN says %s", size, got)
		}
		r.sent = nil
		r.in("S. 0:0(0) ack 1 <mss 1460,wscale 2>")
		if s := r.status(); s.RcvScale != 7 {
			t.Errorf("a buffer of %d: the shift is %d", size, s.RcvScale)
		}
		r.sent = nil
	}
}
