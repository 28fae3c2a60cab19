package script

// Expr is an argument or a result of a system call: *IntLit, *FloatLit,
// *StringLit, *Ident, *Wildcard, *ArrayExpr, *StructExpr, *CallExpr or *OrExpr.
type Expr interface {
	Position() Pos
	expr()
}

// IntLit is an integer, decimal or hexadecimal. A leading zero does not mean
// octal, as it does not in packetdrill.
type IntLit struct {
	Pos      Pos
	Negative bool
	Value    uint64 // without the sign
	Text     string // as written, without the sign
}

// Int64 is the integer as a signed number; ok is false if it does not fit.
func (n *IntLit) Int64() (v int64, ok bool) {
	switch {
	case !n.Negative:
		return int64(n.Value), n.Value < 1<<63
	default:
		return -int64(n.Value), n.Value <= 1<<63
	}
}

// FloatLit is a decimal fraction.
type FloatLit struct {
	Pos      Pos
	Negative bool
	Text     string // as written, without the sign
}

// StringLit is a string in double quotes.
type StringLit struct {
	Pos   Pos
	Value string // with the escapes resolved
	Text  string // as written, with the quotes
	Open  bool   // "abc"...: anything may follow
}

// Ident is a name: AF_INET, O_NONBLOCK.
type Ident struct {
	Pos  Pos
	Name string
}

// Wildcard is "..." or "*": anything.
type Wildcard struct {
	Pos  Pos
	Star bool
}

// ArrayExpr is a list in square brackets: the value behind a pointer ([1] in
// setsockopt), iovec, pollfd.
type ArrayExpr struct {
	Pos   Pos
	Elems []Expr
}

// StructExpr is a struct in braces, with or without the names of its fields:
// {onoff=1, linger=0}, {..., 1000}, {msg_name(...)=..., msg_flags=0}.
type StructExpr struct {
	Pos    Pos
	Fields []StructField
}

// StructField is a field of a struct.
type StructField struct {
	Pos    Pos
	Name   string // empty for a field by place
	Length Expr   // what stood in parentheses after the name, or nil
	Value  Expr
}

// Field returns the value of the field with this name, nil if it is not there.
func (s *StructExpr) Field(name string) Expr {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return s.Fields[i].Value
		}
	}
	return nil
}

// CallExpr is a function applied to arguments: htons(8080), sizeof(x).
type CallExpr struct {
	Pos  Pos
	Name string
	Args []Expr
}

// OrExpr is two or more flags joined by "|".
type OrExpr struct {
	Pos   Pos
	Terms []Expr
}

// Position is where the expression begins.
func (n *IntLit) Position() Pos     { return n.Pos }
func (n *FloatLit) Position() Pos   { return n.Pos }
func (n *StringLit) Position() Pos  { return n.Pos }
func (n *Ident) Position() Pos      { return n.Pos }
func (n *Wildcard) Position() Pos   { return n.Pos }
func (n *ArrayExpr) Position() Pos  { return n.Pos }
func (n *StructExpr) Position() Pos { return n.Pos }
func (n *CallExpr) Position() Pos   { return n.Pos }
func (n *OrExpr) Position() Pos     { return n.Pos }

func (*IntLit) expr()     {}
func (*FloatLit) expr()   {}
func (*StringLit) expr()  {}
func (*Ident) expr()      {}
func (*Wildcard) expr()   {}
func (*ArrayExpr) expr()  {}
func (*StructExpr) expr() {}
func (*CallExpr) expr()   {}
func (*OrExpr) expr()     {}
