package script

import "strings"

// CommandLine is one command of those between a pair of back-quotes.
type CommandLine struct {
	Pos  Pos
	Text string // blanks outside quotes are single, a continued line is joined
}

// Lines splits a command's text at line ends, ";" and "&&", outside quotes.
// Empty commands and the shell's comments are left out. Pipelines stay whole.
func (c *Command) Lines() []CommandLine {
	s := commandSplitter{text: c.Text, pos: c.Pos}
	s.pos.Offset++ // behind the back-quote
	s.pos.Col++
	for s.i < len(s.text) {
		s.step()
	}
	s.flush()
	return s.out
}

type commandSplitter struct {
	text  string
	i     int
	pos   Pos // of text[i]
	start Pos // of the command being collected
	cur   strings.Builder
	quote byte
	gap   bool // a blank is due before the next character
	out   []CommandLine
}

func (s *commandSplitter) step() {
	rest := s.text[s.i:]
	switch ch := rest[0]; {
	case s.quote != 0:
		if ch == s.quote {
			s.quote = 0
		}
		s.take(1)
	case strings.HasPrefix(rest, "\\\n"):
		s.gap = true
		s.skip(2)
	case ch == '\\' && len(rest) > 1:
		s.take(2)
	case ch == '"' || ch == '\'':
		s.quote = ch
		s.take(1)
	case ch == '\n' || ch == ';':
		s.flush()
		s.skip(1)
	case strings.HasPrefix(rest, "&&"):
		s.flush()
		s.skip(2)
	case ch == '#' && (s.gap || s.cur.Len() == 0):
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		s.skip(n)
	case isBlank(ch):
		s.gap = true
		s.skip(1)
	default:
		s.take(1)
	}
}

// take adds n bytes to the command, skip passes over them.
func (s *commandSplitter) take(n int) {
	if s.cur.Len() == 0 {
		s.start = s.pos
	} else if s.gap {
		s.cur.WriteByte(' ')
	}
	s.gap = false
	s.cur.WriteString(s.text[s.i : s.i+n])
	s.skip(n)
}

func (s *commandSplitter) skip(n int) {
	s.pos = s.pos.after(s.text[s.i : s.i+n])
	s.i += n
}

func (s *commandSplitter) flush() {
	if s.cur.Len() > 0 {
		s.out = append(s.out, CommandLine{Pos: s.start, Text: s.cur.String()})
	}
	s.cur.Reset()
	s.gap = false
}
