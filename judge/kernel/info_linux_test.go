package kernel

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"estab"
)

// ssLine is what `ss -tino` says of the kernel's end of a connection.
type ssLine struct {
	state string
	words map[string]string // "mss": "1448"; flags such as "sack" have no value
}

// ss asks for the line. It is to be called in the namespace.
func (w *world) ss(e ends) ssLine {
	w.t.Helper()
	port := func(a net.Addr) string { return strconv.Itoa(a.(*net.TCPAddr).Port) }
	out := w.must("ss", "-tinoaH", "sport", "=", ":"+port(e.kernel.LocalAddr()), "and", "dport", "=", ":"+port(e.kernel.RemoteAddr()))
	f := strings.Fields(out)
	if len(f) < 6 {
		w.t.Fatalf("ss says nothing of the connection: %q", out)
	}
	l := ssLine{state: f[0], words: map[string]string{}}
	for _, word := range f[5:] {
		k, v, _ := strings.Cut(word, ":")
		l.words[k] = v
	}
	return l
}

func (l ssLine) has(word string) bool { _, ok := l.words[word]; return ok }

func (l ssLine) number(t testing.TB, word string) int {
	t.Helper()
	n, err := strconv.Atoi(regexp.MustCompile(`^\d+`).FindString(l.words[word]))
	if err != nil {
		t.Fatalf("%s: %q in %v", word, l.words[word], l.words)
	}
	return n
}

// What both ends know of a connection they agree on: `ss -tino` about the
// kernel's and Conn.Info about estab's.
func TestInfoAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		set  setting
		dial estab.Dialer
	}{
		{name: "plain"},
		{name: "no timestamps", set: setting{sysctls: map[string]string{"net.ipv4.tcp_timestamps": "0"}}},
		{name: "no SACK", set: setting{sysctls: map[string]string{"net.ipv4.tcp_sack": "0"}}},
		{name: "no scaling", set: setting{sysctls: map[string]string{"net.ipv4.tcp_window_scaling": "0"}}},
		{name: "large windows", set: setting{cfg: estab.Config{ReceiveBufferMax: 64 << 20}, sysctls: map[string]string{"net.ipv4.tcp_rmem": "4096 131072 67108864"}}},
		{name: "jumbo", set: setting{mtu: 9000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, c.set, func(w *world, e ends) {
				t := w.t
				deadline(t, e.kernel, e.estab)
				warmUp(t, e)
				eventually(t, "all is acknowledged, and estab knows the kernel's window", func() bool {
					i, err := e.estab.Info()
					k := kernelInfo(t, e.kernel)
					// The kernel may be thinking of more than it can say; before
					// Linux 6.2 it doesn't tell.
					window := min(int(k.Rcv_wnd), 65535<<i.SendScale)
					return err == nil && i.SendQueue == 0 && k.Unacked == 0 && (window == 0 || window == i.SendWindow)
				})
				compare(t, w.ss(e), e)
			})
		})
	}
}

// compare says where the two disagree. What one end receives with is what the
// other sends with.
func compare(t *testing.T, k ssLine, e ends) {
	t.Helper()
	i, err := e.estab.Info()
	if err != nil {
		t.Fatal(err)
	}
	agree := func(what string, kernel, estab any) {
		t.Helper()
		if kernel != estab {
			t.Errorf("%s: the kernel says %v, estab %v", what, kernel, estab)
		}
	}
	agree("state", k.state, map[string]string{"ESTABLISHED": "ESTAB"}[i.State])
	agree("timestamps", k.has("ts"), i.Timestamps)
	agree("SACK", k.has("sack"), i.SACK)
	scale := "none"
	if i.SendScale != 0 || i.ReceiveScale != 0 {
		scale = fmt.Sprintf("%d,%d", i.ReceiveScale, i.SendScale)
	}
	kscale := k.words["wscale"]
	if !k.has("wscale") {
		kscale = "none"
	}
	agree("wscale", kscale, scale)
	agree("mss", k.number(t, "mss"), i.MSS)
	agree("largest segment, kernel to estab", k.number(t, "mss"), i.ReceiveMSS)
	agree("largest segment, estab to kernel", k.number(t, "rcvmss"), i.MSS)
	agree("bytes in flight from estab", 0, i.Unacked)
	if k.has("snd_wnd") { // iproute2 of 2022 and later
		agree("estab's window", k.number(t, "snd_wnd"), i.ReceiveWindow)
	}
	if n := k.number(t, "cwnd"); n < 1 || i.Cwnd < i.MSS {
		t.Errorf("cwnd: the kernel's %d segments, estab's %d bytes", n, i.Cwnd)
	}
	if i.RTT <= 0 || i.RTT > patience || i.RTO < max(200*time.Millisecond, i.RTT) {
		t.Errorf("rtt %v, rto %v", i.RTT, i.RTO)
	}
}

// The states of both ends agree with each other at every step of a close in
// order, from either side.
func TestInfoStates(t *testing.T) {
	t.Parallel()
	eachFirst(t, setting{sysctls: steadyWait}, func(w *world, e ends, estabFirst bool) {
		t := w.t
		deadline(t, e.kernel, e.estab)
		expect := func(kernel, estab string) {
			t.Helper()
			if estabFirst {
				kernel, estab = estab, kernel
			}
			eventually(t, "kernel "+kernel+", estab "+estab, func() bool { return w.state(e) == kernel && estabState(e) == estab })
		}
		first, second := closers(e, estabFirst)
		expect("ESTABLISHED", "ESTABLISHED")
		if err := first.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expect("FIN-WAIT-2", "CLOSE-WAIT")
		if err := second.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if !estabFirst {
			expect("TIME-WAIT", "CLOSED")
			return
		}
		eventually(t, "kernel CLOSED, estab TIME-WAIT", func() bool {
			s := w.state(e)
			return (s == "" || s == "CLOSED") && estabState(e) == "TIME-WAIT"
		})
	})
}
