package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"estab/internal/ledger"
)

// tie is a comment that ties a place to requirements.
type tie struct {
	ledger.Place
	shows bool // else obeys
	refs  []ledger.Ref
}

// form is what such a comment looks like, after the slashes.
var form = regexp.MustCompile(`^\s*(Obeys|Shows): (.*)$`)

// scan reads the tree and returns its ties, and what is wrong with them.
func scan(tree fs.FS) (ties []tie, wrong []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || name == "internal/ledger"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		var got []tie
		var bad []string
		switch {
		case strings.HasSuffix(name, ".pkt"):
			got, bad, err = scanScript(tree, name)
		case strings.HasSuffix(name, ".go") && !strings.Contains(name, "testdata/"):
			got, bad, err = scanGo(tree, name)
		}
		ties, wrong = append(ties, got...), append(wrong, bad...)
		return err
	})
	return ties, wrong, err
}

// scanScript looks at the lines of a script that are comments.
func scanScript(tree fs.FS, name string) (ties []tie, wrong []string, err error) {
	b, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, nil, err
	}
	for i, line := range strings.Split(string(b), "\n") {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
		if !ok {
			continue
		}
		at := ledger.Place{File: name, Line: i + 1, Name: scriptName(name)}
		t, bad := parseTie(comment, at)
		switch {
		case bad != "":
			wrong = append(wrong, bad)
		case t != nil && !t.shows:
			wrong = append(wrong, fmt.Sprintf("%s:%d: a script obeys nothing: it shows", name, i+1))
		case t != nil:
			ties = append(ties, *t)
		}
	}
	return ties, wrong, nil
}

// scriptName is the file's name without its extension and what leads to its
// testdata folder.
func scriptName(name string) string {
	if _, rest, ok := strings.Cut(name, "testdata/"); ok {
		name = rest
	}
	return strings.TrimSuffix(name, path.Ext(name))
}

// scanGo looks at the comments of a Go file.
func scanGo(tree fs.FS, name string) (ties []tie, wrong []string, err error) {
	b, err := fs.ReadFile(tree, name)
	if err != nil || !strings.Contains(string(b), "Obeys: ") && !strings.Contains(string(b), "Shows: ") {
		return nil, nil, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, b, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	lines := strings.Split(string(b), "\n")
	for _, group := range file.Comments {
		for _, c := range group.List {
			at := ledger.Place{File: name, Name: nameOf(file, group)}
			at.Line = fset.Position(group.End()).Line + 1
			if own := fset.Position(c.Pos()).Line; !strings.HasPrefix(strings.TrimSpace(lines[own-1]), "//") {
				at.Line = own // behind code
			}
			t, bad := parseTie(strings.TrimPrefix(c.Text, "//"), at)
			if t != nil {
				bad = misplaced(t)
			}
			switch {
			case bad != "":
				wrong = append(wrong, bad)
			case t != nil:
				ties = append(ties, *t)
			}
		}
	}
	return ties, wrong, nil
}

// misplaced says what is wrong with where a tie in a Go file stands.
func misplaced(t *tie) string {
	test := strings.HasSuffix(t.File, "_test.go")
	runs := slices.ContainsFunc([]string{"Test", "Fuzz", "Example"}, func(p string) bool { return strings.HasPrefix(t.Name, p) })
	switch {
	case t.shows && !test:
		return fmt.Sprintf("%s:%d: Shows: stands in a test", t.File, t.Line)
	case t.shows && !runs:
		return fmt.Sprintf("%s:%d: Shows: stands at a Test, Fuzz or Example function, not at %q", t.File, t.Line, t.Name)
	case !t.shows && test:
		return fmt.Sprintf("%s:%d: Obeys: stands in code, not in a test", t.File, t.Line)
	}
	return ""
}

// nameOf is the declaration that a comment documents or stands in.
func nameOf(file *ast.File, group *ast.CommentGroup) string {
	for _, d := range file.Decls {
		begin := d.Pos()
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc != nil {
				begin = d.Doc.Pos()
			}
			if begin <= group.Pos() && group.Pos() < d.End() {
				return d.Name.Name
			}
		case *ast.GenDecl:
			if d.Doc != nil {
				begin = d.Doc.Pos()
			}
			if begin <= group.Pos() && group.Pos() < d.End() {
				return specName(d, group)
			}
		}
	}
	return file.Name.Name
}

// specName is the name of the type or the value in a declaration that the
// comment belongs to: the last that begins before the comment ends, or the
// first.
func specName(d *ast.GenDecl, group *ast.CommentGroup) string {
	name := d.Tok.String()
	for i, s := range d.Specs {
		if i > 0 && s.Pos() > group.End() {
			break
		}
		switch s := s.(type) {
		case *ast.TypeSpec:
			name = s.Name.Name
		case *ast.ValueSpec:
			name = s.Names[0].Name
		}
	}
	return name
}

// parseTie reads a comment; nil and nothing wrong if it ties nothing.
func parseTie(comment string, at ledger.Place) (*tie, string) {
	m := form.FindStringSubmatch(comment)
	if m == nil {
		return nil, ""
	}
	refs, err := ledger.ParseRefs(m[2])
	if err != nil {
		return nil, fmt.Sprintf("%s:%d: %s: %v", at.File, at.Line, m[1], err)
	}
	return &tie{at, m[1] == "Shows", refs}, ""
}
