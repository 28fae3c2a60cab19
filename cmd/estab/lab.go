package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"estab/internal/lab"
	"estab/internal/trace"
)

func newLabCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "See each sentence about a connection's life happen",
		Long: `lab is a collection of scenarios about the life of a TCP connection: how it is
opened and closed, why so, and what can go wrong. Each is run on the real engine
in virtual time and tells what happens while it happens; what it claims is
checked on the spot. lab web shows it all as a page, in which everything can be
changed while it runs.`,
		Example: "  estab lab list\n  estab lab run handshake\n  estab lab run handshake --lang zh\n  estab lab web",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLabListCmd(), newLabRunCmd(), newLabShowCmd(), newLabWebCmd(), newLabSoakCmd(), newLabExploreCmd())
	return cmd
}

// language is a flag.
type language lab.Lang

func (l *language) String() string { return string(*l) }
func (l *language) Type() string   { return "language" }

func (l *language) Set(s string) error {
	switch s {
	case "en", "zh":
		*l = language(s)
		return nil
	}
	return fmt.Errorf("want en or zh")
}

func newLabListCmd() *cobra.Command {
	lang, asJSON := language("en"), false
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Name all scenarios",
		Example: "  estab lab list\n  estab lab list --lang zh\n  estab lab list --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return listJSON(cmd.OutOrStdout())
			}
			return listText(cmd.OutOrStdout(), lab.Lang(lang))
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(&lang, "lang", "language: en or zh")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON, in both languages")
	return cmd
}

func listText(w io.Writer, lang lab.Lang) error {
	var b strings.Builder
	section := 0
	wide := 0
	for _, s := range lab.Scenarios() {
		wide = max(wide, len(s.Name))
	}
	for _, s := range append(lab.Scenarios(), lab.Sandbox()) {
		if s.Section != section {
			if section > 0 {
				b.WriteString("\n")
			}
			section = s.Section
			fmt.Fprintf(&b, "%d  %s\n", section, lab.SectionTitle(section).In(lang))
		}
		for i, line := range trace.Wrap(s.Title.In(lang), 80-wide-5) {
			name := s.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "   %-*s  %s\n", wide, name, line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func listJSON(w io.Writer) error {
	type item struct {
		Name    string   `json:"name"`
		Section int      `json:"section"`
		Title   lab.Text `json:"title"`
		Intro   lab.Text `json:"intro"`
		Worlds  int      `json:"worlds"`
		Claims  int      `json:"claims"`
	}
	var items []item
	for _, s := range append(lab.Scenarios(), lab.Sandbox()) {
		items = append(items, item{s.Name, s.Section, s.Title, s.Intro, len(s.Worlds), len(s.Claims)})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(items)
}
