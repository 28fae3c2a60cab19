package inet

import (
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

// wireBox carries slabs from one stack to the other at once: the path without
// locks, clocks and goroutines, to see what the stack itself costs.
type wireBox struct{ q []*wire.Slab }

func (w *wireBox) Room(LinkID) bool            { return true }
func (w *wireBox) Send(_ LinkID, p *wire.Slab) { w.q = append(w.q, p) }

// duo is two stacks joined by two wireBoxes.
type duo struct {
	a, b   *Stack
	ab, ba wireBox
	parsed Parsed
	now    tcp.Time
}

func newDuo(tb testing.TB) *duo {
	w := newWorld(tb)
	d := &duo{a: w.a, b: w.b, now: w.now}
	return d
}

// move carries what is there to be carried, until there is nothing.
func (d *duo) move() {
	for d.a.Pending() || d.b.Pending() {
		d.pass(d.a, d.b, &d.ab)
		d.pass(d.b, d.a, &d.ba)
	}
}

func (d *duo) pass(from, to *Stack, w *wireBox) {
	if !from.Pending() {
		return
	}
	from.Output(d.now, w)
	for i, p := range w.q {
		w.q[i] = nil
		to.Parse(1, p, &d.parsed)
		from.Pool().Out-- // the slab moves to the other's pool
		to.Pool().Out++
		to.InputParsed(d.now, &d.parsed)
	}
	w.q = w.q[:0]
}

// open connects a to b.
func (d *duo) open(tb testing.TB, l tcp.ListenerID) (ca, cb tcp.ConnID) {
	t := tcp.Tuple{Local: wire.AddrFrom4([]byte{192, 0, 2, 1}), Remote: wire.AddrFrom4([]byte{192, 0, 2, 2}), RemotePort: 80}
	ca, err := d.a.TCP().Open(d.now, tcp.OpenOptions{Tuple: t})
	if err != 0 {
		tb.Fatal(err)
	}
	d.move()
	cb, err = d.b.TCP().Accept(d.now, l)
	if err != 0 {
		tb.Fatal(err)
	}
	return ca, cb
}

func (d *duo) ready() {
	for _, s := range []*Stack{d.a, d.b} {
		for {
			if _, ok := s.TCP().NextReady(); !ok {
				break
			}
		}
	}
}

// BenchmarkRequestResponse is a byte there and a byte back: two segments.
func BenchmarkRequestResponse(b *testing.B) {
	d := newDuo(b)
	l, err := d.b.TCP().Listen(d.now, tcp.ListenOptions{Port: 80, Backlog: 16})
	if err != 0 {
		b.Fatal(err)
	}
	ca, cb := d.open(b, l)
	buf := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		d.now += 1000
		d.a.TCP().Send(d.now, ca, buf, 0)
		d.pass(d.a, d.b, &d.ab)
		d.b.TCP().Receive(d.now, cb, buf, 0)
		d.b.TCP().Send(d.now, cb, buf, 0)
		d.pass(d.b, d.a, &d.ba)
		if n, _ := d.a.TCP().Receive(d.now, ca, buf, 0); n != 1 {
			b.Fatal("no answer")
		}
		d.ready()
	}
}

// BenchmarkConnectUseClose is a connection that carries a byte each way and is
// closed by the client, then by the server.
func BenchmarkConnectUseClose(b *testing.B) {
	d := newDuo(b)
	l, err := d.b.TCP().Listen(d.now, tcp.ListenOptions{Port: 80, Backlog: 16})
	if err != 0 {
		b.Fatal(err)
	}
	buf := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		d.now += 1e6 // 1 ms: TIME-WAIT records stay few
		d.a.Advance(d.now)
		d.b.Advance(d.now)
		ca, cb := d.open(b, l)
		d.a.TCP().Send(d.now, ca, buf, 0)
		d.move()
		d.b.TCP().Receive(d.now, cb, buf, 0)
		d.b.TCP().Send(d.now, cb, buf, 0)
		d.move()
		d.a.TCP().Receive(d.now, ca, buf, 0)
		d.a.TCP().Close(d.now, ca, -1)
		d.move()
		d.b.TCP().Receive(d.now, cb, buf, 0)
		d.b.TCP().Close(d.now, cb, -1)
		d.move()
		d.ready()
	}
}
