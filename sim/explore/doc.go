// Package explore searches small worlds exhaustively: two engines, a few
// segments in flight, users that do what they want to do at any time. Every
// order of deliveries, losses, duplicates, time-outs and user calls is tried,
// breadth first, so that what it finds is found in the fewest steps.
//
// It drives [tcp.Engine]s directly, with segments for packets: IP would add
// nothing but headers.
//
// How it is done: an end of the world, which is its engine, its user and the
// time, is a small state machine. Its states are recognised by the engine's
// own dump ([tcp.Engine.AppendState]) beside what the user has seen; what an
// input does to one of them is computed once, on a clone, and then remembered.
// A state of the world is two numbers, the segments in flight and what is left
// of the budgets: so the engine, which takes microseconds, runs some ten
// thousand times where the search looks at millions of states.
//
// Time is virtual and exact. A segment may stay in flight while time-outs pass
// (which costs the budget of delays), but not longer than MSL; where nothing is
// in flight, time passes for free. Numbers are made canonical (number.go), so
// that states that differ in the time of an OPEN only are one.
//
// What is asked of each step of an end and of each state of the world stands in
// invariant.go, beside the sentence of RFC 9293 from which it comes; the files
// rule_*.go ask it, and rest.go asks how it all ends. An invariant sees no more
// of an engine than view.go does, and what crosses the wire. Read RFC 9293
// §3.3.2 to §3.8 and §3.10 first.
//
// This package is experimental: its API may change without notice.
package explore
