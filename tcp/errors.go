package tcp

// Error is what became of a connection or of a call, as the engine knows it.
// A shell maps it to what its users know (syscall.ECONNRESET and so on).
type Error uint8

const (
	ErrReset        Error = iota + 1 // the peer sent a RST
	ErrRefused                       // a RST answered our SYN
	ErrTimeout                       // R2, the user timeout, keep-alive or the SYN's retries ran out
	ErrAborted                       // our user aborted the connection
	ErrClosing                       // the user has closed this direction (RFC 9293: "connection closing")
	ErrNoConnection                  // no such connection (RFC 9293: "connection does not exist")
	ErrNotConnected                  // the handshake is not complete
	ErrInUse                         // the pair of sockets, or the listening socket, is in use
	ErrNoPorts                       // no local port is free for this destination
	ErrHostUnreachable
	ErrNetUnreachable
	ErrPortUnreachable // an ICMP port or protocol unreachable answered our SYN
	ErrNoMemory        // a limit was reached
	ErrInvalid         // the call makes no sense
	ErrEOF             // the peer's FIN has been read up to (not a failure)
)

var errorText = [...]string{
	ErrReset: "connection reset by peer", ErrRefused: "connection refused", ErrTimeout: "connection timed out",
	ErrAborted: "connection aborted", ErrClosing: "connection closing", ErrNoConnection: "connection does not exist",
	ErrNotConnected: "not connected", ErrInUse: "address in use", ErrNoPorts: "no local port is free",
	ErrHostUnreachable: "host unreachable", ErrNetUnreachable: "network unreachable",
	ErrPortUnreachable: "port unreachable", ErrNoMemory: "memory limit reached", ErrInvalid: "invalid argument",
	ErrEOF: "end of stream",
}

// Error makes an Error an error.
func (e Error) Error() string {
	if int(e) < len(errorText) && errorText[e] != "" {
		return errorText[e]
	}
	return "no error"
}
