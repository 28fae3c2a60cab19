package estab

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"estab/tcp"
)

// Info is what a host knows of a connection: its transmission control block
// (RFC 9293 §3.3.1) in the words of `ss -tino`.
type Info struct {
	State         string // as RFC 9293 §3.3.2 writes it: "ESTABLISHED"
	Local, Remote netip.AddrPort
	Passive       bool // accepted, not dialled

	SendQueue    int // bytes written and not acknowledged (ss: Send-Q)
	Unsent       int // bytes of it not sent yet (notsent)
	ReceiveQueue int // bytes arrived and not read (Recv-Q)

	MSS        int // bytes of text in the largest segment sent (mss)
	ReceiveMSS int // in the largest that arrived (rcvmss)
	PathMSS    int // that path and peer would take

	Congestion    string // the algorithm: "cubic", "reno"
	Recovery      string // "open", "recovery", "loss" or "cwr"
	Cwnd          int    // congestion window, bytes (ss counts segments)
	Ssthresh      int    // slow start threshold, bytes
	Unacked       int    // bytes in flight
	Sacked        int    // of them, reported as received
	Lost          int    // of them, believed lost
	Retrans       int    // of them, sent again
	DupAcks       int    // in a row
	SendWindow    int    // the peer's window, bytes (snd_wnd)
	ReceiveWindow int    // ours, bytes (rcv_wnd)
	SendScale     int    // shifts of the two (wscale)
	ReceiveScale  int
	SendBuffer    int // sizes, bytes
	ReceiveBuffer int

	Timestamps, SACK, ECN, NoDelay, KeepAlive bool

	RTT, RTTVar, RTO time.Duration
	Retries          int // of the oldest segment in flight
	Backoff          int // doublings of RTO

	LastSend, LastReceive time.Duration // how long ago (lastsnd, lastrcv); 0: never
	Timer                 string        // the next to go off: "on", "persist", "keepalive", …; "" if none
	TimerLeft             time.Duration // until then
}

// Info describes the connection as it is now.
func (c *Conn) Info() (Info, error) {
	if !c.ok() {
		return Info{}, syscall.EINVAL
	}
	sh := c.sh
	sh.mu.Lock()
	if c.flags&connClosed != 0 {
		sh.mu.Unlock()
		return Info{}, c.opError("info", net.ErrClosed)
	}
	now := sh.host.now()
	s, e := sh.tcp.Status(now, c.id)
	sh.mu.Unlock()
	if e != 0 {
		return Info{}, c.opError("info", errno(e))
	}
	return makeInfo(now, &s), nil
}

func makeInfo(now tcp.Time, s *tcp.Status) Info {
	i := Info{
		State: s.State.String(), Local: s.Tuple.LocalAddrPort(), Remote: s.Tuple.RemoteAddrPort(), Passive: s.Passive,
		SendQueue: s.SendQueue, Unsent: s.Unsent, ReceiveQueue: s.ReceiveQueue,
		MSS: s.SMSS, ReceiveMSS: s.RMSS, PathMSS: s.PathMSS,
		Congestion: s.Congestion, Recovery: s.Recovery, Cwnd: int(s.Cwnd), Ssthresh: int(s.Ssthresh),
		Unacked: int(s.FlightSize), Sacked: int(s.Sacked), Lost: int(s.Lost), Retrans: int(s.Retrans), DupAcks: s.DupAcks,
		SendWindow: int(s.SndWND), ReceiveWindow: int(s.RcvWND), SendScale: int(s.SndScale), ReceiveScale: int(s.RcvScale),
		SendBuffer: s.SendBuffer, ReceiveBuffer: s.ReceiveBuffer,
		Timestamps: s.Timestamps, SACK: s.SACK, ECN: s.ECN, NoDelay: s.NoDelay, KeepAlive: s.KeepAlive,
		RTT: s.SRTT, RTTVar: s.RTTVar, RTO: s.RTO, Retries: s.Retries, Backoff: s.Backoff,
	}
	if s.SentAt != 0 {
		i.LastSend = now.Sub(s.SentAt)
	}
	if s.HeardAt != 0 {
		i.LastReceive = now.Sub(s.HeardAt)
	}
	next := tcp.Never
	for k, at := range s.Timers {
		if at < next {
			next = at
			i.Timer, i.TimerLeft = tcp.TimerKind(k).String(), max(at.Sub(now), 0)
		}
	}
	return i
}

// String is a line like one of `ss -tino`. What has no value is left out.
func (i Info) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %d %v %v", i.State, i.ReceiveQueue, i.SendQueue, i.Local, i.Remote)
	if i.Timer != "" {
		fmt.Fprintf(&b, " timer:(%s,%v,%d)", i.Timer, i.TimerLeft.Round(time.Millisecond), i.Retries)
	}
	flag := func(on bool, name string) {
		if on {
			b.WriteString(" " + name)
		}
	}
	number := func(name string, v int) {
		if v != 0 {
			fmt.Fprintf(&b, " %s:%d", name, v)
		}
	}
	flag(i.Timestamps, "ts")
	flag(i.SACK, "sack")
	flag(true, i.Congestion)
	if i.SendScale != 0 || i.ReceiveScale != 0 {
		fmt.Fprintf(&b, " wscale:%d,%d", i.SendScale, i.ReceiveScale)
	}
	fmt.Fprintf(&b, " rto:%s", millis(i.RTO))
	if i.RTT != 0 {
		fmt.Fprintf(&b, " rtt:%s/%s", millis(i.RTT), millis(i.RTTVar))
	}
	number("mss", i.MSS)
	number("rcvmss", i.ReceiveMSS)
	number("cwnd", i.Cwnd/max(i.MSS, 1))
	if i.Ssthresh < 1<<30 { // not yet measured
		number("ssthresh", i.Ssthresh/max(i.MSS, 1))
	}
	number("unacked", i.Unacked)
	number("notsent", i.Unsent)
	number("sacked", i.Sacked)
	number("lost", i.Lost)
	number("retrans", i.Retrans)
	number("backoff", i.Backoff)
	number("snd_wnd", i.SendWindow)
	number("rcv_wnd", i.ReceiveWindow)
	number("rcvbuf", i.ReceiveBuffer)
	number("sndbuf", i.SendBuffer)
	return b.String()
}

// millis writes a duration as ss does, in milliseconds.
func millis(d time.Duration) string {
	return strings.TrimSuffix(fmt.Sprintf("%.3g", float64(d)/float64(time.Millisecond)), ".")
}
