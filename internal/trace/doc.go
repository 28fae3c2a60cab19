// Package trace turns what happened on a connection into what people read: a
// ladder diagram in plain text, a capture for Wireshark, a table in the manner
// of ss, a line for each event that a golden file can hold, and a sentence for
// each reason.
//
// It only looks. Events come from package tcp, packets from whoever stands
// where a wire would be; nothing here changes what a connection does, and
// nothing is formatted until somebody asks.
//
// To read first: RFC 9293 §3.5, figures 6 to 13, which are ladders.
package trace
