package script

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrorKind sorts errors by what a caller does about them.
type ErrorKind uint8

const (
	SyntaxError     ErrorKind = iota // the text is not in the language
	LimitError                       // the text is too large, too deep or too long
	NotSupported                     // valid elsewhere, deliberately not understood here
	UnknownName                      // a %{ }% block names what nobody defines
	EvalError                        // a %{ }% block cannot be computed (division by zero)
	AssertionFailed                  // a %{ }% block ran, and its assertion does not hold
	Mismatch                         // the stack did something else than the script states
)

// Error is an error with its place. Its text is what a compiler prints: place
// and message, then the line of the script, then a caret below the column.
type Error struct {
	Kind   ErrorKind
	File   string
	Pos    Pos
	Msg    string // one line
	Source string // the line of the script, empty if there is none
}

// maxSourceColumns bounds the line that an error shows: a script may be a
// single line of a megabyte.
const maxSourceColumns = 120

func newError(kind ErrorKind, file, src string, at Pos, msg string) *Error {
	return &Error{Kind: kind, File: file, Pos: at, Msg: msg, Source: sourceLine(src, at.Line)}
}

// Head is the error's first line: file:line:col: message.
func (e *Error) Head() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		b.WriteByte(':')
	}
	if e.Pos.IsValid() {
		fmt.Fprintf(&b, "%d:%d:", e.Pos.Line, e.Pos.Col)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.Msg)
	return b.String()
}

func (e *Error) Error() string {
	if e.Source == "" || !e.Pos.IsValid() {
		return e.Head()
	}
	line, col := e.Source, min(max(e.Pos.Col-1, 0), len(e.Source))
	if len(line) > maxSourceColumns {
		line, col = excerpt(line, col)
	}
	return e.Head() + "\n" + printable(line) + "\n" + caret(line[:col])
}

// excerpt cuts a window out of a long line around byte col, at the borders of
// characters, and returns col's place in the window.
func excerpt(line string, col int) (string, int) {
	from := max(col-maxSourceColumns/2, 0)
	to := min(from+maxSourceColumns, len(line))
	for from > 0 && !utf8.RuneStart(line[from]) && from > col-maxSourceColumns {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) && to > col {
		to--
	}
	return line[from:to], col - from
}

// caret stands below the end of before. Tabs are repeated, so that the caret
// lines up whatever a tab's width is.
func caret(before string) string {
	var b strings.Builder
	for _, r := range before {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteByte('^')
	return b.String()
}

// printable replaces what could disturb a terminal, one character for one.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, line)
}

// sourceLine is line n of src, counted from 1.
func sourceLine(src string, n int) string {
	if n < 1 {
		return ""
	}
	for ; n > 1; n-- {
		i := strings.IndexByte(src, '\n')
		if i < 0 {
			return ""
		}
		src = src[i+1:]
	}
	src, _, _ = strings.Cut(src, "\n")
	return strings.TrimRight(src, "\r")
}
