package tidy

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"testing"
)

// TestDeterministicEngine: the packages whose output must be a function of
// their input start no goroutine, have no channel, no map order, no floating
// point, no init function and no variable that a call could change.
func TestDeterministicEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("type-checks the engine and what it imports")
	}
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "source", nil)
	for _, dir := range []string{"tcp/cc", "tcp", "inet"} {
		pkg, err := build.ImportDir(filepath.Join(root, dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		var files []*ast.File
		for _, name := range pkg.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(root, dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		conf := types.Config{Importer: imp}
		if _, err := conf.Check("estab/"+dir, fset, files, info); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool { return checkNode(t, fset, info, n) })
		}
	}
}

func checkNode(t *testing.T, fset *token.FileSet, info *types.Info, n ast.Node) bool {
	bad := func(what string) { t.Errorf("%v: %s", fset.Position(n.Pos()), what) }
	switch n := n.(type) {
	case *ast.GoStmt:
		bad("a goroutine")
	case *ast.SelectStmt:
		bad("select")
	case *ast.ChanType:
		bad("a channel")
	case *ast.FuncDecl:
		if n.Name.Name == "init" && n.Recv == nil {
			bad("an init function")
		}
	case *ast.RangeStmt:
		if _, ok := info.TypeOf(n.X).Underlying().(*types.Map); ok {
			bad("the order of a map")
		}
	case ast.Expr:
		if tv, ok := info.Types[n]; ok && tv.Value == nil {
			if b, ok := tv.Type.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
				bad("floating point")
			}
		}
	}
	return true
}
