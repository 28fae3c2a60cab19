package lab

import (
	"runtime"
	"testing"
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// TestSizes measures what a TCB and a half-open record take, and compares it
// with what the tables say.
func TestSizes(t *testing.T) {
	const n = 20_000
	measure := func(what string, want int, f func(e *tcp.Engine, i int)) {
		e, err := tcp.New(tcp.Config{Secret: [32]byte{1}, Defence: undefended()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Listen(0, tcp.ListenOptions{Port: serverPort}); err != 0 {
			t.Fatal(err)
		}
		before := heap()
		for i := range n {
			f(e, i)
		}
		got := int(heap()-before) / n
		runtime.KeepAlive(e)
		// Tables grow ahead of what is in them.
		if got < want*3/4 || got > want*3/2 {
			t.Errorf("%s takes %d bytes, the tables say %d", what, got, want)
		}
		t.Logf("%s: %d bytes measured, %d in the tables", what, got, want)
	}
	measure("a half-open record", halfOpenBytes+tableBytes, func(e *tcp.Engine, i int) {
		seg := tcp.Segment{Flags: wire.SYN, Seq: 1, Wnd: 65535}
		seg.Tuple = tcp.Tuple{Local: wire.Addr4(0x0a000001), LocalPort: serverPort, Remote: wire.Addr4(0x0b000000 + uint32(i)), RemotePort: 1}
		e.Input(tcp.Time(time.Second), &seg)
	})
	measure("a TCB", tcbBytes+tableBytes, func(e *tcp.Engine, i int) {
		if _, err := e.Open(tcp.Time(time.Second), tcp.OpenOptions{Tuple: tcp.Tuple{
			Local: wire.Addr4(0x0a000001), LocalPort: 1024, Remote: wire.Addr4(0x0b000000 + uint32(i)), RemotePort: 80}}); err != 0 {
			t.Fatal(err)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
