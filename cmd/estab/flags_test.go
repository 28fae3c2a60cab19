package main

import (
	"testing"
	"time"
	"unicode/utf8"
)

func TestSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1500": 1500, "64MiB": 64 << 20, "64m": 64 << 20, "64 M": 64 << 20, "1.5GiB": 3 << 29, "10MB": 10e6,
		"2kb": 2000, "2k": 2048, "7B": 7, "1TiB": 1 << 40, "1e3": 1000,
	} {
		var z size
		if err := z.Set(s); err != nil || int64(z) != want {
			t.Errorf("%q: %d, %v, want %d", s, z, err, want)
		}
	}
	for _, s := range []string{"", "-1", "MiB", "1XiB", "2TiB", "NaN", "Inf", "1 2", "0x10", "--5"} {
		var z size
		if err := z.Set(s); err == nil {
			t.Errorf("%q: %d", s, z)
		}
	}
}

func TestPercent(t *testing.T) {
	for s, want := range map[string]percent{"0": 0, "5%": 5, "0.25%": 0.25, "100%": 100, " 3 %": 3} {
		var p percent
		if err := p.Set(s); err != nil || p != want {
			t.Errorf("%q: %v, %v, want %v", s, p, err, want)
		}
	}
	for _, s := range []string{"", "%", "-1%", "100.1%", "300%", "NaN", "five"} {
		var p percent
		if err := p.Set(s); err == nil {
			t.Errorf("%q: %v", s, p)
		}
	}
}

func TestNetem(t *testing.T) {
	o := demoOptions{loss: 5, dup: 0.5, damage: 1, reorder: 2, delay: duration(20 * time.Millisecond)}
	if got, want := prettyPath(o.netem()), "delay 20ms loss 5% duplicate 0.5% corrupt 1% reorder 2%"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (&demoOptions{}).netem(); got != "" {
		t.Errorf("a clean link is %q", got)
	}
}

// The bar never wraps, whatever the terminal's width.
func TestBarFits(t *testing.T) {
	for _, columns := range []int{70, 80, 200} {
		for _, n := range []int64{0, 1, 1 << 20, 64 << 20} {
			b := bar{columns: columns, total: 64 << 20}
			line := b.line(n, 3*time.Second)
			if w := utf8.RuneCountInString(line); w >= columns {
				t.Errorf("%d columns of %d: %s", w, columns, line)
			}
		}
	}
}
