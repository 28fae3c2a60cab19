package wire

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func addr(s string) Addr { return AddrFrom(netip.MustParseAddr(s)) }

// packet4 is an IPv4 packet with options and a text; edit changes it before
// the header checksum is made.
func packet4(options, text []byte, edit func(b []byte)) []byte {
	hlen := 20 + len(options)
	b := append(make([]byte, 20), options...)
	b = append(b, text...)
	putIP4(b, &IPHeader{Src: addr("192.0.2.1"), Dst: addr("198.51.100.2"), Proto: ProtoTCP, TTL: 64, TOS: 0xb8, ECN: 1, TotalLen: len(b)})
	b[0] = 4<<4 | byte(hlen/4)
	if edit != nil {
		edit(b)
	}
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], ^uint16(naiveSum(0, b[:hlen])))
	return b
}

// Shows: RFC 9293 MUST-50.
func TestParseIP4(t *testing.T) {
	set := func(i int, v ...byte) func([]byte) {
		return func(b []byte) { copy(b[i:], v) }
	}
	text := []byte("abcdefgh")
	for _, c := range []struct {
		name    string
		options []byte
		edit    func([]byte)
		want    Reason
	}{
		{"plain", nil, nil, Accepted},
		{"no text", nil, set(2, 0, 20), Accepted},
		{"total length below the header's", nil, set(2, 0, 19), DropIPHeader},
		{"total length one beyond the packet", nil, set(2, 0, 29), DropTruncated},
		{"reserved bit alone", nil, set(6, 0x80, 0), Accepted},
		{"more fragments", nil, set(6, 0x20, 0), DropIPFragment},
		{"last fragment", nil, set(6, 0, 1), DropIPFragment},
		{"offset 8191", nil, set(6, 0x1f, 0xff), DropIPFragment},
		{"padding", []byte{1, 1, 1, 0}, nil, Accepted},
		{"what follows the end is not looked at", []byte{0, 9, 0, 0}, nil, Accepted},
		{"router alert", []byte{148, 4, 0, 0}, nil, Accepted},
		{"record route", []byte{7, 7, 4, 0, 0, 0, 0, 0}, nil, Accepted},
		{"loose source route", []byte{1, 131, 3, 4}, nil, DropIPExtension},
		{"strict source route", []byte{137, 7, 4, 1, 2, 3, 4, 0}, nil, DropIPExtension},
		{"option of length 0", []byte{148, 0, 0, 0}, nil, DropIPHeader},
		{"option of length 1", []byte{148, 1, 0, 0}, nil, DropIPHeader},
		{"option one too long", []byte{148, 5, 0, 0}, nil, DropIPHeader},
		{"option without a length", []byte{1, 1, 1, 148}, nil, DropIPHeader},
	} {
		b := packet4(c.options, text, c.edit)
		var h IPHeader
		got := ParseIP(b, &h)
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if got != Accepted {
			continue
		}
		want := IPHeader{
			Version: 4, Src: addr("192.0.2.1"), Dst: addr("198.51.100.2"), Proto: ProtoTCP, TTL: 64, TOS: 0xb8, ECN: 1,
			HeaderLen: 20 + len(c.options), TotalLen: int(binary.BigEndian.Uint16(b[2:])),
		}
		if h != want {
			t.Errorf("%s: %+v, want %+v", c.name, h, want)
		}
	}
}

func TestParseIPRefuses(t *testing.T) {
	good := packet4(nil, []byte("abcd"), nil)
	var h IPHeader
	for n := range len(good) {
		if got := ParseIP(good[:n], &h); got != DropTruncated {
			t.Errorf("%d bytes of %d: %v, want %v", n, len(good), got, DropTruncated)
		}
	}
	for i := range 20 * 8 {
		b := append([]byte(nil), good...)
		b[i/8] ^= 1 << (i % 8)
		if got := ParseIP(b, &h); got == Accepted {
			t.Errorf("bit %d of the header flipped: accepted", i)
		}
	}
	for _, c := range []struct {
		first byte
		want  Reason
	}{{0x44, DropIPHeader}, {0x4f, DropIPHeader}, {0x55, DropIPVersion}, {0x05, DropIPVersion}, {0xf5, DropIPVersion}, {0x65, DropTruncated}} {
		b := append([]byte(nil), good...)
		b[0] = c.first
		if got := ParseIP(b, &h); got != c.want {
			t.Errorf("first byte %#x: %v, want %v", c.first, got, c.want)
		}
	}
	// A frame's padding is not part of the packet.
	if got := ParseIP(append(good, 1, 2, 3), &h); got != Accepted || h.TotalLen != len(good) {
		t.Errorf("padded: %v, total length %d, want %d", got, h.TotalLen, len(good))
	}
}

// packet6 is an IPv6 packet whose first next header is proto and whose
// payload is ext, then a text.
func packet6(proto uint8, ext ...byte) []byte {
	b := append(make([]byte, 40), ext...)
	b = append(b, "abcdefgh"...)
	putIP6(b, &IPHeader{
		Src: addr("2001:db8::1"), Dst: addr("2001:db8::2"), Proto: proto,
		TTL: 64, TOS: 0xb8, ECN: 2, FlowLabel: 0xabcde, TotalLen: len(b),
	})
	return b
}

func TestParseIP6(t *testing.T) {
	chain := func(n int) (b []byte) {
		for i := range n {
			next := byte(ProtoDestOptions)
			if i == n-1 {
				next = ProtoTCP
			}
			b = append(b, next, 0, 1, 4, 0, 0, 0, 0)
		}
		return b
	}
	for _, c := range []struct {
		name  string
		proto uint8
		ext   []byte
		want  Reason
	}{
		{"plain", ProtoTCP, nil, Accepted},
		{"router alert", ProtoHopByHop, []byte{6, 0, 5, 2, 0, 0, 0, 0}, Accepted},
		{"hop-by-hop of 16 bytes", ProtoHopByHop, []byte{6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Accepted},
		{"hop-by-hop, then destination", ProtoHopByHop, []byte{60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0}, Accepted},
		{"hop-by-hop second", ProtoDestOptions, []byte{0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0}, DropIPExtension},
		{"jumbo option", ProtoHopByHop, []byte{6, 0, 0xc2, 4, 0, 1, 0, 0}, DropIPExtension},
		{"unknown option to skip", ProtoDestOptions, []byte{6, 0, 0x1e, 4, 0, 0, 0, 0}, Accepted},
		{"unknown option to discard", ProtoDestOptions, []byte{6, 0, 0x5e, 4, 0, 0, 0, 0}, DropIPExtension},
		{"option one too long", ProtoDestOptions, []byte{6, 0, 1, 5, 0, 0, 0, 0}, DropIPExtension},
		{"option without a length", ProtoDestOptions, []byte{6, 0, 1, 3, 0, 0, 0, 1}, DropIPExtension},
		{"routing type 0, nothing left", ProtoRouting, []byte{6, 0, 0, 0, 0, 0, 0, 0}, Accepted},
		{"routing type 0, one left", ProtoRouting, []byte{6, 0, 0, 1, 0, 0, 0, 0}, DropIPExtension},
		{"routing type 4, one left", ProtoRouting, []byte{6, 0, 4, 1, 0, 0, 0, 0}, DropIPExtension},
		{"atomic fragment", ProtoFragment, []byte{6, 0, 0, 0, 1, 2, 3, 4}, Accepted},
		{"first fragment", ProtoFragment, []byte{6, 0, 0, 1, 1, 2, 3, 4}, DropIPFragment},
		{"last fragment", ProtoFragment, []byte{6, 0, 0, 8, 1, 2, 3, 4}, DropIPFragment},
		{"as many extensions as are allowed", ProtoDestOptions, chain(maxIP6Extensions), Accepted},
		{"one more", ProtoDestOptions, chain(maxIP6Extensions + 1), DropIPExtension},
	} {
		b := packet6(c.proto, c.ext...)
		var h IPHeader
		got := ParseIP(b, &h)
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		want := IPHeader{
			Version: 6, Src: addr("2001:db8::1"), Dst: addr("2001:db8::2"), Proto: ProtoTCP, TTL: 64, TOS: 0xb8, ECN: 2,
			FlowLabel: 0xabcde, HeaderLen: 40 + len(c.ext), TotalLen: len(b),
		}
		if got == Accepted && h != want {
			t.Errorf("%s: %+v, want %+v", c.name, h, want)
		}
	}
}

func TestParseIP6Refuses(t *testing.T) {
	good := packet6(ProtoHopByHop, 6, 0, 1, 4, 0, 0, 0, 0)
	var h IPHeader
	for n := range len(good) {
		if got := ParseIP(good[:n], &h); got != DropTruncated {
			t.Errorf("%d bytes of %d: %v, want %v", n, len(good), got, DropTruncated)
		}
	}
	// The chain must not leave the packet, whatever the frame holds behind it.
	for n := range 8 {
		b := append([]byte(nil), good...)
		binary.BigEndian.PutUint16(b[4:], uint16(n))
		want := DropTruncated
		if n == 0 {
			want = DropIPExtension // a jumbogram
		}
		if got := ParseIP(b, &h); got != want {
			t.Errorf("payload length %d: %v, want %v", n, got, want)
		}
	}
	mapped := addr("192.0.2.1")
	b := packet6(ProtoTCP)
	mapped.Put16(b[8:])
	if got := ParseIP(b, &h); got != DropIPSource {
		t.Errorf("mapped source: %v", got)
	}
	b = packet6(ProtoTCP)
	mapped.Put16(b[24:])
	if got := ParseIP(b, &h); got != DropIPDestination {
		t.Errorf("mapped destination: %v", got)
	}
	b = packet6(ProtoTCP, 0)
	if got := ParseIP(append(b, 1, 2, 3), &h); got != Accepted || h.TotalLen != len(b) {
		t.Errorf("padded: %v, total length %d, want %d", got, h.TotalLen, len(b))
	}
}

func FuzzParseIP(f *testing.F) {
	f.Add(packet4(nil, []byte("abc"), nil))
	f.Add(packet4([]byte{148, 4, 0, 0}, []byte("abc"), nil))
	f.Add(packet6(ProtoTCP))
	f.Add(packet6(ProtoHopByHop, 60, 0, 5, 2, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h IPHeader
		if ParseIP(b, &h) != Accepted {
			return
		}
		if h.HeaderLen < IPHeaderLen(h.Src) || h.HeaderLen > h.TotalLen || h.TotalLen > len(b) {
			t.Fatalf("lengths: header %d, total %d, packet %d", h.HeaderLen, h.TotalLen, len(b))
		}
		// What is put is what was parsed, without options and extensions.
		want := h
		want.HeaderLen = IPHeaderLen(h.Src)
		out := make([]byte, h.TotalLen)
		if n := PutIP(out, &h); n != want.HeaderLen {
			t.Fatalf("PutIP wrote %d bytes, want %d", n, want.HeaderLen)
		}
		var again IPHeader
		if r := ParseIP(out, &again); r != Accepted && !(again.Version == 6 && isExtension(again.Proto)) {
			t.Fatalf("what PutIP wrote is refused: %v", r)
		}
		if !isExtension(h.Proto) && again != want {
			t.Fatalf("put and parsed: %+v, want %+v", again, want)
		}
	})
}

// isExtension tells protocols that an IPv6 header takes for an extension; an
// IPv4 packet may carry them, meaning nothing.
func isExtension(p uint8) bool {
	return p == ProtoHopByHop || p == ProtoRouting || p == ProtoFragment || p == ProtoDestOptions
}

func BenchmarkParseIP(b *testing.B) {
	for name, p := range map[string][]byte{"v4": packet4(nil, []byte("abc"), nil), "v6": packet6(ProtoTCP)} {
		b.Run(name, func(b *testing.B) {
			var h IPHeader
			for b.Loop() {
				ParseIP(p, &h)
			}
		})
	}
}
