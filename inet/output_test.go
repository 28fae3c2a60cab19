package inet

import (
	"testing"

	"estab/internal/wire"
)

// emit sends a segment as the engine would.
func emit(s *Stack, o *sent, seg *wire.Segment) bool {
	s.emit.out = o
	defer func() { s.emit.out = nil }()
	return s.emit.Emit(seg)
}

// Shows: RFC 9293 SHLD-22, MAY-4; RFC 1122 3.2.1.5.
func TestEmit(t *testing.T) {
	s := twoLinks(t)
	for _, c := range []struct {
		local, remote string
		zone          uint32
		link          LinkID
	}{
		{"192.0.2.1:80", "192.0.2.9:1000", 0, 1},
		{"198.51.100.1:80", "8.8.8.8:1000", 0, 2},
		{"[2001:db8:1::1]:80", "[2001:db8:1::9]:1000", 0, 1},
		{"[fe80::2]:80", "[fe80::9]:1000", 2, 2},
	} {
		seg := wire.Segment{
			Tuple: wire.TupleFrom(mustAddrPort(c.local), mustAddrPort(c.remote), c.zone),
			Seq:   7, Ack: 8, Flags: wire.ACK | wire.PSH, Wnd: 9, TOS: 0xb8, ECN: 2,
			Options: wire.Options{Set: wire.OptTimestamps, TSVal: 1, TSEcr: 2},
			Payload: []byte("abc"), Rest: [][]byte{[]byte("d"), nil, []byte("efghi")},
		}
		o := sent{room: -1}
		if !emit(s, &o, &seg) || len(o.packets) != 1 || o.packets[0].link != c.link {
			t.Fatalf("%s to %s: %+v, want one packet on link %d", c.local, c.remote, o.packets, c.link)
		}
		h, got := checkPacket(t, o.packets[0].b)
		if h.TOS != 0xb8 || h.ECN != 2 || h.Src != seg.Local || h.Dst != seg.Remote {
			t.Errorf("%s to %s: header %+v", c.local, c.remote, h)
		}
		if string(got.Payload) != "abcdefghi" || got.Seq != 7 || got.Ack != 8 || got.Wnd != 9 || got.Options != seg.Options {
			t.Errorf("%s to %s: segment %+v", c.local, c.remote, got)
		}
		if h.Version == 6 && h.FlowLabel == 0 {
			t.Error("no flow label (RFC 6437 §3)")
		}
		// The same flow has the same label, and takes the way it is told.
		seg.Egress = LinkID(1).egress()
		if !emit(s, &o, &seg) || o.packets[1].link != 1 {
			t.Errorf("%s to %s: not sent on link 1, which the segment names", c.local, c.remote)
		}
		again, _ := checkPacket(t, o.packets[1].b)
		if again.FlowLabel != h.FlowLabel {
			t.Errorf("label %#x, then %#x", h.FlowLabel, again.FlowLabel)
		}
		seg.LocalPort++
		emit(s, &o, &seg)
		if other, _ := checkPacket(t, o.packets[2].b); h.Version == 6 && other.FlowLabel == h.FlowLabel {
			t.Errorf("another flow has the same label %#x", h.FlowLabel)
		}
	}
}

func TestEmitRefused(t *testing.T) {
	s := oneLink(t)
	seg := wire.Segment{Tuple: wire.TupleFrom(mustAddrPort("192.0.2.1:80"), mustAddrPort("192.0.2.9:1000"), 0), Flags: wire.ACK}
	o := sent{}
	if emit(s, &o, &seg) {
		t.Error("sent, though the link has no room")
	}
	o.room = -1
	seg.Payload = make([]byte, 1460)
	if !emit(s, &o, &seg) || len(o.packets) != 1 {
		t.Error("not sent, though it fits")
	}
	seg.Payload = make([]byte, 1461)
	if !emit(s, &o, &seg) || len(o.packets) != 1 || s.counters.OutDrops[wire.DropLinkMTU] != 1 {
		t.Error("larger than the link, and not dropped")
	}
	seg.Payload = nil
	seg.Remote = wireAddr("203.0.113.9")
	if !emit(s, &o, &seg) || len(o.packets) != 1 || s.counters.OutDrops[wire.DropNoRoute] != 1 {
		t.Error("no route, and not dropped")
	}
	seg.Egress = 99 // a link that isn't there
	if !emit(s, &o, &seg) || len(o.packets) != 1 || s.counters.OutDrops[wire.DropNoRoute] != 2 {
		t.Error("no such link and no route, and not dropped")
	}
	if s.counters.Out != 1 {
		t.Errorf("%d packets out, want 1", s.counters.Out)
	}
}

// A link that needs no transport checksums gets none.
func TestEmitUnchecked(t *testing.T) {
	s := newStack(t, 1, LinkConfig{Addrs: prefixes("192.0.2.1/24"), TxUnchecked: true})
	seg := wire.Segment{Tuple: wire.TupleFrom(mustAddrPort("192.0.2.1:80"), mustAddrPort("192.0.2.9:1000"), 0), Flags: wire.ACK}
	o := sent{room: -1}
	emit(s, &o, &seg)
	b := o.packets[0].b
	if b[36] != 0 || b[37] != 0 || naiveSum(b[:20]) != 0xffff {
		t.Errorf("TCP checksum %x, want none; IP header %x", b[36:38], b[:20])
	}
}

// discard is an Outbox that hands every slab back at once.
type discard struct{ pool *wire.Pool }

func (d *discard) Room(LinkID) bool            { return true }
func (d *discard) Send(_ LinkID, p *wire.Slab) { d.pool.Put(p) }

func TestPacketsAllocateNothing(t *testing.T) {
	s := oneLink(t)
	d := discard{s.pool}
	s.emit.out = &d
	for _, c := range []struct{ local, remote string }{{"192.0.2.1:80", "192.0.2.9:1000"}, {"[2001:db8:1::1]:80", "[2001:db8:1::9]:1000"}} {
		seg := wire.Segment{
			Tuple: wire.TupleFrom(mustAddrPort(c.local), mustAddrPort(c.remote), 0), Flags: wire.ACK,
			Options: wire.Options{Set: wire.OptTimestamps}, Payload: make([]byte, 1000), Rest: [][]byte{make([]byte, 100)},
		}
		if n := testing.AllocsPerRun(100, func() { s.emit.Emit(&seg) }); n != 0 {
			t.Errorf("Emit %s: %v allocations", c.local, n)
		}
	}
	segment := tcpPacket("192.0.2.9:1000", "192.0.2.1:80", wire.Segment{Flags: wire.RST})
	p := wire.NewSlab(len(segment))
	p.Append(segment)
	if n := testing.AllocsPerRun(100, func() { s.Steer(1, segment) }); n != 0 {
		t.Errorf("Steer: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { s.Parse(1, p, &s.parsed) }); n != 0 {
		t.Errorf("Parse: %v allocations", n)
	}
	echo := icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, nil)
	s.cfg.EchoReplies = 1e9
	if n := testing.AllocsPerRun(100, func() { s.InputBytes(1, 1, echo); s.Output(1, &d) }); n != 0 {
		t.Errorf("echo: %v allocations", n)
	}
}

func BenchmarkEmit(b *testing.B) {
	s := oneLink(b)
	d := discard{s.pool}
	s.emit.out = &d
	for _, c := range []struct{ name, local, remote string }{
		{"4", "192.0.2.1:80", "192.0.2.9:1000"}, {"6", "[2001:db8:1::1]:80", "[2001:db8:1::9]:1000"},
	} {
		seg := wire.Segment{
			Tuple: wire.TupleFrom(mustAddrPort(c.local), mustAddrPort(c.remote), 0), Flags: wire.ACK,
			Egress: LinkID(1).egress(), Options: wire.Options{Set: wire.OptTimestamps}, Payload: make([]byte, 1428),
		}
		b.Run("v"+c.name, func(b *testing.B) {
			b.SetBytes(1428)
			for b.Loop() {
				s.emit.Emit(&seg)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	s := twoLinks(b)
	ack := wire.Segment{Flags: wire.ACK, Options: wire.Options{Set: wire.OptTimestamps}}
	data := ack
	data.Payload = make([]byte, 1428)
	for _, c := range []struct {
		name, from, to string
		seg            wire.Segment
	}{
		{"v4/ack", "192.0.2.9:1000", "192.0.2.1:80", ack},
		{"v4/1500", "192.0.2.9:1000", "192.0.2.1:80", data},
		{"v6/ack", "[2001:db8:1::9]:1000", "[2001:db8:1::1]:80", ack},
	} {
		packet := tcpPacket(c.from, c.to, c.seg)
		p := wire.NewSlab(len(packet))
		p.Append(packet)
		var in Parsed
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s.Parse(1, p, &in)
			}
		})
		b.Run(c.name+"/steer", func(b *testing.B) {
			for b.Loop() {
				s.Steer(1, packet)
			}
		})
	}
}
