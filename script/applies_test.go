package script

import (
	"strings"
	"testing"
)

// playText plays a script that must parse.
func playText(t *testing.T, src string, o Options) Report {
	t.Helper()
	reports, err := RunSource("test.pkt", []byte(src), o)
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, src)
	}
	return reports[0]
}

// served is the beginning of a script in which a connection was accepted.
const served = `
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`

// TestNotApplicable: what estab has no match for is told from the text, with
// its line, and nothing is played.
func TestNotApplicable(t *testing.T) {
	for _, c := range []struct{ line, reason string }{
		{"0 `rm -rf /`", `the command "rm -rf /" has no match here`},
		{"0 `../common/defaults.sh; reboot`", `"reboot"`},
		{"0 `sysctl -q net.ipv4.tcp_ecn=3`", "not AccECN"},
		{"0 `sysctl -w net.inet.tcp.insecure_rst=1`", "RFC 5961"},
		{"0 `sysctl -w net.ipv4.tcp_of_the_future=1`", "net.ipv4.tcp_of_the_future: it is not known here"},
		{"0 `sysctl -q net.ipv4.tcp_congestion_control=vegas`", "cubic and reno"},
		{"0 `tc qdisc replace dev tun0 root fq`", "fq"},
		{"0 `sockstat | awk 1`", "sockstat"},
		{"--wire_client\n0 `true`", "--wire_client"},
		{"--blue=1\n0 `true`", "--blue: it is not known here"},
		{"--mtu=50\n0 `true`", "MTU"},
		{"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "no sockets but those of TCP"},
		{"0 socket(..., SOCK_STREAM, IPPROTO_MPTCP) = 3", "no sockets but those of TCP"},
		{"0 fork() = 0", "the system call fork is not known here"},
		{"0 listen(3) = 0", "listen with 1 arguments"},
		{"0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0", "RFC 7413"},
		{"0 setsockopt(3, SOL_TCP, TCP_TELEPATHY, [1], 4) = 0", "TCP_TELEPATHY is not known here"},
		{"0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"bbr\", 4) = 0", "cubic and reno"},
		{"0 sendto(3, ..., 100, MSG_FASTOPEN, ..., ...) = 100", "RFC 7413"},
		{"0 send(3, ..., 100, MSG_ZEROCOPY) = 100", "copies"},
		{"0 send(3, ..., 100, MSG_EOR) = 100", "no records"},
		{"0 recvmsg(3, {msg_iov(1)=[{..., 10}], msg_flags=0}, MSG_ERRQUEUE) = -1 EAGAIN", "MSG_ERRQUEUE"},
		{"0 read(3, ..., 100000000000) = 0", "a length"},
		{"0 > SEWA 0:0(0) <...>", "not AccECN"},
		{"0 > [ect1] . 1:1(0) ack 1", "not AccECN"},
		{"0 > S 0:0(0) <mss 1460,FO abcd1234>", "RFC 7413"},
		{"0 < . 1:70000(69999) ack 1 win 10", "fit no packet"},
		{"0 < . 1:1(0) ack 1", "needs a window"},
		{"0 < . 1:1(0) ack 1 win 10 <...>", "needs its options"},
		{"0 < udp (100)", "no UDP"},
		{"0 < icmp unreachable moon [1:1(0)]", "unreachable moon"},
		{"0 %{ assert tcpi_pacing_rate > 0 }%", "does not pace"},
		{"0 %{ assert tcpi_charm > 0 }%", "tcpi_charm is not known here"},
		{"0 %{ import os }%", "import"},
	} {
		r := playText(t, c.line+"\n", Options{})
		line := 1 + strings.Count(c.line, "\n")
		if strings.HasPrefix(c.line, "--") {
			line = 1
		}
		if r.Verdict != NotApplicable || !strings.Contains(r.Reason, c.reason) || r.Line != line {
			t.Errorf("%s\n\tis %s, line %d: %q, want not applicable, line %d: %q", c.line, r.Verdict, r.Line, r.Reason, line, c.reason)
		}
		if r.Virtual != 0 || r.Failure != nil || r.Err() == nil {
			t.Errorf("%s: %+v", c.line, r)
		}
	}
}

// TestNoScript: what can't be parsed is an error, not a verdict.
func TestNoScript(t *testing.T) {
	for _, src := range []string{"0 < Q 1", "0 %{ assert }%", "#ifdef X"} {
		if r, err := RunSource("x.pkt", []byte(src), Options{}); err == nil {
			t.Errorf("%q is %v", src, r)
		}
	}
}

// TestCommands: these are understood, and the scripts pass.
func TestCommands(t *testing.T) {
	for _, c := range []string{
		"../common/defaults.sh",
		"../common/defaults.sh\n../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0 \\\n  /proc/sys/net/ipv4/tcp_sack=0",
		"sysctl -q net.ipv4.tcp_rmem=\"4096 131072 $((15*1024*1024))\"",
		"sysctl -e -q net/ipv4/tcp_min_tso_segs=2 > /dev/null 2>&1 && true",
		"sysctl -w net.ipv4.tcp_sack = 1",
		"echo 0 > /proc/sys/net/ipv4/tcp_timestamps",
		"ethtool -K tun0 tso off gso off",
		"ip tcp_metrics flush all",
		"/tmp/sysctl_restore_${PPID}.sh",
		"sysctl -n net.ipv4.tcp_sack",
		"# nothing",
	} {
		if r := playText(t, "`"+c+"`\n"+served, Options{}); r.Verdict != Passed {
			t.Errorf("%s: %s", c, r.String())
		}
	}
}

// TestSettings: what commands set is what the engine does.
func TestSettings(t *testing.T) {
	syn := "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n" +
		"+0 connect(3, ..., ...) = -1 EINPROGRESS\n"
	for _, c := range []struct{ command, rest string }{
		{"../common/defaults.sh", "+0 > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>"},
		{"sysctl -q net.ipv4.tcp_timestamps=0", "+0 > S 0:0(0) <mss 1460,nop,nop,sackOK,nop,wscale 7>"},
		{"sysctl -q net.ipv4.tcp_sack=0 net.ipv4.tcp_window_scaling=0", "+0 > S 0:0(0) <mss 1460,nop,nop,TS val 1 ecr 0>"},
		{"sysctl -q net.ipv4.tcp_rmem='4096 4096 4096'", "+0 > S 0:0(0) win 2048 <...>"},
		{"sysctl -q net.ipv4.tcp_syn_retries=1", "+0 > S 0:0(0) <...>\n+1 > S 0:0(0) <...>\n+2 getsockopt(3, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], [4]) = 0"},
		{"sysctl net.inet.tcp.rexmit_initial=3000", "+0 > S 0:0(0) <...>\n+3 > S 0:0(0) <...>"},
		{"sysctl net.inet.tcp.rfc1323=0", "+0 > S 0:0(0) <mss 1460,nop,nop,sackOK>"},
		{"sysctl net.inet.tcp.recvspace=4000", "+0 > S 0:0(0) win 4380 <...>"},
	} {
		if r := playText(t, "`"+c.command+"`\n"+syn+c.rest+"\n", Options{}); r.Verdict != Passed {
			t.Errorf("%s: %s", c.command, r.String())
		}
	}
}

// TestLateSetting: a setting that changes while connections live is not
// applicable; one that changes nothing, or that nothing follows, is.
func TestLateSetting(t *testing.T) {
	for _, c := range []struct {
		tail string
		want Verdict
	}{
		{"+0 `sysctl -q net.ipv4.tcp_sack=0`\n+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1\n", NotApplicable},
		{"+0 `sysctl -q net.ipv4.tcp_sack=1`\n+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1\n", Passed},
		{"+0 `sysctl -q net.ipv4.tcp_sack=0`\n+0 close(4) = 0\n", Passed},
		{"`sysctl -w net.inet.tcp.insecure_rst=1`\n", Passed},
	} {
		if r := playText(t, served+c.tail, Options{}); r.Verdict != c.want {
			t.Errorf("%s: %s", c.tail, r.String())
		}
	}
}

// TestTolerancePercent: the tolerance may be a part of the time since the event
// before.
func TestTolerancePercent(t *testing.T) {
	late := served + "+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1\n+0.29 > P. 1:2(1) ack 1\n"
	for percent, want := range map[string]Verdict{"1": Failed, "5": Passed} {
		if r := playText(t, "--tolerance_percent="+percent+"\n"+late, Options{}); r.Verdict != want {
			t.Errorf("%s %%: %s", percent, r.String())
		}
	}
}
