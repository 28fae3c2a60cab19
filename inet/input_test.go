package inet

import (
	"encoding/binary"
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

func oneLink(t testing.TB) *Stack {
	return newStack(t, 1, LinkConfig{Name: "eth0", Addrs: prefixes("192.0.2.1/24", "2001:db8:1::1/64", "fe80::1/64")})
}

var syn = wire.Segment{Seq: 1000, Flags: wire.SYN, Wnd: 65535}

// edit returns a copy of the packet with bytes changed, and its IPv4 header
// checksum made right again.
func edit(packet []byte, at int, bytes ...byte) []byte {
	b := append([]byte(nil), packet...)
	copy(b[at:], bytes)
	if b[0]>>4 == 4 {
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], ^naiveSum(b[:max(int(b[0]&15)*4, 20)]))
	}
	return b
}

// Every packet that is no good is counted under its reason, and nothing is
// said in return.
// Shows: RFC 9293 MUST-3, MUST-57.
func TestDrops(t *testing.T) {
	good4 := tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn)
	good6 := tcpPacket("[2001:db8:1::9]:1000", "[2001:db8:1::1]:80", syn)
	echo := icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 0x10001, []byte("abc"))
	echo6 := icmpPacket("2001:db8:1::9", "2001:db8:1::1", 128, 0, 0x10001, []byte("abc"))
	ours := tcpPacket("192.0.2.1:80", "192.0.2.9:1000", syn)
	port0 := syn
	options := wire.Segment{Flags: wire.ACK, Options: wire.Options{Set: wire.OptMSS}}
	badOption := tcpPacket("192.0.2.9:1000", "192.0.2.1:80", options)
	badOption[41] = 1
	binary.BigEndian.PutUint16(badOption[36:], 0)
	wire.PutTCPChecksum(wireAddr("192.0.2.9"), wireAddr("192.0.2.1"), badOption[20:])
	shortTCP := packetOf("192.0.2.9", "192.0.2.1", wire.ProtoTCP, good4[20:39])
	badOffset := append([]byte(nil), good4...)
	badOffset[32] = 0x60
	binary.BigEndian.PutUint16(badOffset[36:], 0)
	wire.PutTCPChecksum(wireAddr("192.0.2.9"), wireAddr("192.0.2.1"), badOffset[20:])

	for _, c := range []struct {
		name   string
		packet []byte
		want   wire.Reason
	}{
		{"nothing", nil, wire.DropTruncated},
		{"half a header", good4[:10], wire.DropTruncated},
		{"half a segment", good4[:39], wire.DropTruncated},
		{"IPv5", edit(good4, 0, 0x55), wire.DropIPVersion},
		{"header length 16", edit(good4, 0, 0x44), wire.DropIPHeader},
		{"header checksum", append([]byte{0x45, 1}, good4[2:]...), wire.DropIPChecksum},
		{"first fragment", edit(good4, 6, 0x20, 0), wire.DropIPFragment},
		{"last fragment", edit(good4, 6, 0, 8), wire.DropIPFragment},
		{"IPv6 fragment", packetOf("2001:db8:1::9", "2001:db8:1::1", wire.ProtoFragment, append([]byte{6, 0, 0, 1, 0, 0, 0, 1}, good6[40:]...)), wire.DropIPFragment},
		{"UDP", edit(good4, 9, 17), wire.DropIPProtocol},
		{"ICMPv6 in IPv4", edit(good4, 9, wire.ProtoICMPv6), wire.DropIPProtocol},
		{"ICMP in IPv6", edit(good6, 6, wire.ProtoICMP), wire.DropIPProtocol},
		{"no next header", edit(good6, 6, wire.ProtoNoNext), wire.DropIPProtocol},
		{"IPv6 routing header", packetOf("2001:db8:1::9", "2001:db8:1::1", wire.ProtoRouting, append([]byte{6, 0, 0, 1, 0, 0, 0, 0}, good6[40:]...)), wire.DropIPExtension},
		{"mapped source", edit(good6, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), wire.DropIPSource},
		{"multicast source", tcpPacket("224.0.0.1:1000", "192.0.2.1:80", syn), wire.DropIPSource},
		{"broadcast source", tcpPacket("192.0.2.255:1000", "192.0.2.1:80", syn), wire.DropIPSource},
		{"unspecified source", tcpPacket("0.0.0.0:1000", "192.0.2.1:80", syn), wire.DropIPSource},
		{"unspecified source, IPv6", tcpPacket("[::]:1000", "[2001:db8:1::1]:80", syn), wire.DropIPSource},
		{"loopback source", tcpPacket("127.0.0.1:1000", "192.0.2.1:80", syn), wire.DropIPSource},
		{"our own source", tcpPacket("192.0.2.1:1000", "192.0.2.1:80", syn), wire.DropIPSource},
		{"our own source, ICMP", icmpPacket("192.0.2.1", "192.0.2.1", 8, 0, 0, nil), wire.DropIPSource},
		{"somebody else's", tcpPacket("192.0.2.9:1000", "192.0.2.2:80", syn), wire.DropIPDestination},
		{"SYN to broadcast", tcpPacket("192.0.2.9:1000", "192.0.2.255:80", syn), wire.DropIPDestination},
		{"echo request to broadcast", icmpPacket("192.0.2.9", "255.255.255.255", 8, 0, 0, nil), wire.DropIPDestination},
		{"echo request to multicast", icmpPacket("2001:db8:1::9", "ff02::1", 128, 0, 0, nil), wire.DropIPDestination},
		{"LAND", tcpPacket("192.0.2.1:80", "192.0.2.1:80", syn), wire.DropLAND},
		{"LAND, IPv6", tcpPacket("[2001:db8:1::1]:80", "[2001:db8:1::1]:80", syn), wire.DropLAND},
		{"short segment", shortTCP, wire.DropTruncated},
		{"data offset", badOffset, wire.DropTCPHeader},
		{"TCP checksum", edit(good4, 35, 0), wire.DropTCPChecksum},
		{"TCP checksum, IPv6", edit(good6, 55, 0), wire.DropTCPChecksum},
		{"option of length 1", badOption, wire.DropTCPOption},
		{"port 0", tcpPacket("192.0.2.9:0", "192.0.2.1:80", port0), wire.DropTCPPort},
		{"ICMP without a header", packetOf("192.0.2.9", "192.0.2.1", wire.ProtoICMP, make([]byte, 7)), wire.DropICMPHeader},
		{"source quench", icmpPacket("192.0.2.9", "192.0.2.1", 4, 0, 0, ours), wire.DropICMPHeader},
		{"echo reply for nobody", icmpPacket("192.0.2.9", "192.0.2.1", 0, 0, 0, nil), wire.DropICMPHeader},
		{"ICMP checksum", edit(echo, 24, 0, 0), wire.DropICMPChecksum},
		{"ICMPv6 checksum", edit(echo6, 44, 0, 0), wire.DropICMPChecksum},
		{"error about another's packet", icmpPacket("192.0.2.9", "192.0.2.1", 3, 3, 0, good4), wire.DropICMPQuote},
		{"error about UDP", icmpPacket("192.0.2.9", "192.0.2.1", 3, 3, 0, edit(ours, 9, 17)), wire.DropICMPQuote},
		{"error about nothing in flight", icmpPacket("192.0.2.9", "192.0.2.1", 3, 3, 0, ours), wire.DropICMPQuote},
	} {
		s := oneLink(t)
		s.InputBytes(1, 1, c.packet)
		if s.counters.Drops[c.want] != 1 {
			t.Errorf("%s: %s; want %v", c.name, drops(s), c.want)
		}
		checkCounters(t, s)
		if got := output(s, 1); len(got) != 0 {
			t.Errorf("%s: answered with %x", c.name, got[0].b)
		}
		// In a buffer of its own it fares no better, and the buffer comes back.
		p := s.pool.Get(len(c.packet))
		p.Append(c.packet)
		s.Input(2, 1, p)
		if s.counters.Drops[c.want] != 2 || s.pool.Out != 0 {
			t.Errorf("%s in a slab: %s, %d slabs out; want %v", c.name, drops(s), s.pool.Out, c.want)
		}
		checkCounters(t, s)
	}
}

func TestLinkThatIsNotThere(t *testing.T) {
	s := oneLink(t)
	s.InputBytes(1, 7, tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn))
	if s.counters.Drops[wire.DropIPDestination] != 1 {
		t.Error(drops(s))
	}
}

// A link that vouches for its packets spares the stack the checksum, not the
// rest.
func TestVerifiedLink(t *testing.T) {
	s := newStack(t, 1, LinkConfig{Addrs: prefixes("192.0.2.1/24"), RxVerified: true})
	s.InputBytes(1, 1, edit(tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn), 36, 0, 0))
	if s.counters.Accepted != 1 {
		t.Errorf("unchecked: %s", drops(s))
	}
	s.InputBytes(1, 1, edit(tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn), 32, 0xf0))
	if s.counters.Drops[wire.DropTCPHeader] != 1 {
		t.Errorf("data offset: %s", drops(s))
	}
}

// A packet is steered to where its connection lives: by its own addresses, or
// if it is an error by those of the packet that it quotes.
func TestSteer(t *testing.T) {
	s := twoLinks(t)
	hash := func(local, remote string, zone uint32) uint64 {
		tuple := wire.TupleFrom(mustAddrPort(local), mustAddrPort(remote), zone)
		return s.TCP().Hash(&tuple)
	}
	ours := tcpPacket("192.0.2.1:80", "192.0.2.9:1000", syn)
	ours6 := tcpPacket("[fe80::2]:80", "[fe80::9]:1000", syn)
	for _, c := range []struct {
		name   string
		link   LinkID
		packet []byte
		want   uint64
	}{
		{"segment", 1, tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn), hash("192.0.2.1:80", "192.0.2.9:1000", 0)},
		{"segment, IPv6", 1, tcpPacket("[2001:db8:1::9]:1000", "[2001:db8:1::1]:80", syn), hash("[2001:db8:1::1]:80", "[2001:db8:1::9]:1000", 0)},
		{"segment, link-local", 2, tcpPacket("[fe80::9]:1000", "[fe80::2]:80", syn), hash("[fe80::2]:80", "[fe80::9]:1000", 2)},
		{"loopback, link-local", 0, tcpPacket("[fe80::2]:1000", "[2001:db8:2::1]:80", syn), hash("[2001:db8:2::1]:80", "[fe80::2]:1000", 2)},
		{"loopback, link-local, the other end", 0, tcpPacket("[2001:db8:2::1]:80", "[fe80::2]:1000", syn), hash("[fe80::2]:1000", "[2001:db8:2::1]:80", 2)},
		{"unreachable", 1, icmpPacket("203.0.113.9", "192.0.2.1", 3, 1, 0, ours), hash("192.0.2.1:80", "192.0.2.9:1000", 0)},
		{"too big, link-local", 2, icmpPacket("fe80::77", "fe80::2", 2, 0, 1300, ours6), hash("[fe80::2]:80", "[fe80::9]:1000", 2)},
		{"error about another's packet", 1, icmpPacket("203.0.113.9", "192.0.2.1", 3, 1, 0, tcpPacket("192.0.2.2:80", "192.0.2.9:1000", syn)), 0},
		{"echo", 1, icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 0, nil), 0},
		{"rubbish", 1, []byte{1, 2, 3}, 0},
	} {
		got := s.Steer(c.link, c.packet)
		if got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
		// What Parse computes for itself is the same.
		var in Parsed
		p := wire.NewSlab(len(c.packet))
		p.Append(c.packet)
		s.Parse(c.link, p, &in)
		if in.reason == wire.Accepted && in.ip.Proto == wire.ProtoTCP && in.seg.Hash != got {
			t.Errorf("%s: Parse has %#x, Steer %#x", c.name, in.seg.Hash, got)
		}
	}
}

// FuzzInput throws packets at a stack with a listener: every one is counted,
// and what is sent in return is well-formed.
func FuzzInput(f *testing.F) {
	f.Add(uint8(1), tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn), true)
	f.Add(uint8(1), tcpPacket("[2001:db8:1::9]:1000", "[2001:db8:1::1]:80", syn), true)
	f.Add(uint8(1), icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, []byte("abc")), true)
	f.Add(uint8(1), icmpPacket("192.0.2.9", "192.0.2.1", 3, 4, 1300, tcpPacket("192.0.2.1:80", "192.0.2.9:1000", syn)), true)
	f.Add(uint8(0), tcpPacket("127.0.0.1:1000", "127.0.0.1:80", syn), false)
	f.Fuzz(func(t *testing.T, link uint8, packet []byte, mend bool) {
		if len(packet) > wire.LargeSlab {
			return
		}
		packet = append([]byte(nil), packet...)
		if mend {
			mendChecksums(packet)
		}
		s := oneLink(t)
		s.TCP().Listen(1, tcp.ListenOptions{Port: 80, Backlog: 1})
		s.links[1].rxVerified = mend // so that the fuzzer gets past them
		p := s.pool.Get(len(packet))
		p.Append(packet)
		s.Input(1, LinkID(link), p)
		s.InputBytes(2, LinkID(link), packet)
		checkCounters(t, s)
		if s.counters.In != 2 {
			t.Fatalf("%d packets in, want 2", s.counters.In)
		}
		for _, out := range output(s, 2) {
			if out.link != Loopback {
				checkPacket(t, out.b)
			}
		}
	})
}

// mendChecksums makes the IPv4 header checksum right.
func mendChecksums(b []byte) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return
	}
	hlen := int(b[0]&15) * 4
	if hlen >= 20 && hlen <= len(b) {
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], ^naiveSum(b[:hlen]))
	}
}

// Parse and Steer may run beside everything else (the race detector looks on).
func TestParseBesideInput(t *testing.T) {
	s := oneLink(t)
	packets := [][]byte{
		tcpPacket("192.0.2.9:1000", "192.0.2.1:80", syn),
		icmpPacket("192.0.2.9", "192.0.2.1", 3, 4, 1300, tcpPacket("192.0.2.1:80", "192.0.2.9:1000", syn)),
		icmpPacket("192.0.2.9", "192.0.2.1", 8, 0, 1, nil),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var in Parsed
		for range 200 {
			for _, b := range packets {
				p := wire.NewSlab(len(b))
				p.Append(b)
				p.Hash = s.Steer(1, b)
				s.Parse(1, p, &in)
			}
		}
	}()
	for i := range 200 {
		for _, b := range packets {
			s.InputBytes(tcp.Time(i), 1, b)
		}
		s.narrow(wireAddr("192.0.2.9"), 1400)
		output(s, tcp.Time(i))
	}
	<-done
	checkCounters(t, s)
}
