package estabtest_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"estab/estabtest"
)

func TestZZ(t *testing.T) {
	for _, l := range []estabtest.Link{{}, {Delay: ms}} {
		start := time.Now()
		n := estabtest.New(t, l)
		client, server := connect(t, n.Host("client"), n.Host("server"))
		go func() { io.WriteString(client, strings.Repeat("x", 100<<20)); client.Close() }()
		k, err := io.Copy(io.Discard, server)
		d := time.Since(start)
		t.Log("real", l.Delay, k, err, d, float64(k)/d.Seconds()/1e6, "MB/s")
		t.Log(n.Conns()[0])
		start = time.Now()
		bubble(t, func(t *testing.T, n *estabtest.Network) {
			client, server := connect(t, n.Host("client"), n.Host("server"))
			go func() { io.WriteString(client, strings.Repeat("x", 100<<20)); client.Close() }()
			io.Copy(io.Discard, server)
		}, l)
		d = time.Since(start)
		t.Log("bubble", l.Delay, d, float64(k)/d.Seconds()/1e6, "MB/s")
	}
}
