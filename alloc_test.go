package estab_test

import (
	"io"
	"testing"
	"unsafe"

	"estab"
	"estab/link"
)

// A Write and the Reads of it allocate nothing once connection and buffers are
// warm, whatever the size, and whether its segments are copied or lent.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	large := link.PairOptions{MTU: link.MaxPacket}
	trusted := link.PairOptions{MTU: link.MaxPacket, Trusted: true}
	for _, shards := range []int{1, 16} {
		for _, x := range []struct {
			wire link.PairOptions
			size int
		}{{size: 1}, {size: 1000}, {size: 20000}, {large, 64 << 10}, {trusted, 64 << 10}} {
			a, b := wired(t, estab.Config{Shards: shards, KeepAlive: -1}, x.wire)
			c, s := connect(t, a, listen(t, b, addrB+":80"))
			buf := make([]byte, x.size)
			exchange := func() {
				c.Write(buf)
				if _, err := io.ReadFull(s, buf); err != nil {
					t.Fatal(err)
				}
			}
			for range 500 {
				exchange()
			}
			if n := testing.AllocsPerRun(500, exchange); n > 0 {
				t.Errorf("%d shards, %+v: %v allocations", shards, x, n)
			}
			a.Close()
			b.Close()
		}
	}
}

// A connection that is opened, accepted, used and closed costs at most
// connAllocs allocations at both its ends together.
func TestConnectionAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const connAllocs = 8
	for _, shards := range []int{1, 16} {
		a, b := wired(t, estab.Config{Shards: shards, KeepAlive: -1, MSL: -1}, link.PairOptions{})
		l := listen(t, b, addrB+":80")
		buf := make([]byte, 1)
		once := func() {
			c, err := a.Dial("tcp", addrB+":80")
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			c.Write(buf)
			s.Read(buf)
			s.Write(buf)
			c.Read(buf)
			c.Close()
			s.Close()
		}
		for range 2000 {
			once()
		}
		n := testing.AllocsPerRun(1000, once)
		t.Logf("%d shards: %v allocations", shards, n)
		if n > connAllocs {
			t.Errorf("%d shards: %v allocations for a connection, the budget is %d", shards, n, connAllocs)
		}
		a.Close()
		b.Close()
	}
}

// A connection stays as small as its comment says.
func TestConnSize(t *testing.T) {
	if n := unsafe.Sizeof(estab.Conn{}); unsafe.Sizeof(uintptr(0)) == 8 && n > 96 {
		t.Errorf("a Conn takes %d bytes", n)
	}
}
