package trace

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Count writes n with a comma between thousands: 46,012.
func Count[T int | int64 | uint32 | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Size writes a number of bytes in binary units with three digits: 64.0 MiB.
func Size(n uint64) string {
	return scaled(float64(n), 1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
}

// Rate writes bytes in a time as bits a second in decimal units, as networks
// are measured: 1.21 Gbit/s.
func Rate(bytes uint64, d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return scaled(float64(bytes)*8/d.Seconds(), 1000, "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
}

func scaled(v, base float64, units ...string) string {
	i := 0
	for v >= base && i < len(units)-1 {
		v /= base
		i++
	}
	digits := 0
	if i > 0 {
		// Three digits, but no more: 1.23, 12.3, 123.
		digits = max(0, 2-int(math.Log10(max(v, 1))))
	}
	if i > 0 && base == 1024 {
		digits = min(digits, 1)
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + units[i]
}

// Duration writes a time with three digits and its unit apart: 1.24 s, 340 µs.
func Duration(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-d)
	}
	switch {
	case d < time.Microsecond:
		return strconv.FormatInt(int64(d), 10) + " ns"
	case d < time.Millisecond:
		return three(d, time.Microsecond) + " µs"
	case d < time.Second:
		return three(d, time.Millisecond) + " ms"
	case d < 2*time.Minute:
		return three(d, time.Second) + " s"
	case d < 2*time.Hour:
		s := int64(d.Round(time.Second) / time.Second)
		return strconv.FormatInt(s/60, 10) + " min " + strconv.FormatInt(s%60, 10) + " s"
	}
	m := int64(d.Round(time.Minute) / time.Minute)
	return strconv.FormatInt(m/60, 10) + " h " + strconv.FormatInt(m%60, 10) + " min"
}

// three writes d in a unit with three digits and without idle zeros.
func three(d, unit time.Duration) string {
	v := float64(d) / float64(unit)
	digits := max(0, 2-int(math.Log10(max(v, 1))))
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
