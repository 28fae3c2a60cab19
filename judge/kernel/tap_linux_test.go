package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/link"
)

// tap stands at the wire, between estab and what the wire does to packets: it
// sees each packet as its sender gave it to the wire.
type tap struct {
	mu   sync.Mutex
	segs []segment
	file *os.File // of a capture, or nil
	buf  *bufio.Writer
	pcap *trace.Pcapng
	err  error
}

// segment is what crossed the wire.
type segment struct {
	dir link.Direction // Out is estab's
	seg wire.Segment   // without its payload
	n   int            // bytes of text
}

func (s segment) String() string {
	from := map[link.Direction]string{link.Out: "estab", link.In: "kernel"}[s.dir]
	return fmt.Sprintf("%s %s %d", from, trace.FlagNames(s.seg.Flags), s.n)
}

// capture makes the tap write a capture, too; finish ends it. What the wire
// does to a packet stands in its comment.
func (p *tap) capture(t testing.TB, file string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if p.file, err = os.Create(file); err != nil {
		t.Fatal(err)
	}
	p.buf = bufio.NewWriterSize(p.file, 1<<20)
	p.pcap, err = trace.NewPcapng(p.buf, "judge/kernel", trace.Interface{Name: "estab"}, trace.Interface{Name: "kernel"})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *tap) finish(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := errors.Join(p.err, p.buf.Flush(), p.file.Close()); err != nil {
		t.Fatal(err)
	}
	p.pcap = nil
}

// observe is an Impairment's Observe.
func (p *tap) observe(e link.TapEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pcap != nil {
		if err := p.pcap.Packet(int(e.Dir), e.Time, trace.Outbound, e.Packet, e.Fate.String()); err != nil {
			p.err = err
		}
		return
	}
	var h wire.IPHeader
	s := segment{dir: e.Dir}
	if wire.ParseIP(e.Packet, &h) != wire.Accepted || h.Proto != wire.ProtoTCP ||
		wire.ParseTCP(e.Packet[h.HeaderLen:h.TotalLen], &s.seg) != wire.Accepted {
		return
	}
	s.n = s.seg.DataLen()
	s.seg.Payload, s.seg.Rest = nil, nil
	p.segs = append(p.segs, s)
}

// cut forgets the segments so far.
func (p *tap) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.segs = nil
}

// story is the segments since then, a line each.
func (p *tap) story() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for _, s := range p.segs {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n")
}
