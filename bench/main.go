// Command bench runs estab, gVisor's netstack, the kernel and net.Pipe side by
// side, in one run, and prints ratios. On two cores the whole table takes
// about five minutes.
//
//	go run ./bench                  # every row, medians of five
//	go run ./bench -row bulk        # the rows whose name matches
//	go run ./bench -markdown        # the table of the README
//	go run ./bench -json            # for programs
//	go run ./bench grow -svg docs   # how cost grows with what is there
//	go run ./bench limits           # what the machine itself allows
//	go run ./bench profile          # where estab's time goes, by class
//	go run ./bench gvisor           # which configuration of gVisor is its best
//	go run ./bench write            # all of it, into docs/performance.md, docs/*.svg and the README
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"
)

// options are what all commands take.
type options struct {
	row, subject *regexp.Regexp
	count        int
	time         time.Duration
	json         bool
	markdown     bool
	svg          string
	out          io.Writer
}

// commands are what can be asked for, beside the table.
var commands = map[string]func(options) error{
	"table":   table,
	"grow":    grow,
	"limits":  limits,
	"profile": profiles,
	"gvisor":  gvisorVariants,
	"write":   write,
}

func main() {
	name, args := "table", os.Args[1:]
	if len(args) > 0 && commands[args[0]] != nil {
		name, args = args[0], args[1:]
	}
	o := parse(name, args)
	if code, done := inNamespace(); done {
		os.Exit(code)
	}
	err := commands[name](o)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	if _, bad := err.(badInput); bad {
		os.Exit(2)
	}
	os.Exit(1)
}

// badInput is an error of whoever called.
type badInput string

func (e badInput) Error() string { return string(e) }

// parse reads the flags of a command; a bad one ends the program with status 2.
func parse(name string, args []string) options {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	row := f.String("row", "", "run the `rows` whose name matches this regular expression")
	subject := f.String("subject", "", "run the `subjects` whose name matches this regular expression")
	count := f.Int("count", 5, "how often each measurement is made")
	long := f.Duration("time", 500*time.Millisecond, "how long each measurement takes")
	asJSON := f.Bool("json", false, "print JSON")
	markdown := f.Bool("markdown", false, "print Markdown tables")
	svg := f.String("svg", "", "grow: write drawings into this `folder`")
	bad := func(format string, a ...any) {
		fmt.Fprintf(os.Stderr, "bench: "+format+"; see -help\n", a...)
		os.Exit(2)
	}
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		f.SetOutput(os.Stdout)
		fmt.Println("usage: bench [table|grow|limits|profile|gvisor|write] [flags]\nexample: bench -row 'bulk|flood' -count 3 -markdown")
		f.PrintDefaults()
		os.Exit(0)
	} else if err != nil {
		bad("%v", err)
	}
	o := options{count: *count, time: *long, json: *asJSON, markdown: *markdown, svg: *svg, out: os.Stdout}
	var err error
	if o.row, err = regexp.Compile(*row); err != nil {
		bad("-row: %v", err)
	}
	if o.subject, err = regexp.Compile(*subject); err != nil {
		bad("-subject: %v", err)
	}
	switch {
	case f.NArg() > 0:
		bad("%q is neither a command nor a flag", f.Arg(0))
	case o.count < 1:
		bad("-count %d: at least 1", o.count)
	case o.time < time.Millisecond:
		bad("-time %v: at least 1ms", o.time)
	case o.svg != "" && name != "grow":
		bad("-svg belongs to the command grow")
	case o.svg != "":
		if st, err := os.Stat(o.svg); err != nil || !st.IsDir() {
			bad("-svg %s: no such folder", o.svg)
		}
	}
	return o
}
