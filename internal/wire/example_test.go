package wire_test

import (
	"fmt"
	"net/netip"

	"estab/internal/wire"
)

// A SYN is written, then read by the host that it is for.
func Example() {
	syn := wire.Segment{
		Tuple: wire.TupleFrom(netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("198.51.100.2:80"), 0),
		Seq:   1000, Flags: wire.SYN, Wnd: 65535,
		Options: wire.Options{Set: wire.OptMSS, MSS: 1460},
	}
	h := wire.IPHeader{Src: syn.Local, Dst: syn.Remote, Proto: wire.ProtoTCP, TTL: 64}
	h.TotalLen = wire.IPHeaderLen(h.Src) + wire.TCPHeaderLen(&syn)
	packet := make([]byte, h.TotalLen)
	n := wire.PutIP(packet, &h)
	wire.PutTCP(packet[n:], &syn)
	wire.PutTCPChecksum(h.Src, h.Dst, packet[n:])

	var got wire.Segment
	if r := wire.ParseIP(packet, &h); r != wire.Accepted {
		fmt.Println(r)
	}
	text := packet[h.HeaderLen:h.TotalLen]
	if r := wire.ParseTCP(text, &got); r != wire.Accepted || !wire.VerifyTCP(h.Src, h.Dst, text) {
		fmt.Println(r)
	}
	got.Local, got.Remote = h.Dst, h.Src
	fmt.Println(got.Tuple, got.Flags, got.Seq, got.Options.MSS)
	// Output: 198.51.100.2:80-192.0.2.1:40000 S 1000 1460
}
