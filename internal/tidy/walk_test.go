package tidy

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "correct the lines in docs/performance.md")

// step is a function that a page names, with its file and line:
// [`Conn.Write`](../conn_io.go#L76).
var step = regexp.MustCompile("\\[`([A-Za-z0-9_.]+)`\\]\\(\\.\\./([a-z0-9_/]+\\.go)#L([0-9]+)\\)")

// TestWalk: the walk from Write to the wire and back names functions that
// there are, at the lines where they are. With -short a line may be stale,
// since every edit of the code moves some; -update corrects them.
func TestWalk(t *testing.T) {
	name := filepath.Join(root, "docs", "performance.md")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]map[string]int) // by file, of functions
	steps, stale := 0, 0
	text := step.ReplaceAllStringFunc(string(b), func(link string) string {
		m := step.FindStringSubmatch(link)
		fn, file := m[1], m[2]
		steps++
		if lines[file] == nil {
			lines[file] = functions(t, filepath.Join(root, filepath.FromSlash(file)))
		}
		line, ok := lines[file][fn]
		if !ok {
			t.Errorf("%s has no function %s: where does the walk lead now?", file, fn)
			return link
		}
		if strconv.Itoa(line) != m[3] {
			stale++
		}
		return fmt.Sprintf("[`%s`](../%s#L%d)", fn, file, line)
	})
	if steps < 20 {
		t.Errorf("only %d steps were found", steps)
	}
	switch {
	case stale == 0 || t.Failed():
	case *update:
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	case !testing.Short():
		t.Errorf("%d lines of docs/performance.md have moved: go generate ./internal/ledger, or go test ./internal/tidy -run TestWalk -update", stale)
	}
}

// functions are the lines of a file's functions: "Conn.Write" is a method.
func functions(t *testing.T, path string) map[string]int {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int)
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := fn.Name.Name
		if fn.Recv != nil {
			recv := fn.Recv.List[0].Type
			if star, ok := recv.(*ast.StarExpr); ok {
				recv = star.X
			}
			if id, ok := recv.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		found[strings.TrimSpace(name)] = fset.Position(fn.Pos()).Line
	}
	return found
}
