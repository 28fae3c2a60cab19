package estabtest_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// The figures of docs/testing.md: go test -bench Speed -v ./estabtest prints
// them. The counts hold on every machine.

// idleTenMinutes is a test with one idle connection under keep-alive.
func idleTenMinutes(t *testing.T) estabtest.Flow {
	n := estabtest.New(t, estabtest.Link{Delay: 30 * ms}, estabtest.KeepAlive(15*second))
	client, server := connect(t, n.Host("client"), n.Host("server"))
	time.Sleep(10 * minute)
	write(t, client, "still there?")
	read(t, server, "still there?")
	return n.Conns()[0]
}

// Ten minutes with an idle connection under keep-alive take single
// milliseconds: they cost a probe of each end and its answer every 15 s, and
// nothing else.
func TestSpeedIdleKeepAlive(t *testing.T) {
	best := time.Hour
	for range 10 {
		start := time.Now()
		synctest.Test(t, func(t *testing.T) {
			const opening, probes, text = 3, 2 * 10 * 60 / 15, 1
			f := idleTenMinutes(t)
			if s := f.Client.Segments + f.Server.Segments; s < 2*(probes-2) || s > opening+2*probes+text {
				t.Errorf("%d probes and their answers: %v", probes, f)
			}
		})
		best = min(best, time.Since(start))
	}
	t.Logf("the best of ten: %v", best)
	if best >= 10*ms && !raceEnabled {
		t.Errorf("ten minutes take %v at best", best)
	}
}

// manyGets fetches a page over a long and lossy link, over and over.
func manyGets(t *testing.T, gets int) *estabtest.Network {
	n := estabtest.New(t, estabtest.Link{Delay: 30 * ms, Loss: 0.02})
	go http.Serve(listen(t, n.Host("db.internal"), ":80"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello")
	}))
	client := &http.Client{Transport: &http.Transport{DialContext: n.Host("app").DialContext}}
	for range gets {
		resp, err := client.Get("http://db.internal/")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); string(b) != "hello\n" || err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	return n
}

// 10,000 requests over 30 ms and 2 % loss take less than 20 seconds, and one
// connection: a request, its answer, an acknowledgement now and then, and what
// is lost once more.
func TestSpeedGets(t *testing.T) {
	gets := 10000
	if testing.Short() {
		gets = 1000
	}
	start := time.Now()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := manyGets(t, gets).Conns()
		t.Logf("%d requests, %v of virtual time: %v", gets, time.Since(begin).Round(second), f)
		if s := f[0].Client.Segments + f[0].Server.Segments; len(f) != 1 || s < 2*gets || s > 7*gets/2 {
			t.Errorf("%d connections, %d segments for %d requests", len(f), s, gets)
		}
		if again := f[0].Client.Retransmissions + f[0].Server.Retransmissions; again > gets/10 {
			t.Errorf("%d segments were sent again", again)
		}
	})
	took := time.Since(start)
	t.Logf("%v of real time", took)
	if took > 20*second {
		t.Errorf("took %v", took)
	}
}

// BenchmarkSpeed is real time: ten minutes of an idle connection, and a
// request over 30 ms and 2 % loss. (A benchmark has no bubble; t is an example's.)
func BenchmarkSpeed(b *testing.B) {
	b.Run("IdleTenMinutes", func(b *testing.B) {
		for b.Loop() {
			synctest.Test(t, func(t *testing.T) { idleTenMinutes(t) })
		}
	})
	b.Run("Get", func(b *testing.B) {
		synctest.Test(t, func(t *testing.T) { manyGets(t, b.N) })
	})
}
