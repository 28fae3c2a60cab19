package main

import (
	"fmt"
	"strings"

	"estab/internal/lab"
	"estab/internal/trace"
)

// The columns that the output keeps to.
const labColumns = 80

// tick is how a verdict looks.
func (o *labOptions) tick(s lab.VerdictState) string {
	mark, code := "✓", "32"
	switch s {
	case lab.Fails:
		mark, code = "✗", "31"
	case lab.NotApplicable:
		mark, code = "–", "2"
	}
	return o.paint(code, mark)
}

// paint gives a text one of ECMA-48's colours, if there is colour.
func (o *labOptions) paint(code, s string) string {
	if !o.colored {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// writeLine is a scenario in one line, and what failed.
func (o *labOptions) writeLine(r *lab.Run) {
	state := lab.Holds
	if !r.OK() {
		state = lab.Fails
	}
	fmt.Fprintf(o.out, "%s %d  %-22s %s\n", o.tick(state), r.Scenario.Section, r.Scenario.Name, r.Scenario.Title.In(lab.Lang(o.lang)))
	for _, v := range r.Verdicts {
		if v.State == lab.Fails {
			o.hang("     ✗ ", o.failed(v))
		}
	}
}

// failed is a claim and why it doesn't hold.
func (o *labOptions) failed(v lab.Verdict) string {
	return v.Text.In(lab.Lang(o.lang)) + o.say(": ", "：") + v.Reason.In(lab.Lang(o.lang))
}

// para writes a paragraph.
func (o *labOptions) para(s string) {
	for _, line := range trace.Wrap(s, labColumns) {
		fmt.Fprintln(o.out, line)
	}
}

// hang writes a text behind a mark, with its further lines below the first.
func (o *labOptions) hang(mark, s string) {
	n := trace.Columns(mark)
	for i, line := range trace.Wrap(s, labColumns-n) {
		if i > 0 {
			mark = strings.Repeat(" ", n)
		}
		fmt.Fprintln(o.out, mark+line)
	}
}

// writeText tells a run: story and ladder of each world, figures, claims.
func (o *labOptions) writeText(r *lab.Run) error {
	lang := lab.Lang(o.lang)
	s := &r.Scenario
	fmt.Fprintf(o.out, "%d  %s\n", s.Section, lab.SectionTitle(s.Section).In(lang))
	fmt.Fprintln(o.out, o.paint("1", s.Title.In(lang)))
	fmt.Fprintln(o.out)
	o.para(s.Intro.In(lang))
	for i, p := range r.Plays {
		if len(r.Plays) > 1 && r.Pictured(p) {
			fmt.Fprintf(o.out, "\n%s\n", o.paint("1", fmt.Sprintf("[%d] %s", i+1, p.Name.In(lang))))
		}
		if err := o.ladder(r, p); err != nil {
			return err
		}
		if o.tcb || s.Memory {
			o.memory(p)
		}
		if o.tcb {
			o.tcbs(p)
		}
	}
	for _, t := range r.Tables {
		o.table(&t)
	}
	fmt.Fprintln(o.out)
	for _, v := range r.Verdicts {
		text := v.Text.In(lang)
		switch v.State {
		case lab.Fails:
			text = o.failed(v)
		case lab.NotApplicable:
			text += o.say(" (no longer applies: the parameters were changed; "+v.Reason.EN+")", "（参数已改，不再适用："+v.Reason.ZH+"）")
		}
		o.hang(o.tick(v.State)+" ", text)
	}
	fmt.Fprintln(o.out)
	o.para(s.Lesson.In(lang))
	return nil
}

// style is how ladders are drawn.
func (o *labOptions) style(s *lab.Scenario) trace.Style {
	st := trace.Style{Width: labColumns, Color: o.colored, Words: lab.Words(lab.Lang(o.lang))}
	switch {
	case o.numbers == "letters", o.numbers == "" && s.Letters:
		st.Numbers = trace.Textbook
	case o.numbers == "absolute":
		st.Numbers = trace.Absolute
	}
	return st
}

// ladder writes the ladder of a world with the story between its rows.
func (o *labOptions) ladder(r *lab.Run, p *lab.Play) error {
	l := r.Ladder(p, lab.Lang(o.lang))
	if len(l.Rows) == 0 {
		for _, s := range l.After {
			o.para(s)
		}
		return nil
	}
	fmt.Fprintln(o.out)
	if !o.step {
		return l.Write(o.out, o.style(&r.Scenario))
	}
	var b strings.Builder
	if err := l.Write(&b, o.style(&r.Scenario)); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "  ▸") {
			o.out.Flush()
			if _, err := o.in.ReadString('\n'); err != nil {
				o.step = false
			}
		}
		o.out.WriteString(line)
	}
	return nil
}
