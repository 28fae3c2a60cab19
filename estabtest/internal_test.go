package estabtest

import (
	"slices"
	"strings"
	"testing"
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
