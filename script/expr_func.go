package script

import (
	"math"
	"strconv"
	"strings"
)

// call applies one of pythonFunctions.
func (ev *evaluator) call(n *exprNode, args []Value) (Value, *Error) {
	switch n.name {
	case "min", "max":
		return ev.extreme(n, args)
	}
	if len(args) != 1 {
		return Value{}, ev.errorf(n, "%s takes one argument, not %d", n.name, len(args))
	}
	v := args[0]
	switch {
	case n.name == "str":
		return StringValue(v.String()), nil
	case n.name == "len" && v.kind == StringKind:
		return IntValue(int64(len(v.s))), nil
	case n.name == "len" && v.kind == TupleKind:
		return IntValue(int64(len(v.elems))), nil
	case n.name == "len":
	case n.name == "abs" && v.kind == FloatKind:
		return FloatValue(math.Abs(v.f)), nil
	case n.name == "abs" && v.isNumber() && v.i == math.MinInt64:
		return v, ev.tooLarge(n)
	case n.name == "abs" && v.isNumber():
		return IntValue(max(v.i, -v.i)), nil
	case n.name == "float" && v.isNumber():
		return FloatValue(v.float()), nil
	case n.name == "int" && v.isNumber():
		return ev.toInt(n, v)
	case (n.name == "int" || n.name == "float") && v.kind == StringKind:
		return ev.parseNumber(n, strings.TrimSpace(v.s))
	}
	return Value{}, ev.errorf(n, "%s does not apply to a value of type %s", n.name, v.typeName())
}

// extreme is min and max, of several arguments or of one tuple.
func (ev *evaluator) extreme(n *exprNode, args []Value) (Value, *Error) {
	if len(args) == 1 && args[0].kind == TupleKind {
		args = args[0].elems
	}
	if len(args) == 0 {
		return Value{}, ev.errorf(n, "%s of nothing", n.name)
	}
	best := args[0]
	for _, v := range args[1:] {
		order, ok := compare(v, best)
		if !ok {
			return Value{}, ev.errorf(n, "%s and %s have no order", v.typeName(), best.typeName())
		}
		if order < 0 && n.name == "min" || order > 0 && n.name == "max" {
			best = v
		}
	}
	return best, nil
}

// toInt cuts a fraction off.
func (ev *evaluator) toInt(n *exprNode, v Value) (Value, *Error) {
	if v.kind != FloatKind {
		return IntValue(v.i), nil
	}
	if !(math.Abs(v.f) < 1<<63) { // nor NaN
		return Value{}, ev.tooLarge(n)
	}
	return IntValue(int64(v.f)), nil
}

func (ev *evaluator) parseNumber(n *exprNode, s string) (Value, *Error) {
	if n.name == "int" {
		if v, err := strconv.ParseInt(s, 10, 64); err == nil {
			return IntValue(v), nil
		}
	} else if v, err := strconv.ParseFloat(s, 64); err == nil {
		return FloatValue(v), nil
	}
	return Value{}, ev.errorf(n, "%s of a string that is no number: %q", n.name, clip(s))
}

// maxFormatWidth bounds the width and the precision in a format, so that a
// short script can't ask for a long string.
const maxFormatWidth = 256

// formatString is Python's format % value, for the verbs d i u x X o c s r f
// e g and %%, with flags, width and precision.
func formatString(format string, v Value) (s, complaint string) {
	args := []Value{v}
	if v.kind == TupleKind {
		args = v.elems
	}
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(format, "%")
		b.WriteString(text)
		if !found {
			break
		}
		var spec formatSpec
		spec, format, complaint = parseFormatSpec(rest)
		if complaint != "" {
			return "", complaint
		}
		if spec.verb == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return "", "the format has more verbs than there are values"
		}
		text, complaint = spec.format(args[0])
		if complaint != "" {
			return "", complaint
		}
		b.WriteString(text)
		args = args[1:]
	}
	if len(args) > 0 {
		return "", "the format has fewer verbs than there are values"
	}
	return b.String(), ""
}

// formatSpec is one verb of a format: %-08.3f.
type formatSpec struct {
	flags     string
	width     int
	precision int // -1 if not given
	verb      byte
}

func parseFormatSpec(s string) (spec formatSpec, rest, complaint string) {
	n := run(s, func(c byte) bool { return strings.IndexByte("-+ 0#", c) >= 0 })
	spec.flags, s = s[:n], s[n:]
	n = run(s, isDigit)
	spec.width, s = formatNumber(s[:n]), s[n:]
	spec.precision = -1
	if strings.HasPrefix(s, ".") {
		n = run(s[1:], isDigit)
		spec.precision, s = formatNumber(s[1:1+n]), s[1+n:]
	}
	s = strings.TrimLeft(s, "lhL")
	switch {
	case s == "":
		return spec, "", "the format ends within a verb"
	case max(spec.width, spec.precision) > maxFormatWidth:
		return spec, "", "a width in a format is more than " + strconv.Itoa(maxFormatWidth)
	}
	spec.verb = s[0]
	return spec, s[1:], ""
}

// formatNumber reads digits; what is too large stays too large.
func formatNumber(digits string) int {
	if digits == "" {
		return 0
	}
	v, err := strconv.Atoi(digits)
	if err != nil {
		return maxFormatWidth + 1
	}
	return v
}

func (f formatSpec) has(flag byte) bool { return strings.IndexByte(f.flags, flag) >= 0 }

func (f formatSpec) format(v Value) (text, complaint string) {
	switch f.verb {
	case 's', 'r':
		text = v.String()
		if f.verb == 'r' {
			text = v.repr()
		}
		if f.precision >= 0 {
			text = text[:min(len(text), f.precision)]
		}
		return f.pad("", text, false), ""
	case 'd', 'i', 'u', 'x', 'X', 'o', 'f', 'F', 'e', 'E', 'g', 'G':
	default:
		return "", "the verb %" + string(rune(f.verb)) + " is not supported in a format"
	}
	if !v.isNumber() {
		return "", "the verb %" + string(rune(f.verb)) + " does not apply to a value of type " + v.typeName()
	}
	if v.kind == FloatKind && !(math.Abs(v.f) < 1<<63) && strings.IndexByte("diuxXo", f.verb) >= 0 {
		return "", "the float " + v.repr() + " is too large for the verb %" + string(rune(f.verb))
	}
	sign, digits := f.number(v)
	if sign == "" && f.has('+') {
		sign = "+"
	} else if sign == "" && f.has(' ') {
		sign = " "
	}
	return f.pad(sign, digits, f.has('0')), ""
}

// number is a number's sign and its digits in the verb's notation.
func (f formatSpec) number(v Value) (sign, digits string) {
	base := 10
	prefix := ""
	switch f.verb {
	case 'f', 'F', 'e', 'E', 'g', 'G':
		precision := f.precision
		if precision < 0 {
			precision = 6
		}
		digits = strconv.FormatFloat(math.Abs(v.float()), f.verb|0x20, precision, 64)
		if v.float() < 0 {
			sign = "-"
		}
		return sign, digits
	case 'x', 'X':
		base, prefix = 16, "0x"
	case 'o':
		base, prefix = 8, "0o"
	}
	i := v.i
	if v.kind == FloatKind {
		i = int64(v.f)
	}
	digits = strconv.FormatUint(magnitude(i), base)
	digits = strings.Repeat("0", max(f.precision-len(digits), 0)) + digits
	if f.has('#') {
		digits = prefix + digits
	}
	if f.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if i < 0 {
		sign = "-"
	}
	return sign, digits
}

func (f formatSpec) pad(sign, text string, zeros bool) string {
	n := max(f.width-len(sign)-len(text), 0)
	switch {
	case f.has('-'):
		return sign + text + strings.Repeat(" ", n)
	case zeros:
		return sign + strings.Repeat("0", n) + text
	}
	return strings.Repeat(" ", n) + sign + text
}
