package script

import (
	"fmt"
	"strings"
)

// Program is a parsed %{ }% block: assert, print and pass statements, and
// expressions. It is no Python: whatever else the block has is an error of
// kind NotSupported, with its place.
type Program struct {
	file  string
	src   string // the script that the block stands in
	stmts []statement
}

// Name is a name that a program uses, and where.
type Name struct {
	Pos  Pos
	Name string
}

// Env is what a program sees of the world.
type Env struct {
	// Lookup resolves a name that is not one of Python's own. Nil knows none.
	Lookup func(name string) (Value, bool)

	// Print takes a line that a print statement makes. Nil drops it.
	Print func(line string)
}

// ParseCode parses a block of this script; errors show the script's lines. A
// block that did not come from the script's text is parsed on its own.
func (s *Script) ParseCode(c *Code) (*Program, error) {
	at := c.Pos // of "%{"
	at.Offset += 2
	at.Col += 2
	if !c.Pos.IsValid() || at.Offset > len(s.src) || !strings.HasPrefix(s.src[at.Offset:], c.Text) {
		return ParseProgram(s.Name, c.Text)
	}
	return parseProgram(s.Name, s.src, at, at.Offset+len(c.Text))
}

// ParseProgram parses a block on its own. name is what errors call it.
func ParseProgram(name, src string) (*Program, error) {
	return parseProgram(name, src, Pos{Line: 1, Col: 1}, len(src))
}

// Names are the names that the program would look up, each at the place of
// its first use: enough to tell before a run whether it can succeed.
func (p *Program) Names() []Name {
	var out []Name
	seen := make(map[string]bool)
	for _, s := range p.stmts {
		out = s.expr.names(out, seen)
		out = s.message.names(out, seen)
	}
	return out
}

// Run runs the program. The error is an *Error: AssertionFailed with the
// values of the names in the assertion, UnknownName, or EvalError.
func (p *Program) Run(env Env) error {
	ev := evaluator{prog: p, env: env}
	for _, s := range p.stmts {
		if err := ev.run(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *Program) errorf(kind ErrorKind, at Pos, format string, args ...any) *Error {
	return newError(kind, p.file, p.src, at, fmt.Sprintf(format, args...))
}

// statement is a statement: what it does is in verb.
type statement struct {
	verb    string // "assert", "print", or empty for an expression
	pos     Pos
	expr    *exprNode // of print: a tuple of what is to be printed, or nil
	message *exprNode // of assert; nil if there is none
	text    string    // the asserted expression as written
}

// exprNode is a node of an expression.
type exprNode struct {
	op    exprOp
	pos   Pos
	name  string // of a name or a call; the operator of a unary or binary one
	value Value  // of a literal
	args  []*exprNode
	ops   []string // of a comparison, one fewer than args
}

type exprOp uint8

const (
	opLiteral exprOp = iota
	opName
	opCall
	opTuple
	opUnary   // - + ~
	opNot     //
	opBinary  // + - * / // % << >> & ^ |
	opAnd     //
	opOr      //
	opCompare // a < b == c
)

// pythonFunctions are the functions that a block may call.
var pythonFunctions = [...]string{"abs", "min", "max", "len", "int", "float", "str"}

func (n *exprNode) names(out []Name, seen map[string]bool) []Name {
	if n == nil {
		return out
	}
	if n.op == opName && !seen[n.name] {
		seen[n.name] = true
		out = append(out, Name{n.pos, n.name})
	}
	for _, a := range n.args {
		out = a.names(out, seen)
	}
	return out
}

// assertion is the message of an assertion that does not hold: the assertion,
// the values of its names, and what the script has to say.
func (p *Program) assertion(s statement, value func(Name) string, message string) *Error {
	text := "assertion failed: " + strings.Join(strings.Fields(s.text), " ")
	for i, n := range s.expr.names(nil, make(map[string]bool)) {
		if i == 0 {
			text += "; "
		} else {
			text += ", "
		}
		text += n.Name + " is " + value(n)
	}
	if message != "" {
		text += ": " + message
	}
	return p.errorf(AssertionFailed, s.pos, "%s", text)
}
