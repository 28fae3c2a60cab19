package estab_test

import (
	"fmt"
	"io"
	"testing"

	"estab"
	"estab/link"
)

func BenchmarkZZ(b *testing.B) {
	for _, trusted := range []bool{false, true} {
		for _, size := range []int{0, 128 << 10, 192 << 10, 256 << 10, 512 << 10, 1 << 20, 4 << 20} {
			b.Run(fmt.Sprint(trusted, size>>10), func(b *testing.B) {
				x, y := wired(b, estab.Config{ReceiveBuffer: size, SendBuffer: size, ReceiveBufferMax: size, SendBufferMax: size}, link.PairOptions{MTU: 65535, Trusted: trusted})
				l := listen(b, y, addrB+":80")
				c, s := connect(b, x, l)
				b.SetBytes(128 << 10)
				go func() {
					buf := make([]byte, 128<<10)
					for {
						if _, err := c.Write(buf); err != nil {
							return
						}
					}
				}()
				buf := make([]byte, 128<<10)
				io.ReadFull(s, make([]byte, 64<<20))
				for b.Loop() {
					if _, err := io.ReadFull(s, buf); err != nil {
						b.Fatal(err)
					}
				}
				x.Close()
				y.Close()
			})
		}
	}
}
