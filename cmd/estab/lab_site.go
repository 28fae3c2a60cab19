package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"estab/cmd/estab/web"
)

// site is the page: all its files, ready to be sent.
type site struct {
	files map[string]*siteFile
	dev   string // if not "", the page's own files are read from there
}

type siteFile struct {
	plain, packed []byte // packed: gzip, nil if that gains nothing
	kind, tag     string
}

// buildSite builds the engine if need be and gathers all files.
func buildSite(ctx context.Context, dev string, term *terminal) (*site, error) {
	e, err := buildEngine(ctx, term)
	if err != nil {
		return nil, err
	}
	s := &site{files: map[string]*siteFile{}, dev: dev}
	s.add("estab.wasm.gz", e.wasm)
	s.add("wasm_exec.js", e.exec)
	err = fs.WalkDir(web.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := web.Files.ReadFile(name)
		s.add(name, b)
		return err
	})
	return s, err
}

func (s *site) add(name string, b []byte) {
	s.files[name] = newSiteFile(name, b)
}

func newSiteFile(name string, b []byte) *siteFile {
	sum := sha256.Sum256(b)
	f := &siteFile{plain: b, kind: contentType(name), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	if path.Ext(name) != ".gz" {
		var p bytes.Buffer
		w, _ := gzip.NewWriterLevel(&p, gzip.BestCompression) // the level is a good one
		w.Write(b)                                            // a Buffer takes everything
		w.Close()
		f.packed = p.Bytes()
	}
	return f
}

// contentType is the type of a file, whatever the machine's tables say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".gz":
		return "application/octet-stream"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// policy lets the page load nothing from elsewhere.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP serves the files.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	f := s.find(name)
	if f == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	b := f.plain
	if f.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			b = f.packed
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(b)))
	if r.Method == http.MethodGet {
		w.Write(b)
	}
}

func (s *site) find(name string) *siteFile {
	if s.dev != "" && filepath.IsLocal(name) {
		if b, err := os.ReadFile(filepath.Join(s.dev, filepath.FromSlash(name))); err == nil {
			return newSiteFile(name, b)
		}
	}
	return s.files[name]
}

// writeSite writes the page into a directory. Whether that can be is found out
// before the engine is built.
func writeSite(ctx context.Context, o *webOptions, stdout, stderr io.Writer) error {
	made, err := writable(o.out)
	if err != nil {
		return err
	}
	s, err := buildSite(ctx, "", terminalOf(stdout, stderr, "auto"))
	if err != nil {
		if made {
			os.Remove(o.out)
		}
		return err
	}
	for name, f := range s.files {
		to := filepath.Join(o.out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return outError(o.out, err)
		}
		if err := os.WriteFile(to, f.plain, 0o666); err != nil {
			return outError(o.out, err)
		}
	}
	fmt.Fprintf(stdout, "%d files in %s: serve them with any web server\n", len(s.files), o.out)
	return nil
}

// writable makes a directory, if there is none, and tries to write into it.
func writable(dir string) (made bool, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		made = true
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, outError(dir, err)
	}
	f, err := os.CreateTemp(dir, ".estab-*")
	if err != nil {
		return made, outError(dir, err)
	}
	f.Close()
	return made, os.Remove(f.Name())
}

func outError(dir string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return usagef("--out %s: can't write there: %v", dir, err)
}
