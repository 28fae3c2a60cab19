package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"estab/internal/trace"
)

// The measures of a drawing, in px.
const (
	chartWidth, chartHeight = 680, 360
	chartLeft, chartRight   = 60, 10
	chartTop, chartBottom   = 40, 70
)

// draw writes a drawing of each curve that has one. Both axes are logarithmic,
// so that what grows in proportion is a straight line and what doesn't grow is
// level; colours follow the reader's preference of light or dark.
func draw(dir string, curves []curve) error {
	for _, c := range curves {
		if c.file == "" || len(c.Lines) == 0 {
			continue
		}
		f, err := os.Create(filepath.Join(dir, c.file))
		if err != nil {
			return err
		}
		var pic trace.Picture
		if c.Lines[0].Points[0].Label != "" {
			pic = c.bars()
		} else {
			pic = c.chart()
		}
		err = trace.WriteSVG(f, c.Name, pic)
		if err2 := f.Close(); err == nil {
			err = err2
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scale maps values to px, by their logarithm.
type scale struct{ lo, hi, from, to float64 }

func newScale(from, to float64) scale { return scale{math.Inf(1), math.Inf(-1), from, to} }

func (s *scale) take(v float64) {
	s.lo, s.hi = min(s.lo, v), max(s.hi, v)
}

// round widens the scale to powers of ten.
func (s *scale) round() {
	if s.lo > s.hi {
		s.lo, s.hi = 1, 10
	}
	s.lo, s.hi = math.Pow(10, math.Floor(math.Log10(s.lo))), math.Pow(10, math.Ceil(math.Log10(s.hi)))
	if s.lo == s.hi {
		s.hi *= 10
	}
}

func (s *scale) at(v float64) float64 {
	return s.from + (math.Log10(v)-math.Log10(s.lo))/(math.Log10(s.hi)-math.Log10(s.lo))*(s.to-s.from)
}

// classes are the styles of lines: colours of trace's, and dashes, so that a
// line is told apart without colour.
var classes = []struct{ class, dash string }{{"data", ""}, {"syn", "6 3"}, {"fin", "2 3"}, {"rst", "10 3 2 3"}, {"ack", "1 4"}}

func (c *curve) chart() trace.Picture {
	x, y := newScale(chartLeft, chartWidth-chartRight), newScale(chartHeight-chartBottom, chartTop)
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if p.Failed == "" {
				x.take(p.X)
				y.take(p.Min)
				y.take(p.Max)
			}
		}
	}
	x.round()
	y.round()
	var b strings.Builder
	fmt.Fprintf(&b, "<text class=\"head\" x=\"0\" y=\"16\">%s</text>\n<text class=\"small\" x=\"0\" y=\"%d\">%s</text>\n",
		trace.Escape(c.Name), chartTop-8, trace.Escape(c.Y))
	for v := x.lo; v <= x.hi*1.01; v *= 10 {
		fmt.Fprintf(&b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/><text class=\"small\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x.at(v), chartTop, x.at(v), chartHeight-chartBottom, x.at(v), chartHeight-chartBottom+16, digits(v))
	}
	for v := y.lo; v <= y.hi*1.01; v *= 10 {
		fmt.Fprintf(&b, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/><text class=\"small\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			chartLeft, y.at(v), chartWidth-chartRight, y.at(v), chartLeft-6, y.at(v)+4, digits(v))
	}
	fmt.Fprintf(&b, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		chartWidth-chartRight, chartHeight-chartBottom+32, trace.Escape(c.X))
	key := chartLeft
	for i, l := range c.Lines {
		k := classes[i%len(classes)]
		var path, dots strings.Builder
		for _, p := range l.Points {
			if p.Failed != "" {
				continue
			}
			op := "L"
			if path.Len() == 0 {
				op = "M"
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", op, x.at(p.X), y.at(p.Y))
			fmt.Fprintf(&dots, "<path class=\"arrow %s\" d=\"M%.1f %.1fV%.1fm-3 0h6\"/>\n", k.class, x.at(p.X), y.at(p.Min), y.at(p.Max))
		}
		fmt.Fprintf(&b, "<path class=\"arrow %s\" stroke-dasharray=\"%s\" d=\"%s\"/>\n%s", k.class, k.dash, path.String(), dots.String())
		fmt.Fprintf(&b, "<line class=\"arrow %s\" stroke-dasharray=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/><text class=\"small\" x=\"%d\" y=\"%d\">%s</text>\n",
			k.class, k.dash, key, chartHeight-14, key+26, chartHeight-14, key+32, chartHeight-10, trace.Escape(l.Name))
		key += 56 + 7*len(l.Name)
	}
	return trace.Picture{Body: b.String(), Width: chartWidth, Height: chartHeight}
}

// bars draws what has words in place of numbers, linearly.
func (c *curve) bars() trace.Picture {
	const row, left = 34, 240
	most := 0.0
	for _, p := range c.Lines[0].Points {
		most = max(most, p.Max)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<text class=\"head\" x=\"0\" y=\"16\">%s</text>\n<text class=\"small\" x=\"0\" y=\"%d\">%s</text>\n",
		trace.Escape(c.Name), chartTop-4, trace.Escape(c.Y))
	y := chartTop + 10
	for _, p := range c.Lines[0].Points {
		px := func(v float64) float64 { return left + v/most*(chartWidth-left-90) }
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left-8, y+13, trace.Escape(p.Label))
		if p.Failed == "" {
			fmt.Fprintf(&b, "<rect class=\"open\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"18\"/><path class=\"arrow data\" d=\"M%.1f %dH%.1f\"/><text class=\"small\" x=\"%.1f\" y=\"%d\">%s</text>\n",
				left, y, px(p.Y)-left, px(p.Min), y+9, px(p.Max), px(p.Max)+8, y+13, digits(p.Y))
		}
		y += row
	}
	return trace.Picture{Body: b.String(), Width: chartWidth, Height: y}
}
