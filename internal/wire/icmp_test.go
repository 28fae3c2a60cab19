package wire

import (
	"bytes"
	"testing"
)

// quote4 and quote6 are packets as their sender sent them: 192.0.2.1:1000 to
// 198.51.100.2:2000, and the like for IPv6.
func quote4() []byte {
	return packet4(nil, segment(nil, []byte("a text that nobody quotes")), nil)
}

func quote6() []byte {
	tcp := segment(nil, []byte("a text that nobody quotes"))
	b := append(make([]byte, 40), tcp...)
	putIP6(b, &IPHeader{Src: addr("2001:db8::1"), Dst: addr("2001:db8::2"), Proto: ProtoTCP, TTL: 1, TotalLen: len(b)})
	return b
}

func TestParseICMPErrors(t *testing.T) {
	const (
		net, host, port = ICMPNetUnreachable, ICMPHostUnreachable, ICMPPortUnreachable
		big, param      = ICMPPacketTooBig, ICMPParameterProblem
	)
	for _, c := range []struct {
		version, typ uint8
		kinds        []ICMPKind // by code
	}{
		{4, 3, []ICMPKind{net, host, port, port, big, host, net, host, host, net, host, net, host, host, host, host}},
		{4, 11, []ICMPKind{host, host}},
		{4, 12, []ICMPKind{param, param, param}},
		{6, 1, []ICMPKind{net, host, host, host, port, net, net}},
		{6, 2, []ICMPKind{big}},
		{6, 3, []ICMPKind{host, host}},
		{6, 4, []ICMPKind{param, param, param}},
	} {
		for code, want := range c.kinds {
			h := IPHeader{Version: 4, Src: addr("203.0.113.9"), Dst: addr("192.0.2.1")}
			full := quote4()
			if c.version == 6 {
				h = IPHeader{Version: 6, Src: addr("2001:db8::9"), Dst: addr("2001:db8::1")}
				full = quote6()
			}
			b := make([]byte, 200)
			b = b[:PutICMPError(b, h.Src, h.Dst, c.typ, uint8(code), 1300, full[:len(full)-37])]
			var m ICMP
			if r := ParseICMP(&h, b, false, &m); r != Accepted {
				t.Errorf("IPv%d type %d code %d: %v", c.version, c.typ, code, r)
				continue
			}
			if m.Kind != want || !m.Kind.IsError() || m.Type != c.typ || m.Code != uint8(code) {
				t.Errorf("IPv%d type %d code %d: kind %d (type %d code %d), want kind %d", c.version, c.typ, code, m.Kind, m.Type, m.Code, want)
			}
			if (m.Kind == big) != (m.MTU == 1300) {
				t.Errorf("IPv%d type %d code %d: MTU %d", c.version, c.typ, code, m.MTU)
			}
			q := Quote{
				Src: h.Dst, Dst: addr("198.51.100.2"), Proto: ProtoTCP, TotalLen: len(full),
				SrcPort: 1000, DstPort: 2000, Seq: 0x80000001,
			}
			if c.version == 6 {
				q.Dst = addr("2001:db8::2")
			}
			if m.Quote != q {
				t.Errorf("IPv%d type %d code %d: quote %+v, want %+v", c.version, c.typ, code, m.Quote, q)
			}
		}
	}
}

// Shows: RFC 9293 MUST-55.
func TestParseICMPRefuses(t *testing.T) {
	h4 := IPHeader{Version: 4, Src: addr("203.0.113.9"), Dst: addr("192.0.2.1")}
	h6 := IPHeader{Version: 6, Src: addr("2001:db8::9"), Dst: addr("2001:db8::1")}
	set := func(b []byte, i int, v ...byte) []byte {
		b = append([]byte(nil), b...)
		copy(b[i:], v)
		return b
	}
	q4, q6 := quote4(), quote6()
	for _, c := range []struct {
		name  string
		h     IPHeader
		typ   uint8
		quote []byte
		want  Reason
	}{
		{"source quench (RFC 6633)", h4, 4, q4, DropICMPHeader},
		{"redirect", h4, 5, q4, DropICMPHeader},
		{"neighbour solicitation", h6, 135, nil, DropICMPHeader},
		{"ICMPv6's echo in IPv4", h4, 128, nil, DropICMPHeader},
		{"ICMP's echo in IPv6", h6, 8, nil, DropICMPHeader},
		{"no quote", h4, 3, nil, DropICMPQuote},
		{"one byte of a quote", h4, 3, q4[:1], DropICMPQuote},
		{"header alone", h4, 3, q4[:20], DropICMPQuote},
		{"one byte short of 8", h4, 3, q4[:27], DropICMPQuote},
		{"8 bytes", h4, 3, q4[:28], Accepted},
		{"8 bytes behind options", h4, 3, packet4([]byte{148, 4, 0, 0}, segment(nil, nil), nil)[:32], Accepted},
		{"one byte short of 8 behind options", h4, 3, packet4([]byte{148, 4, 0, 0}, segment(nil, nil), nil)[:31], DropICMPQuote},
		{"header length 16", h4, 3, set(q4, 0, 0x44), DropICMPQuote},
		{"an IPv6 packet in ICMP", h4, 3, q6, DropICMPQuote},
		{"an IPv4 packet in ICMPv6", h6, 1, q4, DropICMPQuote},
		{"first fragment", h4, 3, set(q4, 6, 0x20, 0), Accepted},
		{"later fragment", h4, 3, set(q4, 6, 0, 1), DropICMPQuote},
		{"wrong header checksum", h4, 3, set(q4, 10, 1, 2), Accepted},
		{"IPv6, one byte short of 8", h6, 1, q6[:47], DropICMPQuote},
		{"IPv6, 8 bytes", h6, 1, q6[:48], Accepted},
		{"IPv6, mapped source", h6, 1, set(q6, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), DropICMPQuote},
	} {
		b := make([]byte, 200)
		b = b[:PutICMPError(b, c.h.Src, c.h.Dst, c.typ, 1, 0, c.quote)]
		var m ICMP
		if got := ParseICMP(&c.h, b, false, &m); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		b[2] ^= 1
		if got := ParseICMP(&c.h, b, false, &m); got != DropICMPChecksum {
			t.Errorf("%s, wrong checksum: %v, want %v", c.name, got, DropICMPChecksum)
		}
		if got := ParseICMP(&c.h, b, true, &m); got != c.want {
			t.Errorf("%s, wrong checksum that need not be checked: %v, want %v", c.name, got, c.want)
		}
		for n := range ICMPHeaderLen {
			if got := ParseICMP(&c.h, b[:n], true, &m); got != DropICMPHeader {
				t.Errorf("%s, %d bytes: %v, want %v", c.name, n, got, DropICMPHeader)
			}
		}
	}
}

func TestPacketTooBigMTU(t *testing.T) {
	h := IPHeader{Version: 6, Src: addr("2001:db8::9"), Dst: addr("2001:db8::1")}
	for _, c := range []struct {
		info uint32
		want int
	}{{0, 0}, {1279, 1279}, {65535, 65535}, {1 << 31, 65536}, {1<<32 - 1, 65536}} {
		b := make([]byte, 200)
		b = b[:PutICMPError(b, h.Src, h.Dst, icmp6PacketTooBig, 0, c.info, quote6())]
		var m ICMP
		if r := ParseICMP(&h, b, false, &m); r != Accepted || m.MTU != c.want {
			t.Errorf("MTU field %d: %v, MTU %d, want %d", c.info, r, m.MTU, c.want)
		}
	}
}

func TestEcho(t *testing.T) {
	for _, c := range []struct {
		src, dst       string
		version        uint8
		request, reply uint8
	}{{"192.0.2.1", "198.51.100.2", 4, 8, 0}, {"2001:db8::1", "2001:db8::2", 6, 128, 129}} {
		for n := range 5 {
			h := IPHeader{Version: c.version, Src: addr(c.src), Dst: addr(c.dst)}
			b := append([]byte{c.request, 0, 0, 0, 1, 2, 3, 4}, pattern(n, 1)...)
			putICMPChecksum(h.Src, h.Dst, b)
			want := bytes.Clone(b[4:])
			var m ICMP
			if r := ParseICMP(&h, b, false, &m); r != Accepted || m.Kind != ICMPEchoRequest {
				t.Fatalf("request: %v, kind %d", r, m.Kind)
			}
			MakeEchoReply(h.Dst, h.Src, b)
			h.Src, h.Dst = h.Dst, h.Src
			if r := ParseICMP(&h, b, false, &m); r != Accepted || m.Kind != ICMPEchoReply || m.Type != c.reply {
				t.Fatalf("reply: %v, kind %d, type %d", r, m.Kind, m.Type)
			}
			if !bytes.Equal(b[4:], want) {
				t.Errorf("reply carries %x, want %x", b[4:], want)
			}
		}
	}
}

func FuzzICMP(f *testing.F) {
	f.Add(false, append([]byte{3, 4, 0, 0, 0, 0, 5, 0}, quote4()...))
	f.Add(true, append([]byte{2, 0, 0, 0, 0, 0, 5, 0}, quote6()...))
	f.Add(false, []byte{8, 0, 0, 0, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, v6 bool, data []byte) {
		b := bytes.Clone(data)
		h := IPHeader{Version: 4, Src: addr("203.0.113.9"), Dst: addr("192.0.2.1")}
		if v6 {
			h = IPHeader{Version: 6, Src: addr("2001:db8::9"), Dst: addr("2001:db8::1")}
		}
		var m, again ICMP
		if len(b) > 65535 || ParseICMP(&h, b, true, &m) != Accepted {
			return
		}
		putICMPChecksum(h.Src, h.Dst, b)
		if r := ParseICMP(&h, b, false, &again); r != Accepted || again != m {
			t.Fatalf("with a right checksum: %v, %+v, want %+v", r, again, m)
		}
		if m.Kind == ICMPEchoRequest {
			MakeEchoReply(h.Dst, h.Src, b)
			h.Src, h.Dst = h.Dst, h.Src
			if r := ParseICMP(&h, b, false, &again); r != Accepted || again.Kind != ICMPEchoReply {
				t.Fatalf("reply: %v, %+v", r, again)
			}
		}
	})
}
