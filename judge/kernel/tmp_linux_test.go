package kernel

import (
	"io"
	"testing"
	"time"
	"fmt"
	"strings"
	"sync"

	"estab/link"
	"estab"
)

func TestTmp(t *testing.T) {
	run(t, setting{cfg: estab.Config{}, impair: link.Impairment{Seed: 2, Out: "loss 2%", In: "loss 2%"}}, func(w *world) {
		e := w.connect(0, 0)
		n := int64(16 << 20)
		start := time.Now()
		var wg sync.WaitGroup
		for i, c := range []halfCloser{e.kernel, e.estab} {
			other := []halfCloser{e.estab, e.kernel}[i]
			wg.Go(func() { io.Copy(c, noise(1, n)); c.CloseWrite() })
			wg.Go(func() { m, err := io.Copy(io.Discard, other)
				d := time.Since(start)
				t.Log([]string{"kernel sent", "estab sent"}[i], m, err, d, fmt.Sprintf("%.1f MB/s", float64(n)/1e6/d.Seconds()), w.wire.Stats())
			})
		}
		for range 4 {
			time.Sleep(time.Second)
			i, err := e.estab.Info(); t.Logf("%v %v", i, err) 
			s := w.must("ss", "-tino"); t.Log(strings.TrimSpace(s))
		}
		wg.Wait()
	})
}
