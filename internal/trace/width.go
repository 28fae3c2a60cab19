package trace

import "strings"

// wide are the ranges of characters that take two columns of a terminal (the
// classes W and F of Unicode's annex 11), flat are those that take none.
// Coarse, but right for every script in use.
func wide(r rune) bool {
	if r < 0x1100 {
		return false
	}
	for _, w := range [...][2]rune{
		{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x2e80, 0x303e},
		{0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa4cf}, {0xa960, 0xa97f},
		{0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f}, {0xff01, 0xff60},
		{0xffe0, 0xffe6}, {0x16fe0, 0x18aff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f},
		{0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
	} {
		if r >= w[0] && r <= w[1] {
			return true
		}
	}
	return false
}

func flat(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x300 && r <= 0x36f || r >= 0x483 && r <= 0x489 ||
		r >= 0x591 && r <= 0x5bd || r >= 0x610 && r <= 0x61a || r >= 0x64b && r <= 0x65f ||
		r >= 0x1ab0 && r <= 0x1aff || r >= 0x200b && r <= 0x200f || r >= 0x20d0 && r <= 0x20f0 ||
		r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff || r >= 0xe0100 && r <= 0xe01ef
}

func runeWidth(r rune) int {
	switch {
	case flat(r):
		return 0
	case wide(r):
		return 2
	}
	return 1
}

// width is how many columns s takes.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// fit cuts s to at most w columns; an ellipsis stands for what is missing.
// Control characters, which would break the columns, go.
func fit(s string, w int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
	if width(s) <= w {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n += runeWidth(r); n > w-1 {
			break
		}
		b.WriteRune(r)
	}
	if w > 0 {
		b.WriteRune('…')
	}
	return b.String()
}

// padRight and padLeft make s exactly w columns wide, with the text at the
// left or at the right.
func padRight(s string, w int) string {
	s = fit(s, w)
	return s + strings.Repeat(" ", w-width(s))
}

func padLeft(s string, w int) string {
	s = fit(s, w)
	return strings.Repeat(" ", w-width(s)) + s
}

func center(s string, w int) string {
	s = fit(s, w)
	left := (w - width(s)) / 2
	return padRight(strings.Repeat(" ", left)+s, w)
}

// Wrap breaks a text into lines of at most so many columns: at spaces, and
// beside wide characters, though not before a closing mark or after an opening
// one.
func Wrap(s string, columns int) []string {
	var lines []string
	line, gap := "", ""
	for _, piece := range pieces(s) {
		if piece == " " {
			gap = " "
			continue
		}
		if line != "" && width(line)+width(gap)+width(piece) > columns {
			lines = append(lines, line)
			line, gap = "", ""
		}
		line += gap + piece
		gap = ""
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// pieces are what may not be broken, and " " between words.
func pieces(s string) []string {
	var out []string
	joined := false // the next character belongs to the last piece
	for _, r := range s {
		c := string(r)
		switch {
		case r == ' ' || r == '\n' || r == '\t':
			out, joined = append(out, " "), false
		case len(out) > 0 && out[len(out)-1] != " " && (joined && !wide(r) || strings.ContainsRune("，。；：、！？）」』》”’…", r) || strings.HasSuffix(out[len(out)-1], "（")):
			out[len(out)-1] += c
			joined = !wide(r) || r == '（'
		default:
			out = append(out, c)
			joined = !wide(r)
		}
	}
	return out
}

// Columns is how many columns of a terminal a text takes.
func Columns(s string) int { return width(s) }

// Pad makes a text exactly so many columns wide.
func Pad(s string, columns int) string { return padRight(s, columns) }
