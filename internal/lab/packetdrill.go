package lab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"estab/tcp"
)

// WriteScript writes what one host of a world did and saw in the language of
// packetdrill: its programs' calls, the segments that reached it, and those
// that left it. What was lost on the way never reached it and is not there.
// A Problem says why a world can't be written so.
func (r *Run) WriteScript(w io.Writer, p *Play, host int) error {
	switch {
	case p.stage.flood != nil:
		return problem("a flood comes from many addresses: packetdrill knows one", "洪泛来自许多地址，而 packetdrill 只认得一个")
	case p.routed():
		return problem("packetdrill has no routers", "packetdrill 里没有路由器")
	}
	d := drill{run: r, play: p, host: host, streams: map[uint16]*drillStreams{}, fds: map[int]int{}, ports: p.portsUsed()}
	d.head()
	for _, l := range d.lines() {
		if l.end {
			fmt.Fprintf(&d.b, "// %s\n", l.text)
			break
		}
		if text := l.write(); text != "" {
			d.at(l.at, text)
		}
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

// patient reports whether B's listener delays the ACK of a FIN.
func (p *Play) patient() bool {
	return slices.ContainsFunc(Lines(p.Script), func(l Line) bool { return l.Do == "listen" && l.Step.Text != "" })
}

// portsUsed are the client's ports of all connections.
func (p *Play) portsUsed() []uint16 {
	var ports []uint16
	for i := range p.Packets {
		if n := p.Packets[i].LocalPort; !slices.Contains(ports, n) {
			ports = append(ports, n)
		}
	}
	return ports
}

// drill writes a script.
type drill struct {
	run     *Run
	play    *Play
	host    int
	b       strings.Builder
	ports   []uint16
	streams map[uint16]*drillStreams // by the client's port
	fds     map[int]int              // of connections
	next    int                      // file descriptor
}

// drillLine is a line to be written, in its place among all that happened.
type drillLine struct {
	order float64
	at    tcp.Time
	write func() string
	end   bool // nothing can be told beyond
	text  string
}

func (d *drill) at(t tcp.Time, text string) {
	s := strconv.FormatFloat(d.play.At(t).Seconds(), 'f', 9, 64)
	s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	fmt.Fprintf(&d.b, "%-12s %s\n", s, text)
}

// head are what the script is about, and how the host was configured, as
// Linux would be.
func (d *drill) head() {
	name, other := string(rune('A'+d.host)), string(rune('B'-d.host))
	fmt.Fprintf(&d.b, "// %s, as %s saw it", d.run.Scenario.Title.EN, name)
	if s := d.play.Name.EN; s != "" {
		fmt.Fprintf(&d.b, " (%s)", s)
	}
	fmt.Fprintf(&d.b, ".\n// From: %s\n// Segments marked < are those of %s that arrived.\n", d.run.Params.Command(d.run.Scenario.Name), other)
	c := d.play.stage.actors[d.host].config
	port := clientPort
	if len(d.ports) > 0 {
		port = int(d.ports[0])
	}
	if d.host == A {
		fmt.Fprintf(&d.b, "--bind_port=%d\n--connect_port=%d\n", port, serverPort)
	} else {
		fmt.Fprintf(&d.b, "--bind_port=%d\n--connect_port=%d\n", serverPort, port)
	}
	if c.MSL < 0 {
		d.b.WriteString("// There is no TIME-WAIT here; packetdrill has no word for that.\n")
	} else {
		fmt.Fprintf(&d.b, "// MSL is %v here; packetdrill has no word for that.\n", c.MSL)
	}
	if d.host == B && d.play.patient() {
		d.b.WriteString("// The listener lets the ACK of a FIN wait for its own FIN; packetdrill has no word for that.\n")
	}
	for _, s := range d.settings(&c) {
		d.at(d.play.start, "`sysctl -q -w net.ipv4."+s+"`")
	}
}

func (d *drill) settings(c *tcp.Config) []string {
	rto := c.RTOMin
	if rto == 0 {
		rto = 200 * time.Millisecond
	}
	buffer, most := orElse(c.ReceiveBuffer, 64<<10), orElse(c.ReceiveBufferMax, 4<<20)
	list := []string{
		fmt.Sprintf("tcp_rto_min_us=%d", rto.Microseconds()),
		fmt.Sprintf(`tcp_rmem="4096 %d %d"`, 2*buffer, max(buffer, most)),
		fmt.Sprintf(`tcp_wmem="4096 %d %d"`, orElse(c.SendBuffer, 64<<10), orElse(c.SendBufferMax, 4<<20)),
	}
	add := func(yes bool, s string) {
		if yes {
			list = append(list, s)
		}
	}
	add(c.FixedBuffers, "tcp_moderate_rcvbuf=0")
	add(c.SynRetries != 0, fmt.Sprintf("tcp_syn_retries=%d", max(c.SynRetries, 0)))
	add(c.SynAckRetries != 0, fmt.Sprintf("tcp_synack_retries=%d", max(c.SynAckRetries, 0)))
	add(c.Retries2 != 0, fmt.Sprintf("tcp_retries2=%d", max(c.Retries2, 0)))
	add(c.Congestion != "", "tcp_congestion_control="+c.Congestion)
	add(c.NoSACK, "tcp_sack=0")
	add(c.NoTimestamps, "tcp_timestamps=0")
	return list
}

// lines are all that is to be told, in order.
func (d *drill) lines() []drillLine {
	var all []drillLine
	p := d.play
	for _, c := range together(p.Calls[d.host]) {
		all = append(all, drillLine{order: float64(c.order), at: c.At, write: func() string { return d.call(&c) }})
	}
	segments, _ := d.run.Segments(p)
	for i := range segments {
		s := &segments[i]
		if int(s.From) == d.host {
			all = append(all, drillLine{order: s.Order, at: s.Time, write: func() string { return d.segment(">", s.Data) }})
			continue
		}
		for c := range s.Copies {
			if !s.Corrupt {
				all = append(all, drillLine{order: s.Orders[c], at: s.Arrive[c], write: func() string { return d.segment("<", s.Data) }})
			}
		}
	}
	for _, f := range p.Forged {
		if f.Host == d.host {
			all = append(all, drillLine{order: float64(f.order), at: f.At, write: func() string { return d.segment("<", f.Data) }})
		}
	}
	for _, n := range p.Notes {
		if n.Host == d.host && n.Text == crashText {
			all = append(all, drillLine{order: float64(n.order), at: n.At, end: true, text: n.Text})
		}
	}
	slices.SortStableFunc(all, func(a, b drillLine) int { return cmp.Compare(a.order, b.order) })
	return all
}
