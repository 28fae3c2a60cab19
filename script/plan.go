package script

import (
	"slices"
	"strings"

	"estab/internal/wire"
)

// plan is a script made ready to be played: every name resolved, every command
// understood. Making it decides whether the script applies at all: from its
// text alone, before anything happens.
type plan struct {
	events   []*Event
	set      *setting
	commands map[*Command][]shellCommand
	args     map[*Call][]arg
	results  map[*Call]resultRange
	code     map[*Code]*Program
}

// resultRange is the stated result of a call.
type resultRange struct {
	low  arg
	high *arg
}

// checker makes a plan.
type checker struct {
	s    *Script
	set  *setting
	plan *plan
}

// newPlan makes a plan. An error of kind NotSupported or UnknownName says why
// the script does not apply; any other that it is no script.
func newPlan(s *Script, o *Options, f Family) (*plan, *Error) {
	set, err := newSetting(s, o, faceOf(s))
	if err != nil {
		return nil, err
	}
	set.family = f
	if hasBranch(s.Items, "STANDARD") {
		set.tcp.NoTimeWaitReuse = true
	}
	set.real = o.Machine != nil
	if set.real {
		set.onMachine()
	}
	c := &checker{s: s, set: set, plan: &plan{
		events: s.Events(), set: set, commands: map[*Command][]shellCommand{}, args: map[*Call][]arg{},
		results: map[*Call]resultRange{}, code: map[*Code]*Program{},
	}}
	for i, e := range c.plan.events {
		if err := c.event(e, i); err != nil {
			return nil, err
		}
	}
	if set.real {
		if err := c.realTime(); err != nil {
			return nil, err
		}
	}
	set.roundBuffer()
	return c.plan, nil
}

// unsupported says what estab has no match for.
func (c *checker) unsupported(at Pos, format string, args ...any) *Error {
	return c.s.Errorf(NotSupported, at, format, args...)
}

func (c *checker) event(e *Event, i int) *Error {
	switch a := e.Action.(type) {
	case *Command:
		return c.command(a, i)
	case *Call:
		return c.call(a)
	case *Code:
		return c.code(a)
	case *Segment:
		return c.segment(a)
	case *ICMP:
		return c.icmp(a)
	case *UDP:
		return c.unsupported(a.Pos, "estab has no UDP")
	case *OtherPacket:
		return c.unsupported(a.Pos, "estab has no %s", a.Protocol)
	}
	return nil
}

// command understands what stands between back-quotes. Settings hold for the
// whole run: one that changes later makes the script not applicable, unless
// nothing follows that it could concern.
func (c *checker) command(a *Command, i int) *Error {
	begun := slices.ContainsFunc(c.plan.events[:i], isNoCommand)
	goesOn := slices.ContainsFunc(c.plan.events[i:], func(e *Event) bool {
		call, ok := e.Action.(*Call)
		return isNoCommand(e) && !(ok && call.Name == "close")
	})
	for _, line := range a.Lines() {
		cmd, err := c.s.understand(line)
		if err != nil {
			return err
		}
		c.plan.commands[a] = append(c.plan.commands[a], cmd)
		if c.set.real {
			if err := c.realCommand(&cmd); err != nil {
				return err
			}
			if tso, ok := cmd.offload["tso"]; ok {
				c.set.noTSO = !tso
			}
			continue
		}
		if cmd.queue != "" && !strings.HasPrefix(cmd.queue, "pfifo") {
			return c.unsupported(line.Pos, "the command %q has no match here: estab does not pace", clipCommand(line.Text))
		}
		if !cmd.isSetting() || begun && !goesOn {
			continue
		}
		before := *c.set
		if reason := cmd.apply(c.set); reason != "" {
			return c.unsupported(line.Pos, "%s", reason)
		}
		if begun && before != *c.set {
			return c.unsupported(line.Pos, "the command %q changes a setting while connections live", clipCommand(line.Text))
		}
	}
	return nil
}

func isNoCommand(e *Event) bool {
	_, ok := e.Action.(*Command)
	return !ok
}

func (c *checker) code(a *Code) *Error {
	prog, err := c.s.ParseCode(a)
	if err != nil {
		return err.(*Error)
	}
	c.plan.code[a] = prog
	if c.set.real {
		return c.realCode(prog)
	}
	for _, n := range prog.Names() {
		if why, ok := unknownInfo[n.Name]; ok {
			if why != "" {
				why = ": " + why
			}
			return c.unsupported(n.Pos, "%s is not known here%s", n.Name, why)
		}
		_, isConst := infoConstants[n.Name]
		if _, ok := infoNames[n.Name]; !ok && !isConst {
			return c.unsupported(n.Pos, "%s is not known here", n.Name)
		}
	}
	return nil
}

// call resolves the arguments of a system call, and lets its entry in the
// table have a look.
func (c *checker) call(a *Call) *Error {
	sc, ok := syscalls[a.Name]
	if !ok {
		return c.unsupported(a.Pos, "the system call %s is not known here", a.Name)
	}
	if len(a.Args) < sc.min || len(a.Args) > sc.max {
		return c.unsupported(a.Pos, "%s with %d arguments is not known here", a.Name, len(a.Args))
	}
	args, err := c.s.resolveAll(a.Args)
	if err != nil {
		return err
	}
	if sc.socket && args[0].kind != argInt {
		return c.unsupported(args[0].pos, "a socket is a number")
	}
	switch {
	case c.set.real:
		if err := c.realCall(a, args); err != nil {
			return err
		}
	case sc.check != nil:
		if err := sc.check(c, args); err != nil {
			return err
		}
	}
	c.plan.args[a] = args
	var r resultRange
	if r.low, err = c.s.resolve(a.Result.Value); err != nil {
		return err
	}
	if a.Result.High != nil {
		high, err := c.s.resolve(a.Result.High)
		if err != nil {
			return err
		}
		r.high = &high
	}
	c.plan.results[a] = r
	return nil
}

// segment looks for what estab has no match for in a segment.
func (c *checker) segment(s *Segment) *Error {
	if s.UDPEncap != nil {
		return c.unsupported(s.Pos, "estab's segments travel in IP, not in UDP")
	}
	if s.IP.FlowLabel.Kind != FieldAbsent {
		return c.unsupported(s.Pos, "flow labels are not compared here")
	}
	if s.Dir == Outbound {
		return c.outbound(s)
	}
	return c.inbound(s)
}

func (c *checker) outbound(s *Segment) *Error {
	if !c.set.real && (s.Flags.HasACE || s.Flags.Bits&FlagAE != 0 || s.IP.ECN == ECT1) {
		return c.unsupported(s.Pos, whyAccECN)
	}
	for _, o := range s.Options.List {
		switch o.Kind {
		case OptNamed:
			return c.unsupported(o.Pos, "the TCP option %s is not known here", o.Name)
		case OptFO, OptFOExp:
			if !c.set.real {
				return c.unsupported(o.Pos, whyTFO)
			}
		}
	}
	if s.Flags.HasACE {
		return c.unsupported(s.Pos, "AccECN's counter is not compared here")
	}
	return nil
}

func (c *checker) inbound(s *Segment) *Error {
	const headers = 120 // as large as they get
	switch {
	case s.Seq.Any:
		return c.unsupported(s.Pos, "an arriving segment needs a sequence number")
	case s.Seq.Len > maxPacket-headers:
		return c.unsupported(s.Pos, "%d bytes fit no packet", s.Seq.Len)
	case s.Win.Kind != FieldExact && !s.Flags.Has(FlagRST):
		return c.unsupported(s.Pos, "an arriving segment needs a window")
	case s.Options.Any:
		return c.unsupported(s.Pos, "an arriving segment needs its options spelt out")
	case s.Ack.Kind == FieldAny || s.Urg.Kind == FieldAny:
		return c.unsupported(s.Pos, "an arriving segment needs its numbers spelt out")
	}
	for i := range s.Options.List {
		switch o := &s.Options.List[i]; {
		case o.Kind == OptNamed:
			return c.unsupported(o.Pos, "the TCP option %s is not known here", o.Name)
		case o.AnyTag, o.Symbol != "":
			return c.unsupported(o.Pos, whyTFO)
		case o.Value.Kind == FieldAny, o.Echo.Kind == FieldAny:
			return c.unsupported(o.Pos, "an arriving segment needs its options spelt out")
		}
	}
	if n := len(putOptions((&flow{}).rawOptions(s))); n > 60-wire.TCPHeaderMin {
		return c.unsupported(s.Pos, "%d bytes of options fit no segment", n)
	}
	return nil
}

func (c *checker) icmp(m *ICMP) *Error {
	if _, _, ok := icmpNumbers(m, c.set.family == IPv6); !ok {
		return c.unsupported(m.Pos, "the ICMP message %s is not known here in %s", strings.TrimSpace(m.Type+" "+m.Code), c.set.family)
	}
	if q := m.Quote; q != nil && q.Segment == nil {
		return c.unsupported(q.Pos, "estab sends nothing but TCP that could be quoted")
	}
	if m.V6 != (c.set.family == IPv6) && m.V6 {
		return c.unsupported(m.Pos, "ICMPv6 in a run over IPv4")
	}
	return nil
}
