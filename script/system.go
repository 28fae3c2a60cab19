package script

import "time"

// system is a TCP under test together with the program that uses it. There are
// two: the engine, in virtual time, and a machine with a kernel of its own, in
// real time. What they need to know of a script they learn from its player; what
// is to be expected of them, the player alone decides.
type system interface {
	name() string // what ladders call it
	// now is the time since the script began.
	now() time.Duration
	// next lets time pass until something happens by itself: a timer goes off, a
	// packet leaves, a call that blocked ends. It is false if nothing does by
	// then.
	next(by time.Duration) bool
	// rest lets time pass up to a time before which nothing happens by itself.
	rest(until time.Duration)
	// input lets a packet arrive.
	input(packet []byte)
	// start begins a system call. It fails where there is no such socket.
	start(x *callContext) (attempt, *failed)
	// flush sends what a call has caused.
	flush()
	// setUp does what a command asks for that stands before the first event, where
	// that is done before the script begins; command does it in its place.
	setUp(c *Command) (done bool, err *Error)
	command(c *Command) *failed
	// info finds what %{ }% blocks know of the connection that packets without
	// ports belong to.
	info() func(name string) (n int64, ok bool)
}

// socket is what a player knows of a socket.
type socket struct {
	fd   int    // the script's number for it
	port uint16 // bound to, or 0
	flow *flow  // its connection, once there is one
}
