package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// Every row's measurement runs on estab and gives the figures that it
// promises. (The kernel's and gVisor's turns are the command's.)
func TestRows(t *testing.T) {
	for _, r := range rows() {
		if os.Getenv("ESTAB_LONG") == "" && strings.Contains(r.name, "heap of a TIME-WAIT") {
			continue // 1,250,000 connections
		}
		for _, s := range subjects()[:1] {
			v, err := once(r, s, 10*time.Millisecond)
			if err != nil {
				t.Errorf("%s: %v", r.name, err)
				continue
			}
			if len(v) != len(r.figures) {
				t.Errorf("%s: %d figures, %d promised", r.name, len(v), len(r.figures))
				continue
			}
			for i, f := range r.figures {
				// In 10 ms on a busy machine nothing may have moved yet; but
				// memory and times are never 0.
				sized := f.less && !f.zero
				if !(v[i] >= 0) || v[i] == 0 && sized {
					t.Errorf("%s: %s is %v", r.name, f.name, v[i])
				}
				if f.zero && v[i] != 0 {
					t.Errorf("%s: %s is %v, to be 0", r.name, f.name, v[i])
				}
			}
		}
	}
}

// Every configuration of gVisor that a row tries exists, and carries data.
func TestGvisorConfigurations(t *testing.T) {
	type try struct {
		wire wiring
		name string
	}
	seen := map[try]bool{}
	for _, r := range rows() {
		for _, n := range append([]string{""}, r.tries...) {
			r.wire.gvisor = n
			if x := (try{r.wire, n}); seen[x] {
				continue
			} else {
				seen[x] = true
			}
			w, err := newGvisor(r.wire)
			if err != nil {
				t.Fatalf("%s: %v", r.name, err)
			}
			if err := verify(w); err != nil {
				t.Errorf("%s, %s: %v", r.name, n, err)
			}
			w.close()
		}
	}
}

// A SYN that is changed in place has right checksums.
func TestFloodChecksums(t *testing.T) {
	var buf [128]byte
	first := ghost(0).tuple(false, 1)
	b := craft(buf[:], ghostSYN(first))
	for _, v := range []uint32{0, 1, 0xffff, 0x10000, 0xffffffff, 0x64400001, 0x7f7f8080} {
		put32(b, 12, v, 10, 36)
		put16(b, 20, uint16(v>>7)|1, 36)
		var ip wire.IPHeader
		if r := wire.ParseIP(b, &ip); r != wire.Accepted {
			t.Fatalf("%#x: %v", v, r)
		}
		if !wire.VerifyTCP(ip.Src, ip.Dst, b[ip.HeaderLen:]) {
			t.Errorf("%#x: the TCP checksum is wrong", v)
		}
	}
}

// Ghosts are different, and reach both subjects: so many handshakes are so
// many TIME-WAITs.
func TestGhosts(t *testing.T) {
	seen := map[wire.Tuple]bool{}
	for g := range ghost(3000) {
		for _, six := range []bool{false, true} {
			for _, ports := range []uint32{1, 1000} {
				tup := g.tuple(six, ports)
				if n := number(tup, ports); n != g {
					t.Fatalf("ghost %d is number %d", g, n)
				}
				if ports == 1 {
					if seen[tup] {
						t.Fatalf("ghost %d is another one too: %v", g, tup)
					}
					seen[tup] = true
				}
			}
		}
	}
	for _, s := range subjects()[:2] {
		for _, six := range []bool{false, true} {
			w, err := s.make(wiring{mtu: 1500, raw: true})
			if err != nil {
				t.Fatal(err)
			}
			h := newGhosts(w.(rawWorld).raw(), 200)
			serve(w, func(c net.Conn) { c.Close() })
			if err := h.leave(0, 200, six); err != nil {
				t.Errorf("%s, IPv6 %v: %v", s.name, six, err)
			}
			w.close()
		}
	}
}

// Drawings are XML, and have every line and label.
func TestDraw(t *testing.T) {
	dir := t.TempDir()
	curves := []curve{
		{Name: "a <b>", X: "x", Y: "y", file: "a.svg", Lines: []line{
			{Name: "estab", Points: []point{{X: 1, Y: 2, Min: 1, Max: 3}, {X: 1000, Y: 2.5, Min: 2, Max: 3}}},
			{Name: "gVisor", Points: []point{{X: 1, Y: 20, Min: 1, Max: 300}, {X: 10, Failed: "no"}}}}},
		{Name: "bars", Y: "y", file: "b.svg", Lines: []line{{Name: "estab", Points: []point{{Label: "none", Y: 1, Min: 1, Max: 2}, {Label: "many", Y: 2, Min: 1, Max: 2}}}}},
		{Name: "not drawn"},
	}
	if err := draw(dir, curves); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{"a.svg": {"estab", "gVisor", "a &lt;b&gt;", "prefers-color-scheme:dark"}, "b.svg": {"none", "many"}} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		for _, w := range want {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s has no %q", file, w)
			}
		}
		if regexp.MustCompile("NaN|Inf").Match(b) {
			t.Errorf("%s has numbers that are none", file)
		}
	}
}

// A table goes where its marks are, again and again, and nowhere else.
func TestFill(t *testing.T) {
	page := "a\n<!-- begin x -->\nold\n<!-- end x -->\nb <!-- begin y -->\n"
	once, err := fill(page, map[string]string{"x": "| new |\n"})
	if err != nil {
		t.Fatal(err)
	}
	want := "a\n<!-- begin x -->\n\n| new |\n\n<!-- end x -->\nb <!-- begin y -->\n"
	if once != want {
		t.Errorf("%q", once)
	}
	if twice, _ := fill(once, map[string]string{"x": "| new |\n"}); twice != once {
		t.Errorf("filled again: %q", twice)
	}
	for _, bad := range []string{"no place", "<!-- begin x -->\nno end"} {
		if _, err := fill(bad, map[string]string{"x": "y"}); err == nil {
			t.Errorf("%q was filled", bad)
		}
	}
}

// Targets are missed on the right side only.
func TestShort(t *testing.T) {
	for _, x := range []struct {
		r    result
		miss bool
	}{
		{result{Subject: "estab", Values: []float64{10}, Bound: 10}, false},
		{result{Subject: "estab", Values: []float64{9}, Bound: 10}, true},
		{result{Subject: "estab", Values: []float64{11}, Bound: 10, Less: true}, true},
		{result{Subject: "estab", Values: []float64{1}, Zero: true}, true},
		{result{Subject: "estab", Values: []float64{0}, Zero: true}, false},
		{result{Subject: "gVisor", Values: []float64{1}, Ratio: 3.4, AtLeast: 3.5}, true},
		{result{Subject: "gVisor", Values: []float64{1}, Ratio: 3.5, AtLeast: 3.5}, false},
		{result{Subject: "gVisor", Values: []float64{1}, Zero: true}, false},
	} {
		if got := x.r.short() != ""; got != x.miss {
			t.Errorf("%+v: missed %v", x.r, got)
		}
	}
}

// Numbers are written for people.
func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0123: "0.0123", 3.14159: "3.14", 72: "72", 1234567: "1,234,567", -5: "-5"} {
		if got := digits(v); got != want {
			t.Errorf("digits(%v) = %q, want %q", v, got, want)
		}
	}
}
