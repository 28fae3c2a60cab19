package script

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// TestCosts: a script can't make the player run for ever or eat memory.
func TestCosts(t *testing.T) {
	began := time.Now()
	for _, c := range []struct{ name, src, reason string }{
		{"time", served + "+999999999 close(4) = 0\n", "more than 60 days"},
		{"a call that never ends", served + "+0...5000 read(4, ..., 10) = 10\n", "read blocks and does not end"},
		{"a segment that never comes", served + "+1000 > . 1:1(0) ack 1\n", "no segment is sent"},
		{"keep-alive", served + "+0 setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1], 4) = 0\n" +
			"+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n+4000000 close(4) = 0\n", ""},
		{"what is written", served + strings.Repeat("+0 write(4, ..., 30000000) = ...\n", 3), ""},
		{"what fits no buffer", served + "+0...3600 write(4, ..., 30000000) = 30000000\n", "write returned 65536, but should return 30000000"},
		{"windows", "0 < S 4294967295:4294967295(0) win 0 <mss 1>\n+0 > R. 0:0(0) ack 0\n", ""},
	} {
		r := playText(t, c.src, Options{})
		if r.Verdict == NotApplicable || c.reason != "" && (r.Verdict != Failed || !strings.Contains(r.Reason, c.reason)) {
			t.Errorf("%s: %s: %q, want %q", c.name, r.Verdict, r.Reason, c.reason)
		}
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestManySegments: the player keeps up with long scripts.
func TestManySegments(t *testing.T) {
	var b strings.Builder
	b.WriteString(served)
	for i := range 3000 {
		fmt.Fprintf(&b, "+.01 < P. %d:%d(10) ack 1 win 1000\n* > . 1:1(0) ack %d\n+0 read(4, ..., 100) = 10\n", 1+10*i, 11+10*i, 11+10*i)
	}
	if r := playText(t, b.String(), Options{}); r.Verdict != Passed {
		t.Error(r.String())
	}
}

// FuzzPlay: no script, however odd, breaks the player.
func FuzzPlay(f *testing.F) {
	f.Add(served + "+0 write(4, ..., 3000) = 3000\n* > P. 1:3001(3000) ack 1\n+0 close(4) = 0\n")
	f.Add(linux + served + "+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [1], 4) = 0\n+0...9 write(4, ..., 99999) = 99999\n")
	f.Add(freeBSD + "0 < icmp unreachable frag_needed mtu 1 [1:1(0)]\n+0 `sockstat | grep -c X | grep 0`\n")
	f.Add("0 socket(..., SOCK_STREAM, 0) = 3\n+0...1 connect(3, ..., ...) = 0\n+0 < S 7:7(0) win 9\n+0 < R. 8:8(0) ack 1 win 0\n")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("fuzz", []byte(src), ParseOptions{MaxBytes: 4096, MaxItems: 100})
		if err != nil {
			return
		}
		for _, o := range []Options{{}, {Strict: true, Loose: true, Families: []Family{IPv6}, Pcap: func(string, Family) io.Writer { return io.Discard }}} {
			for _, fam := range o.families() {
				r, err := runOnce(s, &o, fam)
				if err == nil && r.String() == "" {
					t.Fatal("a report without text")
				}
			}
		}
	})
}
