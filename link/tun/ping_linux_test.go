package tun

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"estab/link"
)

// echo is a receiver that answers pings, as small as a host can be: Deliver
// queues, Run answers.
type echo struct {
	dev *Device

	mu     sync.Mutex
	queue  []*link.Packet
	marked bool
	pings  int
	first  chan struct{} // if not nil, closed after the first ping
}

func (e *echo) Writable(*link.Work) {}

func (e *echo) Deliver(w *link.Work, pkts []*link.Packet) {
	e.mu.Lock()
	for i, p := range pkts {
		e.queue = append(e.queue, p)
		pkts[i] = nil
	}
	add := !e.marked
	e.marked = true
	e.mu.Unlock()
	if add {
		w.Add(e)
	}
}

func (e *echo) Run(w *link.Work) {
	e.mu.Lock()
	all := e.queue
	e.queue, e.marked = nil, false
	var answers []*link.Packet
	for _, p := range all {
		if reply(p.Bytes()) {
			answers = append(answers, p)
			if e.pings++; e.pings == 1 && e.first != nil {
				close(e.first)
			}
		}
	}
	e.mu.Unlock()
	e.dev.Enqueue(w, answers)
}

// reply turns an echo request into its reply. The sums stay right: what is
// exchanged doesn't count, and the type's change is made up for.
func reply(b []byte) bool {
	switch {
	case len(b) >= 28 && b[0] == 0x45 && b[9] == 1 && b[20] == 8:
		swap(b[12:16], b[16:20])
		b[20] = 0
		fix(b[22:], 8<<8)
	case len(b) >= 48 && b[0]>>4 == 6 && b[6] == 58 && b[40] == 128:
		swap(b[8:24], b[24:40])
		b[40] = 129
		fix(b[42:], 0xffff-1<<8)
	default:
		return false
	}
	return true
}

func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

// fix adds to a checksum what was taken from the bytes that it covers.
func fix(sum []byte, d uint32) {
	v := uint32(binary.BigEndian.Uint16(sum)) + d
	binary.BigEndian.PutUint16(sum, uint16(v+v>>16))
}

func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// pinger sends echo requests from the kernel's side.
type pinger struct {
	c  net.Conn
	v6 bool
}

func newPinger(t *testing.T, network, addr string) *pinger {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &pinger{c, strings.HasPrefix(network, "ip6")}
}

func (p *pinger) request(seq, size int) []byte {
	b := make([]byte, 8+size)
	b[0] = 8
	if p.v6 {
		b[0] = 128
	}
	binary.BigEndian.PutUint16(b[4:], 77)
	binary.BigEndian.PutUint16(b[6:], uint16(seq))
	for i := range b[8:] {
		b[8+i] = byte(seq + i)
	}
	if !p.v6 { // for ICMPv6 the kernel does it
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	return b
}

// ping sends one request and waits for its reply.
func (p *pinger) ping(t *testing.T, seq, size int) {
	t.Helper()
	want := p.request(seq, size)
	if _, err := p.c.Write(want); err != nil {
		t.Fatalf("ping %d of %d bytes: %v", seq, size, err)
	}
	buf := make([]byte, 70000)
	for {
		n, err := p.c.Read(buf)
		if err != nil {
			t.Fatalf("no reply to ping %d of %d bytes: %v", seq, size, err)
		}
		b := buf[:n]
		if !p.v6 && n > 20 {
			b = b[20:] // a raw IPv4 socket gives the header too
		}
		if len(b) > 8 && (b[0] == 0 || b[0] == 129) && bytes.Equal(b[4:], want[4:]) {
			return
		}
	}
}
