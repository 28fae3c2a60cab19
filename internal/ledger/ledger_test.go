package ledger

import (
	"fmt"
	"strings"
	"testing"
)

// Every number of RFC 9293 has a row, and there are no others.
func TestEveryNumberHasARow(t *testing.T) {
	b, err := Main()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, kind := range []struct {
		name string
		last int
	}{{"MUST", 69}, {"SHLD", 31}, {"MAY", 18}, {"REC", 1}} {
		for n := range kind.last {
			want = append(want, fmt.Sprintf("%s-%d", kind.name, n+1))
		}
	}
	if len(b.Rows) != len(want) {
		t.Errorf("%d rows, want %d", len(b.Rows), len(want))
	}
	for i, r := range b.Rows {
		if i < len(want) && r.ID != want[i] {
			t.Fatalf("row %d is %s, want %s", i+1, r.ID, want[i])
		}
	}
}

// The other RFCs are there, in order.
func TestOthers(t *testing.T) {
	books, err := Others()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range books {
		got = append(got, fmt.Sprint(b.RFC))
		if len(b.Rows) == 0 {
			t.Errorf("RFC %d has no rows", b.RFC)
		}
	}
	if s := strings.Join(got, " "); s != "1122 2018 2883 5681 5961 6191 6298 6528 6582 6675 7323 9438" {
		t.Errorf("RFCs %s", s)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"MUST-1 | 3.1 | words | obeyed", "x:1: a row before the first RFC"},
		{"= RFC nine | T", "x:1: no number of an RFC"},
		{"= RFC 1 | T\nA | 1 | w | obeyed\nA | 1 | w | obeyed", "x:3: A stands twice"},
		{"= RFC 1 | T\nA | 1 | w", "x:2: 3 columns, want 4"},
		{"= RFC 1 | T\nA | 1 | w | maybe", `x:2: status "maybe"`},
		{"= RFC 1 | T\nA | 1 | w | not yet", `x:2: "not yet" without a reason`},
		{"= RFC 1 | T\nA | 1 | | obeyed", "x:2: an empty column"},
	} {
		if _, err := Parse(c.text, "x"); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"MUST-42", "RFC 9293 MUST-42"},
		{"must-42", "RFC 9293 MUST-42"},
		{"RFC 9293 shld-3", "RFC 9293 SHLD-3"},
		{"rfc9293 MAY-1", "RFC 9293 MAY-1"},
		{"6298 5.5", "RFC 6298 5.5"},
		{"RFC 5681 3.1a", "RFC 5681 3.1a"},
		{"RFC 6528", "RFC 6528 3a, RFC 6528 3b, RFC 6528 3c, RFC 6528 4"},
		{"6528", "RFC 6528 3a, RFC 6528 3b, RFC 6528 3c, RFC 6528 4"},
		{"", "error: no requirement is named: try MUST-42, or RFC 6298 5.5"},
		{"MUST-70", "error: RFC 9293 has no requirement MUST-70 here: it has MUST-1 to MUST-69, SHLD-1 to SHLD-31, MAY-1 to MAY-18, REC-1"},
		{"42", "error: RFC 9293 has no requirement 42 here: it has MUST-1 to MUST-69, SHLD-1 to SHLD-31, MAY-1 to MAY-18, REC-1"},
		{"RFC 6528 9", "error: RFC 6528 has no requirement 9 here: it has 3a, 3b, 3c, 4"},
		{"RFC 793", "error: there is no ledger of RFC 793: there is one of 9293, 1122, 2018, 2883, 5681, 5961, 6191, 6298, 6528, 6582, 6675, 7323 and 9438"},
		{"MUST-1 MUST-2", `error: "MUST-1 MUST-2" names more than one requirement`},
	} {
		rows, err := Find(c.query)
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			var l []string
			for _, r := range rows {
				l = append(l, r.Ref.String())
			}
			got = strings.Join(l, ", ")
		}
		if got != c.want {
			t.Errorf("Find(%q) = %s, want %s", c.query, got, c.want)
		}
	}
}

func TestParseRefs(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{" RFC 9293 MUST-1.", "[RFC 9293 MUST-1]"},
		{"RFC 9293 MUST-1, SHLD-2; RFC 6298 5.5.", "[RFC 9293 MUST-1 RFC 9293 SHLD-2 RFC 6298 5.5]"},
		{"RFC 9293 MUST-1", "error"},
		{"RFC 9293 MUST-1 MUST-2.", "error"},
		{"RFC 9293.", "error"},
		{"MUST-1.", "error"},
		{"RFC x MUST-1.", "error"},
		{"RFC 9293 MUST-1,.", "error"},
	} {
		refs, err := ParseRefs(c.text)
		got := fmt.Sprint(refs)
		if err != nil {
			got = "error"
		}
		if got != c.want {
			t.Errorf("ParseRefs(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}
