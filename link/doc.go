// Package link joins hosts: what a network card and a cable are to a kernel.
//
// A [Link] moves batches of IP packets, without any header below IP. [Pair]
// makes one in memory, package link/tun one to the operating system, and
// [Impair] makes a bad path out of any of them and lets an observer see what
// passes.
//
// # Who runs what
//
// A link that can do without a goroutine has none. Handing over packets
// happens under the sender's locks, so nothing may be done there that waits or
// that could come back to the sender. What has to be done next goes on a list
// that the caller brings along, a [Work], and the caller runs it when it has
// released its locks:
//
//	mu.Lock()
//	… make packets …
//	n := l.Enqueue(w, packets) // the receiver queues them and adds itself to w
//	mu.Unlock()
//	w.Run()                    // the receiver takes them in; its answers are run in turn
//
// # Who owns what
//
// A [Packet] has one owner at a time. Whoever hands packets over gets empty
// ones back, in the same slice: packets flow both ways, buffers stay where
// they are needed.
//
// The bytes of a packet may be somebody else's, too: on a link that shares memory
// ([Caps].Shares) a host goes on reading what it has sent. Whoever gets a packet
// from such a link, and wants to change it, copies it first.
package link
