package script

import (
	"fmt"
	"path/filepath"
	"strings"

	"estab/internal/trace"
)

// RunSource plays a script that is given as text, once in each family, and
// reports how it ended. name is what the reports call it, and decides what the
// list of missing features says about it. The error says that the text is no
// script; it is an *Error.
func RunSource(name string, src []byte, o Options) ([]Report, error) {
	s, err := Parse(name, src, ParseOptions{Defines: o.defines()})
	if err != nil {
		return nil, err
	}
	var reports []Report
	for _, f := range s.families(&o) {
		r, err := runOnce(s, &o, f)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// families are those that a script is played in: the one that it names, or
// those that are asked for.
func (s *Script) families(o *Options) []Family {
	if f, ok := s.family(); ok {
		return []Family{f}
	}
	return o.families()
}

// family is the one that the script names.
func (s *Script) family() (f Family, ok bool) {
	for _, o := range s.Options() {
		if o.Name == "ip_version" {
			return ParseFamily(o.Value)
		}
	}
	return 0, false
}

func runOnce(s *Script, o *Options, f Family) (Report, error) {
	for tries := 1; ; tries++ {
		r, err := runTry(s, o, f)
		if tries > 1 {
			r.Tries = tries
		}
		if err != nil || o.Machine == nil || tries > o.Retries || r.Failure == nil || r.Failure.Late == nil {
			return r, err
		}
	}
}

func runTry(s *Script, o *Options, f Family) (Report, error) {
	r := Report{Name: s.Name, Family: f}
	pl, err := newPlan(s, o, f)
	if missing := missingFeature(s); missing != nil && o.Machine == nil {
		err = missing
	}
	if err != nil {
		if err.Kind != NotSupported && err.Kind != UnknownName {
			return r, err
		}
		r.Verdict = NotApplicable
		r.because(err)
		return r, nil
	}
	p, broken := newPlayer(s, pl, o)
	if broken == nil && o.Pcap != nil {
		p.capture(o.Pcap(s.Name, f))
	}
	if broken == nil {
		broken = p.against(o.Machine, func() { p.playFor(&r) })
	}
	if broken != nil {
		return r, fmt.Errorf("%s: %w", s.Name, broken)
	}
	return r, nil
}

// against gives the player a system, the engine if machine is nil, and calls use.
func (p *player) against(machine func(MachineConfig, func(Machine) error) error, use func()) (err error) {
	if machine == nil {
		if p.sys, err = newEngine(p); err == nil {
			use()
		}
		return err
	}
	local, remote, err := p.set.addresses()
	if err != nil {
		return err
	}
	return machine(MachineConfig{Local: local, Remote: remote, MTU: p.set.linkMTU()}, func(m Machine) error {
		r := newRealSystem(p, m)
		p.sys = r
		if err := r.begin(); err != nil {
			return err
		}
		use()
		return nil
	})
}

// playFor plays the script and reports how it ended.
func (p *player) playFor(r *Report) {
	if err := p.setUp(); err != nil {
		r.Verdict = NotApplicable
		r.because(err)
		return
	}
	fail := p.play()
	r.Virtual, r.Printed = p.now(), p.printed
	if fail != nil {
		r.Verdict = Failed
		r.because(fail.err)
		r.Failure = &fail.Failure
		r.Failure.Ladder = p.drawLadder(fail)
	}
}

// because says why a script failed or does not apply.
func (r *Report) because(e *Error) {
	r.err = e
	r.Reason, r.Line, r.Column, r.Source = e.Msg, e.Pos.Line, e.Pos.Col, strings.TrimSpace(e.Source)
}

// drawLadder is the exchange of a connection up to where it went wrong, with
// that line of the script marked.
func (p *player) drawLadder(fail *failed) string {
	if fail.flow == nil {
		return ""
	}
	note := fmt.Sprintf("<-- line %d: %s", fail.err.Pos.Line, strings.Join(strings.Fields(fail.err.Source), " "))
	var b strings.Builder
	if err := fail.flow.ladder(p.sys.name(), note, fail.Time).Write(&b, trace.Style{Width: 100}); err != nil {
		return ""
	}
	return b.String()
}

// String is the report in full: the verdict, the line of the script with a
// caret, what was expected and what happened, and the exchange.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%s)", r.Verdict, r.Name, r.Family)
	if r.err == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "\n%v", r.err)
	if f := r.Failure; f != nil {
		if f.Expected != "" {
			fmt.Fprintf(&b, "\nexpected: %s", f.Expected)
		}
		if f.Got != "" {
			fmt.Fprintf(&b, "\ngot:      %s", f.Got)
		}
		if f.Ladder != "" {
			fmt.Fprintf(&b, "\n%s", strings.TrimRight(f.Ladder, "\n"))
		}
	}
	return b.String()
}

// shortName is the end of a path: what the list of features names scripts by.
func shortName(path string) string {
	path = filepath.ToSlash(path)
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		if j := strings.LastIndexByte(path[:i], '/'); j >= 0 {
			return path[j+1:]
		}
	}
	return path
}
