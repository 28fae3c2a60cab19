package trace

import (
	"fmt"
	"math"
	"strings"
)

// Plot is a diagram with time to the right.
type Plot struct {
	Title, X, Y string
	Series      []Series
}

// Series is one thing in a plot.
type Series struct {
	Name   string
	Kind   SeriesKind
	Class  string // of colour: data, ack, syn, fin, rst; with " dash" after it, dashed
	Points []Point
}

// SeriesKind is how a series is drawn.
type SeriesKind uint8

// A line through the points; steps from point to point; a bar from Low to Y at
// each; a cross at each.
const (
	SeriesLine SeriesKind = iota
	SeriesSteps
	SeriesBars
	SeriesCrosses
)

// Point is a point of a plot: seconds, and whatever Y is.
type Point struct{ X, Y, Low float64 }

// The measures of a plot, in px.
const (
	plotWidth, plotHeight      = 720, 360
	plotLeft, plotTop          = 70, 34
	plotRightSpace, plotBottom = 10, 64
)

// SVG draws the plot.
func (p *Plot) SVG() Picture {
	a := p.axes()
	var b strings.Builder
	fmt.Fprintf(&b, "<text class=\"head\" x=\"0\" y=\"16\">%s</text>\n", Escape(p.Title))
	for _, v := range ticks(a.x0, a.x1) {
		x := a.x(v)
		fmt.Fprintf(&b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/><text class=\"small\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x, plotTop, x, plotHeight-plotBottom, x, plotHeight-plotBottom+16, tickText(v))
	}
	for _, v := range ticks(a.y0, a.y1) {
		y := a.y(v)
		fmt.Fprintf(&b, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/><text class=\"small\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			plotLeft, y, plotWidth-plotRightSpace, y, plotLeft-6, y+4, tickText(v))
	}
	fmt.Fprintf(&b, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><text class=\"small\" x=\"%d\" y=\"%d\">%s</text>\n",
		plotWidth-plotRightSpace, plotHeight-plotBottom+30, Escape(p.X), 0, plotTop-4, Escape(p.Y))
	x := plotLeft
	for i := range p.Series {
		s := &p.Series[i]
		if len(s.Points) == 0 {
			continue
		}
		s.draw(&b, a)
		fmt.Fprintf(&b, "<path class=\"arrow %s\" d=\"%s\"/><text class=\"small\" x=\"%d\" y=\"%d\">%s</text>\n",
			s.class(), s.sign(x, plotHeight-16), x+22, plotHeight-12, Escape(s.Name))
		x += 40 + width(s.Name)*7
	}
	return Picture{b.String(), plotWidth, plotHeight}
}

// axes maps values to px.
type axes struct{ x0, x1, y0, y1 float64 }

func (p *Plot) axes() axes {
	a := axes{math.Inf(1), math.Inf(-1), 0, math.Inf(-1)}
	for _, s := range p.Series {
		for _, q := range s.Points {
			a.x0, a.x1 = min(a.x0, q.X), max(a.x1, q.X)
			a.y0, a.y1 = min(a.y0, q.Y), max(a.y1, q.Y)
		}
	}
	if !(a.x1 > a.x0) {
		a.x0, a.x1 = 0, 1
	}
	if !(a.y1 > a.y0) {
		a.y1 = a.y0 + 1
	}
	a.y1 += (a.y1 - a.y0) / 20
	a.x0, a.x1 = a.x0-(a.x1-a.x0)/50, a.x1+(a.x1-a.x0)/50
	return a
}

func (a axes) x(v float64) float64 {
	return plotLeft + (v-a.x0)/(a.x1-a.x0)*(plotWidth-plotRightSpace-plotLeft)
}

func (a axes) y(v float64) float64 {
	return plotHeight - plotBottom - (v-a.y0)/(a.y1-a.y0)*(plotHeight-plotBottom-plotTop)
}

func (s *Series) draw(b *strings.Builder, a axes) {
	if len(s.Points) == 0 {
		return
	}
	fmt.Fprintf(b, "<path class=\"arrow %s\" d=\"", s.class())
	for i, q := range s.Points {
		x, y := a.x(q.X), a.y(q.Y)
		switch {
		case s.Kind == SeriesBars:
			fmt.Fprintf(b, "M%.1f %.1fV%.1f", x, a.y(q.Low), y)
		case s.Kind == SeriesCrosses:
			fmt.Fprintf(b, "M%.1f %.1fl6 6m0 -6l-6 6", x-3, y-3)
		case i == 0:
			fmt.Fprintf(b, "M%.1f %.1f", x, y)
		case s.Kind == SeriesSteps:
			fmt.Fprintf(b, "H%.1fV%.1f", x, y)
		default:
			fmt.Fprintf(b, "L%.1f %.1f", x, y)
		}
	}
	b.WriteString("\"/>\n")
}

// class is what the series' path is styled by. Many bars are drawn thin.
func (s *Series) class() string {
	if s.Kind == SeriesBars && len(s.Points) > 100 {
		return s.Class + " thin"
	}
	return s.Class
}

// sign is how the series looks, for its legend.
func (s *Series) sign(x, y int) string {
	switch s.Kind {
	case SeriesBars:
		return fmt.Sprintf("M%d %dv9m6 -11v9m6 -11v9", x+2, y-3)
	case SeriesCrosses:
		return fmt.Sprintf("M%d %dl6 6m0 -6l-6 6", x+6, y-3)
	}
	return fmt.Sprintf("M%d %dh18", x, y)
}

// ticks are round numbers between two, about six.
func ticks(lo, hi float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/6)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*m) <= 7 {
			step *= m
			break
		}
	}
	var t []float64
	for n := math.Ceil(lo / step); n*step <= hi+step/1e6; n++ {
		t = append(t, n*step)
	}
	return t
}

func tickText(v float64) string {
	if math.Abs(v) < 1e-12 {
		return "0" // and not -0
	}
	if math.Abs(v) >= 1000 {
		return Count(int64(math.Round(v)))
	}
	return fmt.Sprintf("%.4g", v)
}
