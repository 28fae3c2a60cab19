package tidy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestEmbedding builds and runs a program in a module outside the tree, as a
// user would: with a replace directive and nothing but this module and
// golang.org/x/sys.
func TestEmbedding(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	tree, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(tree, "go.sum"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/embed\n\ngo 1.26\n\nrequire estab v0.0.0\n\nreplace estab => "+tree+"\n")
	write("go.sum", string(sums))
	write("main.go", embedProgram)
	run := func(args ...string) string {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if got := run("run", "."); got != "hello from 10.0.0.2:80\n" {
		t.Errorf("the program printed %q", got)
	}
}

const embedProgram = `package main

import (
	"fmt"
	"io"
	"net/netip"

	"estab"
	"estab/link"
)

func main() {
	left, right := link.Pair(link.PairOptions{})
	host := func(l link.Link, addr string) *estab.Host {
		h, err := estab.NewHost(estab.Config{Links: []estab.LinkConfig{{Link: l, Addrs: []netip.Prefix{netip.MustParsePrefix(addr)}}}})
		if err != nil {
			panic(err)
		}
		return h
	}
	a, b := host(left, "10.0.0.1/24"), host(right, "10.0.0.2/24")
	ln, err := b.Listen("tcp", ":80")
	if err != nil {
		panic(err)
	}
	go func() {
		c, err := ln.Accept()
		if err != nil {
			panic(err)
		}
		io.WriteString(c, "hello from "+c.LocalAddr().String())
		c.Close()
	}()
	c, err := a.Dial("tcp", "10.0.0.2:80")
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(c)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}
`
