package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"estab/internal/lab"
)

// labParams are the flags that change a scenario: those of lab.Specs, faults
// and scripts.
type labParams struct {
	params            lab.Params
	lose, late, twice []string
	scripts           []string
}

// newLabParams adds the flags.
func newLabParams(f *pflag.FlagSet) *labParams {
	p := &labParams{params: lab.Defaults()}
	for _, s := range lab.Specs() {
		f.Var(&paramFlag{s, &p.params}, s.Name, s.Help.EN)
	}
	f.StringArrayVar(&p.lose, "lose", nil, "lose these segments: A:2, B:3-7, B:3-, B:FIN")
	f.StringArrayVar(&p.late, "late", nil, `delay these segments: "A:1 5s"`)
	f.StringArrayVar(&p.twice, "twice", nil, "double these segments: A:4")
	f.StringArrayVar(&p.scripts, "script", nil, `read what happens from this file ("-": as the scenario has it); once for each world`)
	return p
}

// read is what the flags say.
func (p *labParams) read() (lab.Params, error) {
	q := p.params
	for _, x := range []struct {
		word string
		list []string
	}{{"lose", p.lose}, {"delay", p.late}, {"double", p.twice}} {
		for _, s := range x.list {
			q.Faults = append(q.Faults, x.word+" "+s)
		}
	}
	for _, name := range p.scripts {
		text := ""
		if name != "-" {
			b, err := os.ReadFile(name)
			if err != nil {
				return q, usagef("--script: %v", err)
			}
			text = string(b)
		}
		q.Scripts = append(q.Scripts, text)
	}
	if err := q.Check(); err != nil {
		return q, usageError{err}
	}
	return q, nil
}

// paramFlag is a parameter as a flag.
type paramFlag struct {
	spec lab.Spec
	to   *lab.Params
}

func (f *paramFlag) String() string {
	if f.to == nil {
		return ""
	}
	return f.spec.Get(f.to)
}

func (f *paramFlag) Type() string {
	switch f.spec.Kind {
	case lab.KindTime:
		return "duration"
	case lab.KindSwitch:
		return "on|off"
	case lab.KindChoice:
		return strings.Join(f.spec.Choices, "|")
	case lab.KindPath:
		return "words"
	}
	return "number"
}

// Set reads the flag. That flag and value are named by whoever tells the error.
func (f *paramFlag) Set(s string) error {
	if err := f.spec.Set(f.to, s); err != nil {
		if f.spec.Kind == lab.KindPath {
			return err
		}
		return errors.New(f.spec.Want().EN)
	}
	return nil
}
