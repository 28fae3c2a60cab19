package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"estab/internal/ledger"
)

// newRFCCmd is estab rfc: the ledger of requirements.
func newRFCCmd() *cobra.Command {
	var asJSON bool
	var status string
	cmd := &cobra.Command{
		Use:   "rfc [requirement]",
		Short: "Say what became of a requirement of an RFC",
		Long: `rfc prints a row of the ledger: what a requirement asks, whether it is obeyed and
if not why, the code that obeys it and the tests that would notice.

RFC 9293 numbers its requirements (MUST-1 to MUST-69, SHLD-1 to SHLD-31, MAY-1
to MAY-18). Those of other RFCs are named by the RFC and its own number, or by
the section and a letter. The number of an RFC alone lists its rows, nothing
lists those of RFC 9293.`,
		Example: `  estab rfc MUST-42
  estab rfc RFC 6298 5.5
  estab rfc 5961
  estab rfc --status "not yet"
  estab rfc MUST-42 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := findRows(args, status)
			if err != nil {
				return err
			}
			if asJSON {
				return writeRowsJSON(cmd.OutOrStdout(), rows)
			}
			if len(rows) == 1 {
				return writeRow(cmd.OutOrStdout(), &rows[0])
			}
			return listRows(cmd.OutOrStdout(), rows)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&status, "status", "", "list only rows with this status: "+strings.Join(statusNames(), ", "))
	f.BoolVar(&asJSON, "json", false, "write a JSON array of rows")
	return cmd
}

func statusNames() []string {
	var names []string
	for _, s := range ledger.Statuses() {
		names = append(names, `"`+string(s)+`"`)
	}
	return names
}

// findRows is what the arguments name. With a status and nothing else it
// searches all RFCs.
func findRows(args []string, status string) ([]ledger.Row, error) {
	if status != "" && !slices.Contains(ledger.Statuses(), ledger.Status(status)) {
		return nil, usagef("there is no status %q: use %s", status, strings.Join(statusNames(), ", "))
	}
	var rows []ledger.Row
	switch {
	case len(args) == 0 && status != "":
		books, err := ledger.All()
		if err != nil {
			return nil, err
		}
		for _, b := range books {
			rows = append(rows, b.Rows...)
		}
	case len(args) == 0:
		args = []string{"9293"}
		fallthrough
	default:
		var err error
		if rows, err = ledger.Find(strings.Join(args, " ")); err != nil {
			return nil, usageError{err}
		}
	}
	if status != "" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r ledger.Row) bool { return string(r.Status) != status })
	}
	return rows, nil
}

// writeRow prints everything about one requirement.
func writeRow(w io.Writer, r *ledger.Row) error {
	_, err := fmt.Fprintf(w, "%v (section %s)\n%s\n%s\n", r.Ref, r.Section, r.Words, statusLine(r))
	for _, p := range r.Code {
		fmt.Fprintf(w, "  code  %s:%d  %s\n", p.File, p.Line, p.Name)
	}
	for _, p := range r.Tests {
		fmt.Fprintf(w, "  test  %s:%d  %s\n", p.File, p.Line, p.Name)
	}
	return err
}

func statusLine(r *ledger.Row) string {
	if r.Reason == "" {
		return string(r.Status)
	}
	return string(r.Status) + ": " + r.Reason
}

// listRows prints a line for each requirement.
func listRows(w io.Writer, rows []ledger.Row) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no requirement has that status")
		return err
	}
	wide := 0
	for _, r := range rows {
		wide = max(wide, len(r.Ref.String()))
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "%-*s  %-16s  %s\n", wide, r.Ref, r.Status, r.Words); err != nil {
			return err
		}
	}
	return nil
}

type (
	jsonRow struct {
		RFC     int         `json:"rfc"`
		ID      string      `json:"id"`
		Section string      `json:"section"`
		Words   string      `json:"words"`
		Status  string      `json:"status"`
		Reason  string      `json:"reason,omitempty"`
		Code    []jsonPlace `json:"code"`
		Tests   []jsonPlace `json:"tests"`
	}
	jsonPlace struct {
		File string `json:"file"`
		Line int    `json:"line"`
		Name string `json:"name"`
	}
)

func writeRowsJSON(w io.Writer, rows []ledger.Row) error {
	places := func(ps []ledger.Place) []jsonPlace {
		out := make([]jsonPlace, 0, len(ps))
		for _, p := range ps {
			out = append(out, jsonPlace(p))
		}
		return out
	}
	out := make([]jsonRow, 0, len(rows))
	for _, r := range rows {
		out = append(out, jsonRow{
			RFC: r.RFC, ID: r.ID, Section: r.Section, Words: r.Words, Status: string(r.Status), Reason: r.Reason,
			Code: places(r.Code), Tests: places(r.Tests),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
