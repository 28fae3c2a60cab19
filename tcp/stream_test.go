package tcp

import (
	"encoding/binary"
	"testing"
	"time"
)

// secretFor finds a secret under which the ISS of the tuple at that time lies
// less than within before iss.
func secretFor(t testing.TB, tup Tuple, now Time, iss Num, within uint32) [32]byte {
	for i := range uint64(1 << 20) {
		var s [32]byte
		binary.LittleEndian.PutUint64(s[:], i+1)
		e := newEngine(t, Config{Secret: s})
		e.now = now
		if (iss - e.iss(&tup)) < Num(within) {
			return s
		}
	}
	t.Fatal("no secret found")
	return [32]byte{}
}

// Streams of a megabyte in both directions at once cross the places where
// sequence numbers wrap or change their sign, over a wire that loses segments
// (HOSTILE 30).
func TestStreamsCrossTheWrap(t *testing.T) {
	for _, edge := range []Num{0, 1 << 31} {
		for _, lossy := range []bool{false, true} {
			now := Time(time.Hour)
			a := Config{Secret: secretFor(t, testTuple4, now, edge, 500_000)}
			b := Config{Secret: secretFor(t, testTuple4.Swap(), now, edge, 500_000)}
			p := connected(t, a, b, ConnConfig{}, ConnConfig{})
			p.calm = !lossy
			p.delay = ms
			if n := 0; lossy {
				p.lose = func(*end, *Segment) bool { n++; return n%50 == 0 }
			}
			for range 10 {
				p.transfer(p.a, p.b, 100_000)
				p.transfer(p.b, p.a, 100_000)
			}
			for _, d := range []*end{p.a, p.b} {
				s := d.status()
				if first, last := s.ISS-edge, s.SndUNA-edge; first < 1<<31 || last > 1<<31 {
					t.Errorf("edge %d: the stream from %d to %d did not cross it", edge, s.ISS, s.SndUNA)
				}
			}
			p.finish()
		}
	}
}

// bulk sends n bytes from one end of the post to the other and compares a
// counter in each block of 8 bytes.
func (p *post) bulk(t testing.TB, n uint64) {
	var sent, got uint64
	var rest []byte
	in := make([]byte, 64<<10)
	for got < n {
		for sent < n {
			for i := 0; i < len(p.buf); i += 8 {
				binary.LittleEndian.PutUint64(p.buf[i:], sent&^7+uint64(i))
			}
			b := p.buf[sent&7:]
			b = b[:min(uint64(len(b)), n-sent)]
			k, err := p.e[0].Send(p.now, p.id[0], b, 0)
			if err != 0 {
				t.Fatal(err)
			}
			if sent += uint64(k); k < len(b) {
				break
			}
		}
		p.settle()
		if at := p.e[0].NextDeadline(); p.e[0].SendSpace(p.id[0]) == 0 && at > p.now && p.e[1].Readable(p.id[1]) == 0 {
			p.now = at // only the delayed ACK is missing
			p.e[0].Advance(p.now)
		}
		for {
			k, err := p.e[1].Receive(p.now, p.id[1], in, 0)
			if err != 0 {
				t.Fatal(err)
			}
			if k == 0 {
				break
			}
			b := append(rest, in[:k]...)
			for ; len(b) >= 8; b = b[8:] {
				if x := binary.LittleEndian.Uint64(b); x != got {
					t.Fatalf("at byte %d: %d", got, x)
				}
				got += 8
			}
			rest = append(rest[:0], b...)
		}
		p.settle()
		for _, e := range p.e {
			e.Advance(p.now)
		}
	}
}

// More than 4 GiB through one connection, byte for byte: every sequence number
// of the circle is used and the first ones again. It takes seconds and
// runs if ESTAB_LONG=1.
func TestStreamOfMoreThan4GiB(t *testing.T) {
	if !long() {
		t.Skip("takes seconds; ESTAB_LONG=1 runs it")
	}
	cfg := Config{Paths: &atMTU{65535}, SendBuffer: 1 << 20, ReceiveBuffer: 1 << 20}
	p := newPost(t, cfg)
	p.open(t)
	began := time.Now()
	const n = 1<<32 + 1<<28
	p.bulk(t, n)
	t.Logf("%d bytes in %v of real time", uint64(n), time.Since(began))
	s, _ := p.e[0].Status(p.now, p.id[0])
	if s.SndNXT-s.ISS-1 != Num(1<<28) {
		t.Errorf("SND.NXT is %d above ISS", s.SndNXT-s.ISS)
	}
}

// A gigabyte and more, closed and reopened at once: the clock of the ISS has not
// caught up, and the new connection begins above the old one all the same
// (RFC 9293 MAY-2). Runs if ESTAB_LONG=1.
func TestReopenAfterTwoGiB(t *testing.T) {
	if !long() {
		t.Skip("takes seconds; ESTAB_LONG=1 runs it")
	}
	p := newPost(t, Config{Paths: &atMTU{65535}, SendBuffer: 1 << 20, ReceiveBuffer: 1 << 20})
	p.open(t)
	for range 2 {
		p.bulk(t, 1<<30)
	}
	old, _ := p.e[0].Status(p.now, p.id[0])
	p.e[0].Close(p.now, p.id[0], -1)
	p.settle()
	p.e[1].Close(p.now, p.id[1], -1)
	p.settle()
	p.now = p.now.Add(time.Second)
	p.open(t)
	s, _ := p.e[0].Status(p.now, p.id[0])
	if s.State != StateEstablished || !old.SndNXT.Less(s.ISS) || p.e[0].Counters().TimeWaitReuses != 1 {
		t.Errorf("%v, ISS %d above the old SND.NXT", s.State, s.ISS.Diff(old.SndNXT))
	}
	p.exchange(t, 0, 100_000)
}
