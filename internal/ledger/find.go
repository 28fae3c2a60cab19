package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Find looks requirements up: "MUST-42" (of RFC 9293), "RFC 6298 5.5" or "6298
// 5.5"; and all of an RFC: "RFC 6298" or "6298". Case doesn't matter.
func Find(query string) ([]Row, error) {
	books, err := All()
	if err != nil {
		return nil, err
	}
	f := strings.Fields(strings.ToUpper(query))
	if len(f) > 0 && strings.HasPrefix(f[0], "RFC") {
		if f[0] = f[0][3:]; f[0] == "" {
			f = f[1:]
		}
	}
	if len(f) == 0 {
		return nil, fmt.Errorf("no requirement is named: try MUST-42, or RFC 6298 5.5")
	}
	book := &books[0]
	if n, err := strconv.Atoi(f[0]); err == nil && (len(f) > 1 || n > 100) {
		if book = bookOf(books, n); book == nil {
			return nil, fmt.Errorf("there is no ledger of RFC %d: there is one of %s", n, rfcs(books))
		}
		f = f[1:]
	}
	switch len(f) {
	case 0:
		return book.Rows, nil
	case 1:
		for _, r := range book.Rows {
			if strings.EqualFold(r.ID, f[0]) {
				return []Row{r}, nil
			}
		}
		return nil, fmt.Errorf("RFC %d has no requirement %s here: it has %s", book.RFC, f[0], book.span())
	}
	return nil, fmt.Errorf("%q names more than one requirement", strings.Join(f, " "))
}

func bookOf(books []Book, rfc int) *Book {
	for i := range books {
		if books[i].RFC == rfc {
			return &books[i]
		}
	}
	return nil
}

func rfcs(books []Book) string {
	var n []string
	for _, b := range books {
		n = append(n, strconv.Itoa(b.RFC))
	}
	return strings.Join(n[:len(n)-1], ", ") + " and " + n[len(n)-1]
}

// span says which numbers a book has: all of a short one, the kinds of a long
// one.
func (b *Book) span() string {
	var kinds, ids []string
	last := map[string]string{}
	for _, r := range b.Rows {
		ids = append(ids, r.ID)
		kind, n, ok := strings.Cut(r.ID, "-")
		if !ok {
			continue
		}
		if last[kind] == "" {
			kinds = append(kinds, kind)
		}
		last[kind] = n
	}
	if len(kinds) == 0 {
		return strings.Join(ids, ", ")
	}
	for i, k := range kinds {
		kinds[i] = k + "-1"
		if last[k] != "1" {
			kinds[i] += " to " + k + "-" + last[k]
		}
	}
	return strings.Join(kinds, ", ")
}
