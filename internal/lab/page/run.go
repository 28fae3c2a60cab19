package page

import (
	"errors"

	"estab/internal/lab"
)

// Session plays experiments, and remembers the untouched runs with which they
// are compared. It is not safe for concurrent use.
type Session struct {
	untouched map[string]*Result
}

// Run plays an experiment. An error is a Problem of package lab, or one of
// its scripts.
func (s *Session) Run(x *Experiment) (*Result, error) {
	if r, ok := s.untouched[x.Scenario]; ok && !x.touched() {
		again := *r
		again.Experiment = &Experiment{Scenario: x.Scenario, Lang: x.Lang, At: x.At}
		again.Link = again.Experiment.Link()
		return &again, nil
	}
	r, err := run(x)
	if err != nil {
		return nil, err
	}
	if !r.Touched {
		if s.untouched == nil {
			s.untouched = map[string]*Result{}
		}
		s.untouched[x.Scenario] = r
		return r, nil
	}
	was, err := s.Run(&Experiment{Scenario: x.Scenario})
	if err != nil {
		return nil, err
	}
	r.Diff = diff(was, r)
	return r, nil
}

func run(x *Experiment) (*Result, error) {
	s, p, err := x.read()
	if err != nil {
		return nil, err
	}
	r, err := s.Observe(p)
	if err != nil {
		return nil, err
	}
	clean := experiment(&s, &p)
	clean.Lang, clean.At = x.Lang, x.At
	out := &Result{Experiment: clean, Link: clean.Link(), Command: p.Command(s.Name), Touched: clean.touched(), Scenario: about(&s), Values: map[string]string{},
		Claims: []Claim{}, Tables: []Table{}}
	for _, spec := range lab.Specs() {
		out.Values[spec.Name] = spec.Get(&p)
	}
	for _, play := range r.Plays {
		out.Worlds = append(out.Worlds, world(r, play))
	}
	for _, v := range r.Verdicts {
		out.Claims = append(out.Claims, claim(&v))
	}
	for _, t := range r.Tables {
		out.Tables = append(out.Tables, Table(t))
	}
	return out, nil
}

func about(s *lab.Scenario) About {
	return About{s.Name, s.Section, lab.SectionTitle(s.Section), s.Title, s.Intro, s.Lesson, s.Letters, s.Memory}
}

func claim(v *lab.Verdict) Claim {
	c := Claim{Text: v.Text, Always: v.Always}
	switch v.State {
	case lab.Holds:
		at := v.Since.Seconds()
		c.State, c.Since = "holds", &at
	case lab.Fails:
		c.State, c.Reason = "fails", &v.Reason
	case lab.NotApplicable:
		c.State, c.Reason = "moot", &v.Reason
	}
	return c
}

// Fail says what is wrong with an experiment.
func Fail(err error) *Failure {
	f := &Failure{Problem: lab.TextOf(err)}
	var s *lab.ScriptError
	var l *lab.LineError
	if errors.As(err, &s) {
		f.Where = &Where{World: s.World}
		if errors.As(err, &l) {
			f.Where.Line = l.Line
		}
	}
	return f
}
