package lab

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Step is one thing that a program, or the path, does at some time.
type Step struct {
	At   time.Duration
	Who  string // A, B or net
	Do   string
	Text string        // of send: the bytes
	N    int           // of send: so many bytes; of connect: the local port
	For  time.Duration // of on-eof: how long after it
}

// Line is a step as it stands in a script.
type Line struct {
	Step
	Line int    // from 1
	Text string // without the time
}

// LineError says which line of a script can't be read.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Lines are the steps of a script that can be read, with their places.
func Lines(script string) (lines []Line) {
	n := 0
	for text := range strings.Lines(script) {
		n++
		text = uncomment(text)
		if s, err := parseStep(strings.TrimSpace(text)); err == nil {
			_, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
			lines = append(lines, Line{s, n, strings.TrimSpace(rest)})
		}
	}
	return lines
}

// ParseScript reads what happens in a world, a line each:
//
//	0    B listen                    patiently: with an ACK that waits for the FIN to go along
//	0    B on-accept send "hello"
//	0    B on-eof close 2s           once the peer's FIN was read, after 2 s
//	0    B stop-reading
//	10ms A connect                   from port 40000, or another: connect 40001
//	1s   A send "text"               or so many bytes: send 20000
//	2s   A shut                      close one direction: a FIN follows
//	2s   A close                     give the connection up in order
//	2s   A abort                     with a RST
//	3s   A read                      go on reading; also: nodelay
//	4s   A crash                     restart: boot again, memory lost
//	4s   net cut                     net join: mend it
//	lose A:2                         the second segment that A sends
//	lose B:3-                        the third and all that follow
//	lose B:FIN                       each segment with that flag
//	delay A:1 5s                     it takes so long
//	double A:4                       it arrives twice; a while later: double A:4 5s
//
// Words after # are a comment.
func ParseScript(script string) (steps []Step, faults []Fault, err error) {
	n := 0
	for line := range strings.Lines(script) {
		n++
		if line = strings.TrimSpace(uncomment(line)); line == "" {
			continue
		}
		word, _, _ := strings.Cut(line, " ")
		if word == "lose" || word == "delay" || word == "double" {
			f, err := parseFault(line)
			if err != nil {
				return nil, nil, &LineError{n, err}
			}
			faults = append(faults, f)
			continue
		}
		s, err := parseStep(line)
		if err != nil {
			return nil, nil, &LineError{n, err}
		}
		steps = append(steps, s)
	}
	return steps, faults, nil
}

// uncomment takes a comment off a line: what follows a # that is in no quotes.
func uncomment(line string) string {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '#' && !quoted:
			return line[:i]
		}
	}
	return line
}

func parseStep(line string) (s Step, err error) {
	when, rest, _ := strings.Cut(line, " ")
	if s.At, err = parseTime(when); err != nil {
		return s, err
	}
	s.Who, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
	if s.Who != "A" && s.Who != "B" && s.Who != "net" {
		return s, problem("who is %q? want A, B or net", "%q 是谁？应为 A、B 或 net", s.Who)
	}
	s.Do, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
	rest = strings.TrimSpace(rest)
	if s.Do == "on-accept" || s.Do == "on-eof" {
		then, more, _ := strings.Cut(rest, " ")
		s.Do, rest = s.Do+" "+then, strings.TrimSpace(more)
	}
	return s, s.argument(rest)
}

// argument reads what follows the verb.
func (s *Step) argument(rest string) (err error) {
	switch s.Do {
	case "send", "on-accept send":
		if quoted, e := strconv.QuotedPrefix(rest); e == nil && quoted == rest {
			s.Text, err = strconv.Unquote(rest)
			return err
		}
		s.N, err = strconv.Atoi(rest)
		if err != nil || s.N < 1 || s.N > 1<<24 {
			return problem(`send %s: want "text" or a number of bytes`, `send %s：应为 "文字" 或字节数`, rest)
		}
		return nil
	case "connect":
		if rest == "" {
			s.N = clientPort
			return nil
		}
		s.N, err = strconv.Atoi(rest)
		if err != nil || s.N < 1 || s.N > 65535 {
			return problem("connect %s: want a port", "connect %s：应为端口号", rest)
		}
		return nil
	case "on-eof close", "on-eof shut":
		if rest != "" {
			s.For, err = parseTime(rest)
		}
		return err
	case "listen":
		s.Text = rest
		if rest != "" && rest != "patiently" {
			return problem("what is %q?", "看不懂 %q", rest)
		}
		return nil
	case "shut", "close", "abort", "stop-reading", "read", "nodelay", "crash", "restart", "cut", "join", "keep-alive":
		if rest != "" {
			return problem("what is %q?", "看不懂 %q", rest)
		}
		return nil
	}
	return problem("what is %q?", "看不懂 %q", s.Do)
}

func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > 24*time.Hour {
		return 0, problem("time %q: want something like 20ms or 1.5s", "时间 %q：应写成 20ms 或 1.5s 这样", s)
	}
	return d, nil
}
