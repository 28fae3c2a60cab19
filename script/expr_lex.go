package script

import "strings"

// exprToken is a token of a %{ }% block. op is an operator or a keyword, or
// one of the words below.
type exprToken struct {
	kind exprTokenKind
	pos  Pos
	text string
	end  int // offset behind it
}

type exprTokenKind uint8

const (
	exprEnd     exprTokenKind = iota // of the block
	exprNewline                      // or ";"
	exprNumber
	exprString // with its quotes
	exprWord
	exprOperator
)

// exprLexer cuts src[pos.Offset:end] into tokens.
type exprLexer struct {
	src  string
	end  int
	pos  Pos
	open int // brackets: line ends in them are blanks
}

// exprOperators, longest first.
var exprOperators = [...]string{
	"**=", "//=", "<<=", ">>=",
	"==", "!=", "<=", ">=", "<<", ">>", "//", "**", "->", ":=",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
}

func (l *exprLexer) rest() string { return l.src[l.pos.Offset:l.end] }

func (l *exprLexer) cut(kind exprTokenKind, n int) exprToken {
	t := exprToken{kind: kind, pos: l.pos, text: l.rest()[:n]}
	l.pos = l.pos.after(t.text)
	t.end = l.pos.Offset
	return t
}

// next returns the next token, or a complaint about the place l.pos.
func (l *exprLexer) next() (t exprToken, complaint string) {
	l.skipSpace()
	rest := l.rest()
	if rest == "" {
		return l.cut(exprEnd, 0), ""
	}
	switch c := rest[0]; {
	case c == '\n' || c == ';':
		return l.cut(exprNewline, 1), ""
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.cut(exprNumber, numberLen(rest)), ""
	case isWordByte(c):
		return l.cut(exprWord, run(rest, isWordByte)), ""
	case c == '\'' || c == '"':
		return l.str(rest)
	case c < ' ' || c >= 0x7f:
		return l.cut(exprOperator, 1), "unexpected character"
	}
	for _, op := range exprOperators {
		if strings.HasPrefix(rest, op) {
			return l.cut(exprOperator, len(op)), ""
		}
	}
	switch rest[0] {
	case '(', '[', '{':
		l.open++
	case ')', ']', '}':
		l.open = max(l.open-1, 0)
	}
	return l.cut(exprOperator, 1), ""
}

// skipSpace passes over blanks, comments and, in brackets, line ends.
func (l *exprLexer) skipSpace() {
	for {
		rest := l.rest()
		switch {
		case rest == "":
			return
		case isBlank(rest[0]) || rest[0] == '\n' && l.open > 0:
			l.cut(exprEnd, 1)
		case strings.HasPrefix(rest, "\\\n"):
			l.cut(exprEnd, 2)
		case strings.HasPrefix(rest, "\\\r\n"):
			l.cut(exprEnd, 3)
		case rest[0] == '#':
			l.cut(exprEnd, lineLen(rest))
		default:
			return
		}
	}
}

func (l *exprLexer) str(rest string) (exprToken, string) {
	if strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''") {
		return exprToken{pos: l.pos}, "strings in triple quotes are not supported"
	}
	for i := 1; i < lineLen(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case rest[0]:
			return l.cut(exprString, i+1), ""
		}
	}
	return exprToken{pos: l.pos}, "the string has no closing quote"
}

// numberLen is the length of a number: 10, 0x1f, 1_000, 0.5, 1e-3, and of
// whatever letters and digits are glued to it (to be complained about).
func numberLen(s string) int {
	n := run(s, func(c byte) bool { return isWordByte(c) || c == '.' })
	hex := len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x'
	if !hex && n < len(s)-1 && s[n-1]|0x20 == 'e' && (s[n] == '+' || s[n] == '-') && isDigit(s[n+1]) {
		n += 1 + run(s[n+1:], isDigit)
	}
	return n
}
