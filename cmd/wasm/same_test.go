//go:build !js

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"estab/internal/lab"
	"estab/internal/lab/page"
)

// TestSame: the same experiment gives the same capture and the same run, byte
// for byte, natively and in WebAssembly.
func TestSame(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the engine for the browser")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to run WebAssembly")
	}
	experiments := experiments(t)
	wasm := filepath.Join(t.TempDir(), "estab.wasm")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", wasm, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := packed(t, wasm); n > maxPacked {
		t.Errorf("compressed, the engine has %d bytes; at most %d are allowed", n, maxPacked)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/hash.js", filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"), wasm)
	cmd.Stdin = strings.NewReader(strings.Join(experiments, "\n"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var want []string // meanwhile
	for _, x := range experiments {
		want = append(want, native(t, x))
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d hashes, want %d", len(got), len(want))
	}
	for i, x := range experiments {
		if got[i] != want[i] {
			t.Errorf("%s: capture and run have the hashes %s in WebAssembly, %s natively", x, got[i], want[i])
		}
	}
}

// maxPacked is how large the engine may be, compressed: 2.5 MB.
const maxPacked = 2_500_000

func packed(t *testing.T, file string) int {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p bytes.Buffer
	w := gzip.NewWriter(&p)
	w.Write(b) // a Buffer takes everything
	w.Close()
	t.Logf("%d bytes, %d compressed", len(b), p.Len())
	return p.Len()
}

// experiments are all scenarios, and some that were touched, in JSON.
func experiments(t *testing.T) []string {
	var all []string
	add := func(x page.Experiment) {
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	for _, s := range lab.Scenarios() {
		add(page.Experiment{Scenario: s.Name})
	}
	add(page.Experiment{Scenario: "stale-syn", Set: map[string]string{"msl": "1s", "seed": "7"}, Faults: []string{"lose A:3", "double B:2"}})
	add(page.Experiment{Scenario: "sandbox", Set: map[string]string{"path": "delay 20ms 5ms loss 10% reorder 5% rate 4mbit limit 20"},
		Scripts: []string{"0 B listen\n1s A connect\n2s A send 100000\n9s A close\n10s B close\n"}})
	return all
}

func native(t *testing.T, x string) string {
	s := &page.Session{}
	head, data := s.ExportJSON("pcapng", x)
	if strings.Contains(head, "problem") {
		t.Fatalf("%s: %s", x, head)
	}
	return fmt.Sprintf("%x %x", sha256.Sum256(data), sha256.Sum256([]byte(s.RunJSON(x))))
}
