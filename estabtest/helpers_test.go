package estabtest_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"estab/estabtest"
)

// long reports whether tests may take their time.
func long() bool { return os.Getenv("ESTAB_LONG") != "" && !testing.Short() }

const (
	ms     = time.Millisecond
	second = time.Second
	minute = time.Minute
)

// bubble runs a test on a network in a bubble.
func bubble(t *testing.T, f func(t *testing.T, n *estabtest.Network), opts ...estabtest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, estabtest.New(t, opts...)) })
}

func listen(t testing.TB, h *estabtest.Host, address string) net.Listener {
	t.Helper()
	l, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t testing.TB, h *estabtest.Host, address string) *estabtest.Conn {
	t.Helper()
	c, err := h.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*estabtest.Conn)
}

// connect opens a connection from one host to another.
func connect(t testing.TB, from, to *estabtest.Host) (client, server *estabtest.Conn) {
	t.Helper()
	l := listen(t, to, ":80")
	client = dial(t, from, to.Name()+":80")
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return client, s.(*estabtest.Conn)
}

// echo serves a listener: what a client says comes back.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			io.Copy(c, c)
			c.Close()
		}()
	}
}

func write(t testing.TB, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("Read: %q, %v; want %q", b, err, want)
	}
}

// about fails the test unless d is the time given, give or take the
// microseconds that packets come late.
func about(t testing.TB, what string, d, want time.Duration) {
	t.Helper()
	if d < want || d > want+100*time.Microsecond {
		t.Errorf("%s took %v, want %v", what, d, want)
	}
}

// fakeT is a test that may fail.
type fakeT struct {
	testing.TB
	name     string
	log      strings.Builder
	failed   bool
	cleanups []func()
}

func (f *fakeT) Name() string                      { return f.name }
func (f *fakeT) Helper()                           {}
func (f *fakeT) Failed() bool                      { return f.failed }
func (f *fakeT) Fail()                             { f.failed = true }
func (f *fakeT) Log(args ...any)                   { fmt.Fprintln(&f.log, args...) }
func (f *fakeT) Logf(format string, args ...any)   { fmt.Fprintf(&f.log, format+"\n", args...) }
func (f *fakeT) Errorf(format string, args ...any) { f.Logf(format, args...); f.Fail() }
func (f *fakeT) Fatal(args ...any)                 { f.Log(args...); f.Fail(); panic(f) }
func (f *fakeT) Fatalf(format string, args ...any) { f.Errorf(format, args...); panic(f) }
func (f *fakeT) Cleanup(c func())                  { f.cleanups = append(f.cleanups, c) }

func (f *fakeT) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
}

// fatal runs what must end its test, and returns what it said.
func fatal(t *testing.T, call func(t testing.TB)) string {
	t.Helper()
	f := &fakeT{TB: t, name: t.Name()}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(f) {
				panic(r)
			}
		}()
		call(f)
		t.Error("no mistake was found")
	}()
	f.end()
	return f.log.String()
}
