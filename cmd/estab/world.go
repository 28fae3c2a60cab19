package main

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"estab"
	"estab/internal/trace"
	"estab/link"
	"estab/tcp"
)

// The addresses of the two hosts.
const (
	clientAddr = "10.0.0.1"
	serverAddr = "10.0.0.2"
	serverPort = 80
)

// world is two hosts and the link between them, with all that is noted about
// the connection.
type world struct {
	start time.Time // what the times of ladder and report count from
	hosts [2]*estab.Host
	shift [2]time.Duration // from start to the beginning of a host's clock
	tap   *tap
	msl   time.Duration
	path  string
	seed  uint64

	mu     sync.Mutex
	events [2][]tcp.Event
}

// ringSize is how many events a shard keeps. They are fetched once the
// connection stands and while it closes: what happens in between, segment by
// segment, the tap tells better.
const ringSize = 256

// newWorld makes the hosts. The capture may be nil.
func newWorld(o *demoOptions, capture *os.File) (*world, error) {
	w := &world{start: time.Now(), msl: time.Duration(o.msl), path: o.netem(), seed: o.seed}
	w.tap = newTap(w.start, trace.NewBuilder(trace.End{Name: "client", Addr: clientAddr},
		trace.End{Name: "server", Addr: fmt.Sprintf("%s:%d", serverAddr, serverPort)}, tcp.Tuple{}))
	if capture != nil {
		err := w.tap.capture(capture, "estab demo",
			trace.Interface{Name: "client", Description: "what " + clientAddr + " gives to the link"},
			trace.Interface{Name: "server", Description: "what " + serverAddr + " gives to the link"})
		if err != nil {
			return nil, err
		}
	}
	near, far := link.Pair(link.PairOptions{})
	bad, err := link.Impair(near, link.Impairment{Out: w.path, In: w.path, Seed: o.seed, Observe: w.tap.observe})
	if err != nil {
		return nil, usageError{err}
	}
	for side, l := range []link.Link{bad, far} {
		addr := []string{clientAddr, serverAddr}[side]
		w.shift[side] = time.Since(w.start)
		w.hosts[side], err = estab.NewHost(estab.Config{
			Links: []estab.LinkConfig{{Link: l, Addrs: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr(addr), 24)}}},
			MSL:   w.msl, Events: ringSize,
		})
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) close() {
	for _, h := range w.hosts {
		if h != nil {
			h.Close()
		}
	}
}

// fetchEvents takes the events of both hosts out of their rings and keeps
// those that tell a story which the tap doesn't.
func (w *world) fetchEvents() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for side, h := range w.hosts {
		events, _ := h.Events()
		for _, e := range events {
			switch e.Kind {
			case tcp.EventState, tcp.EventTimer, tcp.EventClosed:
				w.events[side] = append(w.events[side], e)
			}
		}
	}
}

// change is a state that an end entered, and when.
type change struct {
	at time.Duration // since start
	to tcp.State
}

// history is the states of one end of a connection.
func (w *world) history(s trace.Side, flow tcp.Tuple) []change {
	if s == trace.Right {
		flow = flow.Swap()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []change
	for _, e := range w.events[s] {
		if e.Kind == tcp.EventState && e.Tuple == flow {
			all = append(all, change{time.Duration(e.Time) + w.shift[s], e.To})
		}
	}
	return all
}

// last is the latest state of a history.
func last(h []change) tcp.State {
	if len(h) == 0 {
		return tcp.StateClosed
	}
	return h[len(h)-1].to
}

// ladder is the connection as rows.
func (w *world) ladder(flow tcp.Tuple) *trace.Ladder {
	b := w.tap.builder
	w.mu.Lock()
	defer w.mu.Unlock()
	for side, events := range w.events {
		b.Shift(trace.Side(side), w.shift[side])
		t := flow
		if trace.Side(side) == trace.Right {
			t = flow.Swap()
		}
		for _, e := range events {
			if e.Tuple == t {
				b.Event(trace.Side(side), e)
			}
		}
	}
	l := b.Ladder()
	l.Ends[trace.Left].Addr = flow.LocalAddrPort().String()
	return l
}

// end names a side's host and socket.
func (w *world) end(s trace.Side, flow tcp.Tuple) string {
	if s == trace.Left {
		return fmt.Sprintf("client (%v)", flow.LocalAddrPort())
	}
	return fmt.Sprintf("server (%v)", flow.RemoteAddrPort())
}
