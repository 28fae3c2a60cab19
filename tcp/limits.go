package tcp

// Everything that a peer can make grow has a limit; the limits that are not in
// Config stand here, or are named here if they belong to a data structure.
//
//	half-open records     Config.MaxHalfOpen, 56 bytes each (IPv6: 80)
//	TIME-WAIT records     Config.MaxTimeWait, 56 bytes each (IPv6: 80)
//	listeners             maxListeners, which the user makes
//	sources of SYNs       Defence.Sources of 12 bytes (sources.go)
//	TCBs                  Config.MaxConns
//	accept queue          ListenOptions.Backlog or Gate
//	receive queue         the receive buffer: payload; slabs at least half full,
//	                      so at most about twice that in memory (recvqueue.go)
//	reassembly            the window: every byte lies at its place (reassembly.go);
//	                      8 bytes more for each stretch, of which the window
//	                      has at most one in two bytes
//	send queue            the send buffer, which the user fills; at most about
//	                      twice that in memory (lend.go)
//	retransmission queue  24 bytes a segment; segments that a peer's small MSS
//	                      makes small are at least minMSS bytes, and what the
//	                      user wrote in smaller pieces is at most the send
//	                      buffer
//	replies               maxReplies segments (reset.go)
//	duplicate ACKs due    a counter (challenge.go)
const (
	// minMSS is the smallest MSS that a peer or a path can impose: below it,
	// headers would outweigh text and a peer could buy our work with its SYN
	// (CVE-2019-11479). Linux's tcp_min_snd_mss is the same.
	minMSS = 48

	// maxWindowScale is RFC 7323 §2.3's.
	maxWindowScale = 14

	// maxRounding, and half of the receive buffer, is how far the right edge
	// of the window may pass the buffer's by rounding (window.go).
	maxRounding = 64 << 10

	// maxListeners is how many listeners an engine has at most: a half-open
	// record names its own in two bytes.
	maxListeners = 1 << 16

	// maxMerged is how many segments may be in flight before small ones
	// share an entry of the retransmission queue.
	maxMerged = 256
)

// defaultMSS is what a peer that sends no MSS option takes (RFC 9293 MUST-15).
// Obeys: RFC 9293 MUST-15.
func defaultMSS(t *Tuple) uint16 {
	if is4(t) {
		return 536
	}
	return 1220
}
