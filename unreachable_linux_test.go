package estab_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/internal/wire"
	"estab/link"
)

// What becomes of a Dial into a network that can't be reached, is a router's
// business, or is silent. The kernel plays it in a network namespace of its
// own, a host on a link that answers as such a router would.
func TestUnreachableLikeKernel(t *testing.T) {
	dials := []struct{ name, addr string }{
		{"no route", "198.51.100.1:80"},
		{"host unreachable", "192.0.2.1:80"},
		{"time-out", "203.0.113.2:80"},
		{"no route, IPv6", "[2001:db8::1]:80"},
	}
	var want, got []string
	inNamespace(t, func() {
		for _, d := range dials {
			_, err := net.Dial("tcp", d.addr)
			want = append(want, d.name+": "+describe(err))
		}
		_, err := net.DialTimeout("tcp", "203.0.113.2:80", 50*time.Millisecond)
		want = append(want, "own time-out: "+withoutRace(describe(err)))
	})
	synctest.Test(t, func(t *testing.T) {
		h, err := estab.NewHost(estab.Config{
			Links:  []estab.LinkConfig{{Link: new(unreachableLink), Addrs: prefixes("203.0.113.1/24")}},
			Routes: []estab.Route{{Dst: netip.MustParsePrefix("192.0.2.0/24")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dials {
			_, err := h.Dial("tcp", d.addr)
			got = append(got, d.name+": "+describe(err))
		}
		d := estab.Dialer{Host: h, Timeout: 50 * time.Millisecond}
		_, err = d.DialContext(context.Background(), "tcp", "203.0.113.2:80")
		got = append(got, "own time-out: "+withoutRace(describe(err)))
	})
	if !slices.Equal(got, want) {
		t.Errorf("kernel:\n\t%s\nestab:\n\t%s", strings.Join(want, "\n\t"), strings.Join(got, "\n\t"))
	}
}

// withoutRace drops the one of two deadlines that package net reports,
// whichever comes first there.
func withoutRace(s string) string {
	for _, name := range []string{"deadline+ctxdeadline", "ctxdeadline", "deadline"} {
		if rest, ok := strings.CutPrefix(s, name+" "); ok {
			return "a deadline " + rest
		}
	}
	return s
}

// inNamespace runs f on a thread in a network namespace with an unreachable
// network, a silent one, and nothing else.
func inNamespace(t *testing.T, f func()) {
	done := make(chan string)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			done <- "a network namespace is not permitted here: " + err.Error()
			return
		}
		for _, args := range []string{
			"link set lo up",
			"route add unreachable 192.0.2.0/24",
			"link add quiet type dummy",
			"addr add 203.0.113.1/24 dev quiet",
			"link set quiet up",
			"neigh add 203.0.113.2 lladdr 02:00:00:00:00:02 dev quiet",
		} {
			if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
				done <- "ip " + args + ": " + err.Error() + ": " + string(out)
				return
			}
		}
		if err := os.WriteFile("/proc/sys/net/ipv4/tcp_syn_retries", []byte("1"), 0); err != nil {
			done <- err.Error()
			return
		}
		f()
		done <- ""
	}()
	if why := <-done; why != "" {
		t.Skip(why)
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
