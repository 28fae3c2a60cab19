package judge

import (
	"bytes"
	"encoding/binary"
	"fmt"
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
	c.raw(write(c.t, ip, tcp, []byte(payload)))
	c.seq += uint32(len(payload))
	if tcp.SYN || tcp.FIN {
		c.seq++
	}
}

// raw sends a packet.
func (c *wireClient) raw(b []byte) {
	p := link.NewPacket(len(b))
	p.Append(b)
	var w link.Work
	c.end.Enqueue(&w, []*link.Packet{p})
	w.Run()
}

// sendICMP sends a message; first is its header, in one layer or two.
func (c *wireClient) sendICMP(payload []byte, first ...gopacket.SerializableLayer) {
	c.t.Helper()
	ls := []gopacket.SerializableLayer{&layers.IPv4{Version: 4, TTL: 9, Protocol: layers.IPProtocolICMPv4,
		SrcIP: c.local.Addr().AsSlice(), DstIP: c.remote.Addr().AsSlice()}}
	if m, ok := first[0].(*layers.ICMPv6); ok {
		ip := &layers.IPv6{Version: 6, HopLimit: 9, NextHeader: layers.IPProtocolICMPv6, SrcIP: c.local.Addr().AsSlice(), DstIP: c.remote.Addr().AsSlice()}
		if err := m.SetNetworkLayerForChecksum(ip); err != nil {
			c.t.Fatal(err)
		}
		ls[0] = ip
	}
	ls = append(append(ls, first...), gopacket.Payload(payload))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		c.t.Fatal(err)
	}
	c.raw(bytes.Clone(buf.Bytes()))
}

// take takes the packets that the host has sent so far.
func (c *wireClient) take() (pkts []gopacket.Packet) {
	synctest.Wait()
	for _, b := range c.got {
		first := layers.LayerTypeIPv4
		if b[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
		pkts = append(pkts, gopacket.NewPacket(b, first, gopacket.Default))
	}
	c.got = nil
	return pkts
}

// expect takes the answers of the host so far, and returns the last. n of them
// must be more than a bare ACK.
func (c *wireClient) expect(n int) (last *layers.TCP) {
	c.t.Helper()
	judge := &counter{t: c.t, seen: map[string]int{}}
	pkts := c.take()
	for _, p := range pkts {
		if err := judge.judge(p.Data()); err != nil {
			c.t.Fatal(err)
		}
		last = p.TransportLayer().(*layers.TCP)
		if len(last.Payload) > 0 || last.SYN || last.FIN || last.RST {
			n--
		}
	}
	if n != 0 || last == nil {
		c.t.Fatalf("%d are missing, of %v", n, pkts)
	}
	return last
}

// eachFamily runs f with a host that listens and a client on its wire, for IPv4
// and IPv6.
func eachFamily(t *testing.T, f func(t *testing.T, c *wireClient, l net.Listener)) {
	for _, addrs := range [][2]string{{addrA, addrB}, {addrA6, addrB6}} {
		synctest.Test(t, func(t *testing.T) {
			la, lb := link.Pair(link.PairOptions{})
			h, err := newHost(estab.Config{Shards: 1}, lb, addrB, addrB6)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			c := &wireClient{t: t, end: la, seq: 1<<32 - 3,
				local: netip.AddrPortFrom(netip.MustParseAddr(addrs[0]), 4321), remote: netip.AddrPortFrom(netip.MustParseAddr(addrs[1]), 80)}
			if err := la.Attach(c); err != nil {
				t.Fatal(err)
			}
			f(t, c, listen(t, h, net.JoinHostPort(addrs[1], "80")))
		})
	}
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
	eachFamily(t, func(t *testing.T, c *wireClient, l net.Listener) {
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

// gopacket pings a host, with messages of all sizes.
func TestGopacketPings(t *testing.T) {
	eachFamily(t, func(t *testing.T, c *wireClient, _ net.Listener) {
		for i, size := range []int{0, 1, 7, 56, 1000, 1440} {
			text := bytes.Repeat([]byte{byte(i + 1)}, size)
			id, number := uint16(0xbeef), uint16(i)
			if c.local.Addr().Is4() {
				c.sendICMP(text, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0), Id: id, Seq: number})
			} else {
				c.sendICMP(text, &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoRequest, 0)},
					&layers.ICMPv6Echo{Identifier: id, SeqNumber: number})
			}
			pkts := c.take()
			if len(pkts) != 1 || pkts[0].ErrorLayer() != nil {
				t.Fatalf("%d bytes: %v", size, pkts)
			}
			if err := isReply(pkts[0], id, number, text); err != nil {
				t.Errorf("%d bytes: %v\n%v", size, err, pkts[0])
			}
		}
	})
}

func isReply(p gopacket.Packet, id, number uint16, text []byte) error {
	var got []byte
	switch {
	case p.Layer(layers.LayerTypeICMPv4) != nil:
		m := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if m.TypeCode.Type() != layers.ICMPv4TypeEchoReply || m.Id != id || m.Seq != number {
			return fmt.Errorf("%+v", m)
		}
		got = m.Payload
	case p.Layer(layers.LayerTypeICMPv6Echo) != nil:
		m6 := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6)
		m := p.Layer(layers.LayerTypeICMPv6Echo).(*layers.ICMPv6Echo)
		if m6.TypeCode.Type() != layers.ICMPv6TypeEchoReply || m.Identifier != id || m.SeqNumber != number {
			return fmt.Errorf("%+v %+v", m6, m)
		}
		if err := m6.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
			return err
		}
		got = m.Payload
	default:
		return fmt.Errorf("no echo")
	}
	if err, bad := p.VerifyChecksums(); err != nil || len(bad) != 0 {
		return fmt.Errorf("checksums: %v, %+v", err, bad)
	}
	if !bytes.Equal(got, text) {
		return fmt.Errorf("other text")
	}
	return nil
}

// A router that gopacket writes says that a segment is too big for its next
// link. The host believes it, as the segment is in flight, and sends what fits.
func TestGopacketSaysTooBig(t *testing.T) {
	eachFamily(t, func(t *testing.T, c *wireClient, l net.Listener) {
		v4 := c.local.Addr().Is4()
		c.send("", func(s *layers.TCP) {
			s.SYN, s.ACK = true, false
			s.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 160}}} // 1440
		})
		c.ack = c.expect(1).Seq + 1
		c.send("", func(*layers.TCP) {})
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		pkts := c.take()
		first := pkts[0].Data()
		if len(pkts) != 4 || len(pkts[0].TransportLayer().LayerPayload()) != 1440 {
			t.Fatalf("%d packets: %v", len(pkts), pkts)
		}
		mtu := 1300
		if v4 {
			c.sendICMP(first[:28], &layers.ICMPv4{Seq: uint16(mtu), // RFC 1191 §4 puts the MTU where an echo has its number
				TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodeFragmentationNeeded)})
		} else {
			quote := binary.BigEndian.AppendUint32(nil, uint32(mtu))
			c.sendICMP(append(quote, first[:1200]...), &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypePacketTooBig, 0)})
		}
		pkts = c.take()
		if len(pkts) == 0 {
			t.Fatal("nothing is sent again")
		}
		end := seq.Num(c.ack)
		for _, p := range pkts {
			s := p.TransportLayer().(*layers.TCP)
			if len(p.Data()) > mtu || seq.Num(s.Seq) != end {
				t.Errorf("%d bytes at %v, expected at most %d at %v", len(p.Data()), s.Seq, mtu, end)
			}
			end += seq.Num(len(s.Payload))
		}
	})
}
