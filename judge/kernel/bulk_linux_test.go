package kernel

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"estab/link"
)

// halfCloser is what both kinds of connection are.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// noise is n bytes from a seed.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

// sha is what has been written to it.
type sha struct{ hash.Hash }

func newDigest() sha { return sha{sha256.New()} }

func (h sha) sum() string { return fmt.Sprintf("%x", h.Sum(nil)) }

// digest is that of noise.
func digest(seed byte, n int64) string {
	h := newDigest()
	io.Copy(h, noise(seed, n))
	return h.sum()
}

// exchange sends n bytes each way at the same time, closes both directions,
// and checks what has arrived.
func exchange(t *testing.T, e ends, n int64) {
	t.Helper()
	want := [2]string{digest(1, n), digest(2, n)}
	conns := [2]halfCloser{e.kernel, e.estab}
	var sums [2]sha
	var errs [4]error
	var wg sync.WaitGroup
	for i, c := range conns {
		sums[i] = newDigest()
		wg.Go(func() {
			if _, errs[i] = io.Copy(c, noise(byte(1+i), n)); errs[i] == nil {
				errs[i] = c.CloseWrite()
			}
		})
		wg.Go(func() { _, errs[2+i] = io.Copy(sums[i], c) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	for i, from := range []string{"the kernel", "estab"} {
		if sums[1-i].sum() != want[i] {
			t.Errorf("what %s sent has not arrived", from)
		}
	}
}

// Data each way at once, on a clean wire, at a loss of 2 % and on a bad wire (1
// % loss, 20 ms round trip, reordering and more): SHA-256 equal. If there is
// time for it, 1 GiB, 64 MiB and 16 MiB each way.
func TestBulk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, impair string
		size         int64
	}{
		{"clean", "", 64 << 20},
		{"loss", "loss 2%", 4 << 20},
		{"bad", "delay 10ms 2ms loss 1% reorder 10% duplicate 1% corrupt 0.5%", 1 << 20},
	} {
		if long() {
			c.size *= 16
		}
		t.Run(c.name, func(t *testing.T) {
			both(t, setting{impair: link.Impairment{Out: c.impair, In: c.impair, Seed: 1}}, func(w *world, e ends) {
				exchange(w.t, e, c.size)
				if s := w.wire.Stats(); c.impair != "" && (s.Out.Dropped == 0 || s.In.Dropped == 0) {
					w.t.Errorf("the wire was too kind: %+v", s)
				}
			})
		})
	}
}
