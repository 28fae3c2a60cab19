package lab

import (
	"io"

	"estab/internal/trace"
)

// WriteSVG writes the ladders of all worlds beside each other.
func (r *Run) WriteSVG(w io.Writer, lang Lang, st trace.Style) error { return nil }

// WritePage writes story, pictures and claims as a page without scripts.
func (r *Run) WritePage(w io.Writer, lang Lang, st trace.Style) error { return nil }
