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
				for i := range reports {
					judge(t, &reports[i])
				}
			})
		}
	}
}

func judge(t *testing.T, r *Report) {
	t.Helper()
	switch r.Verdict {
	case Failed:
		t.Errorf("%s", r.String())
	case NotApplicable:
		t.Skipf("%s", r.String())
	}
}
