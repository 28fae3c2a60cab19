package main

import (
	"bytes"
	"strings"
	"testing"
)

// A number that there isn't is one line and status 2.
func TestRFCStatus(t *testing.T) {
	for _, args := range [][]string{{"rfc", "MUST-70"}, {"rfc", "793"}, {"rfc", "--status", "maybe"}, {"rfc", "--nonsense"}} {
		var out, errs bytes.Buffer
		if got := run(args, &out, &errs); got != exitUsage {
			t.Errorf("%v: status %d, want %d", args, got, exitUsage)
		}
		if out.Len() > 0 || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%v: wrote %q and %q, want one line on stderr", args, out.String(), errs.String())
		}
	}
}
