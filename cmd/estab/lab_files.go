package main

import (
	"os"

	"estab/internal/lab"
)

// labFiles are the files that a run writes. They are made before it runs, so
// that one that can't be costs nothing.
type labFiles struct{ pcap, svg, html *os.File }

func (o *labOptions) create() (f labFiles, err error) {
	for _, x := range []struct {
		name string
		to   **os.File
	}{{o.pcap, &f.pcap}, {o.svg, &f.svg}, {o.html, &f.html}} {
		if x.name == "" {
			continue
		}
		if *x.to, err = os.Create(x.name); err != nil {
			f.close()
			return f, usageError{err}
		}
	}
	return f, nil
}

func (f *labFiles) close() {
	for _, x := range []*os.File{f.pcap, f.svg, f.html} {
		if x != nil {
			x.Close()
		}
	}
}

func (f *labFiles) write(r *lab.Run, o *labOptions) error {
	if f.pcap != nil {
		if err := r.WriteCapture(f.pcap); err != nil {
			return err
		}
	}
	if f.svg != nil {
		if err := r.WriteSVG(f.svg, lab.Lang(o.lang), o.style(&r.Scenario)); err != nil {
			return err
		}
	}
	if f.html != nil {
		return r.WritePage(f.html, lab.Lang(o.lang), o.style(&r.Scenario))
	}
	return nil
}
