package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"estab/internal/trace"
	"estab/sim/explore"
)

// exploreOptions are the flags of estab lab explore.
type exploreOptions struct {
	depth int
	json  bool
}

func newLabExploreCmd() *cobra.Command {
	o := exploreOptions{}
	cmd := &cobra.Command{
		Use:   "explore [WORLD|all]",
		Short: "Try every order of events in a small world",
		Long: `explore searches a small world exhaustively: two engines, a few segments in
flight, users that do what they want to do at any time. It tries every order of
deliveries, losses, duplicates, delays, time-outs and user calls, and asks of
each state what RFC 9293 promises: legal transitions; both ends agree on their
numbers; bytes are delivered once and in order; who closes in order has got
everything; nobody waits for what will never come. What it finds it tells with
the fewest steps that lead there.

Without a world it lists them. Some have a fault planted, which must be found.`,
		Example: "  estab lab explore\n  estab lab explore two-way\n  estab lab explore close --depth 20\n  estab lab explore all",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExplore(cmd.Context(), &o, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().IntVar(&o.depth, "depth", 0, "take at most so many steps (default: as many as there are)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print what was found as JSON")
	return cmd
}

func runExplore(ctx context.Context, o *exploreOptions, args []string, stdout, stderr io.Writer) error {
	if o.depth < 0 {
		return usagef("--depth %d: want a number of steps above 0", o.depth)
	}
	worlds, err := exploreWorlds(args)
	if err != nil {
		return err
	}
	if worlds == nil {
		return listWorlds(stdout, o.json)
	}
	term := terminalOf(stdout, stderr, "auto")
	var results []explore.Result
	var found []jsonFound
	failed := ""
	for i := range worlds {
		began := time.Now()
		r := explore.Explore(&worlds[i], explore.Options{Depth: o.depth, Stop: exploreProgress(ctx, term, worlds[i].Name)})
		took := time.Since(began)
		if term.progress != nil {
			fmt.Fprint(term.progress, "\r\x1b[K")
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		results = append(results, r)
		switch {
		case o.json:
			found = append(found, newJSONFound(&r, took))
		default:
			if err := r.Write(stdout, took, trace.Style{Numbers: trace.Absolute, Color: term.color}); err != nil {
				return err
			}
			fmt.Fprintln(stdout)
		}
		if why := verdict(&r); why != "" && failed == "" {
			failed = worlds[i].Name + ": " + why
		}
	}
	switch {
	case o.json:
		err = writeJSON(stdout, found)
	case len(results) > 1:
		err = explore.WriteFigure(stdout, results)
	}
	if err == nil && failed != "" {
		err = errors.New(failed)
	}
	return err
}

// verdict is what a result means to the exit status: a planted fault must be
// found, and nothing else.
func verdict(r *explore.Result) string {
	switch {
	case r.World.Fault == "" && r.Wrong != "":
		return r.Wrong
	case r.World.Fault != "" && r.Wrong == "" && r.Full:
		return "the planted fault was not found"
	}
	return ""
}

// exploreWorlds are the worlds that the arguments name; nil: none are named.
func exploreWorlds(args []string) ([]explore.World, error) {
	switch {
	case len(args) > 1:
		return nil, usagef("unexpected argument %q", args[1])
	case len(args) == 0:
		return nil, nil
	case args[0] == "all":
		return explore.Worlds(), nil
	}
	if w, ok := explore.WorldByName(args[0]); ok {
		return []explore.World{w}, nil
	}
	return nil, usagef("there is no world %q%s: estab lab explore lists them", args[0], nearWorld(args[0]))
}

// nearWorld names a world that begins like the one that was meant, or holds it.
func nearWorld(name string) string {
	for _, w := range explore.Worlds() {
		if strings.Contains(w.Name, strings.ToLower(name)) || len(name) > 2 && strings.HasPrefix(w.Name, strings.ToLower(name)[:3]) {
			return ", did you mean " + w.Name + "?"
		}
	}
	return ""
}

func listWorlds(w io.Writer, asJSON bool) error {
	type item struct {
		Name  string `json:"name"`
		Title string `json:"title"`
		Fault string `json:"fault,omitempty"`
	}
	var items []item
	for _, x := range explore.Worlds() {
		items = append(items, item{x.Name, x.Title, x.Fault})
	}
	if asJSON {
		return writeJSON(w, items)
	}
	for _, x := range items {
		fmt.Fprintf(w, "  %-20s%s\n", x.Name, x.Title)
		if x.Fault != "" {
			fmt.Fprintf(w, "  %-20splanted: %s\n", "", x.Fault)
		}
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// exploreProgress shows how far a search is, and stops it when the user does.
func exploreProgress(ctx context.Context, term *terminal, name string) func(states, depth int) bool {
	var drawn time.Time
	return func(states, depth int) bool {
		if term.progress != nil && time.Since(drawn) >= refresh {
			drawn = time.Now()
			fmt.Fprintf(term.progress, "\r%s: %s states, %d steps deep\x1b[K", name, trace.Count(states), depth)
		}
		return ctx.Err() != nil
	}
}

// jsonFound is a result as JSON.
type jsonFound struct {
	World   string   `json:"world"`
	Title   string   `json:"title"`
	Fault   string   `json:"fault,omitempty"`
	States  int      `json:"states"`
	Steps   int      `json:"steps"`
	Depth   int      `json:"depth"`
	Full    bool     `json:"complete"`
	Seconds float64  `json:"seconds"`
	Arrows  []string `json:"arrows"`
	Wrong   string   `json:"found,omitempty"`
	Says    string   `json:"sentence,omitempty"` // of the RFC, that it goes against
	Trail   []string `json:"trail,omitempty"`
	Locals  int      `json:"endStates"` // different states of an end
}

func newJSONFound(r *explore.Result, took time.Duration) jsonFound {
	f := jsonFound{World: r.World.Name, Title: r.World.Title, Fault: r.World.Fault, States: r.States, Steps: r.Steps, Depth: r.Depth,
		Full: r.Full, Seconds: took.Seconds(), Arrows: []string{}, Wrong: r.Wrong, Says: r.Sentence, Locals: r.Locals}
	for _, a := range explore.Arrows() {
		if r.Figure.Taken(a) {
			f.Arrows = append(f.Arrows, a.From.String()+" to "+a.To.String())
		}
	}
	if r.Trail != nil {
		f.Trail = r.Trail.Steps
	}
	return f
}
