package estabtest

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A long text keeps its beginning and its end.
func TestShorten(t *testing.T) {
	for lines := mostLines - 2; lines < 3*mostLines; lines++ {
		text := strings.Repeat("x\n", lines-1) + "end\n"
		got := shorten(text)
		if n := strings.Count(got, "\n"); n > mostLines+1 || !strings.HasSuffix(got, "end\n") || !strings.HasPrefix(got, "x\n") {
			t.Errorf("%d lines became %d", lines, n)
		}
	}
}

// The log says what was set, and nothing of what wasn't.
func TestBrief(t *testing.T) {
	for _, test := range []struct {
		v    any
		want string
	}{
		{Link{}, "{}"},
		{Link{Delay: 30 * time.Millisecond, Loss: 0.02}, "{Delay:30ms Loss:0.02}"},
		{Link{MTU: 1400, Netem: "delay 0s gap 0"}, "{MTU:1400 Netem:delay 0s gap 0}"},
		{Middlebox{Forget: time.Minute, StripSACK: true}, "{Forget:1m0s StripSACK:true}"},
	} {
		if got := brief(test.v); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// Arrivals come out in the order of their times; of the same time by what they
// are, in whatever order they went in.
func TestArrivals(t *testing.T) {
	in := []arrival{{at: 5, key: 1}, {at: 3, key: 9, n: 2}, {at: 3, key: 9, n: 1}, {at: 3, key: 2, n: 7}, {at: 1}}
	want := []arrival{in[4], in[3], in[2], in[1], in[0]}
	for range 100 {
		var q arrivals
		for _, a := range in {
			q.push(a)
		}
		for _, w := range want {
			if got := q.pop(); got.at != w.at || got.key != w.key || got.n != w.n {
				t.Fatalf("got %+v, want %+v", got, w)
			}
		}
		in = append(in[1:], in[0])
		if len(in)%2 == 0 {
			slices.Reverse(in)
		}
	}
}

// What is remembered is bounded: details of old connections go first, then the
// connections; what didn't end in order stays.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(t)
		a, b := n.Host("a"), n.Host("b")
		l, err := b.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			c, err := a.Dial("tcp", "b:80")
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				s.(*Conn).SetLinger(0)
			}
			s.Close()
			time.Sleep(time.Second)
			c.Close()
			time.Sleep(time.Second)
		}
		n.collect()
		n.mu.Lock()
		n.forget(20, keepFlows)
		n.mu.Unlock()
		flows := n.Conns()
		if len(flows) != 10 || flows[0].Segments() != nil || flows[1].Segments() == nil || flows[9].Segments() == nil {
			t.Errorf("%d flows", len(flows))
		}
		n.mu.Lock()
		n.forget(20, 6)
		n.mu.Unlock()
		flows = n.Conns()
		if len(flows) != 8 || flows[0].Nth != 2 || flows[1].Nth != 4 {
			t.Errorf("%v", flows)
		}
	})
}
