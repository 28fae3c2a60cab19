package judge

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"estab/link"
)

// tshark reads what two hosts send each other: no packet is malformed, no
// checksum is bad, and each warning of its experts is explained by what the
// traffic means to do, or by what the wire does to it.
func TestTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	meant := []string{
		"Connection reset (RST)", "TCP Zero Window segment", "TCP window specified by the receiver is now completely full",
		"TCP Zero Window Probe", // the reader who sleeps
	}
	hurt := append([]string{
		"Previous segment(s) not captured", "This frame is a (suspected) out-of-order segment", "ACKed segment that wasn't captured",
		"This frame is a (suspected) retransmission", "D-SACK Sequence", "This session reuses previous session values",
		"Out-Of-Order", "A new tcp session is started with the same ports",
	}, meant...)
	for _, c := range []struct {
		name, impair string
		explained    []string
	}{
		{"clean", "", meant},
		{"bad", "delay 5ms loss 3% reorder 10% duplicate 2% corrupt 1%", hurt},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "traffic.pcap")
			synctest.Test(t, func(t *testing.T) { capture(t, file, c.impair) })
			lines := experts(t, tshark, file)
			t.Logf("%q", lines)
			for _, line := range lines {
				if !slices.ContainsFunc(c.explained, func(s string) bool { return strings.Contains(line, s) }) {
					t.Errorf("not explained: %s", line)
				}
			}
			for _, filter := range []string{"_ws.malformed", `tcp.checksum.status == "Bad" || ip.checksum.status == "Bad"`, "!tcp"} {
				if out := ask(t, tshark, file, filter); out != "" {
					t.Errorf("%s:\n%s", filter, out)
				}
			}
			if n := strings.Count(ask(t, tshark, file, `tcp.checksum.status == "Good"`), "\n"); n < 500 {
				t.Errorf("tshark has verified %d packets only", n)
			}
		})
	}
}

// capture writes traffic to a file.
func capture(t *testing.T, file, impair string) {
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	c := &counter{t: t, seen: map[string]int{}}
	c.tap = func(e link.TapEvent) {
		mu.Lock()
		defer mu.Unlock()
		info := gopacket.CaptureInfo{Timestamp: e.Time, CaptureLength: len(e.Packet), Length: len(e.Packet)}
		if err := w.WritePacket(info, e.Packet); err != nil {
			t.Error(err)
		}
	}
	c.traffic(1, impair, 1500)
}

// tsharkArgs make tshark look at everything.
var tsharkArgs = []string{"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "tcp.desegment_tcp_streams:FALSE", "-n"}

// ask returns a line for each packet that a filter finds.
func ask(t *testing.T, tshark, file, filter string) string {
	t.Helper()
	cmd := exec.Command(tshark, append(tsharkArgs, "-r", file, "-Y", filter)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark -Y %q: %v", filter, err)
	}
	return string(out)
}

// experts are the warnings and errors, each once.
func experts(t *testing.T, tshark, file string) []string {
	t.Helper()
	const warning = "6291456" // PI_WARN
	cmd := exec.Command(tshark, append(tsharkArgs, "-r", file, "-Y", "_ws.expert.severity >= "+warning,
		"-T", "fields", "-E", "separator=|", "-E", "aggregator=;", "-e", "frame.number", "-e", "_ws.expert.severity", "-e", "_ws.expert.message")...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	var lines []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(f) != 3 {
			continue
		}
		severities, messages := strings.Split(f[1], ";"), strings.Split(f[2], ";")
		for i, m := range messages {
			if i < len(severities) && severities[i] < warning && len(severities[i]) <= len(warning) || seen[m] {
				continue
			}
			seen[m] = true
			lines = append(lines, "frame "+f[0]+": "+m)
		}
	}
	return lines
}
