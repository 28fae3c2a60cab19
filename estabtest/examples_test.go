package estabtest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/estabtest"
)

// The server crashes and comes back without its memory. The client, which
// waits for an answer, isn't told; when it speaks, it is.
func ExampleHost_Restart() {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond})
		ln, err := n.Host("server").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.Host("client").Dial("tcp", "server:80")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ln.Accept(); err != nil {
			t.Fatal(err)
		}
		n.Host("server").Restart()

		client.SetReadDeadline(time.Now().Add(24 * time.Hour))
		_, err = client.Read(make([]byte, 1))
		fmt.Println("waited for a day:", errors.Is(err, os.ErrDeadlineExceeded))

		client.SetReadDeadline(time.Time{})
		start := time.Now()
		io.WriteString(client, "hello?")
		_, err = client.Read(make([]byte, 1))
		fmt.Println(errors.Is(err, syscall.ECONNRESET), time.Since(start).Round(time.Millisecond))
	})
	// Output:
	// waited for a day: true
	// true 60ms
}

// A program that takes requests and doesn't answer, and the client's time-out
// for that.
func ExampleHost_Stall() {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond})
		ln, err := n.Host("web").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go http.Serve(ln, http.NotFoundHandler())
		client := &http.Client{Transport: &http.Transport{
			DialContext:           n.Host("app").DialContext,
			ResponseHeaderTimeout: 5 * time.Second,
		}}
		n.Host("web").Stall()
		start := time.Now()
		_, err = client.Get("http://web/")
		fmt.Println(err)
		fmt.Println(time.Since(start).Round(time.Millisecond))
	})
	// Output:
	// Get "http://web/": net/http: timeout awaiting response headers
	// 5.06s
}

// The third segment that a client sends, its request, is lost, and nothing
// else: it goes again when no acknowledgement has come in time.
func ExampleNetwork_Drop() {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond})
		n.Drop(func(s estabtest.Segment) bool { return s.From == "client" && s.Conn == 1 && s.N == 3 })
		ln, err := n.Host("server").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.Host("client").Dial("tcp", "server:80")
		if err != nil {
			t.Fatal(err)
		}
		server, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(client, "hello")
		io.ReadFull(server, make([]byte, 5))
		for _, s := range n.Conns()[0].Segments() {
			fmt.Println(s)
		}
	})
	// Output:
	// 0.000000 client > server: [S] seq 0 len 0
	// 0.010000 server > client: [S.] seq 0 ack 1 len 0
	// 0.020000 client > server: [.] seq 1 ack 1 len 0
	// 0.030000 client > server: [P.] seq 1 ack 1 len 5 (dropped by the test)
	// 0.250000 client > server: [P.] seq 1 ack 1 len 5 again
	// 0.260000 server > client: [.] seq 1 ack 6 len 0
}

// A NAT forgets connections that are silent for five minutes. Keep-alive of a
// minute lets it remember.
func ExampleNetwork_SetMiddlebox() {
	for _, keepAlive := range []time.Duration{-1, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond})
			app, db := n.Host("app"), n.Host("db")
			n.SetMiddlebox("app", "db", estabtest.Middlebox{Forget: 5 * time.Minute})
			ln, err := db.Listen("tcp", ":5432")
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				io.Copy(c, c)
			}()
			dial := app.DialFunc(estab.Dialer{KeepAlive: keepAlive})
			c, err := dial(t.Context(), "tcp", "db:5432")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			start := time.Now()
			io.WriteString(c, "x")
			c.SetReadDeadline(start.Add(time.Hour))
			_, err = c.Read(make([]byte, 1))
			fmt.Println(err == nil, time.Since(start).Round(time.Minute))
		})
	}
	// Output:
	// false 16m0s
	// true 0s
}

// What a failing test gets to see of a connection.
func ExampleFlow_Ladder() {
	synctest.Test(t, func(t *testing.T) {
		n := estabtest.New(t, estabtest.Link{Delay: 10 * time.Millisecond}, estabtest.Seed(1))
		ln, err := n.Host("server").Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.Host("client").Dial("tcp", "server:80")
		if err != nil {
			t.Fatal(err)
		}
		server, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(client, "hello")
		client.Close()
		io.ReadAll(server)
		server.Close()
		time.Sleep(time.Second)
		fmt.Print(n.Conns()[0].Ladder())
	})
	// Output:
	// client 10.0.0.2:60224                                server 10.0.0.1:80
	//       ms       CLOSED │                                           │ LISTEN
	//    0.000     SYN-SENT │── SYN seq 0 ─────────────────────────────▶│ SYN-RECEIVED
	//                       │   win 65535 mss 1460 sackOK wscale 7 ts   │
	//   10.000  ESTABLISHED │◀─────────────────── SYN,ACK seq 0 ack 1 ──│
	//                       │   win 65535 mss 1460 sackOK wscale 7 ts   │
	//   20.000              │── ACK seq 1 ack 1 win 65536 ─────────────▶│ ESTABLISHED
	//   30.000              │── PSH,ACK seq 1 ack 1 len 5 win 65536 ───▶│
	//   30.000   FIN-WAIT-1 │── FIN,ACK seq 6 ack 1 win 65536 ──╲       │
	//   40.000              │◀───────────── ACK seq 1 ack 6 win 65536 ──│
	//   40.000              │       ╲─ FIN,ACK seq 6 ack 1 ────────────▶│ CLOSE-WAIT
	//   40.000   FIN-WAIT-2 │◀───────────── ACK seq 1 ack 7 win 65536 ──│
	//   40.000    TIME-WAIT │◀───────── FIN,ACK seq 1 ack 7 win 65536 ──│ LAST-ACK
	//   50.000              │── ACK seq 7 ack 2 win 65536 ─────────────▶│ CLOSED
}
