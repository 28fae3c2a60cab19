package main

import (
	"fmt"
	"sync"
)

// countBar counts, on a terminal, what has been done; elsewhere it is silent.
type countBar struct {
	term  *terminal
	total int

	mu   sync.Mutex
	done int
}

func (b *countBar) add() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	if b.term.progress != nil {
		fmt.Fprintf(b.term.progress, "\r%d of %d scripts\x1b[K", b.done, b.total)
	}
}

// clear wipes the line.
func (b *countBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.term.progress != nil && b.done > 0 {
		fmt.Fprint(b.term.progress, "\r\x1b[K")
	}
}
