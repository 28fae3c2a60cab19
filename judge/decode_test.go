package judge

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
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

// gopacket decodes every packet that two hosts send each other, over traffic
// of all kinds: without an error, with checksums that are right by its own
// computation, with the fields that estab itself reads, and what it writes
// again of what it has read is the same packet.
func TestGopacketDecodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{t: t, seen: map[string]int{}}
		for i, impair := range []string{
			"", "delay 5ms loss 3% reorder 10% duplicate 2%", "delay 30ms 20ms loss 10%", "delay 1ms corrupt 5%",
		} {
			for _, mtu := range []int{1500, 1280, 9000} {
				c.traffic(uint64(i), impair, mtu)
			}
		}
		t.Logf("%v", c.seen)
		for _, what := range []string{
			"IPv4", "IPv6", "SYN", "SYN-ACK", "FIN", "RST", "text", "bare ACK", "MSS", "WindowScale", "SACKPermitted", "SACK",
			"three SACK blocks", "Timestamps", "zero window", "DSCP",
		} {
			if c.seen[what] == 0 {
				t.Errorf("no packet with %s was seen", what)
			}
		}
	})
}

// counter looks at packets and counts their kinds.
type counter struct {
	t    *testing.T
	mu   sync.Mutex
	seen map[string]int
	tap  func(link.TapEvent) // sees it, too, if not nil
}

func (c *counter) observe(e link.TapEvent) {
	if c.tap != nil {
		c.tap(e)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.judge(e.Packet); err != nil && !c.t.Failed() {
		c.t.Errorf("%v\n%x", err, e.Packet)
	}
}

// judge compares what gopacket and estab say of a packet.
func (c *counter) judge(b []byte) error {
	first := layers.LayerTypeIPv4
	if b[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(b, first, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		return fmt.Errorf("gopacket can't decode: %w", e.Error())
	}
	t, ok := p.TransportLayer().(*layers.TCP)
	if !ok {
		return fmt.Errorf("no TCP: %v", p)
	}
	if err := t.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
		return err
	}
	if err, bad := p.VerifyChecksums(); err != nil || len(bad) != 0 {
		return fmt.Errorf("checksums: %v, %+v", err, bad)
	}
	var ip wire.IPHeader
	if r := wire.ParseIP(b, &ip); r != wire.Accepted {
		return fmt.Errorf("estab refuses its own packet: %v", r)
	}
	if ip.TotalLen != len(b) {
		return fmt.Errorf("the header says %d bytes, there are %d", ip.TotalLen, len(b))
	}
	if err := c.judgeIP(p, &ip); err != nil {
		return err
	}
	var seg wire.Segment
	if r := wire.ParseTCP(b[ip.HeaderLen:], &seg); r != wire.Accepted {
		return fmt.Errorf("estab refuses its own segment: %v", r)
	}
	if err := judgeTCP(t, &seg); err != nil {
		return err
	}
	c.count(t, &seg)
	return again(p, b)
}

func (c *counter) judgeIP(p gopacket.Packet, ip *wire.IPHeader) error {
	var src, dst net.IP
	var tos, ttl uint8
	switch l := p.NetworkLayer().(type) {
	case *layers.IPv4:
		c.seen["IPv4"]++
		src, dst, tos, ttl = l.SrcIP, l.DstIP, l.TOS, l.TTL
		if l.Flags&layers.IPv4DontFragment == 0 || l.FragOffset != 0 || l.IHL != 5 {
			return fmt.Errorf("IPv4: %+v", l)
		}
	case *layers.IPv6:
		c.seen["IPv6"]++
		src, dst, tos, ttl = l.SrcIP, l.DstIP, l.TrafficClass, l.HopLimit
		if l.FlowLabel != ip.FlowLabel || l.FlowLabel == 0 { // RFC 6437 §3: a source should label its flows
			return fmt.Errorf("flow label %x, estab says %x", l.FlowLabel, ip.FlowLabel)
		}
	}
	if a, _ := netip.AddrFromSlice(src); a.Unmap() != ip.Src.Netip() {
		return fmt.Errorf("from %v, estab says %v", src, ip.Src)
	}
	if a, _ := netip.AddrFromSlice(dst); a.Unmap() != ip.Dst.Netip() {
		return fmt.Errorf("to %v, estab says %v", dst, ip.Dst)
	}
	if tos != ip.TOS|ip.ECN || ttl != ip.TTL || ttl != 64 {
		return fmt.Errorf("TOS %d TTL %d, estab says %d and %d", tos, ttl, ip.TOS|ip.ECN, ip.TTL)
	}
	if tos != 0 {
		c.seen["DSCP"]++
	}
	return nil
}

// judgeTCP compares the fields of a header and its options.
func judgeTCP(t *layers.TCP, s *wire.Segment) error {
	flags := wire.Flags(0)
	for _, f := range []struct {
		on  bool
		bit wire.Flags
	}{
		{t.FIN, wire.FIN}, {t.SYN, wire.SYN}, {t.RST, wire.RST}, {t.PSH, wire.PSH}, {t.ACK, wire.ACK}, {t.URG, wire.URG},
	} {
		if f.on {
			flags |= f.bit
		}
	}
	switch {
	case t.SrcPort != layers.TCPPort(s.RemotePort) || t.DstPort != layers.TCPPort(s.LocalPort):
		return fmt.Errorf("ports %v %v, estab says %v %v", t.SrcPort, t.DstPort, s.RemotePort, s.LocalPort)
	case seq.Num(t.Seq) != s.Seq || seq.Num(t.Ack) != s.Ack:
		return fmt.Errorf("numbers %v %v, estab says %v %v", t.Seq, t.Ack, s.Seq, s.Ack)
	case flags != s.Flags || t.ECE || t.CWR || t.NS:
		return fmt.Errorf("flags %v, estab says %v", flags, s.Flags)
	case t.Window != s.Wnd || t.Urgent != s.Up:
		return fmt.Errorf("window %d urgent %d, estab says %d and %d", t.Window, t.Urgent, s.Wnd, s.Up)
	case !bytes.Equal(t.Payload, s.Payload):
		return fmt.Errorf("%d bytes of text, estab says %d", len(t.Payload), len(s.Payload))
	}
	want, err := readOptions(t.Options)
	if err != nil {
		return err
	}
	if want = trimmed(want); want != trimmed(s.Options) {
		return fmt.Errorf("options %+v, estab says %+v", want, s.Options)
	}
	return nil
}

// trimmed is o without what lies in fields that its Set doesn't name.
func trimmed(o wire.Options) (t wire.Options) {
	t.Set = o.Set
	if o.Has(wire.OptMSS) {
		t.MSS = o.MSS
	}
	if o.Has(wire.OptWindowScale) {
		t.WindowScale = o.WindowScale
	}
	if o.Has(wire.OptTimestamps) {
		t.TSVal, t.TSEcr = o.TSVal, o.TSEcr
	}
	if o.Has(wire.OptSACK) {
		t.NSACK = o.NSACK
		copy(t.SACK[:], o.SACK[:o.NSACK])
	}
	return t
}

// readOptions reads gopacket's options by the RFCs' formats. The last of a
// kind counts; those whose length isn't that of their kind count for nothing.
func readOptions(options []layers.TCPOption) (o wire.Options, err error) {
	num := func(b []byte) seq.Num { return seq.Num(binary.BigEndian.Uint32(b)) }
	for _, x := range options {
		switch d := x.OptionData; {
		case x.OptionType == layers.TCPOptionKindMSS && len(d) == 2:
			o.Set |= wire.OptMSS
			o.MSS = binary.BigEndian.Uint16(d)
		case x.OptionType == layers.TCPOptionKindWindowScale && len(d) == 1:
			o.Set |= wire.OptWindowScale
			o.WindowScale = d[0]
		case x.OptionType == layers.TCPOptionKindSACKPermitted && len(d) == 0:
			o.Set |= wire.OptSACKPermitted
		case x.OptionType == layers.TCPOptionKindTimestamps && len(d) == 8:
			o.Set |= wire.OptTimestamps
			o.TSVal, o.TSEcr = uint32(num(d)), uint32(num(d[4:]))
		case x.OptionType == layers.TCPOptionKindSACK && len(d) > 0 && len(d)%8 == 0:
			o.Set |= wire.OptSACK
			o.NSACK = 0
			for ; len(d) > 0; d = d[8:] {
				if o.NSACK == wire.MaxSACKBlocks {
					return o, errors.New("more SACK blocks than fit")
				}
				o.SACK[o.NSACK] = wire.SACKBlock{Left: num(d), Right: num(d[4:])}
				o.NSACK++
			}
		}
	}
	return o, nil
}

func (c *counter) count(t *layers.TCP, s *wire.Segment) {
	for what, is := range map[string]bool{
		"SYN": t.SYN && !t.ACK, "SYN-ACK": t.SYN && t.ACK, "FIN": t.FIN, "RST": t.RST, "text": len(t.Payload) > 0,
		"bare ACK":    len(t.Payload) == 0 && t.ACK && !t.SYN && !t.FIN && !t.RST,
		"zero window": t.Window == 0 && !t.RST,
		"MSS":         s.Options.Has(wire.OptMSS), "WindowScale": s.Options.Has(wire.OptWindowScale),
		"SACKPermitted": s.Options.Has(wire.OptSACKPermitted), "Timestamps": s.Options.Has(wire.OptTimestamps),
		"SACK": s.Options.Has(wire.OptSACK), "three SACK blocks": s.Options.Has(wire.OptSACK) && s.Options.NSACK == 3,
	} {
		if is {
			c.seen[what]++
		}
	}
}

// again has gopacket write what it has read, with lengths and sums of its own.
func again(p gopacket.Packet, want []byte) error {
	t := p.TransportLayer().(*layers.TCP)
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, p.NetworkLayer().(gopacket.SerializableLayer), t, gopacket.Payload(t.Payload)); err != nil {
		return err
	}
	if !bytes.Equal(buf.Bytes(), want) {
		return fmt.Errorf("gopacket would write\n%x", buf.Bytes())
	}
	return nil
}

// traffic makes two hosts talk in many ways over a wire.
func (c *counter) traffic(seed uint64, impair string, mtu int) {
	la, lb := link.Pair(link.PairOptions{MTU: mtu})
	li, err := link.Impair(la, link.Impairment{Out: impair, In: impair, Seed: seed, Observe: c.observe})
	if err != nil {
		c.t.Fatal(err)
	}
	a, err := newHost(estab.Config{Shards: 1}, li, addrA, addrA6)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := newHost(estab.Config{Shards: 1}, lb, addrB, addrB6)
	if err != nil {
		c.t.Fatal(err)
	}
	defer close2(c.t, a, b)
	for _, addr := range []string{addrB, addrB6} {
		c.converse(a, b, addr)
	}
}

func (c *counter) converse(a, b *estab.Host, addr string) {
	t := c.t
	l := listen(t, b, net.JoinHostPort(addr, "80"))
	defer l.Close()
	d := estab.Dialer{Host: a, TOS: 0x20}
	open := func() (client, server *estab.Conn) {
		cc, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		sc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return cc.(*estab.Conn), sc.(*estab.Conn)
	}
	// Text both ways, half-close, close in order.
	cc, sc := open()
	go func() {
		io.Copy(sc, sc)
		sc.Close()
	}()
	go func() {
		cc.Write(bytes.Repeat([]byte("text "), 60_000))
		cc.CloseWrite()
	}()
	if n, err := io.Copy(io.Discard, cc); n != 300_000 || err != nil {
		t.Errorf("%d bytes came back, %v", n, err)
	}
	cc.Close()
	// A reader who sleeps, and a reset.
	cc, sc = open()
	sc.SetReadBuffer(5000)
	go cc.Write(make([]byte, 200_000))
	time.Sleep(5 * time.Second)
	io.ReadFull(sc, make([]byte, 50_000))
	sc.SetLinger(0)
	sc.Close()
	cc.Read(make([]byte, 1))
	cc.Close()
	// Keep-alive, then both close at once.
	cc, sc = open()
	cc.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 10})
	time.Sleep(10 * time.Second)
	go cc.Close()
	sc.Close()
	// Nobody listens.
	if _, err := a.Dial("tcp", net.JoinHostPort(addr, "9")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	time.Sleep(2 * time.Minute) // all is said
}
