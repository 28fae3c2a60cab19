package script

import (
	"math"
	"math/bits"
)

// evaluator runs a program once. Its methods return an *Error as error only
// through Program.Run; within, nil *Error means success.
type evaluator struct {
	prog *Program
	env  Env
}

func (ev *evaluator) run(s statement) error {
	if s.expr == nil {
		if s.verb == "print" {
			ev.print("")
		}
		return nil
	}
	v, err := ev.eval(s.expr)
	if err != nil {
		return err
	}
	switch s.verb {
	case "print":
		ev.print(printLine(s.expr, v))
	case "assert":
		if !v.Truth() {
			return ev.failed(s)
		}
	}
	return nil
}

func (ev *evaluator) print(line string) {
	if ev.env.Print != nil {
		ev.env.Print(line)
	}
}

// printLine joins what is to be printed: "print a, b" and "print(a, b)" both
// give a tuple.
func printLine(n *exprNode, v Value) string {
	if n.op != opTuple {
		return v.String()
	}
	line := ""
	for i, e := range v.elems {
		if i > 0 {
			line += " "
		}
		line += e.String()
	}
	return line
}

func (ev *evaluator) failed(s statement) error {
	message := ""
	if s.message != nil {
		m, err := ev.eval(s.message)
		if err != nil {
			return err
		}
		message = m.String()
	}
	value := func(n Name) string {
		v, _ := ev.lookup(n.Name)
		return v.repr()
	}
	return ev.prog.assertion(s, value, message)
}

func (ev *evaluator) lookup(name string) (Value, bool) {
	if ev.env.Lookup == nil {
		return Value{}, false
	}
	return ev.env.Lookup(name)
}

func (ev *evaluator) errorf(n *exprNode, format string, args ...any) *Error {
	return ev.prog.errorf(EvalError, n.pos, format, args...)
}

func (ev *evaluator) eval(n *exprNode) (Value, *Error) {
	switch n.op {
	case opLiteral:
		return n.value, nil
	case opName:
		v, ok := ev.lookup(n.name)
		if !ok {
			return v, ev.prog.errorf(UnknownName, n.pos, "unknown name %q", n.name)
		}
		return v, nil
	case opAnd, opOr:
		// As in Python, the value is that of the operand that decides.
		v, err := ev.eval(n.args[0])
		if err != nil || v.Truth() == (n.op == opOr) {
			return v, err
		}
		return ev.eval(n.args[1])
	case opCompare:
		return ev.comparison(n)
	}
	args := make([]Value, len(n.args))
	for i, a := range n.args {
		var err *Error
		if args[i], err = ev.eval(a); err != nil {
			return Value{}, err
		}
	}
	switch n.op {
	case opTuple:
		return TupleValue(args...), nil
	case opNot:
		return BoolValue(!args[0].Truth()), nil
	case opUnary:
		return ev.unary(n, args[0])
	case opBinary:
		return ev.binary(n, args[0], args[1])
	}
	return ev.call(n, args)
}

// comparison evaluates each operand once, and none behind the first
// comparison that does not hold.
func (ev *evaluator) comparison(n *exprNode) (Value, *Error) {
	left, err := ev.eval(n.args[0])
	if err != nil {
		return left, err
	}
	for i, op := range n.ops {
		right, err := ev.eval(n.args[i+1])
		if err != nil {
			return right, err
		}
		holds, err := ev.compare(n, op, left, right)
		if err != nil || !holds {
			return BoolValue(false), err
		}
		left = right
	}
	return BoolValue(true), nil
}

func (ev *evaluator) compare(n *exprNode, op string, a, b Value) (bool, *Error) {
	switch op {
	case "in", "not in":
		if b.kind != TupleKind {
			return false, ev.errorf(n, "%q needs a tuple, not a value of type %s", op, b.typeName())
		}
		found := false
		for _, e := range b.elems {
			order, ok := compare(a, e)
			found = found || ok && order == 0
		}
		return found == (op == "in"), nil
	}
	order, ok := compare(a, b)
	switch {
	case op == "==":
		return ok && order == 0, nil
	case op == "!=":
		return !ok || order != 0, nil
	case !ok && a.isNumber() && b.isNumber(): // not a number
		return false, nil
	case !ok || a.kind == NoneKind:
		return false, ev.errorf(n, "%s and %s have no order", a.typeName(), b.typeName())
	}
	switch op {
	case "<":
		return order < 0, nil
	case ">":
		return order > 0, nil
	case "<=":
		return order <= 0, nil
	}
	return order >= 0, nil
}

func (ev *evaluator) unary(n *exprNode, v Value) (Value, *Error) {
	switch {
	case v.kind == FloatKind && n.name == "-":
		return FloatValue(-v.f), nil
	case v.kind == FloatKind && n.name == "+":
		return v, nil
	case !v.isNumber() || v.kind == FloatKind:
		return v, ev.errorf(n, "%q does not apply to a value of type %s", n.name, v.typeName())
	case n.name == "~":
		return IntValue(^v.i), nil
	case n.name == "+":
		return IntValue(v.i), nil
	case v.i == math.MinInt64:
		return v, ev.tooLarge(n)
	}
	return IntValue(-v.i), nil
}

func (ev *evaluator) tooLarge(n *exprNode) *Error {
	return ev.prog.errorf(NotSupported, n.pos, "the result is an integer beyond 64 bits, which is not supported")
}

func (ev *evaluator) binary(n *exprNode, a, b Value) (Value, *Error) {
	switch {
	case a.kind == StringKind && n.name == "%":
		s, complaint := formatString(a.s, b)
		if complaint != "" {
			return Value{}, ev.errorf(n, "%s", complaint)
		}
		return StringValue(s), nil
	case a.kind == StringKind && b.kind == StringKind && n.name == "+":
		return StringValue(a.s + b.s), nil
	case !a.isNumber() || !b.isNumber():
		return Value{}, ev.errorf(n, "%q does not apply to %s and %s", n.name, a.typeName(), b.typeName())
	case a.kind == FloatKind || b.kind == FloatKind || n.name == "/":
		return ev.floats(n, a.float(), b.float())
	}
	return ev.ints(n, a.i, b.i)
}

func (ev *evaluator) floats(n *exprNode, a, b float64) (Value, *Error) {
	switch n.name {
	case "+":
		return FloatValue(a + b), nil
	case "-":
		return FloatValue(a - b), nil
	case "*":
		return FloatValue(a * b), nil
	case "/", "//", "%":
	default:
		return Value{}, ev.errorf(n, "%q does not apply to a float", n.name)
	}
	if b == 0 {
		return Value{}, ev.errorf(n, "division by zero")
	}
	switch n.name {
	case "/":
		return FloatValue(a / b), nil
	case "//":
		return FloatValue(math.Floor(a / b)), nil
	}
	r := math.Mod(a, b)
	if r != 0 && (r < 0) != (b < 0) {
		r += b // a remainder has the sign of the divisor
	}
	return FloatValue(r), nil
}

func (ev *evaluator) ints(n *exprNode, a, b int64) (Value, *Error) {
	switch n.name {
	case "&":
		return IntValue(a & b), nil
	case "|":
		return IntValue(a | b), nil
	case "^":
		return IntValue(a ^ b), nil
	case "<<", ">>":
		return ev.shift(n, a, b)
	case "//", "%":
		return ev.divide(n, a, b)
	}
	r, ok := arithmetic(n.name, a, b)
	if !ok {
		return Value{}, ev.tooLarge(n)
	}
	return IntValue(r), nil
}

// arithmetic computes a + b, a - b or a * b; ok is false on overflow.
func arithmetic(op string, a, b int64) (r int64, ok bool) {
	switch op {
	case "+":
		r = a + b
		return r, (r > a) == (b > 0)
	case "-":
		r = a - b
		return r, (r < a) == (b > 0)
	}
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if (a < 0) != (b < 0) {
		return -int64(lo), hi == 0 && lo <= 1<<63
	}
	return int64(lo), hi == 0 && lo < 1<<63
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func (ev *evaluator) shift(n *exprNode, a, b int64) (Value, *Error) {
	switch {
	case b < 0:
		return Value{}, ev.errorf(n, "negative shift count")
	case n.name == ">>":
		return IntValue(a >> min(b, 63)), nil
	case a == 0:
		return IntValue(0), nil
	case b > 62 || a<<b>>b != a:
		return Value{}, ev.tooLarge(n)
	}
	return IntValue(a << b), nil
}

// divide rounds towards minus infinity, as Python does.
func (ev *evaluator) divide(n *exprNode, a, b int64) (Value, *Error) {
	switch {
	case b == 0:
		return Value{}, ev.errorf(n, "division by zero")
	case b == -1 && n.name == "%":
		return IntValue(0), nil
	case b == -1 && a == math.MinInt64:
		return Value{}, ev.tooLarge(n)
	}
	q, r := a/b, a%b
	if r != 0 && (r < 0) != (b < 0) {
		q--
		r += b
	}
	if n.name == "%" {
		return IntValue(r), nil
	}
	return IntValue(q), nil
}
