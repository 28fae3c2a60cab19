package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// percent is a flag from 0% to 100%; the sign may be left out.
type percent float64

func (p *percent) String() string { return strconv.FormatFloat(float64(*p), 'f', -1, 64) + "%" }
func (p *percent) Type() string   { return "percent" }

func (p *percent) Set(s string) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%")), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > 100 {
		return errors.New("want a percentage from 0% to 100%")
	}
	*p = percent(v)
	return nil
}

// duration is a flag that is a time of at most an hour.
type duration time.Duration

func (d *duration) String() string { return time.Duration(*d).String() }
func (d *duration) Type() string   { return "time" }

func (d *duration) Set(s string) error {
	v, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil || v < 0 || v > time.Hour {
		return errors.New("want a time from 0s to 1h, such as 20ms or 1.5s")
	}
	*d = duration(v)
	return nil
}

// size is a flag that is a number of bytes; -1 is none given.
type size int64

func (z *size) Type() string { return "size" }

func (z *size) String() string {
	if *z < 0 {
		return ""
	}
	return strconv.FormatInt(int64(*z), 10)
}

const maxSize = 1 << 40

func (z *size) Set(s string) error {
	bad := errors.New("want a size from 0 to 1TiB, such as 64MiB, 10MB or 1500")
	s = strings.TrimSpace(s)
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := int64(1)
	switch strings.ToLower(strings.TrimSpace(s[len(digits):])) {
	case "", "b":
	case "k", "kib":
		unit = 1 << 10
	case "m", "mib":
		unit = 1 << 20
	case "g", "gib":
		unit = 1 << 30
	case "t", "tib":
		unit = 1 << 40
	case "kb":
		unit = 1e3
	case "mb":
		unit = 1e6
	case "gb":
		unit = 1e9
	default:
		return bad
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(v >= 0) || v*float64(unit) > maxSize {
		return bad
	}
	*z = size(math.Round(v * float64(unit)))
	return nil
}
