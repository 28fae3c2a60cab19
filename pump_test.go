package estab

import (
	"slices"
	"testing"

	"estab/internal/wire"
	"estab/link"
)

// A queue that is full, or closed, gives a packet back as it came; if it lies in
// the buffer of a send queue, that buffer stays where it is.
func TestFullQueueDropsWhatIsLent(t *testing.T) {
	for _, full := range []bool{true, false} {
		var pool wire.Pool
		s := pool.Get(wire.LargeSlab)
		s.Reserve(52)
		s.Append([]byte("text"))
		p := pool.Lend(s, 52, 4)
		var q rxQueue
		q.token.Store(tokenTaken)
		q.closed.Store(!full)
		if full {
			q.bytes = queueLimit - wire.LargeSlab + 1
		}
		q.empty[1].push(wire.NewSlab(wire.LargeSlab))
		pkts := []*link.Packet{p}
		q.push(1, pkts)
		if pkts[0] != p || q.dropped != 1 || q.n != 0 {
			t.Fatalf("full %v: the packet was not dropped in its place", full)
		}
		pool.Put(p)
		if string(s.Bytes()) != "text" || s.Shared() || pool.Spare(wire.LargeSlab) != nil {
			t.Errorf("full %v: the sender's buffer went with the packet", full)
		}
		pool.Put(s)
		if pool.Spare(wire.LargeSlab) == nil {
			t.Errorf("full %v: the buffer is lost", full)
		}
	}
}

// packets makes n small packets, numbered in Hash from first on.
func packets(first, n int) (pkts []*link.Packet) {
	for i := range n {
		p := wire.NewSlab(100)
		p.Resize(100)
		p.Hash = uint64(first + i)
		pkts = append(pkts, p)
	}
	return pkts
}

// takeBatch takes over what the token's holder would take in, and checks that
// it goes on where the last one ended. It returns where it ends.
func takeBatch(t *testing.T, q *rxQueue, next int) int {
	t.Helper()
	n := 0
	for p := q.batch.list; p != nil; p = p.Next {
		if p.Hash != uint64(next) {
			t.Fatalf("packet %d comes where %d should", p.Hash, next)
		}
		next++
		n++
	}
	if n > batchSize {
		t.Fatalf("a batch of %d packets", n)
	}
	q.batch = batch{}
	return next
}

// What has piled up while somebody was at it is taken in batch by batch, in
// order, by whoever comes: between two batches the token is free.
func TestBacklogIsEverybodys(t *testing.T) {
	var q rxQueue
	if !q.push(1, packets(0, 3)) {
		t.Fatal("the queue is empty and the token free: it goes to whoever pushes")
	}
	for n := 3; n < 300; n += 33 {
		if q.push(1, packets(n, 33)) {
			t.Fatal("somebody has the token")
		}
	}
	next := takeBatch(t, &q, 0)
	if !q.end() {
		t.Fatal("the queue is not empty: that has to be on somebody's list")
	}
	if !q.push(1, packets(300, 1)) {
		t.Fatal("whoever comes between two batches takes in the next one")
	}
	if q.resume() {
		t.Fatal("somebody has the token")
	}
	for next = takeBatch(t, &q, next); q.end(); next = takeBatch(t, &q, next) {
		if !q.resume() {
			t.Fatal("the token is free, and something left")
		}
	}
	if next != 301 || q.n != 0 || q.bytes != 0 || q.resume() {
		t.Errorf("took %d of 301 packets, %d are left", next, q.n)
	}
	if !q.push(1, packets(301, 1)) || takeBatch(t, &q, 301) != 302 || q.end() {
		t.Error("afterwards it is as it was")
	}
}

// A batch that was put back comes first again, and one helper looks after the
// queue.
func TestBatchPutBack(t *testing.T) {
	for _, more := range []int{0, 10, 100} {
		var q rxQueue
		q.push(1, packets(0, 20))
		if more > 0 {
			q.push(1, packets(20, more))
		}
		q.putBack()
		if !q.hand() || q.hand() {
			t.Fatal("the first helper is the only one")
		}
		q.push(1, packets(20+more, 1))
		if q.putBack(); !q.resume() {
			t.Fatal("the token is free, and something left")
		}
		if next := takeBatch(t, &q, 0); next != min(21+more, batchSize) {
			t.Fatalf("%d packets in the batch", next)
		}
		q.end()
		if q.taken(); !q.hand() {
			t.Fatal("the helper has looked, and the next one may come")
		}
	}
}

// A queue that is closed while something is left in it has nothing left.
func TestCloseWithABacklog(t *testing.T) {
	var q rxQueue
	q.push(1, packets(0, 1))
	q.push(1, packets(1, 100))
	takeBatch(t, &q, 0)
	if !q.end() {
		t.Fatal("a backlog")
	}
	q.close()
	if q.resume() && (q.batch.list != nil || q.end()) {
		t.Error("something is left")
	}
	if q.push(1, packets(0, 1)) || q.n != 0 || q.dropped != 1 {
		t.Error("a closed queue takes packets")
	}
}

// A delivery to many shards gives each its own packets, together and in order.
func TestDeliverDistributes(t *testing.T) {
	h := &Host{shards: make([]shard, 4), shift: 62}
	p := &port{host: h, id: 1}
	pkts := packets(0, 150)
	want := map[*shard][]*link.Packet{}
	for i, pkt := range pkts {
		pkt.Hash = uint64(i*i%7%4)<<62 | uint64(i+1)
		sh := h.shard(pkt.Hash)
		want[sh] = append(want[sh], pkt)
	}
	var w link.Work
	p.Deliver(&w, pkts)
	for i, pkt := range pkts {
		if pkt != nil {
			t.Fatalf("packet %d was not taken", i)
		}
	}
	for i := range h.shards {
		sh := &h.shards[i]
		var got []*link.Packet
		for pkt := sh.queue.batch.list; pkt != nil; pkt = pkt.Next {
			got = append(got, pkt)
		}
		for pkt := sh.queue.head; pkt != nil; pkt = pkt.Next {
			got = append(got, pkt)
		}
		if !slices.Equal(got, want[sh]) {
			t.Errorf("shard %d has %d packets, want %d, or in another order", i, len(got), len(want[sh]))
		}
	}
}
