// Package sim is a world in virtual time: hosts, which are unmodified
// [inet.Stack]s with programs on them, and routers, joined by paths that lose,
// delay, reorder, double, damage and queue packets in each direction as
// internal/netem has it. Paths can be cut, packets kept back and released
// later, forged packets injected; hosts can crash and come back at their old
// address with nothing in their memory. A run is a function of its seed, byte
// for byte, on every machine; ten virtual minutes take milliseconds.
//
// A [World] has a clock that jumps from one event to the next. What is called
// on a host's engine from outside takes effect with [Host.Flush]. [World.Tap]
// shows every packet, with what the path does to it; a ring in
// [HostConfig].TCP.Events tells of a host what that of a live host tells.
//
// Package soak plays random worlds and judges them, package explore tries
// every order of events in small ones.
//
// This package is experimental: its API may change without notice.
package sim
