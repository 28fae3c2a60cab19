package page

import (
	"strings"
	"testing"
)

// TestDiff: every kind of difference is told, in numbers that agree.
func TestDiff(t *testing.T) {
	s := &Session{}
	for _, x := range []struct {
		link string
		says []string
	}{
		{"four-way-close?msl=1s", []string{"A is in CLOSED 238 s earlier"}},
		{"handshake?lose=A:2", []string{"2 segments are new", "1 segment has another fate", "B is in ESTABLISHED", "later"}},
		{"handshake?lose=A:1-", []string{"the states of A are others", "the states of B are others", "segments are gone"}},
		{"handshake?window=4096", []string{"segments have another window or other options"}},
		{"handshake?seed=2", []string{"only the initial sequence numbers are others"}},
		{"handshake?retries=3", []string{"Nothing has changed."}},
		{"nagle?delay=20ms", []string{"segments come at other times"}},
	} {
		e, err := ParseLink(x.link)
		if err != nil {
			t.Fatal(err)
		}
		r := mustRun(t, s, e)
		both(t, x.link, r.Diff.Summary)
		for _, part := range x.says {
			if !strings.Contains(r.Diff.Summary.EN, part) {
				t.Errorf("%s: %s: %q is not said", x.link, r.Diff.Summary.EN, part)
			}
		}
	}
}
