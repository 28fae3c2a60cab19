package script

import (
	"fmt"
	"strings"
	"testing"
)

// SYN-RECEIVED is reached from LISTEN, where a record stands for the
// connection, and from SYN-SENT, where it has a TCB. What happens in it must
// not tell one from the other (RFC 9293 §3.10.7.4): the same lines, played
// after either beginning.
var waysToSynReceived = map[string]string{
	"passive": `
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 1 win 65535 <mss 1460>
`,
	"simultaneous": `
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) win 65535 <...>
+0 < S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 1 win 65535 <mss 1460>
`,
}

// FD is the connection's socket; the line ACCEPT is there for who has a
// listener.
var inSynReceived = map[string]string{
	"the ACK opens it": `
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 write(FD, ..., 10) = 10
+0 > P. 1:11(10) ack 1 win 65535
+0 < R 1:1(0)
`,
	"text with the ACK": `
+.1 < P. 1:101(100) ack 1 win 1000
+0 > . 1:1(0) ack 101 win 65436
+0 ACCEPT
+0 read(FD, ..., 1000) = 100
+0 < R 101:101(0)
`,
	"text and FIN with the ACK": `
+.1 < FP. 1:11(10) ack 1 win 1000
+0 > . 1:1(0) ack 12 win 65525
+0 ACCEPT
+0 read(FD, ..., 1000) = 10
+0 read(FD, ..., 1000) = 0
+0 close(FD) = 0
+0 > F. 1:1(0) ack 12 win 65525
+0 < . 12:12(0) ack 2 win 1000
`,
	"an ACK of what was never sent": `
+.1 < . 1:1(0) ack 2 win 1000
+0 > R 2:2(0)
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 < R 1:1(0)
`,
	"an ACK of nothing": `
+.1 < . 1:1(0) ack 0 win 1000
+0 > R 0:0(0)
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 < R 1:1(0)
`,
	"no ACK at all": `
+.1 < P 1:11(10) win 1000
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 < R 1:1(0)
`,
	"a RST at RCV.NXT": `
+.1 < R 1:1(0)
+.1 < . 1:1(0) ack 1 win 1000
+0 > R 1:1(0)
`,
	"a RST outside the window": `
+.1 < R 70000:70000(0)
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 < R 1:1(0)
`,
	"no answer": `
+1 > S. 0:0(0) ack 1 win 65535 <mss 1460>
+2 > S. 0:0(0) ack 1 win 65535 <mss 1460>
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 < R 1:1(0)
`,
	"text outside the window": `
+.1 < P. 70000:70100(100) ack 1 win 1000
+0 > . 1:1(0) ack 1 win 65535
+.1 < . 1:1(0) ack 1 win 1000
+0 ACCEPT
+0 < R 1:1(0)
`,
}

func TestSynReceivedIsOneState(t *testing.T) {
	for way, begin := range waysToSynReceived {
		for name, lines := range inSynReceived {
			t.Run(fmt.Sprint(name, "/", way), func(t *testing.T) {
				fd, accept := "3", "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0"
				if way == "passive" {
					fd, accept = "4", "+0 accept(3, ..., ...) = 4"
				}
				src := begin + strings.NewReplacer("FD", fd, "+0 ACCEPT", accept).Replace(lines)
				reports, err := RunSource("synreceived.pkt", []byte(src), strict)
				if err != nil {
					t.Fatal(err)
				}
				for i := range reports {
					r := &reports[i]
					if r.Verdict != Passed {
						t.Error(r.Err())
					}
				}
			})
		}
	}
}
