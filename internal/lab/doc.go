// Package lab is a collection of scenarios: each says something about the life
// of a TCP connection, and says it by running the unmodified engine in virtual
// time. A scenario is a value: one or more worlds, what the programs in them
// do, a story in English and Chinese whose sentences belong to moments of the
// run, and claims that are checked on each run.
//
// Run plays a scenario. What comes out can be shown as a ladder, a capture, a
// table or a plot; nothing in it is drawn by hand.
//
// To read first: RFC 9293 §3.5 and §3.6.
package lab
