package script

import (
	"os"
	"strings"
	"testing"
)

// strict plays our own scripts: no tolerance, nothing left over, every family.
var strict = Options{Strict: true, Families: []Family{IPv4, IPv6, IPv4Mapped}}

// TestOwn plays our own scripts, one behaviour a file, by RFC and section.
func TestOwn(t *testing.T) {
	Run(t, strict, "testdata/rfc*/*.pkt", "testdata/rfc*/*/*.pkt")
}

// ownScripts are the files of TestOwn.
func ownScripts(t *testing.T) []string {
	t.Helper()
	files, err := Find("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, f := range files {
		if strings.HasPrefix(f, "testdata/rfc") {
			own = append(own, f)
		}
	}
	return own
}

// TestOwnHaveReasons: the first line says what is expected, and cites who says
// so.
func TestOwnHaveReasons(t *testing.T) {
	own := ownScripts(t)
	if len(own) < 40 {
		t.Errorf("only %d scripts", len(own))
	}
	for _, path := range own {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(src), "\n")
		if !strings.HasPrefix(first, "// ") || !strings.Contains(first, "RFC ") || !strings.Contains(first, "§") {
			t.Errorf("%s: the first line is no reason: %s", path, first)
		}
	}
}

// TestSame: the same script gives the same segments, every time.
func TestSame(t *testing.T) {
	const src = `
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...1 connect(3, ..., ...) = 0
+0 > S 0:0(0) <mss 1460>
`
	one, err := RunSource("same.pkt", []byte(src), Options{})
	if err != nil {
		t.Fatal(err)
	}
	two, err := RunSource("same.pkt", []byte(src), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if one[0].String() != two[0].String() || one[0].Verdict != Failed {
		t.Errorf("%s\nand then\n%s", one[0].String(), two[0].String())
	}
}
