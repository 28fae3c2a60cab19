package judge

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"estab/judge/internal/tshark"
	"estab/link"
)

// tshark reads what two hosts send each other: no packet is malformed, no
// checksum is bad, and each warning of its experts is explained by what the
// traffic means to do, or by what the wire does to it.
func TestTshark(t *testing.T) {
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
			judge := tshark.Open(t, file, "tcp.desegment_tcp_streams:FALSE")
			synctest.Test(t, func(t *testing.T) { capture(t, file, c.impair) })
			frames := judge.Frames(t)
			tshark.Sound(t, frames, 500)
			seen := map[string]bool{}
			for _, f := range frames {
				if f.Stream == "" {
					t.Errorf("not TCP: %+v", f)
				}
				for _, w := range f.Warnings {
					if !seen[w] && !slices.ContainsFunc(c.explained, func(s string) bool { return strings.Contains(w, s) }) {
						t.Errorf("not explained: frame %d: %s", f.Number, w)
					}
					seen[w] = true
				}
			}
			t.Logf("%v", slices.Sorted(maps.Keys(seen)))
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
