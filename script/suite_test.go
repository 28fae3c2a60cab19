package script

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// suites is where other people's scripts lie, if they do.
const suites = "../../shared/packetdrill"

// scriptFiles returns all scripts below dir, or skips the test.
func scriptFiles(t testing.TB, dir string) []string {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no scripts at %s: %v", dir, err)
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".pkt") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no scripts", dir)
	}
	return files
}

// TestSuites: every script of the public suites parses, its %{ }% blocks too,
// and printing it loses nothing.
func TestSuites(t *testing.T) {
	for _, path := range scriptFiles(t, suites) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := mustParse(t, filepath.Base(path), string(src))
		for _, e := range s.Events() {
			if c, ok := e.Action.(*Code); ok {
				if _, err := s.ParseCode(c); err != nil {
					t.Error(err)
				}
			}
		}
		checkCommentsKept(t, string(src), s)
		checkRoundTrip(t, s)
	}
}

// checkCommentsKept counts comment openers outside of everything else; the
// suites have none in strings, commands or code but "#" in code.
func checkCommentsKept(t *testing.T, src string, s *Script) {
	t.Helper()
	printed := string(Print(s))
	for line := range strings.Lines(src) {
		if _, c, ok := strings.Cut(line, "//"); ok && !strings.Contains(printed, strings.TrimSpace(c)) {
			t.Errorf("%s: the comment %q is lost", s.Name, strings.TrimSpace(c))
		}
	}
}

func mustParse(t testing.TB, name, src string) *Script {
	t.Helper()
	s, err := Parse(name, []byte(src), ParseOptions{})
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, src)
	}
	return s
}

// checkRoundTrip: the canonical form parses to the same tree, and is its own
// canonical form.
func checkRoundTrip(t testing.TB, s *Script) {
	t.Helper()
	once := Print(s)
	again, err := Parse("printed", once, ParseOptions{})
	if err != nil {
		t.Fatalf("the canonical form of %s does not parse: %v\n%s", s.Name, err, once)
	}
	twice := Print(again)
	if string(once) != string(twice) {
		t.Fatalf("%s: the canonical form is not stable:\n%s\nand then:\n%s", s.Name, once, twice)
	}
	clearPositions(reflect.ValueOf(s.Items))
	clearPositions(reflect.ValueOf(again.Items))
	if !reflect.DeepEqual(s.Items, again.Items) {
		t.Fatalf("%s: the canonical form has another tree:\n%s", s.Name, once)
	}
}

// clearPositions sets every Pos below v to zero.
func clearPositions(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			clearPositions(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			clearPositions(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Pos]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			clearPositions(v.Field(i))
		}
	}
}
