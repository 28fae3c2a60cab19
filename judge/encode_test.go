package judge

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"estab/internal/wire"
)

// gopacket writes packets, with options in any order, of any kind and number,
// and estab reads in them what was written.
func TestGopacketEncodes(t *testing.T) {
	n := 20_000
	if long() {
		n = 200_000
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		ip, tcp, payload := randomPacket(r)
		b := write(t, ip, tcp, payload)
		if err := reads(b, ip, tcp, payload); err != nil {
			t.Fatalf("packet %d: %v\n%x\n%+v", i, err, b, tcp)
		}
		// One bit that is wrong and the sum no longer fits, except where none
		// covers it: IPv6 has none of its header.
		bit := r.IntN(8 * (len(b)))
		if v6 := b[0]>>4 == 6; v6 && bit < 40*8 {
			continue
		}
		b[bit/8] ^= 1 << (bit % 8)
		if err := reads(b, ip, tcp, payload); err == nil {
			t.Fatalf("packet %d: bit %d is flipped, and nobody notices\n%x", i, bit, b)
		}
	}
}

func write(t testing.TB, ip gopacket.SerializableLayer, tcp *layers.TCP, payload []byte) []byte {
	t.Helper()
	if err := tcp.SetNetworkLayerForChecksum(ip.(gopacket.NetworkLayer)); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, ip, tcp, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), buf.Bytes()...)
}

// reads has estab read a packet and compares.
func reads(b []byte, ip gopacket.SerializableLayer, tcp *layers.TCP, payload []byte) error {
	var h wire.IPHeader
	var s wire.Segment
	if r := wire.ParseIP(b, &h); r != wire.Accepted {
		return fmt.Errorf("IP: %v", r)
	}
	if h.Proto != wire.ProtoTCP {
		return fmt.Errorf("protocol %d", h.Proto)
	}
	text := b[h.HeaderLen:h.TotalLen]
	if !wire.VerifyTCP(h.Src, h.Dst, text) {
		return fmt.Errorf("the checksum is wrong")
	}
	if r := wire.ParseTCP(text, &s); r != wire.Accepted {
		return fmt.Errorf("TCP: %v", r)
	}
	t := *tcp
	t.Payload = payload
	return judgeTCP(&t, &s)
}

// randomPacket draws a packet that is well-formed, whatever it says.
func randomPacket(r *rand.Rand) (gopacket.SerializableLayer, *layers.TCP, []byte) {
	bytes := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	var ip gopacket.SerializableLayer
	if r.IntN(2) == 0 {
		ip = &layers.IPv4{Version: 4, TTL: uint8(1 + r.IntN(255)), TOS: uint8(r.IntN(256)), Id: uint16(r.Uint32()), Protocol: layers.IPProtocolTCP,
			Flags: layers.IPv4DontFragment, SrcIP: net.IP{10, 1, byte(r.Uint32()), 3}, DstIP: net.IP{192, 0, 2, byte(r.Uint32())}}
	} else {
		ip = &layers.IPv6{Version: 6, HopLimit: uint8(1 + r.IntN(255)), TrafficClass: uint8(r.IntN(256)), FlowLabel: r.Uint32() >> 12,
			NextHeader: layers.IPProtocolTCP, SrcIP: append(net.IP{0x20, 1, 0xd, 0xb8}, bytes(12)...), DstIP: append(net.IP{0xfd}, bytes(15)...)}
	}
	t := &layers.TCP{
		SrcPort: layers.TCPPort(1 + r.IntN(65535)), DstPort: layers.TCPPort(1 + r.IntN(65535)), Seq: r.Uint32(), Ack: r.Uint32(),
		SYN: r.IntN(2) == 0, ACK: r.IntN(2) == 0, FIN: r.IntN(2) == 0, RST: r.IntN(2) == 0, PSH: r.IntN(2) == 0, URG: r.IntN(2) == 0,
		Window: uint16(r.Uint32()), Urgent: uint16(r.Uint32()), Options: randomOptions(r, bytes),
	}
	return ip, t, bytes(r.IntN(3) * r.IntN(700))
}

// randomOptions draws options: known ones with the right length and with
// others, unknown and experimental ones, NOPs, an end of the list.
func randomOptions(r *rand.Rand, bytes func(int) []byte) (options []layers.TCPOption) {
	room := 40
	add := func(kind layers.TCPOptionKind, data []byte) {
		n := 2 + len(data)
		if kind == layers.TCPOptionKindNop {
			n = 1
		}
		if n <= room {
			room -= n
			options = append(options, layers.TCPOption{OptionType: kind, OptionLength: uint8(n), OptionData: data})
		}
	}
	for range r.IntN(8) {
		switch r.IntN(9) {
		case 0:
			add(layers.TCPOptionKindMSS, bytes(2))
		case 1:
			add(layers.TCPOptionKindWindowScale, bytes(1))
		case 2:
			add(layers.TCPOptionKindSACKPermitted, nil)
		case 3:
			add(layers.TCPOptionKindTimestamps, bytes(8))
		case 4:
			add(layers.TCPOptionKindSACK, bytes(8*(1+r.IntN(4))))
		case 5:
			add(layers.TCPOptionKindNop, nil)
		case 6: // TCP Fast Open, MD5, user timeout, experiments: RFC 7413, 2385, 5482, 6994
			add(layers.TCPOptionKind([]int{34, 19, 28, 253, 254}[r.IntN(5)]), bytes(2*r.IntN(9)))
		case 7:
			add(layers.TCPOptionKind(35+r.IntN(200)), bytes(r.IntN(12)))
		case 8: // a known kind with a length that isn't its own
			kind := []layers.TCPOptionKind{2, 3, 4, 5, 8}[r.IntN(5)]
			add(kind, bytes([]int{5, 3, 1, 7, 6}[r.IntN(5)]))
		}
	}
	return options
}
