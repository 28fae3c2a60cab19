// Package estabtest is a network for tests: hosts by name, joined by links as
// bad as you like, with a real TCP on each of them (package estab), in this
// process, and in a testing/synctest bubble in virtual time.
//
// What does a client do when its connection goes silent? When the third segment
// is lost, when the server comes back without its memory, when a NAT forgets?
// Ten minutes of it take a test no time:
//
//	func TestRetryAfterPartition(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			n := estabtest.New(t, estabtest.Link{Delay: 30 * time.Millisecond, Loss: 0.02})
//			ln, err := n.Host("db.internal").Listen("tcp", ":80")
//			if err != nil {
//				t.Fatal(err)
//			}
//			go http.Serve(ln, handler)
//			client := &http.Client{Transport: &http.Transport{DialContext: n.Host("app").DialContext}}
//
//			n.Partition("app", "db.internal")
//			go func() {
//				time.Sleep(10 * time.Minute)
//				n.Heal("app", "db.internal")
//			}()
//			resp, err := client.Get("http://db.internal/")
//			…
//		})
//	}
//
// # Hosts and links
//
// [Network.Host] makes a host or finds it; everything else that takes the name
// of a host wants it to exist. A host has an address of each family, resolves
// the names of all others, and has the two methods that other packages want:
// [Host.DialContext] and [Host.Listen]. Everybody is on one switch; the [Link]
// given to [New] is the way from each host to each other.
// [Network.SetLink] and [Network.SetPath] change a way, at any time;
// [Network.Router] puts hosts behind a router, whose link to the rest they
// share.
//
// # What can go wrong
//
//	n.Partition("a", "b")          nothing passes between the two; without b: nothing to or from a
//	n.BlackHole("a", "b")          nothing passes from a to b
//	n.Heal("a", "b")               it does again
//	n.Drop(func(s Segment) bool)   chosen segments are lost
//	n.Reset("a", "b")              their connections are reset, as by a firewall
//	n.SetMiddlebox("a", "b", m)    something forgets connections, strips options, clamps the MSS
//	n.Flood("b:80", 10000, d)      so many SYNs a second, from nowhere
//	h.Crash(), h.Restart()         memory lost, nothing said; the same address again
//	h.Pause(), h.Stall()           the host is frozen; its programs don't read; h.Resume()
//
// Each is one line in the log of a test that fails.
//
// # What happened
//
// [Network.Conns] are the connections so far, with the states of both ends,
// their errors, and counts of what was sent, sent again and lost;
// [Flow.Segments] and [Flow.Ladder] tell everything.
// [Network.NoConnectionLeft] fails the test if one isn't closed. When a test
// has failed, its log gets the seed, the faults with their times, and the
// ladders of connections that didn't end well: first those that broke, then
// those that are still open.
//
// With ESTAB_PCAP=DIR in the environment each test that makes a network writes
// a capture into the directory, for Wireshark.
//
// # Time
//
// In a bubble, time stands still while anybody has something to do, and jumps
// to the next timer or arrival when all wait. Out of a bubble everything works
// in real time.
//
// Keep-alive is off, unless [KeepAlive] is given: probes for ever would keep a
// test running that waits for what can't happen. When all goroutines wait and
// no timer is left, the test fails with the ladders instead of panicking, and
// all hosts are closed, so that their callers return and tell where they were;
// so it does when nothing but probes has passed for 24 hours (see [Patience]).
//
// When the test ends all hosts are closed, and with them goroutines of servers
// and clients that wait for them; then ten minutes of virtual time go by, for
// those who sleep. Nothing needs to be closed by hand.
//
// # What is repeatable
//
// A run is a function of the program, the seed and the versions of Go and of
// this module, to the nanosecond and to the last segment, with any number of
// processors and under the race detector, if it runs in a bubble and never
// leaves it to Go's scheduler who goes first: if on each host, at any instant,
// at most one goroutine of the program has something to do, and goroutines of
// different hosts talk through the network only. Everything that reaches hosts
// from each other comes at its own time, a few nanoseconds apart: each packet
// is up to a microsecond late on each link, never by 0 ns, so that it doesn't
// fall together with the timers of programs, and the next one arrives when
// everything that it caused has come to rest. Packets that hosts send in the
// same instant arrive in an order of their own.
//
// If two goroutines of a host are woken in the same instant (a timer and a
// Read that returns; a Read and a Write of the same connection; two requests at
// once), the scheduler decides which of them calls first, and the segments may
// be cut and ordered differently. This, too, stays the same: the luck of the
// nth segment that is sent on the mth connection between two hosts and a port.
// In practice programs like net/http repeat themselves nearly always;
// go test -cpu 1 helps where they don't. What Go decides at random stays
// random: select with several ready cases, the order of maps, math/rand, and
// crypto/rand, so that TLS handshakes differ in length by a byte or two.
//
// Captures are in the order in which packets were sent; those of the same
// nanosecond may change places.
//
// The seed comes from the test's name unless [Seed] is given; the variable
// ESTAB_SEED=N wins over both, and ESTAB_SEED=random draws one and prints it.
//
// # What goes wrong, and how one notices
//
// A network that is made outside of the bubble: Host fails the test, and Dial,
// Listen and Accept return an error, with these words: call estabtest.New inside
// of synctest.Test, with the t that it passes.
//
// A mutex that is held while its goroutine waits for the network, and wanted by
// another: to synctest that other one isn't waiting, time stands still for ever,
// and go test ends it after its -timeout, with goroutines in sync.Mutex.Lock
// that are not "durable" in the listing. In virtual time what is held over a
// wait must be a channel; a bubble is a good place to find out that a program
// does otherwise. Three that do: crypto/tls, if the first Read and the first
// Write of a connection come from two goroutines (call Handshake before);
// net/http's HTTP/2, which holds one while it writes (give the hosts a
// SendBuffer, by [Configure], that has room for all that is written at a time);
// and hashicorp/yamux, which holds one while it reads, and can't be helped.
//
// Goroutines that go on when their connections are closed: the test panics with
// "main bubble goroutine has exited but blocked goroutines remain". Let loops
// that dial again end with t.Context(), or at net.ErrClosed.
//
// A real socket, a file or a process that a goroutine waits for: the same as a
// mutex.
package estabtest
