package estabtest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
)

// The recipes of docs/testing.md that need nothing but the standard library:
// what happens to HTTP.

// serveHTTP runs a server on a host.
func serveHTTP(t *testing.T, h *estabtest.Host, handler http.HandlerFunc) {
	t.Helper()
	l, err := h.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go s.Serve(l)
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello") }

// slowly says a line every second, ten times.
func slowly(w http.ResponseWriter, r *http.Request) {
	for range 10 {
		io.WriteString(w, "line\n")
		w.(http.Flusher).Flush()
		time.Sleep(time.Second)
	}
}

// get fetches a page to its end.
func get(c *http.Client, url string) (string, error) {
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// Each time-out of an HTTP client covers one stage. took is when the client
// gives up, from the beginning.
func TestRecipeClientTimeouts(t *testing.T) {
	for _, test := range []struct {
		name  string
		set   func(c *http.Client, tr *http.Transport, app *estabtest.Host)
		fault func(n *estabtest.Network)
		url   string
		took  time.Duration
	}{{
		name: "no time-out: a connection that nobody answers",
		set:  func(*http.Client, *http.Transport, *estabtest.Host) {},
		fault: func(n *estabtest.Network) {
			n.BlackHole("app", "web")
		},
		// A SYN is repeated six times, which takes 127 s; and the name has two
		// addresses.
		url: "http://web/", took: 254 * second,
	}, {
		name: "the dialer's time-out: the same",
		set: func(_ *http.Client, tr *http.Transport, app *estabtest.Host) {
			tr.DialContext = app.DialFunc(estab.Dialer{Timeout: 5 * second})
		},
		fault: func(n *estabtest.Network) { n.BlackHole("app", "web") },
		url:   "http://web/", took: 5 * second,
	}, {
		name: "TLSHandshakeTimeout: the server's kernel answers, its program doesn't",
		set: func(_ *http.Client, tr *http.Transport, app *estabtest.Host) {
			tr.TLSHandshakeTimeout = 5 * second
			tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		},
		fault: func(n *estabtest.Network) { n.Host("web").Stall() },
		url:   "https://web:80/", took: 5*second + 60*ms,
	}, {
		name:  "ResponseHeaderTimeout: the program takes the request and doesn't answer",
		set:   func(_ *http.Client, tr *http.Transport, _ *estabtest.Host) { tr.ResponseHeaderTimeout = 5 * second },
		fault: func(n *estabtest.Network) { n.Host("web").Stall() },
		url:   "http://web/", took: 5*second + 60*ms,
	}, {
		name: "Client.Timeout: everything, the body included",
		set:  func(c *http.Client, _ *http.Transport, _ *estabtest.Host) { c.Timeout = 8 * second },
		fault: func(n *estabtest.Network) {
			time.AfterFunc(3*second, func() { n.Partition("app", "web") })
		},
		url: "http://web/slowly", took: 8 * second,
	}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := estabtest.New(t, estabtest.Link{Delay: 30 * ms})
				app := n.Host("app")
				serveHTTP(t, n.Host("web"), func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/slowly" {
						slowly(w, r)
					}
				})
				tr := &http.Transport{DialContext: app.DialContext}
				client := &http.Client{Transport: tr}
				test.set(client, tr, app)
				test.fault(n)
				start := time.Now()
				_, err := get(client, test.url)
				about(t, "giving up", time.Since(start), test.took)
				var timeout net.Error
				if !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// What the time-outs don't cover: each is set, and the client waits for ever
// all the same, here for a day.
func TestRecipeWhatTimeoutsDontCover(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(tr *http.Transport, app *estabtest.Host)
		url  string
	}{{
		"Dialer.Timeout: TLS's handshake",
		func(tr *http.Transport, app *estabtest.Host) {
			tr.DialContext = app.DialFunc(estab.Dialer{Timeout: 5 * second})
		},
		"https://web:80/",
	}, {
		"TLSHandshakeTimeout: the answer",
		func(tr *http.Transport, _ *estabtest.Host) { tr.TLSHandshakeTimeout = 5 * second },
		"http://web/",
	}, {
		"IdleConnTimeout: the answer",
		func(tr *http.Transport, _ *estabtest.Host) { tr.IdleConnTimeout = 5 * second },
		"http://web/",
	}} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *estabtest.Network) {
				serveHTTP(t, n.Host("web"), hello)
				n.Host("web").Stall()
				tr := &http.Transport{DialContext: n.Host("app").DialContext}
				test.set(tr, n.Host("app"))
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, "GET", test.url, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tr.RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			}, estabtest.Link{Delay: 30 * ms})
		})
	}
}

// What IdleConnTimeout is for: a connection that nobody uses is closed, and not
// before its time.
func TestRecipeIdleConnTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, n *estabtest.Network) {
		serveHTTP(t, n.Host("web"), hello)
		client := &http.Client{Transport: &http.Transport{
			DialContext: n.Host("app").DialContext, IdleConnTimeout: 90 * second,
		}}
		if _, err := get(client, "http://web/"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(89 * second)
		if n.Conns()[0].Done() {
			t.Error("closed too early")
		}
		time.Sleep(2 * second)
		n.NoConnectionLeft()
	}, estabtest.Link{Delay: 30 * ms})
}

// What ResponseHeaderTimeout does not cover: a body that stops in the middle.
// Nothing is ever sent again, so that not even TCP finds out; without
// keep-alive (and here the network has none, as SetDeadline is nobody's) the
// client would wait for ever.
func TestRecipeBodyWithoutTimeout(t *testing.T) {
	for _, test := range []struct {
		keepAlive time.Duration
		want      error
	}{{-1, context.DeadlineExceeded}, {15 * second, syscall.ETIMEDOUT}} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 30 * ms}, estabtest.KeepAlive(test.keepAlive))
			serveHTTP(t, n.Host("web"), slowly)
			client := &http.Client{Transport: &http.Transport{
				DialContext: n.Host("app").DialContext, ResponseHeaderTimeout: 5 * second,
			}}
			time.AfterFunc(3*second, n.Host("web").Crash)
			ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour) // a day, or the test wouldn't end
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", "http://web/", nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = io.ReadAll(resp.Body)
			if !errors.Is(err, test.want) {
				t.Errorf("keep-alive %v: %v after %v", test.keepAlive, err, time.Since(start))
			}
		})
	}
}

// A server of net/http/httptest, in clear, over TLS, and with HTTP/2. Its
// listener is exchanged before it starts, its client's dialer afterwards; it
// listens by name, so that its URL has an address that clients reach.
//
// net/http's HTTP/2 holds a mutex while it writes, which in a bubble must not
// wait: the send buffers have room for all that is written.
func TestRecipeHTTPTest(t *testing.T) {
	roomy := estabtest.Configure(func(_ string, c *estab.Config) { c.SendBuffer = 4 << 20 })
	for _, test := range []struct {
		name    string
		tls, h2 bool
		proto   string
	}{{"clear", false, false, "HTTP/1.1"}, {"TLS", true, false, "HTTP/1.1"}, {"HTTP/2", true, true, "HTTP/2.0"}} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *estabtest.Network) {
				l, err := n.Host("web").Listen("tcp", "web:0")
				if err != nil {
					t.Fatal(err)
				}
				s := httptest.Server{Listener: l, EnableHTTP2: test.h2, Config: &http.Server{Handler: http.HandlerFunc(
					func(w http.ResponseWriter, r *http.Request) {
						body, _ := io.ReadAll(r.Body)
						w.Write(body)
					},
				)}}
				if test.tls {
					s.StartTLS()
				} else {
					s.Start()
				}
				defer s.Close()
				tr := s.Client().Transport.(*http.Transport)
				tr.DialContext = n.Host("app").DialContext
				if test.tls {
					tr.TLSClientConfig.ServerName = "example.com" // as httptest's certificate says
				}

				text := strings.Repeat("to and fro ", 2000)
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						resp, err := s.Client().Post(s.URL, "text/plain", strings.NewReader(text))
						if err != nil {
							t.Error(err)
							return
						}
						defer resp.Body.Close()
						if b, err := io.ReadAll(resp.Body); string(b) != text || err != nil || resp.Proto != test.proto {
							t.Errorf("%s: %d bytes, %v", resp.Proto, len(b), err)
						}
					})
				}
				wg.Wait()
			}, estabtest.Link{Delay: 30 * ms}, roomy)
		})
	}
}

// A pool of connections after the server's restart. The client doesn't know
// that they are dead until it uses them: a GET is sent again on a new one, a
// POST is not, because nobody knows whether it was carried out.
func TestRecipePoolAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 30 * ms})
		web := n.Host("web")
		serveHTTP(t, web, hello)
		client := &http.Client{Transport: &http.Transport{DialContext: n.Host("app").DialContext}}
		restart := func() {
			if _, err := get(client, "http://web/"); err != nil { // leaves an idle connection in the pool
				t.Fatal(err)
			}
			web.Restart()
			serveHTTP(t, web, hello)
		}

		restart()
		if body, err := get(client, "http://web/"); err != nil || body != "hello\n" {
			t.Errorf("GET: %q, %v", body, err)
		}
		restart()
		if _, err := client.Post("http://web/", "text/plain", strings.NewReader("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("POST: %v", err)
		}
		if f := n.Conns(); len(f) != 3 && len(f) != 2 {
			t.Errorf("%v", f)
		}
	})
}

// Graceful shutdown under load: whoever was let in gets an answer, whole; the
// others are refused.
func TestRecipeGracefulShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 30 * ms, Loss: 0.02})
		body := strings.Repeat("all or nothing ", 10000)
		l, err := n.Host("web").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(100 * ms)
			io.WriteString(w, body)
		})}
		go server.Serve(l)

		var mu sync.Mutex
		outcome := map[string]int{}
		var clients sync.WaitGroup
		for i := range 20 {
			client := &http.Client{Transport: &http.Transport{DialContext: n.Host(fmt.Sprint("client", i)).DialContext}}
			clients.Go(func() {
				for {
					got, err := get(client, "http://web/")
					what := "refused"
					switch {
					case err == nil && got == body:
						what = "answered"
					case err == nil:
						what = "cut short"
					case !errors.Is(err, syscall.ECONNREFUSED):
						what = err.Error()
					}
					mu.Lock()
					outcome[what]++
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		time.Sleep(5 * second)
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		clients.Wait()
		if outcome["answered"] == 0 || outcome["refused"] == 0 || len(outcome) != 2 {
			t.Errorf("%v", outcome)
		}
		time.Sleep(2 * minute)
		n.NoConnectionLeft()
	})
}

// Slow loris: clients that send a header a byte at a time. Without
// ReadHeaderTimeout each holds a connection for as long as it likes.
func TestRecipeSlowLoris(t *testing.T) {
	for _, limit := range []time.Duration{0, 10 * second} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 30 * ms})
			l, err := n.Host("web").Listen("tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}
			server := &http.Server{Handler: http.HandlerFunc(hello), ReadHeaderTimeout: limit}
			go server.Serve(l)
			for range 50 {
				c, err := n.Host("loris").Dial("tcp", "web:80")
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					for _, b := range "GET / HTTP/1.1\r\nX-Slow: " + strings.Repeat("z", 1000) {
						if _, err := c.Write([]byte(string(b))); err != nil {
							c.Close()
							return
						}
						time.Sleep(5 * second)
					}
				}()
			}
			time.Sleep(minute)
			open := 0
			for _, f := range n.Conns() {
				if !f.Done() {
					open++
				}
			}
			if held := open == 50; held != (limit == 0) {
				t.Errorf("ReadHeaderTimeout %v: %d of 50 connections are held after a minute", limit, open)
			}
		})
	}
}
