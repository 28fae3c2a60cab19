package estab_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// A receiver that sends nothing learns of a path that has become longer since
// the handshake from the timestamps of what arrives, and offers the window that
// the path now takes: 32 MiB over a gigabit and 100 ms come in the 15 round
// trips of slow start, not in 500 of 64 KiB each.
func TestReceiveBufferFollowsThePath(t *testing.T) {
	for _, x := range []struct {
		name         string
		before, then time.Duration // one way
		most         time.Duration
	}{
		{"short", 500 * time.Microsecond, 500 * time.Microsecond, 400 * time.Millisecond},
		{"long", 50 * time.Millisecond, 50 * time.Millisecond, 3 * time.Second},
		{"longer", 500 * time.Microsecond, 50 * time.Millisecond, 3 * time.Second},
		{"shorter", 50 * time.Millisecond, 500 * time.Microsecond, 800 * time.Millisecond},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wire := estabtest.Link{Delay: x.before, Rate: 1e9, Queue: 4000}
				n := estabtest.New(t, wire)
				c, s := connected(t, n)
				wire.Delay = x.then
				n.SetLink("a", "b", wire)
				const size = 32 << 20
				start := time.Now()
				go func() {
					c.Write(make([]byte, size))
					c.Close()
				}()
				if got, err := io.Copy(io.Discard, s); got != size || err != nil {
					t.Fatalf("%d bytes, %v", got, err)
				}
				info, _ := s.Info()
				took := time.Since(start)
				t.Logf("%v, receive buffer %d", took, info.ReceiveBuffer)
				if took > x.most {
					t.Errorf("32 MiB took %v, want at most %v: receive buffer %d", took, x.most, info.ReceiveBuffer)
				}
			})
		})
	}
}

// A buffer whose size the user has fixed stays as it is.
func TestFixedReceiveBufferDoesNotGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := connected(t, estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond}))
		if err := s.SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
		go func() {
			c.Write(make([]byte, 4<<20))
			c.Close()
		}()
		if _, err := io.Copy(io.Discard, s); err != nil {
			t.Fatal(err)
		}
		if info, _ := s.Info(); info.ReceiveBuffer != 64<<10 {
			t.Errorf("%d bytes", info.ReceiveBuffer)
		}
	})
}
