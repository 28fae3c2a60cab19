package netem

import (
	"strings"
	"testing"
)

func TestParsePrint(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"", ""},
		{"delay 100ms", "delay 100ms"},
		{"delay 100ms 10ms 25% distribution normal", "delay 100ms 10ms 25% distribution normal"},
		{"latency 1.5s", "delay 1500ms"},
		{"delay 250", "delay 250us"}, // tc's bare number
		{"delay 7ns 0 50%", "delay 7ns"},
		{"delay 0ms 3ms", "delay 0s 3ms"},
		{"delay 0", ""},
		{"delay 1ms 1ms distribution uniform", "delay 1ms 1ms"},
		{"loss 1% 25%", "loss 1% 25%"},
		{"loss random 0.3", "loss 0.3%"},
		{"drop 100%", "loss 100%"},
		{"loss 0% 50%", ""},
		{"loss state 5", "loss state 5% 95% 0% 100% 0%"},
		{"loss state 1% 20% 30% 40% 50%", "loss state 1% 20% 30% 40% 50%"},
		{"loss gemodel 1%", "loss gemodel 1% 99% 100% 0%"},
		{"loss gemodel 1% 10% 70% 0.1%", "loss gemodel 1% 10% 70% 0.1%"},
		{"duplicate 1%", "duplicate 1%"},
		{"corrupt .5% 10%", "corrupt 0.5% 10%"},
		{"delay 10ms reorder 25% 50% gap 5", "delay 10ms reorder 25% 50% gap 5"},
		{"gap 5 reorder 25% delay 10ms", "delay 10ms reorder 25% gap 5"},
		{"reorder 25% gap 1 delay 10ms", "delay 10ms reorder 25%"},
		{"rate 10mbit", "rate 10mbit"},
		{"rate 5kbit 20 100 5", "rate 5kbit 20 100 5"},
		{"rate 5KBps -14", "rate 40kbit -14"},
		{"rate 1kibit", "rate 1024bit"},
		{"limit 1000 rate 9600", "rate 9600bit"},
		{"limit 3", "limit 3"},
		{"mtu 1400 delay 1ms", "mtu 1400 delay 1ms"},
	} {
		m, err := Parse(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got := m.String(); got != c.out {
			t.Errorf("%q prints %q, want %q", c.in, got, c.out)
		}
		if again, err := Parse(m.String()); err != nil || again != m {
			t.Errorf("%q: parsed again: %v, %v", c.in, again, err)
		}
		if m.Perfect() != (c.out == "" || c.out == "limit 3") {
			t.Errorf("%q: Perfect is %v", c.in, m.Perfect())
		}
	}
}

// Both sides of every limit.
func TestParseLimits(t *testing.T) {
	for _, c := range []struct{ ok, bad string }{
		{"loss 100%", "loss 100.000000001%"},
		{"loss 0%", "loss -0%"},
		{"limit 1", "limit 0"},
		{"limit 1000000", "limit 1000001"},
		{"mtu 68", "mtu 67"},
		{"mtu 65535", "mtu 65536"},
		{"delay 3600s", "delay 3600.000000001s"},
		{"delay 0", "delay -1ns"},
		{"delay 1ms reorder 1% gap 1", "delay 1ms reorder 1% gap 0"},
		{"delay 1ms reorder 1% gap 1000000", "delay 1ms reorder 1% gap 1000001"},
		{"rate 1bit", "rate 0bit"},
		{"rate 10tbit", "rate 10.000000001tbit"},
		{"rate 1mbit 65536", "rate 1mbit 65537"},
		{"rate 1mbit -65536", "rate 1mbit -65537"},
		{"rate 1mbit 0 48 -47", "rate 1mbit 0 48 -48"},
		{"loss state 60% 0% 0% 0% 40%", "loss state 60% 0% 0% 0% 40.1%"},
		{"loss state 1% 60% 40%", "loss state 1% 60% 40.1%"},
	} {
		if _, err := Parse(c.ok); err != nil {
			t.Errorf("%q: %v", c.ok, err)
		}
		if m, err := Parse(c.bad); err == nil {
			t.Errorf("%q is accepted as %q", c.bad, m)
		}
	}
}

// An error names the word and says what would be right.
func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"loss 300%", `netem: loss "300%": more than 100%`},
		{"loss -5%", `netem: loss "-5%": must not be negative`},
		{"loss", `netem: loss: a percentage is missing`},
		{"loss random", `netem: loss: a percentage is missing`},
		{"loss often", `netem: loss "often": want a percentage from 0% to 100%`},
		{"loss 5%%", `netem: loss "5%%": want a percentage from 0% to 100%`},
		{"loss 1e9", `netem: loss "1e9": want a percentage from 0% to 100%`},
		{"loss 1% x%", `netem: "x%": unknown word: valid are ` + keywords},
		{"loss 1% loss 2%", `netem: loss: given twice`},
		{"loss 1% drop 2%", `netem: loss: given twice`},
		{"loss state", `netem: loss state: the percentage p13 is missing`},
		{"loss gemodel 1% 101%", `netem: loss gemodel r "101%": more than 100%`},
		{"loss 1% ecn", `netem: "ecn": not supported: valid are ` + keywords},
		{"delay", `netem: delay: a time is missing`},
		{"delay -5ms", `netem: delay "-5ms": must not be negative`},
		{"delay 5 ms", `netem: "ms": unknown word: valid are ` + keywords},
		{"delay 5m", `netem: delay "5m": unknown unit "m": want a time of at most an hour, such as 100ms, 1.5s or 20us`},
		{"delay 99999999999999999999s", `netem: delay "99999999999999999999s": want a time of at most an hour, such as 100ms, 1.5s or 20us`},
		{"delay 2h", `netem: delay "2h": unknown unit "h": want a time of at most an hour, such as 100ms, 1.5s or 20us`},
		{"delay 4000s", `netem: delay "4000s": too large`},
		{"delay .ms", `netem: delay ".ms": want a time of at most an hour, such as 100ms, 1.5s or 20us`},
		{"delay 1ms 1ms distribution", `netem: distribution: uniform, normal, pareto or paretonormal is missing`},
		{"delay 1ms 1ms distribution zipf", `netem: distribution "zipf": want uniform, normal, pareto or paretonormal`},
		{"delay 1ms distribution normal", `netem: distribution normal: needs a jitter: delay TIME JITTER distribution normal`},
		{"distribution normal", `netem: "distribution": not supported here, only behind delay TIME JITTER: valid are ` + keywords},
		{"reorder 25%", `netem: reorder: needs a delay, for packets overtake those that wait`},
		{"gap 5", `netem: gap: needs reorder PERCENT`},
		{"rate fast", `netem: rate "fast": want a rate of at most 10tbit, such as 10mbit, 512kbit or 1.5gbit`},
		{"rate 10mb", `netem: rate "10mb": unknown unit "mb": want a rate of at most 10tbit, such as 10mbit, 512kbit or 1.5gbit`},
		{"rate 1mbit 1.5", `netem: rate packet overhead "1.5": want a whole number from -65536 to 65536`},
		{"rate 1mbit 0 0 5", `netem: rate cell overhead: needs a cell size`},
		{"limit many", `netem: limit "many": want a whole number from 1 to 1000000`},
		{"lost 1%", `netem: "lost": unknown word: valid are ` + keywords},
	} {
		_, err := Parse(c.in)
		if err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.in, err, c.want)
		}
	}
}

// Every probability prints as a percentage that reads as itself.
func TestPercentExact(t *testing.T) {
	u := uint32(0)
	for i := range 200_000 {
		for _, p := range []Prob{Prob(u), Prob(i), MaxProb - Prob(i)} {
			s := formatPercent(p)
			if q, err := parsePercent("p", s); err != nil || q != p {
				t.Fatalf("%d prints %s, which reads %d, %v", p, s, q, err)
			}
		}
		u += 0x9e3779b9
	}
}

// Parse never panics, its errors are one line, and what it accepts prints to
// a text that means the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"delay 100ms 10ms 25% distribution paretonormal loss state 1% 2% 3% 4% 5%",
		"loss gemodel 1% 2% 3% 4% duplicate 1% 2% corrupt 3% 4% limit 7 mtu 999",
		"delay 1us reorder 25% 50% gap 3 rate 10mbit 20 48 -5", "loss 0.00000001%", "rate 1.5tbps", "delay -1 loss 300%",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Parse(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("%q: error of several lines: %q", s, err)
			}
			return
		}
		text := m.String()
		again, err := Parse(text)
		if err != nil || again != m || again.String() != text {
			t.Fatalf("%q prints %q, which reads %+v, %v; want %+v", s, text, again, err, m)
		}
		st := NewState(1, 0)
		for now := range int64(20) {
			fate := st.Apply(now*1e6, 1500, &m)
			checkFate(t, now*1e6, 1500, fate)
		}
	})
}
