package estab

// SlabsOut is how many buffers the host has taken from its pools, put back
// elsewhere counting negative, less those that wait in it to be exchanged: over
// hosts that hold no text, and that nothing is on its way between, the sum is 0.
// Nobody may be sending: the tokens of the shards are not taken for it.
func (h *Host) SlabsOut() (n int) {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		n += sh.stack.Pool().Out
		sh.queue.mu.Lock()
		for class := range sh.queue.empty {
			n -= sh.queue.empty[class].n + sh.queue.spare[class].n
		}
		sh.queue.mu.Unlock()
		sh.mu.Unlock()
	}
	return n
}
