package lab

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"estab/tcp"
)

// Params are what can be changed about a scenario. Each has its Spec, from
// which the command line, the page and the address bar take it. What is zero
// stays as the scenario has it.
type Params struct {
	Seed  uint64
	MSL   time.Duration // maximum segment lifetime; 2 min, the standard's
	Delay time.Duration // one way; 10 ms
	Path  string        // what the path does besides, in the words of tc-netem

	RTOMin        time.Duration
	RTO           time.Duration // before a round trip was measured
	DelayedAck    time.Duration
	SynRetries    int // -1: none
	SynAckRetries int // -1: none
	Retries       int // -1: none

	Window     int // bytes of receive buffer, which then stays at that
	Backlog    int // half-open records
	Congestion string
	SACK       Switch
	Timestamps Switch

	TwoWay   Switch // B's side of the handshake ends with its SYN,ACK
	TimeWait Switch

	// The defences against a SYN flood.
	Cookies, Eviction, ShorterWait, SourceLimit, DropSources Switch

	// Faults are lines of a script that change what the path does: "lose A:2".
	Faults []string
	// Scripts replace those of the worlds, by their place; "": unchanged.
	Scripts []string
}

// Switch is on, off, or as the scenario has it.
type Switch int8

// The positions of a switch.
const (
	AsScripted Switch = 0
	On         Switch = 1
	Off        Switch = -1
)

// Defaults are the parameters of an unchanged run.
func Defaults() Params {
	return Params{Seed: 1, MSL: 2 * time.Minute, Delay: 10 * time.Millisecond}
}

// Changed reports whether the run is another than the scripted one. Another
// seed changes nothing that was scripted.
func (p *Params) Changed() bool {
	d := Defaults()
	for _, s := range Specs() {
		if s.Name != "seed" && s.Get(p) != s.Get(&d) {
			return true
		}
	}
	return len(p.Faults) > 0 || p.rewritten()
}

func (p *Params) rewritten() bool {
	return slices.ContainsFunc(p.Scripts, func(s string) bool { return s != "" })
}

// Command is the command line that plays a scenario with these parameters.
// Scripts are files there, of which it doesn't know the names.
func (p *Params) Command(scenario string) string {
	words := []string{"estab lab run", scenario}
	quote := func(s string) string {
		if strings.ContainsAny(s, " ") {
			return `"` + s + `"`
		}
		return s
	}
	d := Defaults()
	for _, s := range Specs() {
		if v := s.Get(p); v != s.Get(&d) {
			words = append(words, "--"+s.Name, quote(v))
		}
	}
	for _, f := range p.Faults {
		do, which, _ := strings.Cut(f, " ")
		words = append(words, map[string]string{"lose": "--lose", "delay": "--late", "double": "--twice"}[do], quote(which))
	}
	for _, s := range p.Scripts {
		if s == "" {
			words = append(words, "--script -")
		} else {
			words = append(words, "--script FILE")
		}
	}
	return strings.Join(words, " ")
}

// Check says what is out of range.
func (p *Params) Check() error {
	for _, s := range Specs() {
		if err := s.check(p); err != nil {
			return err
		}
	}
	if err := p.checkPath(); err != nil {
		return err
	}
	for _, line := range p.Faults {
		if _, err := parseFault(line); err != nil {
			return err
		}
	}
	for i, script := range p.Scripts {
		if _, _, err := ParseScript(script); err != nil {
			return &ScriptError{World: i, Err: err}
		}
	}
	return nil
}

// ScriptError says which world's script can't be read.
type ScriptError struct {
	World int // from 0
	Err   error
}

func (e *ScriptError) Error() string {
	return "script of world " + strconv.Itoa(e.World+1) + ": " + e.Err.Error()
}

func (e *ScriptError) Unwrap() error { return e.Err }

// script is what happens in the n-th world of a scenario.
func (p *Params) script(n int, scripted string) string {
	if n < len(p.Scripts) && p.Scripts[n] != "" {
		return p.Scripts[n]
	}
	return scripted
}

// path is what the path does besides its delay, and its delay: each as asked
// for, or as the world has it.
func (p *Params) path(def *World) string {
	words := def.Path
	if p.Path != "" {
		words = p.Path
	}
	for _, w := range strings.Fields(words) {
		if w == "delay" || w == "latency" {
			return words
		}
	}
	delay := p.Delay
	if def.Delay != 0 && delay == Defaults().Delay {
		delay = def.Delay
	}
	return "delay " + strconv.FormatInt(delay.Nanoseconds(), 10) + "ns " + words
}

// configure writes into a host's configuration what was asked for.
func (p *Params) configure(c *tcp.Config) {
	replace(&c.RTOMin, p.RTOMin)
	replace(&c.RTOInitial, p.RTO)
	replace(&c.DelayedAck, p.DelayedAck)
	replace(&c.SynRetries, p.SynRetries)
	replace(&c.SynAckRetries, p.SynAckRetries)
	replace(&c.Retries2, p.Retries)
	replace(&c.MaxHalfOpen, p.Backlog)
	replace(&c.Congestion, p.Congestion)
	if p.Window != 0 {
		c.ReceiveBuffer, c.ReceiveBufferMax, c.FixedBuffers = p.Window, p.Window, true
	}
	switch {
	case p.TimeWait == Off:
		c.MSL = -1
	case p.TimeWait == On && c.MSL < 0:
		c.MSL = p.MSL
	}
	p.SACK.without(&c.NoSACK)
	p.Timestamps.without(&c.NoTimestamps)
	p.Cookies.without(&c.Defence.NoCookies)
	p.Eviction.without(&c.Defence.NoEviction)
	p.ShorterWait.without(&c.Defence.NoPressure)
	p.SourceLimit.without(&c.Defence.NoSources)
	if p.DropSources != AsScripted {
		c.Defence.DropSources = p.DropSources == On
	}
}

func replace[T comparable](to *T, v T) {
	var zero T
	if v != zero {
		*to = v
	}
}

// without sets what the engine is to do without.
func (s Switch) without(no *bool) {
	if s != AsScripted {
		*no = s == Off
	}
}

// seconds writes a time for people: 240 s, 20 ms.
func seconds(d time.Duration) string {
	if d >= time.Second || d == 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
	}
	return strconv.FormatFloat(float64(d)/1e6, 'f', -1, 64) + " ms"
}
