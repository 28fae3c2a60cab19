package script

import (
	"fmt"
	"strings"
	"testing"
)

// testNames are what the blocks of these tests may name.
func testNames(name string) (Value, bool) {
	v, ok := map[string]Value{
		"ten":           IntValue(10),
		"zero":          IntValue(0),
		"half":          FloatValue(0.5),
		"word":          StringValue("abc"),
		"yes":           BoolValue(true),
		"pair":          TupleValue(IntValue(1), StringValue("x")),
		"TCP_LAST_ACK":  IntValue(9),
		"tcpi_state":    IntValue(9),
		"tcpi_snd_cwnd": IntValue(10),
		"huge":          IntValue(1<<63 - 1),
		"least":         IntValue(-1 << 63),
	}[name]
	return v, ok
}

// runBlock runs a block and returns what it prints.
func runBlock(src string) (printed string, err error) {
	p, err := ParseProgram("t", src)
	if err != nil {
		return "", err
	}
	var lines []string
	err = p.Run(Env{Lookup: testNames, Print: func(line string) { lines = append(lines, line) }})
	return strings.Join(lines, "\n"), err
}

// TestExpressions: values and operators are Python's.
func TestExpressions(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		// Literals.
		{"1", "1"}, {"0x1F", "31"}, {"1_000", "1000"}, {"1.5", "1.5"}, {".5", "0.5"}, {"1e3", "1000.0"}, {"1e-2", "0.01"},
		{"'a' \"b\"", "ab"}, {`'\x41\n'`, "A\n"}, {"True", "True"}, {"None", "None"}, {"()", ""}, {"[1, 'a']", "1 a"}, {"(1,)", "1"},
		{"((1, 'x'), 2)", `(1, "x") 2`},
		// Precedence and association.
		{"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"10 - 4 - 3", "3"}, {"1 | 2 ^ 3 & 2", "1"}, {"1 << 2 + 1", "8"},
		{"6 & 3 == 2", "True"}, {"not 1 == 2", "True"}, {"not not 1", "True"}, {"-2 + 3", "1"}, {"~0", "-1"}, {"- - 1", "1"}, {"+yes", "1"},
		// Integers: rounding is towards minus infinity.
		{"7 // 2, -7 // 2, 7 // -2", "3 -4 -4"}, {"7 % 3, -7 % 3, 7 % -3, -7 % -1", "1 2 -2 0"}, {"7 / 2, 6 / 2", "3.5 3.0"},
		{"1 >> 70, -1 >> 70, 0 << 99", "0 -1 0"}, {"-1 << 62", "-4611686018427387904"}, {"huge + least", "-1"}, {"-1 * huge", "-9223372036854775807"},
		{"-4611686018427387904 * 2", "-9223372036854775808"}, {"least * 1", "-9223372036854775808"},
		// Floats.
		{"half * 4, half + 1, half - 1", "2.0 1.5 -0.5"}, {"5.5 // 2, 5.5 % 2, -5.5 % 2", "2.0 1.5 0.5"}, {"-half, +half", "-0.5 0.5"},
		// Comparisons.
		{"1 < 2 < 3, 1 < 3 < 2, 3 > 2 >= 2 != 1", "True False True"}, {"1 == 1.0, True == 1, 'a' == 1, None == None", "True True False True"},
		{"'a' < 'b', (1, 2) < (1, 3), (1,) < (1, 2)", "True True True"}, {"ten in (9, 10), ten not in [10]", "True False"},
		{"1 <= 1, 1 >= 2, 'a' != 1", "True False True"},
		// and, or: the deciding operand, and the other not looked at.
		{"0 or ten", "10"}, {"zero and nobody", "0"}, {"ten or nobody", "10"}, {"'' or () or None", "None"}, {"1 > 2 > nobody", "False"},
		// Functions.
		{"abs(-3), abs(-1.5), min(3, 1, 2), max((3, 1)), len('abc'), len((1, 2))", "3 1.5 1 3 3 2"},
		{"int(3.9), int(-3.9), int(' 12 '), int(yes), float(3), float('.5'), str(3)", "3 -3 12 1 3.0 0.5 3"},
		// Formats.
		{"'cwnd=%d' % tcpi_snd_cwnd", "cwnd=10"}, {"'%s %r %d%%' % ('a', 'b', 3)", `a "b" 3%`}, {"'%05d|%-5d|%+d|% d|%5d' % (42, 42, 42, 42, -42)", "00042|42   |+42| 42|  -42"},
		{"'%x %X %#x %o %.3d' % (255, 255, 255, 8, 7)", "ff FF 0xff 10 007"}, {"'%.2f %g %e %d' % (1.5, .5, 1, 2.9)", "1.50 0.5 1.000000e+00 2"},
		{"'%.1s|%3s' % ('abc', 'x')", "a|  x"}, {"'%d %s' % pair", "1 x"}, {"'%ld' % 5", "5"},
	} {
		if got, err := runBlock("print " + tt.src); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.src, got, err, tt.want)
		}
	}
}

// TestStatements: blocks as scripts have them.
func TestStatements(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{" assert tcpi_state == TCP_LAST_ACK ", ""},
		{"\nassert tcpi_snd_cwnd == 10, tcpi_snd_cwnd   # why\n  assert 1, 'x'\r\n", ""},
		{"assert ten == 10; print ten; print(ten, word);", "10\n10 abc"},
		{"print\nprint()\nprint 'a', 1\npass", "\n\na 1"},
		{"assert (ten ==\n  10)\nassert ten == \\\n 10", ""},
		{"assert (False, 'a tuple is true')", ""},
		{"'a remark'\nten", ""},
		{"", ""},
	} {
		if got, err := runBlock(tt.src); err != nil || got != tt.want {
			t.Errorf("%q: got %q, %v; want %q", tt.src, got, err, tt.want)
		}
	}
}

// TestBlockErrors: what is no expression, what is not supported, what is not
// known and what does not hold are different errors, each with its place.
func TestBlockErrors(t *testing.T) {
	for _, tt := range []struct {
		kind      ErrorKind
		src, want string
	}{
		{SyntaxError, "assert", "t:1:7: expected a value, found the end of the block"},
		{SyntaxError, "assert 1 +\n2", "t:1:11: expected a value, found the end of the line"},
		{SyntaxError, "assert 1 2", `t:1:10: expected the end of the statement, found "2"`},
		{SyntaxError, "assert (1", `t:1:10: expected ")", found the end of the block`},
		{SyntaxError, "assert [1)", `t:1:10: expected "]", found ")"`},
		{SyntaxError, "assert 1 not 2", `t:1:14: expected "in" after "not", found "2"`},
		{SyntaxError, "assert 'a", "t:1:8: the string has no closing quote"},
		{SyntaxError, "print 1\nprint 1x", `t:2:7: malformed number "1x"`},
		{SyntaxError, "print 1.2.3", `t:1:7: malformed number "1.2.3"`},
		{SyntaxError, "print 1 $ 2", `t:1:9: expected the end of the statement, found "$"`},
		{SyntaxError, "print \x01", "t:1:7: unexpected character"},
		{NotSupported, "x = 1", `t:1:3: "=" is not supported in a %{ }% block`},
		{NotSupported, "if ten: pass", `t:1:1: "if" is not supported`},
		{NotSupported, "\nimport os", `t:2:1: "import" is not supported`},
		{NotSupported, "print 1 if ten else 2", `t:1:9: "if" is not supported`},
		{NotSupported, "print 2 ** 3", `t:1:9: "**" is not supported`},
		{NotSupported, "print word.upper()", `t:1:11: "." is not supported`},
		{NotSupported, "print pair[0]", `t:1:11: "[" is not supported`},
		{NotSupported, "print {1: 2}", `t:1:7: "{" is not supported`},
		{NotSupported, "print lambda: 1", `t:1:7: "lambda" is not supported`},
		{NotSupported, "print ten is None", `t:1:11: "is" is not supported`},
		{NotSupported, "print eval('1')", `t:1:7: the function eval is not supported`},
		{NotSupported, "print f'x'", `t:1:7: strings with a prefix are not supported`},
		{NotSupported, "print '''x'''", `t:1:7: strings in triple quotes are not supported`},
		{NotSupported, `print '\N'`, `t:1:8: this escape is not supported in a string`},
		{NotSupported, "print 18446744073709551615", "t:1:7: integers beyond 64 bits are not supported"},
		{NotSupported, "print huge + 1", "t:1:12: the result is an integer beyond 64 bits"},
		{NotSupported, "print least - 1", "beyond 64 bits"}, {NotSupported, "print huge * 2", "beyond 64 bits"},
		{NotSupported, "print -least", "beyond 64 bits"}, {NotSupported, "print abs(least)", "beyond 64 bits"},
		{NotSupported, "print least // -1", "beyond 64 bits"}, {NotSupported, "print 1 << 63", "beyond 64 bits"},
		{NotSupported, "print int(1e300)", "beyond 64 bits"}, {NotSupported, "print least * -1", "beyond 64 bits"},
		{UnknownName, "assert ten == 10\nassert ten == tcpi_nobody, word", `t:2:15: unknown name "tcpi_nobody"`},
		{EvalError, "print 1 // 0", "t:1:9: division by zero"}, {EvalError, "print 1 % zero", "division by zero"},
		{EvalError, "print 1 / 0", "division by zero"}, {EvalError, "print half % 0", "division by zero"},
		{EvalError, "print 1 < 'a'", "t:1:9: int and str have no order"}, {EvalError, "print None < None", "None and None have no order"},
		{EvalError, "print 1 in 2", `"in" needs a tuple, not a value of type int`},
		{EvalError, "print 1 << -1", "negative shift count"}, {EvalError, "print half & 1", `"&" does not apply to a float`},
		{EvalError, "print 'a' - 1", `t:1:11: "-" does not apply to str and int`}, {EvalError, "print -'a'", `"-" does not apply to a value of type str`},
		{EvalError, "print ~half", `"~" does not apply to a value of type float`},
		{EvalError, "print len(1)", "len does not apply to a value of type int"}, {EvalError, "print abs(1, 2)", "abs takes one argument, not 2"},
		{EvalError, "print min()", "min of nothing"}, {EvalError, "print max(1, 'a')", "str and int have no order"},
		{EvalError, "print int('x')", `int of a string that is no number: "x"`},
		{EvalError, "print '%d' % 'a'", "the verb %d does not apply to a value of type str"}, {EvalError, "print '%d' % ()", "more verbs than there are values"},
		{EvalError, "print 'a' % 1", "fewer verbs than there are values"}, {EvalError, "print '%' % 1", "ends within a verb"},
		{EvalError, "print '%999999999999999999999d' % 1", "a width in a format is more than 256"}, {EvalError, "print '%.257d' % 1", "more than 256"},
		{EvalError, "print '%c' % 1", "the verb %c is not supported in a format"}, {EvalError, "print '%d' % 1e300", "too large for the verb %d"},
		{AssertionFailed, "assert  tcpi_snd_cwnd  ==\t9", "t:1:1: assertion failed: tcpi_snd_cwnd == 9; tcpi_snd_cwnd is 10"},
		{AssertionFailed, "assert ten == 9 or word == 'x', 'no: %d' % ten", `assertion failed: ten == 9 or word == 'x'; ten is 10, word is "abc": no: 10`},
		{AssertionFailed, "assert 1 == 2, 'a', 3", `assertion failed: 1 == 2: ("a", 3)`},
		{UnknownName, "assert 1 == 2, nobody", `t:1:16: unknown name "nobody"`},
	} {
		_, err := runBlock(tt.src)
		checkError(t, tt.src, err, tt.kind, tt.want)
	}
}

// TestBlockLimits: depth and size of a block end in a clear line.
func TestBlockLimits(t *testing.T) {
	depth := func(n int) string { return "print " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) }
	chain := func(n int) string { return "print 1" + strings.Repeat(" + 1", n) }
	for _, tt := range []struct{ ok, bad, want string }{
		{depth(maxExprDepth - 1), depth(maxExprDepth), "t:1:71: nested deeper than 64"},
		{chain(maxExprNodes/2 - 1), chain(maxExprNodes / 2), "t:1:20005: the block has more than 10000 values and operators"},
		{"print " + strings.Repeat("not ", maxExprDepth-1) + "1", "print " + strings.Repeat("not ", maxExprDepth) + "1", "nested deeper than 64"},
		{"print " + strings.Repeat("-", maxExprDepth-1) + "1", "print " + strings.Repeat("-", maxExprDepth) + "1", "nested deeper than 64"},
	} {
		if _, err := runBlock(tt.ok); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		_, err := runBlock(tt.bad)
		checkError(t, clip(tt.bad), err, LimitError, tt.want)
	}
}

// TestParseCode: a block in a script reports places in the script, and tells
// what it will look up.
func TestParseCode(t *testing.T) {
	s := mustParse(t, "t.pkt", "+0 %{ assert a == b, c\nassert a == oops }%\n+0 %{ x = 1 }%")
	p, err := s.ParseCode(s.Events()[0].Action.(*Code))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(p.Names()), "[{1:14 a} {1:19 b} {1:22 c} {2:13 oops}]"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
	err = p.Run(Env{Lookup: func(name string) (Value, bool) { return IntValue(1), name != "oops" }})
	if want := "t.pkt:2:13: unknown name \"oops\"\nassert a == oops }%\n            ^"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %v", err, want)
	}
	if err := p.Run(Env{}); err == nil || !strings.Contains(err.Error(), `t.pkt:1:14: unknown name "a"`) {
		t.Errorf("an empty Env: %v", err)
	}
	_, err = s.ParseCode(s.Events()[1].Action.(*Code))
	checkError(t, "x = 1", err, NotSupported, `t.pkt:3:9: "=" is not supported`)

	// A block from elsewhere has places of its own.
	_, err = s.ParseCode(&Code{Pos: Pos{9, 9, 9}, Text: "assert )"})
	checkError(t, "elsewhere", err, SyntaxError, `t.pkt:1:8: expected a value, found ")"`)
}

// TestValues: a Value tells what it is.
func TestValues(t *testing.T) {
	if i, ok := BoolValue(true).Int64(); i != 1 || !ok {
		t.Error("a bool is no int")
	}
	if _, ok := FloatValue(1).Int64(); ok {
		t.Error("a float is an int")
	}
	if (Value{}).Kind() != NoneKind || (Value{}).Truth() || (Value{}).String() != "None" {
		t.Error("the zero Value is not None")
	}
	for _, v := range []Value{IntValue(0), FloatValue(0), StringValue(""), TupleValue(), BoolValue(false)} {
		if v.Truth() {
			t.Errorf("%s is true", v)
		}
	}
	if got := TupleValue(FloatValue(1), StringValue("a"), Value{}).String(); got != `(1.0, "a", None)` {
		t.Errorf("tuple prints as %s", got)
	}
	nan := FloatValue(0)
	nan.f /= nan.f
	if _, ok := compare(nan, nan); ok {
		t.Error("NaN has an order")
	}
}
