package recipes

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"estab/estabtest"
)

// serveWebSocket runs a server that says "tick" every ten seconds.
func serveWebSocket(t *testing.T, h *estabtest.Host) {
	t.Helper()
	l, err := h.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		ctx := c.CloseRead(r.Context())
		for {
			if c.Write(ctx, websocket.MessageText, []byte("tick")) != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Second):
			}
		}
	}))
}

// A WebSocket to a server that vanishes. A client that only listens doesn't
// find out; one that sends pings does, after the ping's time-out.
func TestWebSocketPing(t *testing.T) {
	for _, ping := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond, Loss: 0.01})
			serveWebSocket(t, n.Host("server"))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Hour)
			defer cancel()
			c, _, err := websocket.Dial(ctx, "ws://server/", &websocket.DialOptions{
				HTTPClient: &http.Client{Transport: &http.Transport{DialContext: n.Host("client").DialContext}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if ping {
				go func() {
					for {
						time.Sleep(30 * time.Second)
						alive, cancel := context.WithTimeout(ctx, 10*time.Second)
						err := c.Ping(alive)
						cancel()
						if err != nil {
							c.CloseNow()
							return
						}
					}
				}()
			}
			for range 30 { // five minutes in which all is well
				if _, _, err := c.Read(ctx); err != nil {
					t.Fatal(err)
				}
			}
			n.Host("server").Crash()
			start := time.Now()
			_, _, err = c.Read(ctx)
			took := time.Since(start)
			if err == nil || ping && took > 41*time.Second || !ping && took < 19*time.Hour {
				t.Errorf("ping: %v: Read ended after %v: %v", ping, took, err)
			}
		})
	}
}
