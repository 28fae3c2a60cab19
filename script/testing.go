package script

import (
	"path/filepath"
	"testing"
)

// Run plays the scripts that the patterns name (as in filepath.Glob), each in a
// subtest of its own. A script that fails prints what it expected, what
// happened, and the exchange of segments up to there. One that does not apply
// is skipped, with the reason.
//
//	func TestClose(t *testing.T) {
//		script.Run(t, script.Options{Strict: true}, "testdata/close/*.pkt")
//	}
func Run(t *testing.T, o Options, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no scripts match %s: %v", pattern, err)
		}
		for _, path := range files {
			t.Run(filepath.ToSlash(path), func(t *testing.T) {
				reports, err := RunFile(path, o)
				if err != nil {
					t.Fatal(err)
				}
				judge(t, reports)
			})
		}
	}
}

// judge fails or skips the test. What is wrong in one family is mostly wrong in
// all: only the first is told in full.
func judge(t *testing.T, reports []Report) {
	t.Helper()
	failed, apply := 0, 0
	for i := range reports {
		r := &reports[i]
		switch {
		case r.Verdict == Failed && failed == 0:
			t.Errorf("%s", r.String())
		case r.Verdict == Failed:
			t.Errorf("%s: also in %s: %s", r.Name, r.Family, r.Reason)
		}
		if r.Verdict == Failed {
			failed++
		}
		if r.Verdict != NotApplicable {
			apply++
		}
	}
	if apply == 0 {
		t.Skipf("%s", reports[0].String())
	}
}
