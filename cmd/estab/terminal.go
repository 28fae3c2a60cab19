package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
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

// bar is a progress bar; the one of a terminal that isn't does nothing.
type bar struct {
	out     io.Writer
	columns int
	total   int64
	began   time.Time

	mu    sync.Mutex
	count int64
	stop  chan struct{}
	ended chan struct{}
}

// refresh is how often a bar is drawn.
const refresh = 100 * time.Millisecond

// bar begins a progress bar for so many bytes; -1: nobody knows how many.
func (t *terminal) bar(total int64) *bar {
	b := &bar{out: t.progress, columns: t.columns, total: total, began: time.Now(), stop: make(chan struct{}), ended: make(chan struct{})}
	if b.out == nil {
		close(b.ended)
		return b
	}
	go b.run()
	return b
}

// Write counts bytes.
func (b *bar) Write(p []byte) (int, error) {
	b.mu.Lock()
	b.count += int64(len(p))
	b.mu.Unlock()
	return len(p), nil
}

func (b *bar) run() {
	defer close(b.ended)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.mu.Lock()
			n := b.count
			b.mu.Unlock()
			fmt.Fprint(b.out, "\r"+b.line(n, time.Since(b.began)))
		case <-b.stop:
			fmt.Fprint(b.out, "\r\x1b[K")
			return
		}
	}
}

// done takes the bar away.
func (b *bar) done() {
	close(b.stop)
	<-b.ended
}

// line is the bar after n bytes, one column short of the terminal's width so
// that it doesn't wrap.
func (b *bar) line(n int64, took time.Duration) string {
	if b.total < 0 {
		return trace.Size(uint64(n)) + "  " + trace.Rate(uint64(n), took) + "\x1b[K"
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
		return text + "\x1b[K"
	}
	full := int(share * float64(room))
	return strings.Repeat("━", full) + strings.Repeat("┄", room-full) + text + "\x1b[K"
}

// countdown shows for how long something will still take, until the returned
// function is called.
func (t *terminal) countdown(what string, until time.Time) (done func()) {
	if t.progress == nil {
		return func() {}
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(refresh)
		defer tick.Stop()
		for {
			fmt.Fprintf(t.progress, "\r%s: %.1f s left\x1b[K", what, max(time.Until(until), 0).Seconds())
			select {
			case <-tick.C:
			case <-stop:
				fmt.Fprint(t.progress, "\r\x1b[K")
				return
			}
		}
	}()
	return func() { close(stop); <-ended }
}
