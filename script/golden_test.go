package script

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden: the canonical form of every own sample is the one in the file
// beside it.
func TestGolden(t *testing.T) {
	for _, path := range scriptFiles(t, "testdata/syntax") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := mustParse(t, filepath.Base(path), string(src))
		got := string(Print(s))
		golden := strings.TrimSuffix(path, ".pkt") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: canonical form is\n%s\nwant\n%s", path, got, want)
		}
		checkRoundTrip(t, s)
	}
}
