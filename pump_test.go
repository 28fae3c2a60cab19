package estab

import (
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
