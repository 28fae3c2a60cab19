package script

import "strings"

// verbatim takes the text from the next token on, with every run of blanks
// and comments as one blank. It ends before the character stop outside
// brackets, or, if stop is zero, where the packet seems to end (see ends).
func (p *parser) verbatim(stop byte) string {
	p.lex.rescan(p.tok)
	start := p.lex.pos
	v := verbatimScanner{lex: &p.lex, stop: stop}
	if complaint := v.scan(); complaint != "" {
		p.fail(start, "%s", complaint)
		return ""
	}
	p.tok = token{kind: tokRaw, pos: start, end: v.end.Offset, endLine: v.end.Line}
	p.next()
	return v.text.String()
}

// verbatimScanner reads a packet of a protocol without knowing its grammar.
type verbatimScanner struct {
	lex  *lexer
	stop byte
	text strings.Builder
	last byte // of text
	open int  // brackets
	end  Pos  // behind the last byte taken
}

func (v *verbatimScanner) scan() (complaint string) {
	v.end = v.lex.pos
	for {
		before := v.lex.pos
		if t, ok := v.lex.skipSpace(); !ok {
			return t.text
		}
		rest := v.lex.rest()
		switch {
		case rest == "" && v.open == 0 && v.stop == 0:
			return ""
		case rest == "":
			return "the packet has an open bracket at the end of the script"
		case v.open == 0 && v.ends(rest[0], v.lex.pos.Line > before.Line):
			return ""
		}
		if v.lex.pos.Offset > before.Offset && v.text.Len() > 0 {
			v.text.WriteByte(' ')
		}
		if complaint := v.take(rest); complaint != "" {
			return complaint
		}
	}
}

// ends tells whether the packet ends before c, which stands outside brackets.
// With no stop character it ends at a line's end, unless the line ends in a
// separator or the next one does not begin as an event does.
func (v *verbatimScanner) ends(c byte, newLine bool) bool {
	switch {
	case v.stop != 0:
		return c == v.stop
	case c == '`' || c == '#':
		return true
	case !newLine || v.last == ';' || v.last == ',' || v.last == ':':
		return false
	}
	return isDigit(c) || c == '+' || c == '*' || c == '.'
}

// take adds the next character, or a whole string, to the text.
func (v *verbatimScanner) take(rest string) (complaint string) {
	n := 1
	switch rest[0] {
	case '(', '[', '{':
		v.open++
	case ')', ']', '}':
		v.open = max(v.open-1, 0)
	case '`', '#':
		return "the packet has an open bracket where something else begins"
	case '"':
		i := strings.IndexByte(rest[1:lineLen(rest)], '"')
		if i < 0 {
			return "the packet has a string with no closing quote"
		}
		n = i + 2
	}
	v.text.WriteString(v.lex.cut(tokRaw, n).text)
	v.last = rest[n-1]
	v.end = v.lex.pos
	return ""
}
