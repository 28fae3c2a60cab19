package trace

import (
	"estab/internal/wire"
	"estab/tcp"
)

// WhyText says in a line why a connection sends nothing, or why its
// congestion window changed.
func WhyText(w tcp.Why) string {
	switch w {
	case tcp.WhyNone:
		return "nothing is in the way"
	case tcp.WhyPeerWindow:
		return "the peer's window is full: waiting for it to read"
	case tcp.WhyZeroWindow:
		return "the peer's window is zero: probing"
	case tcp.WhyCwnd:
		return "the congestion window is full: waiting for an acknowledgement"
	case tcp.WhyNagle:
		return "a small segment waits until what is in flight is acknowledged (Nagle)"
	case tcp.WhySillyWindow:
		return "the peer's window is too small for a worthwhile segment"
	case tcp.WhyCork:
		return "the sender holds it back (cork)"
	case tcp.WhyLink:
		return "the link has no room"
	case tcp.WhyNoData:
		return "there is nothing to send"
	case tcp.WhyFastRecovery:
		return "duplicate acknowledgements tell of a loss: fast recovery began"
	case tcp.WhyRecovered:
		return "everything lost has been repaired: fast recovery is over"
	case tcp.WhyTimeout:
		return "no acknowledgement came in time: back to one segment"
	case tcp.WhyIdle:
		return "nothing was sent for a while: slow start begins again"
	case tcp.WhyReneged:
		return "the peer dropped what it had acknowledged selectively"
	case tcp.WhyMTU:
		return "the path takes smaller packets than thought: the segments shrink"
	case tcp.WhyMarked:
		return "the network marked a packet instead of dropping it (ECN): slower"
	}
	return w.String()
}

// TimerText says in a line what it means that a timer went off.
func TimerText(k tcp.TimerKind) string {
	switch k {
	case tcp.TimerRetransmit:
		return "no ACK in time: sending again"
	case tcp.TimerPersist:
		return "the peer's window is zero: probing"
	case tcp.TimerDelayedAck:
		return "the delayed acknowledgement is due"
	case tcp.TimerKeepAlive:
		return "silence: asking whether the peer is alive"
	case tcp.TimerUser:
		return "the time given by the user is over"
	case tcp.TimerTimeWait:
		return "2 MSL are over: old segments are gone"
	case tcp.TimerSynAck:
		return "no answer to the SYN,ACK: sending again"
	}
	return k.String()
}

// GaveUpText says in a line that a timer went off for the last time: what it
// waited for is given up.
func GaveUpText(k tcp.TimerKind) string {
	switch k {
	case tcp.TimerRetransmit:
		return "no ACK in time, once too often: giving up"
	case tcp.TimerPersist:
		return "the peer's window stays zero: giving up"
	case tcp.TimerKeepAlive:
		return "silence, and no answer to any probe: the peer is dead"
	case tcp.TimerSynAck:
		return "no answer to any SYN,ACK: giving up"
	}
	return TimerText(k)
}

// ReasonText says in a line why a packet or a segment was discarded.
func ReasonText(r wire.Reason) string {
	for _, part := range [...]func(wire.Reason) string{packetReason, segmentReason, arrivalReason, replyReason} {
		if s := part(r); s != "" {
			return s
		}
	}
	return r.String()
}

func packetReason(r wire.Reason) string {
	switch r {
	case wire.Accepted:
		return "it was accepted"
	case wire.DropTruncated:
		return "the packet is shorter than its headers say"
	case wire.DropIPVersion:
		return "neither IPv4 nor IPv6"
	case wire.DropIPHeader:
		return "the IP header's length can't be"
	case wire.DropIPChecksum:
		return "the IP header's checksum is wrong"
	case wire.DropIPFragment:
		return "a fragment of a packet"
	case wire.DropIPProtocol:
		return "nobody here speaks this protocol"
	case wire.DropIPExtension:
		return "IPv6 extension headers that can't be followed"
	case wire.DropIPSource:
		return "no host may have this source address"
	case wire.DropIPDestination:
		return "the packet is for somebody else"
	case wire.DropLAND:
		return "source and destination are the same socket (LAND)"
	case wire.DropICMPHeader:
		return "an ICMP message too short or of unknown type"
	case wire.DropICMPChecksum:
		return "the ICMP checksum is wrong"
	case wire.DropICMPQuote:
		return "the ICMP error quotes nothing that is in flight"
	}
	return ""
}

func segmentReason(r wire.Reason) string {
	switch r {
	case wire.DropTCPHeader:
		return "the TCP header's length can't be"
	case wire.DropTCPChecksum:
		return "the TCP checksum is wrong"
	case wire.DropTCPOption:
		return "a TCP option whose length can't be"
	case wire.DropTCPPort:
		return "port 0 belongs to nobody"
	case wire.DropClosedReset:
		return "a reset for no connection"
	case wire.DropNoListener:
		return "nobody listens there: answered with a reset"
	case wire.DropListenReset:
		return "a reset for a listener"
	case wire.DropListenAck:
		return "an ACK without a connection: answered with a reset"
	case wire.DropListenFlags:
		return "flags that no listener has a use for"
	case wire.DropBacklog:
		return "too many handshakes are under way"
	case wire.DropSourceLimit:
		return "too many handshakes of this source are under way"
	case wire.DropAcceptQueue:
		return "too many connections wait to be accepted"
	case wire.DropSynSentAck:
		return "it doesn't acknowledge our SYN: answered with a reset"
	case wire.DropSynSentReset:
		return "a reset that doesn't acknowledge our SYN"
	case wire.DropSynSentFlags:
		return "neither SYN nor reset while connecting"
	}
	return ""
}

func arrivalReason(r wire.Reason) string {
	switch r {
	case wire.DropSequence:
		return "outside the receive window"
	case wire.DropPAWS:
		return "an old timestamp: a segment from the past (PAWS)"
	case wire.DropResetWindow:
		return "a reset that isn't exact: challenged (RFC 5961)"
	case wire.DropSynChallenge:
		return "a SYN on a live connection: challenged (RFC 5961)"
	case wire.DropNoAck:
		return "no ACK bit"
	case wire.DropAckOld:
		return "an acknowledgement from long ago"
	case wire.DropAckFuture:
		return "it acknowledges what was never sent"
	case wire.DropHalfOpenAck:
		return "it doesn't acknowledge our SYN,ACK: answered with a reset"
	case wire.DropAfterClose:
		return "data for a program that is gone: answered with a reset"
	case wire.DropAfterFin:
		return "data beyond the peer's FIN"
	case wire.DropDuplicate:
		return "nothing in it that is new"
	case wire.DropTimeWait:
		return "an old segment, absorbed by TIME-WAIT"
	case wire.DropTimeWaitReset:
		return "a reset in TIME-WAIT is ignored (RFC 1337)"
	case wire.DropMemory:
		return "no memory left for it"
	case wire.DropDeferred:
		return "a bare ACK while the listener waits for data"
	}
	return ""
}

func replyReason(r wire.Reason) string {
	switch r {
	case wire.DropChallengeLimit:
		return "enough challenge ACKs for this second"
	case wire.DropEchoLimit:
		return "enough echo replies for this second"
	case wire.DropLinkMTU:
		return "larger than the link takes"
	case wire.DropReplyQueue:
		return "no room for the reply"
	case wire.DropNoRoute:
		return "no way back for the reply"
	}
	return ""
}
