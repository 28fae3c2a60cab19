package tcp

import (
	"os"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// long reports whether the tests that take minutes are wanted too.
func long() bool { return os.Getenv("ESTAB_LONG") == "1" }

// A rig is an engine, and one connection of it whose other end is played by
// hand. Segments are written as packetdrill writes them, with numbers relative
// to the initial sequence number of the end that they belong to:
//
//	r.in("S. 0:0(0) ack 1 win 1000 <mss 1460>")
//	r.want(". 1:1(0) ack 1")
//
// What the engine sends has to be wanted, or the test fails when it ends.
type rig struct {
	t        testing.TB
	e        *Engine
	now      Time
	tup      Tuple // as the engine names the connection
	id       ConnID
	lid      ListenerID
	iss, irs Num
	win      int // window of what the peer sends, where a segment doesn't say
	sent     []sentSeg
	deaf     bool // the link takes nothing
	wrote    int  // bytes of text given to Send
	got      int  // bytes of text taken from Receive
}

// sentSeg is a segment that the engine sent, and when.
type sentSeg struct {
	at Time
	Segment
}

var testSecret = [32]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}

// testTuple4 and testTuple6 name a connection as its engine does.
var (
	testTuple4 = Tuple{
		Local: wire.AddrFrom4([]byte{192, 0, 2, 1}), Remote: wire.AddrFrom4([]byte{198, 51, 100, 2}),
		LocalPort: 8080, RemotePort: 40000,
	}
	testTuple6 = Tuple{
		Local: wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}, Remote: wire.Addr{Hi: 0x20010db8 << 32, Lo: 2},
		LocalPort: 8080, RemotePort: 40000,
	}
)

// plain is a configuration without options, in which segments are short to
// write.
func plain() Config {
	return Config{NoTimestamps: true, NoWindowScaling: true, NoSACK: true, Congestion: "reno"}
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	if cfg.Secret == [32]byte{} {
		cfg.Secret = testSecret
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, e: e, tup: testTuple4, win: 65535, irs: 0x10000, now: Time(time.Hour)}
	t.Cleanup(func() {
		if len(r.sent) > 0 && !t.Failed() {
			t.Errorf("segments that nobody expected:\n%s", r.show(r.sent, ""))
		}
	})
	return r
}

// setISS moves the clock to where the connection's ISS will be iss (RFC 6528:
// ISN = M + F(tuple, key); M ticks every 4 µs).
func (r *rig) setISS(iss Num) {
	r.now = Time(uint32(iss-Num(r.tup.Hash(r.e.keys.iss)))) * 4000
	r.iss = iss
}

// Emit implements Sink.
func (r *rig) Emit(seg *Segment) bool {
	if r.deaf {
		return false
	}
	s := sentSeg{r.now, *seg}
	p := append([]byte(nil), seg.Payload...)
	for _, q := range seg.Rest {
		p = append(p, q...)
	}
	s.Payload, s.Rest = p, nil
	r.sent = append(r.sent, s)
	return true
}

// in lets the segments arrive one after another, and lets the engine answer.
func (r *rig) in(lines ...string) {
	r.t.Helper()
	for _, l := range lines {
		r.input(r.seg(l))
	}
}

func (r *rig) input(s *Segment) {
	r.t.Helper()
	r.e.Input(r.now, s)
	r.output()
}

// batch lets segments arrive before the engine may answer.
func (r *rig) batch(lines ...string) {
	r.t.Helper()
	for _, l := range lines {
		r.e.Input(r.now, r.seg(l))
	}
	r.output()
}

func (r *rig) output() {
	r.t.Helper()
	r.e.Output(r.now, r)
	r.check()
}

func (r *rig) check() {
	r.t.Helper()
	if err := r.e.CheckInvariants(); err != nil {
		r.t.Fatalf("at %v: %v", time.Duration(r.now), err)
	}
	if err := checkRecords(r.e); err != nil {
		r.t.Fatalf("at %v: %v", time.Duration(r.now), err)
	}
}

// advance moves the clock, running each timer when it is due.
func (r *rig) advance(d time.Duration) {
	r.t.Helper()
	steps := 0
	for end := r.now.Add(d); ; {
		at := r.e.NextDeadline()
		if steps++; steps > 200_000 {
			r.t.Fatalf("at %v: timers go off for ever, the next at %v", time.Duration(r.now), time.Duration(at))
		}
		if at > end {
			r.now = end
			r.e.Advance(r.now)
			r.output()
			return
		}
		if at-1 > r.now && !r.e.Pending() { // "Advance before that does nothing"
			r.e.Advance(at - 1)
			if r.e.Pending() {
				r.t.Fatalf("a timer ran before NextDeadline %v", time.Duration(at))
			}
		}
		r.now = max(r.now, at)
		r.e.Advance(r.now)
		r.output()
	}
}

// want says what the engine has sent since the last call, exactly, and that
// its text is what the user wrote.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	all := strings.Join(lines, "\n")
	ok := len(lines) == len(r.sent)
	for i := range r.sent {
		s := &r.sent[i].Segment
		if i < len(lines) && r.line(s, lines[i]) != lines[i] {
			ok = false
		}
		from := s.Seq - r.iss
		if s.DataLen() > 0 && string(s.Payload) != string(text(from, len(s.Payload), true)) {
			r.t.Errorf("the text of %s is not what was written", r.line(s, ""))
		}
	}
	if !ok {
		r.t.Fatalf("at %v sent\n%s, want\n%s", time.Duration(r.now), r.show(r.sent, all), all)
	}
	r.sent = r.sent[:0]
}

// after says that nothing leaves before d is over, and then exactly this.
func (r *rig) after(d time.Duration, lines ...string) {
	r.t.Helper()
	at := r.now.Add(d)
	r.advance(d - 1)
	r.want()
	r.advance(1)
	for i := range r.sent {
		if r.sent[i].at != at {
			r.t.Fatalf("%s left at %v, want %v", r.line(&r.sent[i].Segment, ""), r.sent[i].at, at)
		}
	}
	r.want(lines...)
}

// write is the user's SEND of n more bytes.
func (r *rig) write(n int, f ...SendFlags) {
	r.t.Helper()
	fl := SendFlags(0)
	for _, x := range f {
		fl |= x
	}
	k, err := r.e.Send(r.now, r.id, text(Num(r.wrote+1), n, true), fl)
	if err != 0 || k != n {
		r.t.Fatalf("Send(%d) = %d, %v", n, k, err)
	}
	r.wrote += n
	r.output()
}

// read is the user's RECEIVE of n bytes, which have to be there and right.
func (r *rig) read(n int) {
	r.t.Helper()
	p := make([]byte, n)
	k, err := r.e.Receive(r.now, r.id, p, 0)
	if err != 0 || k != n {
		r.t.Fatalf("Receive(%d) = %d, %v", n, k, err)
	}
	if string(p) != string(text(Num(r.got+1), n, false)) {
		r.t.Fatalf("bytes %d to %d are not what the peer sent", r.got, r.got+n)
	}
	r.got += n
	r.output()
}

// wantErr says what a RECEIVE answers where nothing can be read.
func (r *rig) wantErr(want Error) {
	r.t.Helper()
	if n, err := r.e.Receive(r.now, r.id, make([]byte, 1), 0); n != 0 || err != want {
		r.t.Fatalf("Receive = %d, %v, want %v", n, err, want)
	}
}

func (r *rig) status() Status {
	r.t.Helper()
	s, err := r.e.Status(r.now, r.id)
	if err != 0 {
		r.t.Fatalf("Status: %v", err)
	}
	return s
}

// state is the state of the pair of sockets; CLOSED if nothing is there.
func (r *rig) state() State {
	st := StateClosed
	for t, s := range r.e.States {
		if t == r.tup {
			st = s
		}
	}
	return st
}

func (r *rig) wantState(want State) {
	r.t.Helper()
	if got := r.state(); got != want {
		r.t.Fatalf("state is %v, want %v", got, want)
	}
}

// dropped says that a reason has been counted n times.
func (r *rig) dropped(why Reason, n uint64) {
	r.t.Helper()
	if got := r.e.counters.Drops[why]; got != n {
		r.t.Fatalf("%v counted %d times, want %d", why, got, n)
	}
}

// listen opens the listener of the rig's port.
func (r *rig) listen(o ListenOptions) {
	r.t.Helper()
	o.Port = r.tup.LocalPort
	id, err := r.e.Listen(r.now, o)
	if err != 0 {
		r.t.Fatalf("Listen: %v", err)
	}
	r.lid = id
}

// accept takes the connection out of the accept queue.
func (r *rig) accept() {
	r.t.Helper()
	id, err := r.e.Accept(r.now, r.lid)
	if err != 0 {
		r.t.Fatalf("Accept: %v", err)
	}
	r.id = id
	r.iss, r.irs = r.status().ISS, r.status().IRS
}

// open begins an active open; the SYN is left to be wanted.
func (r *rig) open(c ConnConfig) {
	r.t.Helper()
	id, err := r.e.Open(r.now, OpenOptions{Tuple: r.tup, Conn: c})
	if err != 0 {
		r.t.Fatalf("Open: %v", err)
	}
	r.id = id
	r.iss = r.status().ISS
	r.output()
}

// connect opens a connection actively; the peer's SYN,ACK has these options.
func (r *rig) connect(c ConnConfig, options string) {
	r.t.Helper()
	r.open(c)
	r.sent = r.sent[:0]
	r.in("S. 0:0(0) ack 1 " + options)
	if len(r.sent) != 1 || r.sent[0].Flags != wire.ACK {
		r.t.Fatalf("handshake: sent\n%s", r.show(r.sent, "<"))
	}
	r.sent = r.sent[:0]
	r.wantState(StateEstablished)
}

// serve opens a connection passively; the peer's SYN has these options.
func (r *rig) serve(o ListenOptions, options string) {
	r.t.Helper()
	r.listen(o)
	r.in("S 0:0(0) " + options)
	r.iss = r.sent[0].Seq
	r.sent = r.sent[:0]
	_, opts, _ := strings.Cut(options, "TS")
	if opts != "" {
		opts = "<TS" + opts
	}
	r.in(". 1:1(0) ack 1 " + opts)
	r.want()
	r.accept()
	r.wantState(StateEstablished)
}

// shutdown is the user's CLOSE of the sending direction.
func (r *rig) shutdown() {
	r.t.Helper()
	if err := r.e.Shutdown(r.now, r.id); err != 0 {
		r.t.Fatalf("Shutdown: %v", err)
	}
	r.output()
}

// close gives up the handle.
func (r *rig) close(linger time.Duration) {
	r.t.Helper()
	r.e.Close(r.now, r.id, linger)
	r.output()
}

// wantGone says that nothing of any connection is left, and no timer.
func (r *rig) wantGone() {
	r.t.Helper()
	if c := r.e.Counts(); c.Conns+c.HalfOpen+c.TimeWait+c.Orphans+c.Timers+c.Slabs != 0 || r.e.table.len() != 0 {
		r.t.Fatalf("left: %+v", c)
	}
	if at := r.e.NextDeadline(); at != Never {
		r.t.Fatalf("a timer is due at %v", time.Duration(at))
	}
}
