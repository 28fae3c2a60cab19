// Package cc is congestion control: Reno (RFC 5681, with the byte counting of
// RFC 3465) and CUBIC (RFC 9438), as stateless strategies over a small value
// that each connection holds. The arithmetic is in integers, so that the same
// calls give the same windows on every machine.
//
// What a strategy decides is the congestion window and the slow start
// threshold. When a segment counts as lost, what is retransmitted and how the
// window is used meanwhile (RFC 6582, RFC 6675) is the caller's: it calls
// Loss on entering fast recovery, doesn't call Acked during it, and sets Cwnd
// to Ssthresh when it leaves.
//
// Not here: HyStart++ (RFC 9406), which needs the rounds of a connection, and
// the undoing of spurious reductions (RFC 9438 §4.9), which needs their
// detection. Slow start is that of RFC 5681.
//
// To read first: RFC 5681 §3, RFC 9438 §4.
package cc
