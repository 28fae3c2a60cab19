package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab"
	"estab/link"
)

// Nobody listens: ECONNREFUSED at once, both ways.
func TestRefused(t *testing.T) {
	t.Parallel()
	families(t, setting{}, func(w *world, family int) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for role, dial := range []func(context.Context, string, string) (net.Conn, error){w.kernelDial, w.host.DialContext} {
			to := []netip.Prefix{estabAddrs[family], kernelAddrs[family]}[role].Addr()
			start := time.Now()
			if c, err := dial(ctx, "tcp", netip.AddrPortFrom(to, 9).String()); !errors.Is(err, syscall.ECONNREFUSED) {
				w.t.Errorf("%s: %v, %v", roles[role], c, err)
			}
			if d := time.Since(start); d > 900*time.Millisecond { // a repeat of the SYN would come after a second
				w.t.Errorf("%s: refused after %v", roles[role], d)
			}
		}
	})
}

// Nobody is there: ETIMEDOUT, here after one repeat of the SYN, or the
// dialer's own time-out.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	families(t, setting{cfg: estab.Config{}}, func(w *world, family int) {
		t := w.t
		silent := netip.MustParseAddrPort([]string{"10.77.0.99:80", "[fd77::99]:80"}[family])
		if err := w.wire.Set("loss 100%", ""); err != nil { // nor may the kernel complain for them
			t.Fatal(err)
		}
		start := time.Now()
		var err error
		w.inside(func() {
			d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
				return c.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_SYNCNT, 1) })
			}}
			_, err = d.Dial("tcp", silent.String())
		})
		// 1 s, then 2 s, and some kernels wait one more round in the linear part
		if d := time.Since(start); !errors.Is(err, syscall.ETIMEDOUT) || d < 1900*time.Millisecond {
			t.Errorf("the kernel: %v after %v", err, d)
		}
		start = time.Now()
		d := estab.Dialer{Host: w.host, UserTimeout: time.Second, Timeout: 10 * time.Second}
		_, err = d.Dial("tcp", silent.String())
		if d := time.Since(start); !errors.Is(err, syscall.ETIMEDOUT) || d < 900*time.Millisecond {
			t.Errorf("estab, UserTimeout: %v after %v", err, d)
		}
		d = estab.Dialer{Host: w.host, Timeout: 300 * time.Millisecond}
		_, err = d.Dial("tcp", silent.String())
		if ne := net.Error(nil); !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("estab, Timeout: %v", err)
		}
	})
}

// The peer falls silent in the middle: with a user timeout the one with data
// in flight gives up with ETIMEDOUT (RFC 5482).
func TestPeerGoesSilent(t *testing.T) {
	t.Parallel()
	families(t, setting{}, func(w *world, family int) {
		t := w.t
		l := w.estabListen(family)
		c, err := w.kernelDial(context.Background(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := setInt(c.(*net.TCPConn), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 700); err != nil {
			t.Fatal(err)
		}
		kl := w.kernelListen(family)
		d := estab.Dialer{Host: w.host, UserTimeout: 700 * time.Millisecond}
		ec, err := d.Dial("tcp", kl.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.wire.Set("loss 100%", "loss 100%"); err != nil {
			t.Fatal(err)
		}
		deadline(t, c, ec)
		for i, c := range []net.Conn{c, ec} {
			mustWrite(t, c, "is anybody there?")
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
				t.Errorf("%s: %v", []string{"kernel", "estab"}[i], err)
			}
		}
	})
}

func setInt(c *net.TCPConn, level, opt, value int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	err = raw.Control(func(fd uintptr) { serr = unix.SetsockoptInt(int(fd), level, opt, value) })
	return errors.Join(err, serr)
}

// serveEcho answers each connection with what it sends, and closes when the
// other has.
func serveEcho(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

// ask sends a question of some length over a connection of its own, and
// expects it back.
func ask(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), addr string, n int) error {
	c, err := dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	b := make([]byte, n)
	io.ReadFull(noise(byte(n), int64(n)), b)
	if _, err := c.Write(b); err != nil {
		return err
	}
	if err := c.(halfCloser).CloseWrite(); err != nil {
		return err
	}
	got, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if string(got) != string(b) {
		return fmt.Errorf("%d bytes came back, not the %d that were sent", len(got), n)
	}
	return nil
}

// Short connections: one after another and 200 at once, on a clean wire and on
// a bad one.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, impair string
		sequence     int
	}{{"clean", "", 100}, {"bad", "delay 1ms 1ms loss 1% reorder 10%", 30}} {
		if long() {
			c.sequence = 1000
		}
		t.Run(c.name, func(t *testing.T) {
			s := setting{impair: link.Impairment{Out: c.impair, In: c.impair, Seed: 3}}
			families(t, s, func(w *world, family int) {
				for role, name := range roles {
					l, dial := w.estabListen(family), w.kernelDial
					if role == estabDials {
						l, dial = w.kernelListen(family), w.host.DialContext
					}
					go serveEcho(l)
					manyConnections(w.t, name, c.sequence, dial, l.Addr().String())
					l.Close()
				}
			})
		})
	}
}

func manyConnections(t *testing.T, name string, sequence int, dial func(context.Context, string, string) (net.Conn, error), addr string) {
	ctx, cancel := context.WithTimeout(context.Background(), lifetime())
	defer cancel()
	for i := range sequence {
		if err := ask(ctx, dial, addr, i*7); err != nil {
			t.Fatalf("%s, the %dth in sequence: %v", name, i, err)
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() { errs[i] = ask(ctx, dial, addr, i*100) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("%s, parallel connection %d: %v", name, i, err)
		}
	}
}

// kernelDialFrom dials from a given socket in the kernel, which may be in
// TIME-WAIT.
func (w *world) kernelDialFrom(local, to net.Addr) (c net.Conn, err error) {
	w.inside(func() {
		d := net.Dialer{LocalAddr: local, KeepAlive: -1, Timeout: patience, Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
		}}
		c, err = d.Dial("tcp", to.String())
	})
	return c, err
}

// While estab holds TIME-WAIT, the kernel opens the same pair of sockets
// again: its SYN is newer, so it is taken (RFC 6191), and the old one is gone.
func TestReopenEstabInTimeWait(t *testing.T) {
	t.Parallel()
	families(t, watched(setting{}), func(w *world, family int) {
		t := w.t
		l := w.estabListen(family)
		var local net.Addr
		for i := range 5 {
			c, err := w.kernelDialFrom(local, l.Addr())
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			deadline(t, c, s)
			h := w.history(s.LocalAddr(), s.RemoteAddr())
			mustWrite(t, c, "question")
			mustRead(t, s, "question")
			s.Close()
			mustEOF(t, c)
			local = c.LocalAddr()
			c.Close()
			want := "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"
			eventually(t, want, func() bool { return strings.HasSuffix(h.path(), want) })
		}
	})
}

// While the kernel holds TIME-WAIT, estab opens the same pair again.
func TestReopenKernelInTimeWait(t *testing.T) {
	t.Parallel()
	families(t, watched(setting{sysctls: steadyWait}), func(w *world, family int) {
		t := w.t
		l := w.kernelListen(family)
		d := estab.Dialer{Host: w.host, Timeout: patience}
		for i := range 3 {
			c, err := d.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			deadline(t, c, s)
			mustWrite(t, c, "question")
			mustRead(t, s, "question")
			s.Close()
			mustEOF(t, c)
			d.LocalAddr = c.LocalAddr().(*net.TCPAddr).AddrPort()
			h := w.history(c.LocalAddr(), c.RemoteAddr())
			c.Close()
			eventually(t, "the kernel's TIME-WAIT, estab CLOSED", func() bool {
				return w.kernelState(s.LocalAddr(), s.RemoteAddr()) == "TIME-WAIT" && strings.HasSuffix(h.path(), "LAST-ACK CLOSED")
			})
		}
	})
}

// While estab holds TIME-WAIT as the one who dialled, it may dial again from
// the same socket once a second has passed, and not before.
func TestRedialFromTimeWait(t *testing.T) {
	t.Parallel()
	families(t, watched(setting{}), func(w *world, family int) {
		t := w.t
		l := w.kernelListen(family)
		d := estab.Dialer{Host: w.host, Timeout: patience}
		for i := range 2 {
			var c net.Conn
			var err error
			refused := 0
			eventually(t, "the pair is free again", func() bool {
				c, err = d.Dial("tcp", l.Addr().String())
				if err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EADDRINUSE) {
					t.Fatalf("round %d: %v", i, err)
				}
				if err != nil {
					refused++
				}
				return err == nil
			})
			if i > 0 && refused == 0 {
				t.Error("the pair was given out again at once")
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			deadline(t, c, s)
			h := w.history(c.LocalAddr(), c.RemoteAddr())
			mustWrite(t, c, "question")
			mustRead(t, s, "question")
			d.LocalAddr = c.LocalAddr().(*net.TCPAddr).AddrPort()
			c.Close()
			mustEOF(t, s)
			s.Close()
			eventually(t, "TIME-WAIT", func() bool { return strings.HasSuffix(h.path(), "TIME-WAIT") })
		}
	})
}
