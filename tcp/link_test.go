package tcp

import (
	"testing"

	"estab/internal/wire"
)

// A link without room: text, the FIN and ACKs wait on the connection and leave,
// once each, when there is room again; replies are dropped and counted, as a
// network would (DESIGN, "Links").
func TestLinkWithoutRoom(t *testing.T) {
	r := established(t)
	r.deaf = true
	r.write(1500)
	r.in(". 1:101(100) ack 1")   // an ACK is owed
	r.in(". 201:301(100) ack 1") // and a duplicate one
	r.in(". 301:401(100) ack 1")
	r.want()
	if r.e.Pending() {
		t.Error("Output has work although the link has no room")
	}
	r.in("S 101:101(0)") // a challenge ACK is a reply
	r.dropped(wire.DropReplyQueue, 1)
	r.deaf = false
	r.output()
	r.want() // nobody has said that there is room
	r.e.Writable()
	r.output()
	r.want(". 1:1001(1000) ack 101", "P. 1001:1501(500) ack 101", ". 1501:1501(0) ack 101", ". 1501:1501(0) ack 101")
	r.e.Writable()
	r.output()
	r.want()
	if s := r.status(); s.FlightSize != 1500 {
		t.Errorf("%d bytes in flight", s.FlightSize)
	}
}

// A segment that found no room was not sent: no timer runs for it, and it is no
// retransmission when it leaves.
func TestWhatFoundNoRoomWasNotSent(t *testing.T) {
	r := established(t)
	r.deaf = true
	r.write(100)
	r.shutdown()
	r.advance(1e12)
	r.deaf = false
	r.e.Writable()
	r.output()
	r.want("FP. 1:101(100) ack 1")
	if n := r.e.Counters().Retransmits; n != 0 {
		t.Errorf("%d retransmissions counted", n)
	}

	r = newRig(t, plain())
	r.deaf = true
	r.open(ConnConfig{})
	r.advance(1e12)
	r.deaf = false
	r.e.Writable()
	r.output()
	r.want("S 0:0(0)")
	r.after(1e9, "S 0:0(0)")
}

// The link fills up in the middle: what it took counts as sent, the rest waits.
func TestLinkFillsUp(t *testing.T) {
	r := established(t)
	if _, err := r.e.Send(r.now, r.id, text(1, 5000, true), 0); err != 0 {
		t.Fatal(err)
	}
	r.wrote = 5000
	room := 2
	r.e.Output(r.now, sinkFunc(func(s *Segment) bool {
		if room--; room < 0 {
			return false
		}
		return r.Emit(s)
	}))
	r.check()
	r.want(segments(1, 2)...)
	if s := r.status(); s.FlightSize != 2000 || s.Unsent != 3000 {
		t.Errorf("%d in flight, %d unsent", s.FlightSize, s.Unsent)
	}
	r.e.Writable()
	r.output()
	r.want(append(segments(2001, 2), "P. 4001:5001(1000) ack 1")...)
}

// The RST of an abort is no reply: the peer may never send anything that would
// bring it another. It waits for the link, and leaves once.
func TestResetOfAnAbortWaitsForTheLink(t *testing.T) {
	r := established(t)
	r.deaf = true
	r.e.Abort(r.now, r.id)
	r.output()
	r.want()
	if r.e.Pending() {
		t.Error("Output has work although the link has no room")
	}
	r.dropped(wire.DropReplyQueue, 0)
	r.deaf = false
	r.e.Writable()
	r.output()
	r.want("R. 1:1(0) ack 1")
	r.e.Writable()
	r.output()
	r.want()
	if n := r.e.Counters().ResetsSent; n != 1 {
		t.Errorf("%d resets counted", n)
	}
	r.wantGone()
}

// A connection that ends while it waits for the link is not looked for any
// more.
func TestConnectionEndsWhileTheLinkHasNoRoom(t *testing.T) {
	r := established(t)
	r.deaf = true
	r.write(100)
	r.e.Abort(r.now, r.id)
	r.deaf = false
	r.e.Writable()
	r.output()
	r.want("R. 1:1(0) ack 1")
	r.wantGone()
}

// Very many small segments in flight share entries of the retransmission queue,
// up to a full segment each (limits.go); all of them arrive when repeated.
func TestManySmallSegmentsInFlight(t *testing.T) {
	cfg := plain()
	cfg.InitialWindow = 20
	r := newRig(t, cfg)
	r.connect(ConnConfig{NoDelay: true}, "<mss 1000>")
	const n = 5000
	for range n {
		r.write(1)
	}
	if len(r.sent) != n {
		t.Fatalf("%d segments left", len(r.sent))
	}
	r.sent = nil
	if k := r.e.lookup(r.id).rtx.len(); k > maxMerged+n/1000+2 {
		t.Errorf("%d entries", k)
	}
	una := 1
	for range 2000 {
		if una == n+1 {
			break
		}
		r.advance(r.status().RTO)
		for i := range r.sent {
			if s := &r.sent[i].Segment; s.Seq-r.iss == Num(una) {
				una += s.DataLen()
			}
		}
		r.sent = r.sent[:0]
		r.in(". 1:1(0) ack " + itoa(una))
		for i := range r.sent {
			if s := &r.sent[i].Segment; s.Seq-r.iss == Num(una) {
				una += s.DataLen()
			}
		}
		r.sent = r.sent[:0]
	}
	if una != n+1 {
		t.Errorf("stopped at %d", una)
	}
}

// A gate that several engines share decides instead of the backlog; the engine
// asks it once per connection.
func TestGate(t *testing.T) {
	g := &gate{}
	r := newRig(t, plain())
	r.listen(ListenOptions{Gate: g, Backlog: 1})
	syn := func() { r.in("S 0:0(0)"); r.iss = r.sent[0].Seq; r.sent = nil }
	syn()
	if g.asked != 0 {
		t.Error("the gate is asked for a SYN")
	}
	r.in(". 1:1(0) ack 1")
	r.want()
	r.wantState(StateSynReceived)
	g.open = true
	r.in(". 1:1(0) ack 1")
	r.wantState(StateEstablished)
	for range 3 { // more than the backlog
		r.tup.RemotePort++
		syn()
		r.in(". 1:1(0) ack 1")
		r.wantState(StateEstablished)
	}
	if g.asked != 5 {
		t.Errorf("asked %d times", g.asked)
	}
	r.dropped(wire.DropAcceptQueue, 1)
}

type gate struct {
	open  bool
	asked int
}

func (g *gate) Acquire() bool { g.asked++; return g.open }
