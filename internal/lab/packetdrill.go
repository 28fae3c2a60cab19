package lab

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"estab/internal/wire"
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

// drillStreams are the initial numbers of a pair of sockets, as scripts have
// them. Numbers of segments with SYN are absolute, others count from the
// initial one. The host's own is always called 0; the peer's first, too.
type drillStreams struct {
	ours, peer tcp.Num
	first      tcp.Num // of the peer, in the pair's first connection
	known      bool    // first is
	synced     bool    // the host has acknowledged something
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
	fmt.Fprintf(&d.b, ".\n// estab lab run %s. Segments marked < are those of %s that arrived.\n", d.run.Scenario.Name, other)
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
		if n.Host == d.host && strings.HasPrefix(n.Text, "the host goes down") {
			all = append(all, drillLine{order: float64(n.order), at: n.At, end: true, text: n.Text})
		}
	}
	slices.SortStableFunc(all, func(a, b drillLine) int { return cmp.Compare(a.order, b.order) })
	return all
}

// together makes one of reads that followed each other at once, and puts it
// before the writes of that moment: what a program did before its TCP sent
// anything, a script does call by call.
func together(calls []Call) (all []Call) {
	for i := 0; i < len(calls); {
		n := i + 1
		for n < len(calls) && calls[n].atOnce(&calls[n-1]) {
			n++
		}
		moment := slices.Clone(calls[i:n])
		slices.SortStableFunc(moment, func(a, b Call) int { return cmp.Compare(a.rank(), b.rank()) })
		for k, c := range moment {
			c.order = calls[i+k].order
			if last := len(all) - 1; k > 0 && c.rank() == 0 && all[last].rank() == 0 {
				all[last].N += c.N
				continue
			}
			all = append(all, c)
		}
		i = n
	}
	return all
}

// atOnce reports whether nothing was between a read or write and the one
// before it.
func (c *Call) atOnce(before *Call) bool {
	moves := func(c *Call) bool { return (c.Do == "read" || c.Do == "send") && c.Err == 0 }
	return moves(c) && moves(before) && c.order == before.order+1 && c.End == before.End && c.At == before.At
}

// rank is 0 for a read and 1 for what comes after it.
func (c *Call) rank() int {
	if c.Do == "read" && c.Err == 0 {
		return 0
	}
	return 1
}

// call is a program's call as system calls. What was accepted is read and
// written without waiting.
func (d *drill) call(c *Call) string {
	fd := d.fds[c.End]
	switch c.Do {
	case "listen":
		d.next = 4
		return d.several("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
			"bind(3, ..., ...) = 0", "listen(3, 128) = 0")
	case "connect":
		fd = max(d.next, 3)
		d.next, d.fds[c.End] = fd+1, fd
		lines := []string{fmt.Sprintf("socket(..., SOCK_STREAM, IPPROTO_TCP) = %d", fd), fmt.Sprintf("fcntl(%d, F_SETFL, O_RDWR|O_NONBLOCK) = 0", fd),
			fmt.Sprintf("setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0", fd), fmt.Sprintf("bind(%d, {sa_family = AF_INET, sin_port = htons(%d), sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0", fd, c.N)}
		lines = append(lines, d.options(fd)...)
		result := "-1 EINPROGRESS (Operation now in progress)"
		if c.Err != 0 {
			result = "-1 " + errno(c.Err)
		}
		return d.several(append(lines, fmt.Sprintf("connect(%d, ..., ...) = %s", fd, result))...)
	case "accept":
		fd = d.next
		d.next, d.fds[c.End] = fd+1, fd
		lines := []string{fmt.Sprintf("accept(3, ..., ...) = %d", fd), fmt.Sprintf("fcntl(%d, F_SETFL, O_RDWR|O_NONBLOCK) = 0", fd)}
		return d.several(append(lines, d.options(fd)...)...)
	case "send":
		if c.Err != 0 {
			return fmt.Sprintf("write(%d, ..., %d) = -1 %s", fd, c.Size, errno(c.Err))
		}
		return fmt.Sprintf("write(%d, ..., %d) = %d", fd, c.Size, c.N)
	case "read":
		if c.Err != 0 && c.Err != tcp.ErrEOF {
			return fmt.Sprintf("read(%d, ..., 4096) = -1 %s", fd, errno(c.Err))
		}
		return fmt.Sprintf("read(%d, ..., %d) = %d", fd, max(c.N, 4096), c.N)
	case "shut":
		return fmt.Sprintf("shutdown(%d, SHUT_WR) = 0", fd)
	case "abort":
		return d.several(fmt.Sprintf("setsockopt(%d, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0", fd), fmt.Sprintf("close(%d) = 0", fd))
	case "close":
		return fmt.Sprintf("close(%d) = 0", fd)
	case "keep-alive":
		return d.several(keepAliveCalls(fd)...)
	}
	return ""
}

// options are what a program asks for each of its connections.
func (d *drill) options(fd int) (lines []string) {
	a := d.play.stage.actors[d.host]
	if a.noDelay {
		lines = append(lines, fmt.Sprintf("setsockopt(%d, SOL_TCP, TCP_NODELAY, [1], 4) = 0", fd))
	}
	if a.keep.On {
		lines = append(lines, keepAliveCalls(fd)...)
	}
	return lines
}

func keepAliveCalls(fd int) []string {
	set := func(name string, v int) string {
		return fmt.Sprintf("setsockopt(%d, SOL_TCP, %s, [%d], 4) = 0", fd, name, v)
	}
	return []string{set("TCP_KEEPIDLE", 60), set("TCP_KEEPINTVL", 10), set("TCP_KEEPCNT", 3), fmt.Sprintf("setsockopt(%d, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0", fd)}
}

// several puts calls that happen at the same time below each other.
func (d *drill) several(lines ...string) string {
	return strings.Join(lines, "\n"+fmt.Sprintf("%-12s ", "+0"))
}

func errno(e tcp.Error) string {
	switch e {
	case tcp.ErrReset:
		return "ECONNRESET"
	case tcp.ErrRefused:
		return "ECONNREFUSED"
	case tcp.ErrTimeout:
		return "ETIMEDOUT"
	case tcp.ErrAborted:
		return "ECONNABORTED"
	case tcp.ErrInUse:
		return "EADDRINUSE"
	case tcp.ErrClosing:
		return "EPIPE"
	case tcp.ErrNotConnected:
		return "ENOTCONN"
	case tcp.ErrHostUnreachable:
		return "EHOSTUNREACH"
	}
	return "EINVAL"
}

// segment is a packet as the host saw it: numbers count from the initial ones,
// which are 0 in the pair's first connection.
func (d *drill) segment(dir string, packet []byte) string {
	k, ok := segment(packet)
	if !ok {
		return ""
	}
	port := k.LocalPort // segment tells the receiver's view
	if port == serverPort {
		port = k.RemotePort
	}
	st := d.streams[port]
	if st == nil {
		st = &drillStreams{}
		d.streams[port] = st
	}
	from, to := st.see(dir == ">", &k)
	text := dir + " "
	if len(d.ports) > 1 {
		text += fmt.Sprintf("%d > %d ", k.RemotePort, k.LocalPort)
	}
	begin := uint32(k.Seq - from)
	text += fmt.Sprintf("%s %d:%d(%d)", drillFlags(k.Flags), begin, begin+uint32(len(k.Payload)), len(k.Payload))
	if k.Flags.Any(wire.ACK) {
		text += fmt.Sprintf(" ack %d", uint32(k.Ack-to))
	}
	text += fmt.Sprintf(" win %d", k.Wnd)
	if k.Flags.Any(wire.URG) {
		text += fmt.Sprintf(" urg %d", k.Up)
	}
	if o := drillOptions(packet, to); o != "" {
		text += " <" + o + ">"
	}
	return text
}

// see takes note of a segment, and says from where its two numbers count.
func (s *drillStreams) see(leaves bool, k *tcp.Segment) (seq, ack tcp.Num) {
	syn := k.Flags.Any(wire.SYN)
	if !leaves {
		if syn && !s.known {
			s.known, s.first = true, k.Seq
		}
		if syn && !s.synced {
			s.peer = k.Seq
		}
		if syn {
			return s.first, s.ours
		}
		return s.peer, s.ours
	}
	if syn {
		s.ours = k.Seq
		if k.Flags.Any(wire.ACK) {
			s.peer = k.Ack - 1
		}
	}
	if k.Flags.Any(wire.ACK) && !k.Flags.Any(wire.RST) {
		s.synced = true
	}
	if syn {
		return s.ours, s.first
	}
	return s.ours, s.peer
}

// drillFlags are flags in tcpdump's letters.
func drillFlags(f wire.Flags) string {
	s := ""
	for _, x := range [...]struct {
		bit    wire.Flags
		letter string
	}{{wire.SYN, "S"}, {wire.FIN, "F"}, {wire.RST, "R"}, {wire.PSH, "P"}, {wire.URG, "U"}, {wire.ACK, "."}} {
		if f.Any(x.bit) {
			s += x.letter
		}
	}
	if s == "" {
		return "-"
	}
	return s
}

// drillOptions are the options of a packet, in their order; SACK blocks count
// from the initial number of the other stream.
func drillOptions(packet []byte, other tcp.Num) string {
	var words []string
	tcpHeader := packet[int(packet[0]&15)*4:]
	for b := tcpHeader[wire.TCPHeaderMin : int(tcpHeader[12]>>4)*4]; len(b) > 0; {
		if b[0] <= 1 {
			words = append(words, []string{"eol", "nop"}[b[0]])
			b = b[1:]
			continue
		}
		n := int(b[1])
		words = append(words, drillOption(b[0], b[2:n], other))
		b = b[n:]
	}
	return strings.Join(words, ",")
}

func drillOption(kind byte, b []byte, other tcp.Num) string {
	switch {
	case kind == 2 && len(b) == 2:
		return fmt.Sprintf("mss %d", binary.BigEndian.Uint16(b))
	case kind == 3 && len(b) == 1:
		return fmt.Sprintf("wscale %d", b[0])
	case kind == 4:
		return "sackOK"
	case kind == 5:
		s := "sack"
		for ; len(b) >= 8; b = b[8:] {
			s += fmt.Sprintf(" %d:%d", uint32(tcp.Num(binary.BigEndian.Uint32(b))-other), uint32(tcp.Num(binary.BigEndian.Uint32(b[4:]))-other))
		}
		return s
	case kind == 8 && len(b) == 8:
		return fmt.Sprintf("TS val %d ecr %d", binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]))
	}
	return fmt.Sprintf("%d 0x%x", kind, b)
}
