package trace

import (
	"strings"
	"testing"
)

func TestWriteSockets(t *testing.T) {
	var b strings.Builder
	err := WriteSockets(&b, 60, []Socket{
		{State: "LISTEN", SendQ: 4096, Local: "10.0.0.2:80", Peer: "0.0.0.0:*"},
		{State: "ESTABLISHED", RecvQ: 120, SendQ: 1448000, Local: "[2001:db8::1]:32768", Peer: "[2001:db8::2]:80", Timer: "on,204ms,0", Info: []Field{
			{"cubic", ""}, {"wscale", "7,7"}, {"rto", "204"}, {"rtt", "1.2/0.6"}, {"mss", "1448"}, {"cwnd", "10"},
			{"bytes_sent", "1448000"}, {"", "bare"}, {"retrans", "0/2"},
		}},
		{State: "TIME-WAIT", Local: "10.0.0.2:80", Peer: "10.0.0.1:32768", Timer: "timewait,59sec,0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "ss.txt", b.String())
}

func TestNumbers(t *testing.T) {
	for _, c := range [][2]string{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(46012), "46,012"}, {Count(-1234567), "-1,234,567"},
		{Size(0), "0 B"}, {Size(1023), "1023 B"}, {Size(1024), "1.0 KiB"}, {Size(64 << 20), "64.0 MiB"},
		{Size(700 << 20), "700 MiB"}, {Size(1 << 40), "1.0 TiB"}, {Size(1<<64 - 1), "16.0 EiB"},
		{Rate(125e6, 1e9), "1.00 Gbit/s"}, {Rate(1, 1e9), "8 bit/s"}, {Rate(1, 0), "–"}, {Rate(12345678, 1e9), "98.8 Mbit/s"},
		{Duration(0), "0 ns"}, {Duration(1500), "1.5 µs"}, {Duration(20e6), "20 ms"}, {Duration(1240e6), "1.24 s"},
		{Duration(60e9), "60 s"}, {Duration(240e9), "4 min 0 s"}, {Duration(3 * 3600e9), "3 h 0 min"}, {Duration(-5e6), "-5 ms"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "客户端": 6, "é": 1, "e\u0301": 1, "한글": 4, "ｶﾅ": 2, "🙂": 2, "│▶": 2} {
		if got := width(s); got != want {
			t.Errorf("width(%q) = %d, want %d", s, got, want)
		}
	}
	for _, s := range []string{"client", "客户端的名字", "a\x1b[31mb\nc", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"} {
		for w := range 12 {
			for _, got := range []string{padLeft(s, w), padRight(s, w), center(s, w)} {
				if width(got) != w || strings.ContainsAny(got, "\x1b\n") {
					t.Errorf("%q in %d columns: %q", s, w, got)
				}
			}
		}
	}
}
