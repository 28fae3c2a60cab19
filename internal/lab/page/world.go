package page

import (
	"fmt"
	"slices"
	"strings"

	"estab/internal/lab"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// world is what the page shows of a world.
func world(r *lab.Run, p *lab.Play) *World {
	w := &World{Name: p.Name, Script: p.Script, End: p.At(p.End).Seconds(), Quiet: p.Quiet(), Watch: int(p.Watch()), TwoWay: p.TwoWay(),
		Conns: []Conn{}, Packets: []*Packet{}, Folds: []Fold{}, Story: []Beat{}, Notes: []Note{}, Steps: []Step{}, Plots: []Plot{}}
	for i, e := range p.Heads() {
		w.Hosts[i] = Host{e.Name, e.Addr, e.State}
		w.States[i], w.Holdings[i] = []State{}, []Holding{}
	}
	segments, folds := r.Segments(p)
	for i := range segments {
		w.Packets = append(w.Packets, w.packet(p, &segments[i], r.Scenario.Letters))
	}
	for i, f := range folds {
		w.Folds = append(w.Folds, w.fold(p, i, &f))
	}
	for host := range w.States {
		for _, c := range p.Changes(host, segments) {
			conn := -1
			if c.Port != 0 {
				conn = w.conn(c.Port)
			}
			w.States[host] = append(w.States[host], State{c.At.Seconds(), conn, c.From, c.To, c.Why, c.Cause, c.Order})
		}
		for _, h := range p.Held[host] {
			w.Holdings[host] = append(w.Holdings[host], w.holding(p, &h))
		}
	}
	for _, b := range p.Story {
		host, packet := b.Where()
		w.Story = append(w.Story, Beat{p.At(b.At).Seconds(), b.Text, w.find(packet), host})
	}
	for _, n := range p.Asides() {
		w.Notes = append(w.Notes, Note{n.At.Seconds(), n.Host, n.Kind, n.Text, n.Order})
	}
	for _, s := range lab.Lines(p.Script) {
		w.Steps = append(w.Steps, Step{s.At.Seconds(), s.Who, s.Text, s.Line})
	}
	for _, d := range r.Diagrams(p) {
		w.Plots = append(w.Plots, plot(&d))
	}
	w.Summary = w.summary()
	return w
}

// conn is the index of a pair of sockets, which it is given now if it has
// none.
func (w *World) conn(port uint16) int {
	i := slices.Index(w.Conns, Conn{int(port)})
	if i < 0 {
		i = len(w.Conns)
		w.Conns = append(w.Conns, Conn{int(port)})
	}
	return i
}

// find is the index of the packet with a name; -1: there is none.
func (w *World) find(id string) int {
	return slices.IndexFunc(w.Packets, func(k *Packet) bool { return k.ID == id })
}

func (w *World) packet(p *lab.Play, s *lab.Segment, letters bool) *Packet {
	l := &s.Label
	k := &Packet{ID: s.ID(), From: int(s.From), Conn: w.conn(s.LocalPort), Life: l.Life(), Sent: p.At(s.Time).Seconds(), Arrives: []float64{},
		Fate: "arrives", Struck: s.Struck, Flags: trace.FlagNames(l.Flags), Kind: kind(l), Again: s.Again,
		Seq: l.RelSeq, Ack: l.RelAck, HasAck: l.HasAck(), AbsSeq: uint32(l.Seq), AbsAck: uint32(l.Ack), SeqName: l.SeqName, AckName: l.AckName,
		Len: l.Len, Win: l.Window, Options: l.OptionWords(), Text: readable(s.Text()), Fold: s.Fold, Order: s.Order, Orders: []float64{}}
	if k.Options == nil {
		k.Options = []string{}
	}
	for i, at := range s.Arrive[:s.Copies] {
		k.Arrives, k.Orders = append(k.Arrives, p.At(at).Seconds()), append(k.Orders, s.Orders[i])
	}
	switch {
	case s.Copies == 0:
		k.Fate = "lost"
	case s.Copies == 2:
		k.Fate = "doubled"
	case s.Damaged[0]:
		k.Fate = "damaged"
	}
	k.Dropped, k.Twin = reason(s.Dropped), reason(s.DoubleDropped)
	k.Say = k.say(w, letters)
	return k
}

func reason(r wire.Reason) *lab.Text {
	if r == wire.Accepted {
		return nil
	}
	t := lab.Phrase(trace.ReasonText(r))
	if r == wire.DropTCPChecksum {
		t = lab.Phrase("damaged: bad checksum")
	}
	return &t
}

func kind(l *trace.Label) string {
	switch f := l.Flags; {
	case f.Any(wire.RST):
		return "rst"
	case f.Has(wire.SYN | wire.ACK):
		return "synack"
	case f.Any(wire.SYN):
		return "syn"
	case f.Any(wire.FIN):
		return "fin"
	case l.Len > 0:
		return "data"
	}
	return "ack"
}

// maxText is how much of a packet's data is shown.
const maxText = 64

// readable is text if it can be read, and otherwise nothing.
func readable(b []byte) string {
	cut := len(b) > maxText
	b = b[:min(len(b), maxText)]
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return ""
		}
	}
	if cut {
		return string(b) + "…"
	}
	return string(b)
}

// say is a packet in a sentence, with letters for its numbers or without.
func (k *Packet) say(w *World, letters bool) lab.Text {
	from, to := w.Hosts[k.From].Name, w.Hosts[1-k.From].Name
	seq, ack := fmt.Sprint(k.Seq), fmt.Sprint(k.Ack)
	if letters && k.SeqName != "" {
		seq, ack = k.SeqName, k.AckName
	}
	what := k.Flags + " seq " + seq
	if k.HasAck {
		what += " ack " + ack
	}
	en, zh := fmt.Sprintf("%s: %s sends %s", clock(k.Sent), from, what), fmt.Sprintf("%s：%s 发出 %s", clock(k.Sent), from, what)
	if k.Len > 0 {
		en += fmt.Sprintf(" with %d bytes", k.Len)
		zh += fmt.Sprintf("，%d 字节数据", k.Len)
	}
	if k.Again {
		en, zh = en+", again", zh+"（重传）"
	}
	switch {
	case k.Fate == "lost":
		return lab.Text{EN: en + ". It is lost.", ZH: zh + "。丢失。"}
	default:
		en, zh = en+fmt.Sprintf(". It reaches %s at %s", to, clock(k.Arrives[0])), zh+fmt.Sprintf("。%s 到达 %s", clock(k.Arrives[0]), to)
	}
	if k.Dropped != nil {
		en, zh = en+"; "+k.Dropped.EN, zh+"；"+k.Dropped.ZH
	}
	if k.Fate == "doubled" {
		en, zh = en+fmt.Sprintf(". It comes again at %s", clock(k.Arrives[1])), zh+fmt.Sprintf("。%s 又到一次", clock(k.Arrives[1]))
	}
	if k.Twin != nil {
		en, zh = en+"; "+k.Twin.EN, zh+"；"+k.Twin.ZH
	}
	return lab.Text{EN: en + ".", ZH: zh + "。"}
}

// clock writes a time in seconds.
func clock(s float64) string {
	t := strings.TrimRight(fmt.Sprintf("%.3f", s), "0")
	return strings.TrimSuffix(t, ".") + " s"
}

func (w *World) fold(p *lab.Play, n int, f *trace.Fold) Fold {
	x := Fold{From: p.At(f.First).Seconds(), To: p.At(f.Last).Seconds(), First: -1, Text: foldText(f)}
	for i, k := range w.Packets {
		if k.Fold == n {
			if x.First < 0 {
				x.First = i
			}
			x.Last = i
		}
	}
	return x
}

func foldText(f *trace.Fold) lab.Text {
	var en, zh []string
	for side, n := range f.Segments {
		if n > 0 {
			en = append(en, fmt.Sprintf("%c sends %s segments, %s bytes", 'A'+side, trace.Count(n), trace.Count(f.Bytes[side])))
			zh = append(zh, fmt.Sprintf("%c 发出 %s 个报文段，共 %s 字节", 'A'+side, trace.Count(n), trace.Count(f.Bytes[side])))
		}
		if n := f.Acks[side]; n > 0 {
			en = append(en, fmt.Sprintf("%c sends %s acknowledgements", 'A'+side, trace.Count(n)))
			zh = append(zh, fmt.Sprintf("%c 发出 %s 个确认", 'A'+side, trace.Count(n)))
		}
	}
	for _, x := range []struct {
		n      uint64
		en, zh string
	}{{f.Lost, "lost", "丢失"}, {f.Corrupt, "damaged", "损坏"}, {f.Doubled, "doubled", "重复"}, {f.Again, "sent again", "重传"}} {
		if x.n > 0 {
			en, zh = append(en, fmt.Sprintf("%s %s", trace.Count(x.n), x.en)), append(zh, fmt.Sprintf("%s %s 个", x.zh, trace.Count(x.n)))
		}
	}
	return lab.Text{EN: strings.Join(en, "; "), ZH: strings.Join(zh, "；")}
}

func (w *World) holding(p *lab.Play, h *lab.Held) Holding {
	x := Holding{At: h.At.Seconds(), Conn: w.conn(h.Port), Kind: h.Kind(), State: h.State.String(), Bytes: h.Estab, Classic: h.Classic, Late: h.Late}
	if x.Kind == "tcb" {
		x.TCB = tcb(p, &h.Status)
	}
	return x
}

func tcb(p *lab.Play, s *tcp.Status) *TCB {
	t := &TCB{ISS: uint32(s.ISS), IRS: uint32(s.IRS), SndUna: uint32(s.SndUNA - s.ISS), SndNxt: uint32(s.SndNXT - s.ISS), SndWnd: s.SndWND,
		RcvWnd: s.RcvWND, SndBuf: s.SendQueue, SndBufMax: s.SendBuffer, Unsent: s.Unsent, RcvBuf: s.ReceiveQueue, RcvBufMax: s.ReceiveBuffer,
		OutOfOrder: s.OutOfOrder, InFlight: s.InFlight, Flight: s.FlightSize, Cwnd: s.Cwnd, SRTT: s.SRTT.Seconds(), RTTVar: s.RTTVar.Seconds(),
		RTO: s.RTO.Seconds(), SMSS: s.SMSS, Backoff: s.Backoff, Retries: s.Retries, Recovery: s.Recovery, Timers: []Timer{}}
	if s.State != tcp.StateSynSent {
		t.RcvNxt = uint32(s.RcvNXT - s.IRS)
	}
	if s.Ssthresh < 1<<24 {
		t.Ssthresh = s.Ssthresh
	}
	for k, at := range s.Timers {
		if at != tcp.Never && at != 0 {
			t.Timers = append(t.Timers, Timer{lab.TimerName(tcp.TimerKind(k)), p.At(at).Seconds()})
		}
	}
	return t
}

func plot(d *lab.Diagram) Plot {
	x := Plot{Title: d.Title, X: d.X, Y: d.Y, Series: []Series{}}
	for _, s := range d.Series {
		if len(s.Points) == 0 {
			continue
		}
		y := Series{Name: s.Name, Kind: [...]string{trace.SeriesLine: "line", trace.SeriesSteps: "steps", trace.SeriesBars: "bars", trace.SeriesCrosses: "crosses"}[s.Kind]}
		y.Class, y.Dash = strings.CutSuffix(s.Class, " dash")
		for _, q := range s.Points {
			pt := []float64{q.X, q.Y}
			if s.Kind == trace.SeriesBars {
				pt = append(pt, q.Low)
			}
			y.Points = append(y.Points, pt)
		}
		x.Series = append(x.Series, y)
	}
	return x
}

// summary is a world in a sentence.
func (w *World) summary() lab.Text {
	lost, again := 0, 0
	for _, k := range w.Packets {
		if k.Fate == "lost" {
			lost++
		}
		if k.Again {
			again++
		}
	}
	last := func(host int) string {
		if n := len(w.States[host]); n > 0 {
			return w.States[host][n-1].To
		}
		return w.Hosts[host].State
	}
	return lab.Text{
		EN: fmt.Sprintf("%s, %d segments, %d lost, %d sent again. In the end A is %s, B is %s.", took(w.End), len(w.Packets), lost, again, last(0), last(1)),
		ZH: fmt.Sprintf("历时 %s，共 %d 个报文段，丢失 %d 个，重传 %d 个。最后 A 处于 %s，B 处于 %s。", took(w.End), len(w.Packets), lost, again, last(0), last(1)),
	}
}

// took writes how long something took: 238 s, 20 ms.
func took(s float64) string {
	if s >= 1 || s == 0 {
		return clock(s)
	}
	return strings.TrimSuffix(clock(1000*s), " s") + " ms"
}
