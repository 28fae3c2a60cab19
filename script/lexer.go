package script

import "strings"

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokInt
	tokHex
	tokFloat
	tokWord
	tokString    // "..." with its quotes
	tokCommand   // `...` without them
	tokCode      // %{...}% without them
	tokOption    // --name, without the dashes
	tokDirective // ifdef, ifndef, else, endif, or another of the C preprocessor's
	tokEllipsis
	tokPunct   // one character
	tokRaw     // what the parser asked for by rescan
	tokIllegal // text is the complaint
)

// token is a piece of the text. text is a substring of the source.
type token struct {
	kind    tokenKind
	pos     Pos
	text    string
	end     int // offset behind the token
	endLine int
}

// lexedComment is a comment that the lexer passed over.
type lexedComment struct {
	pos     Pos
	endLine int
	text    string
}

// lexer cuts the text into tokens, one at a time and only on demand: what
// follows decides how it is to be read (flags like "P.5", a note in
// parentheses, an option's value), and only the parser knows.
type lexer struct {
	src      string
	pos      Pos
	comments []lexedComment // passed over since the parser last took them
}

func newLexer(src string) lexer {
	return lexer{src: src, pos: Pos{Line: 1, Col: 1}}
}

func (l *lexer) rest() string { return l.src[l.pos.Offset:] }

// cut makes a token of the next n bytes and moves behind them.
func (l *lexer) cut(kind tokenKind, n int) token {
	at := l.pos
	text := l.rest()[:n]
	l.pos = at.after(text)
	return token{kind: kind, pos: at, text: text, end: l.pos.Offset, endLine: l.pos.Line}
}

// cutInner is cut for a token that stands between two delimiters.
func (l *lexer) cutInner(kind tokenKind, n, left, right int) token {
	t := l.cut(kind, n)
	t.text = t.text[left : n-right]
	return t
}

func (l *lexer) illegal(complaint string) token {
	t := l.cut(tokIllegal, 0)
	t.text = complaint
	return t
}

// next returns the next token; at the end of the text always tokEOF.
func (l *lexer) next() token {
	if t, ok := l.skipSpace(); !ok {
		return t
	}
	rest := l.rest()
	if rest == "" {
		return l.cut(tokEOF, 0)
	}
	switch c := rest[0]; {
	case isWordByte(c):
		return l.number(rest)
	case strings.HasPrefix(rest, "..."):
		return l.cut(tokEllipsis, 3)
	case c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.cut(tokFloat, 1+run(rest[1:], isDigit))
	case c == '"':
		return l.quoted(rest, '"', tokString, "the string has no closing quote")
	case c == '`':
		return l.quoted(rest, '`', tokCommand, "the command has no closing back-quote")
	case strings.HasPrefix(rest, "%{"):
		n := strings.Index(rest, "}%")
		if n < 0 {
			return l.illegal("the code block has no closing }%")
		}
		return l.cutInner(tokCode, n+2, 2, 2)
	case strings.HasPrefix(rest, "--") && len(rest) > 2 && isLetter(rest[2]):
		n := 2 + run(rest[2:], func(c byte) bool { return isWordByte(c) || c == '-' })
		return l.cutInner(tokOption, n, 2, 0)
	case c == '#': // any other "#" was a comment
		return l.directive(rest)
	default:
		return l.cut(tokPunct, 1)
	}
}

// number reads a run of letters, digits and "_": a word, as packetdrill has
// it, may begin with a digit (a Fast Open cookie).
func (l *lexer) number(rest string) token {
	n := run(rest, isWordByte)
	digits := run(rest, isDigit)
	switch {
	case digits < n && isHexLiteral(rest[:n]):
		return l.cut(tokHex, n)
	case digits < n:
		return l.cut(tokWord, n)
	case len(rest) > n+1 && rest[n] == '.' && isDigit(rest[n+1]):
		// Not "1.": in "1...2" the dots are an ellipsis.
		return l.cut(tokFloat, n+1+run(rest[n+1:], isDigit))
	default:
		return l.cut(tokInt, n)
	}
}

// quoted reads up to the closing quote; a backslash protects what follows it.
// A string ends on its line, a command need not.
func (l *lexer) quoted(rest string, quote byte, kind tokenKind, complaint string) token {
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == quote && kind == tokString:
			return l.cut(kind, i+1)
		case rest[i] == quote:
			return l.cutInner(kind, i+1, 1, 1)
		case rest[i] == '\n' && kind == tokString:
			return l.illegal(complaint)
		case rest[i] == '\\':
			i++
		}
	}
	return l.illegal(complaint)
}

// skipSpace passes over blanks and comments, and keeps the comments. If a
// comment does not end, it returns the complaint and false.
func (l *lexer) skipSpace() (token, bool) {
	for {
		l.cut(tokRaw, run(l.rest(), isSpace))
		rest := l.rest()
		var n int
		switch {
		case strings.HasPrefix(rest, "//"):
			n = lineLen(rest)
		case strings.HasPrefix(rest, "/*"):
			n = strings.Index(rest[2:], "*/") + 4
			if n < 4 {
				return l.illegal("the comment has no closing */"), false
			}
		case strings.HasPrefix(rest, "#"):
			if directiveWord(rest) != "" && l.atLineStart() {
				return token{}, true
			}
			n = lineLen(rest)
		default:
			return token{}, true
		}
		l.comment(n)
	}
}

func (l *lexer) comment(n int) {
	t := l.cut(tokRaw, n)
	text := strings.TrimRight(t.text, " \t\r\f\v")
	if strings.HasPrefix(text, "#") && directiveWord(text) != "" {
		// Behind something else on its line it is a comment. On a line of its
		// own, where printing may put it, it would be a directive.
		text = "// " + text
	}
	l.comments = append(l.comments, lexedComment{pos: t.pos, endLine: t.endLine, text: text})
}

func (l *lexer) atLineStart() bool {
	before := l.src[:l.pos.Offset]
	for i := len(before); i > 0 && before[i-1] != '\n'; i-- {
		if !isSpace(before[i-1]) {
			return false
		}
	}
	return true
}

func (l *lexer) directive(rest string) token {
	word := directiveWord(rest)
	t := l.cut(tokDirective, strings.Index(rest, word)+len(word))
	t.text = word
	return t
}

// directiveWord is the word after "#" if it is one of the C preprocessor's and
// else empty. Only the four of a conditional may have blanks before the word:
// "# if the peer answers" is a comment.
func directiveWord(rest string) string {
	body := strings.TrimLeft(rest[1:], " \t")
	word := body[:run(body, isWordByte)]
	switch word {
	case "ifdef", "ifndef", "endif":
		return word
	case "else":
		// "# else it would wait" is a comment.
		if strings.HasPrefix(rest, "#else") || strings.Trim(body[:lineLen(body)], " \t\r") == "else" {
			return word
		}
	case "if", "elif", "define", "undef", "include":
		if strings.HasPrefix(rest[1:], word) {
			return word
		}
	}
	return ""
}

// rescan goes back to the begin of a token that next returned, so that the
// text can be read in another way.
func (l *lexer) rescan(t token) { l.pos = t.pos }

// run is the number of bytes at the begin of s for which f holds.
func run(s string, f func(byte) bool) int {
	for i := range len(s) {
		if !f(s[i]) {
			return i
		}
	}
	return len(s)
}

// lineLen is the length of the first line of s, without its end.
func lineLen(s string) int {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return n
	}
	return len(s)
}

func isHexLiteral(s string) bool {
	return len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && run(s[2:], isHexDigit) == len(s)-2
}

func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isLetter(c byte) bool   { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isWordByte(c byte) bool { return isDigit(c) || isLetter(c) || c == '_' }
func isBlank(c byte) bool    { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' }
func isSpace(c byte) bool    { return isBlank(c) || c == '\n' }
