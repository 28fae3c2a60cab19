// Package gvisor sets another TCP at the other end of a bad wire: gVisor's
// netstack (gvisor.dev/gvisor/pkg/tcpip). Neither end has seen the other's
// code, so they don't agree on the same mistakes about window scales,
// timestamps, SACK edges or sums.
//
// All of it runs in the virtual time of package sim: estab's stack is a host
// of the simulator, the wire impairs by internal/netem, and gVisor has a clock
// that the simulator moves. gVisor processes segments in goroutines of its
// own; after everything that is done to it the test waits, by Stack.Pause,
// until these have nothing left to do. So a seed has one history, which one
// of the tests holds.
package gvisor
