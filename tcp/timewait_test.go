package tcp

import (
	"fmt"
	"testing"
	"time"

	"estab/internal/wire"
)

// 2 MSL, counted from the peer's FIN or its last repeat, which is acknowledged
// again (RFC 9293 §3.10.7.4).
// Shows: RFC 9293 MUST-13.
func TestTimeWaitIsRestartedByTheFin(t *testing.T) {
	cfg := plain()
	cfg.MSL = 10 * time.Second
	r := timeWaiting(t, cfg)
	r.close(-1)
	for range 3 {
		r.advance(15 * time.Second)
		r.in("F. 1:1(0) ack 2")
		r.want(". 2:2(0) ack 2")
	}
	r.advance(20*time.Second - 1)
	r.wantState(StateTimeWait)
	r.advance(1)
	r.want()
	r.wantGone()
	if n := r.e.Counters().TimeWaitRestarts; n != 3 {
		t.Errorf("%d restarts counted", n)
	}
}

// MSL off: no TIME-WAIT at all.
func TestNoTimeWait(t *testing.T) {
	cfg := plain()
	cfg.MSL = -1
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.shutdown()
	r.want("F. 1:1(0) ack 1")
	r.in("F. 1:1(0) ack 2")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateClosed)
	r.close(-1)
	r.wantGone()
}

// RFC 1337: no RST ends TIME-WAIT, at whatever number (HOSTILE 21).
func TestTimeWaitIgnoresResets(t *testing.T) {
	r := timeWaiting(t, plain())
	for off := -10; off < 10; off++ {
		r.in(fmt.Sprintf("R %d:%d(0)", off, off), fmt.Sprintf("R. %d:%d(0) ack 2", off, off))
	}
	r.want()
	r.wantState(StateTimeWait)
	r.dropped(wire.DropTimeWaitReset, 40)
}

// stampedWait is in TIME-WAIT with timestamps: the peer's last was 1000, the FIN
// numbers are 1 and 1.
func stampedWait(t *testing.T, cfg Config) *rig {
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000,TS val 900 ecr 0>")
	r.listen(ListenOptions{})
	r.shutdown()
	r.in("F. 1:1(0) ack 2 <TS val 1000 ecr 0>")
	r.close(-1)
	r.sent = nil
	r.wantState(StateTimeWait)
	return r
}

// RFC 6191 §2: with timestamps a SYN reopens the pair if its timestamp is newer,
// or the same and its sequence number above; both sides of each limit.
// Shows: RFC 9293 MAY-2, SHLD-4; RFC 6191 2a, 2b, 2c.
func TestTimeWaitReuseByTimestamp(t *testing.T) {
	for _, x := range []struct {
		seq     int
		tsval   int64
		reopens bool
	}{
		{-1000, 1001, true}, // newer: the number does not matter
		{-1000, 1000, false}, {1, 1000, false}, {2, 1000, true}, {5000, 1000, true},
		{5000, 999, false}, {5000, 0, false}, // older: not even with a higher number
		{-1000, 1000 + 1<<31 - 1, true}, {5000, 1000 + 1<<31, false},
	} {
		r := stampedWait(t, Config{NoSACK: true, NoWindowScaling: true})
		old := r.iss + 2
		r.in(fmt.Sprintf("S %s <mss 1000,TS val %d ecr 0>", segRange(x.seq, 0), x.tsval))
		if len(r.sent) != 1 {
			t.Fatalf("%+v: sent\n%s", x, r.show(r.sent, ""))
		}
		s := r.sent[0]
		if got := s.Flags == wire.SYN|wire.ACK; got != x.reopens {
			t.Errorf("%+v: sent %s", x, r.line(&s.Segment, ""))
		} else if got && (s.Seq.LessEq(old) || s.Ack != r.irs+Num(x.seq)+1) {
			t.Errorf("%+v: SYN,ACK with ISS %d above SND.NXT, ACK %d", x, s.Seq-old, s.Ack-r.irs)
		}
		r.sent = nil
	}
}

// Without timestamps the sequence number decides (RFC 1122 §4.2.2.13): the whole
// handshake, and the new connection begins above the old one.
// Shows: RFC 9293 MAY-2; RFC 6191 2e.
func TestTimeWaitReuseByNumber(t *testing.T) {
	r := timeWaiting(t, plain())
	r.close(-1)
	r.listen(ListenOptions{})
	old := r.iss + 2
	r.in("S 1:1(0)")
	r.want(". 2:2(0) ack 2")
	r.irs += 70_000
	r.in("S 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	if !old.Less(r.iss) {
		t.Errorf("the new ISS is %d before the old SND.NXT", old.Diff(r.iss))
	}
	r.want("S. 0:0(0) ack 1")
	if c := r.e.Counts(); c.TimeWait != 1 || c.HalfOpen != 1 {
		t.Errorf("while it reopens: %+v", c)
	}
	r.in(". 1:1(0) ack 1")
	r.accept()
	r.wantState(StateEstablished)
	if c := r.e.Counts(); c.TimeWait != 0 || c.HalfOpen != 0 || r.e.Counters().TimeWaitReuses != 1 {
		t.Errorf("reopened: %+v, %d reuses", c, r.e.Counters().TimeWaitReuses)
	}
	r.in(". 1:11(10) ack 1")
	r.read(10)
	r.want(". 1:1(0) ack 11")
}

// It can be switched off, and nobody reopens where nobody listens.
func TestNoTimeWaitReuse(t *testing.T) {
	cfg := plain()
	cfg.NoTimeWaitReuse = true
	r := timeWaiting(t, cfg)
	r.listen(ListenOptions{})
	r.in("S 100:100(0)")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateTimeWait)

	r = timeWaiting(t, plain())
	r.in("S 100:100(0)")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateTimeWait)
}

// The record stands until the handshake that reopens the pair completes: if
// that fails, by a RST, by time or because the listener goes, TIME-WAIT is what
// it was, to the nanosecond.
func TestTimeWaitStandsAgainWhenReopeningFails(t *testing.T) {
	for name, fail := range map[string]func(r *rig){
		"reset":    func(r *rig) { r.in("R 101:101(0)") },
		"time":     func(r *rig) { r.advance(15 * time.Second); r.sent = nil },
		"unlisten": func(r *rig) { r.e.Unlisten(r.now, r.lid) },
		"syn":      func(r *rig) { r.in("S 200:200(0)") },
	} {
		t.Run(name, func(t *testing.T) {
			r := timeWaiting(t, plain())
			r.close(-1)
			ends := r.now.Add(time.Minute)
			r.listen(ListenOptions{})
			r.advance(10 * time.Second)
			r.in("S 100:100(0)")
			r.sent = nil
			r.wantState(StateSynReceived)
			fail(r)
			r.sent = nil
			r.wantState(StateTimeWait)
			if at := r.e.NextDeadline(); at != ends {
				t.Errorf("TIME-WAIT ends at %v, want %v", at, ends)
			}
			r.in("F. 1:1(0) ack 2") // and it knows the old connection
			r.want(". 2:2(0) ack 2")
			r.advance(time.Minute)
			if c := r.e.Counts(); c.TimeWait != 0 || r.e.table.len() != 0 {
				t.Errorf("left: %+v", c)
			}
		})
	}
}

// 2 MSL pass while the pair is being reopened: then there is nothing to return
// to.
func TestTimeWaitEndsWhileReopening(t *testing.T) {
	cfg := plain()
	cfg.MSL = 5 * time.Second
	for _, completes := range []bool{false, true} {
		r := timeWaiting(t, cfg)
		r.close(-1)
		r.listen(ListenOptions{})
		r.advance(9 * time.Second)
		r.irs += 100
		r.in("S 0:0(0)")
		r.iss = r.sent[0].Seq
		r.advance(5 * time.Second)
		r.sent = nil
		r.wantState(StateSynReceived)
		if completes {
			r.in(". 1:1(0) ack 1")
			r.wantState(StateEstablished)
			r.accept()
			r.close(0)
			r.sent = nil
		}
		r.advance(time.Minute)
		r.sent = nil
		if c := r.e.Counts(); c.TimeWait+c.HalfOpen+c.Conns != 0 || r.e.table.len() != 0 {
			t.Errorf("completes %v: left %+v", completes, c)
		}
	}
}

// A second SYN while the pair is being reopened is a repeat, and the old
// connection's FIN finds the new record.
func TestRepeatsWhileReopening(t *testing.T) {
	r := timeWaiting(t, plain())
	r.close(-1)
	r.listen(ListenOptions{})
	r.in("S 100:100(0)")
	first := r.sent[0].Seq
	r.in("S 100:100(0)")
	if len(r.sent) != 2 || r.sent[1].Seq != first {
		t.Errorf("sent\n%s", r.show(r.sent, ""))
	}
	r.sent = nil
	r.in("F. 1:1(0) ack 2") // outside the new window: acknowledged
	if len(r.sent) != 1 || r.sent[0].Ack != r.irs+101 {
		t.Errorf("sent\n%s", r.show(r.sent, ""))
	}
	r.sent = nil
}

// The limit: the oldest wait ends early, counted; a restarted one is not the
// oldest any more (HOSTILE 22).
func TestTimeWaitEviction(t *testing.T) {
	cfg := plain()
	cfg.MaxTimeWait = 3
	r := newRig(t, cfg)
	wait := func(port uint16) {
		r.tup.RemotePort = port
		r.connect(ConnConfig{}, "<mss 1000>")
		r.shutdown()
		r.in("F. 1:1(0) ack 2")
		r.sent = nil
		r.close(-1)
		r.wantState(StateTimeWait)
		r.advance(time.Second)
	}
	in := func(port uint16) bool {
		r.tup.RemotePort = port
		return r.state() == StateTimeWait
	}
	for p := range uint16(3) {
		wait(p + 1)
	}
	k, i := r.e.find(&r.tup, r.e.Hash(&r.tup))
	_ = r.e.wait.record(k, i)
	r.tup.RemotePort = 1
	k, i = r.e.find(&r.tup, r.e.Hash(&r.tup))
	w := r.e.wait.record(k, i)
	fin := r.seg("F. 1:1(0)")
	fin.Seq, fin.Ack = w.rcvNXT-1, w.sndNXT
	r.input(fin)
	r.sent = nil
	wait(4)
	if !in(1) || in(2) || !in(3) || !in(4) {
		t.Errorf("1 %v, 2 %v, 3 %v, 4 %v", in(1), in(2), in(3), in(4))
	}
	if n := r.e.Counters().TimeWaitEvictions; n != 1 {
		t.Errorf("%d evictions counted", n)
	}
}

// Records of both families end in the order of their deadlines, whichever was
// restarted.
func TestTimeWaitOrder(t *testing.T) {
	r := newRig(t, plain())
	tups := []Tuple{testTuple4, testTuple6, testTuple4, testTuple6}
	var irs [4]Num
	for i := range tups {
		tups[i].RemotePort = uint16(i + 1)
		r.tup = tups[i]
		r.connect(ConnConfig{}, "<mss 1000>")
		irs[i] = r.iss
		r.shutdown()
		r.in("F. 1:1(0) ack 2")
		r.sent = nil
		r.close(-1)
		r.advance(time.Second)
	}
	// At 4 s: restart 0 and 1, in that order; at 5 s 0 again.
	for _, i := range []int{0, 1} {
		r.tup, r.iss = tups[i], irs[i]
		r.in("F. 1:1(0) ack 2")
	}
	r.advance(time.Second)
	r.tup, r.iss = tups[0], irs[0]
	r.in("F. 1:1(0) ack 2")
	r.sent = nil
	var order []int
	began := Time(time.Hour)
	for r.e.Counts().TimeWait > 0 {
		r.now = r.e.NextDeadline()
		order = append(order, int(r.now.Sub(began)/time.Second))
		r.e.Advance(r.now)
		r.check()
	}
	if fmt.Sprint(order) != "[62 63 64 65]" {
		t.Errorf("waits end after %v seconds", order)
	}
}

// An active OPEN takes over a pair that has been in TIME-WAIT for long enough, if
// both ends used timestamps: its SYN is newer than everything the peer has seen
// (RFC 6191 from the client's side).
func TestOpenTakesOverTimeWait(t *testing.T) {
	cfg := Config{NoSACK: true, NoWindowScaling: true}
	open := func(r *rig) (ConnID, Error) { return r.e.Open(r.now, OpenOptions{Tuple: r.tup}) }

	r := stampedWait(t, cfg)
	r.advance(reuseAfter - 1)
	if _, err := open(r); err != ErrInUse {
		t.Errorf("at once: %v", err)
	}
	r.advance(1)
	old := r.iss + 2
	id, err := open(r)
	if err != 0 {
		t.Fatalf("after %v: %v", reuseAfter, err)
	}
	r.id = id
	r.iss = r.status().ISS
	if !old.Less(r.iss) {
		t.Errorf("the new ISS is %d before the old SND.NXT", old.Diff(r.iss))
	}
	r.output()
	r.want("S 0:0(0) <mss 1460,TS val 3601000 ecr 0>")
	r.irs += 500_000
	r.in("S. 0:0(0) ack 1 <mss 1000,TS val 1500 ecr 0>")
	r.want(". 1:1(0) ack 1")
	if c := r.e.Counts(); c.TimeWait != 0 || r.e.Counters().TimeWaitReuses != 1 {
		t.Errorf("%+v, %d reuses", c, r.e.Counters().TimeWaitReuses)
	}

	// A peer in this process is known to tick in milliseconds.
	local := cfg
	local.Paths = localPaths{}
	r = stampedWait(t, local)
	r.advance(reuseAfterLocal - 1)
	if _, err := open(r); err != ErrInUse {
		t.Errorf("a local one, at once: %v", err)
	}
	r.advance(1)
	if _, err := open(r); err != 0 {
		t.Errorf("a local one, after %v: %v", reuseAfterLocal, err)
	}

	// Without timestamps, or where reuse is off, the pair is in use.
	r = timeWaiting(t, plain())
	r.advance(10 * time.Second)
	if _, err := open(r); err != ErrInUse {
		t.Errorf("without timestamps: %v", err)
	}
	cfg.NoTimeWaitReuse = true
	r = stampedWait(t, cfg)
	r.advance(10 * time.Second)
	if _, err := open(r); err != ErrInUse {
		t.Errorf("with reuse off: %v", err)
	}
}

// localPaths all lead to peers in this process.
type localPaths struct{}

func (localPaths) Path(*Tuple) (Path, Error) { return Path{MTU: 1500, Local: true}, 0 }

// The OPEN that took over fails: the old record stands again, until its time.
func TestOpenThatTookOverFails(t *testing.T) {
	for name, fail := range map[string]func(r *rig){
		"refused": func(r *rig) { r.in("R. 0:0(0) ack 1") },
		"aborted": func(r *rig) { r.e.Abort(r.now, r.id) },
		"icmp":    func(r *rig) { r.e.ICMPError(r.now, &r.tup, r.iss, ErrHostUnreachable) },
	} {
		r := stampedWait(t, Config{NoSACK: true, NoWindowScaling: true})
		r.e.Unlisten(r.now, r.lid)
		ends := r.now.Add(time.Minute)
		r.advance(10 * time.Second)
		r.open(ConnConfig{})
		r.sent = nil
		fail(r)
		r.check()
		r.wantState(StateTimeWait)
		r.close(-1)
		r.sent = nil
		if at := r.e.NextDeadline(); at != ends {
			t.Errorf("%s: TIME-WAIT ends at %v, want %v", name, at, ends)
		}
		r.advance(time.Minute)
		r.wantGone()
	}
}

// Choosing a port prefers nothing: with all ports in TIME-WAIT an OPEN still
// finds one that may be taken over.
func TestPortsInTimeWaitAreReused(t *testing.T) {
	p := connected(t, Config{PortFirst: 40000, PortLast: 40000}, Config{}, ConnConfig{}, ConnConfig{})
	p.finish()
	for range 3 {
		p.now = p.now.Add(reuseAfter)
		id, err := p.a.e.Open(p.now, OpenOptions{Tuple: Tuple{Local: testTuple4.Local, Remote: testTuple4.Remote, RemotePort: testTuple4.RemotePort}})
		if err != 0 {
			t.Fatal(err)
		}
		p.a.id = id
		p.run(time.Millisecond)
		var e Error
		if p.b.id, e = p.b.e.Accept(p.now, p.b.lid); e != 0 {
			t.Fatal(e)
		}
		p.transfer(p.a, p.b, 1000)
		p.a.e.Close(p.now, p.a.id, -1)
		p.run(time.Millisecond)
		p.b.e.Close(p.now, p.b.id, -1)
		p.run(time.Millisecond)
		if c := p.a.e.Counts(); c.TimeWait != 1 || c.Conns != 0 {
			t.Fatalf("%+v", c)
		}
	}
}
