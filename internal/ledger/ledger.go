package ledger

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

// Ref names a requirement: the number of its RFC, and its own number there.
type Ref struct {
	RFC int
	ID  string // "MUST-58", or a section with a letter: "4.2a"
}

func (r Ref) String() string { return "RFC " + strconv.Itoa(r.RFC) + " " + r.ID }

// Status says what became of a requirement.
type Status string

const (
	Obeyed       Status = "obeyed"
	InPart       Status = "in part"          // obeyed, with an exception that the reason names
	DeliberateNo Status = "deliberately not" // and why
	NotOurs      Status = "not ours to do"   // it speaks to somebody else
	NotYet       Status = "not yet"          // it should be obeyed, and is not
)

// Statuses are all there are, in the order of tables.
func Statuses() []Status { return []Status{Obeyed, InPart, DeliberateNo, NotOurs, NotYet} }

// Tied reports whether a row of that status needs code and a test.
func (s Status) Tied() bool { return s == Obeyed || s == InPart }

// Row is one requirement.
type Row struct {
	Ref
	Section string // of the RFC
	Words   string // what it asks, in short words of our own
	Status  Status
	Reason  string // why not, or a remark; may be empty if obeyed
	Code    []Place
	Tests   []Place
}

// Book is the requirements of one RFC.
type Book struct {
	RFC   int
	Title string
	Rows  []Row
}

// Place is where a comment ties something to a requirement.
type Place struct {
	File string // from the root of the tree, with slashes
	Line int    // of the code that follows the comment; of the comment in a script
	Name string // of the function or the test; of a script its file's
}

//go:embed rfc9293.txt
var mainText string

//go:embed others.txt
var othersText string

//go:embed places.txt
var placesText string

// Main is RFC 9293.
func Main() (Book, error) {
	books, err := load(mainText, "rfc9293.txt", placesText)
	if err != nil {
		return Book{}, err
	}
	return books[0], nil
}

// Others are the other RFCs, in order of number.
func Others() ([]Book, error) { return load(othersText, "others.txt", placesText) }

// All are all books, RFC 9293 first.
func All() ([]Book, error) {
	main, err := Main()
	if err != nil {
		return nil, err
	}
	others, err := Others()
	return append([]Book{main}, others...), err
}

func load(text, file, places string) ([]Book, error) {
	books, err := Parse(text, file)
	if err != nil {
		return nil, err
	}
	code, tests, err := ParsePlaces(places)
	if err != nil {
		return nil, err
	}
	for i := range books {
		books[i].Tie(code, tests)
	}
	return books, nil
}

// Tie fills in where the requirements of the book are obeyed and shown.
func (b *Book) Tie(code, tests map[Ref][]Place) {
	for i := range b.Rows {
		r := &b.Rows[i]
		r.Code, r.Tests = code[r.Ref], tests[r.Ref]
	}
}

// Parse reads a table of requirements. file is for errors.
func Parse(text, file string) ([]Book, error) {
	var books []Book
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		bad := func(what string) error { return fmt.Errorf("%s:%d: %s", file, n, what) }
		if head, ok := strings.CutPrefix(line, "= RFC "); ok {
			num, title, _ := strings.Cut(head, "|")
			rfc, err := strconv.Atoi(strings.TrimSpace(num))
			if err != nil {
				return nil, bad("no number of an RFC")
			}
			books = append(books, Book{RFC: rfc, Title: strings.TrimSpace(title)})
			continue
		}
		if len(books) == 0 {
			return nil, bad("a row before the first RFC")
		}
		b := &books[len(books)-1]
		row, err := parseRow(line, b.RFC)
		if err != nil {
			return nil, bad(err.Error())
		}
		for _, old := range b.Rows {
			if old.ID == row.ID {
				return nil, bad(row.ID + " stands twice")
			}
		}
		b.Rows = append(b.Rows, row)
	}
	return books, nil
}

func parseRow(line string, rfc int) (Row, error) {
	col := strings.Split(line, "|")
	if len(col) != 4 {
		return Row{}, fmt.Errorf("%d columns, want 4", len(col))
	}
	for i := range col {
		col[i] = strings.TrimSpace(col[i])
	}
	status, reason, _ := strings.Cut(col[3], ":")
	r := Row{
		Ref: Ref{rfc, col[0]}, Section: col[1], Words: col[2],
		Status: Status(status), Reason: strings.TrimSpace(reason),
	}
	known := false
	for _, s := range Statuses() {
		known = known || s == r.Status
	}
	switch {
	case r.ID == "" || r.Section == "" || r.Words == "":
		return r, fmt.Errorf("an empty column")
	case !known:
		return r, fmt.Errorf("status %q", status)
	case r.Status != Obeyed && r.Reason == "":
		return r, fmt.Errorf("%q without a reason", status)
	}
	return r, nil
}

// ParsePlaces reads the list of places that package gen writes: for each a
// line of "obeys" or "shows", RFC, number, file, line and name.
func ParsePlaces(text string) (code, tests map[Ref][]Place, err error) {
	code, tests = map[Ref][]Place{}, map[Ref][]Place{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		if len(f) != 6 {
			return nil, nil, fmt.Errorf("places.txt:%d: %d words, want 6", n, len(f))
		}
		rfc, err1 := strconv.Atoi(f[1])
		at, err2 := strconv.Atoi(f[4])
		if err1 != nil || err2 != nil {
			return nil, nil, fmt.Errorf("places.txt:%d: not a number", n)
		}
		ref, p := Ref{rfc, f[2]}, Place{File: f[3], Line: at, Name: f[5]}
		if f[0] == "obeys" {
			code[ref] = append(code[ref], p)
		} else {
			tests[ref] = append(tests[ref], p)
		}
	}
	return code, tests, nil
}

// ParseRefs reads what follows "Obeys:" or "Shows:": RFCs apart by semicolons,
// numbers of one apart by commas, and a full stop at the end.
func ParseRefs(s string) ([]Ref, error) {
	s, ok := strings.CutSuffix(strings.TrimSpace(s), ".")
	if !ok {
		return nil, fmt.Errorf("%q doesn't end with a full stop", s)
	}
	var refs []Ref
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Fields(part)
		if len(f) < 3 || f[0] != "RFC" {
			return nil, fmt.Errorf("%q is not RFC, its number and requirements", strings.TrimSpace(part))
		}
		rfc, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, fmt.Errorf("%q is no number of an RFC", f[1])
		}
		for i, id := range f[2:] {
			id, comma := strings.CutSuffix(id, ",")
			if comma != (i < len(f)-3) {
				return nil, fmt.Errorf("%q: one comma between two numbers", strings.TrimSpace(part))
			}
			refs = append(refs, Ref{rfc, id})
		}
	}
	return refs, nil
}
