package main

import (
	"fmt"
	"slices"
	"strings"

	"estab/internal/ledger"
)

// places writes the list that package ledger embeds, in a fixed order.
func places(ties []tie) string {
	var lines []string
	for _, t := range ties {
		verb := "obeys"
		if t.shows {
			verb = "shows"
		}
		for _, r := range t.refs {
			lines = append(lines, fmt.Sprintf("%s %4d %-7s %s %d %s", verb, r.RFC, r.ID, t.File, t.Line, t.Name))
		}
	}
	// By file, and in a file by line: ties come in that order.
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(place(a), place(b)) })
	return "# Written by go generate ./internal/ledger: where requirements are obeyed and shown.\n" +
		strings.Join(lines, "\n") + "\n"
}

// place is what a line is sorted by: verb, RFC, requirement, file.
func place(line string) string {
	f := strings.Fields(line)
	return strings.Join(f[:4], " ")
}

// document writes the page of some RFCs.
func document(title, intro string, books []ledger.Book) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n<!-- Written by go generate ./internal/ledger: don't edit. -->\n\n%s\n", title, intro)
	counts(&b, books)
	for _, book := range books {
		if len(books) > 1 {
			fmt.Fprintf(&b, "\n## RFC %d: %s\n", book.RFC, book.Title)
		}
		b.WriteString("\n| requirement | what it asks | status | code | test |\n|---|---|---|---|---|\n")
		for _, r := range book.Rows {
			id := r.ID
			if r.Section != id {
				id += "<br>§" + r.Section
			}
			status := string(r.Status)
			if r.Reason != "" {
				status += ": " + r.Reason
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", id, r.Words, status, links(r.Code, codeLink), links(r.Tests, testLink))
		}
	}
	return b.String()
}

// counts is a table of how many rows have each status.
func counts(b *strings.Builder, books []ledger.Book) {
	b.WriteString("\n| |")
	for _, s := range ledger.Statuses() {
		fmt.Fprintf(b, " %s |", s)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(ledger.Statuses())) + "\n")
	for _, book := range books {
		fmt.Fprintf(b, "| RFC %d |", book.RFC)
		for _, s := range ledger.Statuses() {
			n := 0
			for _, r := range book.Rows {
				if r.Status == s {
					n++
				}
			}
			fmt.Fprintf(b, " %d |", n)
		}
		b.WriteString("\n")
	}
}

func codeLink(p ledger.Place) string {
	return fmt.Sprintf("[%s:%d](../%s#L%d)", p.File, p.Line, p.File, p.Line)
}

func testLink(p ledger.Place) string {
	return fmt.Sprintf("[%s](../%s#L%d)", p.Name, p.File, p.Line)
}

// maxLinks is how many places a row shows; more would say less.
const maxLinks = 3

func links(ps []ledger.Place, link func(ledger.Place) string) string {
	var l []string
	for i, p := range ps {
		if i == maxLinks && len(ps) > maxLinks {
			l = append(l, fmt.Sprintf("and %d more", len(ps)-i))
			break
		}
		l = append(l, link(p))
	}
	return strings.Join(l, "<br>")
}
