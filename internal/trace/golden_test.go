package trace

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"estab/internal/seq"
	"estab/internal/wire"
	"estab/tcp"
)

func flow() tcp.Tuple {
	return wire.TupleFrom(netip.MustParseAddrPort("10.0.0.1:32768"), netip.MustParseAddrPort("10.0.0.2:80"), 0)
}

// samples are events of every kind, with every field set somewhere.
func samples() []tcp.Event {
	f6 := wire.TupleFrom(netip.MustParseAddrPort("[fe80::1]:1"), netip.MustParseAddrPort("[fe80::2]:65535"), 3)
	synAck := tcp.SegHeader{
		Seq: 2993482931, Ack: 1146377411, Flags: wire.SYN | wire.ACK, Wnd: 65535,
		Options: wire.Options{
			Set: wire.OptMSS | wire.OptWindowScale | wire.OptSACKPermitted | wire.OptTimestamps,
			MSS: 1460, WindowScale: 7, TSVal: 17, TSEcr: 4294967295,
		},
	}
	sack := tcp.SegHeader{Seq: 1, Ack: 2, Flags: wire.ACK, Wnd: 512, Options: wire.Options{
		Set: wire.OptSACK, NSACK: 2, SACK: [4]wire.SACKBlock{{Left: 10, Right: 20}, {Left: 4294967290, Right: 5}},
	}}
	return []tcp.Event{
		{Time: 20e6, Tuple: flow(), Kind: tcp.EventState, Conn: 1, To: tcp.StateEstablished, From: tcp.StateSynSent, HasSeg: true, Seg: synAck},
		{Time: 21e6, Tuple: flow(), Kind: tcp.EventIn, Conn: 1, HasSeg: true, Seg: sack},
		{Time: 1, Tuple: f6, Kind: tcp.EventOut, HasSeg: true, Retransmit: true, Seg: tcp.SegHeader{Seq: 5, Flags: wire.FIN | wire.PSH | wire.URG | wire.ECE | wire.CWR | wire.AE, Up: 9, Len: 1448}},
		{Time: -1, Tuple: f6, Kind: tcp.EventDrop, Reason: wire.DropPAWS, HasSeg: true, Passive: true},
		{Time: 3e9, Tuple: flow(), Kind: tcp.EventTimer, Timer: tcp.TimerTimeWait, Count: 1, From: tcp.StateTimeWait, To: tcp.StateTimeWait},
		{Time: 3e9, Tuple: flow(), Kind: tcp.EventCwnd, Why: tcp.WhyFastRecovery, Cwnd: 14480, Ssthresh: 4294967295},
		{Time: 3e9, Tuple: flow(), Kind: tcp.EventBlocked, Why: tcp.WhyZeroWindow},
		{Time: 3e9, Kind: tcp.EventRTT, Value: -20123456},
		{Time: 9e18, Tuple: flow(), Kind: tcp.EventClosed, Err: tcp.ErrReset, From: tcp.StateClosed, To: tcp.StateSynReceived},
		{Kind: 3, Reason: 255, Timer: tcp.NumTimers, Why: 200, Err: 199, From: 77, HasSeg: true, Seg: tcp.SegHeader{Flags: 0xffff}},
	}
}

func TestGoldenFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Events of every kind in the canonical form.\n\n")
	for _, e := range samples() {
		b.WriteString(FormatEvent(e) + "\n")
	}
	golden(t, "events.golden", b.String())
	back, err := ParseEvents(b.String())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range samples() {
		if e != back[i] {
			t.Errorf("%s\ncomes back as\n%s", FormatEvent(e), FormatEvent(back[i]))
		}
	}
}

func TestParseEventRefuses(t *testing.T) {
	good := FormatEvent(samples()[0])
	for _, c := range []struct{ line, want string }{
		{"", "want a time"},
		{"1 state 1.1.1.1:1-1.1.1.1:1", "nine digits"},
		{"0.000000000 stat 1.1.1.1:1-1.1.1.1:1", `unknown name "stat"`},
		{"0.000000000 state 1.1.1.1:1", "not an ip:port"},
		{"0.000000000 state [fe80::1%eth0]:1-[fe80::2]:1", "zone=number"},
		{good + " conn=2", "twice"},
		{good + " passive=1", "no value"},
		{good + " mood=bad", `unknown word "mood"`},
		{good + " why=", "empty"},
		{good + " why=because", `unknown name "because"`},
		{good + " reason=#256", "unknown name"},
		{good + " urg=65536", "range"},
		{strings.Replace(good, "seg=S.", "seg=S!", 1), "unknown flag"},
		{strings.Replace(good, "seg=S.", "seg=", 1), "without flags"},
		{strings.Replace(good, "seg=S. ", "", 1), "without seg="},
		{good + " sack=1:2,3:4,5:6,7:8,9:10", "more than 4"},
		{good + " sack=1:", "invalid syntax"},
	} {
		_, err := ParseEvent(c.line)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseEvent(%q): %v, want …%s…", c.line, err, c.want)
		}
	}
	if _, err := ParseEvents("\n# fine\nbad\n"); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("ParseEvents: %v, want line 3", err)
	}
}

// randomEvent fills every field with what b holds, or zero where it ends.
func randomEvent(b []byte) tcp.Event {
	next := func() uint64 {
		var w [8]byte
		n := copy(w[:], b)
		b = b[n:]
		return binary.LittleEndian.Uint64(w[:])
	}
	v := next()
	e := tcp.Event{
		Time: tcp.Time(next()), Kind: tcp.EventKind(v), Conn: tcp.ConnID(next()), From: tcp.State(v >> 16), To: tcp.State(v >> 24),
		Reason: wire.Reason(v >> 32), Timer: tcp.TimerKind(v >> 40), Why: tcp.Why(v >> 48), Err: tcp.Error(v >> 56),
		Passive: v&1 != 0, Retransmit: v&2 != 0, HasSeg: v&4 != 0, Value: int64(next()), Count: uint32(next()),
	}
	v = next()
	e.Cwnd, e.Ssthresh = uint32(v), uint32(v>>32)
	e.Local, e.Remote = wire.Addr{Hi: next(), Lo: next()}, wire.Addr4(uint32(v))
	e.LocalPort, e.RemotePort, e.Zone = uint16(v), uint16(v>>16), uint32(v>>24)
	s := &e.Seg
	v = next()
	s.Seq, s.Ack, s.Flags = seq.Num(v), seq.Num(v>>32), wire.Flags(next())
	v = next()
	s.Wnd, s.Up, s.Len = uint16(v), uint16(v>>16), uint32(v>>32)
	o := &s.Options
	v = next()
	o.Set, o.WindowScale, o.NSACK, o.MSS, o.TSVal = wire.OptionSet(v), uint8(v>>8), uint8(v>>16), uint16(v>>24), uint32(v>>32)
	for i := range o.SACK {
		v = next()
		o.TSEcr ^= uint32(v)
		o.SACK[i] = wire.SACKBlock{Left: seq.Num(v), Right: seq.Num(v >> 32)}
	}
	return Canonical(e)
}

// Every event comes back from its line.
func TestGoldenRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 256)
	for range 5000 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		e := randomEvent(b)
		line := FormatEvent(e)
		if back, err := ParseEvent(line); err != nil || back != e {
			t.Fatalf("%s\ncomes back as\n%s, %v", line, FormatEvent(back), err)
		}
	}
}

// FuzzParseEvent: no line crashes the parser, and what it accepts has one
// canonical line.
func FuzzParseEvent(f *testing.F) {
	for _, e := range samples() {
		f.Add(FormatEvent(e))
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ParseEvent(line)
		if err != nil {
			return
		}
		canonical := FormatEvent(e)
		back, err := ParseEvent(canonical)
		if err != nil || back != Canonical(e) {
			t.Fatalf("%q: %q comes back as %q, %v", line, canonical, FormatEvent(back), err)
		}
	})
}

func TestEveryReasonHasASentence(t *testing.T) {
	seen := map[string]string{}
	check := func(name, text string) {
		if text == name || text == "" || len(text) > 76 || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", name, text)
		}
		if other, ok := seen[text]; ok && name != other {
			t.Errorf("%s and %s have the same text %q", name, other, text)
		}
		seen[text] = name
	}
	for r := wire.Accepted; r < wire.NumReasons; r++ {
		check(r.String(), ReasonText(r))
	}
	for w := tcp.WhyNone; w.String() != "why?"; w++ {
		check(w.String(), WhyText(w))
	}
	clear(seen) // a timer may say what a reason says
	for k := tcp.TimerKind(0); k <= tcp.TimerSynAck; k++ {
		if k != tcp.NumTimers {
			check(k.String(), TimerText(k))
		}
	}
}
