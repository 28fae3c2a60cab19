package script

import (
	"fmt"
	"strings"
)

// What a script may cost. The largest of the public suites' scripts has less
// than a hundredth of each.
const (
	defaultMaxBytes = 1 << 20
	defaultMaxItems = 20_000  // events, comments, options, #ifdefs
	defaultMaxNodes = 200_000 // arguments, TCP options, SACK blocks
	defaultMaxDepth = 64      // #ifdef in #ifdef, {} in [] in {}
)

// ParseOptions are Parse's options. The zero value is ready to use.
type ParseOptions struct {
	// Defines are the names that #ifdef finds defined, for Script.Events.
	Defines map[string]bool

	// Limits; zero stands for the package's own: 1 MiB, 20,000 items (events,
	// comments, options, conditionals), 200,000 values in them, depth 64.
	MaxBytes, MaxItems, MaxNodes, MaxDepth int
}

// Parse parses a script. name is what errors call it. The error is an *Error.
func Parse(name string, src []byte, opts ParseOptions) (*Script, error) {
	p := newParser(name, string(src), opts)
	if p.err == nil {
		p.next()
	}
	s := &Script{Name: name, defines: opts.Defines, src: p.lex.src}
	s.Items = p.items()
	if p.tok.kind == tokDirective {
		p.fail(p.tok.pos, "#%s without an #ifdef before it", p.tok.text)
	}
	if p.err != nil {
		return nil, p.err
	}
	return s, nil
}

// parser is a recursive-descent parser with one token of lookahead. After the
// first error every token is the end of the text, so every loop ends and no
// caller need check.
type parser struct {
	name string
	lex  lexer
	opts ParseOptions
	tok  token // the next one, not yet consumed
	prev token // the last one consumed
	err  *Error

	lastLine  int  // where the item before the next one ended
	seenEvent bool // options may not follow

	depth, itemCount, nodeCount int
}

func newParser(name, src string, opts ParseOptions) *parser {
	limit := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	limit(&opts.MaxBytes, defaultMaxBytes)
	limit(&opts.MaxItems, defaultMaxItems)
	limit(&opts.MaxNodes, defaultMaxNodes)
	limit(&opts.MaxDepth, defaultMaxDepth)
	p := &parser{name: name, lex: newLexer(src), opts: opts}
	if len(src) > opts.MaxBytes {
		p.tooMuch(Pos{}, "the script has %d bytes, more than the limit of %d", len(src), opts.MaxBytes)
	}
	return p
}

// next moves to the next token.
func (p *parser) next() {
	p.prev = p.tok
	if p.err != nil {
		return
	}
	p.tok = p.lex.next()
	if p.tok.kind == tokIllegal {
		p.fail(p.tok.pos, "%s", p.tok.text)
	}
	if len(p.lex.comments) > p.opts.MaxItems {
		p.tooMuch(p.tok.pos, "more than %d comments in a row", p.opts.MaxItems)
	}
}

func (p *parser) fail(at Pos, format string, args ...any) {
	p.failKind(SyntaxError, at, format, args...)
}

func (p *parser) tooMuch(at Pos, format string, args ...any) {
	p.failKind(LimitError, at, format, args...)
}

func (p *parser) failKind(kind ErrorKind, at Pos, format string, args ...any) {
	if p.err == nil {
		p.err = newError(kind, p.name, p.lex.src, at, fmt.Sprintf(format, args...))
	}
	p.tok = token{kind: tokEOF, pos: at, end: len(p.lex.src), endLine: at.Line}
}

// expected complains about the next token. If that stands on a later line,
// the mistake is at the end of this one.
func (p *parser) expected(what string) {
	if p.prev.end > 0 && p.tok.pos.Line > p.prev.endLine {
		at := p.prev.pos.after(p.lex.src[p.prev.pos.Offset:p.prev.end])
		p.fail(at, "expected %s, found the end of the line", what)
		return
	}
	p.fail(p.tok.pos, "expected %s, found %s", what, p.tok.describe())
}

func (t token) describe() string {
	switch t.kind {
	case tokEOF:
		return "the end of the script"
	case tokCommand:
		return "a command in back-quotes"
	case tokCode:
		return "a %{ }% block"
	case tokOption:
		return "the option line --" + clip(t.text)
	case tokDirective:
		return "#" + t.text
	case tokString:
		return "the string " + clip(t.text)
	}
	return fmt.Sprintf("%q", clip(t.text))
}

func clip(s string) string {
	const most = 24
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

func (p *parser) is(kind tokenKind) bool { return p.tok.kind == kind }

func (p *parser) isPunct(c byte) bool {
	return p.tok.kind == tokPunct && p.tok.text[0] == c
}

func (p *parser) isWord(w string) bool {
	return p.tok.kind == tokWord && p.tok.text == w
}

// accept consumes the next token if it is this character.
func (p *parser) accept(c byte) bool {
	if !p.isPunct(c) {
		return false
	}
	p.next()
	return true
}

// want consumes this character or complains.
func (p *parser) want(c byte, what string) {
	if !p.accept(c) {
		p.expected(fmt.Sprintf("%q%s", c, what))
	}
}

// word consumes a word or complains.
func (p *parser) word(what string) string {
	if !p.is(tokWord) {
		p.expected(what)
		return ""
	}
	p.next()
	return p.prev.text
}

// enter and leave bracket what may nest.
func (p *parser) enter() {
	if p.depth++; p.depth > p.opts.MaxDepth {
		p.tooMuch(p.tok.pos, "nested deeper than %d", p.opts.MaxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

// node counts what a script is made of, below its items.
func (p *parser) node() {
	if p.nodeCount++; p.nodeCount > p.opts.MaxNodes {
		p.tooMuch(p.tok.pos, "the script has more than %d values", p.opts.MaxNodes)
	}
}

// items parses up to the end of the text, or to an #else or #endif that the
// caller looks at.
func (p *parser) items() []Item {
	var out []Item
	for {
		out = p.ownLineComments(out)
		blank := len(out) > 0 && p.tok.pos.Line > p.lastLine+1
		start := p.tok.pos
		var it Item
		switch {
		case p.is(tokEOF):
			return out
		case p.is(tokDirective) && (p.tok.text == "ifdef" || p.tok.text == "ifndef"):
			it = p.conditional()
		case p.is(tokDirective) && (p.tok.text == "else" || p.tok.text == "endif"):
			return out
		case p.is(tokDirective):
			p.fail(start, "#%s is not supported: only #ifdef, #ifndef, #else and #endif are", p.tok.text)
			continue
		case p.is(tokOption):
			it = p.option()
		default:
			it = p.event()
		}
		if p.err != nil {
			return out
		}
		if _, ok := it.(*Conditional); !ok {
			out, blank = p.innerComments(out, blank)
			it.layout().Trailing = p.trailingComments(p.prev.endLine)
		}
		it.layout().Blank = blank
		out = p.add(out, it)
	}
}

func (p *parser) add(out []Item, it Item) []Item {
	if p.itemCount++; p.itemCount > p.opts.MaxItems {
		p.tooMuch(it.Position(), "the script has more than %d events and comments", p.opts.MaxItems)
		return out
	}
	return append(out, it)
}

// ownLineComments turns the comments that the lexer has passed over since the
// last item into items.
func (p *parser) ownLineComments(out []Item) []Item {
	pending := p.lex.comments
	p.lex.comments = nil
	for _, c := range pending {
		it := &Comment{Pos: c.pos, Text: c.text}
		it.Blank = len(out) > 0 && c.pos.Line > p.lastLine+1
		out = p.add(out, it)
		p.lastLine = c.endLine
	}
	return out
}

// innerComments moves comments from the middle of an item to lines before it:
// a canonical item has no other place for them. The empty line that stood
// before the item then stands before the first of them.
func (p *parser) innerComments(out []Item, blank bool) ([]Item, bool) {
	pending := p.lex.comments
	for len(pending) > 0 && pending[0].pos.Offset < p.prev.end {
		it := &Comment{Pos: pending[0].pos, Text: pending[0].text}
		it.Blank = blank
		blank = false
		out = p.add(out, it)
		pending = pending[1:]
	}
	p.lex.comments = pending
	return out, blank
}

// trailingComments takes the pending comments that begin on this line, the
// last of an item.
func (p *parser) trailingComments(line int) []string {
	p.lastLine = line
	var out []string
	pending := p.lex.comments
	for len(pending) > 0 && pending[0].pos.Line == line {
		out = append(out, pending[0].text)
		p.lastLine = pending[0].endLine
		pending = pending[1:]
	}
	p.lex.comments = pending
	return out
}

func (p *parser) conditional() *Conditional {
	p.enter()
	defer p.leave()
	directive := p.tok.text
	c := &Conditional{Pos: p.tok.pos, Negated: directive == "ifndef"}
	p.next()
	if p.tok.pos.Line != p.prev.endLine {
		p.expected("a name after #" + directive)
	}
	c.Name = p.word("a name after #" + directive)
	c.Trailing = p.endDirective()
	c.Then = p.items()
	if p.is(tokDirective) && p.tok.text == "else" {
		p.next()
		c.HasElse = true
		c.ElseTrailing = p.endDirective()
		c.Else = p.items()
	}
	switch {
	case p.is(tokEOF):
		p.fail(c.Pos, "the #%s has no #endif", directive)
	case p.tok.text == "else":
		p.fail(p.tok.pos, "a second #else for the #%s in line %d", directive, c.Pos.Line)
	}
	p.next()
	c.EndTrailing = p.endDirective()
	return c
}

// endDirective checks that nothing but comments follows on a directive's line.
func (p *parser) endDirective() []string {
	line := p.prev.endLine
	if !p.is(tokEOF) && p.tok.pos.Line == line {
		p.expected("the end of the line")
	}
	return p.trailingComments(line)
}

// option parses "--name" or "--name=value". A value is what the shell would
// take for one: up to the next blank, or in double quotes.
func (p *parser) option() *Option {
	o := &Option{Pos: p.tok.pos, Name: p.tok.text}
	if p.seenEvent {
		p.fail(o.Pos, "option lines stand before the first event")
		return o
	}
	p.next()
	if !p.isPunct('=') || p.tok.pos.Line != p.prev.endLine {
		return o
	}
	o.HasValue = true
	p.lex.cut(tokRaw, run(p.lex.rest(), isBlank))
	rest := p.lex.rest()
	if strings.HasPrefix(rest, `"`) {
		n := strings.IndexByte(rest[1:lineLen(rest)], '"')
		if n < 0 {
			p.fail(p.lex.pos, "the string has no closing quote")
			return o
		}
		o.Quoted = true
		p.tok = p.lex.cutInner(tokRaw, n+2, 1, 1)
	} else if !strings.HasPrefix(rest, "//") && !strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "#") {
		p.tok = p.lex.cut(tokRaw, run(rest, func(c byte) bool { return !isSpace(c) }))
	} else {
		p.tok = p.lex.cut(tokRaw, 0)
	}
	o.Value = p.tok.text
	p.next()
	return o
}
