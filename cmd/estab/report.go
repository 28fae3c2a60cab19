package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"estab"
	"estab/internal/trace"
	"estab/tcp"
)

// timeWait is a TIME-WAIT of the connection: who holds it, since when, until
// when.
type timeWait struct {
	side         trace.Side
	since, until time.Duration // since the beginning of the demo
	ended        time.Duration // when it was seen to end; 0: not waited for
}

// timeWaits finds them in the histories. There is one, or after a
// simultaneous close two.
func (r *demoRun) timeWaits() []timeWait {
	var all []timeWait
	for side := trace.Left; side <= trace.Right; side++ {
		for _, c := range r.world.history(side, r.flow) {
			switch n := len(all); {
			case c.to == tcp.StateTimeWait:
				// A FIN that comes again restarts the wait.
				restart := max(c.at, r.world.tap.finArrived(side.Other()))
				all = append(all, timeWait{side: side, since: c.at, until: restart + 2*r.world.msl})
			case c.to == tcp.StateClosed && n > 0 && all[n-1].side == side:
				all[n-1].ended = c.at
			}
		}
	}
	return all
}

// write tells the run as text.
func (r *demoRun) write(w io.Writer, color bool) error {
	b := &strings.Builder{}
	path := "a clean link in memory"
	if r.world.path != "" {
		path = fmt.Sprintf("a bad link; each way: %s; seed %d", prettyPath(r.world.path), r.world.seed)
	}
	writeParagraph(b, fmt.Sprintf("Two hosts in one process, joined by %s.", path))
	b.WriteByte('\n')
	fmt.Fprintf(b, "  GET %s\n", r.src.URL(serverAddr))
	fmt.Fprintf(b, "  %s in %s: %s\n", trace.Size(uint64(r.bytes)), trace.Duration(r.elapsed), trace.Rate(uint64(r.bytes), r.elapsed))
	if r.sent == r.got {
		fmt.Fprintf(b, "  SHA-256 %x\n          the same at both ends\n\n", r.sent)
	} else {
		fmt.Fprintf(b, "  SHA-256 %x sent\n          %x received: DIFFERENT\n\n", r.sent, r.got)
	}

	if err := r.world.ladder(r.flow).Write(b, trace.Style{Numbers: trace.Both, Color: color}); err != nil {
		return err
	}
	b.WriteByte('\n')
	writeParagraph(b, "seq and ack count from the initial sequence numbers; seq= and ack= are those on the wire."+
		" A window is in bytes.")
	b.WriteByte('\n')
	r.writeTimeWait(b)
	r.writeTotals(b)
	_, err := io.WriteString(w, b.String())
	return err
}

// prettyPath writes the delay, which netem is told in nanoseconds, as people
// do.
func prettyPath(path string) string {
	words := strings.Fields(path)
	for i, w := range words {
		if d, err := time.ParseDuration(w); err == nil {
			words[i] = d.String()
		}
	}
	return strings.Join(words, " ")
}

func (r *demoRun) writeTimeWait(b *strings.Builder) {
	for _, t := range r.timeWaits() {
		text := fmt.Sprintf("TIME-WAIT is held by the %s, 2 MSL = %s long, until %s. It closed first, and has to"+
			" answer the other end's FIN should it come again, and to outlive old segments.",
			r.world.end(t.side, r.flow), trace.Duration(2*r.world.msl), r.world.start.Add(t.until).Format("15:04:05"))
		if t.ended > 0 {
			text += fmt.Sprintf(" It ended %s after it began.", trace.Duration(t.ended-t.since))
		}
		writeParagraph(b, text)
		b.WriteByte('\n')
	}
}

// writeParagraph breaks text into lines of at most 80 columns.
func writeParagraph(b *strings.Builder, text string) {
	n := 0
	for _, w := range strings.Fields(text) {
		switch {
		case n == 0:
		case n+1+len(w) > 80:
			b.WriteByte('\n')
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += len(w)
	}
	b.WriteByte('\n')
}

// writeTotals is a table of what each end sent.
func (r *demoRun) writeTotals(b *strings.Builder) {
	c, s := r.world.tap.builder.Totals(trace.Left), r.world.tap.builder.Totals(trace.Right)
	row := func(name string, c, s uint64) {
		fmt.Fprintf(b, "%-34s%14s%14s\n", name, trace.Count(c), trace.Count(s))
	}
	fmt.Fprintf(b, "%-34s%14s%14s\n", "", "client", "server")
	row("segments sent", c.Segments, s.Segments)
	row("  with data", c.Data, s.Data)
	row("  sent again", c.Again, s.Again)
	row("  acknowledgements only", c.Acks, s.Acks)
	row("    duplicates", c.DupAcks, s.DupAcks)
	row("bytes of data", c.Bytes, s.Bytes)
	if r.world.path != "" {
		row("lost by the link", c.Lost, s.Lost)
		row("  damaged", c.Corrupt, s.Corrupt)
		row("  doubled", c.Doubled, s.Doubled)
		row("  ahead of others", c.Overtook, s.Overtook)
	}
	b.WriteString("\nThe server's end when the last byte had come, as ss tells it:\n")
	trace.WriteSockets(b, 80, []trace.Socket{socketOf(&r.info[trace.Right])})
}

// socketOf is an end of the connection in the words of ss -tin.
func socketOf(i *estab.Info) trace.Socket {
	s := trace.Socket{
		State: i.State, RecvQ: i.ReceiveQueue, SendQ: i.SendQueue,
		Local: i.Local.String(), Peer: i.Remote.String(),
	}
	add := func(name, value string) { s.Info = append(s.Info, trace.Field{Name: name, Value: value}) }
	number := func(name string, v int) { add(name, fmt.Sprint(v)) }
	ms := func(d time.Duration) string { return fmt.Sprintf("%.3g", d.Seconds()*1000) }
	add(i.Congestion, "")
	add("wscale", fmt.Sprintf("%d,%d", i.SendScale, i.ReceiveScale))
	add("rto", ms(i.RTO))
	add("rtt", ms(i.RTT)+"/"+ms(i.RTTVar))
	number("mss", i.MSS)
	number("cwnd", i.Cwnd/max(i.MSS, 1))
	if i.Ssthresh < 1<<30 {
		number("ssthresh", i.Ssthresh/max(i.MSS, 1))
	}
	number("unacked", (i.Unacked+i.MSS-1)/max(i.MSS, 1))
	number("snd_wnd", i.SendWindow)
	number("rcv_wnd", i.ReceiveWindow)
	return s
}
