package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"

	"estab"
)

// curve is how one cost grows with one quantity.
type curve struct {
	Name   string `json:"name"`
	X      string `json:"x"`
	Y      string `json:"y"`
	Lines  []line `json:"lines"`
	Note   string `json:"note,omitempty"`
	file   string // of its drawing
	limit  float64
	bounds string // what limit bounds
}

// line is one subject's.
type line struct {
	Name   string  `json:"name"`
	Points []point `json:"points"`
	End    string  `json:"end,omitempty"` // why it goes no further
}

// point is a measurement: the median, the least and the most of several.
type point struct {
	X      float64 `json:"x"`
	Label  string  `json:"label,omitempty"` // in place of X
	Y      float64 `json:"y"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Failed string  `json:"failed,omitempty"`
}

// measured makes a point of what f returns when called count times.
func measured(x float64, count int, f func() (float64, error)) point {
	var v []float64
	for range count {
		y, err := f()
		if err != nil {
			return point{X: x, Failed: err.Error()}
		}
		v = append(v, y)
	}
	slices.Sort(v)
	return point{X: x, Y: v[len(v)/2], Min: v[0], Max: v[len(v)-1]}
}

// grow measures how cost grows with what is there: with connections, records,
// timers, stretches out of order, processors. It takes two to three minutes.
func grow(o options) error {
	g := &growth{options: o, p: newProgress()}
	var all []curve
	for _, part := range []struct {
		name string
		f    func() []curve
	}{
		{"garbage", g.garbage}, // first, while nothing else is on the heap
		{"connections", g.connections},
		{"beside", g.beside},
		{"ranges", g.ranges},
		{"processors", g.processors},
	} {
		if !o.row.MatchString(part.name) {
			continue
		}
		for _, c := range part.f() {
			g.p.clear()
			if !o.json {
				c.print(o.out, o.markdown)
			}
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return badInput(fmt.Sprintf("no curve matches -row %v: there are connections, beside, ranges, processors, garbage", o.row))
	}
	if o.json {
		enc := json.NewEncoder(o.out)
		enc.SetIndent("", "  ")
		enc.Encode(struct {
			Machine machine `json:"machine"`
			Curves  []curve `json:"curves"`
		}{thisMachine(), all})
	} else {
		fmt.Fprintf(o.out, "%v\n", thisMachine())
	}
	if o.svg != "" {
		if err := draw(o.svg, all); err != nil {
			return err
		}
	}
	for _, c := range all {
		for _, l := range c.Lines {
			for _, p := range l.Points {
				if p.Failed != "" {
					return errSomeFailed
				}
			}
		}
	}
	return nil
}

func (c *curve) print(w io.Writer, markdown bool) {
	if markdown {
		fmt.Fprintf(w, "**%s**, %s\n\n| %s |", c.Name, c.Y, c.X)
		for _, l := range c.Lines {
			fmt.Fprintf(w, " %s |", l.Name)
		}
		fmt.Fprintf(w, "\n|---|")
		for range c.Lines {
			fmt.Fprint(w, "---|")
		}
		fmt.Fprintln(w)
		for i, p := range c.Lines[0].Points {
			fmt.Fprintf(w, "| %s |", p.label())
			for _, l := range c.Lines {
				switch {
				case i >= len(l.Points):
					fmt.Fprint(w, " – |")
				case l.Points[i].Failed != "":
					fmt.Fprint(w, " failed |")
				default:
					fmt.Fprintf(w, " %s |", digits(l.Points[i].Y))
				}
			}
			fmt.Fprintln(w)
		}
	} else {
		fmt.Fprintf(w, "%s (%s)\n", c.Name, c.Y)
		for _, l := range c.Lines {
			fmt.Fprintf(w, "  %s\n", l.Name)
			for _, p := range l.Points {
				if p.Failed != "" {
					fmt.Fprintf(w, "    %-28s FAILED: %s\n", p.label(), p.Failed)
					continue
				}
				fmt.Fprintf(w, "    %-28s %10s  [%s, %s]\n", p.label(), digits(p.Y), digits(p.Min), digits(p.Max))
			}
		}
	}
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if p.Failed != "" && markdown {
				fmt.Fprintf(w, "  %s, %s failed: %s\n", l.Name, p.label(), p.Failed)
			}
		}
		if l.End != "" {
			fmt.Fprintf(w, "  %s ends there: %s\n", l.Name, l.End)
		}
		if n := len(l.Points); c.limit > 0 && n > 1 && l.Name != "gVisor" {
			if r := l.Points[n-1].Y / l.Points[0].Y; r > c.limit {
				fmt.Fprintf(w, "  %s: the last is %.3g times the first; %s\n", l.Name, r, c.bounds)
			}
		}
	}
	if c.Note != "" {
		fmt.Fprintf(w, "  %s\n", c.Note)
	}
	fmt.Fprintln(w)
}

func (p *point) label() string {
	if p.Label != "" {
		return p.Label
	}
	return digits(p.X)
}

// growth measures curves.
type growth struct {
	options
	p *progress
}

// connections is a request of a byte and its answer over one of many
// connections, chosen at random. Each has a goroutine at the server that
// waits.
func (g *growth) connections() []curve {
	c := curve{Name: "Request/response of 1 byte over a random one of many connections", X: "connections", Y: "us for a request", file: "grow-connections.svg"}
	for _, s := range subjects() {
		if !g.subject.MatchString(s.name) || s.name == "veth" || s.name == "net.Pipe" {
			continue
		}
		l := line{Name: s.name}
		for _, n := range []int{1, 64, 1000, 10_000, 100_000} {
			g.p.say("%s: %d connections", s.name, n)
			if l.End = tooMany(s.name, n); l.End != "" {
				break
			}
			l.Points = append(l.Points, g.overRandom(s, n))
		}
		c.Lines = append(c.Lines, l)
	}
	return []curve{c}
}

// tooMany is why a subject can't have n connections here, or "".
func tooMany(subject string, n int) string {
	switch {
	case subject == "gVisor" && n > 10_000:
		return "5 KiB and more for each end, and minutes to open them"
	case subject == "loopback" && 2*n+200 > maxFiles():
		return fmt.Sprintf("the process may open %s files", group(int64(maxFiles())))
	}
	return ""
}

func (g *growth) overRandom(s subject, n int) point {
	w, err := s.make(wiring{mtu: 1500, ports: 8})
	if err != nil {
		return point{X: float64(n), Failed: err.Error()}
	}
	defer finish(w)
	serve(w, echo)
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = w.dial(); err != nil {
			return point{X: float64(n), Failed: err.Error()}
		}
		defer conns[i].Close()
		if err := exchange(conns[i]); err != nil {
			return point{X: float64(n), Failed: err.Error()}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	return measured(float64(n), g.count, func() (float64, error) {
		return perCall(g.time, func() error { return exchange(conns[rng.IntN(n)]) })
	})
}

func finish(w world) {
	w.close()
	runtime.GC()
}

// perCall is how many microseconds a call of f takes, called for d.
func perCall(d time.Duration, f func() error) (float64, error) {
	n := 0
	start := time.Now()
	for ; n%16 != 0 || time.Since(start) < d; n++ {
		if err := f(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n) / 1e3, nil
}

// beside is what a request on one connection, and a new connection, cost
// beside very many others at the same server that do nothing: gVisor's with a
// hundredth of them.
func (g *growth) beside() []curve {
	var curves []curve
	for _, s := range subjects()[:2] {
		if !g.subject.MatchString(s.name) {
			continue
		}
		many := ghost(1_000_000)
		if s.name == "gVisor" {
			many /= 100
		}
		requests := curve{Name: s.name + ": a request beside others that are idle", X: "at the server", Y: "us"}
		opens := curve{Name: s.name + ": connect, 1 byte each way, close, beside the same", X: "at the server", Y: "us"}
		if s.name == "estab" {
			requests.file, requests.limit, requests.bounds = "grow-beside.svg", 3, "a bend"
		}
		requests.Lines, opens.Lines = []line{{Name: s.name}}, []line{{Name: s.name}}
		for i, x := range []struct {
			label string
			cfg   estab.Config // estab's
			fill  func(*ghosts, world) error
		}{
			{"nothing", estab.Config{KeepAlive: -1}, func(*ghosts, world) error { return nil }},
			{group(int64(many/10)) + " timers armed", estab.Config{KeepAlive: time.Hour}, func(h *ghosts, w world) error { return h.settle(w, many/10, true) }},
			{group(int64(many)) + " idle connections", estab.Config{KeepAlive: -1}, func(h *ghosts, w world) error { return h.settle(w, many, false) }},
			{group(int64(many)) + " TIME-WAIT records", estab.Config{KeepAlive: -1}, func(h *ghosts, w world) error {
				l, err := w.(rawWorld).listen(81)
				if err != nil {
					return err
				}
				defer l.Close()
				serve(listenerWorld{w, l}, func(c net.Conn) { c.Close() })
				h.port = 81
				return h.leave(0, many, false)
			}},
		} {
			g.p.say("%s beside %s", s.name, x.label)
			a, b := g.besideOne(s, x.cfg, x.fill)
			a.X, b.X = float64(i), float64(i)
			a.Label, b.Label = x.label, x.label
			requests.Lines[0].Points = append(requests.Lines[0].Points, a)
			opens.Lines[0].Points = append(opens.Lines[0].Points, b)
		}
		curves = append(curves, requests, opens)
	}
	return curves
}

// listenerWorld is a world with another listener.
type listenerWorld struct {
	world
	ln net.Listener
}

func (w listenerWorld) listener() net.Listener { return w.ln }

func (g *growth) besideOne(s subject, cfg estab.Config, fill func(*ghosts, world) error) (request, open point) {
	fail := func(err error) (point, point) { return point{Failed: err.Error()}, point{Failed: err.Error()} }
	var w world
	var err error
	if wr := (wiring{mtu: 1500, raw: true, msl: 10 * time.Minute}); s.name == "estab" {
		w, err = newEstabWith(wr, cfg)
	} else {
		w, err = s.make(wr)
	}
	if err != nil {
		return fail(err)
	}
	defer finish(w)
	h := newGhosts(w.(rawWorld).raw(), 1_000_000)
	if err := fill(h, w); err != nil {
		return fail(err)
	}
	serve(w, echo)
	c, err := w.dial()
	if err != nil {
		return fail(err)
	}
	defer c.Close()
	if err := exchange(c); err != nil {
		return fail(err)
	}
	runtime.GC()
	request = measured(0, g.count, func() (float64, error) {
		return perCall(g.time, func() error { return exchange(c) })
	})
	// The client closes, and has a TIME-WAIT for 20 minutes: so few that its
	// ports don't run out.
	open = measured(0, g.count, func() (float64, error) {
		start := time.Now()
		const n = 2000
		for range n {
			if err := visit(w); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start).Nanoseconds()) / n / 1e3, nil
	})
	runtime.KeepAlive(h)
	return request, open
}

// settle opens connections of n ghosts, which the server keeps; with timers,
// each has one for keep-alive.
func (h *ghosts) settle(w world, n ghost, timers bool) error {
	l, err := w.(rawWorld).listen(81)
	if err != nil {
		return err
	}
	h.port = 81
	h.kept = make([]net.Conn, 0, n)
	var accepted atomic.Int64
	go func() {
		for range n {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if g, ok := c.(*gonet.TCPConn); ok && timers {
				g.SetReadDeadline(time.Now().Add(time.Hour)) // it has no other way to keep-alive
			}
			h.kept = append(h.kept, c)
			accepted.Add(1)
		}
	}()
	for k := ghost(0); k < n; k += 64 {
		h.syns(k, min(k+64, n), false)
		if err := h.until(func(_, _ int) bool { return accepted.Load()+512 >= int64(k) }); err != nil {
			return err
		}
	}
	return h.until(func(_, _ int) bool { return accepted.Load() == int64(n) })
}

// processors is what a second processor brings.
func (g *growth) processors() []curve {
	var curves []curve
	most := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(most)
	for _, r := range rows() {
		if u := r.figures[0].unit; len(r.figures) > 1 || u != "GB/s" && u != "k/s" {
			continue
		}
		c := curve{Name: r.name, X: "processors", Y: r.figures[0].unit, Note: "gVisor with its default configuration"}
		for _, s := range subjects() {
			if !g.subject.MatchString(s.name) || r.why(s) != "" || s.name == "veth" || s.name == "net.Pipe" {
				continue
			}
			l := line{Name: s.name}
			for _, n := range []int{1, most} {
				g.p.say("%s: %s, %d processors", r.name, s.name, n)
				runtime.GOMAXPROCS(n)
				l.Points = append(l.Points, measured(float64(n), min(g.count, 3), func() (float64, error) {
					v, err := once(r, s, g.time)
					if err != nil {
						return 0, err
					}
					return v[0], nil
				}))
				if n == most {
					break
				}
			}
			c.Lines = append(c.Lines, l)
		}
		curves = append(curves, c)
	}
	return curves
}
