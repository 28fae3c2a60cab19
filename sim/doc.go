// Package sim is a world of hosts in virtual time: unmodified [inet.Stack]s,
// joined by paths that lose, delay, reorder, double and damage packets, with
// applications as small programs. A run is a function of its seed, byte for
// byte, on every machine; ten virtual minutes take milliseconds.
//
// This package is experimental: its API may change without notice.
package sim
