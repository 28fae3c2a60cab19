package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

const root = "../../.."

// Every requirement that is obeyed has code and a test, and every comment names
// a requirement that there is.
func TestLedgerIsComplete(t *testing.T) {
	_, wrong, err := generate(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// lineNumber is what in the documents changes with every edit of the code.
var lineNumber = regexp.MustCompile(`(\.(?:go|pkt))(?::\d+|#L\d+| \d+)`)

// The documents say what the comments say. A shorter run lets the numbers of
// lines pass: they change with every edit.
func TestDocumentsAreFresh(t *testing.T) {
	files, _, err := generate(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		got := string(b)
		if testing.Short() {
			got, want = lineNumber.ReplaceAllString(got, "$1"), lineNumber.ReplaceAllString(want, "$1")
		}
		if got != want {
			t.Errorf("%s is stale: run go generate ./internal/ledger\n%s", name, firstDifference(got, want))
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "it says\n\t" + g[i] + "\nand should say\n\t" + w[i]
		}
	}
	return "one is longer"
}

// The forms of a comment, and what is said about wrong ones.
func TestScan(t *testing.T) {
	tree := fstest.MapFS{
		"tcp/a.go": {Data: []byte(`package tcp

// f is a function.
// Obeys: RFC 9293 MUST-1, MUST-2; RFC 6298 5.5.
func f() {
	if g() { // Obeys: RFC 9293 MUST-3.
		return
	}
	// Obeys: RFC 9293 MUST-4.
	g()
}

type conn struct {
	wnd uint32 // Obeys: RFC 9293 REC-1.
}

// Shows: RFC 9293 MUST-1.
var x int

// Obeys: RFC 9293 MUST-1
var y int

// Obeys: MUST-1.
var z int
`)},
		"tcp/a_test.go": {Data: []byte(`package tcp

// One thing.
// Shows: RFC 9293 MUST-1.
func TestF(t *testing.T) {
	// Shows: RFC 9293 MUST-2.
	f()
}

// Shows: RFC 9293 MUST-1.
func helper() {}

// Obeys: RFC 9293 MUST-1.
func TestG(t *testing.T) {}
`)},
		"script/testdata/close.pkt": {Data: []byte("// A close.\n// Shows: RFC 9293 MUST-12.\n0 close(3)\n// Obeys: RFC 9293 MUST-1.\n")},
		".git/x.go":                 {Data: []byte("package x // Obeys: nonsense\n")},
	}
	ties, wrong, err := scan(tree)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(places(ties)) {
		if line[0] != '#' {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
	}
	want := []string{
		"obeys 6298 5.5 tcp/a.go 5 f",
		"obeys 9293 MUST-1 tcp/a.go 5 f",
		"obeys 9293 MUST-2 tcp/a.go 5 f",
		"obeys 9293 MUST-3 tcp/a.go 6 f",
		"obeys 9293 MUST-4 tcp/a.go 10 f",
		"obeys 9293 REC-1 tcp/a.go 14 conn",
		"shows 9293 MUST-1 tcp/a_test.go 5 TestF",
		"shows 9293 MUST-12 script/testdata/close.pkt 2 close",
		"shows 9293 MUST-2 tcp/a_test.go 7 TestF",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("places:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	complaints := []string{
		"script/testdata/close.pkt:4: a script obeys nothing: it shows",
		"tcp/a.go:18: Shows: stands in a test",
		`tcp/a.go:21: Obeys: "RFC 9293 MUST-1" doesn't end with a full stop`,
		`tcp/a.go:24: Obeys: "MUST-1" is not RFC, its number and requirements`,
		`tcp/a_test.go:11: Shows: stands at a Test, Fuzz or Example function, not at "helper"`,
		"tcp/a_test.go:14: Obeys: stands in code, not in a test",
	}
	if strings.Join(wrong, "\n") != strings.Join(complaints, "\n") {
		t.Errorf("complaints:\n%s\nwant\n%s", strings.Join(wrong, "\n"), strings.Join(complaints, "\n"))
	}
}
