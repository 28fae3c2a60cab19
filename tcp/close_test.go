package tcp

import (
	"testing"
	"time"
)

// Figure 12: the normal close, from both ends.
// Shows: RFC 9293 MUST-12.
func TestNormalClose(t *testing.T) {
	r := established(t)
	r.shutdown()
	r.want("F. 1:1(0) ack 1")
	r.wantState(StateFinWait1)
	r.in(". 1:1(0) ack 2")
	r.wantState(StateFinWait2)
	r.in("F. 1:1(0) ack 2")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateTimeWait)
	r.wantErr(ErrEOF)
	r.close(-1)
	r.advance(time.Minute - 1)
	r.wantState(StateTimeWait)
	r.advance(1) // 2 MSL
	r.wantGone()

	r = established(t)
	r.in("F. 1:1(0) ack 1")
	r.want(". 1:1(0) ack 2")
	r.wantState(StateCloseWait)
	r.wantErr(ErrEOF)
	r.close(-1)
	r.want("F. 1:1(0) ack 2")
	r.wantState(StateLastAck)
	r.in(". 2:2(0) ack 2")
	r.wantGone()
}

// Figure 13: both ends close at once, over CLOSING.
func TestSimultaneousClose(t *testing.T) {
	r := established(t)
	r.close(-1)
	r.want("F. 1:1(0) ack 1")
	r.in("F. 1:1(0) ack 1")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateClosing)
	r.in(". 2:2(0) ack 1") // not of our FIN
	r.wantState(StateClosing)
	r.in(". 2:2(0) ack 2")
	r.wantState(StateTimeWait)
	r.advance(time.Minute)
	r.wantGone()
}

// The close in three segments: the peer's FIN acknowledges ours.
func TestThreeSegmentClose(t *testing.T) {
	r := established(t)
	r.close(-1)
	r.want("F. 1:1(0) ack 1")
	r.in("F. 1:1(0) ack 2")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateTimeWait)
}

// RFC 9293 §3.6: a half-closed connection takes text for as long as the peer
// sends, in both of the states.
func TestHalfClose(t *testing.T) {
	r := established(t)
	r.shutdown()
	r.want("F. 1:1(0) ack 1")
	r.in(". 1:1001(1000) ack 1") // FIN-WAIT-1
	r.want(". 2:2(0) ack 1001")
	r.in(". 1001:2001(1000) ack 2") // FIN-WAIT-2
	r.want(". 2:2(0) ack 2001")
	r.advance(100 * time.Hour)
	r.in("FP. 2001:3001(1000) ack 2")
	r.want(". 2:2(0) ack 3002")
	r.wantState(StateTimeWait)
	r.read(3000)
	r.wantErr(ErrEOF)

	r = established(t)
	r.in("F. 1:1(0) ack 1")
	r.want(". 1:1(0) ack 2")
	r.advance(100 * time.Hour)
	r.write(1000)
	r.want("P. 1:1001(1000) ack 2")
	r.in(". 2:2(0) ack 1001")
	r.wantState(StateCloseWait)
}

// CLOSE sends what is queued before the FIN, which goes with the last text
// (§3.10.4: "Queue this until all preceding SENDs have been segmentized").
func TestFinBehindQueuedText(t *testing.T) {
	r := newRig(t, plain())
	r.win = 1000
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(2500)
	r.want(". 1:1001(1000) ack 1")
	r.close(-1)
	r.want()
	r.wantState(StateFinWait1)
	r.in(". 1:1(0) ack 1001 win 2000")
	r.want(". 1001:2001(1000) ack 1", "FP. 2001:2501(500) ack 1")
	r.in(". 1:1(0) ack 2502 win 2000")
	r.wantState(StateFinWait2)
}

// A FIN takes a sequence number of the window: it waits when the window ends
// right before it.
func TestFinNeedsWindow(t *testing.T) {
	r := newRig(t, plain())
	r.win = 1000
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(1000)
	r.want("P. 1:1001(1000) ack 1")
	r.shutdown()
	r.want()
	r.in(". 1:1(0) ack 1001 win 1")
	r.want("F. 1001:1001(0) ack 1")
}

// A lost FIN is repeated, alone and with text.
func TestFinIsRepeated(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.shutdown()
	r.want("F. 1:1(0) ack 1")
	r.after(300*ms, "F. 1:1(0) ack 1")
	r.in(". 1:1(0) ack 2")
	r.wantState(StateFinWait2)
	r.advance(time.Hour)
	r.want()

	r = slowly(t, plain(), ConnConfig{})
	r.write(10)
	r.shutdown()
	r.want("P. 1:11(10) ack 1", "F. 11:11(0) ack 1")
	r.in(". 1:1(0) ack 11")
	r.after(r.status().RTO, "F. 11:11(0) ack 1")
}

// A FIN beyond a gap counts once the gap is filled; its place is remembered,
// and text behind it is not taken.
func TestFinBeyondAGap(t *testing.T) {
	r := established(t)
	r.in("FP. 101:201(100) ack 1")
	r.want(". 1:1(0) ack 1")
	r.wantState(StateEstablished)
	r.in(". 201:301(100) ack 1") // behind the FIN at 201
	r.sent = nil
	r.in(". 1:101(100) ack 1")
	r.want(". 1:1(0) ack 202")
	r.wantState(StateCloseWait)
	r.read(200)
	r.wantErr(ErrEOF)
}

// LAST-ACK survives an ACK that does not cover our FIN, repeats the FIN, and
// ends when that is acknowledged.
func TestLastAckWaitsForItsFin(t *testing.T) {
	r := slowly(t, plain(), ConnConfig{})
	r.in("F. 1:1(0) ack 1")
	r.want(". 1:1(0) ack 2")
	r.write(10)
	r.want("P. 1:11(10) ack 2")
	r.shutdown()
	r.want("F. 11:11(0) ack 2")
	r.in(". 2:2(0) ack 11")
	r.wantState(StateLastAck)
	r.after(r.status().RTO, "F. 11:11(0) ack 2")
	r.in(". 2:2(0) ack 12")
	r.wantState(StateClosed)
	r.close(-1)
	r.wantGone()
}

// CLOSE in SYN-SENT deletes the TCB; in SYN-RECEIVED it sends a FIN once the
// handshake is complete or at once (§3.10.4).
func TestCloseBeforeTheHandshakeEnds(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	if err := r.e.Shutdown(r.now, r.id); err != ErrNotConnected {
		t.Errorf("Shutdown in SYN-SENT: %v", err)
	}
	r.close(-1)
	r.want()
	r.wantGone()
	r.in("S. 0:0(0) ack 1")
	r.want("R 1:1(0)")

	r = newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	r.in("S 0:0(0)")
	r.want("S. 0:0(0) ack 1")
	r.shutdown()
	if len(r.sent) > 0 { // FIN-WAIT-1 at once ("no SENDs have been issued")
		r.want("F. 1:1(0) ack 1")
	}
	r.in("S. 0:0(0) ack 1")
	r.sent = nil
	r.in(". 1:1(0) ack 2")
	r.wantState(StateFinWait2)
}

// What is in flight and behind it in SYN-RECEIVED, closed, survives the loss of
// everything.
func TestCloseInSynReceivedSurvivesLoss(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.in("S 0:0(0)")
	r.write(10)
	r.shutdown()
	r.sent = nil
	r.advance(10 * time.Second)
	if len(r.sent) == 0 {
		t.Error("nothing is repeated")
	}
	r.sent = nil
	r.in("S. 0:0(0) ack 1")
	r.sent = nil
	r.advance(10 * time.Second)
	r.sent = nil
	r.in(". 1:1(0) ack 12")
	r.wantState(StateFinWait2)
	r.in("F. 1:1(0) ack 12")
	r.wantState(StateTimeWait)
	r.sent = nil
}

// ABORT in every state: a RST where the RFC says so, and nothing is left
// (§3.10.5).
func TestAbortInEveryState(t *testing.T) {
	rst := map[string]bool{
		"SYN-SENT": false, "SYN-RECEIVED/active": true, "ESTABLISHED": true, "ESTABLISHED/zero-window": true, "FIN-WAIT-1": true,
		"FIN-WAIT-2": true, "CLOSE-WAIT": true, "CLOSING": true, "LAST-ACK": true, "TIME-WAIT": false,
	}
	for state, want := range rst {
		r := refState(t, state, refVariant{})
		r.e.Abort(r.now, r.id)
		r.output()
		if want {
			if len(r.sent) != 1 || r.sent[0].Flags&(1<<2) == 0 || r.sent[0].Seq-r.iss != refNXT[state] {
				t.Errorf("%s: sent\n%s", state, r.show(r.sent, ""))
			}
		} else if len(r.sent) != 0 {
			t.Errorf("%s: sent\n%s", state, r.show(r.sent, ""))
		}
		r.sent = nil
		if _, err := r.e.Status(r.now, r.id); err != ErrNoConnection {
			t.Errorf("%s: the handle is still valid", state)
		}
		if r.lid != 0 {
			r.e.Unlisten(r.now, r.lid)
		}
		r.advance(time.Minute)
		r.wantGone()
	}
}

// CLOSE in every state, by a user who never reads and a peer who never answers:
// in the end nothing is left (HOSTILE 18, 20, 23).
func TestCloseInEveryStateEnds(t *testing.T) {
	for state := range refNXT {
		if state == "SYN-RECEIVED/passive" {
			continue
		}
		r := refState(t, state, refVariant{})
		r.close(-1)
		r.advance(2000 * time.Second)
		r.sent = nil
		if r.lid != 0 {
			r.e.Unlisten(r.now, r.lid)
		}
		r.wantGone()
	}
}

// A RST in every synchronised state ends the connection, tells its user once,
// and leaves nothing (MUST-12).
// Shows: RFC 9293 MUST-12; RFC 5961 4.2b.
func TestResetInEveryState(t *testing.T) {
	for state := range refNXT {
		if state == "SYN-RECEIVED/passive" || state == "SYN-SENT" || state == "TIME-WAIT" {
			continue
		}
		r := refState(t, state, refVariant{})
		seq := r.status().RcvNXT - r.irs
		r.in("R " + segRange(int(seq), 0))
		r.want()
		want := ErrReset
		if state == "SYN-RECEIVED/active" {
			want = ErrRefused
		}
		if _, err := r.e.Send(r.now, r.id, []byte("x"), 0); err != want {
			t.Errorf("%s: Send = %v", state, err)
		}
		if _, err := r.e.Send(r.now, r.id, []byte("x"), 0); err != ErrClosing {
			t.Errorf("%s: the second Send = %v", state, err)
		}
		r.close(-1)
		if r.lid != 0 {
			r.e.Unlisten(r.now, r.lid)
		}
		r.wantGone()
	}
}

// Text that arrived in order before a RST can still be read, and then the error
// (a deviation from "all segment queues should be flushed", as kernels do).
func TestTextBeforeAReset(t *testing.T) {
	r := established(t)
	r.in(". 1:11(10) ack 1", "R 11:11(0)")
	r.sent = nil
	r.read(10)
	r.wantErr(ErrReset)
	r.wantErr(ErrEOF)
}

// ShutdownRead: text is acknowledged and forgotten, the window does not close.
func TestShutdownRead(t *testing.T) {
	r := established(t)
	if err := r.e.ShutdownRead(r.now, r.id); err != 0 {
		t.Fatal(err)
	}
	r.wantErr(ErrEOF)
	next := 1
	for range 200 {
		r.in(". " + segRange(next, 1000) + " ack 1")
		next += 1000
		r.advance(40 * ms)
	}
	if s := r.status(); s.RcvNXT-r.irs != Num(next) || s.ReceiveQueue != 0 || r.e.Counts().Slabs != 0 {
		t.Errorf("RCV.NXT %d, want %d; queue %d, %d slabs", s.RcvNXT-r.irs, next, s.ReceiveQueue, r.e.Counts().Slabs)
	}
	r.sent = nil
	r.in(". " + segRange(next+1000, 1000) + " ack 1") // beyond a gap too
	r.in(". " + segRange(next, 1000) + " ack 1")
	if s := r.status(); s.RcvNXT-r.irs != Num(next+2000) || r.e.Counts().Slabs != 0 {
		t.Errorf("RCV.NXT %d, %d slabs", s.RcvNXT-r.irs, r.e.Counts().Slabs)
	}
	r.sent = nil
	r.close(-1) // nothing unread: no RST
	r.want("F. " + segRange(1, 0) + " ack " + itoa(next+2000))
}

// CLOSE in SYN-RECEIVED before the SYN,ACK, or even our SYN, has found room on
// the link: it goes out first, and the FIN behind it.
func TestCloseInSynReceivedBeforeTheSynLeft(t *testing.T) {
	for _, synLeft := range []bool{true, false} {
		r := newRig(t, plain())
		r.deaf = !synLeft
		r.open(ConnConfig{})
		r.sent = nil
		r.deaf = true
		r.in("S 0:0(0)")
		r.shutdown()
		r.wantState(StateFinWait1)
		r.deaf = false
		r.e.Writable()
		r.output()
		r.want("S. 0:0(0) ack 1", "F. 1:1(0) ack 1")
		r.in(". 1:1(0) ack 2")
		r.wantState(StateFinWait2)
	}
}
