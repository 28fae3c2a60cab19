package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/link"
	"estab/tcp"
)

// tap stands where the wire is. It tells the ladder what passes, if there is to
// be one, and writes the capture: each packet as its sender gave it to the
// link, with what the link then did to it as its comment.
type tap struct {
	start time.Time

	mu      sync.Mutex
	builder *trace.Builder // may be nil
	file    *os.File
	buf     *bufio.Writer
	pcap    *trace.Pcapng
	err     error
	fin     [2]tcp.Time // when the latest FIN from each side arrived
}

func newTap(start time.Time, builder *trace.Builder) *tap {
	return &tap{start: start, builder: builder}
}

// capture begins to write a capture to a file. program says who makes it, the
// interfaces are those of the left and the right end.
func (t *tap) capture(file *os.File, program string, left, right trace.Interface) error {
	t.file, t.buf = file, bufio.NewWriterSize(file, 1<<20)
	var err error
	t.pcap, err = trace.NewPcapng(t.buf, program, left, right)
	return err
}

// observe is called for every packet that a host gives to the link.
func (t *tap) observe(e link.TapEvent) {
	side := trace.Left
	if e.Dir == link.In {
		side = trace.Right
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pcap != nil && t.err == nil {
		comment := e.Fate.String()
		if comment != "" {
			comment = "the link: " + comment
		}
		t.err = t.pcap.Packet(int(side), e.Time, trace.Outbound, e.Packet, comment)
	}
	if t.builder == nil {
		return
	}
	if p, ok := packetOf(e.Packet); ok {
		p.From, p.Time = side, tcp.Time(e.Time.Sub(t.start))
		addFate(&p, e.Fate)
		if p.Seg.Flags.Any(wire.FIN) && p.Copies > 0 {
			t.fin[side] = max(t.fin[side], p.Arrive[0])
		}
		t.builder.Packet(p)
	}
}

// packetOf parses a packet; one that isn't TCP is no part of the story.
func packetOf(b []byte) (trace.Packet, bool) {
	var h wire.IPHeader
	var s wire.Segment
	if wire.ParseIP(b, &h) != wire.Accepted || h.Proto != wire.ProtoTCP ||
		wire.ParseTCP(b[h.HeaderLen:h.TotalLen], &s) != wire.Accepted {
		return trace.Packet{}, false
	}
	return trace.Packet{Seg: trace.Header(&s)}, true
}

// addFate notes what the link will do to a packet.
func addFate(p *trace.Packet, f link.Fate) {
	p.Overtook = f.Reordered
	copies := []link.Passage{f.Passage}
	if f.Duplicated {
		copies = append(copies, f.Copy)
	}
	for _, c := range copies {
		switch {
		case c.Dropped != "":
		case c.Corrupted:
			p.Corrupt = true
		default:
			p.Arrive[p.Copies] = p.Time.Add(c.Delay)
			p.Copies++
		}
	}
	if p.Copies > 0 {
		p.Corrupt = false // a copy came through
	}
}

// finish ends the capture and says what went wrong with it.
func (t *tap) finish() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pcap == nil {
		return nil
	}
	if t.err == nil {
		t.err = t.buf.Flush()
	}
	t.pcap = nil
	if err := t.file.Close(); t.err == nil {
		t.err = err
	}
	if t.err != nil {
		return fmt.Errorf("writing the capture: %w", t.err)
	}
	return nil
}

// finArrived is when the latest FIN of a side arrived, since start.
func (t *tap) finArrived(s trace.Side) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Duration(t.fin[s])
}
