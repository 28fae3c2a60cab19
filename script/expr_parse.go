package script

import (
	"slices"
	"strconv"
	"strings"
)

// maxExprNodes and maxExprDepth bound what a block may cost; the suites' have
// less than a hundredth.
const (
	maxExprNodes = 10_000
	maxExprDepth = 64
)

// exprParser parses a block. As with parser, after the first error every
// token is the end.
type exprParser struct {
	prog  *Program
	lex   exprLexer
	tok   exprToken
	prev  exprToken
	err   *Error
	nodes int
	depth int
}

func parseProgram(file, src string, at Pos, end int) (*Program, error) {
	p := exprParser{
		prog: &Program{file: file, src: src},
		lex:  exprLexer{src: src, end: end, pos: at},
	}
	p.next()
	for p.tok.kind != exprEnd {
		if p.tok.kind == exprNewline {
			p.next()
			continue
		}
		p.prog.stmts = append(p.prog.stmts, p.statement())
		if p.tok.kind != exprNewline && p.tok.kind != exprEnd {
			p.unexpected("the end of the statement")
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return p.prog, nil
}

func (p *exprParser) fail(kind ErrorKind, at Pos, format string, args ...any) {
	if p.err == nil {
		p.err = p.prog.errorf(kind, at, format, args...)
	}
	p.tok = exprToken{pos: at, end: p.lex.end}
}

func (p *exprParser) next() {
	p.prev = p.tok
	if p.err != nil {
		return
	}
	t, complaint := p.lex.next()
	p.tok = t
	if complaint != "" {
		kind := SyntaxError
		if strings.HasSuffix(complaint, "not supported") {
			kind = NotSupported
		}
		p.fail(kind, t.pos, "%s", complaint)
	}
}

// unsupported are the tokens of Python that a block can't use here; they get
// a better message than a syntax error.
var unsupported = [...]string{
	"=", "+=", "-=", "*=", "/=", "//=", "%=", "&=", "|=", "^=", "<<=", ">>=", "**=", ":=", "**", "->",
	".", "[", "{", ":", "@", "if", "else", "for", "while", "def", "class", "import", "from", "return", "lambda",
	"try", "except", "finally", "raise", "with", "del", "global", "nonlocal", "yield", "is", "exec", "break",
	"continue", "async", "await",
}

// unexpected complains about the next token.
func (p *exprParser) unexpected(what string) {
	t := p.tok
	isCode := t.kind == exprWord || t.kind == exprOperator
	switch {
	case isCode && slices.Contains(unsupported[:], t.text):
		p.fail(NotSupported, t.pos, "%q is not supported in a %%{ }%% block", t.text)
	case t.kind == exprEnd:
		p.fail(SyntaxError, t.pos, "expected %s, found the end of the block", what)
	case t.kind == exprNewline && t.text == "\n":
		p.fail(SyntaxError, t.pos, "expected %s, found the end of the line", what)
	default:
		p.fail(SyntaxError, t.pos, "expected %s, found %q", what, clip(t.text))
	}
}

func (p *exprParser) is(text string) bool {
	return (p.tok.kind == exprOperator || p.tok.kind == exprWord) && p.tok.text == text
}

func (p *exprParser) accept(text string) bool {
	if !p.is(text) {
		return false
	}
	p.next()
	return true
}

func (p *exprParser) node(n exprNode) *exprNode {
	if p.nodes++; p.nodes > maxExprNodes {
		p.fail(LimitError, n.pos, "the block has more than %d values and operators", maxExprNodes)
	}
	return &n
}

func (p *exprParser) statement() statement {
	s := statement{pos: p.tok.pos}
	switch {
	case p.accept("pass"):
	case p.accept("assert"):
		s.verb = "assert"
		from := p.tok.pos.Offset
		s.expr = p.expr()
		s.text = p.prog.src[from:max(p.prev.end, from)]
		if p.accept(",") {
			s.message = p.exprList()
		}
	case p.accept("print"):
		s.verb = "print"
		if p.tok.kind != exprNewline && p.tok.kind != exprEnd {
			s.expr = p.exprList()
		}
	default:
		s.expr = p.exprList()
	}
	return s
}

// exprList parses one expression, or several with commas: a tuple.
func (p *exprParser) exprList() *exprNode {
	first := p.expr()
	if !p.is(",") {
		return first
	}
	return p.tuple(first, func() bool { return p.tok.kind == exprNewline || p.tok.kind == exprEnd })
}

// tuple parses the rest of a tuple, whose last comma may have nothing behind.
func (p *exprParser) tuple(first *exprNode, atEnd func() bool) *exprNode {
	t := p.node(exprNode{op: opTuple, pos: first.pos, args: []*exprNode{first}})
	for p.accept(",") && !atEnd() {
		t.args = append(t.args, p.expr())
	}
	return t
}

// exprLevels are Python's binary operators, the loosest first. "not" stands
// between the second level and the third.
var exprLevels = [...][]string{
	{"or"}, {"and"},
	{"==", "!=", "<", ">", "<=", ">=", "in", "not"},
	{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%"},
}

const compareLevel = 2

func (p *exprParser) expr() *exprNode {
	p.enter()
	defer p.leave()
	return p.level(0)
}

func (p *exprParser) enter() {
	if p.depth++; p.depth > maxExprDepth {
		p.fail(LimitError, p.tok.pos, "nested deeper than %d", maxExprDepth)
	}
}

func (p *exprParser) leave() { p.depth-- }

func (p *exprParser) level(n int) *exprNode {
	if n == len(exprLevels) {
		return p.unary()
	}
	if n == compareLevel {
		return p.comparison()
	}
	left := p.level(n + 1)
	for p.isOneOf(exprLevels[n]) {
		at, op := p.tok.pos, p.tok.text
		p.next()
		node := exprNode{op: opBinary, pos: at, name: op, args: []*exprNode{left, p.level(n + 1)}}
		switch op {
		case "or":
			node.op = opOr
		case "and":
			node.op = opAnd
		}
		left = p.node(node)
	}
	return left
}

func (p *exprParser) isOneOf(ops []string) bool {
	return (p.tok.kind == exprOperator || p.tok.kind == exprWord) && slices.Contains(ops, p.tok.text)
}

// comparison parses "not x" and "a < b == c", which means a < b and b == c.
func (p *exprParser) comparison() *exprNode {
	at := p.tok.pos
	if p.accept("not") {
		p.enter()
		defer p.leave()
		return p.node(exprNode{op: opNot, pos: at, args: []*exprNode{p.comparison()}})
	}
	first := p.level(compareLevel + 1)
	if !p.isOneOf(exprLevels[compareLevel]) {
		return first
	}
	c := p.node(exprNode{op: opCompare, pos: p.tok.pos, args: []*exprNode{first}})
	for p.isOneOf(exprLevels[compareLevel]) {
		op := p.tok.text
		p.next()
		if op == "not" {
			op = "not in"
			if !p.accept("in") {
				p.unexpected(`"in" after "not"`)
			}
		}
		c.ops = append(c.ops, op)
		c.args = append(c.args, p.level(compareLevel+1))
	}
	return c
}

func (p *exprParser) unary() *exprNode {
	if p.is("-") || p.is("+") || p.is("~") {
		p.enter()
		defer p.leave()
		at, op := p.tok.pos, p.tok.text
		p.next()
		return p.node(exprNode{op: opUnary, pos: at, name: op, args: []*exprNode{p.unary()}})
	}
	return p.atom()
}

// atom never returns nil, so that a tree under construction can be looked at
// even after an error.
func (p *exprParser) atom() *exprNode {
	t := p.tok
	n := p.node(exprNode{pos: t.pos})
	switch {
	case t.kind == exprNumber:
		n.value = p.number()
	case t.kind == exprString:
		n.value = p.strings()
	case p.accept("True"):
		n.value = BoolValue(true)
	case p.accept("False"):
		n.value = BoolValue(false)
	case p.accept("None"):
	case p.accept("("):
		return p.brackets(")")
	case p.accept("["):
		return p.brackets("]")
	case t.kind == exprWord && !p.isKeyword():
		p.next()
		p.nameOrCall(n)
	default:
		p.unexpected("a value")
	}
	return n
}

func (p *exprParser) isKeyword() bool {
	return slices.Contains(unsupported[:], p.tok.text) ||
		slices.Contains([]string{"and", "or", "not", "in", "assert", "pass", "print"}, p.tok.text)
}

func (p *exprParser) nameOrCall(n *exprNode) {
	n.op, n.name = opName, p.prev.text
	if p.tok.kind == exprString {
		p.fail(NotSupported, n.pos, "strings with a prefix are not supported")
		return
	}
	if !p.accept("(") {
		return
	}
	n.op = opCall
	if !slices.Contains(pythonFunctions[:], n.name) {
		p.fail(NotSupported, n.pos, "the function %s is not supported in a %%{ }%% block", clip(n.name))
		return
	}
	if p.accept(")") {
		return
	}
	n.args = append(n.args, p.expr())
	for p.accept(",") && !p.is(")") {
		n.args = append(n.args, p.expr())
	}
	p.want(")")
}

// brackets parses what follows "(" or "[": a value in parentheses, a tuple or
// a list.
func (p *exprParser) brackets(right string) *exprNode {
	at := p.prev.pos
	if p.accept(right) {
		return p.node(exprNode{op: opTuple, pos: at})
	}
	n := p.expr()
	if p.is(",") || right == "]" {
		n = p.tuple(n, func() bool { return p.is(right) })
	}
	p.want(right)
	return n
}

func (p *exprParser) want(op string) {
	if !p.accept(op) {
		p.unexpected(strconv.Quote(op))
	}
}

// strings parses a string, or several that are one because they are neighbours.
func (p *exprParser) strings() Value {
	var all strings.Builder
	for p.tok.kind == exprString {
		text := p.tok.text
		s, bad := unescape(text[1 : len(text)-1])
		if bad >= 0 {
			p.fail(NotSupported, p.tok.pos.after(text[:bad+1]), "this escape is not supported in a string")
			break
		}
		all.WriteString(s)
		p.next()
	}
	return StringValue(all.String())
}

func (p *exprParser) number() Value {
	text := strings.ReplaceAll(p.tok.text, "_", "")
	lower := strings.ToLower(text)
	isHex := strings.HasPrefix(lower, "0x")
	if !isHex && strings.ContainsAny(lower, ".e") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			p.fail(SyntaxError, p.tok.pos, "malformed number %q", clip(p.tok.text))
			return Value{}
		}
		p.next()
		return FloatValue(f)
	}
	v, err := strconv.ParseInt(text, 0, 64)
	switch {
	case err != nil && strings.Contains(err.Error(), strconv.ErrRange.Error()):
		p.fail(NotSupported, p.tok.pos, "integers beyond 64 bits are not supported")
	case err != nil:
		p.fail(SyntaxError, p.tok.pos, "malformed number %q", clip(p.tok.text))
	}
	p.next()
	return IntValue(v)
}
