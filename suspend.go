package estab

// Suspend stops the host's timers, as they stop on a machine that is put to
// sleep: nothing is sent again, no probe goes out, and no connection is given
// up, however long it takes until [Host.Resume]. Calls and packets are served
// as before: whoever wants silence stops the links as well. The deadlines of
// connections are their users', and go on.
func (h *Host) Suspend() { h.asleep.Store(true) }

// Resume ends [Host.Suspend]. What has fallen due meanwhile happens now, and
// once: a segment is sent again, or a probe goes out, as if the timer had been
// late.
func (h *Host) Resume() {
	if !h.asleep.Swap(false) {
		return
	}
	for i := range h.shards {
		h.shards[i].expire()
	}
}
