package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"estab/internal/lab/page"
)

// testSite builds the page as estab lab web does.
func testSite(t *testing.T) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the engine for the browser")
	}
	s, err := buildSite(context.Background(), "", terminalOf(io.Discard, io.Discard, "never"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSite: everything that the page needs is served, with its type, packed
// for whoever can unpack it, and nothing is sent twice.
func TestSite(t *testing.T) {
	site := testSite(t)
	server := httptest.NewServer(site)
	defer server.Close()
	get := func(path, accept, match string) (*http.Response, []byte) {
		r, _ := http.NewRequest("GET", server.URL+path, nil)
		r.Header.Set("Accept-Encoding", accept)
		if match != "" {
			r.Header.Set("If-None-Match", match)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, b
	}
	for path, kind := range map[string]string{"/": "text/html", "/index.html": "text/html", "/engine.js": "text/javascript",
		"/worker.js": "text/javascript", "/wasm_exec.js": "text/javascript", "/estab.wasm.gz": "application/octet-stream"} {
		resp, plain := get(path, "identity", "")
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %s, %v", path, resp.Status, resp.Header)
		}
		if again, b := get(path, "identity", resp.Header.Get("ETag")); again.StatusCode != 304 || len(b) > 0 {
			t.Errorf("%s: the second time %s, %d bytes", path, again.Status, len(b))
		}
		resp, b := get(path, "gzip", "")
		if path == "/estab.wasm.gz" {
			if resp.Header.Get("Content-Encoding") != "" || !bytes.HasPrefix(unpack(t, b), []byte("\x00asm")) {
				t.Errorf("%s: %v", path, resp.Header)
			}
			continue
		}
		if resp.Header.Get("Content-Encoding") != "gzip" || !bytes.Equal(unpack(t, b), plain) {
			t.Errorf("%s packed: %v", path, resp.Header)
		}
	}
	for _, path := range []string{"/nothing.js", "/../lab.go", "/web.go", "/.git/config"} {
		if resp, _ := get(path, "identity", ""); resp.StatusCode != 404 {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if resp, err := http.Post(server.URL, "text/plain", nil); err != nil || resp.StatusCode != 405 {
		t.Errorf("POST: %v, %v", resp, err)
	}
}

func unpack(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSiteOut: the page as files is what is served.
func TestSiteOut(t *testing.T) {
	site := testSite(t)
	dir := filepath.Join(t.TempDir(), "a", "b")
	var out, errs bytes.Buffer
	if code := run([]string{"lab", "web", "--out", dir}, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("status %d, %s", code, errs.String())
	}
	for name, f := range site.files {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(b, f.plain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != len(site.files) {
		t.Errorf("%d files, want %d", len(left), len(site.files))
	}
}

// TestWebBad: what can't be is one line and status 2, before anything is built.
func TestWebBad(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		args []string
		says string
	}{
		{[]string{"web", "--addr", busy.Addr().String()}, "the port is in use"},
		{[]string{"web", "--addr", "nowhere"}, "--addr nowhere"},
		{[]string{"web", "--out", file}, "can't write there"},
		{[]string{"web", "--out", filepath.Join(file, "x")}, "can't write there"},
		{[]string{"web", "now"}, `unexpected argument "now"`},
		{[]string{"show"}, "which scenario?"},
		{[]string{"show", "stale"}, `unknown scenario "stale": did you mean stale-syn?`},
		{[]string{"show", "sack", "--msl", "1h"}, "want a time from 1ms to 10m0s"},
		{[]string{"show", "sack", "--lose", "C:1"}, "want lose"},
		{[]string{"show", "sack", "--addr", busy.Addr().String()}, "the port is in use"},
	} {
		var out, errs bytes.Buffer
		if code := run(append([]string{"lab"}, x.args...), &out, &errs); code != exitUsage {
			t.Errorf("%v: status %d", x.args, code)
		}
		if out.Len() > 0 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), x.says) {
			t.Errorf("%v: wrote %q and %q, want %q", x.args, out.String(), errs.String(), x.says)
		}
	}
}

// TestCommand: the command line that the page shows for a run says the same as
// its link.
func TestCommand(t *testing.T) {
	x, err := page.ParseLink("stale-syn?msl=1s&path=loss+5%25+rate+4mbit&cookies=off&retries=0&lose=A:2&late=B:1+5s&twice=A:FIN")
	if err != nil {
		t.Fatal(err)
	}
	r, err := (&page.Session{}).Run(x)
	if err != nil {
		t.Fatal(err)
	}
	args := regexp.MustCompile(`"[^"]*"|[^ ]+`).FindAllString(r.Command, -1)
	for i := range args {
		args[i] = strings.Trim(args[i], `"`)
	}
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	o := webOptions{params: newLabParams(flags)}
	if err := flags.Parse(args[4:]); err != nil {
		t.Fatalf("%s: %v", r.Command, err)
	}
	if err := o.at(args[3]); err != nil || o.fragment != "#"+x.Link() {
		t.Errorf("%s: %s, %v; want %s", r.Command, o.fragment, err, x.Link())
	}
}

// TestShow: what is shown is a link that holds the whole experiment.
func TestShow(t *testing.T) {
	flags := pflag.NewFlagSet("show", pflag.ContinueOnError)
	o := webOptions{lang: "zh", params: newLabParams(flags)}
	if err := flags.Parse([]string{"--msl", "1s", "--lose", "A:2", "--late", "B:1 5s", "--cookies", "off"}); err != nil {
		t.Fatal(err)
	}
	if err := o.at("stale-syn"); err != nil {
		t.Fatal(err)
	}
	if want := "#stale-syn?msl=1s&cookies=off&lose=A:2&late=B:1+5s&lang=zh"; o.fragment != want {
		t.Errorf("%s, want %s", o.fragment, want)
	}
}
