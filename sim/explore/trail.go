package explore

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// Trail is how it comes to a state, step by step.
type Trail struct {
	Steps    []string // in words
	Why      string   // what is wrong with the last state
	Says     string   // the sentence that it goes against, if any
	ends     [2]trace.End
	sent     []*journey
	notes    []sided
	captions []caption
	over     tcp.Time // of the last step
}

// journey is a segment and what became of it.
type journey struct {
	trace.Packet
	packet packet // as it is in flight
	under  bool   // it is in flight
}

type sided struct {
	tcp.Event
	end int
}

// caption is a line in a ladder that no event tells.
type caption struct {
	end  int
	at   tcp.Time
	text string
}

// stepTime is how much time a step takes in a ladder, so that one comes below
// the other. In the search it takes none.
const stepTime = time.Millisecond

// way is the steps from the first state to the one at place.
func (s *search) way(place uint32) []action {
	var path []action
	for p := place; p != 0; p = s.parent[p] {
		path = append(path, s.action[p])
	}
	slices.Reverse(path)
	return path
}

// trail walks a way again, and notes what happens.
func (s *search) trail(way []action) *Trail {
	t := &Trail{Why: s.result.Wrong, Says: s.result.Sentence, ends: [2]trace.End{{Name: "A"}, {Name: "B"}}}
	for end := range t.ends {
		t.ends[end].State = "CLOSED"
		if s.w.Ends[end].Listens {
			t.ends[end].State = "LISTEN"
		}
	}
	w := walker{search: s, t: t, at: s.set.states[0]}
	for _, p := range w.at.flight[:w.at.n] {
		w.leaves(p)
	}
	for _, a := range way {
		w.step(a)
	}
	t.over = w.clock()
	return t
}

// walker takes the steps of a trail.
type walker struct {
	*search
	t     *Trail
	at    state
	now   time.Duration
	steps int
}

func (w *walker) clock() tcp.Time {
	return boot.Add(w.now + time.Duration(w.steps)*stepTime)
}

// step takes one step.
func (w *walker) step(a action) {
	w.steps++
	switch i := a.which(); a.what() {
	case actDeliver, actDouble:
		w.deliver(i, a.what() == actDouble)
	case actLose:
		p := w.at.flight[i]
		w.say("the network loses %v", &w.segments.all[p.id()])
		w.journeyOf(p).under = false
		w.at.remove(i)
	case actFire:
		w.fire(i)
	case actStep, actServe:
		s, _ := w.locals[w.at.local[i]].next(w.w, a.what() == actServe)
		in := inStep
		if a.what() == actServe {
			in = inServe
		}
		switch s.Do {
		case Crash, Restart, Listen, Unlisten, Read:
			w.t.captions = append(w.t.captions, caption{i, w.clock(), opNames[s.Do]})
		}
		w.input(i, in, "%s %v", endName(i), s)
	}
}

func (w *walker) say(format string, args ...any) {
	w.t.Steps = append(w.t.Steps, fmt.Sprintf(format, args...))
}

func (w *walker) deliver(i int, double bool) {
	p := w.at.flight[i]
	g := &w.segments.all[p.id()]
	j := w.journeyOf(p)
	j.Arrive[min(j.Copies, 1)] = w.clock()
	j.Copies = min(j.Copies+1, 2)
	text := "%s receives %v"
	if double {
		text = "%s receives %v, and the network keeps a double"
	} else {
		w.at.remove(i)
		j.under = false
	}
	w.input(1-g.from, inSegment+p.id(), text, endName(1-g.from), g)
}

func (w *walker) fire(end int) {
	d := min(w.locals[w.at.local[A]].deadline, w.locals[w.at.local[B]].deadline)
	before := w.at.flight
	n := w.at.n
	if d > 0 {
		w.at.age(d, w.w.InOrder)
		w.now += d
		in := w.span(d)
		for e := range 2 {
			w.at.local[e] = w.move(w.at.local[e], in).to
		}
	}
	for _, p := range before[:n] {
		j := w.journeyOf(p)
		if q, alive := p.age(d); alive {
			j.packet = q
		} else {
			j.under = false
			w.say("%v has been under way for too long, and is gone", &w.segments.all[p.id()])
		}
	}
	text := "time-out at %s"
	if d > 0 {
		text = trace.Duration(d) + " pass: " + text
	}
	w.input(end, inFire, text, endName(end))
}

// input lets an end have an input, and notes what it sends and what its engine
// tells.
func (w *walker) input(end int, in uint32, format string, args ...any) {
	var log []tcp.Event
	w.actor.log = &log
	m := w.compute(w.locals[w.at.local[end]], in)
	w.actor.log = nil
	text := fmt.Sprintf(format, args...)
	for i, id := range m.out {
		text += []string{"; it sends ", " and "}[min(i, 1)] + w.segments.all[id].String()
	}
	for _, g := range w.actor.third {
		forged := (&segment{seg: g}).String() + " is forged in answer to it at once"
		text += "; " + forged
		w.t.captions = append(w.t.captions, caption{end, w.clock().Add(stepTime / 4), forged})
	}
	w.say("%s", text)
	for i, e := range log {
		e.Time = w.clock()
		if len(w.actor.third) > 0 && i >= w.actor.logged {
			e.Time = e.Time.Add(stepTime / 2)
		}
		w.t.notes = append(w.t.notes, sided{e, end})
	}
	for _, id := range m.out {
		p := newPacket(id, msl)
		w.at.add(p, maxFlight, w.w.InOrder)
		w.leaves(p)
	}
	w.at.local[end] = m.to
}

func (w *walker) leaves(p packet) {
	g := &w.segments.all[p.id()]
	w.t.sent = append(w.t.sent, &journey{packet: p, under: true,
		Packet: trace.Packet{From: trace.Side(g.from), Time: w.clock(), Seg: trace.Header(&g.seg)}})
}

// journeyOf is the first segment under way that looks so.
func (w *walker) journeyOf(p packet) *journey {
	for _, j := range w.t.sent {
		if j.under && j.packet == p {
			return j
		}
	}
	return &journey{}
}

// Write tells the trail: the steps in words, and as a ladder.
func (t *Trail) Write(out io.Writer, st trace.Style) error {
	b := &strings.Builder{}
	for i, s := range t.Steps {
		fmt.Fprintf(b, "%3d. %s\n", i+1, s)
	}
	for _, text := range []string{t.Why + ".", t.Says} {
		for _, line := range trace.Wrap(text, 75) {
			fmt.Fprintf(b, "     %s\n", line)
		}
	}
	b.WriteByte('\n')
	if err := t.ladder().Write(b, st); err != nil {
		return err
	}
	var under []string
	for _, j := range t.sent {
		if j.under {
			g := segment{seg: tcp.Segment{Seq: j.Seg.Seq, Ack: j.Seg.Ack, Flags: j.Seg.Flags, Payload: make([]byte, j.Seg.Len)}}
			under = append(under, g.String()+" from "+endName(int(j.From)))
		}
	}
	if under != nil {
		fmt.Fprintf(b, "Still under way: %s.\n", strings.Join(under, ", "))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// ladder draws it. What is still under way arrives after the end, and so is
// not shown to.
func (t *Trail) ladder() *trace.Ladder {
	b := trace.NewBuilder(t.ends[A], t.ends[B], tcp.Tuple{})
	b.Keep(1000, 1000)
	var first tcp.Time
	for i, j := range t.sent {
		p := j.Packet
		if i == 0 {
			first = p.Time
		}
		if j.under && p.Copies < 2 {
			p.Arrive[p.Copies] = t.over.Add(time.Hour)
			p.Copies++
		}
		b.Packet(p)
	}
	for _, c := range t.captions {
		b.Note(trace.Side(c.end), c.at, c.text)
	}
	for _, e := range t.notes {
		b.Event(trace.Side(e.end), e.Event)
	}
	l := b.Ladder()
	l.Rows = slices.DeleteFunc(l.Rows, func(r trace.Row) bool { return r.Time > t.over.Sub(first)+time.Minute })
	return l
}
