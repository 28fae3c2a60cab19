package soak

import (
	"time"

	"estab/sim"
)

// Options say how worlds are played.
type Options struct {
	Profile    Profile
	CheckEvery int           // the engines' invariants are checked after every so many events; 0: 1
	Limit      time.Duration // virtual time in which a world must come to rest; 0: two days

	// Meddle is handed to each path: a way to plant a fault.
	Meddle func(*sim.Packet)
}

func (o *Options) limit() time.Duration {
	if o.Limit > 0 {
		return o.Limit
	}
	return 48 * time.Hour
}
