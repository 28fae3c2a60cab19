package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"estab/internal/lab"
)

// labOptions are the flags of estab lab run.
type labOptions struct {
	lang            language
	flags           *labParams
	params          lab.Params
	step, tcb, json bool
	numbers         string
	pcap, svg, html string
	color           string
	out             *bufio.Writer
	in              *bufio.Reader
	colored         bool
}

func newLabRunCmd() *cobra.Command {
	o := labOptions{lang: "en"}
	cmd := &cobra.Command{
		Use:   "run NAME|all",
		Short: "Run a scenario and check what it claims",
		Long: `run plays a scenario on the real engine in virtual time. It prints the story
between the rows of a ladder diagram, each sentence where it happens, and then
the claims: ✓ holds, ✗ doesn't, – no longer applies because the parameters were
changed. If one doesn't hold the status is 1.

The path can be changed: --lose A:2 loses the second segment that A sends,
--lose B:3- the third and all that follow, --lose B:FIN each with that flag;
--late "A:1 5s" delays one, --twice A:4 doubles it.`,
		Example: `  estab lab run handshake
  estab lab run four-way-close --lang zh --tcb
  estab lab run last-ack-lost --msl 1s
  estab lab run handshake --lose A:2 --svg handshake.svg
  estab lab run all`,
		Args: oneArg("which scenario? estab lab list names them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLab(cmd.Context(), &o, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(&o.lang, "lang", "language of the story: en or zh")
	f.BoolVar(&o.step, "step", false, "wait for Enter at each sentence of the story")
	f.BoolVar(&o.tcb, "tcb", false, "show both TCBs, and what each side has allocated, at each change of state")
	f.StringVar(&o.numbers, "numbers", "", "sequence numbers: letters, relative or absolute (default: what suits the scenario)")
	f.BoolVar(&o.json, "json", false, "print the run as JSON")
	f.StringVar(&o.pcap, "pcap", "", "write a capture for Wireshark to this file (pcapng)")
	f.StringVar(&o.svg, "svg", "", "write the ladder as a picture to this file")
	f.StringVar(&o.html, "html", "", "write story, pictures and claims as a page to this file")
	o.flags = newLabParams(f)
	f.StringVar(&o.color, "color", "auto", "colour: auto (on a terminal), always or never")
	return cmd
}

// check finishes the parameters and looks for what can't be meant.
func (o *labOptions) check() error {
	var err error
	if o.params, err = o.flags.read(); err != nil {
		return err
	}
	switch o.numbers {
	case "", "letters", "relative", "absolute":
	default:
		return usagef("--numbers %s: want letters, relative or absolute", o.numbers)
	}
	if o.color != "auto" && o.color != "always" && o.color != "never" {
		return usagef("--color %s: want auto, always or never", o.color)
	}
	return nil
}

// runLab runs one scenario or all.
func runLab(ctx context.Context, o *labOptions, name string, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	o.out, o.in = bufio.NewWriter(stdout), bufio.NewReader(os.Stdin)
	defer o.out.Flush()
	o.colored = terminalOf(stdout, stderr, o.color).color
	if name == "all" {
		return o.all(ctx)
	}
	s, ok := lab.Find(name)
	if !ok {
		return usagef("unknown scenario %q: did you mean %s?", name, lab.Nearest(name))
	}
	files, err := o.create()
	if err != nil {
		return err
	}
	defer files.close()
	r, err := s.Play(o.params)
	if err != nil {
		return err
	}
	if err := files.write(r, o); err != nil {
		return err
	}
	if o.json {
		err = o.writeJSON(r)
	} else {
		err = o.writeText(r)
	}
	if err == nil && !r.OK() {
		err = fmt.Errorf("%s: a claim does not hold", s.Name)
	}
	return err
}

// all runs every scenario and prints a line for each.
func (o *labOptions) all(ctx context.Context) error {
	if o.pcap != "" || o.svg != "" || o.html != "" || o.step || o.tcb {
		return usagef("all: files, --step and --tcb are for one scenario")
	}
	began := time.Now()
	var failed []string
	claims, n := 0, 0
	if o.json {
		fmt.Fprintln(o.out, "[")
	}
	for i, s := range lab.Scenarios() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r, err := s.Play(o.params)
		if err != nil {
			return err
		}
		if !r.OK() {
			failed = append(failed, s.Name)
		}
		n++
		claims += len(r.Verdicts)
		if o.json {
			if i > 0 {
				fmt.Fprintln(o.out, ",")
			}
			if err := o.writeJSON(r); err != nil {
				return err
			}
			continue
		}
		o.writeLine(r)
		o.out.Flush()
	}
	if o.json {
		fmt.Fprintln(o.out, "]")
	} else {
		fmt.Fprintf(o.out, "\n%s\n", o.say(fmt.Sprintf("%d scenarios, %d claims, %.1f s", n, claims, time.Since(began).Seconds()),
			fmt.Sprintf("%d 个场景，%d 条断言，用时 %.1f 秒", n, claims, time.Since(began).Seconds())))
	}
	if failed != nil {
		return fmt.Errorf("claims do not hold in %s", strings.Join(failed, ", "))
	}
	return nil
}

func (o *labOptions) say(en, zh string) string {
	if o.lang == "zh" {
		return zh
	}
	return en
}
