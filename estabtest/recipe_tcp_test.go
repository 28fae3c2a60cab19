package estabtest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
)

// The recipes of docs/testing.md that need nothing but the standard library:
// what happens to connections.

// A NAT that forgets connections after five idle minutes, and what an HTTP
// client can do about it: keep the connection busy with probes, or close it
// before the NAT forgets. Without either the next request waits until TCP
// gives up, a quarter of an hour later.
func TestRecipeForgetfulNAT(t *testing.T) {
	for _, test := range []struct {
		name      string
		keepAlive time.Duration // of the connection
		idle      time.Duration // of the pool
		took      time.Duration // of the second request
	}{
		{"nothing", -1, 0, 15 * minute},
		{"keep-alive", minute, 0, second},
		{"IdleConnTimeout", -1, 4 * minute, second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := estabtest.New(t, estabtest.Link{Delay: 30 * ms})
				app := n.Host("app")
				serveHTTP(t, n.Host("web"), hello)
				n.SetMiddlebox("app", "web", estabtest.Middlebox{Forget: 5 * minute})
				client := &http.Client{Transport: &http.Transport{
					DialContext:     app.DialFunc(estab.Dialer{KeepAlive: test.keepAlive}),
					IdleConnTimeout: test.idle,
				}}
				if _, err := get(client, "http://web/"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * minute)
				start := time.Now()
				_, err := get(client, "http://web/")
				if d := time.Since(start); err != nil || d > 2*test.took || d < test.took/100 {
					t.Errorf("the second request took %v: %v", d, err)
				}
			})
		})
	}
}

// A server crashes. Who finds out, and when? (It doesn't come back; if it
// did, whoever sends gets a RST at once.)
func TestRecipeHalfOpen(t *testing.T) {
	for _, test := range []struct {
		name     string
		dialer   estab.Dialer
		sends    bool
		min, max time.Duration // 0: never
	}{
		{"who only reads: never", estab.Dialer{KeepAlive: -1}, false, 0, 0},
		{"who sends: when the retransmissions end", estab.Dialer{KeepAlive: -1}, true, 13 * minute, 30 * minute},
		{"who sends with a user timeout", estab.Dialer{KeepAlive: -1, UserTimeout: 20 * second}, true, 20 * second, minute},
		{"who reads with keep-alive, as package net has it", estab.Dialer{KeepAlive: 15 * second}, false, 150 * second, 151 * second},
		{"who reads with keep-alive in a hurry", estab.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 5 * second, Interval: second, Count: 3}}, false, 8 * second, 9 * second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := estabtest.New(t, estabtest.Link{Delay: 30 * ms})
				go echo(listen(t, n.Host("server"), ":7"))
				c, err := n.Host("client").DialFunc(test.dialer)(t.Context(), "tcp", "server:7")
				if err != nil {
					t.Fatal(err)
				}
				n.Host("server").Crash()
				start := time.Now()
				if test.sends {
					write(t, c, "hello?")
				}
				c.SetReadDeadline(start.Add(23 * time.Hour))
				_, err = c.Read(make([]byte, 1))
				switch d := time.Since(start); {
				case test.max == 0 && d != 23*time.Hour:
					t.Errorf("%v after %v", err, d)
				case test.max != 0 && (!errors.Is(err, syscall.ETIMEDOUT) || d < test.min || d > test.max):
					t.Errorf("%v after %v", err, d)
				}
			})
		})
	}
}

// Head-of-line blocking: 40 streams that say something every 20 ms, over a link
// that loses 1 %, on one connection or on one each. A message that is lost
// comes late either way; on a shared connection those behind it do, too.
func TestRecipeHeadOfLine(t *testing.T) {
	const streams, messages = 40, 100
	measure := func(shared bool) (late int) {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 25 * ms, Loss: 0.01})
			l := listen(t, n.Host("server"), ":80")
			var conns []net.Conn
			for range streams {
				if len(conns) == 0 || !shared {
					conns = append(conns, dial(t, n.Host("client"), "server:80"))
				}
			}
			var mu sync.Mutex
			var readers sync.WaitGroup
			for range conns {
				c, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				readers.Go(func() {
					var sent [8]byte
					for {
						if _, err := io.ReadFull(c, sent[:]); err != nil {
							return
						}
						if d := time.Now().UnixNano() - int64(binary.BigEndian.Uint64(sent[:])); d > int64(30*ms) {
							mu.Lock()
							late++
							mu.Unlock()
						}
					}
				})
			}
			for range messages {
				for i := range streams {
					var now [8]byte
					binary.BigEndian.PutUint64(now[:], uint64(time.Now().UnixNano()))
					conns[i%len(conns)].Write(now[:])
					time.Sleep(20 * ms / streams)
				}
			}
			for _, c := range conns {
				c.Close()
			}
			readers.Wait()
		})
		return late
	}
	one, many := measure(true), measure(false)
	t.Logf("of %d messages came late: %d on one connection, %d on %d", streams*messages, one, many, streams)
	if one < 3*many {
		t.Errorf("late: %d on one connection, %d on %d", one, many, streams)
	}
}

// A leader election that must survive an asymmetric partition: the leader's
// packets get through, nothing comes back to it. The others hear no heartbeat
// any more, for there is no connection without answers, and elect another. A
// leader that asks nobody then goes on, and there are two; one that steps down
// when no majority answers is replaced.
func TestRecipeElection(t *testing.T) {
	for _, careful := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 5 * ms, Loss: 0.01})
			names := []string{"a", "b", "c"}
			var voters []*voter
			for _, name := range names {
				v := &voter{name: name, careful: careful, heard: map[string]time.Time{}}
				v.client = &http.Client{Timeout: second, Transport: &http.Transport{DialContext: n.Host(name).DialContext}}
				v.peers = slices.DeleteFunc(slices.Clone(names), func(p string) bool { return p == name })
				voters = append(voters, v)
				serveHTTP(t, n.Host(name), v.ServeHTTP)
			}
			for _, v := range voters {
				go v.run(t.Context())
			}
			expect := func(when string, want ...string) {
				t.Helper()
				time.Sleep(minute)
				var leaders []string
				for _, v := range voters {
					if v.leading() {
						leaders = append(leaders, v.name)
					}
				}
				if !slices.Equal(leaders, want) {
					t.Errorf("careful: %v: leaders %s: %v, want %v", careful, when, leaders, want)
				}
			}

			expect("at first", "a")
			n.BlackHole("b", "a")
			n.BlackHole("c", "a")
			if careful {
				expect("in the partition", "b")
			} else {
				expect("in the partition", "a", "b")
			}
			n.Heal("a")
			expect("after the healing", "a")
		})
	}
}

// voter is a node of a toy election: of those whose claim is heard, the first
// by name leads.
type voter struct {
	name    string
	peers   []string
	careful bool
	client  *http.Client

	mu    sync.Mutex
	heard map[string]time.Time // who claimed to lead, and when
	leads bool
}

func (v *voter) leading() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.leads
}

// ServeHTTP takes a claim.
func (v *voter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.FormValue("leads") == "true" {
		v.heard[r.FormValue("from")] = time.Now()
	}
}

// run tells the others every second, and decides by what it hears.
func (v *voter) run(ctx context.Context) {
	for ctx.Err() == nil {
		answers := 1
		for _, p := range v.peers {
			if _, err := get(v.client, fmt.Sprintf("http://%s/?from=%s&leads=%v", p, v.name, v.leading())); err == nil {
				answers++
			}
		}
		v.decide(answers > (len(v.peers)+1)/2)
		time.Sleep(second)
	}
}

func (v *voter) decide(majority bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	better := false
	for p, at := range v.heard {
		better = better || p < v.name && time.Since(at) < 10*second
	}
	v.leads = !better && (majority || v.leads && !v.careful)
}
