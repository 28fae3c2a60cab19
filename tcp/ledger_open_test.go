package tcp

import (
	"testing"
	"time"

	"estab/internal/wire"
)

// The tests of ledger_*_test.go show requirements of RFCs for which no test of
// their own stands elsewhere (docs/ledger.md). Each is one conversation.

// A connection that came to SYN-RECEIVED by an active OPEN remembers it: a RST
// ends it, and does not return it to LISTEN, although somebody listens there.
// Shows: RFC 9293 MUST-11.
func TestShowsResetAfterSimultaneousOpen(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{}) // a bystander
	r.open(ConnConfig{})
	r.want("S 0:0(0) <mss 1460>")
	r.in("S 0:0(0) <mss 1000>")
	r.want("S. 0:0(0) ack 1")
	r.in("R 1:1(0)")
	r.wantState(StateClosed)
	r.wantErr(ErrRefused)
}

// A passive OPEN that is reset in SYN-RECEIVED returns to LISTEN: the next SYN
// finds it, and its user has heard of nothing.
// Shows: RFC 9293 MUST-11.
func TestShowsResetReturnsToListen(t *testing.T) {
	r := newRig(t, plain())
	r.listen(ListenOptions{})
	r.in("S 0:0(0) <mss 1000>")
	r.sent = r.sent[:0]
	r.in("R 1:1(0)")
	r.wantState(StateClosed)
	if _, err := r.e.Accept(r.now, r.lid); err != ErrNotConnected {
		t.Errorf("Accept: %v, want nothing to accept", err)
	}
	r.irs += 1000
	r.in("S 0:0(0) <mss 1000>")
	r.iss = r.sent[0].Seq
	r.want("S. 0:0(0) ack 1")
}

// Every SYN and SYN,ACK says our MSS: the MTU less 20 and the IP header. No
// other segment does.
// Shows: RFC 9293 MUST-14, MUST-65, MUST-67, SHLD-5, MAY-3; RFC 1122 3.4.
func TestShowsOwnMSS(t *testing.T) {
	for _, c := range []struct {
		tup  Tuple
		mtu  int
		want string
	}{
		{testTuple4, 1500, "<mss 1460>"}, {testTuple6, 1500, "<mss 1440>"},
		{testTuple4, 576, "<mss 536>"}, {testTuple6, 1280, "<mss 1220>"}, // the defaults, said all the same
		{testTuple4, 65535, "<mss 65495>"},
	} {
		cfg := plain()
		cfg.Paths = ledgerMTU(c.mtu)
		r := newRig(t, cfg)
		r.tup = c.tup
		r.open(ConnConfig{})
		r.want("S 0:0(0) " + c.want)
		r.in("S. 0:0(0) ack 1 <mss 1000>")
		r.want(". 1:1(0) ack 1 <>")
		r.write(10)
		r.want("P. 1:11(10) ack 1 <>")
		r.e.Abort(r.now, r.id)
		r.output()
		r.sent = r.sent[:0]

		r.listen(ListenOptions{})
		r.irs += 1 << 20
		r.in("S 0:0(0)")
		r.iss = r.sent[0].Seq
		r.want("S. 0:0(0) ack 1 " + c.want)
	}
}

type ledgerMTU int

func (m ledgerMTU) Path(*Tuple) (Path, Error) { return Path{MTU: int(m)}, 0 }

// Segments keep to the smallest of what the peer's MSS says, what the path
// takes and what options leave. A peer that says nothing takes 536 bytes, over
// IPv6 1220.
// Shows: RFC 9293 MUST-15, MUST-16, SHLD-28.
func TestShowsEffectiveMSS(t *testing.T) {
	for _, c := range []struct {
		name    string
		tup     Tuple
		mtu     int
		options string
		want    int
	}{
		{"the peer's", testTuple4, 1500, "<mss 1000>", 1000},
		{"the path's", testTuple4, 900, "<mss 1460>", 860},
		{"none over IPv4", testTuple4, 1500, "", 536},
		{"none over IPv6", testTuple6, 1500, "", 1220},
		{"less the timestamps", testTuple4, 1500, "<mss 1000,TS val 1 ecr 0>", 988},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{NoSACK: true, NoWindowScaling: true, Paths: ledgerMTU(c.mtu)})
			r.tup = c.tup
			r.connect(ConnConfig{}, c.options)
			r.write(3000)
			if n := r.sent[0].DataLen(); n != c.want {
				t.Errorf("the first segment has %d bytes, want %d", n, c.want)
			}
			r.sent = r.sent[:0]
		})
	}
}

// LISTEN while a connection on the same local port opens, actively or
// passively: it is no obstacle, and the connection goes on as it was. A second
// LISTEN on the same socket is an error and changes nothing.
// Shows: RFC 9293 MUST-41, MUST-42.
func TestShowsListenBesideOpening(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	r.listen(ListenOptions{}) // in SYN-SENT
	r.wantState(StateSynSent)
	r.in("S. 0:0(0) ack 1 <mss 1000>")
	r.want(". 1:1(0) ack 1")
	r.wantState(StateEstablished)

	other := r.tup
	other.RemotePort++
	r.e.Input(r.now, &Segment{Tuple: other, Seq: 7, Flags: wire.SYN, Wnd: 1000})
	r.output()
	r.sent = r.sent[:0] // its SYN,ACK
	if n := r.e.Counts().HalfOpen; n != 1 {
		t.Fatalf("%d half-open, want 1", n)
	}
	if _, err := r.e.Listen(r.now, ListenOptions{Port: r.tup.LocalPort}); err != ErrInUse {
		t.Errorf("a second LISTEN: %v, want %v", err, ErrInUse)
	}
	special := ListenOptions{Addr: r.tup.Local, Port: r.tup.LocalPort}
	if _, err := r.e.Listen(r.now, special); err != 0 { // in SYN-RECEIVED
		t.Errorf("LISTEN at one address beside it: %v", err)
	}
	if n := r.e.Counts(); n.HalfOpen != 1 || n.Conns != 1 || n.Listeners != 2 {
		t.Errorf("%+v", n)
	}
}

// A listener at one local address hears only what comes there; one without an
// address hears everything, and the connection keeps the address that was used.
// Shows: RFC 9293 MUST-43, MUST-45.
func TestShowsListenAtOneAddress(t *testing.T) {
	r := newRig(t, plain())
	elsewhere := wire.AddrFrom4([]byte{192, 0, 2, 9})
	r.listen(ListenOptions{Addr: elsewhere})
	r.in("S 0:0(0)")
	if len(r.sent) != 1 || !r.sent[0].Flags.Has(wire.RST) {
		t.Fatalf("sent\n%s, want a RST", r.show(r.sent, ""))
	}
	r.sent = r.sent[:0]
	r.e.Unlisten(r.now, r.lid)
	r.tup.Local = elsewhere
	r.serve(ListenOptions{Addr: Any4}, "<mss 1000>")
	r.write(10)
	if r.sent[0].Local != elsewhere {
		t.Errorf("sent from %v", r.sent[0].Local)
	}
	r.want("P. 1:11(10) ack 1")
	r.advance(time.Second)
	for _, s := range r.sent { // repeats
		if s.Local != elsewhere {
			t.Errorf("repeated from %v", s.Local)
		}
	}
	r.sent = r.sent[:0]
}

// OPEN refuses what can't be a peer; what the layer below says of an address
// comes back as it is.
// Shows: RFC 9293 MUST-46.
func TestShowsOpenRefusesAddresses(t *testing.T) {
	cfg := plain()
	cfg.Paths = ledgerPaths{}
	r := newRig(t, cfg)
	for _, c := range []struct {
		remote wire.Addr
		want   Error
	}{
		{wire.AddrFrom4([]byte{0, 0, 0, 0}), ErrInvalid},
		{wire.Addr{}, ErrInvalid},
		{testTuple6.Remote, ErrInvalid}, // from an IPv4 address
		{wire.AddrFrom4([]byte{224, 0, 0, 1}), ErrNetUnreachable},
	} {
		tup := r.tup
		tup.Remote = c.remote
		if _, err := r.e.Open(r.now, OpenOptions{Tuple: tup}); err != c.want {
			t.Errorf("OPEN to %v: %v, want %v", c.remote, err, c.want)
		}
	}
	if n := r.e.Counts().Conns; n != 0 {
		t.Errorf("%d TCBs", n)
	}
}

// ledgerPaths is a layer below that knows no way to a multicast address, as
// inet is.
type ledgerPaths struct{}

func (ledgerPaths) Path(t *Tuple) (Path, Error) {
	if t.Remote.Netip().IsMulticast() {
		return Path{}, ErrNetUnreachable
	}
	return Path{MTU: 1500}, 0
}

// The SYN offers everything, even a window that needs no shift; its TSecr is 0,
// since it acknowledges nothing. The SYN,ACK answers what the SYN offered, and
// nothing else.
// Shows: RFC 7323 2.2a, 2.3a, 3.2a, 3.2c; RFC 2018 2.
func TestShowsOptionsOfSyns(t *testing.T) {
	r := newRig(t, Config{})
	r.open(ConnConfig{ReceiveBuffer: 20000})
	ms := int(r.e.tsClock())
	r.want("S 0:0(0) <mss 1460,sackOK,TS val " + itoa(ms) + " ecr 0,wscale 0>")
	for _, c := range []struct{ syn, answer string }{
		{"<mss 1000>", "<mss 1460>"},
		{"<mss 1000,sackOK>", "<mss 1460,sackOK>"},
		{"<mss 1000,wscale 3>", "<mss 1460,wscale 0>"},
		{"<mss 1000,TS val 77 ecr 99>", "<mss 1460,TS val " + itoa(ms) + " ecr 77>"},
		{"<mss 1000,sackOK,TS val 77 ecr 0,wscale 3>", "<mss 1460,sackOK,TS val " + itoa(ms) + " ecr 77,wscale 0>"},
	} {
		r := newRig(t, Config{})
		r.listen(ListenOptions{Conn: ConnConfig{ReceiveBuffer: 20000}})
		r.in("S 0:0(0) " + c.syn)
		r.iss = r.sent[0].Seq
		r.want("S. 0:0(0) ack 1 " + c.answer)
	}
}

// A RST in SYN-SENT counts only if it acknowledges our SYN.
// Shows: RFC 5961 3.2d.
func TestShowsResetInSynSent(t *testing.T) {
	r := newRig(t, plain())
	r.open(ConnConfig{})
	r.want("S 0:0(0)")
	for _, line := range []string{"R 0:0(0)", "R 1:1(0)", "R. 0:0(0) ack 0", "R. 0:0(0) ack 2"} {
		r.in(line)
		r.wantState(StateSynSent)
	}
	r.in("R. 0:0(0) ack 1")
	r.wantState(StateClosed)
	r.wantErr(ErrRefused)
}

// The RTT of the handshake grows no window: after it cwnd is the initial
// window, whoever opened.
// Shows: RFC 5681 3.1c.
func TestShowsHandshakeOpensNoWindow(t *testing.T) {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	if w := r.status().Cwnd; w != 10000 {
		t.Errorf("active: cwnd %d, want 10000", w)
	}
	r = newRig(t, plain())
	r.serve(ListenOptions{}, "<mss 1000>")
	if w := r.status().Cwnd; w != 10000 {
		t.Errorf("passive: cwnd %d, want 10000", w)
	}
}

// A different secret gives unrelated numbers; all 256 bits of it count.
// Shows: RFC 9293 MUST-9; RFC 6528 3c.
func TestShowsEveryBitOfTheSecretCounts(t *testing.T) {
	base := newRig(t, plain())
	want := base.e.iss(&base.tup)
	seen := map[Num]bool{want: true}
	for bit := range 256 {
		cfg := plain()
		cfg.Secret = testSecret
		cfg.Secret[bit/8] ^= 1 << (bit % 8)
		e, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if n := e.iss(&base.tup); seen[n] {
			t.Errorf("bit %d: ISS %d again", bit, n)
		} else {
			seen[n] = true
		}
	}
}
