package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// progress is a line on a terminal that says what is being done. Elsewhere it
// is silent.
type progress struct{ on, shown bool }

func newProgress() *progress { return &progress{on: term.IsTerminal(int(os.Stderr.Fd()))} }

func (p *progress) say(format string, a ...any) {
	if p.on {
		p.shown = true
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, a...)
	}
}

func (p *progress) clear() {
	if p.shown {
		p.shown = false
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
