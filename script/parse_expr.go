package script

import (
	"fmt"
	"strconv"
	"strings"
)

// expr parses an argument: one value, or several joined by "|".
func (p *parser) expr() Expr {
	first := p.primary()
	if !p.isPunct('|') {
		return first
	}
	or := &OrExpr{Pos: first.Position(), Terms: []Expr{first}}
	for p.accept('|') {
		or.Terms = append(or.Terms, p.primary())
	}
	return or
}

// primary never returns nil, so that a tree under construction can be looked
// at even after an error.
func (p *parser) primary() Expr {
	p.node()
	p.enter()
	defer p.leave()
	t := p.tok
	switch {
	case p.is(tokInt) || p.is(tokHex) || p.is(tokFloat):
		return p.numberLit(t.pos, false)
	case p.accept('-'):
		if !p.is(tokInt) && !p.is(tokHex) && !p.is(tokFloat) {
			p.expected("a number after '-'")
			break
		}
		return p.numberLit(t.pos, true)
	case p.is(tokString):
		return p.stringLit()
	case p.is(tokEllipsis):
		p.next()
		return &Wildcard{Pos: t.pos}
	case p.is(tokWord):
		p.next()
		if !p.isPunct('(') {
			return &Ident{Pos: t.pos, Name: t.text}
		}
		return &CallExpr{Pos: t.pos, Name: t.text, Args: p.exprList('(', ')')}
	case p.isPunct('['):
		return &ArrayExpr{Pos: t.pos, Elems: p.exprList('[', ']')}
	case p.isPunct('{'):
		return p.structExpr()
	default:
		p.expected("a value (a number, a name, a string, ..., [ ] or { })")
	}
	return &Wildcard{Pos: t.pos}
}

// exprList parses values between two brackets; the opening one is next.
func (p *parser) exprList(left, right byte) []Expr {
	p.want(left, "")
	if p.accept(right) {
		return nil
	}
	var list []Expr
	for {
		list = append(list, p.expr())
		if !p.accept(',') {
			break
		}
	}
	p.want(right, fmt.Sprintf(" or ',' after a value in %c %c", left, right))
	return list
}

func (p *parser) numberLit(at Pos, negative bool) Expr {
	text := p.tok.text
	if p.is(tokFloat) {
		p.next()
		return &FloatLit{Pos: at, Negative: negative, Text: text}
	}
	n := &IntLit{Pos: at, Negative: negative, Text: text}
	var ok bool
	if n.Value, ok = parseInteger(text); !ok {
		p.fail(p.tok.pos, "the number %s does not fit 64 bits", clip(text))
		return n
	}
	p.next()
	return n
}

// structExpr parses a struct. A field is a value, name=value, or
// name(length)=value; which of them shows only at the "=".
func (p *parser) structExpr() *StructExpr {
	s := &StructExpr{Pos: p.tok.pos}
	p.next() // "{"
	if p.accept('}') {
		return s
	}
	for {
		s.Fields = append(s.Fields, p.structField())
		if !p.accept(',') {
			break
		}
	}
	p.want('}', " or ',' after a field of a struct")
	return s
}

func (p *parser) structField() StructField {
	f := StructField{Pos: p.tok.pos, Value: p.expr()}
	if !p.isPunct('=') {
		return f
	}
	switch v := f.Value.(type) {
	case *Ident:
		f.Name = v.Name
	case *CallExpr:
		f.Name = v.Name
		if len(v.Args) != 1 {
			p.fail(v.Pos, "a field of a struct has one length in parentheses, this one %d", len(v.Args))
			return f
		}
		f.Length = v.Args[0]
	default:
		p.fail(f.Pos, "expected the name of a field before '='")
		return f
	}
	p.next()
	f.Value = p.expr()
	return f
}

func (p *parser) stringLit() Expr {
	s := &StringLit{Pos: p.tok.pos, Text: p.tok.text}
	value, bad := unescape(s.Text[1 : len(s.Text)-1])
	if bad >= 0 {
		p.fail(s.Pos.after(s.Text[:bad+1]), "unknown escape in a string")
		return s
	}
	s.Value = value
	p.next()
	if p.is(tokEllipsis) {
		s.Open = true
		p.next()
	}
	return s
}

// unescape resolves the escapes of C in a string without its quotes. bad is
// the offset of one that C does not have, else -1.
func unescape(s string) (value string, bad int) {
	if !strings.Contains(s, `\`) {
		return s, -1
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		c, n := escape(s[i+1:])
		if n == 0 {
			return "", i
		}
		b.WriteByte(c)
		i += 1 + n
	}
	return b.String(), -1
}

// escape reads what follows a backslash: the byte meant, and the length read.
func escape(s string) (c byte, n int) {
	if s == "" {
		return 0, 0
	}
	if i := strings.IndexByte(`\"'?abfnrtv`, s[0]); i >= 0 {
		return "\\\"'?\a\b\f\n\r\t\v"[i], 1
	}
	isOctal := func(c byte) bool { return '0' <= c && c <= '7' }
	digits, base, skip := s[:min(3, run(s, isOctal))], 8, 0
	if s[0] == 'x' {
		digits, base, skip = s[1:][:min(2, run(s[1:], isHexDigit))], 16, 1
	}
	v, err := strconv.ParseUint(digits, base, 8)
	if err != nil {
		return 0, 0
	}
	return byte(v), skip + len(digits)
}
