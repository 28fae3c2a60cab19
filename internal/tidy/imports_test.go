package tidy

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// pure are the standard packages that compute and nothing else: free to all.
var pure = []string{
	"bytes", "cmp", "container/heap", "crypto/subtle", "encoding/binary", "encoding/hex", "encoding/json", "encoding/xml", "errors", "fmt", "hash/maphash", "io", "iter",
	"maps", "math", "math/big", "math/bits", "regexp", "slices", "sort", "strconv", "strings", "unicode",
	"unicode/utf8", "unsafe",
}

// mayImport is the table of ARCHITECTURE.md: what a package may import beside
// the pure packages. A package that is not listed fails the test, so that a new
// one is thought about.
var mayImport = map[string][]string{
	"internal/seq":   {},
	"internal/wire":  {"internal/seq", "net/netip", "sync/atomic", "x/sys"},
	"internal/netem": {"internal/wire", "time"},
	"internal/netns": {"net", "os", "os/exec", "testing", "runtime", "syscall", "sync", "time", "x/sys"},
	"internal/trace": {"tcp", "inet", "internal/wire", "internal/seq", "time", "net/netip"},
	"tcp/cc":         {"time"},
	"tcp":            {"tcp/cc", "internal/seq", "internal/wire", "net/netip", "time"},
	"inet":           {"tcp", "internal/seq", "internal/wire", "net/netip", "time"},
	"link":           {"internal/wire", "internal/netem", "net", "os", "sync", "sync/atomic", "time", "x/sys"},
	"link/tun":       {"link", "internal/wire", "net/netip", "net", "os", "runtime", "sync", "sync/atomic", "syscall", "time", "x/sys"},
	"sim":            {"inet", "tcp", "internal/wire", "internal/netem", "internal/seq", "internal/trace", "math/rand/v2", "net/netip", "time"},
	"sim/soak":       {"sim", "tcp", "internal/wire", "internal/netem", "internal/seq", "internal/trace", "math/rand/v2", "time"},
	"sim/explore":    {"tcp", "internal/wire", "internal/seq", "internal/trace", "time"},
	"script":         {"sim", "inet", "tcp", "internal/wire", "internal/seq", "internal/trace", "internal/netem", "net/netip", "testing", "time", "path/filepath", "io/fs", "os", "sync", "runtime"},
	"script/kernel":  {"script", "link", "link/tun", "internal/netns", "internal/wire", "net/netip", "os", "os/exec", "os/signal", "io/fs", "bufio", "runtime", "runtime/debug", "sync/atomic", "syscall", "time", "x/sys"},
	"":               {"inet", "tcp", "link", "internal/wire", "net", "net/netip", "sync", "sync/atomic", "context", "time", "crypto/rand", "os", "syscall", "runtime"},
	"internal/lab":   {"sim", "script", "inet", "tcp", "internal/trace", "internal/wire", "internal/seq", "internal/netem", "net/netip", "time"},
	"estabtest":      {"estab", "link", "inet", "tcp", "internal/wire", "internal/netem", "internal/seq", "internal/trace", "testing", "context", "net", "net/netip", "os", "path/filepath", "sync", "sync/atomic", "time", "math/rand/v2", "runtime", "syscall", "testing/synctest", "io/fs", "hash/fnv", "bufio", "crypto/rand"},
	"internal/tidy":  {},

	"internal/lab/page":   {"internal/lab", "internal/trace", "internal/wire", "tcp", "net/url", "time"},
	"internal/ledger":     {"embed"},
	"internal/ledger/gen": {"internal/ledger", "go/ast", "go/parser", "go/token", "io/fs", "os", "path", "path/filepath"},
	"internal/mutants":    {"embed", "flag", "os", "os/exec", "path/filepath", "runtime", "time"},
}

// packages calls f for each Go file of the root module that is not a test.
func packages(t *testing.T, f func(dir, path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || exists(filepath.Join(path, "go.mod"))) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			dir := filepath.ToSlash(filepath.Dir(rel))
			if dir == "." {
				dir = ""
			}
			f(dir, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestImports(t *testing.T) {
	fset := token.NewFileSet()
	packages(t, func(dir, path string) {
		allowed, ok := mayImport[dir]
		if !ok {
			t.Errorf("package estab/%s is not in the table of imports (internal/tidy/imports_test.go, ARCHITECTURE.md)", dir)
			return
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			short := strings.TrimPrefix(name, "estab/")
			if strings.HasPrefix(name, "golang.org/x/sys") {
				short = "x/sys"
			}
			if !slices.Contains(pure, name) && !slices.Contains(allowed, short) {
				t.Errorf("%s imports %s, which its package may not", path, name)
			}
		}
	})
}

// TestRootModule: what a library requires, every embedder inherits.
func TestRootModule(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "require"))
		if mod, _, ok := strings.Cut(line, " v"); ok && !strings.HasPrefix(line, "//") {
			required = append(required, mod)
		}
		if v, ok := strings.CutPrefix(line, "go "); ok && v != "1.26" && !strings.HasPrefix(v, "1.26.") {
			t.Errorf("go.mod says go %s, want 1.26", v)
		}
	}
	if len(required) > 1 || len(required) == 1 && required[0] != "golang.org/x/sys" {
		t.Errorf("go.mod requires %v; only golang.org/x/sys may be required", required)
	}
}

// TestFileLength: a file is read in one sitting.
func TestFileLength(t *testing.T) {
	packages(t, func(dir, path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > 600 {
			t.Errorf("%s has %d lines: is it one idea?", path, n)
		}
	})
}
