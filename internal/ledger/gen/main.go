// Command gen reads the comments that tie code and tests to requirements, and
// writes internal/ledger/places.txt, docs/rfc9293.md and docs/rfc-others.md.
// go generate ./internal/ledger runs it.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"estab/internal/ledger"
)

func main() {
	if err := run("../.."); err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

// run writes the files of the tree at root.
func run(root string) error {
	files, wrong, err := generate(os.DirFS(root))
	if err != nil {
		return err
	}
	for _, w := range wrong {
		fmt.Fprintln(os.Stderr, w)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d comments or rows are wrong", len(wrong))
	}
	return nil
}

const mainIntro = `Every requirement that RFC 9293 numbers, what became of it, the code that obeys it
and a test that fails if it doesn't. The words are ours, not the RFC's. [ledger.md](ledger.md)
says how this page is made; ` + "`estab rfc MUST-42`" + ` prints a row.`

const othersIntro = `The same for the RFCs beside RFC 9293. Where an RFC numbers its steps the numbers are
its own; elsewhere they are the section, with a letter where a section asks for several things.
` + "`estab rfc RFC 6298 5.5`" + ` prints a row.`

// generate makes the files from the tree, and says what is wrong in it.
func generate(tree fs.FS) (files map[string]string, wrong []string, err error) {
	ties, wrong, err := scan(tree)
	if err != nil {
		return nil, nil, err
	}
	list := places(ties)
	code, tests, err := ledger.ParsePlaces(list)
	if err != nil {
		return nil, nil, err
	}
	books, err := ledger.All()
	if err != nil {
		return nil, nil, err
	}
	known := map[ledger.Ref]bool{}
	for i := range books {
		books[i].Tie(code, tests)
		for _, r := range books[i].Rows {
			known[r.Ref] = true
			wrong = append(wrong, untied(r)...)
		}
	}
	for _, t := range ties {
		for _, r := range t.refs {
			if !known[r] {
				wrong = append(wrong, fmt.Sprintf("%s:%d: there is no %v", t.File, t.Line, r))
			}
		}
	}
	return map[string]string{
		"internal/ledger/places.txt": list,
		"docs/rfc9293.md":            document("RFC 9293, requirement by requirement", mainIntro, books[:1]),
		"docs/rfc-others.md":         document("The RFCs beside RFC 9293", othersIntro, books[1:]),
	}, wrong, nil
}

// untied says what a row lacks.
func untied(r ledger.Row) (wrong []string) {
	if !r.Status.Tied() {
		return nil
	}
	if len(r.Code) == 0 {
		wrong = append(wrong, fmt.Sprintf("%v is %q, but no code says so (Obeys:)", r.Ref, r.Status))
	}
	if len(r.Tests) == 0 {
		wrong = append(wrong, fmt.Sprintf("%v is %q, but no test shows it (Shows:)", r.Ref, r.Status))
	}
	return wrong
}
