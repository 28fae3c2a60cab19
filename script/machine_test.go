package script

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// fakeMachine is a machine with a clock that jumps. It answers a SYN and data as
// a server would, and notes what it is asked for.
type fakeMachine struct {
	clock   time.Duration
	delay   time.Duration // of its segments
	window  uint16
	queue   []Happening
	calls   []string
	sets    []assignment
	state   int
	missing string // a setting it does not have
	reads   int    // bytes that a read finds
	block   bool   // reads block, and end after 100 ms
	pending *SystemCall
	addrs   [2]wire.Addr
}

func (m *fakeMachine) run(c MachineConfig, use func(Machine) error) error {
	m.addrs = [2]wire.Addr{wire.AddrFrom(c.Local.Addr()), wire.AddrFrom(c.Remote.Addr())}
	return use(m)
}

func (m *fakeMachine) Now() time.Duration { return m.clock }

func (m *fakeMachine) Inject(b []byte) error {
	p, ok := parsePacket(b)
	if !ok {
		return errors.New("that is no packet")
	}
	reply := &packet{src: p.dst, dst: p.src, seq: 5000, ack: p.end(), flags: FlagACK, win: m.window}
	switch {
	case p.flags&FlagSYN != 0:
		reply.flags |= FlagSYN
	case len(p.payload) > 0:
		reply.seq++
	default:
		return nil
	}
	out := reply.build(make([]byte, 100), m.addrs[0], m.addrs[1], ipMarks{ttl: 64}, nil)
	m.queue = append(m.queue, Happening{Packet: out, At: m.clock + m.delay})
	return nil
}

func (m *fakeMachine) Begin(c *SystemCall) {
	m.calls = append(m.calls, c.Name)
	switch c.Name {
	case "socket", "accept4":
		c.N = 100 + len(m.calls)
		c.Addr = netip.AddrPortFrom(netip.Addr{}, 40000) // the script's first port

	case "read":
		c.N = m.reads
		for i := range c.Buf[:m.reads] {
			c.Buf[i] = pattern(uint32(i))
		}
	case "getsockopt":
		copy(c.Buf, []byte{1, 0, 0, 0, 0, 0, 0x87}) // established, both ends scale
	}
	if c.Name == "read" && m.block {
		m.pending = c
		m.queue = append(m.queue, Happening{At: m.clock + 100*time.Millisecond, Ended: c})
		return
	}
	c.Done, c.Ended = true, m.clock
}

func (m *fakeMachine) Wait(until time.Duration) (h Happening, ok bool, err error) {
	slices.SortStableFunc(m.queue, func(a, b Happening) int { return int(a.At - b.At) })
	if len(m.queue) == 0 || m.queue[0].At > until {
		m.clock = max(m.clock, until)
		return h, false, nil
	}
	h, m.queue = m.queue[0], m.queue[1:]
	m.clock = max(m.clock, h.At)
	if h.Ended != nil {
		h.Ended.Done, h.Ended.Ended = true, h.At
	}
	return h, true, nil
}

func (m *fakeMachine) Set(name, value string) error {
	if name == m.missing {
		return fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	m.sets = append(m.sets, assignment{name, value})
	return nil
}

func (m *fakeMachine) Offload(feature string, on bool) error {
	m.sets = append(m.sets, assignment{feature, fmt.Sprint(on)})
	return nil
}

func (m *fakeMachine) Queue(kind string) error {
	if kind == m.missing {
		return fs.ErrNotExist
	}
	m.sets = append(m.sets, assignment{"queue", kind})
	return nil
}

func (m *fakeMachine) State(local, remote uint16) (int, error) { return m.state, nil }

func playOnMachine(t *testing.T, m *fakeMachine, src string, o Options) Report {
	t.Helper()
	if m.window == 0 {
		m.window = 1000
	}
	o.Machine = m.run
	return playText(t, src, o)
}

const machineServer = `
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792
+0 > S. 0:0(0) ack 1 win 1000
`

// TestMachineJudged: what a machine does is judged as the engine is: segments,
// results, times.
func TestMachineJudged(t *testing.T) {
	for _, c := range []struct{ name, src, reason string }{
		{"right", machineServer, ""},
		{"flags", strings.Replace(machineServer, "> S.", "> S", 1), "the flags are S., not S"},
		{"acknowledgement", strings.Replace(machineServer, "ack 1", "ack 2", 1), "acknowledgement number is 1, not 2"},
		{"window", strings.Replace(machineServer, "win 1000", "win 999", 1), "its window is 1000, not 999"},
		{"early", strings.Replace(machineServer, "+0 >", "+.1 >", 1), "too early"},
		{"missing", machineServer + "+0 > . 1:1(0) ack 1\n", "no segment was sent by 2"},
		{"no socket", machineServer + "+0 close(9) = 0\n", "there is no socket 9"},
		{"result", machineServer + "+0 shutdown(3, SHUT_WR) = -1 ENOTCONN\n", "shutdown succeeded with 0, but should fail with ENOTCONN"},
		{"assertion", machineServer + "+0 %{ assert tcpi_state == TCP_CLOSE_WAIT }%\n", "assertion failed"},
		{"info", machineServer + "+0 accept(3, ..., ...) = 4\n+0 %{ assert tcpi_rcv_wscale == 8 and tcpi_state == TCP_ESTABLISHED }%\n", ""},
	} {
		m := &fakeMachine{state: 1}
		r := playOnMachine(t, m, c.src, Options{})
		want := Passed
		if c.reason != "" {
			want = Failed
		}
		if r.Verdict != want || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: %s: %q, want %q", c.name, r.Verdict, r.Reason, c.reason)
		}
	}
}

// TestMachineRetried: only what its times failed is played again, and the report
// says how often.
func TestMachineRetried(t *testing.T) {
	late := 30 * time.Millisecond
	tries := 0
	o := Options{Retries: 3, Machine: func(c MachineConfig, use func(Machine) error) error {
		m := &fakeMachine{window: 1000, delay: late}
		if tries++; tries == 3 {
			m.delay = 0
		}
		return m.run(c, use)
	}}
	if r := playText(t, machineServer, o); r.Verdict != Passed || r.Tries != 3 {
		t.Errorf("%s after %d tries", r.Verdict, r.Tries)
	}
	tries = -10
	if r := playText(t, machineServer, o); r.Verdict != Failed || r.Tries != 4 || r.Failure.Late == nil {
		t.Errorf("%s after %d tries: %+v", r.Verdict, r.Tries, r.Failure)
	}
	tries = 2
	if r := playText(t, strings.Replace(machineServer, "ack 1", "ack 2", 1), o); r.Verdict != Failed || r.Tries != 0 {
		t.Errorf("%s after %d tries", r.Verdict, r.Tries)
	}
	tolerance := late
	o.Override, tries = &tolerance, -10
	if r := playText(t, "--tolerance_usecs=5\n"+machineServer, o); r.Verdict != Passed {
		t.Errorf("with more tolerance: %s", r.String())
	}
}

// TestMachineCall: a call that blocks ends when the machine says so, and what it
// read is compared.
func TestMachineCall(t *testing.T) {
	src := machineServer + "+0 accept(3, ..., ...) = 4\n+0...0.100 read(4, ..., 1000) = 10\n"
	if r := playOnMachine(t, &fakeMachine{block: true, reads: 10}, src, Options{}); r.Verdict != Passed {
		t.Error(r.String())
	}
	late := strings.Replace(src, "0.100", "0.200", 1)
	if r := playOnMachine(t, &fakeMachine{block: true, reads: 10}, late, Options{}); r.Verdict != Failed || !strings.Contains(r.Reason, "too early") {
		t.Error(r.String())
	}
	never := strings.Replace(src, "+0...0.100 ", "+0 ", 1)
	m := &fakeMachine{block: true}
	o := Options{Machine: func(c MachineConfig, use func(Machine) error) error {
		return m.run(c, func(Machine) error { return use(stuck{m}) })
	}}
	m.window = 1000
	if r := playText(t, never, o); r.Verdict != Failed || !strings.Contains(r.Reason, "read blocks and does not end") {
		t.Error(r.String())
	}
}

// stuck is a machine whose calls that block never end.
type stuck struct{ *fakeMachine }

func (s stuck) Wait(until time.Duration) (Happening, bool, error) {
	s.queue = slices.DeleteFunc(s.queue, func(h Happening) bool { return h.Ended != nil })
	return s.fakeMachine.Wait(until)
}

// TestMachineSettings: what commands set is set, by its name, before the script
// begins; nothing else that they say is done.
func TestMachineSettings(t *testing.T) {
	m := &fakeMachine{}
	r := playOnMachine(t, m, "`../common/defaults.sh\n../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0\n"+
		"sysctl -q net.ipv4.tcp_rmem=\"4096 8192 $((2*8192))\"\nethtool -K tun0 tso off gso off\nip tcp_metrics flush all`\n"+machineServer, Options{})
	if r.Verdict != Passed {
		t.Fatal(r.String())
	}
	want := slices.Concat(linuxInitialSettings[:], linuxDefaultSettings[:], []assignment{
		{"net.ipv4.tcp_timestamps", "0"}, {"net.ipv4.tcp_rmem", "4096 8192 16384"}, {"tso", "false"}, {"gso", "false"}})
	if !slices.Equal(m.sets, want) {
		t.Errorf("set: %v\nwant %v", m.sets, want)
	}
	m = &fakeMachine{missing: "fq"}
	if r := playOnMachine(t, m, "`tc qdisc replace dev tun0 root fq`\n"+machineServer, Options{}); r.Verdict != NotApplicable || r.Line != 1 || len(m.calls) > 0 {
		t.Error(r.String())
	}
	m = &fakeMachine{}
	if r := playOnMachine(t, m, "`tc qdisc replace dev tun0 root fq`\n"+machineServer, Options{}); r.Verdict != Passed || !slices.Contains(m.sets, assignment{"queue", "fq"}) {
		t.Errorf("%s %v", r.String(), m.sets)
	}
	m = &fakeMachine{missing: "net.ipv4.tcp_warp"}
	if r := playOnMachine(t, m, "`sysctl -q net.ipv4.tcp_warp=9`\n"+machineServer, Options{}); r.Verdict != NotApplicable || r.Line != 1 || len(m.calls) > 0 {
		t.Error(r.String())
	}
}

// TestMachineNotApplicable: what is not done on a machine is told from the text,
// before there is one.
func TestMachineNotApplicable(t *testing.T) {
	for _, c := range []struct{ line, reason string }{
		{"0 `rm -rf /`", `the command "rm -rf /" has no match here`},
		{"0 `sysctl -q kernel.panic=1`", "only settings of the network"},
		{"0 `sysctl -q net.ipv4.tcp_sack.../../../x=1`", "only settings of the network"},
		{"0 `echo 1 > /proc/sys/net/../kernel/panic`", "only settings of the network"},
		{"0 `echo 1 > /proc/sys/net/ipv4/../../kernel/panic`", "only settings of the network"},
		{"0 `sysctl -w net.inet.tcp.insecure_rst=0`", "FreeBSD's"},
		{"0 `sockstat | grep -c LISTEN | grep 1`", "FreeBSD's table"},
		{"0 `tcpdrop -a`", "FreeBSD's table"},
		{"0 `tc qdisc replace dev tun0 root netem loss 1%`", "has no match here"},
		{"0 `tc qdisc replace dev tun0 root htb`", "has no match here"},
		{"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "no sockets but those of TCP"},
		{"0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=3600}, 8) = 0", "no call waits for more than 60 s"},
		{"0 poll([{fd=3, events=POLLIN, revents=0}], 1, -1) = 0", "no call waits for more than 60 s"},
		{"0 poll([{fd=3, events=POLLIN, revents=0}], 1, 100000) = 0", "no call waits for more than 60 s"},
		{"0 setsockopt(3, SOL_TCP, TCP_REPAIR, [1], 4) = 0", "TCP_REPAIR is not played here"},
		{"0 sendto(3, ..., 100, MSG_FASTOPEN, ..., ...) = 100", "MSG_FASTOPEN is not played here"},
		{"0 read(3, ..., 100000000000) = 0", "a length"},
		{"+0 `true`\n+3600 close(3) = 0", "in real time a script may take 5 minutes"},
		{"0...301 accept(3, ..., ...) = 4", "in real time a script may take 5 minutes"},
		{"301 close(3) = 0", "in real time a script may take 5 minutes"},
		{"0 %{ assert tcpi_snd_nxt > 0 }%", "tcpi_snd_nxt is not known here"},
		{"0 < udp (100)", "no UDP"},
	} {
		o := Options{Machine: func(MachineConfig, func(Machine) error) error {
			t.Errorf("%s: a machine was made", c.line)
			return nil
		}}
		r := playText(t, c.line+"\n", o)
		if r.Verdict != NotApplicable || !strings.Contains(r.Reason, c.reason) || r.Line == 0 {
			t.Errorf("%s\n\tis %s: %q, want not applicable: %q", c.line, r.Verdict, r.Reason, c.reason)
		}
	}
}

// TestMachineKnowsMore: what only estab declines is played on a machine.
func TestMachineKnowsMore(t *testing.T) {
	for _, line := range []string{
		"+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"bbr\", 4) = 0",
		"+0 setsockopt(3, SOL_TCP, TCP_WINDOW_CLAMP, [1000], 4) = 0",
		"+0 accept(3, ..., ...) = 4\n+0 %{ assert tcpi_reordering >= 0 and tcpi_pacing_rate >= 0 }%",
	} {
		if r := playOnMachine(t, &fakeMachine{state: 1}, machineServer+line+"\n", Options{}); r.Verdict != Passed {
			t.Errorf("%s: %s", line, r.String())
		}
		if r := playText(t, machineServer+line+"\n", Options{}); r.Verdict != NotApplicable {
			t.Errorf("%s: %s on the engine", line, r.Verdict)
		}
	}
	if r := playOnMachine(t, &fakeMachine{}, "`sysctl -q net.ipv4.tcp_ecn=1`\n"+machineServer, Options{}); r.Verdict != Passed {
		t.Error(r.String())
	}
}

// TestMachineFails: an error of the machine's is one of the run, not a verdict.
func TestMachineFails(t *testing.T) {
	broken := errors.New("no device")
	o := Options{Machine: func(MachineConfig, func(Machine) error) error { return broken }}
	if _, err := RunSource("x.pkt", []byte(machineServer), o); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := CompareSource("x.pkt", []byte(machineServer), o); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// FuzzMachine: no script, however odd, breaks the player of a machine, or makes
// its machine do more than it may.
func FuzzMachine(f *testing.F) {
	f.Add(machineServer + "+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 3000) = 3000\n* > P. 1:3001(3000) ack 1\n+0 close(4) = 0\n")
	f.Add(machineServer + "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, 0, 99) = 0\n+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, 1, [3]) = 0\n")
	f.Add(machineServer + "+0 poll([{fd=4, events=POLLIN}, {fd=3}, 7], 3, 9) = 1\n+0 ioctl(3, FIONBIO, [1]) = 0\n+0 `sleep 1`\n")
	f.Add("0 socket(..., SOCK_STREAM, 0) = 3\n+0...1 connect(3, AF_UNSPEC, 2) = 0\n+0 recvmsg(3, {msg_iov(1)=[{0, 9}], msg_control=[1]}, 0) = 0\n")
	f.Add("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 ioctl(3, FIONBIO, []) = 0\n")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("fuzz", []byte(src), ParseOptions{MaxBytes: 4096, MaxItems: 100})
		if err != nil {
			return
		}
		m := &fakeMachine{window: 1000, delay: time.Millisecond}
		o := Options{Machine: m.run, Loose: true}
		if r, err := runOnce(s, &o, IPv6); err == nil && r.String() == "" {
			t.Fatal("a report without text")
		}
		for _, a := range m.sets {
			if !strings.HasPrefix(a.name, "net.") && a.name != "tso" && a.name != "gso" && a.name != "queue" || strings.Contains(a.name, "/") {
				t.Fatalf("it set %s", a.name)
			}
		}
		if c, err := compareOnce(s, &o, IPv4); err == nil && c.String() == "" {
			t.Fatal("a comparison without text")
		}
	})
}

// TestCompare: what the two do is told side by side, and only where they differ.
func TestCompare(t *testing.T) {
	script := "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n" +
		"+0 < S 0:0(0) win 32792\n+0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 100\n+0 accept(3, ..., ...) = 4\n" +
		"+0 read(4, ..., 10) = 10\n"
	m := &fakeMachine{window: 1000, delay: 10 * time.Millisecond, reads: 5}
	list, err := CompareSource("x.pkt", []byte(script), Options{Machine: m.run})
	if err != nil {
		t.Fatal(err)
	}
	c := list[0]
	got := c.String()
	for _, want := range []string{
		"2 differences: x.pkt (ipv4)",
		"    5: +0 > S. 0:0(0) ack 1 <mss 1460>\n       estab",
		"0.000 > S. 0:0(0) ack 1 win 65535 <mss 1460>  0.010 > S. 0:0(0) ack 1 win 1000\n       └ window, options, time",
		"    8: +0 read(4, ..., 10) = 10\n       estab",
		"read blocks and does not end                  goes on\n       └ the script can't go on",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if d := c.Differences[0]; !d.Engine.AsStated || d.Machine.AsStated {
		t.Errorf("%+v, %+v", d.Engine, d.Machine)
	}

	// Without what differs they are the same; --loose overlooks the window.
	loose, _, _ := strings.Cut(strings.Replace(script, " <mss 1460>", "", 1), "+.1")
	o := Options{Machine: (&fakeMachine{window: 999}).run, Loose: true}
	if list, err = CompareSource("x.pkt", []byte(loose), o); err != nil {
		t.Fatal(err)
	}
	if n := len(list[0].Differences); n != 1 || list[0].Differences[0].What[0] != "options" {
		t.Errorf("%s", list[0].String())
	}
	if s := (&Comparison{Name: "x.pkt"}).String(); s != "the same: x.pkt (ipv4)" {
		t.Error(s)
	}
}
