package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"estab/tcp"
)

// kernelStates are the kernel's names for its states (include/net/tcp_states.h),
// as RFC 9293 §3.3.2 writes them, by the number in /proc/net/tcp.
var kernelStates = map[string]string{
	"01": "ESTABLISHED", "02": "SYN-SENT", "03": "SYN-RECEIVED", "04": "FIN-WAIT-1", "05": "FIN-WAIT-2",
	"06": "TIME-WAIT", "07": "CLOSED", "08": "CLOSE-WAIT", "09": "LAST-ACK", "0A": "LISTEN", "0B": "CLOSING",
	"0C": "SYN-RECEIVED", // TCP_NEW_SYN_RECV: a request socket
}

// kernelState is the state of a connection in the kernel, found by its ports;
// "" if there is none. It may be called from any goroutine.
func (w *world) kernelState(local, remote net.Addr) (state string) {
	w.inside(func() {
		for _, file := range []string{"tcp", "tcp6"} {
			b, err := os.ReadFile("/proc/thread-self/net/" + file)
			if err != nil {
				w.t.Error(err)
			}
			for line := range strings.Lines(string(b)) {
				f := strings.Fields(line)
				if len(f) > 3 && strings.HasSuffix(f[1], hexPort(local)) && strings.HasSuffix(f[2], hexPort(remote)) {
					state = kernelStates[f[3]]
				}
			}
		}
	})
	return state
}

func hexPort(a net.Addr) string { return fmt.Sprintf(":%04X", a.(*net.TCPAddr).Port) }

// state is e's state in the kernel.
func (w *world) state(e ends) string {
	return w.kernelState(e.kernel.LocalAddr(), e.kernel.RemoteAddr())
}

// watched is a configuration whose hosts remember what happened.
func watched(cfg setting) setting {
	cfg.cfg.Events = 1 << 10
	return cfg
}

// history is the states through which estab's end has gone so far, those after
// since.
type history struct {
	w      *world
	local  netip.AddrPort
	remote netip.AddrPort
	states []string
}

func (w *world) history(local, remote net.Addr) *history {
	ap := func(a net.Addr) netip.AddrPort {
		p := a.(*net.TCPAddr).AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return &history{w: w, local: ap(local), remote: ap(remote)}
}

// path takes the events out of the host and returns all the states so far,
// joined by spaces. A host has but one history at a time.
func (h *history) path() string {
	events, lost := h.w.host.Events()
	if lost != 0 {
		h.w.t.Errorf("%d events were lost", lost)
	}
	for _, e := range events {
		if e.Kind == tcp.EventState && e.LocalAddrPort() == h.local && e.RemoteAddrPort() == h.remote {
			h.states = append(h.states, e.To.String())
		}
	}
	return strings.Join(h.states, " ")
}

// estabState is the state of estab's end, as long as its user has it.
func estabState(e ends) string {
	i, err := e.estab.Info()
	if err != nil {
		return err.Error()
	}
	return i.State
}
