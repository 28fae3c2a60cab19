package script

import "strings"

// call parses a system call and its outcome: name(arguments) = result.
func (p *parser) call() *Call {
	c := &Call{Pos: p.tok.pos, Name: p.tok.text}
	p.next()
	if !p.isPunct('(') {
		p.expected("'(' after the name of a system call")
		return c
	}
	c.Args = p.exprList('(', ')')
	p.want('=', " and the result of the call")
	c.Result = p.result()
	return c
}

// result parses what a call returns:
//
//	0    -1 EPIPE (Broken pipe)    0x02 (flags O_RDWR)    ...    *    1~5
func (p *parser) result() Result {
	var r Result
	if p.isPunct('*') {
		r.Value = &Wildcard{Pos: p.tok.pos, Star: true}
		p.next()
	} else {
		r.Value = p.expr()
	}
	if p.accept('~') {
		r.High = p.expr()
	}
	if p.is(tokWord) {
		r.Errno = p.tok.text
		p.next()
	}
	if p.isPunct('(') {
		r.Note = p.note()
	}
	return r
}

// note parses the remark in parentheses after a result. It is not looked
// into, and stands on one line.
func (p *parser) note() string {
	at := p.tok.pos
	p.lex.rescan(p.tok)
	rest := p.lex.rest()
	line := rest[:lineLen(rest)]
	open := 0
	for i := range len(line) {
		switch line[i] {
		case '(':
			open++
		case ')':
			open--
		}
		if open == 0 {
			p.tok = p.lex.cutInner(tokRaw, i+1, 1, 1)
			p.next()
			return strings.Join(strings.Fields(p.prev.text), " ")
		}
	}
	p.fail(at, "the remark after the result has no closing ')'")
	return ""
}
