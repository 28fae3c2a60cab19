package main

import (
	"net"
	"runtime"
	"runtime/metrics"
	"time"

	"estab"
)

// garbage is what a cycle of the garbage collector costs with nothing, and
// with 1,000,000 connections in TIME-WAIT, beside the same number of linked
// objects of the size of gVisor's endpoint.
func (g *growth) garbage() []curve {
	c := curve{Name: "Marking in a cycle of the garbage collector", X: "on the heap", Y: "ms of processor time", file: "grow-garbage.svg",
		Note: "to be under 2 ms more with TIME-WAIT records than with nothing"}
	l := line{Name: "marking"}
	add := func(label string) {
		p := measured(float64(len(l.Points)), max(g.count, 5), func() (float64, error) { return marking(), nil })
		p.Label = label
		l.Points = append(l.Points, p)
	}
	fail := func(err error) []curve {
		l.Points = append(l.Points, point{Label: "TIME-WAIT", Failed: err.Error()})
		c.Lines = []line{l}
		return []curve{c}
	}
	w, err := newEstabWith(wiring{mtu: 1500, raw: true, msl: 10 * time.Minute}, estab.Config{KeepAlive: -1})
	if err != nil {
		return fail(err)
	}
	h := newGhosts(w.raw(), 1_000_000)
	serve(w, func(c net.Conn) { c.Close() })
	if err := h.leave(0, 10_000, false); err != nil { // pools and tables that there are anyway
		return fail(err)
	}
	g.p.say("garbage collection")
	add("10,000 TIME-WAIT records")
	if err := h.leave(10_000, 1_000_000, false); err != nil {
		return fail(err)
	}
	add("1,000,000 TIME-WAIT records")
	finish(w)
	linked := makeLinked(1_000_000)
	add("1,000,000 linked objects of 1 KiB")
	runtime.KeepAlive(linked)
	c.Lines = []line{l}
	return []curve{c}
}

// object stands for a connection that is kept as a whole.
type object struct {
	next *object
	rest [1016]byte
}

func makeLinked(n int) *object {
	var head *object
	for range n {
		head = &object{next: head, rest: [1016]byte{1}}
	}
	return head
}

// marking is the processor time in ms that a cycle spends on marking.
func marking() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/dedicated:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"}}
	sum := func() (t float64) {
		metrics.Read(s)
		for _, x := range s {
			t += x.Value.Float64()
		}
		return t
	}
	runtime.GC()
	before := sum()
	runtime.GC()
	return (sum() - before) * 1e3
}
