// Package tshark asks tshark, as a judge that shares no author with us, what it
// makes of a capture.
package tshark

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Capture is a file and the program that reads it.
type Capture struct {
	path, file string
	options    []string
}

// Open finds the program, or skips the test. tshark verifies checksums and
// looks at whatever it can; options, such as "tcp.reassemble_out_of_order:TRUE",
// say how else.
func Open(t testing.TB, file string, options ...string) *Capture {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	c := &Capture{path: path, file: file, options: []string{"-n"}}
	for _, o := range append([]string{"tcp.check_checksum:TRUE", "ip.check_checksum:TRUE"}, options...) {
		c.options = append(c.options, "-o", o)
	}
	return c
}

// Frame is what tshark says of a packet.
type Frame struct {
	Number    int           // from 1
	Time      time.Duration // since the first
	Source    string        // the address that it comes from
	Stream    string        // of TCP, quoted in an ICMP message perhaps; "" if there is none
	Seq, End  uint32        // of TCP's text and FIN, as on the wire; equal if it has neither
	TSval     uint32        // 0: it has no timestamp
	ICMP      bool
	Comment   string // that the capture has of it
	Malformed string // what it can't be
	GoodSum   bool   // a checksum of TCP's was verified
	BadSum    bool   // the TCP's, IP's or ICMP's is wrong; not that of what ICMP quotes
	Warnings  []string
}

// fields are what Frames asks for.
var fields = []string{
	"frame.number", "tcp.stream", "frame.comment", "tcp.checksum.status", "ip.checksum.status", "icmp.checksum.status",
	"icmpv6.checksum.status", "frame.time_relative", "ip.src", "ipv6.src", "tcp.seq_raw", "tcp.len", "tcp.flags.fin", "tcp.options.timestamp.tsval", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message",
}

// Frames reads the capture.
func (c *Capture) Frames(t testing.TB) (frames []Frame) {
	t.Helper()
	args := append(append([]string{}, c.options...), "-r", c.file, "-T", "fields", "-E", "separator=|", "-E", "aggregator=;")
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(c.path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %s: %v", strings.Join(args, " "), err)
	}
	for line := range strings.Lines(string(out)) {
		r := strings.SplitN(strings.TrimSuffix(line, "\n"), "|", len(fields))
		if len(r) != len(fields) {
			t.Fatalf("tshark says %q", line)
		}
		n, err := strconv.Atoi(r[0])
		at, err2 := time.ParseDuration(r[7] + "s")
		if err != nil || err2 != nil {
			t.Fatalf("tshark says %q", line)
		}
		const bad, good = "0", "1" // PROTO_CHECKSUM_E_BAD, …_GOOD
		f := Frame{
			Number: n, Time: at, Source: firstOf(r[8] + r[9]), Stream: r[1], Comment: r[2], Malformed: r[14], ICMP: r[5]+r[6] != "", GoodSum: r[3] == good,
			Warnings: warnings(r[15], r[16]),
		}
		tsval, _ := strconv.ParseUint(firstOf(r[13]), 10, 32)
		seq, _ := strconv.ParseUint(firstOf(r[10]), 10, 32)
		length, _ := strconv.ParseUint(firstOf(r[11]), 10, 32)
		if fin := firstOf(r[12]); fin == "1" || fin == "True" { // by tshark's version
			length++
		}
		f.Seq, f.End, f.TSval = uint32(seq), uint32(seq+length), uint32(tsval)
		ip := firstOf(r[4])
		f.BadSum = ip == bad || r[5] == bad || r[6] == bad || !f.ICMP && r[3] == bad && !slices.ContainsFunc(f.Warnings, isOtherZero)
		frames = append(frames, f)
	}
	return frames
}

// firstOf is the first of several values, that of the outermost header.
func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ";")
	return first
}

// isOtherZero is the warning of a checksum that is the other zero of the ones'
// complement. Whoever sums gets the same; but it is unusual.
func isOtherZero(w string) bool { return strings.Contains(w, "0xffff instead of 0x0000") }

// warnings are what the experts say at the severity "warning" and above.
func warnings(severities, messages string) (list []string) {
	const warning = 6291456 // PI_WARN
	sev, msg := strings.Split(severities, ";"), strings.Split(messages, ";")
	if severities == "" {
		return nil
	}
	for i, m := range msg {
		// A message may have a semicolon in it: then the two lists don't fit
		// each other, and all of it counts.
		if len(sev) == len(msg) {
			if n, err := strconv.Atoi(sev[i]); err == nil && n < warning {
				continue
			}
		}
		list = append(list, m)
	}
	return list
}

// Sound fails the test if a packet is malformed or has a bad checksum, or if
// fewer than that many have a good one.
func Sound(t testing.TB, frames []Frame, atLeast int) {
	t.Helper()
	good := 0
	for _, f := range frames {
		if f.Malformed != "" || f.BadSum {
			t.Errorf("not sound: %+v", f)
		}
		if f.GoodSum {
			good++
		}
	}
	if good < atLeast {
		t.Errorf("tshark has verified %d packets, not %d", good, atLeast)
	}
}
