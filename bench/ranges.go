package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"estab"
	"estab/internal/seq"
	"estab/internal/wire"
)

// ranges is SegmentSmack (CVE-2018-5390): a peer that sends every second byte,
// each in a segment of its own, so that the receive queue holds as many
// stretches as it can. What a further segment costs must not depend on how
// many there are.
func (g *growth) ranges() []curve {
	c := curve{Name: "A segment of 1 byte, beyond a gap, with so many stretches out of order", X: "stretches", Y: "ns for a segment",
		file: "grow-ranges.svg", limit: 3, bounds: "at most 3 are allowed"}
	for _, order := range []string{"rising", "falling", "random"} {
		for _, s := range subjects()[:2] {
			if !g.subject.MatchString(s.name) || s.name == "gVisor" && order != "random" {
				continue
			}
			name := s.name + ", " + order
			l := line{Name: name}
			most := 100_000
			if s.name == "gVisor" {
				l.Name, most, l.End = s.name, 10_000, "its list is searched from one end"
			}
			g.p.say("ranges: %s", name)
			l.Points = g.smack(s, order, most)
			c.Lines = append(c.Lines, l)
		}
	}
	return []curve{c}
}

// smack measures a fresh connection as often as counted. The points are the
// costs of the last tenth of the segments up to each size.
func (g *growth) smack(s subject, order string, most int) []point {
	sizes := []int{100, 1000, 10_000, 100_000}
	sizes = sizes[:slices.Index(sizes, most)+1]
	runs := make([][]float64, len(sizes))
	for k := range max(g.count, 5) {
		took, err := smackOnce(s, order, sizes, uint64(k))
		if err != nil {
			return []point{{X: float64(most), Failed: err.Error()}}
		}
		for i, t := range took {
			runs[i] = append(runs[i], t)
		}
	}
	var points []point
	for i, n := range sizes {
		slices.Sort(runs[i])
		points = append(points, point{X: float64(n), Y: runs[i][len(runs[i])/2], Min: runs[i][0], Max: runs[i][len(runs[i])-1]})
	}
	return points
}

func smackOnce(s subject, order string, sizes []int, seed uint64) (took []float64, err error) {
	wr := wiring{mtu: 1500, raw: true}
	var w world
	if s.name == "estab" {
		w, err = newEstabWith(wr, estab.Config{ReceiveBuffer: 4 << 20})
	} else {
		w, err = s.make(wr)
	}
	if err != nil {
		return nil, err
	}
	defer finish(w)
	raw := w.(rawWorld).raw()
	var sent atomic.Int64
	var iss atomic.Uint32
	raw.onSent(func(b []byte) {
		var ip wire.IPHeader
		var seg wire.Segment
		if wire.ParseIP(b, &ip) == wire.Accepted && wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &seg) == wire.Accepted && seg.Flags.Has(wire.SYN) {
			iss.Store(uint32(seg.Seq))
		}
		sent.Add(1)
	})
	// wait until the server has sent that many segments: each one beyond the
	// gap is answered at once (RFC 5681 §4.2).
	wait := func(n int64) error {
		for start := time.Now(); sent.Load() < n; runtime.Gosched() {
			if time.Since(start) > 10*time.Second {
				return fmt.Errorf("%d of %d segments were answered", sent.Load(), n)
			}
		}
		return nil
	}
	var buf [64][128]byte
	var pkts [64][]byte
	syn := ghostSYN(ghost(0).tuple(false, 1))
	syn.Options.Set |= wire.OptWindowScale | wire.OptSACKPermitted
	syn.Options.WindowScale = 10
	raw.send([][]byte{craft(buf[0][:], syn)})
	if err := wait(1); err != nil {
		return nil, err
	}
	ack := wire.Segment{Tuple: syn.Tuple, Seq: syn.Seq + 1, Ack: seq.Num(iss.Load()) + 1, Flags: wire.ACK, Wnd: 65535}
	raw.send([][]byte{craft(buf[0][:], &ack)})
	if _, err := w.listener().Accept(); err != nil {
		return nil, err
	}
	ack.Payload = []byte("x")
	places := smackPlaces(order, sizes[len(sizes)-1], seed)
	done := 0
	for _, size := range sizes {
		var start time.Time
		last := size / 10
		for _, until := range []int{size - last, size} {
			start = time.Now()
			for done < until {
				n := min(until-done, len(pkts))
				for i := range n {
					ack.Seq = syn.Seq + 1 + seq.Num(2*places[done+i]+1)
					pkts[i] = craft(buf[i][:], &ack)
				}
				raw.send(pkts[:n])
				done += n
				if err := wait(1 + int64(done)); err != nil {
					return nil, err
				}
			}
		}
		took = append(took, float64(time.Since(start).Nanoseconds())/float64(last))
	}
	return took, nil
}

// smackPlaces is the order in which the stretches come.
func smackPlaces(order string, n int, seed uint64) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
		if order == "falling" {
			p[i] = n - 1 - i
		}
	}
	if order == "random" {
		rand.New(rand.NewPCG(seed, 1)).Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	}
	return p
}
