// Package script reads and plays the packetdrill language: scripts that test a
// TCP by stating, line by line and with times, which system calls a program
// makes, which segments arrive, and which segments must leave.
//
//	// A server answers a SYN, and acknowledges the first bytes.
//	    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//	   +0 bind(3, ..., ...) = 0
//	   +0 listen(3, 1) = 0
//	   +0 < S 0:0(0) win 32792 <mss 1000,nop,wscale 7>
//	   +0 > S. 0:0(0) ack 1 <...>
//	  +.1 < . 1:1(0) ack 1 win 257
//	   +0 accept(3, ..., ...) = 4
//	   +0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%
//
// The language is that of https://github.com/google/packetdrill (Cardwell et
// al., "packetdrill: Scriptable Network Stack Testing, from Sockets to
// Packets", USENIX ATC 2013), with what FreeBSD's dialect adds to it: #ifdef
// branches, "..." for a sequence number, a window on every outbound segment.
//
// [Parse] turns a script into a [Script]: a tree of items with their places
// in the text. [Print] writes a tree in its one canonical form and [Format]
// does both; comments, blank lines and unselected branches survive. Errors
// are like a compiler's: place, what was expected, the line and a caret.
// [Script.ParseCode] and [Program.Run] are the few statements of Python that
// the %{ }% blocks need.
//
// [RunSource] and [RunFile] play a script on estab's stack in virtual time and
// report how it ended: passed, failed, with the exchange of segments up to the
// failing line, or not applicable, which is decided from the text. [Run] does it
// in a Go test, a subtest a file:
//
//	func TestClose(t *testing.T) {
//		script.Run(t, script.Options{Strict: true}, "testdata/close/*.pkt")
//	}
//
// The rules are packetdrill's, with these additions. A segment that no line
// states is a failure also after the last line, unless it was left open on
// purpose (with Options.Strict, always). Contiguous segments that leave at one
// instant are one, where a script states one. The stack's initial sequence
// number is called 0. What the programs write and read is compared byte by byte.
// Packets without ports belong to the socket that was made last, or to the
// connection that it accepted; with ports ("< 5001 > 8080 S 0:0(0) …") a script
// can have several connections at once.
//
// Scripts for Linux (google's suite) and for FreeBSD are told by their commands
// and find the sockets of that system: the size of buffers, a few errors and
// the bits of poll. Commands in back-quotes are never executed: settings become
// those of the engine, questions about sockets are answered from its table, and
// whatever else makes a script not applicable.
//
// With Options.Machine the script is played against a [Machine] instead: package
// estab/script/kernel has one that is this computer's Linux kernel. The same player
// judges it, in real time. [CompareFile] plays a script on both and tells where they
// differ. docs/packetdrill.md has the figures.
//
// Nothing here runs a command, writes a file or reads a clock, and every
// input, however hostile, is bounded in depth, size, time and memory.
//
// This package is experimental: its API may change in any release.
package script
