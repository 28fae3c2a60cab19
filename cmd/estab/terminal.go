package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"estab/internal/trace"
)

// terminal is what is known about where the output goes.
type terminal struct {
	color    bool      // of stdout
	progress io.Writer // stderr if it is a terminal, else nil
	columns  int       // of it
}

// terminalOf looks at the two outputs. Colour ("auto", "always" or "never") is
// for a terminal only, unless the user wants it; https://no-color.org and
// TERM=dumb are respected.
func terminalOf(stdout, stderr io.Writer, color string) *terminal {
	t := &terminal{color: color == "always"}
	if f, ok := stdout.(*os.File); ok && color == "auto" {
		t.color = term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		t.progress = f
		t.columns = 80
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			t.columns = w
		}
	}
	return t
}

// refresh is how often an animation is drawn.
const refresh = 100 * time.Millisecond

// animation is a line of a terminal that is drawn again and again; elsewhere
// than on a terminal it is nothing.
type animation struct{ stop, ended chan struct{} }

// animate draws what line says until done is called.
func (t *terminal) animate(line func() string) animation {
	a := animation{make(chan struct{}), make(chan struct{})}
	if t.progress == nil {
		close(a.ended)
		return a
	}
	go func() {
		defer close(a.ended)
		tick := time.NewTicker(refresh)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprint(t.progress, "\r"+line()+"\x1b[K")
			case <-a.stop:
				fmt.Fprint(t.progress, "\r\x1b[K")
				return
			}
		}
	}()
	return a
}

// done takes the line away.
func (a animation) done() {
	close(a.stop)
	<-a.ended
}

// bar is a progress bar.
type bar struct {
	animation
	columns int
	total   int64
	began   time.Time
	count   atomic.Int64
}

// bar begins a progress bar for so many bytes; -1: nobody knows how many.
func (t *terminal) bar(total int64) *bar {
	b := &bar{columns: t.columns, total: total, began: time.Now()}
	b.animation = t.animate(func() string { return b.line(b.count.Load(), time.Since(b.began)) })
	return b
}

// Write counts bytes.
func (b *bar) Write(p []byte) (int, error) {
	b.count.Add(int64(len(p)))
	return len(p), nil
}

// line is the bar after n bytes, one column short of the terminal's width so
// that it doesn't wrap.
func (b *bar) line(n int64, took time.Duration) string {
	if b.total < 0 {
		return trace.Size(uint64(n)) + "  " + trace.Rate(uint64(n), took)
	}
	left := "–"
	if n > 0 {
		left = trace.Duration(time.Duration(float64(took) * float64(b.total-n) / float64(n)).Round(time.Second / 10))
	}
	share := 1.0
	if b.total > 0 {
		share = float64(n) / float64(b.total)
	}
	text := fmt.Sprintf(" %3.0f%%  %s of %s  %s  %s left", 100*share, trace.Size(uint64(n)), trace.Size(uint64(b.total)),
		trace.Rate(uint64(n), took), left)
	room := b.columns - 1 - len([]rune(text))
	if room < 10 {
		return text
	}
	full := int(share * float64(room))
	return strings.Repeat("━", full) + strings.Repeat("┄", room-full) + text
}

// countdown shows for how long something will still take, until the returned
// function is called.
func (t *terminal) countdown(what string, until time.Time) (done func()) {
	return t.animate(func() string {
		return fmt.Sprintf("%s: %.1f s left", what, max(time.Until(until), 0).Seconds())
	}).done
}
