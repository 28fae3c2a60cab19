// Package wire holds the formats that cross the wire: IPv4 (RFC 791), IPv6
// (RFC 8200), TCP (RFC 9293 §3.1), ICMP (RFC 792, RFC 4443) and the Internet
// checksum (RFC 1071, RFC 1624).
//
// Headers are views on bytes: parsing checks lengths once and copies only
// numbers, building writes into a caller's buffer. Nothing here allocates,
// keeps state or knows what a connection is.
package wire
