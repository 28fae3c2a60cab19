package protocols

import (
	"bytes"
	"net/http"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// WebSocket is github.com/coder/websocket at both ends: messages of all sizes,
// fragmented and compressed, pings in between, and an orderly close from
// either side.
func WebSocket(t *testing.T, n Net) {
	l := n.Listen(t)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if string(b) == "bye" {
				c.Close(websocket.StatusGoingAway, "as you wish")
				return
			}
			if err := c.Write(r.Context(), kind, b); err != nil {
				return
			}
		}
	})}
	go srv.Serve(l)
	defer srv.Close()
	tr := &http.Transport{DialContext: n.Dial}
	defer tr.CloseIdleConnections()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { chat(t, "ws://"+l.Addr().String(), tr, i) })
	}
	wg.Wait()
}

func chat(t *testing.T, url string, tr *http.Transport, i int) {
	ctx := limited(t)
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: tr}, CompressionMode: websocket.CompressionMode(i % 3),
	})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		want := noiseBytes(byte(i), size)
		go c.Write(ctx, websocket.MessageBinary, want)
		kind, b, err := c.Read(ctx)
		if err != nil || kind != websocket.MessageBinary || !bytes.Equal(b, want) {
			t.Errorf("%d bytes: %v, %d came back, %v", size, kind, len(b), err)
			return
		}
	}
	if i%2 == 0 {
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		return
	}
	if err := c.Write(ctx, websocket.MessageText, []byte("bye")); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the end is %v", err)
	}
}
