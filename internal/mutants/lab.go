package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// verdict is what became of a mutant.
type verdict string

const (
	caughtIt verdict = "caught"
	survived verdict = "SURVIVED"
	broken   verdict = "BROKEN" // doesn't apply, doesn't compile, or fails without a test's name
)

type result struct {
	mutant
	verdict verdict
	by      string // the package, the test and the first line of what it says
}

// lab runs the go command over the tree.
type lab struct {
	root    string // absolute
	dir     string // for faulty files
	timeout time.Duration
}

func newLab(root string, timeout time.Duration) (*lab, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(abs, "internal/mutants/mutants.txt")); err != nil {
		return nil, errors.New("run it in the root of the tree")
	}
	dir, err := os.MkdirTemp("", "mutants")
	return &lab{abs, dir, timeout}, err
}

func (l *lab) close() { os.RemoveAll(l.dir) }

// sound runs the tests without a mutant.
func (l *lab) sound() (output string, ok bool) {
	all := mutant{file: "internal/wire/tcp.go"}
	for _, pkg := range all.packages() {
		if out, err := l.goTest(pkg, ""); err != nil {
			return out, false
		}
	}
	return "", true
}

// tryAll tries the mutants, several at once, and yields the results in the
// order of the list.
func (l *lab) tryAll(list []mutant, workers int) iter.Seq[result] {
	results := make([]chan result, len(list))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range list {
			next <- i
		}
	}()
	for range max(workers, 1) {
		go func() {
			for i := range next {
				results[i] <- l.try(list[i])
			}
		}()
	}
	return func(yield func(result) bool) {
		for _, r := range results {
			if !yield(<-r) {
				return
			}
		}
	}
}

// try puts one fault in and runs the tests until one fails, that which should
// notice first.
func (l *lab) try(m mutant) result {
	text, err := m.apply(l.root)
	if err != nil {
		return result{m, broken, oneLine(err.Error())}
	}
	faulty := filepath.Join(l.dir, m.name+".go")
	overlay := filepath.Join(l.dir, m.name+".json")
	b, _ := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(l.root, m.file): faulty}})
	err = errors.Join(os.WriteFile(faulty, []byte(text), 0o666), os.WriteFile(overlay, b, 0o666))
	if err != nil {
		return result{m, broken, err.Error()}
	}
	pkg, run := m.guard()
	if out, err := l.goTest(pkg, overlay, "-run="+run); err != nil {
		return judge(m, pkg, out)
	}
	for _, pkg := range m.packages() {
		if out, err := l.goTest(pkg, overlay); err != nil {
			return judge(m, pkg, out)
		}
	}
	return result{m, survived, m.file + ": " + m.from}
}

// judge reads the output of a test that failed.
func judge(m mutant, pkg, out string) result {
	switch by := culprit(out); {
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return result{m, broken, oneLine(out)}
	case by == "":
		return result{m, broken, "no test is named: " + shorten(out)}
	default:
		return result{m, caughtIt, strings.TrimPrefix(pkg, "./") + " " + by}
	}
}

// goTest runs the fast tests of a package. A mutant may eat memory without
// end: on Linux the tests get 4 GiB of addresses, those without a mutant too.
func (l *lab) goTest(pkg, overlay string, flags ...string) (string, error) {
	args := append([]string{"test"}, flags...)
	args = append(args, "-short", "-failfast", "-vet=off", fmt.Sprintf("-timeout=%v", l.timeout))
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	if runtime.GOOS == "linux" {
		args = append(args, `-exec=sh -c 'ulimit -v 4194304 && exec "$0" "$@"'`)
	}
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = l.root
	cmd.Env = append(os.Environ(), "GOWORK=off", "ESTAB_LONG=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var (
	failLine    = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	endLine     = regexp.MustCompile(`(?m)^(?:\s*--- FAIL|FAIL)`)
	traceLine   = regexp.MustCompile(`\.(Test\w+)\(`)
	runningLine = regexp.MustCompile(`(?m)^\s*running tests:\n\s+(\S+)`)
	panicLine   = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.*)$`)
)

// culprit is the test that failed and the beginning of what it said; "" if the
// output names none.
func culprit(out string) string {
	said := ""
	if m := panicLine.FindStringSubmatch(out); m != nil {
		what, _, _ := strings.Cut(m[1], " [recovered")
		said = "panic: " + what
	}
	if m := runningLine.FindStringSubmatch(out); m != nil {
		return m[1] + ": " + shorten(said)
	}
	all := failLine.FindAllStringSubmatchIndex(out, -1)
	if len(all) == 0 {
		if m := traceLine.FindStringSubmatch(out); m != nil { // of a fatal error
			return m[1] + ": " + shorten(said)
		}
		return ""
	}
	last := all[0] // the deepest subtest of the first failure
	for _, m := range all[1:] {
		if !strings.HasPrefix(out[m[2]:m[3]], out[last[2]:last[3]]+"/") {
			break
		}
		last = m
	}
	if said == "" {
		_, rest, _ := strings.Cut(out[last[1]:], "\n")
		if end := endLine.FindStringIndex(rest); end != nil {
			rest = rest[:end[0]]
		}
		said = rest
	}
	return out[last[2]:last[3]] + ": " + shorten(said)
}

func shorten(s string) string {
	s = oneLine(s)
	if r := []rune(s); len(r) > 110 {
		return string(r[:109]) + "…"
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
