package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"estab/script"
	"estab/script/kernel"
)

// scriptOptions are the flags of estab script.
type scriptOptions struct {
	loose, strict bool
	families      []string
	json          bool
	junit         string
	pcap          string
	match         string
	jobs          int
	verbose       bool
	kernel        bool
	compare       bool
	bar           *countBar
	retries       int
	tolerance     int64 // microseconds; negative: as the script says
}

func newScriptCmd() *cobra.Command {
	var o scriptOptions
	cmd := &cobra.Command{
		Use:   "script PATH...",
		Short: "Play packetdrill scripts on estab's TCP in virtual time, or on Linux's",
		Long: `script plays scripts in the packetdrill language (files, or folders with *.pkt in
them) on estab's stack: system calls and segments with their times, each of them
compared. Nothing of it is real: no network, no root, no clock; a minute's
silence costs nothing.

A script ends as passed, failed (with what was expected, what happened, and the
exchange up to there) or not applicable (it asks for what estab does not have;
decided from its text). The exit status is 1 if any failed. Commands that stand
in a script in back-quotes are never executed.

--loose compares of a segment its flags, numbers and length and which options it
has, but neither their order nor the exact window: for scripts that were written
for FreeBSD.

--kernel plays the scripts on this computer's own Linux kernel instead, in real
time: real sockets, a TUN device, both in a fresh network namespace, where also the
settings of the script are made. It needs root, or user namespaces and a
/dev/net/tun that everybody may open. A script whose times alone were off is played
again: the computer may have been busy. --compare plays each on both and prints what
differs, side by side; the exit status is then 1 if anything does.`,
		Example: `  estab script testdata/close.pkt
  estab script --loose --family ipv4,ipv6 suites/freebsd
  estab script --run 'close|reset' --pcap captures suites
  estab script --kernel --tolerance_usecs 10000 suites/google
  estab script --compare --loose testdata
  estab script fmt -w testdata/*.pkt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("name a script, or a folder of scripts")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runScripts(cmd.Context(), &o, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.loose, "loose", false, "don't compare the order of options and exact windows")
	f.BoolVar(&o.strict, "strict", false, "no tolerance of time, and nothing may be sent after the last line")
	f.StringSliceVar(&o.families, "family", []string{"ipv4"}, "families to play each script in: ipv4, ipv6, ipv4-mapped")
	f.BoolVar(&o.kernel, "kernel", false, "play them on this computer's own Linux kernel, in real time")
	f.Int64Var(&o.tolerance, "tolerance_usecs", -1, "microseconds that a time may be off, whatever a script says")
	f.Lookup("tolerance_usecs").DefValue = "0" // so that help names none: it is the script's, or 4000
	f.BoolVar(&o.compare, "compare", false, "play them on both, and print where estab and the kernel differ")
	f.IntVar(&o.retries, "retries", 2, "with --kernel: how often to play a script again that only its times failed")
	f.StringVar(&o.match, "run", "", "only scripts whose path matches this regular expression")
	f.IntVarP(&o.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many scripts to play at once")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "name scripts that pass, too, and show what they print")
	f.BoolVar(&o.json, "json", false, "print the results as one JSON object")
	f.StringVar(&o.junit, "junit", "", "write the results to this file, as JUnit's XML")
	f.StringVar(&o.pcap, "pcap", "", "write a capture of each script (pcapng) into this folder")
	cmd.AddCommand(newScriptFmtCmd())
	return cmd
}

// scriptResult is what became of a file.
type scriptResult struct {
	path    string
	reports []script.Report
	err     error // it is no script
}

func runScripts(ctx context.Context, o *scriptOptions, paths []string, stdout, stderr io.Writer) error {
	switch {
	case o.compare && (o.junit != "" || o.pcap != "" || o.strict):
		return usagef("--compare judges nothing: it goes with neither --junit, --pcap nor --strict")
	case o.retries < 0 || o.retries > 100:
		return usagef("--retries %d: want a number from 0 to 100", o.retries)
	case o.tolerance < -1 || o.tolerance > 1e9:
		return usagef("--tolerance_usecs %d: want a number from 0 to 1000000000", o.tolerance)
	}
	so, err := o.options()
	if err != nil {
		return err
	}
	files, err := o.files(paths)
	if err != nil {
		return err
	}
	if o.kernel || o.compare {
		flag := "--kernel"
		if o.compare {
			flag = "--compare"
		}
		if err := enterKernel(flag, o.jobs); err != nil {
			return err
		}
	}
	o.bar = &countBar{term: terminalOf(stdout, stderr, "auto"), total: len(files)}
	defer o.bar.clear()
	if o.compare {
		return compareScripts(ctx, o, files, so, stdout)
	}
	if o.pcap != "" {
		if err := os.MkdirAll(o.pcap, 0o777); err != nil {
			return usagef("--pcap %w", err)
		}
	}
	results := make([]scriptResult, len(files))
	err = inParallel(ctx, o.jobs, len(files), func(i int) {
		results[i] = o.play(files[i], so)
		o.bar.add()
	})
	if err != nil {
		return err
	}
	o.bar.clear()
	return o.tell(results, stdout)
}

// inParallel calls f for 0 to n-1, jobs of them at once. The error is that of the
// context.
func inParallel(ctx context.Context, jobs, n int, f func(i int)) error {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(max(jobs, 1), n) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done(): // in real time a script takes a while
	}
	return ctx.Err()
}

// options are what the flags mean to the player.
func (o *scriptOptions) options() (script.Options, error) {
	so := script.Options{Loose: o.loose, Strict: o.strict}
	if o.tolerance >= 0 {
		d := time.Duration(o.tolerance) * time.Microsecond
		so.Override = &d
	}
	if o.kernel || o.compare {
		so.Machine, so.Retries = kernel.Run, o.retries
	}
	for _, name := range o.families {
		f, ok := script.ParseFamily(name)
		if !ok {
			return so, usagef("--family %s: want ipv4, ipv6 or ipv4-mapped", name)
		}
		so.Families = append(so.Families, f)
	}
	return so, nil
}

// files finds the scripts.
func (o *scriptOptions) files(paths []string) ([]string, error) {
	re, err := regexp.Compile(o.match)
	if err != nil {
		return nil, usagef("--run: %w", err)
	}
	files, err := script.Find(paths...)
	if err != nil {
		return nil, usageError{err}
	}
	var out []string
	for _, f := range files {
		if re.MatchString(filepath.ToSlash(f)) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, usagef("--run %s: none of %d scripts matches", o.match, len(files))
	}
	return out, nil
}

// play plays one file.
func (o *scriptOptions) play(path string, so script.Options) scriptResult {
	var captures []*capture
	if o.pcap != "" {
		so.Pcap = func(name string, f script.Family) io.Writer {
			if n := len(captures); n > 0 && captures[n-1].family == f { // it is played again
				captures[n-1].Close()
				captures = captures[:n-1]
			}
			c := newCapture(filepath.Join(o.pcap, captureName(name, f)))
			c.family = f
			captures = append(captures, c)
			return c
		}
	}
	r := scriptResult{path: path}
	r.reports, r.err = script.RunFile(path, so)
	for _, c := range captures {
		if err := c.Close(); err != nil && r.err == nil {
			r.err = err
		}
	}
	return r
}

// captureName is a file name for the capture of a script: its path with other
// signs between its parts.
func captureName(path string, f script.Family) string {
	name := strings.TrimSuffix(filepath.ToSlash(filepath.Clean(path)), ".pkt")
	name = strings.Trim(strings.NewReplacer("../", "", "/", "_", ":", "").Replace(name), "_.")
	return name + "." + f.String() + ".pcapng"
}

// capture is a file that is made when something is written to it.
type capture struct {
	path   string
	family script.Family
	file   *os.File
	buf    *bufio.Writer
	err    error
}

func newCapture(path string) *capture { return &capture{path: path} }

func (c *capture) Write(b []byte) (int, error) {
	if c.file == nil && c.err == nil {
		if c.file, c.err = os.Create(c.path); c.err == nil {
			c.buf = bufio.NewWriter(c.file)
		}
	}
	if c.err != nil {
		return 0, c.err
	}
	return c.buf.Write(b)
}

// Close writes what is left.
func (c *capture) Close() error {
	if c.file == nil {
		return c.err
	}
	return errors.Join(c.buf.Flush(), c.file.Close())
}

// tell prints the results, and says by its error how they are to be judged.
func (o *scriptOptions) tell(results []scriptResult, stdout io.Writer) error {
	var count [3]int
	for i := range results {
		for _, r := range results[i].reports {
			count[r.Verdict]++
		}
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, results); err != nil {
			return usagef("--junit %w", err)
		}
	}
	out := bufio.NewWriter(stdout)
	if o.json {
		if err := writeScriptJSON(out, results, count); err != nil {
			return err
		}
	} else {
		for i := range results {
			o.print(out, &results[i])
		}
		fmt.Fprintf(out, "%d passed, %d failed, %d not applicable\n",
			count[script.Passed], count[script.Failed], count[script.NotApplicable])
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.err != nil {
			return usageError{r.badInput()}
		}
	}
	if n := count[script.Failed]; n > 0 {
		return fmt.Errorf("%d of %d failed", n, n+count[script.Passed])
	}
	return nil
}

// print tells of one file. A failure is told in full.
func (o *scriptOptions) print(out io.Writer, r *scriptResult) {
	if r.err != nil {
		fmt.Fprintf(out, "%v\n\n", r.err)
		return
	}
	for i := range r.reports {
		switch rep := &r.reports[i]; rep.Verdict {
		case script.Failed:
			fmt.Fprintf(out, "%s\n\n", rep)
		case script.NotApplicable:
			fmt.Fprintf(out, "not applicable: %s:%d: %s\n", rep.Name, rep.Line, rep.Reason)
		default:
			if o.verbose {
				fmt.Fprintf(out, "%s%s\n", rep, afterTries(rep.Tries))
				for _, line := range rep.Printed {
					fmt.Fprintf(out, "  %s\n", line)
				}
			}
		}
	}
}

// afterTries says that a script was played more than once.
func afterTries(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", at the %d. try", n)
}

// badInput is the first line of what is wrong with a file.
func (r *scriptResult) badInput() error {
	var e *script.Error
	if errors.As(r.err, &e) {
		return errors.New(e.Head())
	}
	return r.err
}
