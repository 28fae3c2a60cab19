package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// partial is a file that gets its name when it is complete.
type partial struct {
	io.Writer
	file *os.File // nil: stdout
	name string
}

// newPartial makes the file, in the folder where it is to be; of the empty
// name it is stdout.
func newPartial(name string, stdout io.Writer) (*partial, error) {
	if name == "" {
		return &partial{Writer: stdout}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".part-*")
	if err != nil {
		return nil, err
	}
	return &partial{Writer: f, file: f, name: name}, nil
}

// keep gives the file its name.
func (p *partial) keep() error {
	if p.file == nil {
		return nil
	}
	f := p.file
	p.file = nil
	mode := os.FileMode(0o644)
	if i, err := os.Stat(p.name); err == nil {
		mode = i.Mode().Perm() // of the one that it takes the place of
	}
	err := errors.Join(f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), p.name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// discard removes what was not kept.
func (p *partial) discard() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
	}
}
