package estab

import (
	"cmp"
	"slices"

	"estab/tcp"
)

// Events takes the protocol events out of the host's rings and returns them
// in the order of their times, and how many were overwritten before anybody
// took them since the last call. It returns none unless [Config].Events asks
// for some; [Config].EventMask chooses the kinds.
//
// The type of an event and its kinds are package tcp's and, unlike this
// package, promise nothing about future versions.
func (h *Host) Events() (events []tcp.Event, lost uint64) {
	for i := range h.shards {
		sh := &h.shards[i]
		if sh.ring == nil {
			continue
		}
		sh.mu.Lock()
		events = sh.ring.Drain(events)
		lost += sh.ring.Lost
		sh.ring.Lost = 0
		sh.mu.Unlock()
	}
	slices.SortStableFunc(events, func(a, b tcp.Event) int { return cmp.Compare(a.Time, b.Time) })
	return events, lost
}
