package lab

import (
	"fmt"
	"io"
	"strings"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// WriteSVG writes the ladders of all worlds beside each other, and below them
// the plots that the scenario asks for.
func (r *Run) WriteSVG(w io.Writer, lang Lang, st trace.Style) error {
	var ladders, floods []trace.Picture
	var rows [][]trace.Picture
	for _, p := range r.Plays {
		if l := r.Ladder(p, lang); len(l.Rows) > 0 {
			ladders = append(ladders, l.SVG(r.heading(p, lang), st))
		}
		switch plots := r.Plots(p, lang); {
		case p.stage.flood != nil:
			floods = append(floods, plots...)
		case len(plots) > 0:
			rows = append(rows, plots)
		}
	}
	rows = append([][]trace.Picture{ladders}, append(rows, floods)...)
	return trace.WriteSVGRows(w, r.Scenario.Title.In(lang), rows...)
}

func (r *Run) heading(p *Play, lang Lang) string {
	if s := p.Name.In(lang); s != "" {
		return s
	}
	return r.Scenario.Title.In(lang)
}

// Figures are figure 5 with the path of each host lit.
func (r *Run) Figures(p *Play) []trace.Picture {
	var all []trace.Picture
	for host := A; host <= B; host++ {
		var steps []trace.Step
		for _, e := range p.Events[host] {
			if e.Kind == tcp.EventState && e.From != e.To {
				steps = append(steps, trace.Step{From: e.From, To: e.To})
			}
		}
		all = append(all, trace.Figure5(string(rune('A'+host)), steps))
	}
	return all
}

// Diagram is a plot in both languages.
type Diagram struct {
	Title, X, Y Text
	Series      []DiagramSeries
}

// DiagramSeries is one thing in a diagram.
type DiagramSeries struct {
	Name   Text
	Kind   trace.SeriesKind
	Class  string
	Points []trace.Point
}

// in is the diagram in a language.
func (d *Diagram) in(lang Lang) *trace.Plot {
	p := &trace.Plot{Title: d.Title.In(lang), X: d.X.In(lang), Y: d.Y.In(lang)}
	for _, s := range d.Series {
		p.Series = append(p.Series, trace.Series{Name: s.Name.In(lang), Kind: s.Kind, Class: s.Class, Points: s.Points})
	}
	return p
}

// Diagrams are those that the scenario asks for, and that of a flood.
func (r *Run) Diagrams(p *Play) []Diagram {
	var all []Diagram
	for _, kind := range r.Scenario.Plot {
		switch kind {
		case "seq":
			all = append(all, p.sequences())
		case "cwnd":
			all = append(all, p.windows())
		case "rtt":
			all = append(all, p.roundTrips())
		}
	}
	if p.stage.flood != nil {
		all = append(all, p.floodDiagram())
	}
	return all
}

// Plots are the diagrams in a language, as pictures.
func (r *Run) Plots(p *Play, lang Lang) []trace.Picture {
	var all []trace.Picture
	for _, d := range r.Diagrams(p) {
		all = append(all, d.in(lang).SVG())
	}
	return all
}

// sequences is the time-sequence plot of what A sends, as A sees it.
func (p *Play) sequences() Diagram {
	data := DiagramSeries{Name: t("data", "数据"), Kind: trace.SeriesBars, Class: "data"}
	again := DiagramSeries{Name: t("sent again", "重传"), Kind: trace.SeriesBars, Class: "rst"}
	lost := DiagramSeries{Name: t("lost", "丢失"), Kind: trace.SeriesCrosses, Class: "rst"}
	acks := DiagramSeries{Name: t("acknowledged", "已确认"), Kind: trace.SeriesSteps, Class: "ack"}
	edge := DiagramSeries{Name: t("window edge", "窗口右沿"), Kind: trace.SeriesSteps, Class: "syn dash"}
	sack := DiagramSeries{Name: same("SACK"), Kind: trace.SeriesBars, Class: "fin"}
	var iss tcp.Num
	shift, high := uint8(0), tcp.Num(0)
	for i := range p.Packets {
		k := &p.Packets[i]
		at := func(d tcp.Time) float64 { return p.At(d).Seconds() }
		s := &k.Seg
		switch {
		case s.Flags.Any(wire.SYN):
			if k.From == trace.Left {
				iss, high = s.Seq, s.Seq
			} else {
				shift = s.Options.WindowScale
			}
		case k.From == trace.Left && s.Len > 0:
			from, to := float64(uint32(s.Seq-iss)), float64(uint32(s.Seq-iss)+s.Len)
			q := trace.Point{X: at(k.Time), Y: to, Low: from}
			if end := s.Seq + tcp.Num(s.Len); high.Less(end) {
				high, data.Points = end, append(data.Points, q)
			} else {
				again.Points = append(again.Points, q)
			}
			if k.Copies == 0 {
				lost.Points = append(lost.Points, trace.Point{X: q.X, Y: to})
			}
		case len(data.Points) > 0 && k.From == trace.Right && s.Flags.Any(wire.ACK) && !s.Flags.Any(wire.FIN) && k.Copies > 0 && s.Ack.LessEq(high):
			x, ack := at(k.Arrive[0]), float64(uint32(s.Ack-iss))
			acks.Points = append(acks.Points, trace.Point{X: x, Y: ack})
			edge.Points = append(edge.Points, trace.Point{X: x, Y: ack + float64(uint32(s.Wnd)<<shift)})
			for _, b := range s.Options.SACK[:s.Options.NSACK] {
				sack.Points = append(sack.Points, trace.Point{X: x, Low: float64(uint32(b.Left - iss)), Y: float64(uint32(b.Right - iss))})
			}
		}
	}
	if n := len(edge.Points); n > 0 && edge.Points[0].Y > 3*float64(uint32(high-iss)) {
		edge.Points = nil // so far away that the rest could not be seen
	}
	return Diagram{t("Sequence numbers against time", "序号—时间图"), t("seconds", "秒"),
		t("A's sequence numbers, from x", "A 的序号（从 x 起）"), []DiagramSeries{data, again, lost, acks, edge, sack}}
}

// windows is A's congestion window, and ssthresh, over time.
func (p *Play) windows() Diagram {
	cwnd := DiagramSeries{Name: same("cwnd"), Kind: trace.SeriesSteps, Class: "data"}
	thresh := DiagramSeries{Name: same("ssthresh"), Kind: trace.SeriesSteps, Class: "fin dash"}
	for _, e := range p.Events[A] {
		if e.Cwnd == 0 || e.Kind == tcp.EventState {
			continue
		}
		x := p.At(e.Time).Seconds()
		cwnd.Points = append(cwnd.Points, trace.Point{X: x, Y: float64(e.Cwnd)})
		if e.Ssthresh < 1<<24 {
			thresh.Points = append(thresh.Points, trace.Point{X: x, Y: float64(e.Ssthresh)})
		}
	}
	return Diagram{t("Congestion window", "拥塞窗口"), t("seconds", "秒"), t("bytes", "字节"), []DiagramSeries{cwnd, thresh}}
}

// roundTrips is what A measured of the round trip, and what it made of it.
func (p *Play) roundTrips() Diagram {
	rtt := DiagramSeries{Name: t("measured", "测得"), Kind: trace.SeriesCrosses, Class: "data"}
	srtt := DiagramSeries{Name: t("smoothed: SRTT", "平滑：SRTT"), Kind: trace.SeriesSteps, Class: "fin"}
	for _, x := range p.roundTrip {
		at := p.At(x.at).Seconds()
		rtt.Points = append(rtt.Points, trace.Point{X: at, Y: float64(x.measured) / 1e6})
		srtt.Points = append(srtt.Points, trace.Point{X: at, Y: float64(x.smoothed) / 1e6})
	}
	return Diagram{t("Round-trip time", "往返时间"), t("seconds", "秒"), t("milliseconds", "毫秒"), []DiagramSeries{rtt, srtt}}
}

// floodDiagram is half-open records and honest clients over time.
func (p *Play) floodDiagram() Diagram {
	half := DiagramSeries{Name: t("half-open", "半连接"), Kind: trace.SeriesSteps, Class: "rst"}
	ok := DiagramSeries{Name: t("honest clients connected", "连上的正常客户"), Kind: trace.SeriesSteps, Class: "syn dash"}
	for _, x := range p.stage.flood.Series {
		at := float64(x.At) / float64(time.Second)
		half.Points = append(half.Points, trace.Point{X: at, Y: float64(x.HalfOpen)})
		ok.Points = append(ok.Points, trace.Point{X: at, Y: float64(x.Connected)})
	}
	return Diagram{Title: p.Name, X: t("seconds", "秒"), Series: []DiagramSeries{half, ok}}
}

// WritePage writes story, pictures and claims as a page without scripts, which
// needs nothing but itself.
func (r *Run) WritePage(w io.Writer, lang Lang, st trace.Style) error {
	s := &r.Scenario
	var b strings.Builder
	code := map[Lang]string{English: "en", Chinese: "zh-CN"}[lang]
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>\n%s\n<main>\n<p>%d · %s</p><h1>%s</h1><p>%s</p>\n",
		code, trace.Escape(s.Title.In(lang)), pageStyle, s.Section, trace.Escape(SectionTitle(s.Section).In(lang)), trace.Escape(s.Title.In(lang)), trace.Escape(s.Intro.In(lang)))
	picture := func(title string, p ...trace.Picture) {
		b.WriteString("<figure>")
		trace.WriteSVG(&b, title, p...) // a strings.Builder takes everything
		b.WriteString("</figure>\n")
	}
	for _, p := range r.Plays {
		l := r.Ladder(p, lang)
		if len(l.Rows) == 0 {
			for _, x := range r.Plots(p, lang) {
				picture(s.Title.In(lang), x)
			}
			continue
		}
		picture(r.heading(p, lang), l.SVG(r.heading(p, lang), st))
		for _, x := range r.Plots(p, lang) {
			picture(s.Title.In(lang), x)
		}
		if s.Section != 7 && s.Section != 3 {
			for _, x := range r.Figures(p) {
				picture(t("The states of A and B", "A 和 B 的状态").In(lang), x)
			}
		}
	}
	for i := range r.Tables {
		r.Tables[i].html(&b, lang)
	}
	b.WriteString("<ul class=\"claims\">\n")
	for _, v := range r.Verdicts {
		text := v.Text.In(lang)
		if v.State != Holds {
			text += t(" – ", "——").In(lang) + v.Reason.In(lang)
		}
		fmt.Fprintf(&b, "<li>%s %s</li>\n", [...]string{Holds: "✓", Fails: "✗", NotApplicable: "–"}[v.State], trace.Escape(text))
	}
	fmt.Fprintf(&b, "</ul>\n<p>%s</p>\n</main></html>\n", trace.Escape(s.Lesson.In(lang)))
	_, err := io.WriteString(w, b.String())
	return err
}

const pageStyle = `<style>
:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:0}
main{max-width:50rem;margin:2rem auto;padding:0 1rem}
figure{margin:1rem 0;overflow-x:auto}figure svg{max-width:100%;height:auto}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #8884}td:first-child,th:first-child{text-align:left}
.claims{list-style:none;padding:0}
</style>`

func (x *Table) html(b *strings.Builder, lang Lang) {
	fmt.Fprintf(b, "<h2>%s</h2>\n<table>\n", trace.Escape(x.Title.In(lang)))
	line := func(cell string, row []Text) {
		b.WriteString("<tr>")
		for _, c := range row {
			fmt.Fprintf(b, "<%s>%s</%s>", cell, trace.Escape(c.In(lang)), cell)
		}
		b.WriteString("</tr>\n")
	}
	line("th", x.Heads)
	for _, row := range x.Rows {
		line("td", row)
	}
	fmt.Fprintf(b, "</table>\n<p>%s</p>\n", trace.Escape(x.Below.In(lang)))
}
