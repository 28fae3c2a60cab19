package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strings"
	"testing"
)

func TestAddr(t *testing.T) {
	for _, c := range []struct {
		text        string
		is4         bool
		unspecified bool
	}{
		{"0.0.0.0", true, true}, {"192.0.2.1", true, false}, {"255.255.255.255", true, false},
		{"::", false, true}, {"::1", false, false}, {"2001:db8::1", false, false}, {"::192.0.2.1", false, false},
	} {
		ip := netip.MustParseAddr(c.text)
		a := AddrFrom(ip)
		if a.Netip() != ip || a.String() != ip.String() || a.Is4() != c.is4 || a.IsUnspecified() != c.unspecified || a.IsZero() != (c.text == "::") {
			t.Errorf("%s: %v, IPv4 %v, unspecified %v, zero %v", c.text, a, a.Is4(), a.IsUnspecified(), a.IsZero())
		}
		if c.is4 {
			if b := ip.As4(); AddrFrom4(b[:]) != a || Addr4(a.V4()) != a {
				t.Errorf("%s: %#x", c.text, a.V4())
			}
		}
		var b [16]byte
		a.Put16(b[:])
		if b != ip.As16() || AddrFrom16(b[:]) != a {
			t.Errorf("%s: bytes %v", c.text, b)
		}
	}
	if got := AddrFrom(netip.MustParseAddr("::ffff:192.0.2.1")); got != addr("192.0.2.1") {
		t.Errorf("mapped: %v", got)
	}
}

func TestTuple(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("[2001:db8::1]:443")
	x := TupleFrom(a, b, 7)
	if x.LocalAddrPort() != a || x.RemoteAddrPort() != b || x.Zone != 7 || x.String() != "192.0.2.1:80-[2001:db8::1]:443" {
		t.Errorf("%v zone %d", x, x.Zone)
	}
	if y := x.Swap(); y != TupleFrom(b, a, 7) || y.Swap() != x {
		t.Errorf("swapped: %v", y)
	}
}

// naiveSip is SipHash-c-d as the paper describes it, on bytes.
func naiveSip(c, d int, k Key, m []byte) uint64 {
	v0, v1 := k[0]^0x736f6d6570736575, k[1]^0x646f72616e646f6d
	v2, v3 := k[0]^0x6c7967656e657261, k[1]^0x7465646279746573
	rounds := func(n int) {
		for range n {
			v0 += v1
			v2 += v3
			v1, v3 = bits.RotateLeft64(v1, 13)^v0, bits.RotateLeft64(v3, 16)^v2
			v0 = bits.RotateLeft64(v0, 32)
			v2 += v1
			v0 += v3
			v1, v3 = bits.RotateLeft64(v1, 17)^v2, bits.RotateLeft64(v3, 21)^v0
			v2 = bits.RotateLeft64(v2, 32)
		}
	}
	padded := append(bytes.Clone(m), make([]byte, 8-len(m)%8)...)
	padded[len(padded)-1] = byte(len(m))
	for ; len(padded) > 0; padded = padded[8:] {
		w := binary.LittleEndian.Uint64(padded)
		v3 ^= w
		rounds(c)
		v0 ^= w
	}
	v2 ^= 0xff
	rounds(d)
	return v0 ^ v1 ^ v2 ^ v3
}

func TestSipHash(t *testing.T) {
	// The test vector of the paper's appendix A is for SipHash-2-4.
	key := Key{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	message := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	if got := naiveSip(2, 4, key, message); got != 0xa129ca6149be45e5 {
		t.Fatalf("the oracle is wrong: %#x", got)
	}
	var words []uint64
	var m []byte
	for i := range 40 {
		if got, want := SipHash(key, words...), naiveSip(1, 3, key, m); got != want {
			t.Errorf("%d words: %#x, want %#x", i, got, want)
		}
		w := uint64(i+1) * 0x9e3779b97f4a7c15
		words, m = append(words, w), binary.LittleEndian.AppendUint64(m, w)
	}
	a, b := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("198.51.100.2:443")
	x := TupleFrom(a, b, 7)
	ports := uint64(80)<<48 | 443<<32 | 7
	if got, want := x.Hash(key), SipHash(key, 0xc0000201_c6336402, ports); got != want {
		t.Errorf("IPv4 tuple: %#x, want %#x", got, want)
	}
	x.Remote = addr("2001:db8::1")
	if got, want := x.Hash(key), SipHash(key, x.Local.Hi, x.Local.Lo, x.Remote.Hi, x.Remote.Lo, ports); got != want {
		t.Errorf("tuple: %#x, want %#x", got, want)
	}
}

func TestNames(t *testing.T) {
	for f, want := range map[Flags]string{
		0: "-", SYN: "S", SYN | ACK: "S.", FIN | ACK: "F.", PSH | ACK: "P.", RST: "R",
		FIN | SYN | RST | PSH | ACK | URG | ECE | CWR | AE: "SFRP.UEWA",
	} {
		if got := f.String(); got != want {
			t.Errorf("%b: %q, want %q", f, got, want)
		}
	}
	if f := SYN | ACK; !f.Has(SYN|ACK) || f.Has(SYN|FIN) || !f.Any(SYN|FIN) || f.Any(FIN|RST) {
		t.Error("Has or Any is wrong")
	}
	seen := map[string]Reason{}
	for r := range NumReasons {
		name := r.String()
		if other, twice := seen[name]; twice || name == "" || name != strings.ToLower(name) {
			t.Errorf("reason %d is called %q, as is %d", r, name, other)
		}
		seen[name] = r
	}
	if got := NumReasons.String(); got != "reason?" {
		t.Errorf("NumReasons: %q", got)
	}
}

func TestSlab(t *testing.T) {
	s := NewSlab(10)
	if s.Cap() != SmallSlab || s.Len() != 0 || s.Room() != SmallSlab {
		t.Errorf("new: capacity %d, length %d, room %d", s.Cap(), s.Len(), s.Room())
	}
	copy(s.Resize(10), "0123456789")
	s.Trim(2)
	if n := s.Append([]byte("ab")); n != 2 || string(s.Bytes()) != "23456789ab" {
		t.Errorf("appended %d: %q", n, s.Bytes())
	}
	s.Slice(1, 5)
	if string(s.Bytes()) != "3456" {
		t.Errorf("sliced: %q", s.Bytes())
	}
	c := s.Clone()
	s.Narrow(s.Bytes()[1:3])
	s.Bytes()[0] = 'x'
	if string(s.Bytes()) != "x5" || string(c.Bytes()) != "3456" {
		t.Errorf("narrowed: %q, clone %q", s.Bytes(), c.Bytes())
	}
	if n := s.Append(make([]byte, SmallSlab)); n != SmallSlab-6 || s.Room() != 0 {
		t.Errorf("appended %d, room %d", n, s.Room())
	}
	for n, want := range map[int]int{0: SmallSlab, SmallSlab: SmallSlab, SmallSlab + 1: LargeSlab, LargeSlab: LargeSlab} {
		if got := NewSlab(n).Cap(); got != want {
			t.Errorf("for %d bytes: %d, want %d", n, got, want)
		}
	}
}

func TestPool(t *testing.T) {
	var p Pool
	for _, c := range []struct{ size, keep int }{{SmallSlab, keepSmall}, {LargeSlab, keepLarge}} {
		var taken []*Slab
		for range c.keep + 1 {
			s := p.Get(c.size)
			s.Resize(5)
			s.Hash, s.Meta = 1, 2
			taken = append(taken, s)
		}
		if p.Out != c.keep+1 {
			t.Errorf("%d out, want %d", p.Out, c.keep+1)
		}
		seen := map[*Slab]bool{}
		for _, s := range taken {
			seen[s] = true
			p.Put(s)
		}
		for i := range c.keep {
			s := p.Get(c.size)
			if !seen[s] || s.Len() != 0 || s.Hash != 0 || s.Meta != 0 || s.Next != nil || s.Cap() != c.size {
				t.Fatalf("slab %d of %d: known %v, length %d", i, c.size, seen[s], s.Len())
			}
			delete(seen, s)
		}
		if s := p.Get(c.size); seen[s] {
			t.Errorf("more than %d slabs of %d bytes are kept", c.keep, c.size)
		}
		p.Out = 0
	}
}
