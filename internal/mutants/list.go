package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed mutants.txt
var listText string

// mutant is one fault.
type mutant struct {
	name string
	from string // the bug or the sentence that it comes from
	by   string // the package and the test that should notice, tried first
	file string // from the root of the tree
	old  string // what stands in the file, exactly once
	new  string
}

// mutants are all faults of mutants.txt.
func mutants() ([]mutant, error) { return parse(listText) }

// parse reads a list: blocks with an empty line between them. A block has a
// line "# name", "from: …", "by: …" and "file: …", then the lines to replace, each
// behind "- ", and those to put in their place, each behind "+ ".
func parse(text string) ([]mutant, error) {
	var list []mutant
	seen := map[string]bool{}
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var m mutant
		var old, new []string
		for line := range strings.SplitSeq(strings.TrimSpace(block), "\n") {
			kind, rest, _ := strings.Cut(line, " ")
			switch kind {
			case "#":
				m.name = rest
			case "from:":
				m.from = rest
			case "by:":
				m.by = rest
			case "file:":
				m.file = rest
			case "-":
				old = append(old, rest)
			case "+":
				new = append(new, rest)
			default:
				return nil, fmt.Errorf("mutants.txt: what is %q?", line)
			}
		}
		m.old, m.new = strings.Join(old, "\n"), strings.Join(new, "\n")
		if m.name == "" || m.from == "" || m.by == "" || m.file == "" || m.old == m.new || m.old == "" {
			return nil, fmt.Errorf("mutants.txt: mutant %q is not complete", m.name)
		}
		if seen[m.name] {
			return nil, fmt.Errorf("mutants.txt: two mutants are called %s", m.name)
		}
		seen[m.name] = true
		list = append(list, m)
	}
	return list, nil
}

// apply returns the mutant's file with the fault in it.
func (m *mutant) apply(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(b), m.old); n != 1 {
		return "", fmt.Errorf("%s has %d times\n%s", m.file, n, m.old)
	}
	return strings.Replace(string(b), m.old, m.new, 1), nil
}

// guard is the test that should notice: its package, and what -run takes.
func (m *mutant) guard() (pkg, run string) {
	dir, test, _ := strings.Cut(m.by, " ")
	return "./" + dir, "^" + strings.ReplaceAll(test, "/", "$/^") + "$"
}

// packages are those whose tests could notice, the cheap ones first.
func (m *mutant) packages() []string {
	all := []string{"./internal/wire", "./tcp/cc", "./tcp", "./inet", "./sim", "./script"}
	switch dir := filepath.ToSlash(filepath.Dir(m.file)); dir {
	case "tcp/cc":
		return all[1:]
	case "tcp":
		return all[2:]
	}
	return all
}
