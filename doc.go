// Package estab is a TCP/IP stack that lives inside a Go program. Its
// connections are [net.Conn], its listeners [net.Listener], and its hosts are
// ordinary values: a program can hold a thousand of them, join them by links
// in memory, attach one to a device of the operating system, and run all of it
// in a test under virtual time.
//
// Five lines open a connection between two hosts that a wire in memory joins:
//
//	a, b := link.Pair(link.PairOptions{})
//	client, err := estab.NewHost(estab.Config{Links: []estab.LinkConfig{{Link: a, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}}}})
//	server, err := estab.NewHost(estab.Config{Links: []estab.LinkConfig{{Link: b, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24")}}}})
//	l, err := server.Listen("tcp", "10.0.0.2:80")
//	c, err := client.Dial("tcp", "10.0.0.2:80")
//
// From there on everything is as package net has it: l.Accept, c.Write,
// c.Read, c.Close; an http.Server serves l, an http.Transport dials with
// client.DialContext. A host always has a loopback, so a single host without
// links can serve and dial itself.
//
// # What differs from package net
//
// Names are resolved only by [Config].Resolver. Without one an address is an
// IP literal or "localhost", for a program that embeds a network doesn't want
// its names to leak into another. There is no SyscallConn and no Control.
// [Conn.Info] tells what ss -ti tells. What must be known before the first
// segment is said in a [Dialer] or a [ListenConfig].
//
// Errors are the kernel's: syscall.ECONNREFUSED, ECONNRESET, EPIPE,
// ETIMEDOUT, EADDRINUSE, EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH,
// os.ErrDeadlineExceeded, net.ErrClosed, io.EOF and the errors of contexts, in
// a *net.OpError, to be found with errors.Is.
//
// # When a host ends
//
// A process that exits takes its stack with it, and with it the bytes that a
// kernel would still have sent. [Host.Shutdown] waits until they are
// acknowledged; [Host.Close] doesn't wait and resets what is open. A host that
// nobody uses owns no goroutine, so a test may forget both.
//
// # Tests in virtual time
//
// Hosts work inside testing/synctest bubbles. A host belongs to the bubble in
// which [NewHost] was called. Every call blocks on channels and timers only,
// so time flows while connections are idle, and a test of a retransmission
// that takes two minutes takes none.
//
// Package tcp holds the protocol, package inet the IP host around it, package
// link the wires. This package is what makes them concurrent: see the comment
// on shard.
package estab
