package kernel

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"estab"
	"estab/link"
)

func deadline(t testing.TB, conns ...net.Conn) {
	t.Helper()
	for _, c := range conns {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustWrite(t testing.TB, c net.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
}

func mustRead(t testing.TB, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if n, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("Read: %q, %v; want %q", b[:n], err, want)
	}
}

func mustEOF(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("Read: %d, %v; want EOF", n, err)
	}
}

// closers are a connection's ends in the order in which they close.
func closers(e ends, estabFirst bool) (first, second halfCloser) {
	if estabFirst {
		return e.estab, e.kernel
	}
	return e.kernel, e.estab
}

// eachFirst runs f for both orders of closing, families and roles.
func eachFirst(t *testing.T, s setting, f func(w *world, e ends, estabFirst bool)) {
	for _, estabFirst := range []bool{false, true} {
		name := "kernel first"
		if estabFirst {
			name = "estab first"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, s, func(w *world, e ends) { f(w, e, estabFirst) })
		})
	}
}

// After one end has closed its direction, data flows the other way for as long
// as the other end wants, and the end that has closed still reads it.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	rest := 500 * time.Millisecond
	if long() {
		rest = 5 * time.Second
	}
	eachFirst(t, watched(setting{}), func(w *world, e ends, estabFirst bool) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		first, second := closers(e, estabFirst)
		mustWrite(t, first, "the last word")
		if err := first.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		mustRead(t, second, "the last word")
		mustEOF(t, second)
		for end, i := time.Now().Add(rest), 0; time.Now().Before(end) || i < 10; i++ {
			b := bytes.Repeat([]byte{byte(i)}, 10_000)
			go second.Write(b)
			got := make([]byte, len(b))
			if _, err := io.ReadFull(first, got); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("round %d: %v", i, err)
			}
			states := map[bool][2]string{false: {"FIN-WAIT-2", "CLOSE-WAIT"}, true: {"CLOSE-WAIT", "FIN-WAIT-2"}}[estabFirst]
			if i == 0 {
				eventually(t, "the states "+strings.Join(states[:], " and "), func() bool {
					return w.state(e) == states[0] && estabState(e) == states[1]
				})
			}
		}
		if n, err := first.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after CloseWrite: %d, %v", n, err)
		}
		second.Close()
		mustEOF(t, first)
	})
}

// steadyWait makes the kernel's TIME-WAIT outlive resets (RFC 1337). There is
// one when estab, kept waiting for a processor, repeats its FIN: the second of
// the two answers finds nobody any more.
var steadyWait = map[string]string{"net.ipv4.tcp_rfc1337": "1"}

// Whoever closes first holds TIME-WAIT, and the other end nothing.
func TestTimeWait(t *testing.T) {
	t.Parallel()
	eachFirst(t, watched(setting{cfg: estab.Config{MSL: 500 * time.Millisecond}, sysctls: steadyWait}), func(w *world, e ends, estabFirst bool) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
		first, second := closers(e, estabFirst)
		first.Close()
		mustEOF(t, second)
		second.Close()
		if estabFirst {
			want := "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"
			eventually(t, want, func() bool { return strings.HasSuffix(h.path(), want) })
			eventually(t, "the kernel has nothing left", func() bool { return w.state(e) == "" })
			eventually(t, "estab's TIME-WAIT ends", func() bool { return strings.HasSuffix(h.path(), want+" CLOSED") })
			return
		}
		eventually(t, "the kernel's TIME-WAIT", func() bool { return w.state(e) == "TIME-WAIT" })
		eventually(t, "estab is CLOSED", func() bool { return strings.HasSuffix(h.path(), "CLOSE-WAIT LAST-ACK CLOSED") })
	})
}

// Both close before either hears of it: FINs cross, both go through CLOSING to
// TIME-WAIT.
func TestSimultaneousClose(t *testing.T) {
	t.Parallel()
	s := watched(setting{impair: link.Impairment{Out: "delay 100ms", In: "delay 100ms"}, sysctls: steadyWait})
	both(t, s, func(w *world, e ends) {
		t := w.t
		h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
		mustWrite(t, e.kernel, "from the kernel")
		mustWrite(t, e.estab, "from estab")
		mustRead(t, e.estab, "from the kernel")
		mustRead(t, e.kernel, "from estab")
		if err := errors.Join(e.kernel.CloseWrite(), e.estab.CloseWrite()); err != nil {
			t.Fatal(err)
		}
		mustEOF(t, e.kernel)
		mustEOF(t, e.estab)
		e.kernel.Close()
		e.estab.Close()
		eventually(t, "the kernel's TIME-WAIT", func() bool { return w.state(e) == "TIME-WAIT" })
		want := "ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT"
		eventually(t, want, func() bool { return strings.HasSuffix(h.path(), want) })
	})
}

// Both close in one breath with unread data nowhere and no delay: whatever the
// interleaving, both reach the end in order.
func TestCloseRace(t *testing.T) {
	t.Parallel()
	n := 20
	if long() {
		n = 500
	}
	families(t, setting{cfg: estab.Config{MSL: -1}}, func(w *world, family int) {
		t := w.t
		for i := range n {
			e := w.connect(family, i%2)
			deadline(t, e.kernel, e.estab)
			go e.kernel.CloseWrite()
			go e.estab.CloseWrite()
			mustEOF(t, e.kernel)
			mustEOF(t, e.estab)
			e.kernel.Close()
			e.estab.Close()
			eventually(t, "the kernel is past the close", func() bool {
				s := w.state(e)
				return s == "" || s == "TIME-WAIT"
			})
		}
	})
}

// A reset in the middle, by SO_LINGER 0: the other end's reads and writes fail
// with ECONNRESET (then EPIPE), and neither keeps anything.
func TestReset(t *testing.T) {
	t.Parallel()
	eachFirst(t, watched(setting{}), func(w *world, e ends, estabFirst bool) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
		first, second := closers(e, estabFirst)
		mustWrite(t, first, "hello")
		mustRead(t, second, "hello")
		if err := first.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, first, "unheard")
		first.Close()
		eventually(t, "the kernel has nothing left", func() bool {
			s := w.state(e)
			return s == "" || s == "CLOSED"
		})
		eventually(t, "estab is CLOSED", func() bool { return strings.HasSuffix(h.path(), "CLOSED") })
		b := make([]byte, 100)
		_, err := io.ReadFull(second, b)
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
		if _, err := second.Write(b); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write: %v", err)
		}
	})
}

// An end that closes with unread data sends a RST (RFC 2525 §2.17, SHLD-3), as
// does the kernel for a process that is killed.
func TestCloseWithUnreadData(t *testing.T) {
	t.Parallel()
	eachFirst(t, watched(setting{}), func(w *world, e ends, estabFirst bool) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		h := w.history(e.estab.LocalAddr(), e.estab.RemoteAddr())
		first, second := closers(e, estabFirst)
		mustWrite(t, second, "never read")
		mustWrite(t, first, "read")
		mustRead(t, second, "read")
		if estabFirst {
			eventually(t, "the data is there", func() bool { i, err := e.estab.Info(); return err == nil && i.ReceiveQueue == 10 })
		} else {
			eventually(t, "the data is there", func() bool { i, err := e.estab.Info(); return err == nil && i.SendQueue == 0 })
		}
		first.Close()
		if n, err := second.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %d, %v", n, err)
		}
		eventually(t, "estab is CLOSED", func() bool { return strings.HasSuffix(h.path(), "CLOSED") })
		if strings.Contains(h.path(), "TIME-WAIT") || w.state(e) == "TIME-WAIT" {
			t.Errorf("somebody waits: estab %s, kernel %s", h.path(), w.state(e))
		}
	})
}
