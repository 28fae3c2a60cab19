package script

import (
	"strings"
	"testing"
)

// segmentOf parses one stated segment.
func segmentOf(t *testing.T, text string) *Segment {
	t.Helper()
	s := mustParse(t, "segment", "0 > "+text+"\n")
	return s.Events()[0].Action.(*Segment)
}

// TestMismatch: what is stated and what left, and in what they differ, when
// compared exactly and loosely. "=" is no difference.
func TestMismatch(t *testing.T) {
	for _, c := range []struct{ want, got, exact, loose string }{
		{". 1:1(0) ack 1", ". 1:1(0) ack 1 win 7", "=", "="},
		{". 1:1(0) ack 1", "P. 1:1(0) ack 1 win 7", "flags are P., not .", "flags are P., not ."},
		{"F. 1:1(0) ack 1", ". 1:1(0) ack 1 win 7", "flags are ., not F.", "flags"},
		{". 2:2(0) ack 1", ". 1:1(0) ack 1 win 7", "sequence number is 1, not 2", "sequence number"},
		{". ...(0) ack 1", ". 99:99(0) ack 1 win 7", "=", "="},
		{". 1:11(10) ack 1", ". 1:12(11) ack 1 win 7", "carries 11 bytes, not 10", "carries 11 bytes"},
		{". 1:1(0) ack 2", ". 1:1(0) ack 1 win 7", "acknowledgement number is 1, not 2", "acknowledgement number"},
		{". 1:1(0) ack 1 win 8", ". 1:1(0) ack 1 win 7", "window is 7, not 8", "="},
		{". 1:1(0) ack 1 win 0", ". 1:1(0) ack 1 win 7", "window is 7, not 0", "window is 7, not 0"},
		{". 1:1(0) ack 1 win 7", ". 1:1(0) ack 1 win 0", "window is 0, not 7", "window is 0, not 7"},
		{"U. 1:2(1) ack 1 urg 2", "U. 1:2(1) ack 1 win 7 urg 1", "urgent pointer is 1, not 2", "urgent pointer"},
		{"S 0:0(0) <...>", "S 0:0(0) win 7 <mss 1460>", "=", "="},
		{"S 0:0(0)", "S 0:0(0) win 7 <mss 1460>", "option mss 1460, which is not stated", "mss 1460, which is not stated"},
		{"S 0:0(0) <mss 1460>", "S 0:0(0) win 7", "lacks the option mss 1460", "lacks the option mss 1460"},
		{"S 0:0(0) <mss 1461>", "S 0:0(0) win 7 <mss 1460>", "option is mss 1460, not mss 1461", "mss 1460, not mss 1461"},
		{"S 0:0(0) <mss 1460,nop,wscale 6>", "S 0:0(0) win 7 <mss 1460,nop,wscale 7>", "wscale 7, not wscale 6", "="},
		{"S 0:0(0) <sackOK,mss 1460>", "S 0:0(0) win 7 <mss 1460,nop,nop,sackOK>", "option 1 is mss 1460, not sackOK", "="},
		{"S 0:0(0) <mss 1460,sackOK,eol,eol>", "S 0:0(0) win 7 <mss 1460,nop,nop,sackOK>", "option 2 is nop, not sackOK", "="},
		{". 1:1(0) ack 1 <nop,nop,sack 1:2 5:6>", ". 1:1(0) ack 1 win 7 <nop,nop,sack 5:6 1:2>", "sack 5:6 1:2, not", "sack 5:6 1:2, not"},
		{". 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>", ". 1:1(0) ack 1 win 7 <nop,nop,TS val 9 ecr 8>", "=", "="},
		{". 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>", ". 1:1(0) ack 1 win 7", "lacks the option nop", "lacks the option TS"},
		{"S 0:0(0) <2 0x05b4>", "S 0:0(0) win 7 <mss 1460>", "=", "="},
	} {
		want, got := segmentOf(t, c.want), segmentOf(t, c.got)
		check := func(how, says, expect string) {
			if expect == "=" && says != "" || expect != "=" && !strings.Contains(says, expect) || expect != "=" && says == "" {
				t.Errorf("%s compared %s with %s: %q, want %q", c.want, how, c.got, says, expect)
			}
		}
		check("exactly", matchMode{}.mismatch(want, got), c.exact)
		check("loosely", matchMode{loose: true}.mismatch(want, got), c.loose)
	}
}

// TestTimestampsMatch: they are compared if asked for, the value with a
// tolerance.
func TestTimestampsMatch(t *testing.T) {
	want := segmentOf(t, ". 1:1(0) ack 1 <nop,nop,TS val 100 ecr 2>")
	for _, c := range []struct {
		got  string
		mode matchMode
		same bool
	}{
		{"TS val 100 ecr 2", matchMode{strict: true, tsTick: 1e6}, true},
		{"TS val 101 ecr 2", matchMode{strict: true, tsTick: 1e6}, false},
		{"TS val 100 ecr 3", matchMode{strict: true, tsTick: 1e6}, false},
		{"TS val 100 ecr 3", matchMode{tsTick: 1e6}, true},
		{"TS val 96 ecr 3", matchMode{tsTick: 1e6, tsSlop: 4e6}, true},
		{"TS val 95 ecr 3", matchMode{tsTick: 1e6, tsSlop: 4e6}, false},
		{"TS val 95 ecr 3", matchMode{}, true},
	} {
		got := segmentOf(t, ". 1:1(0) ack 1 win 7 <nop,nop,"+c.got+">")
		if why := c.mode.mismatch(want, got); (why == "") != c.same {
			t.Errorf("%s, %+v: %q", c.got, c.mode, why)
		}
	}
}

// TestWrongSegments: segments that are not the stated ones, and times that are
// not theirs, in a script that would pass.
func TestWrongSegments(t *testing.T) {
	for _, c := range []struct{ line, reason string }{
		{"+0 > P. 1:101(100) ack 1", ""},
		{"+.004 > P. 1:101(100) ack 1", ""},
		{"+.0041 > P. 1:101(100) ack 1", "stated for 0.1041, it left at 0.1: 0.0041 s too early"},
		{"+.1~+.2 > P. 1:101(100) ack 1", "stated for 0.2~0.3, it left at 0.1: 0.1 s too early"},
		{"0.01~0.02 > P. 1:101(100) ack 1", "stated for 0.01~0.02, it left at 0.1: 0.08 s too late"},
		{"* > P. 1:101(100) ack 1", ""},
		{"+0 > . 1:101(100) ack 1", "flags are P., not ."},
		{"+0 > P. 1:102(101) ack 1", "carries 100 bytes, not 101"},
		{"+0 > [ttl 63] P. 1:101(100) ack 1", "TTL of its IP header is 64, not 63"},
		{"+0 > [tos 0x4] P. 1:101(100) ack 1", "TOS of its IP header is 0x0, not 0x4"},
		{"+0 > [noecn] P. 1:101(100) ack 1", ""},
		{"+0 > 8080 > 99 P. 1:101(100) ack 1", "no segment is sent"},
		{"+0 > icmp echo_reply", "what left is another packet"},
		{"+0 read(4, ..., 0) = 0", "no line states the segment that left at 0.1"},
	} {
		r := playText(t, served+"+0 write(4, ..., 100) = 100\n"+c.line+"\n", Options{})
		if (r.Verdict == Passed) != (c.reason == "") || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s\n\tis %s: %q, want %q", c.line, r.Verdict, r.Reason, c.reason)
		}
	}
}

// TestGather: several segments at one instant are the one that is stated.
func TestGather(t *testing.T) {
	for _, c := range []struct {
		head, lines string
		want        Verdict
	}{
		{"", "+0 > P. 1:3001(3000) ack 1", Passed},
		{"", "+0 > . 1:1001(1000) ack 1\n+0 > P. 1001:3001(2000) ack 1", Passed},
		{"", "+0 > . 1:1001(1000) ack 1\n+0 > . 1001:2001(1000) ack 1\n+0 > P. 2001:3001(1000) ack 1", Passed},
		{"", "+0 > P. 1:2501(2500) ack 1", Failed},
		{"", "+0 > P. 1:2001(2000) ack 1", Failed}, // PSH is on the last
		{"--strict_segments\n", "+0 > P. 1:3001(3000) ack 1", Failed},
		{linux, "+0 > P. 1:2001(2000) ack 1\n+0 > P. 2001:3001(1000) ack 1", Passed}, // as Linux would
		{linux, "+0 > . 1:2001(2000) ack 1\n+0 > P. 2001:3001(1000) ack 1", Failed},
		{linux, "+0 > . 1:1001(1000) ack 1\n+0 > P. 1001:3001(2000) ack 1", Passed},
	} {
		r := playText(t, c.head+served+"+0 write(4, ..., 3000) = 3000\n"+c.lines+"\n", Options{})
		if r.Verdict != c.want {
			t.Errorf("%s%s\n%s", c.head, c.lines, r.String())
		}
	}
}

// TestStrictEnd: with Strict, nothing may happen after the last line.
func TestStrictEnd(t *testing.T) {
	const tail = "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 win 65535\n"
	if r := playText(t, served+tail, Options{}); r.Verdict != Passed {
		t.Error(r.String())
	}
	r := playText(t, served+tail, Options{Strict: true})
	if r.Verdict != Failed || !strings.Contains(r.Reason, "no line states the segment that left at 0.4") {
		t.Error(r.String())
	}
}
