package tcp

import (
	"testing"
	"time"

	"estab/internal/wire"
)

// flood sends n SYNs from sources that never answer.
func flood(e *Engine, now Time, n int) {
	for i := range n {
		e.Input(now, &Segment{
			Tuple: Tuple{Local: wire.Addr4(0x0a000001), LocalPort: 80, Remote: wire.Addr4(0xc6120000 + uint32(i)), RemotePort: uint16(1024 + i%60000)},
			Seq:   Num(i), Flags: wire.SYN, Wnd: 65535,
		})
		e.Output(now, discard{})
	}
}

type discard struct{}

func (discard) Emit(*Segment) bool { return true }

// capture keeps what an engine sends.
type capture struct{ segs []Segment }

func (c *capture) Emit(s *Segment) bool {
	c.segs = append(c.segs, *s)
	return true
}

// client is an honest peer of hand-made segments.
func client(e *Engine, now Time, tuple Tuple, o Options) (synAck Segment, ok bool) {
	e.Input(now, &Segment{Tuple: tuple, Seq: 1000, Flags: wire.SYN, Wnd: 65535, Options: o})
	var out capture
	e.Output(now, &out)
	for _, s := range out.segs {
		if s.Tuple == tuple && s.Flags == wire.SYN|wire.ACK {
			return s, true
		}
	}
	return Segment{}, false
}

func floodEngine(t *testing.T, cfg Config) (*Engine, ListenerID) {
	t.Helper()
	cfg.Secret = [32]byte{1, 2, 3}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, lerr := e.Listen(0, ListenOptions{Port: 80})
	if lerr != 0 {
		t.Fatal(lerr)
	}
	return e, l
}

var honest = Tuple{Local: wire.Addr4(0x0a000001), LocalPort: 80, Remote: wire.Addr4(0x0a000002), RemotePort: 5000}

var synOptions = Options{Set: wire.OptMSS | wire.OptTimestamps | wire.OptWindowScale | wire.OptSACKPermitted,
	MSS: 1460, TSVal: 77, WindowScale: 7}

// With the table full a cookie answers, and brings back MSS, window scale and
// SACK by way of the timestamp. RFC 4987 §3.6.
func TestCookieCarriesTheOptions(t *testing.T) {
	e, l := floodEngine(t, Config{MaxHalfOpen: 64})
	now := Time(100 * time.Second)
	flood(e, now, 1000)
	if n := e.Counts().HalfOpen; n != 64 {
		t.Fatalf("%d half-open records, the limit is 64", n)
	}
	sa, ok := client(e, now, honest, synOptions)
	if !ok {
		t.Fatal("no SYN,ACK for the honest client")
	}
	now = now.Add(90 * time.Second) // within the next epoch
	ack := Segment{Tuple: honest, Seq: 1001, Ack: sa.Seq + 1, Flags: wire.ACK | wire.PSH, Wnd: 512, Payload: []byte("hi"),
		Options: Options{Set: wire.OptTimestamps, TSVal: 99, TSEcr: sa.Options.TSVal}}
	e.Input(now, &ack)
	id, err := e.Accept(now, l)
	if err != 0 {
		t.Fatalf("Accept: %v", err)
	}
	s, _ := e.Status(now, id)
	if s.State != StateEstablished || !s.SACK || !s.Timestamps || s.SndScale != 7 || s.PathMSS != 1460 || s.ReceiveQueue != 2 {
		t.Errorf("%+v", s)
	}
	if err := e.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

// A cookie that is too old, of another flow, or of another sequence number is
// answered with a RST and makes nothing; so is one that comes long after the
// table overflowed.
func TestBadCookies(t *testing.T) {
	for name, spoil := range map[string]func(*Segment, *Time){
		"good":       func(*Segment, *Time) {},
		"late":       func(_ *Segment, now *Time) { *now = now.Add(129 * time.Second) },
		"other port": func(s *Segment, _ *Time) { s.RemotePort++ },
		"other seq":  func(s *Segment, _ *Time) { s.Seq++ },
		"other ack":  func(s *Segment, _ *Time) { s.Ack += 16 },
		"bit flip":   func(s *Segment, _ *Time) { s.Ack ^= 1 << 30 },
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := floodEngine(t, Config{MaxHalfOpen: 64})
			now := Time(100 * time.Second)
			flood(e, now, 1000)
			sa, _ := client(e, now, honest, synOptions)
			ack := Segment{Tuple: honest, Seq: 1001, Ack: sa.Seq + 1, Flags: wire.ACK, Wnd: 512,
				Options: Options{Set: wire.OptTimestamps, TSVal: 99, TSEcr: sa.Options.TSVal}}
			spoil(&ack, &now)
			e.Input(now, &ack)
			var out capture
			e.Output(now, &out)
			made := e.Counts().Conns
			reset := len(out.segs) == 1 && out.segs[0].Flags == wire.RST
			if good := name == "good"; good != (made == 1) || good == reset {
				t.Errorf("%d connections, answers %v", made, out.segs)
			}
		})
	}
}

// Ten million guesses make no more connections than 28 bits let them.
func TestCookieForgery(t *testing.T) {
	n := 10_000_000
	if testing.Short() {
		n = 200_000
	}
	e, _ := floodEngine(t, Config{MaxHalfOpen: 16, Defence: Defence{}})
	now := Time(100 * time.Second)
	flood(e, now, 100)
	seg := Segment{Tuple: honest, Flags: wire.ACK, Wnd: 512}
	rnd := stream{1}
	for range n {
		r := rnd.next()
		seg.Hash, seg.RemotePort, seg.Seq, seg.Ack = 0, uint16(r>>48)|1, Num(r), Num(r>>16)
		e.Input(now, &seg)
		e.Output(now, discard{})
	}
	// The expectation is n/2^28 = 0.04; four or more has probability 1e-7.
	if made := e.Counters().CookiesAccepted; made > 3 {
		t.Errorf("%d of %d guesses were taken", made, n)
	}
	if e.Counters().CookiesRejected == 0 {
		t.Error("no guess was even looked at")
	}
}

// Each defence alone: what it does when the table is full, and when one source
// goes over its limit.
func TestDefencesAlone(t *testing.T) {
	none := Defence{NoCookies: true, NoEviction: true, NoPressure: true, NoSources: true}
	for name, c := range map[string]struct {
		d                  Defence
		served             bool // an honest SYN during the flood gets a SYN,ACK
		cookies, evictions bool
		left               int // records after 4 s
	}{
		"none":     {none, false, false, false, 64},
		"cookies":  {Defence{NoEviction: true, NoPressure: true, NoSources: true}, true, true, false, 64},
		"eviction": {Defence{NoCookies: true, NoPressure: true, NoSources: true}, true, false, true, 64},
		"pressure": {Defence{NoCookies: true, NoEviction: true, NoSources: true}, false, false, false, 48},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := floodEngine(t, Config{MaxHalfOpen: 64, Defence: c.d})
			now := Time(100 * time.Second)
			flood(e, now, 1000)
			if _, ok := client(e, now, honest, synOptions); ok != c.served {
				t.Errorf("served: %v", ok)
			}
			k := e.Counters()
			if (k.CookiesSent > 0) != c.cookies || (k.HalfOpenEvictions > 0) != c.evictions {
				t.Errorf("%d cookies, %d evictions", k.CookiesSent, k.HalfOpenEvictions)
			}
			for end := now.Add(4 * time.Second); e.NextDeadline() <= end; {
				e.Advance(e.NextDeadline())
			}
			if n := e.Counts().HalfOpen; n != c.left {
				t.Errorf("%d records are left, want %d", n, c.left)
			}
			if err := e.CheckInvariants(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A source over its limit gets a cookie; with DropSources nothing. A source
// that completed a handshake within the last minute is exempt.
func TestSourceLimit(t *testing.T) {
	for _, drop := range []bool{false, true} {
		e, _ := floodEngine(t, Config{Defence: Defence{SourceHalfOpen: 4, DropSources: drop}})
		now := Time(100 * time.Second)
		answered := 0
		tuple := honest
		for i := range 10 {
			tuple.RemotePort = uint16(6000 + i)
			if _, ok := client(e, now, tuple, synOptions); ok {
				answered++
			}
		}
		if e.Counts().HalfOpen != 4 || drop && answered != 4 || !drop && answered != 10 {
			t.Errorf("drop %v: %d records, %d answers", drop, e.Counts().HalfOpen, answered)
		}
		other := honest
		other.Remote = wire.Addr4(0x0a000003)
		sa, ok := client(e, now, other, synOptions)
		if !ok {
			t.Fatal("another source is refused")
		}
		e.Input(now, &Segment{Tuple: other, Seq: 1001, Ack: sa.Seq + 1, Flags: wire.ACK, Wnd: 512,
			Options: Options{Set: wire.OptTimestamps, TSVal: 99, TSEcr: sa.Options.TSVal}})
		before := e.Counters().SourceLimited
		for i := range 10 {
			other.RemotePort = uint16(7000 + i)
			client(e, now, other, synOptions)
		}
		if n := e.Counters().SourceLimited - before; n != 0 {
			t.Errorf("a verified source was limited %d times", n)
		}
	}
}

// A rotation of keys keeps cookies of the last key good, and no older ones.
func TestCookieRotation(t *testing.T) {
	for rotations, good := range []bool{true, true, false} {
		e, _ := floodEngine(t, Config{MaxHalfOpen: 16})
		now := Time(100 * time.Second)
		flood(e, now, 100)
		sa, _ := client(e, now, honest, synOptions)
		for i := range rotations {
			e.RotateCookies([32]byte{9, byte(i)})
		}
		e.Input(now, &Segment{Tuple: honest, Seq: 1001, Ack: sa.Seq + 1, Flags: wire.ACK, Wnd: 512,
			Options: Options{Set: wire.OptTimestamps, TSVal: 99, TSEcr: sa.Options.TSVal}})
		if got := e.Counts().Conns == 1; got != good {
			t.Errorf("after %d rotations: taken %v", rotations, got)
		}
	}
}
