// Package protocols are conversations of real programs over a network that is
// given: HTTP/1.1, HTTP/2 and TLS 1.3 of the standard library, gRPC with its
// interop functions, SSH, WebSocket, Redis. None of them knows whose
// connections it uses.
package protocols

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// Net is a network: where the server listens, and how a client reaches it.
type Net struct {
	Listen func(t testing.TB) net.Listener
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// All are the conversations, by name.
var All = []struct {
	Name string
	Run  func(t *testing.T, n Net)
}{
	{"http1", HTTP1}, {"http2", HTTP2}, {"tls", TLS}, {"grpc", GRPC}, {"ssh", SSH}, {"websocket", WebSocket}, {"redis", Redis},
}

// patience bounds a conversation; nothing is measured by it.
const patience = 2 * time.Minute

// limited is a context for a whole conversation.
func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// noise is n bytes from a seed.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func noiseBytes(seed byte, n int) []byte {
	b := make([]byte, n)
	io.ReadFull(noise(seed, int64(n)), b)
	return b
}

// same reports whether what r gives is noise.
func same(r io.Reader, seed byte, n int64) bool {
	want := noise(seed, n)
	a, b := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		k, err := r.Read(a)
		if k > 0 {
			if m, _ := io.ReadFull(want, b[:k]); m != k || string(a[:k]) != string(b[:k]) {
				return false
			}
		}
		if err != nil {
			rest, _ := io.Copy(io.Discard, want)
			return err == io.EOF && rest == 0
		}
	}
}
