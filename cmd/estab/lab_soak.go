package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"estab/internal/trace"
	"estab/sim/soak"
)

// soakOptions are the flags of estab lab soak.
type soakOptions struct {
	seeds   seedRange
	minutes float64
	profile string
	check   int
	json    bool
}

// seedRange is a flag: A, A-B or A-.
type seedRange struct {
	from, to uint64
	given    bool
}

func (r *seedRange) Type() string   { return "A-B" }
func (r *seedRange) String() string { return "" }

func (r *seedRange) Set(s string) error {
	bad := errors.New("want a seed or two, such as 7, 0-9999 or 1000-")
	first, last, dash := strings.Cut(strings.TrimSpace(s), "-")
	from, err := strconv.ParseUint(first, 10, 63)
	if err != nil {
		return bad
	}
	to := from
	switch {
	case dash && last == "":
		to = math.MaxInt64
	case dash:
		if to, err = strconv.ParseUint(last, 10, 63); err != nil {
			return bad
		}
	}
	if to < from {
		return errors.New("want the smaller seed first")
	}
	*r = seedRange{from, to, true}
	return nil
}

// soakWorlds is how many worlds are played if nothing is said: about 100,000
// connections.
const soakWorlds = 40_000

func newLabSoakCmd() *cobra.Command {
	o := soakOptions{check: 8}
	var names []string
	var docs strings.Builder
	for _, p := range soak.Profiles() {
		names = append(names, p.Name)
		fmt.Fprintf(&docs, "  %-8s %s\n", p.Name, p.Doc)
	}
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Play random worlds and judge each",
		Long: `soak plays a random world for each seed: two hosts, a path that loses, delays,
reorders, doubles and damages, programs at both ends that send, stall, close and
abort at random, crashes, partitions, segments held back or forged. Each is
judged: every byte arrives once and in order, or the connection ends in an
error that has a reason; who closes in order has got everything; nothing is left
in the end. A world that fails is made smaller until only what matters is left;
the status is then 1.

The profiles:
` + docs.String(),
		Example: "  estab lab soak\n  estab lab soak --seeds 0-999999\n  estab lab soak --profile forged --minutes 10\n  estab lab soak --seeds 333",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSoak(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(&o.seeds, "seeds", fmt.Sprintf("play these seeds (default 0-%d, with --minutes 0-)", soakWorlds-1))
	f.Float64Var(&o.minutes, "minutes", 0, "play for so long")
	f.StringVar(&o.profile, "profile", names[0], "kind of worlds: "+strings.Join(names, ", "))
	f.IntVar(&o.check, "check", o.check, "check the engine's invariants after every so many events")
	f.BoolVar(&o.json, "json", false, "print the summary as JSON")
	return cmd
}

// options looks for what can't be meant.
func (o *soakOptions) options() (soak.Options, error) {
	p, ok := soak.ProfileByName(o.profile)
	switch {
	case !ok:
		return soak.Options{}, usagef("there is no profile %q", o.profile)
	case o.minutes < 0 || o.minutes > 1e6 || math.IsNaN(o.minutes):
		return soak.Options{}, usagef("--minutes %v: want a number above 0", o.minutes)
	case o.check < 1:
		return soak.Options{}, usagef("--check %d: want a number of 1 or more", o.check)
	}
	r := o.seeds
	if !r.given {
		r.to = soakWorlds - 1
		if o.minutes > 0 {
			r.to = math.MaxInt64
		}
	}
	return soak.Options{Profile: p, From: r.from, To: r.to, Workers: runtime.GOMAXPROCS(0), CheckEvery: o.check}, nil
}

// runSoak is the command from beginning to end.
func runSoak(ctx context.Context, o *soakOptions, stdout, stderr io.Writer) error {
	so, err := o.options()
	if err != nil {
		return err
	}
	term := terminalOf(stdout, stderr, "auto")
	began := time.Now()
	limit := time.Duration(o.minutes * float64(time.Minute))
	so.Stop = func() bool { return ctx.Err() != nil || limit > 0 && time.Since(began) >= limit }
	show := soakBar{term: term, began: began, limit: limit}
	so.Progress = show.progress
	s := soak.Run(&so)
	took := time.Since(began)
	show.clear()
	if o.json {
		err = writeSoakJSON(stdout, &s, took)
	} else {
		err = s.Write(stdout, took, "estab lab soak")
	}
	switch {
	case err != nil:
		return err
	case len(s.Failures) > 0:
		return fmt.Errorf("seed %d failed: %s", s.Failures[0].Seed, s.Failures[0].Err)
	}
	return ctx.Err()
}

func writeSoakJSON(w io.Writer, s *soak.Summary, took time.Duration) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		*soak.Summary
		Seconds   float64 `json:"seconds"`
		PerMinute float64 `json:"connectionsPerMinute"`
	}{s, took.Seconds(), float64(s.Conns) / took.Minutes()})
}

// soakBar is the progress of a soak on a terminal.
type soakBar struct {
	term         *terminal
	began, drawn time.Time
	limit        time.Duration
}

func (b *soakBar) progress(p soak.Progress) {
	if b.term.progress == nil || time.Since(b.drawn) < refresh {
		return
	}
	b.drawn = time.Now()
	took := time.Since(b.began)
	share := float64(p.Worlds) / float64(p.Total)
	if b.limit > 0 {
		share = max(share, float64(took)/float64(b.limit))
	}
	share = min(share, 1)
	left := time.Duration(float64(took) * (1 - share) / max(share, 1e-9)).Round(time.Second)
	text := fmt.Sprintf(" %3.0f%%  %s worlds  %s connections, %s a minute  %s left", 100*share, trace.Count(p.Worlds),
		trace.Count(p.Conns), trace.Count(int(float64(p.Conns)/took.Minutes())), trace.Duration(left))
	room := b.term.columns - 1 - len([]rune(text))
	bar := ""
	if room >= 10 {
		full := int(share * float64(room))
		bar = strings.Repeat("━", full) + strings.Repeat("┄", room-full)
	}
	fmt.Fprintf(b.term.progress, "\r%s%s\x1b[K", bar, text)
}

func (b *soakBar) clear() {
	if b.term.progress != nil {
		fmt.Fprint(b.term.progress, "\r\x1b[K")
	}
}
