package script

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"
)

// Format rewrites a script in its canonical form. Comments, blank lines (one
// of several) and both branches of an #ifdef stay; parsing the result gives
// the same tree. The error is an *Error.
func Format(src []byte) ([]byte, error) {
	s, err := Parse("", src, ParseOptions{})
	if err != nil {
		return nil, err
	}
	return Print(s), nil
}

// Print writes a script in its canonical form: one item a line, the time of
// an event in a column of its own, flags in one order, trailing comments of
// neighbouring lines below each other.
func Print(s *Script) []byte {
	var p printer
	p.items(s.Items)
	p.align()
	return p.out.Bytes()
}

const (
	timeColumn  = 5   // width of an event's time
	lineColumns = 100 // a longer call is broken at its commas
)

type printer struct {
	out bytes.Buffer
	run []printedLine // neighbouring lines with trailing comments
}

type printedLine struct {
	text     string
	trailing []string
}

func (p *printer) items(items []Item) {
	for _, it := range items {
		if it.layout().Blank {
			p.line("", nil)
		}
		switch it := it.(type) {
		case *Comment:
			p.line(it.Text, nil)
		case *Option:
			p.line(it.text(), it.Trailing)
		case *Event:
			p.line(it.text(), it.Trailing)
		case *Conditional:
			p.conditional(it)
		}
	}
}

func (p *printer) conditional(c *Conditional) {
	directive := "#ifdef "
	if c.Negated {
		directive = "#ifndef "
	}
	p.line(directive+c.Name, c.Trailing)
	p.items(c.Then)
	if c.HasElse {
		p.line("#else", c.ElseTrailing)
		p.items(c.Else)
	}
	p.line("#endif", c.EndTrailing)
}

// line writes a line, or holds it back as long as neighbours follow with
// which its comment is to be aligned.
func (p *printer) line(text string, trailing []string) {
	if len(trailing) > 0 {
		p.run = append(p.run, printedLine{text, trailing})
		return
	}
	p.align()
	p.out.WriteString(text)
	p.out.WriteByte('\n')
}

// align writes the lines held back.
func (p *printer) align() {
	width := 0
	for _, l := range p.run {
		width = max(width, lastLineWidth(l.text))
	}
	for _, l := range p.run {
		p.out.WriteString(l.text)
		pad := width - lastLineWidth(l.text) + 2
		for _, c := range l.trailing {
			p.out.WriteString(strings.Repeat(" ", pad))
			p.out.WriteString(c)
			pad = 1
		}
		p.out.WriteByte('\n')
	}
	p.run = p.run[:0]
}

func lastLineWidth(s string) int {
	return utf8.RuneCountInString(s[strings.LastIndexByte(s, '\n')+1:])
}

func (o *Option) text() string {
	switch {
	case o.Quoted:
		return "--" + o.Name + `="` + o.Value + `"`
	case o.HasValue:
		return "--" + o.Name + "=" + o.Value
	}
	return "--" + o.Name
}

func (e *Event) text() string {
	if e.Time.Kind == TimeNone {
		return actionText(e.Action)
	}
	t := e.Time.String()
	t = strings.Repeat(" ", max(timeColumn-len(t), 0)) + t + " "
	if call, ok := e.Action.(*Call); ok {
		return breakCall(t, call)
	}
	return t + actionText(e.Action)
}

func actionText(a Action) string {
	switch a := a.(type) {
	case *Command:
		return "`" + a.Text + "`"
	case *Code:
		return "%{" + a.Text + "}%"
	case *Call:
		return a.String()
	case *Segment:
		return a.String()
	case *ICMP:
		return a.String()
	case *UDP:
		return a.String()
	case *OtherPacket:
		return a.String()
	}
	return ""
}

// breakCall puts a call that is too long for a line on several, broken behind
// commas and indented below its first argument. The result stays whole: a
// remark may not be broken.
func breakCall(prefix string, c *Call) string {
	text := prefix + c.String()
	if len(text) <= lineColumns {
		return text
	}
	indent := strings.Repeat(" ", len(prefix)+len(c.Name)+1)
	var b strings.Builder
	used := 0 // columns of the current line
	for piece := range commaPieces(prefix + c.head()) {
		if used > 0 && used+len(strings.TrimRight(piece, " ")) > lineColumns {
			b.WriteString("\n" + indent)
			used = len(indent)
		}
		b.WriteString(piece)
		used += len(piece)
	}
	return trimLineEnds(b.String()) + c.Result.tail()
}

// commaPieces yields the parts of text, each up to and with a comma and a
// blank outside quotes.
func commaPieces(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(text); i++ {
			switch {
			case quoted && text[i] == '\\':
				i++
			case text[i] == '"':
				quoted = !quoted
			case !quoted && strings.HasPrefix(text[i:], ", "):
				if !yield(text[start : i+2]) {
					return
				}
				start = i + 2
			}
		}
		yield(text[start:])
	}
}

func trimLineEnds(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// String is the time as a script has it.
func (t EventTime) String() string {
	var s string
	switch t.Kind {
	case TimeNone:
		return ""
	case TimeAny:
		return "*"
	case TimeAbsolute:
		s = seconds(t.At)
	case TimeRelative:
		s = "+" + shortSeconds(t.At)
	case TimeAbsoluteRange:
		s = seconds(t.At) + "~" + seconds(t.Until)
	case TimeRelativeRange:
		s = "+" + shortSeconds(t.At) + "~+" + shortSeconds(t.Until)
	}
	if t.HasEnd {
		s += "..." + seconds(t.End)
	}
	return s
}

// seconds writes a duration in seconds with as many digits as it needs: 0.25.
func seconds(d time.Duration) string {
	s := int64(d)
	whole, nanos := s/1e9, s%1e9
	text := itoa(whole)
	if nanos > 0 {
		frac := itoa(nanos)
		frac = strings.Repeat("0", 9-len(frac)) + frac
		text += "." + strings.TrimRight(frac, "0")
	}
	return text
}

// shortSeconds is seconds without the zero before the point: .25.
func shortSeconds(d time.Duration) string {
	s := seconds(d)
	if strings.HasPrefix(s, "0.") {
		return s[1:]
	}
	return s
}
