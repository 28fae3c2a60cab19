package inet

import (
	"bytes"
	"testing"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

func TestEchoReply(t *testing.T) {
	for _, c := range []struct {
		src, dst       string
		request, reply uint8
	}{{"192.0.2.9", "192.0.2.1", 8, 0}, {"2001:db8:1::9", "2001:db8:1::1", 128, 129}, {"fe80::9", "fe80::1", 128, 129}} {
		for _, n := range []int{0, 1, 56, 1400} {
			s := oneLink(t)
			request := icmpPacket(c.src, c.dst, c.request, 0, 0x12340001, bytes.Repeat([]byte{7}, n))
			p := s.pool.Get(len(request))
			p.Append(request)
			s.Input(1, 1, p)
			if !s.Pending() {
				t.Fatalf("%s, %d bytes: nothing pending: %s", c.dst, n, drops(s))
			}
			got := output(s, 1)
			if len(got) != 1 || got[0].link != 1 || s.Pending() || s.pool.Out != 0 {
				t.Fatalf("%s, %d bytes: %d replies, pending %v, %d slabs out", c.dst, n, len(got), s.Pending(), s.pool.Out)
			}
			h, _ := checkPacket(t, got[0].b)
			if h.Src != wireAddr(c.dst) || h.Dst != wireAddr(c.src) || h.TOS != 0x20 {
				t.Errorf("%s: reply %+v", c.dst, h)
			}
			message, asked := got[0].b[h.HeaderLen:], request[h.HeaderLen:]
			if message[0] != c.reply || message[1] != 0 || !bytes.Equal(message[4:], asked[4:]) {
				t.Errorf("%s: replied %x to %x", c.dst, message, asked)
			}
		}
	}
}

// IPv4 options and IPv6 extension headers of a request are not returned.
func TestEchoReplyDropsOptions(t *testing.T) {
	s := oneLink(t)
	plain := icmpPacket("2001:db8:1::9", "2001:db8:1::1", 128, 0, 1, []byte("abc"))
	extended := packetOf("2001:db8:1::9", "2001:db8:1::1", wire.ProtoDestOptions, append([]byte{wire.ProtoICMPv6, 0, 1, 4, 0, 0, 0, 0}, plain[40:]...))
	s.InputBytes(1, 1, extended)
	got := output(s, 1)
	if len(got) != 1 || len(got[0].b) != len(plain) {
		t.Fatalf("%d replies; %s", len(got), drops(s))
	}
	checkPacket(t, got[0].b)
}

// 1,000 a second, 100 at once: neither one more nor one less.
func TestEchoLimit(t *testing.T) {
	s := oneLink(t)
	request := icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, nil)
	answered := func(now tcp.Time, n int) (replies int) {
		for range n {
			s.InputBytes(now, 1, request)
			replies += len(output(s, now))
		}
		checkCounters(t, s)
		return replies
	}
	now := tcp.Time(time.Hour)
	if got := answered(now, 300); got != 100 {
		t.Errorf("at once: %d, want 100", got)
	}
	if got := answered(now.Add(time.Millisecond-1), 10); got != 0 {
		t.Errorf("just before the next is due: %d, want 0", got)
	}
	if got := answered(now.Add(time.Millisecond), 10); got != 1 {
		t.Errorf("when the next is due: %d, want 1", got)
	}
	if got := answered(now.Add(time.Second), 300); got != 100 {
		t.Errorf("a second later: %d, want 100", got)
	}
	if got := s.counters.Drops[wire.DropEchoLimit]; got != 200+10+9+200 {
		t.Errorf("%d dropped over the limit, want 419", got)
	}
	s = oneLink(t)
	s.cfg.EchoReplies = -1
	if got := answered(now, 3); got != 0 {
		t.Errorf("switched off: %d replies", got)
	}
}

// Replies wait for room on the link, but not without end.
func TestEchoQueue(t *testing.T) {
	s := oneLink(t)
	request := icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, nil)
	for range 70 {
		s.InputBytes(1, 1, request)
	}
	if got := s.counters.Drops[wire.DropReplyQueue]; got != 6 {
		t.Errorf("%d dropped, want 6", got)
	}
	o := sent{room: 10}
	s.Output(1, &o)
	if len(o.packets) != 10 || s.Pending() {
		t.Errorf("%d sent, pending %v; want 10, false", len(o.packets), s.Pending())
	}
	if s.Writable(); !s.Pending() {
		t.Error("nothing pending, though the link has room again")
	}
	o = sent{room: -1}
	s.Output(1, &o)
	if len(o.packets) != 54 || s.Pending() {
		t.Errorf("then %d sent, pending %v; want 54, false", len(o.packets), s.Pending())
	}
	checkCounters(t, s)
}

// A reply is not larger than the link, whatever the request was.
func TestEchoReplyTooLarge(t *testing.T) {
	s := oneLink(t)
	s.InputBytes(1, 1, icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, make([]byte, 1472)))
	s.InputBytes(1, 1, icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, make([]byte, 1473)))
	if got := output(s, 1); len(got) != 1 || len(got[0].b) != 1500 || s.counters.OutDrops[wire.DropLinkMTU] != 1 {
		t.Errorf("%d replies, %d too large; want 1 of 1500 bytes, and 1", len(got), s.counters.OutDrops[wire.DropLinkMTU])
	}
}

// A request from a place that there is no way to is not answered.
func TestEchoReplyNoRoute(t *testing.T) {
	s := oneLink(t)
	s.InputBytes(1, 1, icmpPacket("203.0.113.9", "192.0.2.1", 8, 0, 1, nil))
	if got := output(s, 1); len(got) != 0 || s.counters.OutDrops[wire.DropNoRoute] != 1 || s.Pending() {
		t.Errorf("%d replies, %d without a route", len(got), s.counters.OutDrops[wire.DropNoRoute])
	}
}

func TestPathMTUOf(t *testing.T) {
	v4, v6 := wireAddr("192.0.2.1"), wireAddr("2001:db8::1")
	for _, c := range []struct {
		src           wire.Addr
		mtu, totalLen int
		want          int
	}{
		{v4, 1400, 1500, 1400},
		{v4, 577, 1500, 577},
		{v4, 576, 1500, 576},
		{v4, 575, 1500, 576},
		{v4, 1, 1500, 576},
		{v4, 0, 65535, 32000},
		{v4, 0, 1500, 1492},
		{v4, 0, 1493, 1492},
		{v4, 0, 1492, 1006},
		{v4, 0, 1006, 576},
		{v4, 0, 576, 576},
		{v4, 0, 40, 576},
		{v6, 1400, 1500, 1400},
		{v6, 1280, 1500, 1280},
		{v6, 1279, 1500, 0},
		{v6, 0, 1500, 0},
	} {
		m := wire.ICMP{MTU: c.mtu, Quote: wire.Quote{Src: c.src, TotalLen: c.totalLen}}
		if got := pathMTU(&m); got != c.want {
			t.Errorf("%v, MTU %d, quoted length %d: %d, want %d", c.src, c.mtu, c.totalLen, got, c.want)
		}
	}
}
