// Package script reads the packetdrill language: scripts that test a TCP by
// stating, line by line and with times, which system calls a program makes,
// which segments arrive, and which segments must leave.
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
// Nothing here runs a command, opens a file or reads a clock, and every
// input, however hostile, is bounded in depth, size and memory.
//
// This package is experimental: its API may change in any release.
package script
