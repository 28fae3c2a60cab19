package script

import (
	"strings"
	"testing"
)

// TestComments: comments and blank lines stay where they can, and move to the
// line before where they can't.
func TestComments(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"own lines", "// a\n\n\n\n/* b\n c */\n# d\n", "// a\n\n/* b\n c */\n# d\n"},
		{"no blank line first or last", "\n\n+0 a() = 0\n\n\n", "   +0 a() = 0\n"},
		{"trailing", "+0 a() = 0 // x  \n+0 bb() = 0 /* y */ // z\n", "   +0 a() = 0   // x\n   +0 bb() = 0  /* y */ // z\n"},
		{"trailing apart", "+0 a() = 0 // x\n+0 bbbb() = 0\n+0 cc() = 0 # z\n", "   +0 a() = 0  // x\n   +0 bbbb() = 0\n   +0 cc() = 0  # z\n"},
		{"trailing, two lines", "+0 a() = 0 /* x\n\n\n*/\n// y\n", "   +0 a() = 0  /* x\n\n\n*/\n// y\n"},
		{"inside", "+0 a() = 0\n\n+0 b( // x\n1, /* y */ 2) = 0 // z\n", "   +0 a() = 0\n\n// x\n/* y */\n   +0 b(1, 2) = 0  // z\n"},
		{"before, on the line", "/* x */ +0 a() = 0", "/* x */\n   +0 a() = 0\n"},
		{"not a directive", "+0 a( #endif\n) = 0 #else", "// #endif\n   +0 a() = 0  // #else\n"},
		{"directives", "# ifdef A // x\n# else\n# endif # y", "#ifdef A  // x\n#else\n#endif  # y\n"},
		{"not directives", "# if a\n#ifoo\n# else b\n# define\n#", "# if a\n#ifoo\n# else b\n# define\n#\n"},
		{"an option's value", "--a= // x\n--b=c//d\n--e =f # g\n--h", "--a=  // x\n--b=c//d\n--e=f  # g\n--h\n"},
		{"a blank line in a branch", "#ifdef A\n\n+0 a() = 0\n\n// x\n\n#else\n\n// y\n#endif\n\n// z", "#ifdef A\n   +0 a() = 0\n\n// x\n#else\n// y\n#endif\n\n// z\n"},
		{"carriage returns", "// a\r\n+0 a() = 0 // b\r\n\r\n`c\r\nd`\r\n", "// a\n   +0 a() = 0  // b\n\n`c\r\nd`\n"},
	} {
		got, err := Format([]byte(tt.src))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if string(got) != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		checkRoundTrip(t, mustParse(t, tt.name, tt.src))
	}
}

// TestLongCalls: a call longer than a line is broken behind commas, never in
// a string or a remark.
func TestLongCalls(t *testing.T) {
	word := strings.Repeat("w", 30)
	src := `+0 f("` + word + `, ` + word + `, \", ` + word + `", {a=1, b="` + word + `, ` + word + `"}, 3) = -1 EX (` + word + `, ` + word + `)`
	want := `   +0 f("` + word + `, ` + word + `, \", ` + word + `",
        {a=1, b="` + word + `, ` + word + `"}, 3) = -1 EX (` + word + `, ` + word + `)
`
	got, err := Format([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	checkRoundTrip(t, mustParse(t, "t", src))
}

// TestPrintBuilt: a tree that a program made prints too, though it has no
// text of its own.
func TestPrintBuilt(t *testing.T) {
	s := &Script{Items: []Item{
		&Option{Name: "ip_version", Value: "ipv4", HasValue: true},
		&Event{
			Layout: Layout{Blank: true},
			Time:   EventTime{Kind: TimeRelative},
			Action: &Call{
				Name:   "write",
				Args:   []Expr{&IntLit{Value: 4}, &StringLit{Value: "a\"\\\n\xff7"}, &IntLit{Negative: true, Value: 1}},
				Result: Result{Value: &Wildcard{}},
			},
		},
		&Event{Time: EventTime{Kind: TimeAny}, Action: &Segment{
			PacketHead: PacketHead{Dir: Outbound},
			Flags:      Flags{Bits: FlagSYN},
			Options:    TCPOptions{Present: true, Any: true},
		}},
	}}
	want := "--ip_version=ipv4\n\n   +0 write(4, \"a\\\"\\\\\\012\\3777\", -1) = ...\n    * > S 0:0(0) <...>\n"
	if got := string(Print(s)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again := mustParse(t, "t", want)
	arg := again.Events()[0].Action.(*Call).Args[1]
	if got := arg.(*StringLit).Value; got != "a\"\\\n\xff7" {
		t.Errorf("the string came back as %q", got)
	}
	if got := ExprString(arg); got != `"a\"\\\012\3777"` {
		t.Errorf("ExprString gives %s", got)
	}
}

// TestCommandLines: what stands between back-quotes is taken apart as a shell
// would, and no further.
func TestCommandLines(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want []CommandLine
	}{
		{"`a`", []CommandLine{{Pos{1, 2, 1}, "a"}}},
		{"` a  b\n\tc\n`", []CommandLine{{Pos{1, 3, 2}, "a b"}, {Pos{2, 2, 8}, "c"}}},
		{"`a \\\n  b;c&&d`", []CommandLine{{Pos{1, 2, 1}, "a b"}, {Pos{2, 5, 9}, "c"}, {Pos{2, 8, 12}, "d"}}},
		{"`a | b || c`", []CommandLine{{Pos{1, 2, 1}, "a | b || c"}}},
		{"`a \";  &&\" 'x\n  y' \\; z`", []CommandLine{{Pos{1, 2, 1}, "a \";  &&\" 'x\n  y' \\; z"}}},
		{"`# no\na # b\n;;a#b`", []CommandLine{{Pos{2, 1, 6}, "a"}, {Pos{3, 3, 14}, "a#b"}}},
		{"` \n`", nil},
		{"`a \\``", []CommandLine{{Pos{1, 2, 1}, "a \\`"}}},
	} {
		s := mustParse(t, "t", tt.src)
		got := s.Events()[0].Action.(*Command).Lines()
		if len(got) != len(tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.src, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: command %d is %+v, want %+v", tt.src, i, got[i], tt.want[i])
			}
		}
	}
}

// TestExprs: numbers and structs answer questions.
func TestExprs(t *testing.T) {
	s := mustParse(t, "t", "+0 f(-9223372036854775808, 9223372036854775808, 010, 0x10, {fd=4, events=POLLIN}) = 0")
	args := s.Events()[0].Action.(*Call).Args
	for i, want := range []struct {
		v  int64
		ok bool
	}{{-1 << 63, true}, {-1 << 63, false}, {10, true}, {16, true}} {
		if v, ok := args[i].(*IntLit).Int64(); v != want.v || ok != want.ok {
			t.Errorf("argument %d is %d, %v", i, v, ok)
		}
	}
	st := args[4].(*StructExpr)
	if got := st.Field("events"); got == nil || ExprString(got) != "POLLIN" || st.Field("revents") != nil {
		t.Errorf("field events is %v", got)
	}
}
