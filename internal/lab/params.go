package lab

import (
	"fmt"
	"strconv"
	"time"

	"estab/tcp"
)

// Params are what can be changed about a scenario.
type Params struct {
	Seed  uint64
	MSL   time.Duration // maximum segment lifetime; 2 min, the standard's
	Delay time.Duration // one way; 10 ms

	// What is zero stays as the scenario has it; retries of -1: none.
	RTOMin        time.Duration
	RTO           time.Duration // before a round trip was measured
	SynRetries    int
	SynAckRetries int
	Retries       int

	// Faults are lines of a script that change what the path does: "lose A:2".
	Faults []string
}

// Defaults are the parameters of an unchanged run.
func Defaults() Params {
	return Params{Seed: 1, MSL: 2 * time.Minute, Delay: 10 * time.Millisecond}
}

// Changed reports whether the run is another than the scripted one.
func (p *Params) Changed() bool {
	d := Defaults()
	return p.MSL != d.MSL || p.Delay != d.Delay || p.RTOMin != 0 || p.RTO != 0 ||
		p.SynRetries != 0 || p.SynAckRetries != 0 || p.Retries != 0 || len(p.Faults) > 0
}

// Check says what is out of range.
func (p *Params) Check() error {
	for _, d := range []struct {
		name     string
		v        time.Duration
		min, max time.Duration
	}{
		{"msl", p.MSL, time.Millisecond, 10 * time.Minute},
		{"delay", p.Delay, 0, time.Minute},
		{"rto-min", p.RTOMin, 0, time.Minute},
		{"rto", p.RTO, 0, time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("--%s %v: want a time from %v to %v", d.name, d.v, d.min, d.max)
		}
	}
	for _, n := range []struct {
		name string
		v    int
	}{{"syn-retries", p.SynRetries}, {"synack-retries", p.SynAckRetries}, {"retries", p.Retries}} {
		if n.v < -1 || n.v > 15 {
			return fmt.Errorf("--%s %d: want a number from 0 to 15", n.name, n.v)
		}
	}
	for _, line := range p.Faults {
		if _, err := parseFault(line); err != nil {
			return err
		}
	}
	return nil
}

// configure writes into a host's configuration what was asked for.
func (p *Params) configure(c *tcp.Config) {
	set := func(to *time.Duration, v time.Duration) {
		if v != 0 {
			*to = v
		}
	}
	set(&c.RTOMin, p.RTOMin)
	set(&c.RTOInitial, p.RTO)
	count := func(to *int, v int) {
		if v != 0 {
			*to = v
		}
	}
	count(&c.SynRetries, p.SynRetries)
	count(&c.SynAckRetries, p.SynAckRetries)
	count(&c.Retries2, p.Retries)
}

// seconds writes a time for people: 240 s, 20 ms.
func seconds(d time.Duration) string {
	if d >= time.Second || d == 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
	}
	return strconv.FormatFloat(float64(d)/1e6, 'f', -1, 64) + " ms"
}
