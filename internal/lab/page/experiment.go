package page

import (
	"slices"

	"estab/internal/lab"
)

// Experiment is a scenario and what was changed about it.
type Experiment struct {
	Scenario string            `json:"scenario"`
	Set      map[string]string `json:"set,omitempty"` // parameters, by the names of their specifications
	Faults   []string          `json:"faults,omitempty"`
	Scripts  []string          `json:"scripts,omitempty"` // by world; "": the scenario's own

	// Where the page is, which is no part of the run.
	Lang lab.Lang `json:"lang,omitempty"`
	At   string   `json:"at,omitempty"`
}

// NewExperiment is a scenario with these parameters as an experiment.
func NewExperiment(scenario string, p lab.Params) (*Experiment, error) {
	s, ok := lab.Find(scenario)
	if !ok {
		return nil, lab.Unknown(scenario)
	}
	return experiment(&s, &p), p.Check()
}

// read is the scenario and the parameters that an experiment means.
func (x *Experiment) read() (s lab.Scenario, p lab.Params, err error) {
	s, ok := lab.Find(x.Scenario)
	if !ok {
		return s, p, lab.Unknown(x.Scenario)
	}
	p = lab.Defaults()
	for _, name := range sorted(x.Set) {
		spec, ok := lab.FindSpec(name)
		if !ok {
			return s, p, lab.UnknownParam(name)
		}
		if err := spec.Set(&p, x.Set[name]); err != nil {
			return s, p, err
		}
	}
	p.Faults = slices.Clone(x.Faults)
	for i, text := range x.Scripts {
		if i < len(s.Worlds) && text != s.Worlds[i].Script {
			p.Scripts = append(p.Scripts, make([]string, i+1-len(p.Scripts))...)
			p.Scripts[i] = text
		}
	}
	return s, p, p.Check()
}

// experiment is what a scenario with these parameters is as an experiment:
// only what differs from the untouched run is in it.
func experiment(s *lab.Scenario, p *lab.Params) *Experiment {
	x := &Experiment{Scenario: s.Name, Faults: p.Faults, Scripts: p.Scripts}
	d := lab.Defaults()
	for _, spec := range lab.Specs() {
		if v := spec.Get(p); v != spec.Get(&d) {
			if x.Set == nil {
				x.Set = map[string]string{}
			}
			x.Set[spec.Name] = v
		}
	}
	return x
}

// touched reports whether the run is another than the scenario's own.
func (x *Experiment) touched() bool { return len(x.Set)+len(x.Faults)+len(x.Scripts) > 0 }

func sorted(m map[string]string) []string {
	var names []string
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}
