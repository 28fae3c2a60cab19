package script

import (
	"errors"
	"os"
	"testing"
)

// FuzzParse: no input panics, loops or outgrows its limits, and what parses
// has a canonical form with the same tree.
func FuzzParse(f *testing.F) {
	for _, path := range scriptFiles(f, "testdata/syntax") {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("+0 > sctp: a[b];\n c // d\n+0 < [ce] icmp 3 [sctp (1)] [ect0]\n* > - ...(0) <a (b,c) ...>"))
	f.Add([]byte("--a = \"b\" --c=#d\n#ifndef A /* b\n*/ # else\n#else\n#endif\n`a\\`b` .1...2 f(-0x1, a()|b, {c(.5)=[...]}) = *~1 E (n (m))"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("fuzz", src, ParseOptions{MaxBytes: 1 << 16})
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || len(e.Error()) > 1000 || e.Msg == "" {
				t.Fatalf("bad error %q", err)
			}
			return
		}
		for _, e := range s.Events() {
			switch a := e.Action.(type) {
			case *Command:
				a.Lines()
			case *Code:
				if p, err := s.ParseCode(a); err == nil {
					p.Names()
				}
			}
		}
		checkRoundTrip(t, s)
	})
}

// FuzzExpr: no block panics or takes long, whatever values its names have,
// and running it twice gives the same.
func FuzzExpr(f *testing.F) {
	for _, src := range []string{
		"assert tcpi_lost == 6, tcpi_lost",
		"assert 1 < a <= 0x10 != .5 and not b or c in (1, 'x',), 'cwnd=%-05.3d%%' % (a, b)",
		"print -a // b % 3 << 2 >> ~1 & c | d ^ 4 * 5 / 6\nprint(abs(a), min(b, 1), max([c]), len('x' \"y\"), int(d), float(a), str(b))\n",
		"print 'a' + \"\\x41\\\"\" # c\npass; assert (1,\n2) \\\n not in ()",
	} {
		f.Add(src, int64(10), 0.5, "abc")
	}
	f.Add("print a * b, -a, a // b, a % b, a << b, '%d' % b", int64(-1<<63), -1e300, "%s")
	f.Fuzz(func(t *testing.T, src string, i int64, fl float64, str string) {
		if len(src) > 1<<14 || len(str) > 1<<10 {
			return
		}
		values := []Value{IntValue(i), FloatValue(fl), StringValue(str), BoolValue(i > 0), TupleValue(IntValue(i), StringValue(str)), {}}
		env := func(out *string) Env {
			return Env{
				Lookup: func(name string) (Value, bool) {
					n := int(name[0]) % (len(values) + 1)
					if n == len(values) {
						return Value{}, false
					}
					return values[n], true
				},
				Print: func(line string) { *out += line + "\n" },
			}
		}
		p, err := ParseProgram("fuzz", src)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("bad error %q", err)
			}
			return
		}
		p.Names()
		var out1, out2 string
		err1, err2 := p.Run(env(&out1)), p.Run(env(&out2))
		if out1 != out2 || (err1 == nil) != (err2 == nil) || err1 != nil && err1.Error() != err2.Error() {
			t.Fatalf("two runs differ: %v and %v, %q and %q", err1, err2, out1, out2)
		}
	})
}
