package netem

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// What numbers may be at most.
const (
	second      = 1_000_000_000
	maxTime     = 3600 * second      // ns: an hour, for a delay and for sending one packet
	maxBits     = 10_000_000_000_000 // a second
	maxLimit    = 1_000_000          // packets; times maxTime it still fits an int64
	maxPacket   = 65535              // bytes
	minMTU      = 68                 // bytes, RFC 791's smallest
	maxOverhead = 1 << 16            // bytes, either sign
	maxGap      = 1_000_000          // packets
)

// unit is a suffix and what it multiplies by.
type unit struct {
	name string
	by   uint64
}

func timeUnits() []unit {
	return []unit{
		{"s", second}, {"sec", second}, {"secs", second},
		{"ms", 1e6}, {"msec", 1e6}, {"msecs", 1e6},
		{"us", 1e3}, {"µs", 1e3}, {"usec", 1e3}, {"usecs", 1e3}, {"", 1e3},
		{"ns", 1}, {"nsec", 1}, {"nsecs", 1},
	}
}

func rateUnits() []unit {
	return []unit{
		{"bit", 1}, {"", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"tbit", 1e12},
		{"kibit", 1 << 10}, {"mibit", 1 << 20}, {"gibit", 1 << 30}, {"tibit", 1 << 40},
		{"bps", 8}, {"kbps", 8e3}, {"mbps", 8e6}, {"gbps", 8e9}, {"tbps", 8e12},
		{"kibps", 8 << 10}, {"mibps", 8 << 20}, {"gibps", 8 << 30}, {"tibps", 8 << 40},
	}
}

// decimal is mant / 10^frac.
type decimal struct {
	mant uint64
	frac int
}

var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// cutDecimal splits a word into the number at its front and what follows.
// Digits after the ninth behind the point are ignored.
func cutDecimal(s string) (d decimal, rest string, ok bool) {
	digits, point := 0, false
	for s != "" {
		switch c := s[0]; {
		case c == '.' && !point:
			point = true
		case c < '0' || c > '9':
			return d, s, digits > 0
		case point && d.frac == len(pow10)-1:
			digits++
		default:
			if d.mant > 1e17 {
				return d, s, false
			}
			d.mant = d.mant*10 + uint64(c-'0')
			digits++
			if point {
				d.frac++
			}
		}
		s = s[1:]
	}
	return d, s, digits > 0
}

// times is d times num/den, rounded to the nearest; ok is false above max.
func (d decimal) times(num, den, max uint64) (v uint64, ok bool) {
	hi, lo := bits.Mul64(d.mant, num)
	den *= pow10[d.frac]
	lo, carry := bits.Add64(lo, den/2, 0)
	hi += carry
	if hi >= den {
		return 0, false
	}
	v, _ = bits.Div64(hi, lo, den)
	return v, v <= max
}

// errNegative refuses numbers below zero by their sign.
func errNegative(what, s string) error {
	if strings.HasPrefix(s, "-") {
		return fmt.Errorf("%s %q: must not be negative", what, s)
	}
	return nil
}

func parseUnit(what, s string, units []unit, max uint64, valid string) (uint64, error) {
	if err := errNegative(what, s); err != nil {
		return 0, err
	}
	d, suffix, ok := cutDecimal(s)
	if !ok {
		return 0, fmt.Errorf("%s %q: want %s", what, s, valid)
	}
	for _, u := range units {
		if !strings.EqualFold(u.name, suffix) {
			continue
		}
		v, ok := d.times(u.by, 1, max)
		if !ok {
			return 0, fmt.Errorf("%s %q: too large", what, s)
		}
		return v, nil
	}
	return 0, fmt.Errorf("%s %q: unknown unit %q: want %s", what, s, suffix, valid)
}

// parseTime reads a time in nanoseconds.
func parseTime(what, s string) (int64, error) {
	v, err := parseUnit(what, s, timeUnits(), maxTime, "a time of at most an hour, such as 100ms, 1.5s or 20us")
	return int64(v), err
}

// parseRate reads a rate in bits a second.
func parseRate(what, s string) (uint64, error) {
	v, err := parseUnit(what, s, rateUnits(), maxBits, "a rate of at most 10tbit, such as 10mbit, 512kbit or 1.5gbit")
	if err == nil && v == 0 {
		err = fmt.Errorf("%s %q: must be more than zero", what, s)
	}
	return v, err
}

// parsePercent reads a probability.
func parsePercent(what, s string) (Prob, error) {
	if err := errNegative(what, s); err != nil {
		return 0, err
	}
	d, rest, ok := cutDecimal(s)
	if !ok || rest != "" && rest != "%" {
		return 0, fmt.Errorf("%s %q: want a percentage from 0%% to 100%%", what, s)
	}
	if d.mant > 100*pow10[d.frac] {
		return 0, fmt.Errorf("%s %q: more than 100%%", what, s)
	}
	v, _ := d.times(uint64(MaxProb), 100, uint64(MaxProb))
	return Prob(v), nil
}

// parseInt reads a whole number from min to max.
func parseInt(what, s string, min, max int) (int, error) {
	v, err := strconv.Atoi(s)
	if err != nil || v < min || v > max {
		return 0, fmt.Errorf("%s %q: want a whole number from %d to %d", what, s, min, max)
	}
	return v, nil
}

// formatPercent is the shortest percentage that reads as p again.
func formatPercent(p Prob) string {
	d := decimal{}
	for ; d.frac < len(pow10); d.frac++ {
		hi, lo := bits.Mul64(uint64(p), 100*pow10[d.frac])
		lo, carry := bits.Add64(lo, uint64(MaxProb)/2, 0)
		d.mant, _ = bits.Div64(hi+carry, lo, uint64(MaxProb))
		if v, _ := d.times(uint64(MaxProb), 100, uint64(MaxProb)); v == uint64(p) {
			break
		}
	}
	s := strconv.FormatUint(d.mant/pow10[d.frac], 10)
	if d.frac > 0 {
		f := strconv.FormatUint(d.mant%pow10[d.frac], 10)
		s += "." + strings.Repeat("0", d.frac-len(f)) + f
	}
	return s + "%"
}

func formatTime(ns int64) string {
	for _, u := range [...]unit{{"s", second}, {"ms", 1e6}, {"us", 1e3}} {
		if ns%int64(u.by) == 0 {
			return strconv.FormatInt(ns/int64(u.by), 10) + u.name
		}
	}
	return strconv.FormatInt(ns, 10) + "ns"
}

func formatRate(v uint64) string {
	for _, u := range [...]unit{{"tbit", 1e12}, {"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}} {
		if v%u.by == 0 {
			return strconv.FormatUint(v/u.by, 10) + u.name
		}
	}
	return strconv.FormatUint(v, 10) + "bit"
}
