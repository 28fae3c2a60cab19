// Command mutants puts faults into the engine, one at a time, and runs the
// fast tests on each. A fault that no test notices is a test to write.
//
//	go run ./internal/mutants
//	go run ./internal/mutants -run paws
//
// The faults stand in mutants.txt, each with the bug or the sentence of an RFC
// that it comes from and the test that should notice it. That one runs first;
// if it passes, all others. Nothing in the tree is changed: the go command takes the
// faulty file in place of the right one (-overlay).
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the command; it returns the exit status: 1 if a mutant survives,
// doesn't compile, or no longer applies.
func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("mutants", flag.ContinueOnError)
	fs.SetOutput(stderr)
	pattern := fs.String("run", "", "only mutants whose name matches this regular expression")
	workers := fs.Int("j", 2, "how many to try at once")
	limit := fs.Duration("timeout", 2*time.Minute, "how long the tests of a package may take with a mutant")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	match, err := regexp.Compile(*pattern)
	if err != nil || fs.NArg() > 0 {
		fmt.Fprintln(stderr, "mutants: usage: mutants [-run regexp] [-j n] [-timeout d], in the root of the tree")
		return 2
	}
	list, err := mutants()
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return 1
	}
	var chosen []mutant
	for _, m := range list {
		if match.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	lab, err := newLab(".", *limit)
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return 1
	}
	defer lab.close()
	return report(lab, chosen, *workers, stdout, stderr)
}

// report tries the mutants and prints the table.
func report(lab *lab, list []mutant, workers int, stdout, stderr io.Writer) int {
	began := time.Now()
	if out, ok := lab.sound(); !ok {
		fmt.Fprintf(stderr, "mutants: the tests fail without any mutant:\n%s\n", out)
		return 1
	}
	fmt.Fprintf(stderr, "the tests pass without a mutant (%v)\n", time.Since(began).Round(time.Second))
	caught := 0
	for r := range lab.tryAll(list, workers) {
		if r.verdict == caughtIt {
			caught++
		}
		fmt.Fprintf(stdout, "%-28s %-9s %s\n", r.name, r.verdict, r.by)
	}
	fmt.Fprintf(stdout, "%d of %d mutants caught in %v\n", caught, len(list), time.Since(began).Round(time.Second))
	if caught < len(list) {
		return 1
	}
	return 0
}
