package kernel

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab"
)

// The reader sleeps until the sender's window is zero, and for a while after:
// the sender probes and doesn't give up, and afterwards everything arrives.
func TestZeroWindow(t *testing.T) {
	t.Parallel()
	sleep, n := 1500*time.Millisecond, int64(2<<20)
	if long() {
		sleep, n = 10*time.Second, 12<<20
	}
	for _, estabSends := range []bool{true, false} {
		name := "kernel sends"
		if estabSends {
			name = "estab sends"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, setting{}, func(w *world, e ends) {
				t := w.t
				deadline(t, e.kernel, e.estab)
				from, to := closers(e, estabSends)
				if err := errors.Join(e.kernel.SetReadBuffer(64<<10), e.estab.SetReadBuffer(64<<10)); err != nil {
					t.Fatal(err)
				}
				before, _ := e.estab.Info()
				go func() {
					io.Copy(from, noise(1, n))
					from.CloseWrite()
				}()
				if estabSends {
					// "on" if the kernel has dropped what came before it shut the
					// window: the repeats of that are probes.
					eventually(t, "estab probes", func() bool {
						i, err := e.estab.Info()
						return err == nil && i.SendWindow == 0 && (i.Timer == "persist" || i.Timer == "on")
					})
				} else {
					eventually(t, "the kernel probes", func() bool {
						i, err := e.estab.Info()
						return err == nil && i.ReceiveWindow == 0 && kernelInfo(t, e.kernel).Probes > 0
					})
				}
				time.Sleep(sleep) // this is what is tested: nothing comes of it
				if i, err := e.estab.Info(); err != nil || i.State != "ESTABLISHED" || i.MSS != before.MSS {
					t.Errorf("after the sleep: %v, %v; the MSS was %d", i, err, before.MSS)
				}
				h := newDigest()
				if m, err := io.Copy(h, to); m != n || err != nil || h.sum() != digest(1, n) {
					t.Errorf("%d of %d bytes, %v", m, n, err)
				}
			})
		})
	}
}

// kernelInfo is TCP_INFO.
func kernelInfo(t testing.TB, c *net.TCPConn) *unix.TCPInfo {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var ierr error
	if err := raw.Control(func(fd uintptr) { info, ierr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil || ierr != nil {
		t.Fatal(err, ierr)
	}
	return info
}

// Keep-alive: each end's probes are answered by the other, however long nobody
// says anything, and the connection still works.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	both(t, setting{}, func(w *world, e ends) {
		t := w.t
		c := net.KeepAliveConfig{Enable: true, Idle: 200 * time.Millisecond, Interval: 200 * time.Millisecond, Count: 3}
		if err := e.estab.SetKeepAliveConfig(c); err != nil {
			t.Fatal(err)
		}
		before := kernelInfo(t, e.kernel)
		eventually(t, "estab has sent ten probes", func() bool {
			return kernelInfo(t, e.kernel).Segs_in >= before.Segs_in+10
		})
		if err := e.estab.SetKeepAlive(false); err != nil {
			t.Fatal(err)
		}
		k := net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 9} // whole seconds are the least
		if err := e.kernel.SetKeepAliveConfig(k); err != nil {
			t.Fatal(err)
		}
		before = kernelInfo(t, e.kernel)
		eventually(t, "the kernel has sent three probes and had three answers", func() bool {
			now := kernelInfo(t, e.kernel)
			return now.Segs_out >= before.Segs_out+3 && now.Segs_in >= before.Segs_in+3
		})
		mustWrite(t, e.kernel, "still there?")
		mustRead(t, e.estab, "still there?")
		mustWrite(t, e.estab, "yes")
		mustRead(t, e.kernel, "yes")
	})
}

// Keep-alive to a peer that is gone ends the connection with ETIMEDOUT, on
// both sides.
func TestKeepAliveToNobody(t *testing.T) {
	t.Parallel()
	both(t, setting{}, func(w *world, e ends) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		c := net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 2}
		if err := errors.Join(e.estab.SetKeepAliveConfig(c), e.kernel.SetKeepAliveConfig(c)); err != nil {
			t.Fatal(err)
		}
		if err := w.wire.Set("loss 100%", "loss 100%"); err != nil {
			t.Fatal(err)
		}
		start := time.Now() // the silence has begun a little earlier
		for i, c := range []net.Conn{e.estab, e.kernel} {
			_, err := c.Read(make([]byte, 1))
			if d := time.Since(start); !errors.Is(err, syscall.ETIMEDOUT) || d < 2*time.Second {
				t.Errorf("%s: %v after %v", []string{"estab", "kernel"}[i], err, d)
			}
		}
	})
}

// Urgent data from the kernel (MSG_OOB) is delivered in line, in its place
// (RFC 6093 §4: applications get it so).
func TestUrgent(t *testing.T) {
	t.Parallel()
	both(t, setting{}, func(w *world, e ends) {
		t := w.t
		deadline(t, e.estab)
		raw, err := e.kernel.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		for i := range 100 {
			text := bytes.Repeat([]byte{'a' + byte(i%26)}, 1+i*50)
			want.Write(text)
			want.WriteByte('!')
			mustWrite(t, e.kernel, string(text))
			var serr error
			err := raw.Write(func(fd uintptr) bool {
				serr = unix.Sendto(int(fd), []byte{'!'}, unix.MSG_OOB, nil)
				return serr != unix.EAGAIN
			})
			if err != nil || serr != nil {
				t.Fatal(err, serr)
			}
		}
		if err := e.kernel.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(e.estab)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d bytes, want %d, %v; %d of %d marks", len(got), want.Len(), err, bytes.Count(got, []byte("!")), 100)
		}
	})
}

// One byte at a time, each an answer to the other: nothing waits for a timer,
// the shortest of which is that of the kernel's delayed acknowledgements, 40
// ms. Goroutines have to wait for a processor, so some rounds may take long, but
// not all; and this test does not run beside others.
func TestPingPong(t *testing.T) {
	both(t, setting{}, func(w *world, e ends) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		go io.Copy(e.kernel, e.kernel)
		rounds := make([]time.Duration, 500)
		for i := range rounds {
			start := time.Now()
			mustWrite(t, e.estab, string('a'+rune(i%26)))
			mustRead(t, e.estab, string('a'+rune(i%26)))
			rounds[i] = time.Since(start)
		}
		slices.Sort(rounds)
		if d := rounds[len(rounds)/10]; d > 35*time.Millisecond {
			t.Errorf("nine of ten round trips took more than %v; the longest %v", d, rounds[len(rounds)-1])
		}
	})
}

// A connection lives through a silence of the wire, and through an interface
// that is down for a while.
func TestOutage(t *testing.T) {
	t.Parallel()
	both(t, setting{cfg: estab.Config{}}, func(w *world, e ends) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		mustWrite(t, e.kernel, "before")
		mustRead(t, e.estab, "before")
		if err := w.wire.Set("loss 100%", "loss 100%"); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, e.kernel, strings.Repeat("k", 10_000))
		mustWrite(t, e.estab, strings.Repeat("e", 10_000))
		eventually(t, "both have sent it again", func() bool {
			i, err := e.estab.Info()
			return err == nil && i.Retries >= 1 && kernelInfo(t, e.kernel).Backoff >= 1
		})
		if err := w.wire.Set("", ""); err != nil {
			t.Fatal(err)
		}
		mustRead(t, e.estab, strings.Repeat("k", 10_000))
		mustRead(t, e.kernel, strings.Repeat("e", 10_000))
	})
}
