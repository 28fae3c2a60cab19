package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"estab/internal/netns"
	"estab/script"
)

func TestMain(m *testing.M) {
	Prepare(2)
	os.Exit(m.Run())
}

// inside runs f where machines can be made, or skips the test.
func inside(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	netns.Test(t, func(t *testing.T) {
		if err := Allowed(); errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
		f(t)
	})
}

// patient are options with which a busy computer fails no script: these tests are
// not about times.
func patient() script.Options {
	tolerance := time.Second
	return script.Options{Machine: Run, Loose: true, Override: &tolerance, Retries: 3}
}

func play(t *testing.T, src string, o script.Options) *script.Report {
	t.Helper()
	reports, err := script.RunSource("test.pkt", []byte(src), o)
	if err != nil {
		t.Fatal(err)
	}
	return &reports[0]
}

const server = `
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK>
+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,nop,nop>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`

// TestConversation: calls of every kind, segments both ways, TCP_INFO, in every
// family.
func TestConversation(t *testing.T) {
	inside(t, func(t *testing.T) {
		o := patient()
		o.Families = []script.Family{script.IPv4, script.IPv6, script.IPv4Mapped}
		reports, err := script.RunSource("test.pkt", []byte(server+`
+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [1000], [4]) = 0
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0
+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0
+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "cubic", [16]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=3}, 8) = 0
+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=3}, [8]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=0, linger=0}, 8) = 0
+0 write(4, ..., 2500) = 2500
+0 > P. 1:2501(2500) ack 1
+.1 < P. 1:1501(1500) ack 2501 win 32792
+0 > . 2501:2501(0) ack 1501
+0 ioctl(4, SIOCINQ, [1500]) = 0
+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN|POLLOUT}], 1, 0) = 1
+0 recv(4, ..., 100, MSG_PEEK) = 100
+0 readv(4, [{..., 500}, {..., 500}], 2) = 1000
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0}, 0) = 500
+0 recv(4, ..., 100, MSG_DONTWAIT) = -1 EAGAIN
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 fcntl(4, F_GETFL) = 0x802
+0 read(4, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)
+0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_snd_mss == 1000 and tcpi_bytes_acked == 2500, tcpi_bytes_acked }%
+0 shutdown(4, SHUT_WR) = 0
* > F. 2501:2501(0) ack 1501
+.1 < F. 1501:1501(0) ack 2502 win 32792
+0 > . 2502:2502(0) ack 1502
+0 read(4, ..., 100) = 0
+0 %{ assert tcpi_state == TCP_TIME_WAIT }%
+0 close(4) = 0
+0 bind(3, ..., ...) = -1 EINVAL
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 5
+0 fcntl(5, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(5, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>
+.1 < R. 0:0(0) ack 1 win 0
+0 getsockopt(5, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
`), o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range reports {
			if reports[i].Verdict != script.Passed {
				t.Error(reports[i].String())
			}
		}
	})
}

// TestWrong: what the kernel does not do fails.
func TestWrong(t *testing.T) {
	inside(t, func(t *testing.T) {
		for _, c := range []struct{ tail, reason string }{
			{"+0 write(4, ..., 10) = 10\n+0 > P. 1:12(11) ack 1\n", "carries 10 bytes, not 11"},
			{"+0 write(4, ..., 10) = 9\n", "write returned 10, but should return 9"},
			{"+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0\n", "TCP_NODELAY is 0, not 1"},
			{"+0 %{ assert tcpi_state == TCP_CLOSE_WAIT }%\n", "tcpi_state is 1, TCP_CLOSE_WAIT is 8"},
			{"+0 write(9, ..., 10) = 10\n", "there is no socket 9"},
		} {
			if r := play(t, server+c.tail, patient()); r.Verdict != script.Failed || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%s is %s: %s, want %s", c.tail, r.Verdict, r.Reason, c.reason)
			}
		}
	})
}

// TestSettingsStayInside: a script's settings hold for the script and for nobody
// else.
func TestSettingsStayInside(t *testing.T) {
	inside(t, func(t *testing.T) {
		const file = "/proc/sys/net/ipv4/tcp_sack"
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		src := "`sysctl -q net.ipv4.tcp_sack=0`\n" + strings.Replace(server, "sackOK,nop,nop", "", 1)
		src = strings.Replace(src, "1460,>", "1460>", 1)
		if r := play(t, src, patient()); r.Verdict != script.Passed {
			t.Error(r.String())
		}
		after, err := os.ReadFile(file)
		if err != nil || string(after) != string(before) {
			t.Errorf("tcp_sack was %q and is %q: %v", before, after, err)
		}
	})
}

// TestNothingExecuted: what stands in back-quotes is not run.
func TestNothingExecuted(t *testing.T) {
	inside(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "made")
		for _, cmd := range []string{"touch " + file, "../common/defaults.sh; touch " + file, "echo 1 > " + file, "sysctl -q net.ipv4.tcp_sack=$(touch " + file + ")"} {
			r := play(t, "`"+cmd+"`\n"+server, patient())
			if _, err := os.Stat(file); err == nil {
				t.Fatalf("%q was run", cmd)
			}
			if r.Verdict == script.Passed {
				t.Errorf("%q passed", cmd)
			}
		}
	})
}

// TestNothingLeft: calls that never end don't outlive their script; neither do
// files and threads.
func TestNothingLeft(t *testing.T) {
	inside(t, func(t *testing.T) {
		files, threads := count(t, "fd"), count(t, "task")
		for _, tail := range []string{
			"+0 read(4, ..., 10) = 10\n",
			"+0 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 60000) = 1\n",
			"+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=60}, 8) = 0\n+0 close(4) = 0\n",
			"+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 5\n+0 connect(5, ..., ...) = 0\n",
		} {
			if r := play(t, server+tail, patient()); r.Verdict != script.Failed || !strings.Contains(r.Reason, "blocks and does not end") {
				t.Errorf("%s: %s", tail, r.String())
			}
		}
		for end := time.Now().Add(10 * time.Second); count(t, "task") > threads+4; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%d threads, there were %d", count(t, "task"), threads)
			}
		}
		if n := count(t, "fd"); n > files {
			t.Errorf("%d files are open, there were %d", n, files)
		}
	})
}

// count is the number of entries in a folder of this process in /proc.
func count(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/" + dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestState: the kernel's answer about one connection is that of its lists.
func TestState(t *testing.T) {
	inside(t, func(t *testing.T) {
		err := Run(script.MachineConfig{Local: netip.MustParsePrefix("192.168.0.1/16"), Remote: netip.MustParsePrefix("192.0.2.1/24"), MTU: 1500}, func(sm script.Machine) error {
			m := sm.(*machine)
			c := &script.SystemCall{Name: "socket", Args: [3]int{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_NONBLOCK, 0}}
			m.Begin(c)
			fd := c.N
			c = &script.SystemCall{Name: "connect", FD: fd, Addr: netip.MustParseAddrPort("192.0.2.1:8080")}
			for m.Begin(c); !c.Done; {
				if _, _, err := m.Wait(time.Minute); err != nil {
					return err
				}
			}
			if c.Errno != "EINPROGRESS" {
				return fmt.Errorf("connect: %d %s", c.N, c.Errno)
			}
			c = &script.SystemCall{Name: "getsockname", FD: fd}
			m.Begin(c)
			for _, remote := range []uint16{8080, 8081} {
				one, err1 := m.diagnose(c.Addr.Port(), remote)
				two, err2 := m.readTables(c.Addr.Port(), remote)
				if err := errors.Join(err1, err2); err != nil {
					return err
				}
				want := 0
				if remote == 8080 {
					want = 2 // TCP_SYN_SENT
				}
				if one != want || two != want {
					t.Errorf("to %d: the one connection is in state %d, in the lists it is in %d; want %d", remote, one, two, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestBoth(t *testing.T) {
	for _, c := range []struct{ local, remote, want string }{
		{"192.168.0.1", "192.0.2.1", "192.168.0.1/8"},
		{"10.0.0.1", "10.0.0.2", "10.0.0.1/30"},
		{"10.0.0.1", "192.0.2.1", "10.0.0.1/0"},
		{"fd3d:a0b:17d6::1", "fd3d:fa7b:d17d::1", "fd3d:a0b:17d6::1/16"},
	} {
		if got := both(netip.MustParseAddr(c.local), netip.MustParseAddr(c.remote)).String(); got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.local, c.remote, got, c.want)
		}
	}
}

func TestLineState(t *testing.T) {
	const line = "   1: 0100A8C0:1F90 010200C0:9C40 06 00000000:00000000 03:00001763 00000000     0        0 0 3 ffff88810"
	if st := lineState(line, 8080, 40000); st != 6 {
		t.Errorf("state %d", st)
	}
	for _, other := range []string{"", "sl local_address rem_address st", line[:20], strings.Replace(line, "9C40", "9C41", 1), strings.Replace(line, " 06 ", " xx ", 1)} {
		if st := lineState(other, 8080, 40000); st != 0 {
			t.Errorf("%q: state %d", other, st)
		}
	}
}

// TestSetOnlyTheNetwork: no other file than those below /proc/sys/net is opened.
func TestSetOnlyTheNetwork(t *testing.T) {
	m := &machine{}
	for _, name := range []string{"kernel.panic", "net", "net.ipv4/../../kernel.panic", "net..kernel", "", "/proc/sys/net.ipv4.tcp_sack"} {
		if err := m.Set(name, "1"); err == nil {
			t.Errorf("%q was set", name)
		}
	}
}
