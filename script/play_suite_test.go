package script

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPlaySuites plays the sample of the public suites, where it is present:
// none may fail, and what does not apply is counted and for a known reason.
func TestPlaySuites(t *testing.T) {
	scriptFiles(t, suites)
	t.Run("google", func(t *testing.T) {
		playSuite(t, suites+"/google", Options{Families: strict.Families}, 8)
	})
	t.Run("google-loose", func(t *testing.T) { playSuite(t, suites+"/google", Options{Loose: true}, 8) })
	t.Run("freebsd", func(t *testing.T) { playSuite(t, suites+"/freebsd", Options{Loose: true}, 16) })
}

func playSuite(t *testing.T, dir string, o Options, notApplicable int) {
	t.Helper()
	passed, skipped := 0, map[string]string{}
	for _, path := range scriptFiles(t, dir) {
		reports, err := RunFile(path, o)
		if err != nil {
			t.Error(err)
			continue
		}
		for i := range reports {
			switch r := &reports[i]; r.Verdict {
			case Passed:
				passed++
			case Failed:
				t.Errorf("%s", r)
			case NotApplicable:
				skipped[path] = r.Reason
				if r.Line == 0 || r.Source == "" {
					t.Errorf("%s is not applicable, but no line says why", path)
				}
			}
		}
	}
	for path, reason := range skipped {
		name := filepath.Base(path)
		if strings.Contains(name, "insecure") != strings.Contains(reason, whyInsecure) {
			t.Errorf("%s is not applicable: %s", name, reason)
		}
	}
	if passed == 0 || len(skipped) > notApplicable {
		t.Errorf("%d passed, %d are not applicable", passed, len(skipped))
	}
}

// TestFeaturesAreLines: every line in the list of missing features is one that
// states a segment or an assertion.
func TestFeaturesAreLines(t *testing.T) {
	for _, path := range scriptFiles(t, suites+"/google") {
		src, err := readScript(path)
		if err != nil {
			t.Fatal(err)
		}
		s := mustParse(t, path, string(src))
		for _, m := range missingFeatures {
			if m.script != shortName(path) {
				continue
			}
			found := false
			for _, e := range s.Events() {
				found = found || e.Pos.Line == m.line
			}
			if !found {
				t.Errorf("%s has no event on line %d", m.script, m.line)
			}
		}
	}
}
