package script

import (
	"strconv"
	"strings"
)

// ValueKind is the type of a Value.
type ValueKind uint8

const (
	NoneKind ValueKind = iota
	BoolKind
	IntKind
	FloatKind
	StringKind
	TupleKind
)

// Value is a value in a %{ }% block. The zero Value is None.
type Value struct {
	kind  ValueKind
	i     int64 // of an int; 0 or 1 of a bool
	f     float64
	s     string
	elems []Value
}

// BoolValue is a truth value.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: BoolKind, i: 1}
	}
	return Value{kind: BoolKind}
}

// IntValue is an integer.
func IntValue(i int64) Value { return Value{kind: IntKind, i: i} }

// FloatValue is a floating-point number.
func FloatValue(f float64) Value { return Value{kind: FloatKind, f: f} }

// StringValue is a string.
func StringValue(s string) Value { return Value{kind: StringKind, s: s} }

// TupleValue is a tuple or a list; the blocks don't tell one from the other.
func TupleValue(elems ...Value) Value { return Value{kind: TupleKind, elems: elems} }

// Kind is the value's type.
func (v Value) Kind() ValueKind { return v.kind }

// Int64 is the integer of an int or a bool.
func (v Value) Int64() (i int64, ok bool) {
	return v.i, v.kind == IntKind || v.kind == BoolKind
}

// Truth tells whether a condition takes the value for true.
func (v Value) Truth() bool {
	switch v.kind {
	case BoolKind, IntKind:
		return v.i != 0
	case FloatKind:
		return v.f != 0
	case StringKind:
		return v.s != ""
	case TupleKind:
		return len(v.elems) > 0
	}
	return false
}

// String is the value as print shows it.
func (v Value) String() string {
	if v.kind == StringKind {
		return v.s
	}
	return v.repr()
}

// repr is the value as it stands in a tuple: a string in quotes.
func (v Value) repr() string {
	switch v.kind {
	case BoolKind:
		if v.i != 0 {
			return "True"
		}
		return "False"
	case IntKind:
		return itoa(v.i)
	case FloatKind:
		s := strconv.FormatFloat(v.f, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0"
		}
		return s
	case StringKind:
		return strconv.Quote(v.s)
	case TupleKind:
		texts := make([]string, len(v.elems))
		for i, e := range v.elems {
			texts[i] = e.repr()
		}
		return "(" + strings.Join(texts, ", ") + ")"
	}
	return "None"
}

func (v Value) typeName() string {
	return [...]string{"None", "bool", "int", "float", "str", "tuple"}[v.kind]
}

func (v Value) isNumber() bool {
	return v.kind == BoolKind || v.kind == IntKind || v.kind == FloatKind
}

func (v Value) float() float64 {
	if v.kind == FloatKind {
		return v.f
	}
	return float64(v.i)
}

// compare orders two values; ok is false if they have no order.
func compare(a, b Value) (order int, ok bool) {
	switch {
	case a.isNumber() && b.isNumber():
		return compareNumbers(a, b)
	case a.kind == StringKind && b.kind == StringKind:
		return strings.Compare(a.s, b.s), true
	case a.kind == TupleKind && b.kind == TupleKind:
		for i := range min(len(a.elems), len(b.elems)) {
			if order, ok := compare(a.elems[i], b.elems[i]); order != 0 || !ok {
				return order, ok
			}
		}
		return len(a.elems) - len(b.elems), true
	case a.kind == NoneKind && b.kind == NoneKind:
		return 0, true
	}
	return 0, false
}

// compareNumbers has no order for NaN.
func compareNumbers(a, b Value) (order int, ok bool) {
	if a.kind != FloatKind && b.kind != FloatKind {
		switch {
		case a.i < b.i:
			return -1, true
		case a.i > b.i:
			return 1, true
		}
		return 0, true
	}
	x, y := a.float(), b.float()
	switch {
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, x == y
}
