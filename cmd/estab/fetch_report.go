package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"estab"
	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// history is the events of a host that a ladder shows.
type history struct{ events []tcp.Event }

// take fetches them from the host's ring.
func (h *history) take(host *estab.Host) {
	events, _ := host.Events()
	for _, e := range events {
		switch e.Kind {
		case tcp.EventState, tcp.EventTimer, tcp.EventClosed:
			h.events = append(h.events, e)
		}
	}
}

// lastFin is how long a ladder waits for the kernel's FIN, once ours is
// acknowledged.
const lastFin = 2 * time.Second

// tell draws the connection's ladder. The kernel's states are its own: only
// what crosses the wire is known of it.
func (f *fetched) tell(h *history, conn *estab.Conn) {
	flow := flowOfConn(conn)
	for end := time.Now().Add(lastFin); ; time.Sleep(time.Millisecond) {
		h.take(f.host.host)
		if h.closed(flow) || time.Now().After(end) {
			break
		}
	}
	f.host.tap.mu.Lock()
	defer f.host.tap.mu.Unlock()
	f.builder.Shift(trace.Left, f.host.shift)
	for _, e := range h.events {
		if e.Tuple == flow {
			f.builder.Event(trace.Left, e)
		}
	}
	f.ladder = f.builder.Ladder()
	f.ladder.Ends[trace.Left].Addr = flow.LocalAddrPort().String()
	f.ladder.Ends[trace.Right].Addr = flow.RemoteAddrPort().String()
}

func flowOfConn(c *estab.Conn) tcp.Tuple {
	socket := func(a net.Addr) netip.AddrPort {
		ap := a.(*net.TCPAddr).AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return wire.TupleFrom(socket(c.LocalAddr()), socket(c.RemoteAddr()), 0)
}

func (h *history) closed(flow tcp.Tuple) bool {
	for i := len(h.events) - 1; i >= 0; i-- {
		if e := &h.events[i]; e.Kind == tcp.EventState && e.Tuple == flow {
			return over(e.To)
		}
	}
	return false
}

// write tells the fetch as text.
func (f *fetched) write(w io.Writer, color bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s\n%s %s, %s in %s: %s\n", f.url, f.proto, f.status, trace.Size(uint64(f.bytes)),
		trace.Duration(f.elapsed), trace.Rate(uint64(f.bytes), f.elapsed))
	fmt.Fprintf(&b, "SHA-256 %x\n", f.sum)
	if f.file != "" {
		fmt.Fprintf(&b, "saved as %s\n", f.file)
	}
	if f.ladder != nil {
		b.WriteByte('\n')
		if err := f.ladder.Write(&b, trace.Style{Numbers: trace.Both, Color: color}); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// jsonFetch is the JSON of a fetch. Durations are in seconds, sizes in bytes.
type jsonFetch struct {
	URL     string      `json:"url"`
	Proto   string      `json:"proto"`
	Status  string      `json:"status"`
	File    string      `json:"file,omitempty"`
	Bytes   int64       `json:"bytes"`
	Seconds float64     `json:"seconds"`
	BitRate float64     `json:"bitsPerSecond"`
	Connect float64     `json:"connectSeconds"`
	SHA256  string      `json:"sha256"`
	Info    *estab.Info `json:"info,omitempty"`
	Steps   []jsonStep  `json:"steps,omitempty"`
}

// writeJSON tells the fetch as one JSON object.
func (f *fetched) writeJSON(w io.Writer) error {
	j := jsonFetch{
		URL: f.url, Proto: f.proto, Status: f.status, File: f.file, Bytes: f.bytes, Seconds: f.elapsed.Seconds(),
		Connect: f.connect.Seconds(), SHA256: hex.EncodeToString(f.sum[:]),
	}
	if f.elapsed > 0 {
		j.BitRate = float64(f.bytes) * 8 / f.elapsed.Seconds()
	}
	if f.info.State != "" {
		j.Info = &f.info
	}
	if f.ladder != nil {
		for i := range f.ladder.Rows {
			j.Steps = append(j.Steps, stepOf(&f.ladder.Rows[i]))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}
