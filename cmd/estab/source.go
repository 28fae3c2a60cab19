package main

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
)

// source is what the server serves.
type source struct {
	name string // in the URL
	size int64
	open func() (io.ReadCloser, error)
}

// URL is where the server at the given address serves it.
func (s *source) URL(addr string) string {
	return (&url.URL{Scheme: "http", Host: addr, Path: "/" + s.name}).String()
}

// generated is a source of pseudo-random bytes.
func generated(size int64, seed uint64) *source {
	return &source{name: "demo.bin", size: size, open: func() (io.ReadCloser, error) {
		var key [32]byte
		for i := range 8 {
			key[i] = byte(seed >> (8 * i))
		}
		return io.NopCloser(io.LimitReader(rand.NewChaCha8(key), size)), nil
	}}
}

// fileSource is a file as a source. What can't be served is the user's error.
func fileSource(path string) (*source, error) {
	info, err := os.Stat(path)
	var perr *fs.PathError
	switch {
	case errors.As(err, &perr):
		return nil, usagef("--file %s: %v", path, perr.Err)
	case err != nil:
		return nil, usagef("--file %s: %v", path, err)
	case !info.Mode().IsRegular():
		return nil, usagef("--file %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		if errors.As(err, &perr) {
			err = perr.Err
		}
		return nil, usagef("--file %s: %v", path, err)
	}
	f.Close()
	return &source{name: filepath.Base(path), size: info.Size(), open: func() (io.ReadCloser, error) { return os.Open(path) }}, nil
}
