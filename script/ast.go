package script

import (
	"fmt"
	"strings"
	"time"
)

// Pos is a place in a script. Line and Col count from 1, Col and Offset in
// bytes. The zero Pos is no place at all.
type Pos struct {
	Line, Col int
	Offset    int
}

// IsValid tells whether p is a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Col) }

// Script is a parsed script: everything that stood in the text, in order.
// Both branches of an #ifdef are in the tree, so that printing loses nothing;
// Events and Options see the branches that are selected.
type Script struct {
	Name  string
	Items []Item

	defines map[string]bool
	src     string // the text, for the line that an error shows
}

// Item is what may stand at the top of a script or in a branch of an #ifdef:
// *Comment, *Option, *Event or *Conditional.
type Item interface {
	Position() Pos
	layout() *Layout
}

// Layout is what a reader sees around an item and a runner never needs.
type Layout struct {
	Blank    bool     // an empty line stands before the item
	Trailing []string // comments after the item, on its last line
}

func (l *Layout) layout() *Layout { return l }

// Comment is a comment on lines of its own: //, /* */ or #, as written.
type Comment struct {
	Layout
	Pos  Pos
	Text string
}

// Option is an option line at the script's head: --tolerance_usecs=75000.
type Option struct {
	Layout
	Pos      Pos
	Name     string // without the dashes
	Value    string // without its quotes
	HasValue bool
	Quoted   bool // the value stood in double quotes
}

// Conditional is an #ifdef or #ifndef with its branches.
type Conditional struct {
	Layout       // Trailing: comments on the #ifdef line
	Pos          Pos
	Negated      bool // #ifndef
	Name         string
	Then, Else   []Item
	HasElse      bool
	ElseTrailing []string
	EndTrailing  []string
}

// Event is one thing that happens, and when. A command in back-quotes may
// stand without a time (before and after the timed events); its Time.Kind is
// TimeNone.
type Event struct {
	Layout
	Pos    Pos
	Time   EventTime
	Action Action
}

// Position is where the item begins.
func (c *Comment) Position() Pos     { return c.Pos }
func (o *Option) Position() Pos      { return o.Pos }
func (c *Conditional) Position() Pos { return c.Pos }
func (e *Event) Position() Pos       { return e.Pos }

// Events returns the events of the branches that ParseOptions.Defines selects,
// in the order of the text.
func (s *Script) Events() []*Event { return s.Select(s.defines) }

// Select returns the events of the branches that these names select: a name
// counts as defined if it maps to true.
func (s *Script) Select(defines map[string]bool) []*Event {
	return selectItems[*Event](nil, s.Items, defines)
}

// Options returns the option lines of the branches that ParseOptions.Defines
// selects, in the order of the text.
func (s *Script) Options() []*Option {
	return selectItems[*Option](nil, s.Items, s.defines)
}

func selectItems[T Item](out []T, items []Item, defines map[string]bool) []T {
	for _, it := range items {
		switch it := it.(type) {
		case T:
			out = append(out, it)
		case *Conditional:
			branch := it.Then
			if defines[it.Name] == it.Negated {
				branch = it.Else
			}
			out = selectItems(out, branch, defines)
		}
	}
	return out
}

// Line returns the text of line n, counted from 1, without its line end.
func (s *Script) Line(n int) string { return sourceLine(s.src, n) }

// Errorf makes an error about a place in the script, in the form in which the
// parser reports its own.
func (s *Script) Errorf(kind ErrorKind, at Pos, format string, args ...any) *Error {
	return newError(kind, s.Name, s.src, at, fmt.Sprintf(format, args...))
}

// TimeKind says how the time of an event is written.
type TimeKind uint8

const (
	TimeNone          TimeKind = iota // an untimed command
	TimeAbsolute                      // 0.1: since the script began
	TimeRelative                      // +0.1: since the event before
	TimeAny                           // *: whenever it happens
	TimeAbsoluteRange                 // 0.1~0.2
	TimeRelativeRange                 // +0.1~+0.2
)

// EventTime is when an event happens. All three times count from the same
// origin: the script's begin, or the event before if the kind is relative.
type EventTime struct {
	Kind   TimeKind
	At     time.Duration // the time, or the earliest of a range
	Until  time.Duration // the latest of a range
	HasEnd bool          // At...End: a call that blocks and returns at End
	End    time.Duration
}

// Relative tells whether the times count from the event before.
func (t EventTime) Relative() bool {
	return t.Kind == TimeRelative || t.Kind == TimeRelativeRange
}

// Action is what happens at an event: *Call, *Segment, *ICMP, *UDP,
// *OtherPacket, *Command or *Code.
type Action interface {
	Position() Pos
	action()
}

// Command is what stood between back-quotes: shell commands, never executed
// here. Text is verbatim; Lines takes it apart.
type Command struct {
	Pos  Pos // of the opening back-quote
	Text string
}

// Code is what stood between %{ and }%: a few statements of Python.
type Code struct {
	Pos  Pos // of the %{
	Text string
}

// Call is a system call with its expected outcome. In a relative or absolute
// event with HasEnd it blocks until then.
type Call struct {
	Pos    Pos
	Name   string
	Args   []Expr
	Result Result
}

// Result is the outcome of a call: = 0, = -1 EPIPE (Broken pipe), = 1~5.
type Result struct {
	Value Expr   // Wildcard if anything will do
	High  Expr   // the upper end of a range, else nil
	Errno string // "EPIPE", or empty
	Note  string // what stood in parentheses, or empty
}

// Position is where the action begins, after the event's time.
func (c *Command) Position() Pos { return c.Pos }
func (c *Code) Position() Pos    { return c.Pos }
func (c *Call) Position() Pos    { return c.Pos }

func (*Command) action() {}
func (*Code) action()    {}
func (*Call) action()    {}

// after is the place behind text, if text begins at p.
func (p Pos) after(text string) Pos {
	p.Offset += len(text)
	if n := strings.Count(text, "\n"); n > 0 {
		p.Line += n
		p.Col = 1
		text = text[strings.LastIndexByte(text, '\n')+1:]
	}
	p.Col += len(text)
	return p
}
