package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// This file alone opens files, and only to read them.

// RunFile plays the script in a file.
func RunFile(path string, o Options) ([]Report, error) {
	src, err := readScript(path)
	if err != nil {
		return nil, err
	}
	return RunSource(path, src, o)
}

// readScript reads a script, if it is not larger than one may be.
func readScript(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, short(err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a file", path)
	case info.Size() > defaultMaxBytes:
		return nil, fmt.Errorf("%s: %d bytes are no script", path, info.Size())
	}
	src, err := os.ReadFile(path)
	return src, short(err)
}

// short is an error of the file system without the name of the system call.
func short(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// Find lists the scripts (.pkt) that paths stand for, in order: files as they
// are, and all below folders. A path that does not exist and a folder without
// scripts are errors.
func Find(paths ...string) ([]string, error) {
	var out []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, short(err)
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		n := len(out)
		err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(p, ".pkt") {
				out = append(out, p)
			}
			return err
		})
		if err != nil {
			return nil, short(err)
		}
		if len(out) == n {
			return nil, fmt.Errorf("%s: no scripts (*.pkt) in this folder", path)
		}
		slices.Sort(out[n:])
	}
	return out, nil
}
