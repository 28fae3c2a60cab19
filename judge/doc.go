// Package judge holds tests by judges that share no author with the code:
// golang.org/x/net/nettest says whether a connection is a net.Conn, gopacket
// reads what hosts emit and writes what they have to read, and net/http,
// crypto/tls, gRPC, SSH, WebSocket and Redis talk over them. Package
// judge/kernel sets the Linux kernel at the other end, package judge/gvisor
// gVisor's netstack, and package judge/web reads the lab's page in Chromium.
//
// Two ends written by one hand agree on the same mistakes; these don't.
//
// The module is a nested one, so that nobody who embeds estab inherits what
// the judges need. With ESTAB_LONG=1 the tests take their time; testing.Short
// wins over it.
package judge
