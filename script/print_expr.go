package script

import (
	"strconv"
	"strings"
)

// String is the call as a script has it, on one line.
func (c *Call) String() string { return c.head() + c.Result.tail() }

// head is the call up to its arguments.
func (c *Call) head() string {
	var b strings.Builder
	b.WriteString(c.Name)
	writeList(&b, "(", c.Args, ")")
	return b.String()
}

func (r Result) tail() string { return " = " + r.String() }

// String is the result as a script has it.
func (r Result) String() string {
	var b strings.Builder
	writeExpr(&b, r.Value)
	if r.High != nil {
		b.WriteByte('~')
		writeExpr(&b, r.High)
	}
	if r.Errno != "" {
		b.WriteString(" " + r.Errno)
	}
	if r.Note != "" {
		b.WriteString(" (" + r.Note + ")")
	}
	return b.String()
}

// ExprString is the expression as a script has it.
func ExprString(e Expr) string {
	var b strings.Builder
	writeExpr(&b, e)
	return b.String()
}

func writeExpr(b *strings.Builder, e Expr) {
	switch e := e.(type) {
	case *IntLit:
		b.WriteString(e.text())
	case *FloatLit:
		if e.Negative {
			b.WriteByte('-')
		}
		b.WriteString(e.Text)
	case *StringLit:
		b.WriteString(e.text())
	case *Ident:
		b.WriteString(e.Name)
	case *Wildcard:
		if e.Star {
			b.WriteByte('*')
		} else {
			b.WriteString("...")
		}
	case *ArrayExpr:
		writeList(b, "[", e.Elems, "]")
	case *StructExpr:
		writeStruct(b, e)
	case *CallExpr:
		b.WriteString(e.Name)
		writeList(b, "(", e.Args, ")")
	case *OrExpr:
		for i, t := range e.Terms {
			if i > 0 {
				b.WriteByte('|')
			}
			writeExpr(b, t)
		}
	}
}

func writeList(b *strings.Builder, left string, list []Expr, right string) {
	b.WriteString(left)
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		writeExpr(b, e)
	}
	b.WriteString(right)
}

func writeStruct(b *strings.Builder, s *StructExpr) {
	b.WriteByte('{')
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Name)
		if f.Length != nil {
			writeList(b, "(", []Expr{f.Length}, ")")
		}
		if f.Name != "" {
			b.WriteByte('=')
		}
		writeExpr(b, f.Value)
	}
	b.WriteByte('}')
}

// text is the number as it was written; a tree made by a program need not
// have that.
func (n *IntLit) text() string {
	s := n.Text
	if s == "" {
		s = strconv.FormatUint(n.Value, 10)
	}
	if n.Negative {
		return "-" + s
	}
	return s
}

func (s *StringLit) text() string {
	text := s.Text
	if text == "" {
		text = quoteC(s.Value)
	}
	if s.Open {
		text += "..."
	}
	return text
}

// quoteC is the string as C writes it, every unusual byte in octal (whose
// length is bounded, as that of \x is not in C).
func quoteC(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			o := "00" + strconv.FormatUint(uint64(c), 8)
			b.WriteByte('\\')
			b.WriteString(o[len(o)-3:])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
