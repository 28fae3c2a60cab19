package estabtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"estab"
	"estab/estabtest"
)

// readable reports whether something can be read within d.
func readable(c net.Conn, d time.Duration) bool {
	c.SetReadDeadline(time.Now().Add(d))
	defer c.SetReadDeadline(time.Time{})
	n, _ := c.Read(make([]byte, 1))
	return n == 1
}

// A partition stops both directions, what is under way included; the
// connection survives it.
func TestPartition(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		client, server := connect(t, n.Host("client"), n.Host("server"))
		third, _ := connect(t, n.Host("third"), n.Host("server"))
		write(t, client, "a")
		time.Sleep(5 * ms)
		n.Partition("client", "server")
		if readable(server, minute) {
			t.Error("something passed")
		}
		if _, err := third.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		n.Heal("client", "server")
		if !readable(server, 2*minute) {
			t.Error("nothing passed after the healing")
		}
		n.Partition("server")
		write(t, client, "a")
		if readable(server, minute) {
			t.Error("something passed into isolation")
		}
		n.Heal("server")
		if !readable(server, 2*minute) {
			t.Error("nothing passed after the isolation")
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// A black hole swallows one direction.
func TestBlackHole(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		client, server := connect(t, n.Host("client"), n.Host("server"))
		n.BlackHole("server", "client")
		write(t, client, "a")
		write(t, server, "b")
		if !readable(server, second) || readable(client, minute) {
			t.Error("the wrong direction is swallowed")
		}
		n.Heal("client", "server")
		if !readable(client, 2*minute) {
			t.Error("nothing passed after the healing")
		}
		n.BlackHole("client")
		ctx, cancel := context.WithTimeout(t.Context(), 10*second)
		defer cancel()
		if _, err := n.Host("client").DialContext(ctx, "tcp", "server:81"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial into a black hole: %v", err)
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// A crash says nothing. The peer finds out when it speaks: after the restart,
// by a RST.
func TestCrashAndRestart(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		s := n.Host("server")
		client, server := connect(t, n.Host("client"), s)
		address := client.RemoteAddr().String()
		s.Crash()
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the crashed host reads: %v", err)
		}
		if _, err := s.Listen("tcp", ":80"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the crashed host listens: %v", err)
		}
		if readable(client, minute) {
			t.Error("the client heard of the crash")
		}
		s.Restart()
		go echo(listen(t, s, ":80"))
		time.Sleep(minute)
		write(t, client, "x")
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read after the restart: %v", err)
		}
		c := dial(t, n.Host("client"), address)
		write(t, c, "x")
		read(t, c, "x")
		f := n.Conns()
		if f[0].Server.Err == nil || f[0].Client.Err != syscall.ECONNRESET || f[1].Client.Err != nil {
			t.Errorf("%v", f)
		}
		s.Restart() // without a crash before
		if readable(c, minute) {
			t.Error("the client heard of the restart")
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// A paused host keeps everything, hears nothing and says nothing.
func TestPause(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		client, server := connect(t, n.Host("client"), n.Host("server"))
		n.Host("server").Pause()
		write(t, client, "hello")
		write(t, server, "world")
		if readable(client, minute) || readable(server, minute) {
			t.Error("something passed")
		}
		before := n.Conns()[0].Server.Segments
		n.Host("server").Resume()
		read(t, client, "world")
		read(t, server, "hello")
		if before != 1 {
			t.Errorf("the paused host sent %d segments", before)
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// However long a host is paused, it gives nothing up: neither what nobody
// acknowledges nor connections that are silent.
func TestLongPause(t *testing.T) {
	keepAlive := estabtest.Configure(func(host string, c *estab.Config) {
		if host == "client" {
			c.KeepAlive = 15 * second
		}
	})
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		silent, peer := connect(t, n.Host("client"), n.Host("server"))
		speaks, hears := connect(t, n.Host("client"), n.Host("server"))
		time.Sleep(minute)
		n.Host("client").Pause()
		before := n.Conns()
		write(t, speaks, "hello")
		time.Sleep(48 * time.Hour)
		for i, f := range n.Conns() {
			if f.Client.Segments != before[i].Client.Segments || f.Client.State != "ESTABLISHED" {
				t.Errorf("in the pause: %v", f)
			}
		}
		n.Host("client").Resume()
		read(t, hears, "hello")
		write(t, peer, "world")
		read(t, silent, "world")
		time.Sleep(10 * minute)
		for _, f := range n.Conns() {
			if f.Client.State != "ESTABLISHED" || f.Server.State != "ESTABLISHED" {
				t.Errorf("after the pause: %v", f)
			}
		}
	}, estabtest.Link{Delay: 10 * ms}, keepAlive)
}

// A stalled program doesn't read: the window closes, the peer's Write blocks,
// and Resume lets everything go on. Close ends a Read that is held up.
func TestStall(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		client, server := connect(t, n.Host("client"), n.Host("server"))
		_, other := connect(t, n.Host("client"), n.Host("server"))
		n.Host("server").Stall()
		text := strings.Repeat("x", 12<<20)
		got := make(chan int)
		go func() {
			b, _ := io.ReadAll(server)
			got <- len(b)
		}()
		go func() {
			_, err := other.Read(make([]byte, 1))
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("the closed one reads: %v", err)
			}
			got <- 0
		}()
		client.SetWriteDeadline(time.Now().Add(minute))
		k, err := io.WriteString(client, text)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || k == 0 || k == len(text) {
			t.Errorf("Write to a stalled program: %d, %v", k, err)
		}
		client.SetWriteDeadline(time.Time{})
		other.Close()
		<-got
		n.Host("server").Resume()
		if _, err := io.WriteString(client, text[k:]); err != nil {
			t.Error(err)
		}
		client.Close()
		if all := <-got; all != len(text) {
			t.Errorf("%d bytes", all)
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// Both ends of a connection get a RST that neither sent.
func TestReset(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		client, server := connect(t, n.Host("client"), n.Host("server"))
		write(t, client, "hello")
		read(t, server, "hello")
		n.Reset("server", "client")
		for _, c := range []net.Conn{client, server} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read: %v", err)
			}
		}
		n.NoConnectionLeft()
	}, estabtest.Link{Delay: 10 * ms})
}

// Under a flood of SYNs others still connect.
func TestFlood(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		go echo(listen(t, n.Host("server"), ":80"))
		n.Flood("server:80", 5000, 5*second)
		time.Sleep(3 * second)
		for range 20 {
			c := dial(t, n.Host("client"), "server:80")
			write(t, c, "x")
			read(t, c, "x")
			c.Close()
		}
		if f := n.Conns(); len(f) != 20 {
			t.Errorf("%d connections", len(f))
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// A translator of addresses forgets an idle connection: what is then sent is
// lost, or answered with a RST. Keep-alive keeps it from forgetting.
func TestForgetfulMiddlebox(t *testing.T) {
	for _, test := range []struct {
		name      string
		reset     bool
		keepAlive time.Duration
		want      error
	}{{"silent", false, -1, syscall.ETIMEDOUT}, {"reset", true, -1, syscall.ECONNRESET}, {"keep-alive", false, minute, nil}} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *estabtest.Network) {
				n.Host("client")
				n.Host("server")
				n.SetMiddlebox("client", "server", estabtest.Middlebox{Forget: 5 * minute, Reset: test.reset})
				go echo(listen(t, n.Host("server"), ":80"))
				c := dial(t, n.Host("client"), "server:80")
				time.Sleep(10 * minute)
				write(t, c, "x")
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, test.want) {
					t.Errorf("Read: %v, want %v", err, test.want)
				}
			}, estabtest.Link{Delay: 10 * ms}, estabtest.KeepAlive(test.keepAlive))
		})
	}
}

// Options that are taken out are agreed on by nobody, and a clamped MSS holds.
func TestMeddlingMiddlebox(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		n.Host("client")
		n.Host("server")
		n.SetMiddlebox("client", "server", estabtest.Middlebox{
			ClampMSS: 1000, StripSACK: true, StripTimestamps: true, StripWindowScale: true,
		})
		client, server := connect(t, n.Host("client"), n.Host("server"))
		for _, c := range []*estabtest.Conn{client, server} {
			i, err := c.Info()
			if err != nil || i.Timestamps || i.SACK || i.SendScale != 0 || i.ReceiveScale != 0 || i.PathMSS > 1000 {
				t.Errorf("%v, %v", i, err)
			}
		}
		write(t, client, "hello")
		read(t, server, "hello")
		n.SetMiddlebox("client", "server", estabtest.Middlebox{})
		client, _ = connect(t, n.Host("client"), n.Host("server"))
		if i, err := client.Info(); err != nil || !i.Timestamps || !i.SACK || i.SendScale == 0 {
			t.Errorf("%v, %v", i, err)
		}
	})
}

// Options that hosts are configured with hold in every life.
func TestConfigureEveryLife(t *testing.T) {
	lives := 0
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		n.Host("a").Restart()
		n.Host("a").Restart()
		if lives != 3 {
			t.Errorf("%d lives", lives)
		}
	}, estabtest.Configure(func(string, *estab.Config) { lives++ }))
}
