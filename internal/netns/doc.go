// Package netns gives a test a network of the Linux kernel's to itself: a
// fresh network namespace (network_namespaces(7)) with nothing but a loopback,
// so that a test can make devices, addresses and routes without harm. On other
// systems the package is empty.
//
// A network namespace belongs to a thread. What makes a socket, opens
// /dev/net/tun or talks netlink has to happen in the goroutine that [Run] or
// [Test] calls, which is locked to its thread; a goroutine started there is in
// the old namespace. A socket stays where it was made, so any goroutine may
// use it afterwards. net.Listen makes its socket in the calling goroutine, and
// so does net.Dial for an IP literal (names are resolved, and several
// addresses raced, in other goroutines).
package netns
