package estab_test

import (
	"io"
	"net"
	"runtime"
	"testing"

	"estab"
	"estab/link"
)

// The benchmarks run beside net.Pipe, which is what two goroutines need at
// least to exchange bytes; the ratio is the figure to look at.

// benchPair is a connection of estab over a wire of the given MTU.
func benchPair(b *testing.B, mtu int) (c, s net.Conn) {
	x, y := wired(b, estab.Config{}, link.PairOptions{MTU: mtu})
	b.Cleanup(func() { x.Close(); y.Close() })
	return connect(b, x, listen(b, y, addrB+":80"))
}

var carriers = []struct {
	name string
	pair func(b *testing.B) (c, s net.Conn)
}{
	{"net.Pipe", func(*testing.B) (c, s net.Conn) { return net.Pipe() }},
	{"estab-1500", func(b *testing.B) (c, s net.Conn) { return benchPair(b, 1500) }},
	{"estab-65535", func(b *testing.B) (c, s net.Conn) { return benchPair(b, 65535) }},
}

func BenchmarkBulk(b *testing.B) {
	for _, x := range carriers {
		b.Run(x.name, func(b *testing.B) {
			c, s := x.pair(b)
			const size = 128 << 10
			done := make(chan struct{})
			go func() {
				buf := make([]byte, size)
				for {
					if _, err := s.Read(buf); err != nil {
						close(done)
						return
					}
				}
			}()
			buf := make([]byte, size)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			c.Close()
			<-done
			s.Close()
		})
	}
}

func BenchmarkRequestResponse(b *testing.B) {
	for _, x := range carriers[:2] {
		b.Run(x.name, func(b *testing.B) {
			c, s := x.pair(b)
			go echo(s)
			buf := make([]byte, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
			c.Close()
		})
	}
}

// echo sends back what it reads, byte by byte.
func echo(s net.Conn) {
	buf := make([]byte, 1)
	for {
		if _, err := io.ReadFull(s, buf); err != nil {
			s.Close()
			return
		}
		if _, err := s.Write(buf); err != nil {
			s.Close()
			return
		}
	}
}

func BenchmarkConnectUseClose(b *testing.B) {
	b.Run("net.Pipe", func(b *testing.B) {
		accept := make(chan net.Conn)
		go func() {
			for s := range accept {
				echo(s)
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			c, s := net.Pipe()
			accept <- s
			use(b, c)
		}
		close(accept)
	})
	b.Run("estab", func(b *testing.B) {
		x, y := wired(b, estab.Config{MSL: -1}, link.PairOptions{})
		l := listen(b, y, addrB+":80")
		go func() {
			for {
				s, err := l.Accept()
				if err != nil {
					return
				}
				echo(s)
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			c, err := x.Dial("tcp", addrB+":80")
			if err != nil {
				b.Fatal(err)
			}
			use(b, c)
		}
		x.Close()
		y.Close()
	})
}

// use exchanges a byte and closes.
func use(b *testing.B, c net.Conn) {
	buf := make([]byte, 1)
	if _, err := c.Write(buf); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(c, buf); err != nil {
		b.Fatal(err)
	}
	c.Close()
}

// BenchmarkIdle reports what an idle connection takes at each of its ends, host
// and engine together.
func BenchmarkIdle(b *testing.B) {
	const n = 10000
	x, y := wired(b, estab.Config{KeepAlive: -1}, link.PairOptions{})
	l := listen(b, y, addrB+":80")
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	connect(b, x, l) // buffers and tables that all connections share
	conns := make([]net.Conn, 0, 2*n)
	before := heap()
	for range n {
		c, s := connect(b, x, l)
		conns = append(conns, c, s)
	}
	used := heap() - before
	for b.Loop() {
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(used/(2*n), "B/conn")
	runtime.KeepAlive(conns)
	x.Close()
	y.Close()
}
