package estabtest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// misuses are what the package documentation warns of. Each ends its process,
// and so has one of its own; want is in what go test then says, in this order.
var misuses = map[string]struct {
	play func(t *testing.T, n *estabtest.Network)
	want []string
}{
	"a mutex held over a wait": {func(t *testing.T, n *estabtest.Network) {
		c, s := connect(t, n.Host("a"), n.Host("b"))
		var mu sync.Mutex
		go func() {
			mu.Lock()
			defer mu.Unlock()
			c.Read(make([]byte, 1)) // the answer takes its time
		}()
		time.Sleep(ms)
		go func() {
			time.Sleep(second)
			io.WriteString(s, "x")
		}()
		mu.Lock()
	}, []string{"panic: test timed out", "[sync.Mutex.Lock, synctest bubble", "misuse_test.go"}},

	"a real socket": {func(t *testing.T, n *estabtest.Network) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Skip(err)
		}
		l.Accept()
	}, []string{"panic: test timed out", "[IO wait", "synctest bubble", "misuse_test.go"}},

	"a goroutine that doesn't end": {func(t *testing.T, n *estabtest.Network) {
		app := n.Host("app")
		go func() {
			for { // it should look at t.Context, or at net.ErrClosed
				app.Dial("tcp", "server:80")
				time.Sleep(time.Minute)
			}
		}()
	}, []string{"panic: deadlock: main bubble goroutine has exited but blocked goroutines remain", "misuse_test.go"}},
}

// What a newcomer sees of a misuse is what the documentation says.
func TestMisuses(t *testing.T) {
	const variable = "ESTAB_TEST_MISUSE"
	if name := os.Getenv(variable); name != "" {
		synctest.Test(t, func(t *testing.T) { misuses[name].play(t, estabtest.New(t)) })
		return
	}
	for name, m := range misuses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The time-out is real time, in which the process has to get as far
			// as that; a busy machine may take longer.
			var out string
			for _, timeout := range []string{"1s", "5s", "25s"} {
				cmd := exec.Command(os.Args[0], "-test.run=^TestMisuses$", "-test.timeout="+timeout)
				cmd.Env = append(os.Environ(), variable+"="+name)
				b, err := cmd.CombinedOutput()
				if err == nil {
					t.Fatalf("the test passed:\n%s", b)
				}
				if out = string(b); inOrder(out, m.want) {
					return
				}
			}
			t.Errorf("%q, in this order, are not in:\n%s", m.want, out)
		})
	}
}

func inOrder(text string, want []string) bool {
	for _, w := range want {
		_, rest, found := strings.Cut(text, w)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// A network from outside of the bubble fails with a word of advice, instead of
// hanging.
func TestMadeOutsideOfBubble(t *testing.T) {
	wantAdvice := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "call estabtest.New inside of synctest.Test") {
			t.Errorf("%s: %v", what, err)
		}
	}
	fake := &fakeT{TB: t, name: t.Name()}
	defer fake.end()
	outside := estabtest.New(fake)
	server, client := outside.Host("server"), outside.Host("client")
	l := listen(t, server, ":80")
	synctest.Test(t, func(t *testing.T) {
		_, err := l.Accept()
		wantAdvice("Accept", err)
		_, err = client.Dial("tcp", "server:80")
		wantAdvice("Dial", err)
		_, err = client.Listen("tcp", ":80")
		wantAdvice("Listen", err)
		_, err = (&http.Client{Transport: &http.Transport{DialContext: client.DialContext}}).Get("http://server/")
		wantAdvice("Get", err)
		func() {
			defer func() { recover() }()
			outside.Host("new")
		}()
		wantAdvice("Host", errors.New(fake.log.String()))
	})
}
