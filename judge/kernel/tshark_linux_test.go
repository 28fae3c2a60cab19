package kernel

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"estab/judge/internal/tshark"
	"estab/link"
)

// tshark reads what estab and the kernel say to each other over HTTP, on a
// clean wire and on a bad one: no packet is malformed, no checksum is bad, and
// each warning of its experts is explained by what the wire did to an earlier
// packet of that connection, or by packets that the device's queue has lost.
func TestTshark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, impair string }{
		{"clean", ""}, {"bad", "delay 2ms loss 2% reorder 5% duplicate 1% corrupt 1%"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &tap{}
			file := filepath.Join(t.TempDir(), "traffic.pcapng")
			judge := tshark.Open(t, file, "tcp.reassemble_out_of_order:TRUE")
			run(t, setting{
				impair: link.Impairment{Out: c.impair, In: c.impair, Seed: 11, Observe: p.observe},
				// A tail loss probe repeats after milliseconds what only waits for a processor.
				sysctls: map[string]string{"net.ipv4.tcp_early_retrans": "0"},
			}, func(w *world) {
				p.capture(w.t, file)
				for role := range roles {
					for family := range kernelAddrs {
						browse(w, family, role)
					}
				}
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				if err := w.host.Shutdown(ctx); err != nil {
					t.Error(err)
				}
				p.finish(t)
				stats := w.dev.Stats()
				explain(w.t, judge.Frames(w.t), stats.In.Dropped+stats.Out.Dropped)
			})
		})
	}
}

// browse loads and uploads over HTTP, on port 80 so that tshark knows what it
// is.
func browse(w *world, family, role int) {
	t := w.t
	listen := w.host.Listen
	dial := w.kernelDial
	addr := netip.AddrPortFrom(estabAddrs[family].Addr(), 80).String()
	if role == estabDials {
		dial = w.host.DialContext
		addr = netip.AddrPortFrom(kernelAddrs[family].Addr(), 80).String()
		listen = func(network, addr string) (net.Listener, error) {
			return (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), network, addr)
		}
	}
	l, err := listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: noiseAndSums()}
	go srv.Serve(l)
	defer srv.Close()
	tr := &http.Transport{DialContext: dial}
	client := &http.Client{Transport: tr, Timeout: patience}
	const size = 300_000
	for range 3 {
		h := newDigest()
		if err := fetch(client, "http://"+addr+"/noise/"+strconv.Itoa(size), h); err != nil || h.sum() != digest(1, size) {
			t.Errorf("down: %v", err)
		}
		req, _ := http.NewRequest("PUT", "http://"+addr+"/sum", noise(2, size))
		req.ContentLength = size
		r, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || string(sum) != digest(2, size) {
			t.Errorf("up: %s, %v", sum, err)
		}
		tr.CloseIdleConnections() // the next pair has a connection of its own
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// explain judges tshark's findings. lost is how many packets the device lost
// without a capture of them.
func explain(t *testing.T, frames []tshark.Frame, lost uint64) {
	t.Helper()
	tshark.Sound(t, frames, 1000)
	harmed := map[string]int{} // where in each connection the wire first did something to a packet
	flipped := false           // a bit of one
	timedOut := timeouts{sent: map[string][]tshark.Frame{}, streams: map[string]bool{}}
	counts := map[string]int{}
	for _, f := range frames {
		first := harmed[f.Stream]
		timedOut.note(&f)
		for _, w := range f.Warnings {
			counts[w]++
			switch {
			case contains(w, "retransmission", "out-of-order", "D-SACK") && (first > 0 || timedOut.streams[f.Stream]):
			case contains(w, "Connection reset") && (first > 0 || timedOut.streams[f.Stream]): // the answer to the double of the last ACK
			case contains(w, "Bad checksum") && f.ICMP && flipped: // of a packet that the kernel quotes
			case contains(w, "retransmission", "out-of-order", "D-SACK", "not captured", "wasn't captured") && lost > 0:
			case contains(w, "0xffff instead of 0x0000") && isKernel(f.Source): // so its skb_checksum_help writes it
			case contains(w, "completely full", "Zero Window"): // a reader that waits for a processor
			default:
				t.Errorf("not explained: frame %d: %s; the wire harmed frame %d first, the device lost %d", f.Number, w, first, lost)
			}
		}
		flipped = flipped || strings.Contains(f.Comment, "flipped")
		if f.Comment != "" && !onlyDelayed(f.Comment) && first == 0 {
			harmed[f.Stream] = f.Number
		}
	}
	t.Logf("%d packets, %d lost by the device, %v", len(frames), lost, counts)
}

// timeouts finds the connections in which an end repeated text after a
// retransmission time-out, on a wire that loses nothing: because the other end
// had waited so long for a processor. The sender's own timestamps, in
// milliseconds, tell; those of the capture don't, if it was we who waited.
type timeouts struct {
	sent    map[string][]tshark.Frame // by stream and source: those with text or FIN
	streams map[string]bool           // in which that has happened
}

// leastTimeout is a little less than the shortest time-out of either end, in
// milliseconds.
const leastTimeout = 190

func (m *timeouts) note(f *tshark.Frame) {
	if f.Seq == f.End || f.ICMP || f.TSval == 0 {
		return
	}
	key := f.Stream + " " + f.Source
	for _, g := range m.sent[key] {
		if int32(f.Seq-g.End) < 0 && int32(g.Seq-f.End) < 0 && f.TSval-g.TSval >= leastTimeout {
			m.streams[f.Stream] = true
		}
	}
	m.sent[key] = append(m.sent[key], *f)
}

func isKernel(addr string) bool {
	return addr == kernelAddrs[0].Addr().String() || addr == kernelAddrs[1].Addr().String()
}

// onlyDelayed reports whether a packet's fate was just to take as long as the
// wire does.
func onlyDelayed(fate string) bool {
	return strings.HasPrefix(fate, "delayed ") && !strings.Contains(fate, ",")
}

func contains(s string, any ...string) bool {
	for _, a := range any {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
