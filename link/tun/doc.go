// Package tun links a host to the kernel it runs on: a TUN device
// (Documentation/networking/tuntap.rst in the Linux sources), an interface of
// the kernel whose other end is this process. What the kernel routes to the
// interface arrives at the host, what the host sends the kernel receives.
//
//	dev, err := tun.Open(tun.Config{Addrs: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}})
//	…
//	host, err := estab.NewHost(estab.Config{Links: []estab.LinkConfig{{
//		Link: dev, Addrs: []netip.Prefix{netip.MustParsePrefix("10.9.0.2/24")},
//	}}})
//
// Now curl finds the host at 10.9.0.2, and the host the kernel at 10.9.0.1.
//
// To make a device takes CAP_NET_ADMIN in the network namespace where that is
// done: root has it, and so has anyone in a namespace of his own (unshare
// -Urn). A device that root has made beforehand for a user (ip tuntap add mode
// tun user NAME) that user can open by its name.
//
// It is implemented for Linux. There are no offloads yet: a system call for
// each packet, checksums on both sides.
package tun
