package script

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestSyntaxErrors: what is not in the language is refused where it goes
// wrong, saying what was expected.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		// Times.
		{"close(3) = 0", `1:1: expected the time of an event, a command in back-quotes or an option line, found "close"`},
		{"+ close(3) = 0", `1:3: expected a time in seconds, found "close"`},
		{"+0x1 close(3) = 0", `1:2: expected a time in seconds, found "0x1"`},
		{"+0", `1:3: expected a packet (< or >), a system call, a command in back-quotes or a %{ }% block, found the end of the script`},
		{"+0\n+1 close(3) = 0", `1:3: expected a packet (< or >), a system call, a command in back-quotes or a %{ }% block, found the end of the line`},
		{"+.1~.2 > . 1:1(0)", `1:5: expected '+', for the end of a relative range counts as its begin does, found ".2"`},
		{".2~.1 > . 1:1(0)", `1:1: the range of times ends before it begins`},
		{"+.2...+.3 close(3) = 0", `1:7: expected a time in seconds, found "+"`},
		{"* ...1 close(3) = 0", `1:3: expected a packet (< or >)`},
		{".2...0.1 close(3) = 0", `1:1: the call ends before it begins`},
		{"+0...1 > . 1:1(0)", `1:1: only a system call can have an end time`},
		{"1000000001 close(3) = 0", `1:1: the time is more than 1000000000 seconds`},
		{".0000000001 close(3) = 0", `1:1: the time is finer than a nanosecond`},
		{"%{ pass }%", `1:1: expected the time of an event, a command in back-quotes or an option line, found a %{ }% block`},
		{"+0 %{ pass", `1:4: the code block has no closing }%`},
		{"+0 `ls", "1:4: the command has no closing back-quote"},
		{"/* no end", "1:1: the comment has no closing */"},
		{"+0 close(3) = 0\n--late", "2:1: option lines stand before the first event"},
		{`--x="y`, "1:5: the string has no closing quote"},

		// Calls.
		{"+0 close", `1:9: expected '(' after the name of a system call, found the end of the script`},
		{"+0 close(3", `1:11: expected ')' or ',' after a value in ( ), found the end of the script`},
		{"+0 close(3,) = 0", `1:12: expected a value (a number, a name, a string, ..., [ ] or { }), found ")"`},
		{"+0 close(3)\n+0 close(4) = 0", `1:12: expected '=' and the result of the call, found the end of the line`},
		{"+0 close(3) = -x", `1:16: expected a number after '-', found "x"`},
		{"+0 close(3) = 0 0 close", `1:24: expected '(' after`},
		{"+0 close(3) = -1 EPIPE (Broken", `1:24: the remark after the result has no closing ')'`},
		{"+0 close([1) = 0", `1:12: expected ']' or ',' after a value in [ ], found ")"`},
		{"+0 close({a=1) = 0", `1:14: expected '}' or ',' after a field of a struct, found ")"`},
		{"+0 close({1=2}) = 0", `1:12: expected the name of a field before '='`},
		{"+0 close({a(1,2)=2}) = 0", `1:11: a field of a struct has one length in parentheses, this one 2`},
		{"+0 write(3, \"abc\n\", 3) = 3", `1:13: the string has no closing quote`},
		{`+0 write(3, "a\q", 3) = 3`, `1:15: unknown escape in a string`},
		{"+0 write(3, ..., 99999999999999999999) = 0", `1:18: the number 99999999999999999999 does not fit 64 bits`},

		// Segments.
		{"+0 >", `1:5: expected TCP flags ("S", ".", "FP.", or "-" for none), icmp or udp, found the end of the script`},
		{"+0 > SX 1:1(0)", `1:7: "X" is not a TCP flag (S F R P U E W A and . for ACK)`},
		{"+0 > S.S 1:1(0)", `1:8: the flag "S" stands twice`},
		{"+0 > P.55 1:1(0)", `1:9: "5" is not a TCP flag`},
		{"+0 > P.8 1:1(0)", `1:8: "8" is not a TCP flag`},
		{"+0 > syn 1:1(0)", `1:6: expected TCP flags, icmp, icmpv6, udp, udplite, or the name of an encapsulation, found "syn"`},
		{"+0 > S 0:1(0)", `1:8: inconsistent sequence numbers and length: 0 + 0 is 0, not 1`},
		{"+0 > S 0(0)", `1:9: expected ':' between two sequence numbers, found "("`},
		{"+0 > S 4294967296:0(0)", `1:8: a sequence number is 4294967296, more than 4294967295`},
		{"+0 > . 1:1(0) ack", `1:18: expected a number after "ack", found the end of the script`},
		{"+0 > . 1:1(0) ack 1 ack 2", `1:21: a second "ack"`},
		{"+0 > . 1:1(0) urg 65536", `1:19: a number after "urg" is 65536, more than 65535`},
		{"+0 > . 1:1(0) akc 1", `1:15: expected ack, win, urg, TCP options or the end of the line, found "akc"`},
		{"+0 > . 1:1(0) <nop> <nop>", `1:21: a second list of TCP options`},
		{"+0 > 80 S 0:0(0)", `1:9: expected '>' between two ports, found "S"`},
		{"+0 > 80 > 65536 S 0:0(0)", `1:11: a port is 65536, more than 65535`},
		{"+0 > [ect2] . 1:1(0)", `1:7: expected ect0, ect1, ect01, ce, noecn, tos, flowlabel or ttl, found "ect2"`},
		{"+0 > [ect0, ce] . 1:1(0)", `1:13: a second ECN mark`},
		{"+0 > [tos 256] . 1:1(0)", `1:11: a number after "tos" is 256, more than 255`},
		{"+0 > S 0:0(0) /tcp", `1:16: expected udp and two ports, once, after /`},

		// TCP options.
		{"+0 > S 0:0(0) <mss>", `1:19: expected a segment size after mss, found ">"`},
		{"+0 > S 0:0(0) <mss 65536>", `1:20: a segment size after mss is 65536, more than 65535`},
		{"+0 > S 0:0(0) <nop nop nop>", ``}, // an argument of an option we know takes none
		{"+0 > S 0:0(0) <nop,>", `1:20: expected a TCP option, found ">"`},
		{"+0 > S 0:0(0) <...,nop>", `1:19: expected '>' after <..., found ","`},
		{"+0 > S 0:0(0) <TS val 1>", `1:24: expected "ecr" (TS val 1 ecr 2), found ">"`},
		{"+0 > S 0:0(0) <sack>", `1:20: expected a sequence number in a SACK block, found ">"`},
		{"+0 > S 0:0(0) <sack 1>", `1:22: expected ':' in a SACK block, found ">"`},
		{"+0 > S 0:0(0) <FO abc>", `1:19: expected whole bytes in hexadecimal, found "abc"`},
		{"+0 > S 0:0(0) <FO TFO_COOKIE 00>", `1:30: expected '>' or ',' after a TCP option, found "00"`},
		{"+0 > S 0:0(0) <254 COOKIE>", `1:20: expected whole bytes in hexadecimal, found "COOKIE"`},
		{"+0 > S 0:0(0) <256 00>", `1:16: the number of a TCP option is 256, more than 255`},
		{"+0 > S 0:0(0) <dss [1>", `expected '>' after the TCP options, found the end of the script`},
		{"+0 > S 0:0(0) <dss 1]>", `1:21: expected ',' or '>' after a TCP option, found "]"`},

		// Other packets.
		{"+0 < icmp", `1:10: expected a type of ICMP message, found the end of the script`},
		{"+0 < icmp unreachable a b", `1:25: expected mtu, id, seq, a quoted packet in [ ] or the end of the line, found "b"`},
		{"+0 < icmp unreachable a [1:1(0)", `1:32: expected ']' after the quoted packet, found the end of the script`},
		{"+0 < icmp unreachable a [1:1(0)] [1:1(0)]", `1:34: a second quoted packet`},
		{"+0 < udp 100", `1:10: expected '(' before the datagram's length, found "100"`},
		{"+0 > sctp: INIT[\n+0 close(3) = 0", `1:6: the packet has an open bracket at the end of the script`},
		{"+0 > sctp: DATA[\"]", `1:6: the packet has a string with no closing quote`},

		// Branches.
		{"#ifdef", `1:7: expected a name after #ifdef, found the end of the script`},
		{"#ifdef\nA\n#endif", `1:7: expected a name after #ifdef, found the end of the line`},
		{"#ifdef A B\n#endif", `1:10: expected the end of the line, found "B"`},
		{"#ifdef A\n+0 close(3) = 0", `1:1: the #ifdef has no #endif`},
		{"#ifndef A\n#else\n#else\n#endif", `3:1: a second #else for the #ifndef in line 1`},
		{"#endif", `1:1: #endif without an #ifdef before it`},
		{"#else\n", `1:1: #else without an #ifdef before it`},
		{"#if X\n#endif", `1:1: #if is not supported: only #ifdef, #ifndef, #else and #endif are`},
		{"+0 close(\n#endif\n3) = 0", `1:10: expected a value (a number, a name, a string, ..., [ ] or { }), found the end of the line`},
	} {
		_, err := Parse("t.pkt", []byte(tt.src), ParseOptions{})
		if tt.want == "" {
			tt.want = "t.pkt:1:20: expected '>' or ',' after a TCP option"
		}
		checkError(t, tt.src, err, SyntaxError, tt.want)
	}
}

// checkError checks an error's kind and that its first line has want in it.
func checkError(t *testing.T, src string, err error, kind ErrorKind, want string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%q: error %v, want %q", src, err, want)
		return
	}
	if !strings.Contains(e.Head(), want) || e.Kind != kind {
		t.Errorf("%q:\n got %q of kind %d,\nwant %q of kind %d", src, e.Head(), e.Kind, want, kind)
	}
}

// TestErrorText: an error shows its place as a compiler does.
func TestErrorText(t *testing.T) {
	long := "+0 write(3, \"" + strings.Repeat("é", 200) + "\", 3) == 0 // " + strings.Repeat("x", 300)
	for _, tt := range []struct{ src, want string }{
		{"// a\r\n\t+0 > SX 1:1(0)\x01\r\n", "t.pkt:2:8: \"X\" is not a TCP flag (S F R P U E W A and . for ACK)\n\t+0 > SX 1:1(0)?\n\t      ^"},
		{long, "t.pkt:1:421: expected a value (a number, a name, a string, ..., [ ] or { }), found \"=\"\n" +
			strings.Repeat("é", 27) + "\", 3) == 0 // " + strings.Repeat("x", 53) + "\n" + strings.Repeat(" ", 34) + "^"},
		{"+0 close(3)", "t.pkt:1:12: expected '=' and the result of the call, found the end of the script\n+0 close(3)\n           ^"},
	} {
		_, err := Parse("t.pkt", []byte(tt.src), ParseOptions{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q:\n got %v\nwant %v", tt.src, err, tt.want)
		}
	}
}

// TestLimits: at the limit a script is taken, beyond it refused by a line
// that names the limit.
func TestLimits(t *testing.T) {
	nested := func(n int) string {
		return "+0 f(" + strings.Repeat("[", n) + strings.Repeat("]", n) + ") = 0"
	}
	branches := func(n int) string {
		return strings.Repeat("#ifdef A\n", n) + strings.Repeat("#endif\n", n)
	}
	for _, tt := range []struct {
		name string
		opts ParseOptions
		ok   string
		bad  string
		want string
	}{
		{"bytes", ParseOptions{MaxBytes: 15}, "+0 close(3) = 0", "+0 close(33) = 0", "t: the script has 16 bytes, more than the limit of 15"},
		{"items", ParseOptions{MaxItems: 2}, "+0 a() = 0\n// c", "+0 a() = 0\n// c\n+0 b() = 0", "t:3:1: the script has more than 2 events and comments"},
		{"comments", ParseOptions{MaxItems: 1}, "// a", "// a\n// b", "t:2:5: more than 1 comments in a row"},
		{"nodes", ParseOptions{MaxNodes: 3}, "+0 f(1, 2) = 0", "+0 f(1, 2, 3) = 0", "t:1:17: the script has more than 3 values"},
		{"options", ParseOptions{MaxNodes: 2}, "+0 > S 0:0(0) <nop,nop>", "+0 > S 0:0(0) <nop,nop,nop>", "t:1:24: the script has more than 2 values"},
		{"sack", ParseOptions{MaxNodes: 2}, "+0 > S 0:0(0) <sack 1:2>", "+0 > S 0:0(0) <sack 1:2 3:4>", "more than 2 values"},
		{"depth", ParseOptions{MaxDepth: 5}, nested(5), nested(6), "t:1:11: nested deeper than 5"},
		{"default depth", ParseOptions{}, nested(defaultMaxDepth), nested(defaultMaxDepth + 1), "nested deeper than 64"},
		{"branches", ParseOptions{MaxDepth: 5}, branches(5), branches(6), "t:6:1: nested deeper than 5"},
	} {
		if _, err := Parse("t", []byte(tt.ok), tt.opts); err != nil {
			t.Errorf("%s: at the limit: %v", tt.name, err)
		}
		_, err := Parse("t", []byte(tt.bad), tt.opts)
		checkError(t, tt.name, err, LimitError, tt.want)
	}
}

// TestHostile: a megabyte of anything is refused or taken in bounded time.
func TestHostile(t *testing.T) {
	for _, unit := range []string{
		"[", "+0 f(", "{a=", "//\n", "/**/", "#\n", "#ifdef A\n", "#else\n", "`", "`\\", "\"", "%{", "--a=", "--a ",
		"+0 a()=0 ", "+0 < sctp ", "+0 < icmp a b [", "+0 > S 0:0(0) <x (", "+0 a(1|", "9", ".", "*", "<", "\n", "\x00", "\xff",
	} {
		src := []byte(strings.Repeat(unit, (1<<20)/len(unit)))
		s, err := Parse("hostile", src, ParseOptions{})
		if err == nil {
			Print(s)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%q: an error of %d bytes", unit, len(err.Error()))
		}
	}
}

// TestEvents: Select yields the branches of its names, Options too.
func TestEvents(t *testing.T) {
	src := `
--a=1
#ifdef STANDARD
--b=2
+0 one() = 0
#ifndef FreeBSD
+0 two() = 0
#else
+0 three() = 0
#endif
#else
--c="x y"
+0 four() = 0
#endif
+0 five() = 0
`
	names := func(events []*Event) string {
		var out []string
		for _, e := range events {
			out = append(out, e.Action.(*Call).Name)
		}
		return strings.Join(out, " ")
	}
	s, err := Parse("t", []byte(strings.Replace(src, "#else\n--c", "#else\n// no option may follow an event: --c", 1)), ParseOptions{Defines: map[string]bool{"STANDARD": true}})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(s.Events()); got != "one two five" {
		t.Errorf("STANDARD: %s", got)
	}
	if got := names(s.Select(map[string]bool{"STANDARD": true, "FreeBSD": true})); got != "one three five" {
		t.Errorf("both: %s", got)
	}
	if got := names(s.Select(map[string]bool{"STANDARD": false})); got != "four five" {
		t.Errorf("none: %s", got)
	}
	opts := s.Options()
	if len(opts) != 2 || opts[0].Name != "a" || opts[0].Value != "1" || opts[1].Name != "b" {
		t.Errorf("options %+v", opts)
	}
}

// TestPositions: a node knows where it stands, also behind wide characters,
// and the script makes errors about it.
func TestPositions(t *testing.T) {
	s := mustParse(t, "t.pkt", "/* ö */\n\n +.1 write(4, ..., [1]) = 3\n")
	e := s.Events()[0]
	call := e.Action.(*Call)
	for _, tt := range []struct{ got, want Pos }{
		{e.Pos, Pos{3, 2, 11}},
		{call.Pos, Pos{3, 6, 15}},
		{call.Args[2].Position(), Pos{3, 20, 29}},
		{call.Args[2].(*ArrayExpr).Elems[0].Position(), Pos{3, 21, 30}},
		{call.Result.Value.Position(), Pos{3, 27, 36}},
	} {
		if tt.got != tt.want {
			t.Errorf("position %v (%d), want %v (%d)", tt.got, tt.got.Offset, tt.want, tt.want.Offset)
		}
	}
	if got, want := s.Line(3), " +.1 write(4, ..., [1]) = 3"; got != want {
		t.Errorf("line 3 is %q", got)
	}
	if got := s.Line(9) + s.Line(0); got != "" {
		t.Errorf("lines beyond the script: %q", got)
	}
	err := s.Errorf(NotSupported, call.Pos, "no %s here", call.Name)
	if want := "t.pkt:3:6: no write here\n +.1 write(4, ..., [1]) = 3\n     ^"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// TestTimes: what the forms of a time mean.
func TestTimes(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		src  string
		want EventTime
	}{
		{"0", EventTime{Kind: TimeAbsolute}},
		{"+.1", EventTime{Kind: TimeRelative, At: 100 * ms}},
		{"*", EventTime{Kind: TimeAny}},
		{"1.5~2", EventTime{Kind: TimeAbsoluteRange, At: 1500 * ms, Until: 2000 * ms}},
		{"+0~+.1", EventTime{Kind: TimeRelativeRange, Until: 100 * ms}},
		{"+0...0.200", EventTime{Kind: TimeRelative, HasEnd: true, End: 200 * ms}},
		{".01...0.011", EventTime{Kind: TimeAbsolute, At: 10 * ms, HasEnd: true, End: 11 * ms}},
		{".000000001", EventTime{Kind: TimeAbsolute, At: 1}},
		{"1000000000.999999999", EventTime{Kind: TimeAbsolute, At: 1_000_000_000_999_999_999}},
	} {
		s := mustParse(t, "t", tt.src+" close(3) = 0")
		if got := s.Events()[0].Time; got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.src, got, tt.want)
		}
		if tt.want.Relative() != strings.HasPrefix(tt.src, "+") {
			t.Errorf("%s: relative is wrong", tt.src)
		}
	}
}

// TestSegmentTree: a segment's parts end up where they belong.
func TestSegmentTree(t *testing.T) {
	s := mustParse(t, "t", "+0 < [tos 0x2] 1 > 2 SE.3 5:15(10) ack 7 win ... urg 9 <mss 1460,TS val 1 ecr ...,sack 1:2 3:4,FO 0a0b,254 0xff>")
	clearPositions(reflect.ValueOf(s.Items))
	want := &Segment{
		PacketHead: PacketHead{Dir: Inbound, IP: IPMarks{TOS: Exactly(2)}, Ports: &Ports{Exactly(1), Exactly(2)}},
		Flags:      Flags{Bits: FlagSYN | FlagECE | FlagACK, HasACE: true, ACE: 3},
		Seq:        SeqRange{Begin: 5, End: 15, Len: 10},
		Ack:        Exactly(7),
		Win:        Field{Kind: FieldAny},
		Urg:        Exactly(9),
		Options: TCPOptions{Present: true, List: []TCPOption{
			{Kind: OptMSS, Value: Exactly(1460)},
			{Kind: OptTS, Value: Exactly(1), Echo: Field{Kind: FieldAny}},
			{Kind: OptSACK, Blocks: []SACKBlock{{1, 2}, {3, 4}}},
			{Kind: OptFO, Data: []byte{10, 11}},
			{Kind: OptRaw, Number: 254, Data: []byte{255}},
		}},
	}
	got := s.Events()[0].Action
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if f := want.Flags; !f.Has(FlagSYN|FlagACK) || f.Has(FlagFIN) {
		t.Error("Has is wrong")
	}
}
