package estabtest_test

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"estab/estabtest"
)

// upload sends n bytes from client to server and returns how long it took and
// what the network saw.
func upload(t *testing.T, n *estabtest.Network, bytes int) (time.Duration, estabtest.Flow) {
	t.Helper()
	client, server := connect(t, n.Host("client"), n.Host("server"))
	start := time.Now()
	go func() {
		io.WriteString(client, strings.Repeat("x", bytes))
		client.Close()
	}()
	got, err := io.ReadAll(server)
	if err != nil || len(got) != bytes {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	took := time.Since(start)
	server.Close()
	flows := n.Conns()
	return took, flows[len(flows)-1]
}

// The shares of what is lost are those that were asked for, at random and in
// bursts, each way by itself.
func TestLoss(t *testing.T) {
	for _, test := range []struct {
		link estabtest.Link
		want float64
	}{
		{estabtest.Link{Delay: ms, Loss: 0.05}, 0.05},
		{estabtest.Link{Delay: ms, Loss: 0.05, Burst: 4}, 0.05},
		{estabtest.Link{Netem: "delay 1ms loss 5%"}, 0.05},
	} {
		bubble(t, func(t *testing.T, n *estabtest.Network) {
			n.Host("client")
			n.Host("server")
			n.SetPath("server", "client", estabtest.Link{Delay: ms})
			_, f := upload(t, n, 10<<20)
			if share := float64(f.Client.Lost) / float64(f.Client.Segments); math.Abs(share-test.want) > 0.01 {
				t.Errorf("%+v: lost %.3f of %d segments", test.link, share, f.Client.Segments)
			}
			if f.Server.Lost != 0 {
				t.Errorf("%+v: the way back lost %d", test.link, f.Server.Lost)
			}
		}, test.link)
	}
}

// Losses come in rows of the mean length that was asked for.
func TestBurst(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		var fates []string
		for range 40 { // a flow remembers 1,000 segments
			_, f := upload(t, n, 500_000)
			for _, s := range f.Segments() {
				if s.FromClient {
					fates = append(fates, s.Lost)
				}
			}
		}
		rows, lost := 0, 0
		for i, f := range fates {
			if f == "lost" {
				lost++
				if i == 0 || fates[i-1] != "lost" {
					rows++
				}
			}
		}
		if mean := float64(lost) / float64(rows); mean < 2.5 || mean > 3.5 {
			t.Errorf("%d losses in %d rows", lost, rows)
		}
	}, estabtest.Link{Delay: ms, Loss: 0.05, Burst: 3})
}

// A rate holds, and a link that many share is shared.
func TestRate(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		took, _ := upload(t, n, 1_000_000)
		if want := 8 * second / 10; took < want || took > want*12/10 {
			t.Errorf("1 MB at 10 Mbit/s took %v", took)
		}
	}, estabtest.Link{Delay: 5 * ms, Rate: 10_000_000})
}

// The access link of a router is the narrow place of all behind it.
func TestSharedRouter(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		a, b, server := n.Host("a"), n.Host("b"), n.Host("server")
		n.Router("home")
		n.SetLink("a", "home", estabtest.Link{})
		n.SetLink("b", "home", estabtest.Link{})
		n.SetLink("home", estabtest.Switch, estabtest.Link{Delay: 10 * ms, Rate: 8_000_000})
		l := listen(t, server, ":80")
		done := make(chan time.Duration)
		start := time.Now()
		for _, h := range []*estabtest.Host{a, b} {
			go func() {
				c := dial(t, h, "server:80")
				io.WriteString(c, strings.Repeat("x", 1_000_000))
				c.Close()
			}()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				io.Copy(io.Discard, c)
				done <- time.Since(start)
			}()
		}
		<-done
		if both := <-done; both < 2*second || both > 2500*ms {
			t.Errorf("twice 1 MB at 8 Mbit/s took %v", both)
		}
	})
}

// Duplicates, flipped bits, jitter and overtaking harm nobody, and are seen.
func TestRoughPath(t *testing.T) {
	for _, link := range []estabtest.Link{
		{Delay: 5 * ms, Duplicate: 0.1}, {Delay: 5 * ms, Corrupt: 0.02}, {Delay: 5 * ms, Reorder: 0.1},
		{Delay: 5 * ms, Jitter: 5 * ms}, {Netem: "delay 5ms 2ms duplicate 2% corrupt 1% reorder 5% loss 1%"},
	} {
		bubble(t, func(t *testing.T, n *estabtest.Network) { upload(t, n, 300_000) }, link)
	}
}

// Jitter alone lets nobody overtake; Reorder does.
func TestOrder(t *testing.T) {
	for _, test := range []struct {
		link estabtest.Link
		want bool
	}{
		{estabtest.Link{Delay: 20 * ms, Jitter: 20 * ms}, false},
		{estabtest.Link{Delay: 20 * ms, Jitter: 20 * ms, Reorder: 0.05}, true},
	} {
		bubble(t, func(t *testing.T, n *estabtest.Network) {
			_, f := upload(t, n, 300_000)
			overtook, latest := false, time.Duration(0)
			for _, s := range f.Segments() {
				if s.FromClient {
					overtook = overtook || s.Arrived < latest
					latest = max(latest, s.Arrived)
				}
			}
			if overtook != test.want {
				t.Errorf("%+v: overtaking: %v", test.link, overtook)
			}
		}, test.link)
	}
}

// A path that takes smaller packets than the hosts' links says so, and nothing
// gets lost but time.
func TestMTU(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		n.Host("client")
		n.Host("server")
		n.SetLink("client", "server", estabtest.Link{Delay: ms, MTU: 1280})
		took, f := upload(t, n, 300_000)
		if took > second || f.Client.Lost == 0 {
			t.Errorf("took %v: %v", took, f)
		}
		for _, s := range f.Segments() {
			if s.Len > 1280-40 && s.Lost == "" {
				t.Errorf("passed: %v", s)
			}
		}
	})
}

// A smaller MTU for all hosts is known to them from the start.
func TestMTUOfAll(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		if _, f := upload(t, n, 300_000); f.Client.Lost != 0 {
			t.Errorf("%v", f)
		}
	}, estabtest.Link{Delay: ms, MTU: 576})
}

// A link changes while traffic is under way.
func TestChange(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		client, server := connect(t, n.Host("client"), n.Host("server"))
		for _, delay := range []time.Duration{10 * ms, 100 * ms, ms} {
			n.SetLink("client", "server", estabtest.Link{Delay: delay})
			start := time.Now()
			write(t, client, "x")
			read(t, server, "x")
			about(t, "one way", time.Since(start), delay)
		}
	}, estabtest.Link{Delay: 10 * ms})
}

// Hosts behind routers reach everybody, by the shortest way; hosts don't
// forward.
func TestRouters(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		for _, name := range []string{"a", "b", "c"} {
			go echo(listen(t, n.Host(name), ":7"))
		}
		n.Router("r1")
		n.Router("r2")
		n.SetLink("a", "r1", estabtest.Link{Delay: ms})
		n.SetLink("r1", "r2", estabtest.Link{Delay: 20 * ms})
		n.SetLink("r2", "b", estabtest.Link{Delay: ms})
		for _, test := range []struct {
			from, to string
			want     time.Duration
		}{{"a", "b", 44 * ms}, {"b", "a", 44 * ms}, {"a", "c", 2 * ms}, {"c", "b", 2 * ms}} {
			start := time.Now()
			dial(t, n.Host(test.from), test.to+":7")
			about(t, test.from+" to "+test.to, time.Since(start), test.want)
		}
		n.SetLink("r1", "r2", estabtest.Link{Delay: 40 * ms})
		n.SetPath("r2", "r1", estabtest.Link{Delay: 5 * ms})
		start := time.Now()
		dial(t, n.Host("a"), "b:7")
		about(t, "the changed way", time.Since(start), 49*ms)
	})
}

// The third segment from the client is lost, and nothing else.
func TestDrop(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		var lost []string
		stop := n.Drop(func(s estabtest.Segment) bool {
			hit := s.From == "client" && s.Conn == 1 && s.N == 3
			if hit {
				lost = append(lost, s.String())
			}
			return hit
		})
		client, server := connect(t, n.Host("client"), n.Host("server"))
		start := time.Now()
		write(t, client, "hello")
		read(t, server, "hello")
		if d := time.Since(start); d < 200*ms || d > second {
			t.Errorf("the retransmission came after %v", d)
		}
		stop()
		if f := n.Conns()[0]; len(lost) != 1 || f.Client.Lost != 1 || f.Client.Retransmissions != 1 {
			t.Errorf("lost %q; %v", lost, f)
		}
	}, estabtest.Link{Delay: 10 * ms})
}
