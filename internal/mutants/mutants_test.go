package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// Every mutant still finds its place in the source, exactly once.
func TestEveryMutantApplies(t *testing.T) {
	list, err := mutants()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 60 {
		t.Errorf("only %d mutants", len(list))
	}
	for _, m := range list {
		if _, err := m.apply(root); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if err := guarded(m); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

// guarded reports whether the test that should notice exists.
func guarded(m mutant) error {
	dir, test, _ := strings.Cut(m.by, " ")
	test, _, _ = strings.Cut(test, "/")
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), "\nfunc "+test+"(t *testing.T)") {
			return nil
		}
	}
	return fmt.Errorf("there is no test %s in %s", test, dir)
}

// Every mutant is caught. It takes longer than a test may by default: the
// command does the same.
func TestEveryMutantIsCaught(t *testing.T) {
	if os.Getenv("ESTAB_LONG") != "1" || testing.Short() {
		t.Skip("takes minutes: set ESTAB_LONG=1, or go run ./internal/mutants")
	}
	if at, ok := t.Deadline(); ok && time.Until(at) < 25*time.Minute {
		t.Skip("takes more than ten minutes: go test -timeout 30m, or go run ./internal/mutants")
	}
	list, err := mutants()
	if err != nil {
		t.Fatal(err)
	}
	lab, err := newLab(root, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer lab.close()
	if out, ok := lab.sound(); !ok {
		t.Fatalf("the tests fail without any mutant:\n%s", out)
	}
	for r := range lab.tryAll(list, 2) {
		if r.verdict != caughtIt {
			t.Errorf("%s %s: %s", r.name, r.verdict, r.by)
		}
	}
}

func TestParse(t *testing.T) {
	list, err := parse("# one\nfrom: a\nby: tcp TestX/y\nfile: f\n- \tx\n- \ty\n+ \tz\n\n# two\nfrom: b\nby: p T\nfile: g\n- p\n+ q\n")
	if err != nil || len(list) != 2 || list[0] != (mutant{"one", "a", "tcp TestX/y", "f", "\tx\n\ty", "\tz"}) || list[1].name != "two" {
		t.Errorf("parse: %v, %v", list, err)
	}
	if pkg, run := list[0].guard(); pkg != "./tcp" || run != "^TestX$/^y$" {
		t.Errorf("guard: %q, %q", pkg, run)
	}
	for _, bad := range []string{
		"# one\nby: p T\nfile: f\n- x\n+ y\n",
		"# one\nfrom: a\nfile: f\n- x\n+ y\n",
		"# one\nfrom: a\nby: p T\nfile: f\n- x\n+ x\n",
		"# one\nfrom: a\nby: p T\nfile: f\n+ x\n",
		"# one\nfrom: a\nby: p T\nfile: f\n- x\n+ y\n\n# one\nfrom: a\nby: p T\nfile: f\n- x\n+ y\n",
		"one\n",
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestCulprit(t *testing.T) {
	for _, c := range []struct{ out, want string }{
		{"--- FAIL: TestA (0.01s)\n    a_test.go:7: sent twice\n--- FAIL: TestB (0s)\nFAIL\n", "TestA: a_test.go:7: sent twice"},
		{"--- FAIL: TestA (0s)\n    --- FAIL: TestA/x (0s)\n        a_test.go:7: no\n    --- FAIL: TestA/y (0s)\n", "TestA/x: a_test.go:7: no"},
		{"--- FAIL: TestA (0s)\npanic: index out of range [recovered]\n", "TestA: panic: index out of range"},
		{"panic: test timed out after 2m0s\n\trunning tests:\n\t\tTestA (2m0s)\n", "TestA: panic: test timed out after 2m0s"},
		{"fatal error: out of memory\n\ngoroutine 7 [running]:\nestab/tcp.TestA(0xc0)\n", "TestA: panic: out of memory"},
		{"signal: killed\n", ""},
	} {
		if got := culprit(c.out); got != c.want {
			t.Errorf("culprit(%q) = %q, want %q", c.out, got, c.want)
		}
	}
	if s := culprit("--- FAIL: TestA (0s)\n    " + strings.Repeat("x", 500)); len(s) > 130 {
		t.Errorf("%d bytes", len(s))
	}
}
