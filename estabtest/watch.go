package estabtest

import "time"

// eternity is a time after which nothing comes any more: a timer that goes off
// then tells that everybody waits. (In real time it never does.)
const eternity = 100 * 365 * 24 * time.Hour

// waitsForEver runs when no timer was left but its own.
func (n *Network) waitsForEver() {
	n.giveUp("everybody waits, and nothing is left that could happen: a deadlock")
}

// watch is told of each segment whether it is progress; the lock is held. When
// there was none for too long it ends the test.
func (n *Network) watch(progress bool, now int64) {
	switch {
	case progress:
		n.progress = now
	case n.opts.patience >= 0 && now-n.progress > int64(n.opts.patience) && !n.gaveUp:
		n.gaveUp = true
		n.queue.push(arrival{at: now, run: func() {
			n.giveUp("nothing but probes and repetitions for " + n.opts.patience.String())
		}})
		n.arm(now)
	}
}

// giveUp fails the test and closes all hosts, so that whoever waits for them
// is told.
func (n *Network) giveUp(why string) {
	if n.isClosed() {
		return
	}
	n.collect()
	n.t.Errorf("estabtest: %s. All hosts are closed now.", why)
	n.report()
	n.close()
}
