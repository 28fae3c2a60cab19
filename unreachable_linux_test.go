package estab_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/internal/netns"
	"estab/internal/wire"
	"estab/link"
)

// What becomes of a Dial into a network that can't be reached, is a router's
// business, or is silent. The kernel plays it in a network namespace of its
// own, a host on a link that answers as such a router would.
func TestUnreachableLikeKernel(t *testing.T) {
	netns.Test(t, func(t *testing.T) {
		silentNetwork(t)
		want := unreachable(new(net.Dialer).DialContext)
		var got []string
		synctest.Test(t, func(t *testing.T) {
			h, err := estab.NewHost(estab.Config{
				Links:  []estab.LinkConfig{{Link: new(unreachableLink), Addrs: prefixes("203.0.113.1/24")}},
				Routes: []estab.Route{{Dst: netip.MustParsePrefix("192.0.2.0/24")}},
			})
			if err != nil {
				t.Fatal(err)
			}
			got = unreachable(h.DialContext)
		})
		if !slices.Equal(got, want) {
			t.Errorf("kernel:\n\t%s\nestab:\n\t%s", strings.Join(want, "\n\t"), strings.Join(got, "\n\t"))
		}
	})
}

// unreachable dials what can't be reached and describes what came of it.
func unreachable(dial func(ctx context.Context, network, address string) (net.Conn, error)) (lines []string) {
	for _, d := range []struct{ name, addr string }{
		{"no route", "198.51.100.1:80"},
		{"host unreachable", "192.0.2.1:80"},
		{"time-out", "203.0.113.2:80"},
		{"no route, IPv6", "[2001:db8::1]:80"},
	} {
		_, err := dial(context.Background(), "tcp", d.addr)
		lines = append(lines, d.name+": "+describe(err))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := dial(ctx, "tcp", "203.0.113.2:80")
	return append(lines, "own time-out: "+withoutRace(describe(err)))
}

// withoutRace drops which of two deadlines was reported: in package net it is
// whichever comes first.
func withoutRace(s string) string {
	for _, name := range []string{"deadline+ctxdeadline", "ctxdeadline", "deadline"} {
		if rest, ok := strings.CutPrefix(s, name+" "); ok {
			return "a deadline " + rest
		}
	}
	return s
}

// silentNetwork makes a network that is unreachable and one of which nothing
// is ever heard: behind a device that nobody reads. One repeat of a SYN is
// enough for this test.
func silentNetwork(t *testing.T) {
	for _, args := range []string{
		"tuntap add dev quiet mode tun",
		"addr add 203.0.113.1/24 dev quiet",
		"link set quiet up",
		"route add unreachable 192.0.2.0/24",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Skipf("ip %s: %v: %s", args, err, out)
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_syn_retries", []byte("1"), 0); err != nil {
		t.Skip(err)
	}
}

// unreachableLink is a network behind a router that says of everything in
// 192.0.2.0/24 that it is unreachable, and of everything else nothing.
type unreachableLink struct{ r link.Receiver }

func (*unreachableLink) Caps() link.Caps                { return link.Caps{MTU: 1500} }
func (l *unreachableLink) Attach(r link.Receiver) error { l.r = r; return nil }
func (*unreachableLink) Close() error                   { return nil }

func (l *unreachableLink) Enqueue(w *link.Work, pkts []*link.Packet) int {
	for i, p := range pkts {
		var h wire.IPHeader
		if wire.ParseIP(p.Bytes(), &h) == wire.Accepted && h.Dst.Is4() && h.Dst.V4()>>8 == 0xc00002 {
			l.r.Deliver(w, []*link.Packet{hostUnreachable(&h, p.Bytes())})
		}
		p.Resize(0)
		pkts[i] = p
	}
	return len(pkts)
}

// hostUnreachable is the ICMP message of RFC 792, type 3 code 1.
func hostUnreachable(h *wire.IPHeader, packet []byte) *link.Packet {
	quote := packet[:h.HeaderLen+8]
	n := 20 + wire.ICMPHeaderLen + len(quote)
	p := link.NewPacket(n)
	b := p.Resize(n)
	router := wire.AddrFrom(netip.MustParseAddr("203.0.113.254"))
	wire.PutIP(b, &wire.IPHeader{Src: router, Dst: h.Src, Proto: wire.ProtoICMP, TTL: 64, TotalLen: n})
	icmp := b[20:]
	clear(icmp)
	icmp[0], icmp[1] = 3, 1
	copy(icmp[wire.ICMPHeaderLen:], quote)
	binary.BigEndian.PutUint16(icmp[2:], wire.Fold(wire.Sum(0, icmp)))
	return p
}
