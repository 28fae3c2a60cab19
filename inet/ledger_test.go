package inet

import (
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

// The TTL, or hop limit, of what is sent can be configured; 64 is the default.
// Shows: RFC 9293 MUST-49.
func TestTTLIsConfigured(t *testing.T) {
	for _, ttl := range []uint8{0, 1, 255} {
		s, err := New(Config{TCP: tcp.Config{Secret: [32]byte{1}}, TTL: ttl})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddLink(LinkConfig{Name: "eth0", Addrs: prefixes("192.0.2.1/24", "2001:db8:1::1/64")}); err != nil {
			t.Fatal(err)
		}
		want := ttl
		if ttl == 0 {
			want = 64
		}
		for _, ends := range [][2]string{{"192.0.2.1:80", "192.0.2.9:1000"}, {"[2001:db8:1::1]:80", "[2001:db8:1::9]:1000"}} {
			seg := wire.Segment{Tuple: wire.TupleFrom(mustAddrPort(ends[0]), mustAddrPort(ends[1]), 0), Flags: wire.ACK}
			o := sent{room: -1}
			if !emit(s, &o, &seg) || len(o.packets) != 1 {
				t.Fatalf("TTL %d: %d packets", ttl, len(o.packets))
			}
			var h wire.IPHeader
			if r := wire.ParseIP(o.packets[0].b, &h); r != wire.Accepted || h.TTL != want {
				t.Errorf("TTL %d: sent with %d (%v), want %d", ttl, h.TTL, r, want)
			}
		}
	}
}
