package tcp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"estab/internal/wire"
)

// Text beyond gaps comes out as a byte array with "what came first wins" would
// have it, whatever the order, the overlaps and the contents (RFC 9293 §3.10.7.4,
// "seventh"; HOSTILE 28).
func TestReassemblyAgainstBytes(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		const size = 20_000
		base := []Num{1, 1<<31 - size/2, 1<<32 - size/2, 1<<32 - 1}[seed%4]
		var pool wire.Pool
		r := &reassembly{base: base}
		var q recvQueue
		want := make([]byte, size)
		has := make([]bool, size)
		nxt := 0
		var out []byte
		for nxt < size {
			at := nxt + rnd.IntN(size-nxt)
			if rnd.IntN(20) == 0 {
				at = nxt
			}
			p := make([]byte, 1+rnd.IntN(min(size-at, []int{3, 100, 1500, 5000}[seed%4])))
			fill := byte(rnd.Uint32())
			fresh := 0
			for i := range p {
				p[i] = fill + byte(i)
				if !has[at+i] {
					has[at+i], want[at+i] = true, p[i]
					fresh++
				}
			}
			if got := r.store(&pool, base+Num(at), p); got != fresh {
				t.Fatalf("seed %d: store says %d new bytes, want %d", seed, got, fresh)
			}
			if at == nxt {
				edge := r.drain(&pool, &q, base+Num(nxt))
				old := nxt
				for nxt < size && has[nxt] {
					nxt++
				}
				if edge != base+Num(nxt) {
					t.Fatalf("seed %d: RCV.NXT is %d further, want %d", seed, edge-base, nxt)
				}
				b := make([]byte, nxt-old+1)
				out = append(out, b[:q.read(&pool, b, false)]...)
			}
			for x := range r.nRecent {
				if sp, ok := r.spans.containing(r.recent[x]); ok && !has[sp.l-base] {
					t.Fatalf("seed %d: a SACK block of what did not arrive", seed)
				}
			}
			if held := len(r.pages); held > size/pageSize+2 {
				t.Fatalf("seed %d: %d pages", seed, held)
			}
		}
		if !bytes.Equal(out, want) {
			t.Fatalf("seed %d: the stream differs", seed)
		}
		for _, p := range r.pages {
			if p != nil {
				pool.Put(p)
			}
		}
		if r.spans.n != 0 || pool.Out != 0 {
			t.Fatalf("seed %d: %d stretches and %d slabs are left", seed, r.spans.n, pool.Out)
		}
	}
}

// Two segments beyond a gap in each of Allen's thirteen relations, with
// different bytes: what came first wins, on both sides of the wrap, whichever
// comes first, over the fast path or not (HOSTILE 28).
func TestOverlapsInAllThirteenRelations(t *testing.T) {
	const a, b = 40, 60 // the first segment
	second := map[string][2]int{
		"before": {10, 30}, "after": {70, 90}, "meets": {20, a}, "met by": {b, 80},
		"overlaps": {30, 50}, "overlapped by": {50, 70}, "starts": {a, 50}, "started by": {a, 70},
		"during": {45, 55}, "contains": {30, 70}, "finishes": {50, b}, "finished by": {30, b}, "equals": {a, b},
	}
	for name, s := range second {
		for _, irs := range []Num{0, 1<<31 - 50, 1<<32 - 50, 1<<32 - 1} {
			for _, slow := range []bool{false, true} {
				for _, filler := range []int{9, 100} { // the text that fills the gap ends before all, or overlaps all
					t.Run(fmt.Sprint(name, irs, slow, filler), func(t *testing.T) {
						playOverlap(t, [2]int{a, b}, s, filler, irs, slow)
					})
				}
			}
		}
	}
}

func playOverlap(t *testing.T, first, second [2]int, filler int, irs Num, slow bool) {
	cfg := plain()
	cfg.NoFastPath = slow
	r := newRig(t, cfg)
	r.irs = irs
	r.connect(ConnConfig{}, "<mss 1000>")
	var want [101]byte // 0: not yet
	put := func(from, to int, letter byte) {
		seg := r.seg(fmt.Sprintf(". %d:%d(%d) ack 1", from, to, to-from))
		for i := range seg.Payload {
			seg.Payload[i] = letter
			if want[from+i] == 0 {
				want[from+i] = letter
			}
		}
		r.input(seg)
	}
	put(first[0], first[1], 'a')
	put(second[0], second[1], 'b')
	put(1, filler, 'c')
	for i := 1; i < len(want); i++ { // fills what is left, byte by byte
		if want[i] == 0 {
			put(i, i+1, 'd')
		}
	}
	got := make([]byte, 200)
	n, err := r.e.Receive(r.now, r.id, got, 0)
	if err != 0 || !bytes.Equal(got[:n], want[1:]) {
		t.Errorf("delivered %q, %v\nwant      %q", got[:n], err, want[1:])
	}
	r.sent = nil
	r.e.Abort(r.now, r.id)
	if c := r.e.Counts(); c.Slabs != 0 || c.Conns != 0 {
		t.Errorf("left: %+v", c)
	}
}

// RFC 2018 §4: the first block holds the segment that came last, and the
// blocks after it are those that were reported before, most recent first; the
// receiver reports as many as fit.
func TestSACKBlocksMostRecentFirst(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoWindowScaling: true})
	r.connect(ConnConfig{}, "<mss 1000,sackOK>")
	r.in(". 101:111(10) ack 1")
	r.want(". 1:1(0) ack 1 <sack 101:111>")
	r.in(". 201:211(10) ack 1")
	r.want(". 1:1(0) ack 1 <sack 201:211 101:111>")
	r.in(". 301:311(10) ack 1", ". 401:411(10) ack 1")
	r.want(". 1:1(0) ack 1 <sack 301:311 201:211 101:111>",
		". 1:1(0) ack 1 <sack 401:411 301:311 201:211 101:111>")
	r.in(". 501:511(10) ack 1") // a fifth: the oldest finds no room
	r.want(". 1:1(0) ack 1 <sack 501:511 401:411 301:311 201:211>")
	r.in(". 111:121(10) ack 1") // it grows, and is the most recent again
	r.want(". 1:1(0) ack 1 <sack 101:121 501:511 401:411 301:311>")
	r.in(". 121:201(80) ack 1") // and joins the next
	r.want(". 1:1(0) ack 1 <sack 101:211 501:511 401:411 301:311>")
	r.in(". 1:101(100) ack 1") // the gap is filled: the ACK moves, its block goes
	r.want(". 1:1(0) ack 211 <sack 501:511 401:411 301:311>")
	r.in(". 211:301(90) ack 1", ". 311:401(90) ack 1", ". 411:501(90) ack 1")
	r.want(". 1:1(0) ack 311 <sack 501:511 401:411>", ". 1:1(0) ack 411 <sack 501:511>", ". 1:1(0) ack 511 <>")
	r.read(510)
}

// Beside timestamps three blocks fit (RFC 2018 §3).
func TestSACKBlocksBesideTimestamps(t *testing.T) {
	r := newRig(t, Config{NoWindowScaling: true})
	r.connect(ConnConfig{}, "<mss 1000,sackOK,TS val 5 ecr 0>")
	for i := range 5 {
		r.in(fmt.Sprintf(". %d:%d(10) ack 1 <TS val 6 ecr 0>", 101+100*i, 111+100*i))
	}
	last := r.sent[len(r.sent)-1]
	if got := r.optionLine(&last.Options); got != "TS val 3600000 ecr 5,sack 501:511 401:411 301:311" {
		t.Errorf("options %s", got)
	}
	r.sent = nil
}

// RFC 2883 §4: a duplicate is reported once, in the first block; a D-SACK that
// lies within a block still held comes before that block (§4.2.2).
func TestDSACK(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoWindowScaling: true})
	r.connect(ConnConfig{}, "<mss 1000,sackOK>")
	r.in(". 1:101(100) ack 1")
	r.want(". 1:1(0) ack 101 <>")
	r.in(". 1:101(100) ack 1") // §4.1: a full duplicate below the ACK
	r.want(". 1:1(0) ack 101 <sack 1:101>")
	r.in(". 51:151(100) ack 1") // a partial one: only the old part
	r.want(". 1:1(0) ack 151 <sack 51:101>")
	r.in(". 201:301(100) ack 1")
	r.want(". 1:1(0) ack 151 <sack 201:301>")
	r.in(". 201:301(100) ack 1") // §4.2: a duplicate beyond the gap
	r.want(". 1:1(0) ack 151 <sack 201:301 201:301>")
	r.in(". 401:501(100) ack 1")
	r.want(". 1:1(0) ack 151 <sack 401:501 201:301>")
	r.read(150)
}
