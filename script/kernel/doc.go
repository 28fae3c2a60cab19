// Package kernel lets scripts in the packetdrill language (estab/script) be
// played against this computer's own Linux kernel: packetdrill's job, without
// packetdrill.
//
//	script.RunFile("close.pkt", script.Options{Machine: kernel.Run})
//
// [Run] makes a fresh network namespace (network_namespaces(7)) with a TUN device
// in it. The script's packets are written to the device, and what the kernel
// sends is taken from a packet socket on it (packet(7)), with the time at which
// the kernel sent it. System calls are real; one that may block is made by a
// thread of its own. Kernel settings are made in the namespace only, which goes
// when the script has ended. Nothing else of the machine is touched.
//
// It takes CAP_SYS_ADMIN, CAP_NET_ADMIN and the file /dev/net/tun; [Rootless]
// runs a program again in a user namespace, where anybody has these rights (if
// the system allows user namespaces and opens /dev/net/tun to all).
//
// The kernel's clock ticks whatever a script waits for, so here the player needs
// the processor on time. On a busy computer scripts fail that state exact times;
// run them with more tolerance, and let [Prepare] ready the process.
package kernel
