package estabtest_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
)

// failing runs f in a bubble on a network whose test may fail, and returns
// the test when it has ended.
func failing(t *testing.T, f func(t *fakeT, n *estabtest.Network), opts ...estabtest.Option) *fakeT {
	t.Helper()
	var fake *fakeT
	synctest.Test(t, func(t *testing.T) {
		fake = &fakeT{TB: t, name: t.Name()}
		f(fake, estabtest.New(fake, opts...))
		fake.end()
	})
	return fake
}

func wantIn(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in:\n%s", w, text)
		}
	}
}

// A test that fails tells the seed, what it did to the network, and the ladder
// of what didn't end well.
func TestReport(t *testing.T) {
	got := failing(t, func(t *fakeT, n *estabtest.Network) {
		c, s := connect(t, n.Host("app"), n.Host("db.internal"))
		c.Close()
		s.Close()
		time.Sleep(second)
		c, _ = connect(t, n.Host("app"), n.Host("db.internal"))
		n.Partition("app", "db.internal")
		write(t, c, "SELECT 1")
		time.Sleep(second)
		t.Fail()
	}, estabtest.Link{Delay: 10 * ms}, estabtest.Seed(42))
	wantIn(t, got.log.String(),
		"seed 42 (ESTAB_SEED=42 replays it)", "1.060000 s  Partition(app, db.internal)",
		"Of 2 connections 1 didn't end well", "partition", "SYN,ACK seq 0 ack 1", "len 8", "ESTABLISHED")
	if n := strings.Count(got.log.String(), "SYN seq 0"); n != 1 {
		t.Errorf("%d ladders", n)
	}
}

// A test that passes says nothing.
func TestNoReport(t *testing.T) {
	got := failing(t, func(t *fakeT, n *estabtest.Network) {
		connect(t, n.Host("a"), n.Host("b"))
	})
	if got.log.Len() != 0 || got.failed {
		t.Errorf("log: %s", got.log.String())
	}
}

// However much went wrong, the log stays readable.
func TestReportIsLimited(t *testing.T) {
	got := failing(t, func(t *fakeT, n *estabtest.Network) {
		h := n.Host("server")
		l := listen(t, h, ":80")
		go echo(l)
		for range 100 {
			c := dial(t, n.Host("client"), "server:80")
			go io.Copy(io.Discard, c)
			io.WriteString(c, strings.Repeat("x", 200000))
		}
		h.Crash()
		time.Sleep(second)
		t.Fail()
	}, estabtest.Link{Delay: ms})
	if n := strings.Count(got.log.String(), "\n"); n > 500 {
		t.Errorf("%d lines", n)
	}
	wantIn(t, got.log.String(), "Of 100 connections 100 didn't end well", "its host crashed")
}

// NoConnectionLeft names what is left.
func TestNoConnectionLeft(t *testing.T) {
	got := failing(t, func(t *fakeT, n *estabtest.Network) {
		c, s := connect(t, n.Host("a"), n.Host("b"))
		n.NoConnectionLeft()
		c.Close()
		s.Close()
		time.Sleep(second)
		if !t.failed {
			panic("a connection is open")
		}
		before := t.log.Len()
		n.NoConnectionLeft() // TIME-WAIT is none
		if t.log.Len() != before {
			panic(t.log.String())
		}
	})
	wantIn(t, got.log.String(), "connections left: 1", "a:", "b:80 ESTABLISHED")
}

// Everybody waits: the test fails at once with a ladder, and goes on, for the
// hosts are closed.
func TestDeadlock(t *testing.T) {
	got := failing(t, func(t *fakeT, n *estabtest.Network) {
		c, _ := connect(t, n.Host("a"), n.Host("b"))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			panic(err)
		}
	})
	wantIn(t, got.log.String(), "everybody waits", "b:80 ESTABLISHED", "SYN seq 0")
}

// Nothing but keep-alive probes for 24 hours: the same. A test that sleeps
// longer says so.
func TestOnlyProbes(t *testing.T) {
	var ended time.Duration
	got := failing(t, func(t *fakeT, n *estabtest.Network) {
		c, _ := connect(t, n.Host("a"), n.Host("b"))
		start := time.Now()
		c.Read(make([]byte, 1))
		ended = time.Since(start)
	}, estabtest.KeepAlive(minute))
	wantIn(t, got.log.String(), "nothing but probes and repetitions for 24h0m0s", "b:80 ESTABLISHED")
	if ended < 24*time.Hour || ended > 24*time.Hour+2*minute {
		t.Errorf("ended after %v", ended)
	}
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		c, s := connect(t, n.Host("a"), n.Host("b"))
		time.Sleep(48 * time.Hour)
		write(t, c, "x")
		read(t, s, "x")
	}, estabtest.KeepAlive(minute), estabtest.Patience(72*time.Hour))
	bubble(t, func(t *testing.T, n *estabtest.Network) { // nothing at all is no harm
		c, s := connect(t, n.Host("a"), n.Host("b"))
		time.Sleep(1000 * time.Hour)
		write(t, c, "x")
		read(t, s, "x")
	})
}

// The environment wins over Seed and over the test's name; the name's seed is
// the same every time.
func TestSeeds(t *testing.T) {
	seed := func(opts ...estabtest.Option) (s uint64) {
		bubble(t, func(t *testing.T, n *estabtest.Network) { s = n.Seed() }, opts...)
		return s
	}
	if a, b := seed(), seed(); a != b {
		t.Errorf("%d, then %d", a, b)
	}
	if s := seed(estabtest.Seed(7)); s != 7 {
		t.Errorf("Seed(7): %d", s)
	}
	t.Setenv("ESTAB_SEED", "99")
	if s := seed(estabtest.Seed(7)); s != 99 {
		t.Errorf("ESTAB_SEED=99: %d", s)
	}
	t.Setenv("ESTAB_SEED", "random")
	if a, b := seed(), seed(); a == b {
		t.Errorf("random: twice %d", a)
	}
	t.Setenv("ESTAB_SEED", "soon")
	if got := fatal(t, func(t testing.TB) { estabtest.New(t) }); !strings.Contains(got, "ESTAB_SEED") {
		t.Errorf("got %q", got)
	}
}

// Different seeds are different luck.
func TestSeedDecides(t *testing.T) {
	lost := map[string]bool{}
	for seed := range uint64(5) {
		bubble(t, func(t *testing.T, n *estabtest.Network) {
			_, f := upload(t, n, 200_000)
			var fates strings.Builder
			for _, s := range f.Segments() {
				fmt.Fprint(&fates, s.Lost, ";")
			}
			lost[fates.String()] = true
		}, estabtest.Link{Delay: ms, Loss: 0.05}, estabtest.Seed(seed))
	}
	if len(lost) != 5 {
		t.Errorf("%d kinds of luck from 5 seeds", len(lost))
	}
}

// ESTAB_PCAP keeps all packets, with what became of them.
func TestCapture(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "captures")
	t.Setenv("ESTAB_PCAP", dir)
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		upload(t, n, 100_000)
		n.Partition("client", "server")
		if c, err := n.Host("client").DialFunc(estab.Dialer{Timeout: second})(t.Context(), "tcp", "server:80"); err == nil {
			c.Close()
		}
	}, estabtest.Link{Delay: ms, Loss: 0.05})
	b, err := os.ReadFile(filepath.Join(dir, "TestCapture.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, string(b), "client > server: lost", "client > server: partition", "server > client")
}
