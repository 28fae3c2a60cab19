package judge

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"estab"
	"estab/internal/seq"
	"estab/internal/wire"
	"estab/link"
)

// gopacket writes packets, with options in any order, of any kind and number,
// and estab reads in them what was written.
func TestGopacketEncodes(t *testing.T) {
	n := 20_000
	if long() {
		n = 1_000_000
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

// wireClient is a TCP client made by hand of gopacket's layers.
type wireClient struct {
	t        *testing.T
	end      *link.PairEnd
	got      [][]byte
	local    netip.AddrPort
	remote   netip.AddrPort
	seq, ack uint32
}

func (c *wireClient) Writable(*link.Work) {}

func (c *wireClient) Deliver(_ *link.Work, pkts []*link.Packet) {
	for _, p := range pkts {
		c.got = append(c.got, append([]byte(nil), p.Bytes()...))
		p.Resize(0)
	}
}

// send sends a segment; edit says what is in it.
func (c *wireClient) send(payload string, edit func(t *layers.TCP)) {
	c.t.Helper()
	tcp := &layers.TCP{SrcPort: layers.TCPPort(c.local.Port()), DstPort: layers.TCPPort(c.remote.Port()), Seq: c.seq, Ack: c.ack, ACK: true, Window: 10_000}
	edit(tcp)
	var ip gopacket.SerializableLayer = &layers.IPv4{Version: 4, TTL: 9, Protocol: layers.IPProtocolTCP,
		SrcIP: c.local.Addr().AsSlice(), DstIP: c.remote.Addr().AsSlice()}
	if c.local.Addr().Is6() {
		ip = &layers.IPv6{Version: 6, HopLimit: 9, NextHeader: layers.IPProtocolTCP, SrcIP: c.local.Addr().AsSlice(), DstIP: c.remote.Addr().AsSlice()}
	}
	b := write(c.t, ip, tcp, []byte(payload))
	p := link.NewPacket(len(b))
	p.Append(b)
	var w link.Work
	c.end.Enqueue(&w, []*link.Packet{p})
	w.Run()
	c.seq += uint32(len(payload))
	if tcp.SYN || tcp.FIN {
		c.seq++
	}
}

// expect takes the answers of the host so far, and returns the last. n of them
// must be more than a bare ACK.
func (c *wireClient) expect(n int) (last *layers.TCP) {
	c.t.Helper()
	synctest.Wait()
	judge := &counter{t: c.t, seen: map[string]int{}}
	var all []string
	for _, b := range c.got {
		if err := judge.judge(b); err != nil {
			c.t.Fatal(err)
		}
		first := layers.LayerTypeIPv4
		if b[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
		last = gopacket.NewPacket(b, first, gopacket.Default).TransportLayer().(*layers.TCP)
		if len(last.Payload) > 0 || last.SYN || last.FIN || last.RST {
			n--
		}
		all = append(all, fmt.Sprintf("%x", b))
	}
	if n != 0 || last == nil {
		c.t.Fatalf("too many by %d: %v", -n, all)
	}
	c.got = nil
	return last
}

// A client that gopacket writes has a conversation with a host: its options
// are odd, and none of them is in the way.
func TestGopacketConverses(t *testing.T) {
	odd := []layers.TCPOption{
		{OptionType: 253, OptionLength: 6, OptionData: []byte{1, 2, 3, 4}}, {OptionType: layers.TCPOptionKindNop, OptionLength: 1},
		{OptionType: 34, OptionLength: 2}, {OptionType: layers.TCPOptionKindNop, OptionLength: 1}, {OptionType: 77, OptionLength: 3, OptionData: []byte{9}},
	}
	ts := func(val uint32, ecr uint32) layers.TCPOption {
		return layers.TCPOption{OptionType: layers.TCPOptionKindTimestamps, OptionLength: 10,
			OptionData: binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, val), ecr)}
	}
	for _, addrs := range [][2]string{{addrA, addrB}, {addrA6, addrB6}} {
		synctest.Test(t, func(t *testing.T) {
			la, lb := link.Pair(link.PairOptions{})
			h, err := newHost(estab.Config{Shards: 1}, lb, addrB, addrB6)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			l := listen(t, h, net.JoinHostPort(addrs[1], "80"))
			c := &wireClient{t: t, end: la, seq: 1<<32 - 3,
				local: netip.AddrPortFrom(netip.MustParseAddr(addrs[0]), 4321), remote: netip.AddrPortFrom(netip.MustParseAddr(addrs[1]), 80)}
			if err := la.Attach(c); err != nil {
				t.Fatal(err)
			}
			c.send("", func(s *layers.TCP) {
				s.SYN, s.ACK = true, false
				s.Options = append([]layers.TCPOption{ts(100, 0),
					{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{2, 0}}, // 512
					{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{2}}}, odd...)
			})
			sa := c.expect(1)
			o, err := readOptions(sa.Options)
			if err != nil || !sa.SYN || !sa.ACK || sa.Ack != c.seq || o.TSEcr != 100 || !o.Has(wire.OptMSS|wire.OptWindowScale) || o.Has(wire.OptSACKPermitted) {
				t.Fatalf("the SYN-ACK is %+v, its options %+v, %v", sa, o, err)
			}
			c.ack = sa.Seq + 1
			c.send("hello", func(s *layers.TCP) { s.Options = append([]layers.TCPOption{ts(101, o.TSVal)}, odd...) })
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1000)
			if n, err := conn.Read(b); string(b[:n]) != "hello" || err != nil {
				t.Fatalf("read %q, %v", b[:n], err)
			}
			if _, err := conn.Write(b); err != nil { // 512 - 12 bytes a segment at most
				t.Fatal(err)
			}
			if last := c.expect(2); seq.Num(last.Seq) != seq.Num(c.ack)+500 || len(last.Payload) != 500 || last.Ack != c.seq {
				t.Fatalf("the second segment is %v", last)
			}
			c.ack += 1000
			c.send("", func(s *layers.TCP) { s.FIN = true; s.Options = append(odd, ts(102, o.TSVal)) })
			if f := c.expect(0); f.Ack != c.seq {
				t.Fatalf("the FIN is not acknowledged: %v", f)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			if f := c.expect(1); !f.FIN || f.Seq != c.ack {
				t.Fatalf("no FIN: %v", f)
			}
			c.ack++
			c.send("", func(s *layers.TCP) { s.Options = []layers.TCPOption{ts(103, o.TSVal)} })
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if len(c.got) != 0 {
				t.Errorf("%d packets after the end", len(c.got))
			}
		})
	}
}
