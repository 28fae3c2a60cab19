// Package kernel sets the Linux kernel at the other end: a TUN device
// (estab/link/tun) in a network namespace that the test has for itself, an
// estab host on the one side, the kernel's sockets and programs (curl, nginx,
// ss) on the other, tshark as the judge of what crosses the wire. Where neither
// root nor user namespaces exist, or a program is missing, a test is skipped
// and says why.
//
// Here the kernel's time is real, so these are the only tests of the module
// that wait: they poll, with a deadline.
package kernel
