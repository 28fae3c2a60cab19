package page

import (
	"bytes"
	"encoding/json"

	"estab/internal/lab"
)

// The calls of the page, in JSON.

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return `{"problem":{"en":"it can't be told","zh":"无法表达"}}`
	}
	return b.String()
}

// decode reads an experiment.
func decode(text string) (*Experiment, error) {
	x := &Experiment{}
	if err := json.Unmarshal([]byte(text), x); err != nil {
		return nil, lab.BadLink(err.Error())
	}
	return x, nil
}

// CatalogJSON is the Catalog.
func CatalogJSON() string { return encode(NewCatalog()) }

// RunJSON runs an experiment: a Result, or a Failure.
func (s *Session) RunJSON(text string) (answer string) {
	defer func() {
		if p := recover(); p != nil {
			answer = encode(Fail(lab.Broke(p)))
		}
	}()
	x, err := decode(text)
	if err != nil {
		return encode(Fail(err))
	}
	r, err := s.Run(x)
	if err != nil {
		return encode(Fail(err))
	}
	return encode(r)
}

// ParseJSON reads a link: the experiment, and what is wrong with it if
// anything is.
func ParseJSON(link string) string {
	x, err := ParseLink(link)
	var r struct {
		Experiment *Experiment `json:"experiment"`
		Problem    *lab.Text   `json:"problem"`
	}
	r.Experiment = x
	if err != nil {
		t := lab.TextOf(err)
		r.Problem = &t
	}
	return encode(r)
}

// FormatJSON is the link of an experiment; "" of one that can't be read.
func FormatJSON(text string) string {
	x, err := decode(text)
	if err != nil {
		return ""
	}
	return x.Link()
}

// ExportJSON makes a file: what it is, or a Failure, and its bytes.
func (s *Session) ExportJSON(kind, text string) (head string, data []byte) {
	defer func() {
		if p := recover(); p != nil {
			head, data = encode(Fail(lab.Broke(p))), nil
		}
	}()
	x, err := decode(text)
	if err != nil {
		return encode(Fail(err)), nil
	}
	f, err := s.Export(kind, x)
	if err != nil {
		return encode(Fail(err)), nil
	}
	return encode(f), f.Data
}
