package wire

import (
	"bytes"
	"encoding/binary"
	"testing"

	"estab/internal/seq"
)

// segment makes a TCP segment of raw options, which are padded with what
// follows the end of options, and a text.
func segment(options, text []byte) []byte {
	hlen := (20 + len(options) + 3) &^ 3
	b := make([]byte, hlen, hlen+len(text))
	binary.BigEndian.PutUint16(b[0:], 1000)
	binary.BigEndian.PutUint16(b[2:], 2000)
	binary.BigEndian.PutUint32(b[4:], 0x80000001)
	binary.BigEndian.PutUint32(b[8:], 0xfffffffe)
	binary.BigEndian.PutUint16(b[12:], uint16(hlen/4)<<12|uint16(AE|ACK|PSH))
	binary.BigEndian.PutUint16(b[14:], 0x1234)
	binary.BigEndian.PutUint16(b[18:], 0x5678)
	copy(b[20:], options)
	return append(b, text...)
}

// Shows: RFC 9293 MUST-5.
func TestParseTCP(t *testing.T) {
	b := segment(nil, []byte("text"))
	b[12] |= 0xe // the reserved bits are not looked at
	s := Segment{Rest: [][]byte{{1}}, Options: Options{Set: OptSACK, NSACK: 2}}
	if r := ParseTCP(b, &s); r != Accepted {
		t.Fatal(r)
	}
	if s.RemotePort != 1000 || s.LocalPort != 2000 || s.Seq != 0x80000001 || s.Ack != 0xfffffffe ||
		s.Flags != AE|ACK|PSH || s.Wnd != 0x1234 || s.Up != 0x5678 {
		t.Errorf("header: %+v", s)
	}
	if string(s.Payload) != "text" || s.Rest != nil || s.Options.Set != 0 || s.Options.NSACK != 0 {
		t.Errorf("text %q, rest %v, options %+v", s.Payload, s.Rest, s.Options)
	}
}

// Shows: RFC 9293 MUST-4, MUST-6, MUST-64.
func TestParseTCPOptions(t *testing.T) {
	ts := func(val, ecr uint32) []byte {
		b := []byte{8, 10}
		b = binary.BigEndian.AppendUint32(b, val)
		return binary.BigEndian.AppendUint32(b, ecr)
	}
	sack := func(edges ...uint32) []byte {
		b := []byte{5, byte(2 + 4*len(edges))}
		for _, e := range edges {
			b = binary.BigEndian.AppendUint32(b, e)
		}
		return b
	}
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	nop := []byte{1}
	four := [MaxSACKBlocks]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
	for _, c := range []struct {
		name    string
		options []byte
		reason  Reason
		want    Options
	}{
		{"end at once", []byte{0, 0, 0, 0}, Accepted, Options{}},
		{"what follows the end is not looked at", []byte{1, 0, 2, 1}, Accepted, Options{}},
		{"MSS", []byte{2, 4, 5, 0xb4}, Accepted, Options{Set: OptMSS, MSS: 1460}},
		{"MSS of length 3 is unknown", []byte{2, 3, 5, 1}, Accepted, Options{}},
		{"MSS of length 5 is unknown", []byte{2, 5, 5, 1, 1, 1, 1, 1}, Accepted, Options{}},
		{"window scale", []byte{3, 3, 255, 1}, Accepted, Options{Set: OptWindowScale, WindowScale: 255}},
		{"window scale of length 2 is unknown", []byte{3, 2, 1, 1}, Accepted, Options{}},
		{"SACK permitted", []byte{4, 2, 1, 1}, Accepted, Options{Set: OptSACKPermitted}},
		{"SACK permitted of length 3 is unknown", []byte{4, 3, 1, 1}, Accepted, Options{}},
		{"timestamps, usual layout", cat(nop, nop, ts(7, 8)), Accepted, Options{Set: OptTimestamps, TSVal: 7, TSEcr: 8}},
		{"timestamps, unusual layout", cat(ts(7, 8), nop, nop), Accepted, Options{Set: OptTimestamps, TSVal: 7, TSEcr: 8}},
		{"usual layout and more", cat(nop, nop, ts(7, 8), []byte{2, 4, 0, 9}), Accepted, Options{Set: OptTimestamps | OptMSS, TSVal: 7, TSEcr: 8, MSS: 9}},
		{"timestamps of length 9 are unknown", []byte{8, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1}, Accepted, Options{}},
		{"one SACK block", cat(nop, nop, sack(1, 2)), Accepted, Options{Set: OptSACK, NSACK: 1, SACK: [MaxSACKBlocks]SACKBlock{{1, 2}}}},
		{"four SACK blocks", cat(nop, nop, sack(1, 2, 3, 4, 5, 6, 7, 8)), Accepted, Options{Set: OptSACK, NSACK: 4, SACK: four}},
		{"SACK without blocks is unknown", []byte{5, 2, 1, 1}, Accepted, Options{}},
		{"SACK with half a block is unknown", cat(nop, nop, sack(1, 2, 3)), Accepted, Options{}},
		{"unknown kinds", []byte{253, 4, 0xf9, 0x89, 254, 2, 30, 2}, Accepted, Options{}},
		{"the last of two counts", []byte{2, 4, 0, 1, 2, 4, 0, 2}, Accepted, Options{Set: OptMSS, MSS: 2}},
		{"the last SACK counts", cat(sack(1, 2, 3, 4), sack(5, 6)), Accepted, Options{Set: OptSACK, NSACK: 1, SACK: [MaxSACKBlocks]SACKBlock{{5, 6}, {3, 4}}}},
		{"length 0", []byte{2, 0, 5, 0xb4}, DropTCPOption, Options{}},
		{"length 1", []byte{2, 1, 5, 0xb4}, DropTCPOption, Options{}},
		{"unknown kind, length 1", []byte{253, 1, 1, 1}, DropTCPOption, Options{}},
		{"as long as the room", []byte{253, 4, 1, 1}, Accepted, Options{}},
		{"one beyond", []byte{253, 5, 1, 1}, DropTCPOption, Options{}},
		{"length 255", []byte{253, 255, 1, 1}, DropTCPOption, Options{}},
		{"no length", []byte{1, 1, 1, 2}, DropTCPOption, Options{}},
		{"forty bytes", cat(nop, nop, ts(1, 2), nop, nop, sack(1, 2, 3, 4, 5, 6)), Accepted,
			Options{Set: OptTimestamps | OptSACK, TSVal: 1, TSEcr: 2, NSACK: 3, SACK: [MaxSACKBlocks]SACKBlock{{1, 2}, {3, 4}, {5, 6}}}},
	} {
		var s Segment
		if r := ParseTCP(segment(c.options, nil), &s); r != c.reason {
			t.Errorf("%s: %v, want %v", c.name, r, c.reason)
		}
		if c.reason == Accepted && s.Options != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, s.Options, c.want)
		}
	}
}

// Shows: RFC 9293 MUST-7.
func TestParseTCPRefuses(t *testing.T) {
	good := segment([]byte{2, 4, 5, 0xb4}, nil)
	var s Segment
	for n := range len(good) {
		want := DropTruncated
		if n >= TCPHeaderMin {
			want = DropTCPHeader
		}
		if got := ParseTCP(good[:n], &s); got != want {
			t.Errorf("%d bytes of %d: %v, want %v", n, len(good), got, want)
		}
	}
	for _, c := range []struct {
		name string
		at   int
		put  []byte
		want Reason
	}{
		{"data offset 0", 12, []byte{0}, DropTCPHeader},
		{"data offset 4", 12, []byte{0x40}, DropTCPHeader},
		{"data offset 5", 12, []byte{0x50}, Accepted},
		{"data offset beyond the segment", 12, []byte{0x70}, DropTCPHeader},
		{"source port 0", 0, []byte{0, 0}, DropTCPPort},
		{"destination port 0", 2, []byte{0, 0}, DropTCPPort},
	} {
		b := append([]byte(nil), good...)
		copy(b[c.at:], c.put)
		if got := ParseTCP(b, &s); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Options stand as Linux writes them (net/ipv4/tcp_output.c).
// Shows: RFC 9293 MUST-68, MUST-69.
func TestPutTCPLayout(t *testing.T) {
	const all = OptMSS | OptSACKPermitted | OptTimestamps | OptWindowScale
	o := Options{MSS: 1460, WindowScale: 7, TSVal: 0x01020304, TSEcr: 0x05060708}
	for _, c := range []struct {
		name   string
		set    OptionSet
		blocks uint8
		want   []byte
	}{
		{"nothing", 0, 0, nil},
		{"SYN", all, 0, []byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7}},
		{"SYN without timestamps", all &^ OptTimestamps, 0, []byte{2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7}},
		{"SYN without SACK", all &^ OptSACKPermitted, 0, []byte{2, 4, 5, 0xb4, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7}},
		{"SYN with MSS alone", OptMSS, 0, []byte{2, 4, 5, 0xb4}},
		{"data", OptTimestamps, 0, []byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}},
		{"SACK", OptSACK, 1, []byte{1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
		{"SACK beside timestamps", OptTimestamps | OptSACK, 1, []byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
		{"SACK without blocks", OptTimestamps | OptSACK, 0, []byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}},
	} {
		s := Segment{Options: o}
		s.Options.Set, s.Options.NSACK = c.set, c.blocks
		s.Options.SACK = [MaxSACKBlocks]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
		var b [60]byte
		n := PutTCP(b[:], &s)
		if n != TCPHeaderLen(&s) || int(b[12]>>4)*4 != n {
			t.Errorf("%s: length %d, TCPHeaderLen %d, data offset %d", c.name, n, TCPHeaderLen(&s), b[12]>>4)
		}
		if !bytes.Equal(b[20:n], c.want) {
			t.Errorf("%s: %x, want %x", c.name, b[20:n], c.want)
		}
	}
}

// RFC 2018 §3: four blocks fit, three beside timestamps.
// Shows: RFC 2018 3.
func TestPutTCPSACKRoom(t *testing.T) {
	for _, c := range []struct {
		set            OptionSet
		blocks, wanted uint8
	}{
		{OptSACK, 3, 3}, {OptSACK, 4, 4}, {OptSACK, 255, 4},
		{OptSACK | OptTimestamps, 2, 2}, {OptSACK | OptTimestamps, 3, 3}, {OptSACK | OptTimestamps, 4, 3},
		{OptSACK | OptTimestamps | OptMSS | OptWindowScale | OptSACKPermitted, 4, 2},
	} {
		s := Segment{Tuple: Tuple{LocalPort: 1, RemotePort: 2}}
		s.Options.Set, s.Options.NSACK = c.set, c.blocks
		var b [60]byte
		n := PutTCP(b[:], &s)
		var got Segment
		if r := ParseTCP(b[:n], &got); r != Accepted || got.Options.NSACK != c.wanted {
			t.Errorf("set %b, %d blocks: %v, %d blocks, want %d", c.set, c.blocks, r, got.Options.NSACK, c.wanted)
		}
	}
}

// Shows: RFC 9293 MUST-2, MUST-3.
func TestTCPChecksum(t *testing.T) {
	for _, c := range []struct{ src, dst string }{{"192.0.2.1", "198.51.100.2"}, {"2001:db8::1", "2001:db8::2"}} {
		src, dst := addr(c.src), addr(c.dst)
		for n := range 70 {
			b := segment(nil, pattern(n, uint32(n)))
			PutTCPChecksum(src, dst, b)
			if got := naiveTCPSum(src, dst, b); got != 0xffff {
				t.Fatalf("%s, %d bytes of text: sum %#04x, want 0xffff", c.src, n, got)
			}
			if !VerifyTCP(src, dst, b) {
				t.Fatalf("%s, %d bytes of text: right checksum refused", c.src, n)
			}
			for i := range b {
				b[i] ^= 0x10
				if VerifyTCP(src, dst, b) {
					t.Fatalf("%s, %d bytes of text: byte %d is wrong, accepted", c.src, n, i)
				}
				b[i] ^= 0x10
			}
		}
	}
}

// naiveTCPSum sums the pseudo-header of RFC 9293 §3.1 or RFC 8200 §8.1 and
// the segment, byte by byte.
func naiveTCPSum(src, dst Addr, b []byte) uint16 {
	var h []byte
	if src.Is4() {
		h = binary.BigEndian.AppendUint32(h, src.V4())
		h = binary.BigEndian.AppendUint32(h, dst.V4())
		h = append(h, 0, 6)
		h = binary.BigEndian.AppendUint16(h, uint16(len(b)))
	} else {
		s, d := src.Netip().As16(), dst.Netip().As16()
		h = append(append(h, s[:]...), d[:]...)
		h = binary.BigEndian.AppendUint32(h, uint32(len(b)))
		h = append(h, 0, 0, 0, 6)
	}
	return uint16(naiveSum(naiveSum(0, h), b))
}

// What is parsed, put and parsed again is the same, but for SACK blocks that
// the usual padding leaves no room for.
func FuzzParseTCP(f *testing.F) {
	f.Add(segment(nil, []byte("text")))
	f.Add(segment([]byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, []byte("text")))
	f.Add(segment([]byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7}, nil))
	f.Add(segment([]byte{2, 4, 5, 0xb4, 4, 2, 5, 34, 0, 0, 0, 1, 0, 0, 0, 2}, nil))
	f.Add(segment([]byte{1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Segment
		if ParseTCP(b, &s) != Accepted {
			return
		}
		if n := s.Options.NSACK; n > MaxSACKBlocks || n > 0 != s.Options.Has(OptSACK) {
			t.Fatalf("%d SACK blocks, option set %b", n, s.Options.Set)
		}
		out := make([]byte, TCPHeaderLen(&s), 60+len(s.Payload))
		sent := s
		sent.Tuple = s.Swap()
		if n := PutTCP(out, &sent); n != len(out) || n > 60 || n%4 != 0 {
			t.Fatalf("PutTCP wrote %d bytes into %d", n, len(out))
		}
		out = append(out, s.Payload...)
		var again Segment
		if r := ParseTCP(out, &again); r != Accepted {
			t.Fatalf("what PutTCP wrote is refused: %v", r)
		}
		if !bytes.Equal(again.Payload, s.Payload) {
			t.Fatalf("text %q, want %q", again.Payload, s.Payload)
		}
		_, blocks := s.Options.optionsLen()
		clear(s.Options.SACK[blocks:])
		if s.Options.NSACK = uint8(blocks); blocks == 0 {
			s.Options.Set &^= OptSACK
		}
		if again.Options != s.Options || again.Tuple != s.Tuple || again.Seq != s.Seq || again.Ack != s.Ack ||
			again.Flags != s.Flags || again.Wnd != s.Wnd || again.Up != s.Up {
			t.Fatalf("put and parsed: %+v, want %+v", again, s)
		}
	})
}

func TestSegmentLen(t *testing.T) {
	s := Segment{Seq: 0xffffffff, Flags: SYN | FIN, Payload: []byte("ab"), Rest: [][]byte{[]byte("cde"), nil}}
	if s.DataLen() != 5 || s.Len() != 7 || s.End() != seq.Num(6) {
		t.Errorf("DataLen %d, Len %d, End %d; want 5, 7, 6", s.DataLen(), s.Len(), s.End())
	}
}

func BenchmarkParseTCP(b *testing.B) {
	for _, c := range []struct {
		name    string
		options []byte
	}{
		{"none", nil},
		{"timestamps", []byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}},
		{"syn", []byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7}},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := segment(c.options, nil)
			var s Segment
			for b.Loop() {
				ParseTCP(p, &s)
			}
		})
	}
}

func BenchmarkPutTCP(b *testing.B) {
	s := Segment{Options: Options{Set: OptTimestamps}}
	var p [60]byte
	for b.Loop() {
		PutTCP(p[:], &s)
	}
}

// TestTCPTextInPieces: text from several places goes behind the header with
// the checksum that it has as one.
func TestTCPTextInPieces(t *testing.T) {
	text := pattern(5000, 3)
	for _, cuts := range [][]int{{0, 5000}, {0, 1, 5000}, {0, 333, 334, 2001, 4999, 5000}, {17, 1463}, {9, 9}} {
		s := Segment{Seq: 1, Ack: 2, Flags: ACK | PSH, Wnd: 77}
		s.Local, s.Remote = AddrFrom4([]byte{192, 0, 2, 1}), AddrFrom4([]byte{192, 0, 2, 2})
		s.Payload = text[cuts[0]:cuts[1]]
		for i := 2; i < len(cuts); i++ {
			s.Rest = append(s.Rest, text[cuts[i-1]:cuts[i]])
		}
		n := TCPHeaderLen(&s)
		whole := text[cuts[0]:cuts[len(cuts)-1]]
		got, want := make([]byte, n+len(whole)), make([]byte, n+len(whole))
		PutTCP(got, &s)
		PutTCPText(&s, got, n)
		PutTCP(want, &s)
		copy(want[n:], whole)
		PutTCPChecksum(s.Local, s.Remote, want)
		if !bytes.Equal(got, want) {
			t.Errorf("cut at %v: checksum %x, want %x", cuts, got[16:18], want[16:18])
		}
	}
}
