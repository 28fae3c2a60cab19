// Package inet is an IP host without I/O: IPv4 and IPv6, ICMP and ICMPv6,
// addresses, routes, path MTU, and inside it the TCP of package tcp.
//
// Packets, user calls and the time go in; packets, readiness and the next
// deadline come out. A [Stack] starts no goroutine, takes no lock and reads
// no clock. Whoever runs it (a host with sockets, a simulator, a script) is a
// shell: it hands packets to [Stack.Input], acts on the engine that
// [Stack.TCP] names, runs the timers with [Stack.Advance], and lets
// [Stack.Output] put into an [Outbox] what is to be sent.
//
// Every packet that comes in is either accepted or counted under the reason
// for which it was dropped: [Counters.In] is the sum of both.
//
// Read RFC 1122 section 3 first, then RFC 8504 for what IPv6 asks of a host.
// The rules that keep forged packets out come from RFC 1122 §3.2.1.3 and
// RFC 5927.
//
// This package is experimental: its API may change without notice. Package
// estab is the one with a promise.
package inet
