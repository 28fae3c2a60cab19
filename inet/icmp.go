package inet

import (
	"time"

	"estab/internal/wire"
	"estab/tcp"
)

// quoted is the connection that an error is about: the quoted packet was sent
// by the host to which the error came, and it was TCP.
func (s *Stack) quoted(link LinkID, h *wire.IPHeader, m *wire.ICMP, t *tcp.Tuple) bool {
	q := &m.Quote
	if q.Src != h.Dst || q.Proto != wire.ProtoTCP {
		return false
	}
	*t = tcp.Tuple{
		Local: q.Src, Remote: q.Dst, LocalPort: q.SrcPort, RemotePort: q.DstPort,
		Zone: s.zone(link, q.Src, q.Dst),
	}
	return true
}

func (s *Stack) parseError(link LinkID, out *Parsed) wire.Reason {
	if !s.quoted(link, &out.ip, &out.icmp, &out.seg.Tuple) {
		return wire.DropICMPQuote
	}
	return wire.Accepted
}

// inputICMP acts on a message that Parse has accepted.
// Obeys: RFC 9293 MUST-54.
func (s *Stack) inputICMP(in *Parsed) wire.Reason {
	switch in.icmp.Kind {
	case wire.ICMPEchoRequest:
		return s.inputEcho(in)
	case wire.ICMPPacketTooBig:
		return s.inputTooBig(in)
	}
	if err := icmpError(in.icmp.Kind); err != 0 {
		return s.tcp.ICMPError(s.now, &in.seg.Tuple, in.icmp.Quote.Seq, err)
	}
	return wire.DropICMPHeader // an echo reply, for which nobody asked
}

// icmpError is what an error means to a connection. Whether it ends it is the
// engine's affair (RFC 9293 §3.9.2.2, RFC 5927 §5.2); here only is said what
// it is about.
func icmpError(kind wire.ICMPKind) tcp.Error {
	switch kind {
	case wire.ICMPNetUnreachable:
		return tcp.ErrNetUnreachable
	case wire.ICMPHostUnreachable, wire.ICMPParameterProblem:
		return tcp.ErrHostUnreachable
	case wire.ICMPPortUnreachable:
		return tcp.ErrPortUnreachable
	}
	return 0
}

// inputTooBig lowers the MTU of a path. RFC 5927 §4.1: only when the engine
// finds the quoted segment in flight, for anybody can write such a message.
func (s *Stack) inputTooBig(in *Parsed) wire.Reason {
	mtu := pathMTU(&in.icmp)
	if mtu == 0 {
		return wire.DropICMPQuote
	}
	t := &in.seg.Tuple
	r := s.tcp.PacketTooBig(s.now, t, in.icmp.Quote.Seq, mtu)
	if r == wire.Accepted {
		s.narrow(t.Remote, mtu)
	}
	return r
}

// echoLimit lets a number of echo requests a second pass, with bursts of a
// tenth of that: a bucket of tokens, written as the time at which it is full
// again.
type echoLimit struct{ full tcp.Time }

// take reports whether one more reply is within the limit.
func (l *echoLimit) take(now tcp.Time, perSecond int) bool {
	if perSecond <= 0 {
		return false
	}
	cost := time.Second / time.Duration(perSecond)
	full := max(l.full, now).Add(cost)
	if full.Sub(now) > max(time.Second/10, cost) {
		return false
	}
	l.full = full
	return true
}

// echoQueue holds the replies that wait for Output, oldest first: at most 64.
type echoQueue struct {
	ring    [64]echoReply
	head    int
	n       int
	blocked bool // the link had no room for the front
}

// echoReply is a message that has been turned round in the buffer in which it
// came.
type echoReply struct {
	slab *wire.Slab // its bytes in use are the ICMP message
	ip   wire.IPHeader
	zone uint32
}

func (q *echoQueue) front() *echoReply { return &q.ring[q.head] }

func (q *echoQueue) full() bool { return q.n == len(q.ring) }

// push appends a reply; the queue must not be full.
func (q *echoQueue) push(r echoReply) {
	q.ring[(q.head+q.n)%len(q.ring)] = r
	q.n++
}

func (q *echoQueue) pop() echoReply {
	r := q.ring[q.head]
	q.ring[q.head] = echoReply{}
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return r
}

// inputEcho answers an echo request (RFC 1122 §3.2.2.6, RFC 4443 §4.2). It
// was sent to one of our addresses: what is for a broadcast or multicast
// address never comes here.
func (s *Stack) inputEcho(in *Parsed) wire.Reason {
	if s.echoes.full() {
		return wire.DropReplyQueue
	}
	if !s.echo.take(s.now, s.cfg.EchoReplies) {
		return wire.DropEchoLimit
	}
	message := in.packet[in.ip.HeaderLen:in.ip.TotalLen]
	slab := in.slab
	if slab == nil {
		slab = s.pool.Get(len(message))
		slab.Append(message)
	} else {
		slab.Narrow(message)
		in.slab = nil
	}
	src, dst := in.ip.Dst, in.ip.Src
	wire.MakeEchoReply(src, dst, slab.Bytes())
	s.echoes.push(echoReply{slab, wire.IPHeader{
		Src: src, Dst: dst, Proto: in.ip.Proto, TTL: s.cfg.TTL, TOS: in.ip.TOS,
		TotalLen: wire.IPHeaderLen(src) + len(message),
	}, s.zone(in.link, src, dst)})
	s.counters.Echoes++
	return wire.Accepted
}
