package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// webEngine is the engine for the browser.
type webEngine struct {
	wasm []byte // gzip
	exec []byte // the toolchain's wasm_exec.js, which starts it
}

// buildEngine compiles the engine to WebAssembly, from the tree that the
// command was built from or stands in. What was built is kept in the user's
// cache directory; the go command knows whether it is still good.
func buildEngine(ctx context.Context, term *terminal) (*webEngine, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the engine for the browser is built by the go command, which is not in PATH: see https://go.dev/dl")
	}
	dir, err := wasmSource(ctx)
	if err != nil {
		return nil, err
	}
	cache, err := webCache()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(cache, "estab.wasm")
	if err := goBuild(ctx, term, dir, file); err != nil {
		return nil, err
	}
	root, err := goOutput(ctx, dir, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	e := &webEngine{}
	if e.exec, err = os.ReadFile(filepath.Join(root, "lib", "wasm", "wasm_exec.js")); err != nil {
		return nil, fmt.Errorf("the Go toolchain has no wasm_exec.js: %w", err)
	}
	e.wasm, err = packed(cache, file)
	return e, err
}

// wasmSource is the directory of package estab/cmd/wasm.
func wasmSource(ctx context.Context) (string, error) {
	if _, file, _, ok := runtime.Caller(0); ok {
		dir := filepath.Join(filepath.Dir(file), "..", "wasm")
		if _, err := os.Stat(filepath.Join(dir, "main.go")); err == nil {
			return dir, nil
		}
	}
	dir, err := goOutput(ctx, "", "list", "-f", "{{.Dir}}", "estab/cmd/wasm")
	if err != nil {
		return "", errors.New("the engine for the browser is built from estab's source tree: run this inside a clone of it")
	}
	return dir, nil
}

// webCache is where what was built is kept.
func webCache() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	dir := filepath.Join(base, "estab", "web")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("there is no place to build the engine for the browser: %w", err)
	}
	return dir, nil
}

func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	return cmd
}

func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := goCommand(ctx, dir, args...).Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// goBuild builds the engine, and names the package at which it is if somebody
// waits for it.
func goBuild(ctx context.Context, term *terminal, dir, to string) error {
	cmd := goCommand(ctx, dir, "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", to, ".")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	show := newBuilding(term)
	var lines []string
	for in := bufio.NewScanner(pipe); in.Scan(); {
		lines = append(lines, in.Text())
		show.at(in.Text(), len(lines))
	}
	err = cmd.Wait()
	show.done()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("the engine for the browser can't be built: %s", strings.Join(lines, " "))
	}
	return nil
}

// packed is the built file as gzip, which is kept too, under the name of what
// is in it.
func packed(cache, file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	name := filepath.Join(cache, "estab-"+hex.EncodeToString(sum[:8])+".wasm.gz")
	if p, err := os.ReadFile(name); err == nil && whole(p) {
		return p, nil
	}
	old, _ := filepath.Glob(filepath.Join(cache, "estab-*.wasm.gz"))
	for _, x := range old {
		os.Remove(x)
	}
	var p bytes.Buffer
	w, err := gzip.NewWriterLevel(&p, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w.Write(b) // a Buffer takes everything
	w.Close()
	os.WriteFile(name, p.Bytes(), 0o666) // if not, it is packed again next time
	return p.Bytes(), nil
}

// whole reports whether a file is gzip to its end.
func whole(p []byte) bool {
	r, err := gzip.NewReader(bytes.NewReader(p))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r)
	return err == nil
}

// building shows that something is built, on a terminal.
type building struct {
	animation
	mu    sync.Mutex
	name  string
	count int
}

func newBuilding(term *terminal) *building {
	b := &building{}
	began := time.Now()
	b.animation = term.animate(func() string {
		b.mu.Lock()
		defer b.mu.Unlock()
		line := fmt.Sprintf("building the engine for the browser: %.0f s, %d packages, %s", time.Since(began).Seconds(), b.count, b.name)
		return line[:min(len(line), max(term.columns-1, 0))]
	})
	return b
}

func (b *building) at(name string, count int) {
	b.mu.Lock()
	b.name, b.count = name, count
	b.mu.Unlock()
}
