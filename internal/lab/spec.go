package lab

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"estab/internal/netem"
)

// Spec describes a parameter: the command line makes a flag of it, the page a
// control.
type Spec struct {
	Name     string // of the flag, and in the address bar
	Kind     SpecKind
	Group    Group
	Title    Text // a few words
	Help     Text
	Min, Max int64 // of times in ns
	Choices  []string

	field func(p *Params) any // *time.Duration, *int, *uint64, *string or *Switch
}

// SpecKind is how a parameter is written.
type SpecKind string

// The kinds of parameters.
const (
	KindTime   SpecKind = "time"   // 20ms, 1.5s
	KindCount  SpecKind = "count"  // a number
	KindBytes  SpecKind = "bytes"  // a number
	KindSwitch SpecKind = "switch" // on, off
	KindChoice SpecKind = "choice" // one of Choices
	KindPath   SpecKind = "path"   // words of tc-netem
)

// Group is what a parameter is about.
type Group string

// The groups of parameters.
const (
	GroupTime      Group = "time"
	GroupHandshake Group = "handshake"
	GroupClosing   Group = "closing"
	GroupFlow      Group = "flow"
	GroupDefence   Group = "defence"
	GroupPath      Group = "path"
)

// GroupTitle is a group and what it is called.
type GroupTitle struct {
	Name  Group
	Title Text
}

// Groups are all groups, in order.
func Groups() []GroupTitle {
	return []GroupTitle{
		{GroupTime, t("Time", "时间")}, {GroupPath, t("The path", "路径")}, {GroupHandshake, t("Handshake", "握手")},
		{GroupClosing, t("Closing", "释放")}, {GroupFlow, t("Windows", "窗口")}, {GroupDefence, t("Defences", "防御")},
	}
}

// FindSpec finds a parameter by its name.
func FindSpec(name string) (Spec, bool) {
	for _, s := range Specs() {
		if s.Name == name {
			return s, true
		}
	}
	return Spec{}, false
}

// Get is the value as text; "" is as the scenario has it.
func (s *Spec) Get(p *Params) string {
	switch v := s.field(p).(type) {
	case *time.Duration:
		if *v != 0 || s.Name == "delay" {
			return v.String()
		}
	case *uint64:
		return strconv.FormatUint(*v, 10)
	case *int:
		switch {
		case *v < 0:
			return "0"
		case *v > 0:
			return strconv.Itoa(*v)
		}
	case *string:
		return *v
	case *Switch:
		switch *v {
		case On:
			return "on"
		case Off:
			return "off"
		}
	}
	return ""
}

// Set reads a value. "" is as the scenario has it.
func (s *Spec) Set(p *Params, text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		d := Defaults()
		s.copy(p, &d)
		return nil
	}
	q := Defaults()
	if !s.read(&q, text) {
		return s.wrong(text)
	}
	if err := s.check(&q); err != nil {
		if s.Kind == KindPath {
			return err
		}
		return s.wrong(text)
	}
	s.copy(p, &q)
	return nil
}

func (s *Spec) copy(to, from *Params) {
	switch v := s.field(to).(type) {
	case *time.Duration:
		*v = *s.field(from).(*time.Duration)
	case *uint64:
		*v = *s.field(from).(*uint64)
	case *int:
		*v = *s.field(from).(*int)
	case *string:
		*v = *s.field(from).(*string)
	case *Switch:
		*v = *s.field(from).(*Switch)
	}
}

func (s *Spec) read(p *Params, text string) bool {
	var err error
	switch v := s.field(p).(type) {
	case *time.Duration:
		*v, err = time.ParseDuration(text)
		if err == nil && *v == 0 && s.Min > 0 {
			return false
		}
	case *uint64:
		*v, err = strconv.ParseUint(text, 10, 64)
	case *int:
		if *v, err = strconv.Atoi(text); *v == 0 {
			*v = -1
			return err == nil && s.Min == 0
		}
		return err == nil && *v > 0
	case *string:
		*v = text
	case *Switch:
		switch text {
		case "on":
			*v = On
		case "off":
			*v = Off
		default:
			return false
		}
	}
	return err == nil
}

// check says what is out of range.
func (s *Spec) check(p *Params) error {
	in := func(v int64) bool { return v >= s.Min && v <= s.Max }
	ok := true
	switch v := s.field(p).(type) {
	case *time.Duration:
		ok = *v == 0 && s.Get(p) == "" || in(int64(*v))
	case *int:
		ok = *v == 0 || *v == -1 && s.Min == 0 || in(int64(*v))
	case *string:
		if s.Kind == KindPath {
			return checkPath(*v)
		}
		ok = *v == ""
		for _, c := range s.Choices {
			ok = ok || *v == c
		}
	}
	if !ok {
		return s.wrong(s.Get(p))
	}
	return nil
}

// wrong says what was wanted in place of a value.
func (s *Spec) wrong(got string) error {
	want := s.Want()
	return problem("%s %s: %[3]s", "%s %s：%[4]s", s.Name, got, want.EN, want.ZH)
}

// Want says what a value has to be.
func (s *Spec) Want() Text {
	fill := func(en, zh string, args ...any) Text { return Text{fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)} }
	switch s.Kind {
	case KindTime:
		return fill("want a time from %v to %v, such as 20ms or 1.5s", "应为 %v 到 %v 之间的时间，如 20ms 或 1.5s", time.Duration(s.Min), time.Duration(s.Max))
	case KindSwitch:
		return t("want on or off", "应为 on 或 off")
	case KindChoice:
		return fill("want %s", "应为 %s", strings.Join(s.Choices, ", "))
	case KindPath:
		return t(`want words of tc-netem, such as "loss 5% rate 4mbit"`, "应为 tc-netem 的写法，如 “loss 5% rate 4mbit”")
	}
	return fill("want a number from %d to %d", "应为 %d 到 %d 之间的数", s.Min, s.Max)
}

// checkPath reads words of tc-netem as a world will, which puts its delay
// before them unless they have one.
func checkPath(words string) error {
	p := Defaults()
	p.Path = words
	return p.checkPath()
}

func (p *Params) checkPath() error {
	if _, err := netem.Parse(p.path(&World{})); err != nil {
		return problem("path %s: %s", "path %s：%s", p.Path, strings.TrimPrefix(err.Error(), "netem: "))
	}
	return nil
}
