package wire

// Reason says why a packet or a segment was discarded. Every discard has one,
// and every reason is a counter.
type Reason uint8

const (
	Accepted Reason = iota // not a discard

	// The packet, before it is known to be TCP.
	DropTruncated     // shorter than its own headers or lengths say
	DropIPVersion     // neither 4 nor 6
	DropIPHeader      // header length below 20 or beyond the packet
	DropIPChecksum    // IPv4 header checksum
	DropIPFragment    // a fragment; reassembly is not there yet
	DropIPProtocol    // a protocol that nobody here speaks
	DropIPExtension   // IPv6 extension headers that can't be followed, or a source route
	DropIPSource      // a source that no host may have (RFC 1122 §3.2.1.3)
	DropIPDestination // not addressed to this host
	DropLAND          // source and destination are the same socket
	DropICMPHeader    // too short, or a type that nobody here has a use for
	DropICMPChecksum
	DropICMPQuote // an error whose quoted segment is not ours or not in flight (RFC 5927)
	DropEchoLimit // an echo request over the limit

	// The segment, before a connection is looked for.
	DropTCPHeader // data offset below 5 or beyond the segment
	DropTCPChecksum
	DropTCPOption // an option whose length can't be
	DropTCPPort   // port 0

	// SEGMENT ARRIVES (RFC 9293 §3.10.7).
	DropClosedReset   // a RST for nobody
	DropNoListener    // no connection and no listener: answered with a RST
	DropListenReset   // a RST in LISTEN
	DropListenAck     // an ACK in LISTEN: answered with a RST
	DropListenFlags   // SYN with FIN, or nothing that LISTEN has a use for
	DropBacklog       // the half-open table is full
	DropSourceLimit   // too many SYNs from one source
	DropAcceptQueue   // the accept queue is full
	DropSynSentAck    // an unacceptable ACK in SYN-SENT
	DropSynSentReset  // a RST without an acceptable ACK in SYN-SENT
	DropSynSentFlags  // neither SYN nor RST in SYN-SENT
	DropSequence      // outside the receive window
	DropPAWS          // an old timestamp (RFC 7323 §5)
	DropResetWindow   // a RST in the window but not exact: challenged (RFC 5961 §3)
	DropSynChallenge  // a SYN in a synchronised state: challenged (RFC 5961 §4)
	DropNoAck         // no ACK bit in a synchronised state
	DropAckOld        // an ACK below the range of RFC 5961 §5
	DropAckFuture     // an ACK of what was never sent
	DropHalfOpenAck   // an ACK of something else in SYN-RECEIVED: answered with a RST
	DropAfterClose    // text for a connection whose user is gone: answered with a RST
	DropAfterFin      // text beyond the peer's FIN
	DropDuplicate     // nothing in it that is new
	DropTimeWait      // not for a connection in TIME-WAIT
	DropTimeWaitReset // a RST in TIME-WAIT (RFC 1337)
	DropMemory        // a limit on memory was reached
	DropDeferred      // the handshake's bare ACK, while accept waits for text

	// What could not be sent.
	DropChallengeLimit // a challenge ACK over the limit
	DropReplyQueue     // a reply that found no room
	DropNoRoute        // a reply that has no way to go
	DropLinkMTU        // larger than its link takes

	NumReasons
)

var reasonNames = [NumReasons]string{
	Accepted: "accepted", DropTruncated: "truncated", DropIPVersion: "ip-version", DropIPHeader: "ip-header",
	DropIPChecksum: "ip-checksum", DropIPFragment: "ip-fragment", DropIPProtocol: "ip-protocol",
	DropIPExtension: "ip-extension", DropIPSource: "ip-source", DropIPDestination: "ip-destination",
	DropLAND: "land", DropICMPHeader: "icmp-header", DropICMPChecksum: "icmp-checksum", DropICMPQuote: "icmp-quote", DropEchoLimit: "echo-limit",
	DropTCPHeader: "tcp-header", DropTCPChecksum: "tcp-checksum", DropTCPOption: "tcp-option", DropTCPPort: "tcp-port",
	DropClosedReset: "closed-reset", DropNoListener: "no-listener", DropListenReset: "listen-reset",
	DropListenAck: "listen-ack", DropListenFlags: "listen-flags", DropBacklog: "backlog",
	DropSourceLimit: "source-limit", DropAcceptQueue: "accept-queue", DropSynSentAck: "syn-sent-ack", DropSynSentReset: "syn-sent-reset",
	DropSynSentFlags: "syn-sent-flags", DropSequence: "sequence", DropPAWS: "paws",
	DropResetWindow: "reset-window", DropSynChallenge: "syn-challenge", DropNoAck: "no-ack",
	DropAckOld: "ack-old", DropAckFuture: "ack-future", DropHalfOpenAck: "half-open-ack",
	DropAfterClose: "after-close", DropAfterFin: "after-fin", DropDuplicate: "duplicate",
	DropTimeWait: "time-wait", DropTimeWaitReset: "time-wait-reset", DropMemory: "memory", DropDeferred: "deferred",
	DropChallengeLimit: "challenge-limit", DropReplyQueue: "reply-queue", DropNoRoute: "no-route",
	DropLinkMTU: "link-mtu",
}

// String is the reason's name in counters, events and captures.
func (r Reason) String() string {
	if r < NumReasons {
		return reasonNames[r]
	}
	return "reason?"
}
