package tcp

import (
	"fmt"
	"testing"
	"time"

	"estab/internal/wire"
)

// A window of 32768 bytes and more, and with a scale of more than 2^31/2, is a
// large window and not a negative one.
// Shows: RFC 9293 MUST-1, REC-1.
func TestShowsLargeWindows(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	for _, win := range []int{32767, 32768, 65535} {
		r.in(fmt.Sprintf(". 1:1(0) ack 1 win %d", win))
		if got := r.status().SndWND; got != uint32(win) {
			t.Errorf("window %d is taken as %d", win, got)
		}
	}
	r = newRig(t, Config{NoTimestamps: true, NoSACK: true})
	r.connect(ConnConfig{}, "<mss 1000,wscale 14>")
	r.in(". 1:1(0) ack 1 win 65535")
	if got := r.status().SndWND; got != 65535<<14 {
		t.Errorf("window 65535 << 14 is taken as %d", got)
	}
	r.write(1000)
	r.want("P. 1:1001(1000) ack 1")
}

// Once it is on, keep-alive waits two hours by default.
// Shows: RFC 9293 MUST-28.
func TestShowsKeepAliveWaitsTwoHours(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{KeepAlive: KeepAlive{On: true}}, "<mss 1000>")
	r.after(2*time.Hour, ". 0:0(0) ack 1")
	r.in(". 1:1(0) ack 1")
}

// Urgent text of more than the pointer can say at once: the pointer is as far
// ahead as 16 bits reach until the end comes near, and never beyond it.
// Shows: RFC 9293 MUST-31, MUST-62.
func TestShowsLongUrgentText(t *testing.T) {
	cfg := plain()
	cfg.InitialWindow = 200
	r := newRig(t, cfg)
	r.connect(ConnConfig{SendBuffer: 1 << 20}, "<mss 1000>")
	const n = 100_000
	r.write(n, SendUrgent)
	seen := 0
	for seen < n {
		if len(r.sent) == 0 {
			t.Fatalf("stuck after %d bytes", seen)
		}
		for i := range r.sent {
			s := &r.sent[i].Segment
			from := int(s.Seq - r.iss)
			want := min(n+1-from, 65535)
			if !s.Flags.Has(wire.URG) || int(s.Up) != want {
				t.Fatalf("%s: urgent pointer %d, want %d", r.line(s, ""), s.Up, want)
			}
			seen = from - 1 + s.DataLen()
		}
		r.sent = r.sent[:0]
		r.in(fmt.Sprintf(". 1:1(0) ack %d", seen+1))
	}
	r.write(10)
	if s := r.sent[0]; s.Flags.Has(wire.URG) {
		t.Errorf("URG on text that is not urgent")
	}
	r.sent = r.sent[:0]
}

// signalled reports whether the ready list says Urgent, and empties it.
func (r *rig) signalled() (urgent bool) {
	for x, ok := r.e.NextReady(); ok; x, ok = r.e.NextReady() {
		urgent = urgent || x.What&Urgent != 0
	}
	return urgent
}

// The user is told when the urgent pointer moves ahead, and not otherwise, and
// can ask how much up to it is left to be read: text that isn't urgent, behind it,
// doesn't count.
// Shows: RFC 9293 MUST-32, MUST-33.
func TestShowsUrgentTextToCome(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	r.signalled()
	step := func(segment string, signal bool, left int) {
		t.Helper()
		r.in(segment)
		r.sent = r.sent[:0]
		if got := r.signalled(); got != signal {
			t.Errorf("%s: signal %v, want %v", segment, got, signal)
		}
		if n := r.status().UrgentToRead; n != left {
			t.Errorf("%s: %d urgent bytes to read, want %d", segment, n, left)
		}
	}
	step(". 1:101(100) ack 1", false, 0)
	step("U. 101:201(100) ack 1 urg 300", true, 400) // with the 100 before it
	step("U. 201:301(100) ack 1 urg 200", false, 400)
	step("U. 301:401(100) ack 1 urg 50", false, 400) // it can't recede
	step(". 401:901(500) ack 1", false, 400)         // behind the pointer
	r.read(100)
	step(". 901:901(0) ack 1", false, 300)
	step("U. 901:911(10) ack 1 urg 10", true, 810) // ahead once more
	r.read(810)
	step("U. 901:911(10) ack 1 urg 10", false, 0) // repeated
	step("U. 911:921(10) ack 1 urg 0", false, 0)
	r.read(10)
	step("U. 921:931(10) ack 1 urg 10", true, 10)
	r.read(10)
	step("F. 931:931(0) ack 1", false, 0)
	step("U. 932:932(0) ack 1 urg 10", false, 0) // the stream has ended
}

// The pointer counts even where the window is zero and the text does not, and may
// point far behind the window.
// Shows: RFC 9293 MUST-66.
func TestShowsUrgentPointerAtZeroWindow(t *testing.T) {
	cfg := plain()
	cfg.ReceiveBuffer = 1000
	cfg.FixedBuffers = true
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.in(". 1:1001(1000) ack 1")
	r.want(". 1:1(0) ack 1001 win 0")
	r.signalled()
	r.in("U. 1001:2001(1000) ack 1 urg 40000")
	r.want(". 1:1(0) ack 1001 win 0")
	if !r.signalled() || r.status().UrgentToRead != 41000 {
		t.Errorf("%d urgent bytes to read, want 41000, and a signal", r.status().UrgentToRead)
	}
	if n := r.e.Readable(r.id); n != 1000 {
		t.Errorf("%d bytes to read: a window of zero was overrun", n)
	}
}

// Urgent text that no window lets go is announced by its pointer, at once and
// with every probe; the first text takes it along.
// Shows: RFC 9293 MUST-30.
func TestShowsUrgentPointerWithoutText(t *testing.T) {
	r := newRig(t, plain())
	r.win = 0
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(10, SendUrgent)
	r.want(".U 1:1(0) ack 1 urg 10")
	for range 3 {
		r.advance(r.status().Timers[TimerPersist].Sub(r.now))
		r.want(". 0:0(0) ack 1", ".U 1:1(0) ack 1 urg 10")
	}
	r.in(". 1:11(10) ack 1")
	r.want(".U 1:1(0) ack 11 urg 10")
	r.in(". 11:11(0) ack 1 win 1000")
	r.want("P.U 1:11(10) ack 11 urg 10")
	r.in(". 11:21(10) ack 1 win 1000")
	r.want(". 11:11(0) ack 21 urg 0") // nothing urgent lies ahead of it
}

// PSH or not, text is there to be read as soon as it has arrived.
// Shows: RFC 1122 4.2.2.2.
func TestShowsPushMakesNoDifferenceToReceive(t *testing.T) {
	for _, flags := range []string{".", "P."} {
		r := newRig(t, plain())
		r.connect(ConnConfig{}, "<mss 1000>")
		r.in(flags + " 1:101(100) ack 1")
		r.want(". 1:1(0) ack 101")
		r.read(60)
		r.read(40)
	}
}

// A user who gives a ring hears of every repeat, from the first to R2, with its
// count; one who masks timers, or gives none, hears nothing.
// Shows: RFC 9293 MUST-47, SHLD-9, SHLD-20.
func TestShowsRepeatsAreEvents(t *testing.T) {
	for _, mask := range []EventKind{EventAll, EventAll &^ EventTimer} {
		cfg := plain()
		cfg.Events = NewRing(1000, mask)
		r := newRig(t, cfg)
		r.connect(ConnConfig{}, "<mss 1000>")
		r.write(100)
		r.advance(time.Hour)
		r.sent = nil
		var counts []uint32
		for ev, ok := cfg.Events.Next(); ok; ev, ok = cfg.Events.Next() {
			if ev.Kind == EventTimer && ev.Timer == TimerRetransmit {
				counts = append(counts, ev.Count)
			}
		}
		want := 16 // R2 is 15 repeats; the sixteenth time-out closes
		if mask&EventTimer == 0 {
			want = 0
		}
		if len(counts) != want {
			t.Fatalf("%d events of the timer, want %d", len(counts), want)
		}
		for i, n := range counts {
			if n != uint32(i)+1 {
				t.Errorf("event %d has count %d", i+1, n)
			}
		}
	}
}

// Every segment of a connection has the user's Diffserv field, at either end.
// Shows: RFC 9293 MUST-48, SHLD-22.
func TestShowsDiffservField(t *testing.T) {
	const tos = 46 << 2 // expedited forwarding
	check := func(r *rig, what string) {
		t.Helper()
		for _, s := range r.sent {
			if s.TOS != tos {
				t.Errorf("%s: %v with TOS %#x, want %#x", what, s.Flags, s.TOS, tos)
			}
		}
		r.sent = nil
	}
	r := newRig(t, plain())
	r.open(ConnConfig{TOS: tos | 3}) // the ECN bits are not the user's
	check(r, "SYN")
	r.in("S. 0:0(0) ack 1 <mss 1000>")
	check(r, "ACK")
	r.write(100)
	check(r, "text")
	r.advance(time.Second)
	check(r, "repeats")
	r.in(". 5000:5000(0) ack 1")
	check(r, "ACK of what lies outside the window")
	r.e.Abort(r.now, r.id)
	r.output()
	check(r, "RST")

	r = newRig(t, plain())
	r.listen(ListenOptions{Conn: ConnConfig{TOS: tos}})
	r.in("S 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	check(r, "SYN,ACK")
	r.in(". 70001:70001(0) ack 1")
	check(r, "ACK of a half-open record")
	r.in(". 1:101(100) ack 1")
	check(r, "ACK at the passive end")
	r.accept()
	r.read(100)
	r.close(-1)
	check(r, "FIN")
	r.in("F. 101:101(0) ack 2")
	r.wantState(StateTimeWait)
	check(r, "ACK of a FIN")
	r.in("F. 101:101(0) ack 2")
	if len(r.sent) != 1 {
		t.Errorf("sent\n%s", r.show(r.sent, ""))
	}
	check(r, "ACK of a TIME-WAIT record")
}

// It can change while the connection is open (SHLD-21).
// Shows: RFC 9293 SHLD-21; RFC 1122 4.2.4.2.
func TestShowsDiffservFieldChanges(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{TOS: 8, NoDelay: true}, "<mss 1000>")
	for _, tos := range []uint8{8, 46 << 2, 0} {
		r.e.SetTOS(r.now, r.id, tos|1)
		r.write(10)
		if got := r.sent[0].TOS; len(r.sent) != 1 || got != tos || r.status().TOS != tos {
			t.Errorf("TOS %#x and status %#x, want %#x", got, r.status().TOS, tos)
		}
		r.sent = nil
	}
}

// At R1 the path is asked for again, and not at every repeat.
// Shows: RFC 9293 MUST-20; RFC 1122 3.3.1.4.
func TestShowsAdviceAtR1(t *testing.T) {
	paths := &countedPaths{}
	cfg := plain()
	cfg.Paths = paths
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(100)
	r.sent = nil
	paths.n = 0
	for repeat := 1; repeat <= 6; repeat++ {
		r.advance(r.e.NextDeadline().Sub(r.now))
		r.sent = nil
		want := 0
		if repeat >= 3 {
			want = 1
		}
		if paths.n != want {
			t.Errorf("after %d repeats the path was asked for %d times, want %d", repeat, paths.n, want)
		}
	}
}

type countedPaths struct{ n int }

func (p *countedPaths) Path(*Tuple) (Path, Error) {
	p.n++
	return Path{MTU: 1500}, 0
}

// Options that belong on SYNs, or that were not agreed on, are ignored on other
// segments: a window scale changes nothing, timestamps are neither compared nor
// answered.
// Shows: RFC 7323 2.2b, 3.2g; RFC 9293 MUST-5.
func TestShowsOptionsOutOfPlace(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	r.in(". 1:101(100) ack 1 win 500 <mss 100,wscale 7,TS val 1000 ecr 1>")
	r.want(". 1:1(0) ack 101 <>")
	r.in(". 101:201(100) ack 1 win 500 <TS val 1 ecr 1>") // older than the last
	r.want(". 1:1(0) ack 201 <>")
	if s := r.status(); s.SndWND != 500 || s.SMSS != 1000 {
		t.Errorf("window %d, MSS %d", s.SndWND, s.SMSS)
	}
}

// A round trip is measured where SND.UNA moves, at least once in each; a
// segment of the peer that acknowledges nothing new measures none, however old
// the timestamp that it echoes.
// Shows: RFC 6298 3b; RFC 7323 4.1b.
func TestShowsOneSampleARoundTrip(t *testing.T) {
	cfg := Config{NoSACK: true, NoWindowScaling: true, Events: NewRing(100, EventRTT)}
	r := newRig(t, cfg)
	samples := func() (all []time.Duration) {
		for ev, ok := cfg.Events.Next(); ok; ev, ok = cfg.Events.Next() {
			all = append(all, time.Duration(ev.Value).Round(time.Millisecond))
		}
		return all
	}
	r.connect(ConnConfig{}, "<mss 1000,TS val 1 ecr 3600000>")
	samples() // the handshake's
	next := 1
	for round := range 5 {
		r.write(100)
		r.sent = nil
		next += 100
		r.advance(30 * time.Millisecond)
		r.in(fmt.Sprintf(". 1:1(0) ack %d <TS val 2 ecr 3600000>", next))
		if got := samples(); len(got) != 1 || got[0] != 30*time.Millisecond {
			t.Errorf("round %d measured %v, want 30ms", round, got)
		}
	}
	r.advance(10 * time.Second)
	r.in(fmt.Sprintf(". 1:101(100) ack %d <TS val 3 ecr 3600150>", next))
	r.advance(time.Second)
	r.sent = nil
	if got := samples(); len(got) != 0 {
		t.Errorf("the peer's text measured %v", got)
	}
}

// What waits beyond a gap was tested when it came: the timestamp of the segment
// that fills the gap, though newer, does not throw it out.
// Shows: RFC 7323 5.3b.
func TestShowsWaitingTextIsNotTestedAgain(t *testing.T) {
	r := newRig(t, Config{NoSACK: true, NoWindowScaling: true})
	r.connect(ConnConfig{}, "<mss 1000,TS val 1000 ecr 0>")
	r.in(". 101:201(100) ack 1 <TS val 1001 ecr 0>", ". 201:301(100) ack 1 <TS val 1001 ecr 0>")
	r.want(". 1:1(0) ack 1", ". 1:1(0) ack 1")
	r.in(". 1:101(100) ack 1 <TS val 5000 ecr 0>")
	r.want(". 1:1(0) ack 301")
	r.read(300)
}
