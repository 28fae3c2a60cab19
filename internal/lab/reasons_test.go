package lab

import (
	"strings"
	"testing"
	"unicode"
)

// units are understood in both languages.
var units = strings.NewReplacer(" ms", "", " µs", "", " ns", "", " min", "", " s", "", " h", "")

// TestReasons: why a claim doesn't hold is told in both languages, and no
// check breaks when what it looks for is not there.
func TestReasons(t *testing.T) {
	reasons := 0
	for _, s := range append(Scenarios(), Sandbox()) {
		if s.Name == "flood-defences" {
			continue // three quarters of the time of all others
		}
		silence := make([]string, len(s.Worlds))
		for i := range silence {
			silence[i] = "0 B listen\n"
		}
		for _, change := range []func(p *Params){
			func(p *Params) { p.Faults = []string{"lose A:1-"} },
			func(p *Params) { p.Faults = []string{"lose B:2-"} },
			func(p *Params) { p.Faults = []string{"double A:1-"} },
			func(p *Params) { p.TwoWay, p.TimeWait = On, Off },
			func(p *Params) { p.Scripts = silence },
		} {
			p := Defaults()
			change(&p)
			r, err := s.Play(p)
			if err != nil {
				t.Errorf("%s: %v", s.Name, err)
				continue
			}
			for _, v := range r.Verdicts {
				if v.State == Holds {
					continue
				}
				reasons++
				if v.Reason.EN == "" || strings.Contains(v.Reason.EN, "%!") || strings.Contains(v.Reason.ZH, "%!") {
					t.Errorf("%s: %s: %q, %q", s.Name, v.Text.EN, v.Reason.EN, v.Reason.ZH)
				}
				words := strings.ContainsFunc(units.Replace(v.Reason.EN), unicode.IsLower)
				if words && !strings.ContainsFunc(v.Reason.ZH, func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
					t.Errorf("%s: %s: no Chinese: %q", s.Name, v.Text.EN, v.Reason.ZH)
				}
			}
		}
	}
	if reasons < 100 {
		t.Errorf("only %d reasons were seen", reasons)
	}
	t.Log(reasons, "reasons")
}
