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

// WriteSVG writes the ladders of all worlds beside each other.
func (r *Run) WriteSVG(w io.Writer, lang Lang, st trace.Style) error {
	var all []trace.Picture
	for _, p := range r.Plays {
		if l := r.Ladder(p, lang); len(l.Rows) > 0 {
			all = append(all, l.SVG(r.heading(p, lang), st))
		}
	}
	if len(all) == 0 {
		all = r.floodPlots(lang)
	}
	return trace.WriteSVG(w, r.Scenario.Title.In(lang), all...)
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

// Plots are those that the scenario asks for.
func (r *Run) Plots(p *Play, lang Lang) []trace.Picture {
	var all []trace.Picture
	for _, kind := range r.Scenario.Plot {
		var plot trace.Plot
		switch kind {
		case "seq":
			plot = p.sequencePlot(lang)
		case "cwnd":
			plot = p.cwndPlot(lang)
		}
		all = append(all, plot.SVG())
	}
	return all
}

// sequencePlot is the time-sequence plot of what A sends, as A sees it.
func (p *Play) sequencePlot(lang Lang) trace.Plot {
	data := trace.Series{Name: t("data", "数据").In(lang), Kind: trace.SeriesBars, Class: "data"}
	again := trace.Series{Name: t("sent again", "重传").In(lang), Kind: trace.SeriesBars, Class: "rst"}
	lost := trace.Series{Name: t("lost", "丢失").In(lang), Kind: trace.SeriesCrosses, Class: "rst"}
	acks := trace.Series{Name: t("acknowledged", "已确认").In(lang), Kind: trace.SeriesSteps, Class: "ack"}
	edge := trace.Series{Name: t("window edge", "窗口右沿").In(lang), Kind: trace.SeriesSteps, Class: "syn"}
	sack := trace.Series{Name: "SACK", Kind: trace.SeriesBars, Class: "fin"}
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
	return trace.Plot{Title: t("Sequence numbers against time", "序号—时间图").In(lang), X: t("seconds", "秒").In(lang),
		Y: t("A's sequence numbers, from x", "A 的序号（从 x 起）").In(lang), Series: []trace.Series{data, again, lost, acks, edge, sack}}
}

// cwndPlot is A's congestion window over time.
func (p *Play) cwndPlot(lang Lang) trace.Plot {
	cwnd := trace.Series{Name: "cwnd", Kind: trace.SeriesSteps, Class: "data"}
	thresh := trace.Series{Name: "ssthresh", Kind: trace.SeriesSteps, Class: "fin"}
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
	return trace.Plot{Title: t("Congestion window", "拥塞窗口").In(lang), X: t("seconds", "秒").In(lang), Y: t("bytes", "字节").In(lang),
		Series: []trace.Series{cwnd, thresh}}
}

// floodPlots are half-open records and honest clients over time, for each
// world that has a flood.
func (r *Run) floodPlots(lang Lang) []trace.Picture {
	var all []trace.Picture
	for _, p := range r.Plays {
		f := p.stage.flood
		if f == nil {
			continue
		}
		half := trace.Series{Name: t("half-open", "半连接").In(lang), Kind: trace.SeriesLine, Class: "rst"}
		ok := trace.Series{Name: t("honest clients connected", "连上的正常客户").In(lang), Kind: trace.SeriesSteps, Class: "syn"}
		for _, x := range f.Series {
			at := float64(x.At) / float64(time.Second)
			half.Points = append(half.Points, trace.Point{X: at, Y: float64(x.HalfOpen)})
			ok.Points = append(ok.Points, trace.Point{X: at, Y: float64(x.Connected)})
		}
		plot := trace.Plot{Title: p.Name.In(lang), X: t("seconds", "秒").In(lang), Series: []trace.Series{half, ok}}
		all = append(all, plot.SVG())
	}
	return all
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
			continue
		}
		picture(r.heading(p, lang), l.SVG(r.heading(p, lang), st))
		for _, x := range r.Plots(p, lang) {
			picture(s.Title.In(lang), x)
		}
		if s.Section != 7 && s.Section != 3 {
			picture(t("The states of A and B", "A 和 B 的状态").In(lang), r.Figures(p)...)
		}
	}
	for _, x := range r.floodPlots(lang) {
		picture(s.Title.In(lang), x)
	}
	for i := range r.Tables {
		r.Tables[i].html(&b, lang)
	}
	b.WriteString("<ul class=\"claims\">\n")
	for _, v := range r.Verdicts {
		fmt.Fprintf(&b, "<li>%s %s</li>\n", [...]string{Holds: "✓", Fails: "✗", NotApplicable: "–"}[v.State], trace.Escape(v.Text.In(lang)))
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
