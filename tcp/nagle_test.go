package tcp

import (
	"testing"
	"time"
)

// RFC 9293 §3.7.4 (SHLD-7), Minshall's form: a small segment waits while
// another small one is in flight, and goes with what joined it meanwhile.
// Shows: RFC 9293 SHLD-7.
func TestNagle(t *testing.T) {
	r := established(t)
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.write(10)
	r.write(10)
	r.want()
	r.in(". 1:1(0) ack 11")
	r.want("P. 11:31(20) ack 1")
	r.write(980)
	r.want()
	r.write(20) // a full segment does not wait
	r.want("P. 31:1031(1000) ack 1")
}

// Minshall: the tail of a large write does not wait for the full segments in
// front of it, only a second tail does.
func TestTailOfALargeWriteDoesNotWait(t *testing.T) {
	r := established(t)
	r.write(2500)
	r.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1", "P. 2001:2501(500) ack 1")
	r.write(1500)
	r.want(". 2501:3501(1000) ack 1")
	r.in(". 1:1(0) ack 2001")
	r.want() // the small one is still in flight
	r.in(". 1:1(0) ack 2501")
	r.want("P. 3501:4001(500) ack 1")
}

// MUST-17: it can be switched off, and then what it held back goes.
// Shows: RFC 9293 MUST-17.
func TestNoDelay(t *testing.T) {
	r := established(t)
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.write(10)
	r.want()
	r.e.SetNoDelay(r.now, r.id, true)
	r.output()
	r.want("P. 11:21(10) ack 1")
	r.write(10)
	r.want("P. 21:31(10) ack 1")
	r.e.SetNoDelay(r.now, r.id, false)
	r.output()
	r.write(10)
	r.want()
}

// CLOSE sends what Nagle held back, with the FIN.
func TestCloseOverridesNagle(t *testing.T) {
	r := established(t)
	r.write(10)
	r.want("P. 1:11(10) ack 1")
	r.write(10)
	r.want()
	r.shutdown()
	r.want("FP. 11:21(10) ack 1")
}

// A corked connection sends full segments only; taking the cork out sends the
// rest, and so does the override timeout (§3.8.6.2.1), here one RTO later.
// Shows: RFC 9293 MUST-60.
func TestCork(t *testing.T) {
	r := established(t)
	r.e.SetCork(r.now, r.id, true)
	r.write(2300)
	r.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1")
	r.in(". 1:1(0) ack 2001")
	r.want()
	r.e.SetCork(r.now, r.id, false)
	r.output()
	r.want("P. 2001:2301(300) ack 1")
	r.in(". 1:1(0) ack 2301")

	r.e.SetCork(r.now, r.id, true)
	r.write(300)
	r.want()
	r.after(r.status().RTO, "P. 2301:2601(300) ack 1")
}

// MSG_MORE holds back the tail of one SEND: the next one without it sends
// both, and so does an ACK, since nothing shows that more will come.
// Shows: RFC 9293 MAY-15, MAY-16.
func TestSendMore(t *testing.T) {
	r := established(t)
	r.write(100, SendMore)
	r.want()
	r.write(100)
	r.want("P. 1:201(200) ack 1")
	r.in(". 1:1(0) ack 201")

	r.write(1300, SendMore)
	r.want(". 201:1201(1000) ack 1")
	r.in(". 1:1(0) ack 1201")
	r.want(". 1201:1501(300) ack 1") // not pushed: its user said that more follows
	r.in(". 1:1(0) ack 1501")

	r.write(100, SendMore)
	r.want()
	r.shutdown()
	r.want("FP. 1501:1601(100) ack 1")
}

// MUST-61: the last segment of a SEND is pushed, the others are not.
// Shows: RFC 9293 MUST-61, SHLD-27.
func TestPush(t *testing.T) {
	r := established(t)
	r.write(3000)
	r.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1", "P. 2001:3001(1000) ack 1")
	r.write(500, SendMore)
	r.want()
	r.write(1000)
	r.want(". 3001:4001(1000) ack 1", "P. 4001:4501(500) ack 1")
}

// §3.8.6.2.1, the sender's side of silly window avoidance: with less window
// than a segment it waits, unless that is half of the largest window ever
// seen, or all there is to send; at the latest for the override timeout, which
// is within 0.1 to 1.0 s (SHLD-27's 0.1 - 1.0).
// Shows: RFC 9293 MUST-38.
func TestSenderAvoidsSillyWindows(t *testing.T) {
	r := newRig(t, plain())
	r.win = 4000
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(6000)
	r.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1", ". 2001:3001(1000) ack 1", ". 3001:4001(1000) ack 1")
	r.in(". 1:1(0) ack 4001 win 900")
	r.want()
	r.in(". 1:1(0) ack 4001 win 999")
	r.want()
	r.in(". 1:1(0) ack 4001 win 1000")
	r.want(". 4001:5001(1000) ack 1")
	r.in(". 1:1(0) ack 5001 win 500")
	r.want()
	if rto := r.status().RTO; rto < 100*time.Millisecond || rto > time.Second {
		t.Fatalf("RTO %v", rto)
	}
	r.after(r.status().RTO, ". 5001:5501(500) ack 1")
	r.in(". 1:1(0) ack 5501 win 600") // the last 500 bytes are all there is
	r.want("P. 5501:6001(500) ack 1")
}

// Half of the largest window counts as enough, for peers with tiny buffers.
func TestSenderFillsHalfOfATinyWindow(t *testing.T) {
	r := newRig(t, plain())
	r.win = 600
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(2000)
	r.want(". 1:601(600) ack 1")
	r.in(". 1:1(0) ack 601 win 299")
	r.want()
	r.in(". 1:1(0) ack 601 win 300")
	r.want(". 601:901(300) ack 1")
}

// Nothing beyond the peer's window is ever sent, to the byte, and nothing
// beyond the congestion window.
// Shows: RFC 9293 SHLD-28; RFC 5681 3, 3.1a; RFC 7323 2.4c.
func TestSenderStaysInsideBothWindows(t *testing.T) {
	r := newRig(t, plain())
	r.win = 2500
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(10000)
	r.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1") // 500 bytes are less than half of it
	r.in(". 1:1(0) ack 1001 win 3001")
	r.want(". 2001:3001(1000) ack 1", ". 3001:4001(1000) ack 1")

	r = established(t)
	r.write(30000) // the initial window is 10 segments (RFC 6928)
	if len(r.sent) != 10 {
		t.Fatalf("%d segments left", len(r.sent))
	}
	r.sent = r.sent[:0]
}

// Urgent text is sent in line, with the pointer to the byte behind it (RFC 6093
// §3.2), until that is acknowledged.
// Shows: RFC 9293 MUST-30, MUST-62.
func TestSendUrgent(t *testing.T) {
	r := established(t)
	r.write(100, SendUrgent)
	r.want("P.U 1:101(100) ack 1 urg 100")
	r.write(1000)
	r.want("P. 101:1101(1000) ack 1 urg 0")
	r.in(". 1:1(0) ack 101")
	r.write(200)
	r.want("P. 1101:1301(200) ack 1 urg 0")
}

// Received urgent text is delivered in line, whatever the pointer says.
// Shows: RFC 9293 MUST-30.
func TestReceiveUrgentInLine(t *testing.T) {
	for _, urg := range []string{"0", "1", "5", "10", "11", "65535"} {
		r := established(t)
		r.in("P.U 1:11(10) ack 1 urg "+urg, "P. 11:21(10) ack 1")
		r.sent = r.sent[:0]
		r.read(20)
	}
}
