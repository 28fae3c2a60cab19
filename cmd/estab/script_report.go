package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"time"

	"estab/script"
)

// jsonScripts is the JSON of estab script.
type jsonScripts struct {
	Passed        int             `json:"passed"`
	Failed        int             `json:"failed"`
	NotApplicable int             `json:"notApplicable"`
	Scripts       []script.Report `json:"scripts"`
	Errors        []string        `json:"errors,omitempty"` // of files that are no scripts
}

func writeScriptJSON(w io.Writer, results []scriptResult, count [3]int) error {
	j := jsonScripts{
		Passed: count[script.Passed], Failed: count[script.Failed], NotApplicable: count[script.NotApplicable],
		Scripts: []script.Report{},
	}
	for i := range results {
		j.Scripts = append(j.Scripts, results[i].reports...)
		if results[i].err != nil {
			j.Errors = append(j.Errors, results[i].badInput().Error())
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

// The XML of JUnit, as far as continuous integration reads it.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"` // virtual seconds
		Failure *junitMessage `xml:"failure,omitempty"`
		Error   *junitMessage `xml:"error,omitempty"`
		Skipped *junitMessage `xml:"skipped,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the results to a file.
func writeJUnit(path string, results []scriptResult) error {
	s := junitSuite{Name: "estab script"}
	for i := range results {
		r := &results[i]
		if r.err != nil {
			s.Errors++
			s.add(junitCase{Class: "script", Name: r.path, Time: "0", Error: &junitMessage{r.badInput().Error(), r.err.Error()}})
		}
		for k := range r.reports {
			s.report(&r.reports[k])
		}
	}
	b, err := xml.MarshalIndent(&s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte(xml.Header), append(b, '\n')...), 0o666)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	s.Cases = append(s.Cases, c)
}

func (s *junitSuite) report(r *script.Report) {
	c := junitCase{Class: "script." + r.Family.String(), Name: r.Name, Time: fmt.Sprintf("%.6f", float64(r.Virtual)/float64(time.Second))}
	switch r.Verdict {
	case script.Failed:
		s.Failures++
		c.Failure = &junitMessage{r.Reason, r.String()}
	case script.NotApplicable:
		s.Skipped++
		c.Skipped = &junitMessage{Message: fmt.Sprintf("line %d: %s", r.Line, r.Reason)}
	}
	s.add(c)
}
