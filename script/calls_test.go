package script

import (
	"strings"
	"testing"
)

// The faces of the sockets: what system calls return in scripts for estab, for
// Linux and for FreeBSD.

const (
	linux   = "`../common/defaults.sh`\n"
	freeBSD = "`sysctl -w net.inet.tcp.recvspace=65536`\n"
)

func TestCalls(t *testing.T) {
	connecting := "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <...>\n"
	for _, c := range []struct{ name, src string }{
		{"buffers of Linux are doubled", linux + served + `
+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [540000], [4]) = 0
+0 getsockopt(4, SOL_SOCKET, SO_SNDBUF, [262144], [4]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [21000], 4) = 0
+0 getsockopt(4, SOL_SOCKET, SO_SNDBUF, [42000], [4]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_RCVBUF, [1], 4) = 0
+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [2304], [4]) = 0
`},
		{"buffers of FreeBSD are rounded to segments", freeBSD + served + `
+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [65536], [4]) = 0
+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [66000], [4]) = 0
+0 getsockopt(4, SOL_SOCKET, SO_SNDBUF, [33000], [4]) = 0
`},
		{"ours are what was set", served + `
+0 setsockopt(4, SOL_SOCKET, SO_RCVBUF, [12345], 4) = 0
+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [12345], [4]) = 0
`},
		{"flags of a descriptor", connecting + `
+0 fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)
+0 fcntl(3, F_SETFL, O_RDWR) = 0
+0 fcntl(3, F_GETFL) = O_RDWR
`},
		{"flags of a descriptor on FreeBSD", freeBSD + connecting + "+0 fcntl(3, F_GETFL) = 0x6\n+0 fcntl(3, F_GETFL) = O_RDWR|O_NONBLOCK\n"},
		{"before a connection", `
0 socket(..., SOCK_STREAM, 0) = 3
+0 read(3, ..., 10) = -1 ENOTCONN
+0 write(3, ..., 10) = -1 EPIPE
+0 shutdown(3, SHUT_WR) = -1 ENOTCONN
+0 accept(3, ..., ...) = -1 EINVAL
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT|POLLHUP}], 1, 0) = 1
`},
		{"before a connection on FreeBSD", freeBSD + "0 socket(..., SOCK_STREAM, 0) = 3\n+0 write(3, ..., 10) = -1 ENOTCONN\n"},
		{"while connecting", connecting + `
+0 connect(3, ..., ...) = -1 EALREADY
+0 read(3, ..., 10) = -1 EAGAIN
+0 write(3, ..., 10) = -1 EAGAIN
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 0) = 0
+0 < S. 0:0(0) ack 1 win 1000 <mss 1000>
+0 > . 1:1(0) ack 1
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
+0 connect(3, ..., ...) = 0
+0 connect(3, ..., ...) = -1 EISCONN
`},
		{"a port that is taken", `
0 socket(..., SOCK_STREAM, 0) = 3
+0 bind(3, ..., ...) = 0
+0 bind(3, ..., ...) = -1 EINVAL
+0 listen(3, 1) = 0
+0 socket(..., SOCK_STREAM, 0) = 4
+0 bind(4, ..., ...) = -1 EADDRINUSE
+0 bind(4, {sa_family=AF_INET, sin_port=htons(81), sin_addr=inet_addr("192.168.0.1")}, ...) = 0
+0 getsockopt(3, SOL_SOCKET, SO_ACCEPTCONN, [1], [4]) = 0
+0 getsockopt(4, SOL_SOCKET, SO_ACCEPTCONN, [0], [4]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_ACCEPTCONN, [1], 4) = -1 ENOPROTOOPT
`},
		{"reading", served + `
+0 < P. 1:1001(1000) ack 1 win 100
+0 > . 1:1(0) ack 1001
+0 ioctl(4, SIOCINQ, [1000]) = 0
+0 recv(4, ..., 100, MSG_PEEK) = 100
+0 recv(4, ..., 100, MSG_DONTWAIT) = 100
+0 readv(4, [{..., 100}, {..., 150}], 2) = 250
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 150}], msg_flags=0}, 0) = 150
+0 recv(4, ..., 400, MSG_TRUNC) = 400
+0 read(4, 0, 10) = -1 EFAULT
+0 recvfrom(4, ..., 1000, 0, ..., ...) = 100
+0 recv(4, ..., 1, MSG_DONTWAIT) = -1 EAGAIN
`},
		{"waiting for all", served + `
+0...0.200 recv(4, ..., 1000, MSG_WAITALL) = 1000
+.1 < P. 1:501(500) ack 1 win 100
+0 > . 1:1(0) ack 501
+.1 < P. 501:1001(500) ack 1 win 100
+0 > . 1:1(0) ack 1001
`},
		{"how much is there to read", linux + served + `
+0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0
+0 setsockopt(4, SOL_TCP, TCP_INQ, [2], 4) = -1 EINVAL
+0 < P. 1:1001(1000) ack 1 win 100
+0 > . 1:1(0) ack 1001
+0 recvmsg(4, {msg_iov(1)=[{..., 300}], msg_flags=0, msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=700}]}, 0) = 300
`},
		{"writing", served + `
+0 writev(4, [{..., 100}, {..., 150}], 2) = 250
+0 > P. 1:251(250) ack 1
+0 < . 1:1(0) ack 251 win 10000
+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 100}], msg_flags=0}, MSG_DONTWAIT) = 200
+0 > P. 251:451(200) ack 1
+0 < . 1:1(0) ack 451 win 10000
+0 sendto(4, ..., 50, 0, ..., ...) = 50
+0 > P. 451:501(50) ack 1
+0 write(4, 0, 10) = -1 EFAULT
+0 write(4, ..., 0) = 0
`},
		{"a buffer that is full", served + `
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [5000], 4) = 0
+0 write(4, ..., 8000) = 5000
+0 > P. 1:5001(5000) ack 1
+0 write(4, ..., 1) = -1 EAGAIN
+0 poll([{fd=4, events=POLLOUT, revents=0}], 1, 0) = 0
+0 ioctl(4, SIOCOUTQ, [5000]) = 0
`},
		{"poll waits", served + `
+0...0.200 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000) = 1
+.2 < P. 1:11(10) ack 1 win 100
+0 > . 1:1(0) ack 11
+0 read(4, ..., 10) = 10
+0...0.300 poll([{fd=4, events=POLLIN, revents=0}], 1, 300) = 0
`},
		{"poll sees the end", served + `
+0 < F. 1:1(0) ack 1 win 100
+0 > . 1:1(0) ack 2
+0 poll([{fd=4, events=POLLIN|POLLRDHUP, revents=POLLIN|POLLRDHUP}], 1, 0) = 1
+0 < R 2:2(0)
+0 poll([{fd=4, events=0, revents=POLLERR|POLLHUP}, {fd=9, events=0, revents=POLLNVAL}], 2, 0) = 2
`},
		{"a broken pipe on Linux", linux + served + `
+0 < F. 1:1(0) ack 1 win 100
+0 > . 1:1(0) ack 2
+0 < R 2:2(0)
+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [EPIPE], [4]) = 0
+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
`},
		{"and elsewhere", freeBSD + served + `
+0 < F. 1:1(0) ack 1 win 100
+0 > . 1:1(0) ack 2
+0 < R 2:2(0)
+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0
`},
		{"text after SHUT_RD on Linux", linux + served + `
+0 shutdown(4, SHUT_RD) = 0
+0 read(4, ..., 10) = 0
+0 < P. 1:11(10) ack 1 win 100
+0 > . 1:1(0) ack 11
+0 read(4, ..., 10) = 10
`},
		{"text after SHUT_RD elsewhere", served + `
+0 shutdown(4, SHUT_RD) = 0
+0 < P. 1:11(10) ack 1 win 100
+0 > . 1:1(0) ack 11
+0 read(4, ..., 10) = 0
`},
		{"a full queue", linux + `
0 socket(..., SOCK_STREAM, 0) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < 5001 > 8080 S 0:0(0) win 100 <mss 1000>
+0 > 8080 > 5001 S. 0:0(0) ack 1 <...>
+0 < 5001 > 8080 . 1:1(0) ack 1 win 100
+0 < 5002 > 8080 S 0:0(0) win 100 <mss 1000>
+0 > 8080 > 5002 S. 0:0(0) ack 1 <...>
+0 < 5002 > 8080 . 1:1(0) ack 1 win 100
+0 < 5003 > 8080 S 0:0(0) win 100 <mss 1000>
+1 accept(3, ..., ...) = 4
+0 < 5003 > 8080 S 0:0(0) win 100 <mss 1000>
+0 > 8080 > 5003 S. 0:0(0) ack 1 <...>
+0 accept4(3, ..., ..., SOCK_NONBLOCK) = 5
+0 read(5, ..., 10) = -1 EAGAIN
`},
		{"disconnecting", served + `
+0 connect(4, AF_UNSPEC, ...) = 0
+0 > R. 1:1(0) ack 1
+0 write(4, ..., 10) = -1 EPIPE
`},
		{"options", served + `
+0 getsockopt(4, SOL_SOCKET, SO_TYPE, [1], [4]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, 8) = 0
+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0
+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [1000], [4]) = 0
+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "cubic", [5]) = 0
+0 setsockopt(4, SOL_TCP, TCP_KEEPCNT, [0], 4) = -1 EINVAL
+0 getsockopt(4, SOL_TCP, TCP_KEEPIDLE, [7200], [4]) = 0
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 1) = -1 EINVAL
+0 setsockopt(4, SOL_IP, IP_TOS, [0x10], 1) = 0
+0 write(4, ..., 10) = 10
+0 > [tos 0x10] P. 1:11(10) ack 1
`},
		{"counting sockets", freeBSD + served + "+0 `sockstat -4 -P tcp -s | grep packetdril | grep -c ESTABLISHED | grep 1`\n" +
			"+0 `sockstat -s | grep LISTEN`\n+0 `tcpdrop -s ESTABLISHED`\n+0 > R. 1:1(0) ack 1\n" +
			"+0 `sockstat -s | grep -c CLOSED | grep 1`\n"},
		{"text that a script spells out", served + "+0 write(4, \"hello\", 5) = 5\n+0 > P. 1:6(5) ack 1\n"},
		{"a time that may be anything", served + "+0 write(4, ..., 5) = 5\n+.1 read(4, ..., 0) = 0\n* > P. 1:6(5) ack 1\n"},
		{"an echo", "0 < icmp echo_request id 7 seq 1\n+0 > icmp echo_reply\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := playText(t, c.src, Options{}); r.Verdict != Passed {
				t.Error(r.String())
			}
		})
	}
}

// TestWrongCalls: a call that returns something else than stated is a failure,
// and the reason says what it returned.
func TestWrongCalls(t *testing.T) {
	for _, c := range []struct{ line, reason string }{
		{"+0 read(4, ..., 10) = 5", "read blocks and does not end"},
		{"+0 write(4, ..., 10) = 9", "write returned 10, but should return 9"},
		{"+0 write(4, ..., 10) = 11~20", "write returned 10, but should return 11~20"},
		{"+0 write(4, ..., 10) = -1 EPIPE", "write succeeded with 10, but should fail with EPIPE"},
		{"+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EPIPE", "recv failed with EAGAIN, but should fail with EPIPE"},
		{"+0 recv(4, ..., 10, MSG_DONTWAIT) = 0", "recv failed with EAGAIN, but should return 0"},
		{"+0 read(7, ..., 10) = 5", "there is no socket 7"},
		{"+0 socket(..., SOCK_STREAM, 0) = 4", "a socket of this number already"},
		{"+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [EPIPE], [4]) = 0", "SO_ERROR is 0, not EPIPE"},
		{"+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [7], [4]) = 0", "TCP_MAXSEG is 1000, not 7"},
		{"+0 ioctl(4, SIOCINQ, [7]) = 0", "SIOCINQ is 0, not 7"},
		{"+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1", "revents=POLLOUT of socket 4, not POLLIN"},
		{"+0...1 close(4) = 0", "close should end at 1.1 and ended at 0.1"},
		{"+0 %{ assert tcpi_snd_cwnd == 11, 'so small' }%", "tcpi_snd_cwnd is 10: so small"},
		{"+0 `sockstat -s | grep -c TIME_WAIT | grep 1`", "the command finds nothing"},
		{"0.01 write(4, ..., 10) = 10", "this should happen at 0.01, but what came before ended only at 0.1"},
	} {
		r := playText(t, served+c.line+"\n", Options{})
		if r.Verdict != Failed || !strings.Contains(r.Reason, c.reason) || r.Line != 9 {
			t.Errorf("%s\n\tis %s, line %d: %q, want failed: %q", c.line, r.Verdict, r.Line, r.Reason, c.reason)
		}
	}
}
